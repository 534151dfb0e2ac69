"""Runs the recipes of docs/stateless.md, and says what each takes beside the same with torch.func.functional_call.

`python -m benchmarks.recipes` prints a row for each: the lines of both versions, and the time of the stateless one as a share
of the other's, the median of many rounds in which both take turns, on one thread.
"""

from __future__ import annotations

import ast
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from markdown_it import MarkdownIt

from benchmarks.stateless import SPECS, shares
from nngen.files import writer
from nngen.language.styles import FILES
from nngen.pipeline import read

PAGE = Path(__file__).parent.parent / "docs" / "stateless.md"
# Each with the functions that it consists of; that with `_by_call` at the end of the name is the same otherwise written.
RECIPES = {
    "MAML, batch norm": ("meta", "adapted"),
    "MAML, LSTM": ("meta_of_lstm",),
    "per-sample gradients": ("clipped",),
    "ensemble": ("trained",),
    "hypernetwork": ("through_hyper",),
    "one vector": ("derivatives",),
}
BY_CALL = "_by_call"


def code() -> str:
    """The Python of the page."""
    tokens = MarkdownIt().parse(PAGE.read_text(encoding="utf-8"))
    return "\n".join(each.content for each in tokens if each.info == "python")


def run_page() -> dict[str, Any]:
    """What the code of the page defines, in a process that can import the two packages that it uses."""
    with tempfile.TemporaryDirectory() as folder:
        models = Path(folder) / "models"
        for name in ("cnn", "lstm_classifier"):
            files = read(SPECS / f"{name}.yaml", styles=tuple(FILES)).files
            writer.write(models / name, files)
        sys.path.insert(0, folder)
        scope: dict[str, Any] = {}
        exec(compile(code(), str(PAGE), "exec"), scope)  # noqa: S102
        sys.path.remove(folder)
    return scope


def lengths() -> dict[str, int]:
    """How many lines of code each function of the page has, without its docstring."""
    text = code()
    lines = text.splitlines()
    found: dict[str, int] = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            docstring = 0 if ast.get_docstring(node) is None else 1
            own = lines[node.lineno - 1 : node.end_lineno]
            found[node.name] = sum(bool(line.strip()) for line in own) - docstring
    return found


def row(names: tuple[str, ...], scope: Mapping[str, Any], rounds: int) -> tuple[int, int, float]:
    """A recipe's lines, those of the other version, and the share of its time."""
    lines = lengths()
    calls = {"by call": scope[names[0] + BY_CALL], "stateless": scope[names[0]]}
    share = shares(calls, rounds, 1)["stateless"]
    return sum(lines[name] for name in names), sum(lines[name + BY_CALL] for name in names), share


def main() -> None:
    torch.set_num_threads(1)
    scope = run_page()
    print(f"{'recipe':<22}  lines  with functional_call  share of its time")
    for name, names in RECIPES.items():
        own, other, share = row(names, scope, 25)
        print(f"{name:<22}  {own:>5}  {other:>20}  {share:>17.2f}")


if __name__ == "__main__":
    main()
