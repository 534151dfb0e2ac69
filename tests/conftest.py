"""Marks tests by what they need; those whose program is missing are skipped, and the last lines say what brings it."""

from __future__ import annotations

import ast
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

# Small models are no faster on more threads, and far slower where tests run side by side.
os.environ.setdefault("OMP_NUM_THREADS", "1")

REPOSITORY = Path(__file__).parent.parent

# By what tests call them, `@pytest.mark.needs("dot")`: the names of the program, and the packages that bring it.
PROGRAMS = {
    "browser": (("chromium", "chromium-browser", "google-chrome"), "chromium fonts-noto-cjk"),
    "compiler": (("g++", "clang++", "c++"), "g++"),
    "dot": (("dot",), "graphviz"),
    "node": (("npm",), "nodejs npm"),
}
# Set where everything is installed: there a program that is missing fails the test.
ALL = "NNGEN_TEST_ALL"


def find(program: str) -> str | None:
    """Where a program is."""
    names, _ = PROGRAMS[program]
    return next(filter(None, map(shutil.which, names)), None)


# What brings torch in, and what runs it.
TORCH = {"generated", "numpy", "sklearn", "torch"}
RUNS = {"nngen.proof", "verify"}


@cache
def needs_torch(path: Path) -> bool:
    """Whether a module of tests imports torch or runs models, itself or through another of tests/."""
    tree = ast.parse(path.read_text("utf-8"))
    names = {node.attr for node in ast.walk(tree) if _is_nngens(node)} | set(_imported(tree))
    if names & RUNS or any(name.partition(".")[0] in TORCH for name in names):
        return True
    helpers = (REPOSITORY.joinpath(*name.split(".")).with_suffix(".py") for name in names)
    return any(needs_torch(helper) for helper in helpers if helper.is_file() and helper != path)


def _is_nngens(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and ast.unparse(node.value) == "nngen"


def _imported(tree: ast.AST) -> Iterator[str]:
    """Each module with the packages that it is in, and each name that comes from one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            parts = node.module.split(".")
            yield from (".".join(parts[:count]) for count in range(1, len(parts) + 1))
            for alias in node.names:
                yield from (alias.name, f"{node.module}.{alias.name}")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Without torch, what imports it is not even read: that takes longer than the tests that are left."""
    left_out = "not torch" in config.option.markexpr and collection_path.name.startswith("test_")
    return True if left_out and needs_torch(collection_path) else None


def pytest_itemcollected(item: pytest.Item) -> None:
    if needs_torch(item.path):
        item.add_marker("torch")
    if any("browser" in mark.args for mark in item.iter_markers("needs")):
        item.add_marker("browser")


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("needs"):
        for program in mark.args:
            if find(program) is None:
                names, packages = PROGRAMS[program]
                reason = f"{' or '.join(names)} is missing: apt-get install {packages}"
                if os.environ.get(ALL):
                    pytest.fail(reason, pytrace=False)
                pytest.skip(reason)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was skipped for want of what."""
    skipped = Counter(
        str(report.longrepr[2]).removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", ())
    )
    if skipped:
        terminalreporter.section("skipped")
    for reason, count in sorted(skipped.items()):
        terminalreporter.write_line(f"{count} skipped: {reason}")
