"""Verifies one mutant of one spec, and says which check caught it."""

from __future__ import annotations

import difflib
import itertools
import linecache
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any
from unittest import mock

import torch

from nngen.language.styles import FILES, TWINS
from nngen.proof import loading
from nngen.proof.ledger import Ledger
from nngen.proof.loading import Pair
from nngen.proof.report import Report, Row
from nngen.proof.verification import verify
from tests.mutants.source import BOTH, STATELESS, Edits, Fault, Source
from tests.mutants.twins import Twins

CHECKS = (
    "names",
    "initial values",
    "draws",
    "outputs",
    "loss",
    "gradients",
    "state",
    "inputs",
    "training",
    "checkpoint",
    "arguments",
    "exception",
)


@dataclass(frozen=True)
class Mutant:
    """One fault at one site.

    Args:
        spec: the path of the spec.
        fault: the fault's name.
        file: the file of the package; of a fault in both twins, the first.
        line: the first line that the fault changes.
        source: that line as it was.
        texts: by file, the whole text with the fault in it.
    """

    spec: str
    fault: str
    file: str
    line: int
    source: str
    texts: Mapping[str, str]

    @property
    def place(self) -> str:
        """Where the fault is: "cnn/functional_style.py:30"."""
        return f"{Path(self.spec).stem}/{self.file}:{self.line}"


@dataclass(frozen=True)
class Outcome:
    """What verification said of a mutant.

    Args:
        mutant: the mutant.
        check: the check that caught it; empty where none did.
        first: the first difference that was reported.
    """

    mutant: Mutant
    check: str
    first: str


@lru_cache(maxsize=64)
def built(spec: str) -> tuple[Pair, dict[str, str]]:
    """A spec in all styles, and the files of its package."""
    pair = loading.load(Path(spec))
    return pair, {name: file.text for name, file in pair.source_map.files.items()}


@lru_cache(maxsize=192)
def source_of(spec: str, file: str) -> Source | Twins:
    """One file of a spec's package, or both twins."""
    pair, files = built(spec)
    return (
        Twins(pair.source_map.files, pair.graph.arguments) if file == BOTH else Source(files[file])
    )


def mutant_at(spec: str, fault: Fault, edits: Edits) -> Mutant:
    """The mutant that a fault makes at one site.

    Raises:
        ValueError: the fault changes nothing there.
    """
    source = source_of(spec, fault.file)
    changed = source.edited(edits)
    texts = {fault.file: changed} if isinstance(changed, str) else changed
    first = {file: _first_change(built(spec)[1][file], text) for file, text in texts.items()}
    if None in first.values():
        raise ValueError(f"{fault.name} changes nothing in {spec}")
    file, line = next(iter(first.items()))
    before = built(spec)[1][file].splitlines()
    return Mutant(spec, fault.name, file, (line or 0) + 1, before[line or 0].strip(), texts)


def _first_change(before: str, after: str) -> int | None:
    lines = itertools.zip_longest(before.splitlines(), after.splitlines())
    return next((number for number, (old, new) in enumerate(lines) if old != new), None)


def verified(spec: str, changed: Mapping[str, str] | None = None, seed: int = 0) -> Report:
    """Verifies the twins of a spec, or the styles of some of its files, which are in another form."""
    torch.set_num_threads(1)
    pair, files = built(spec)
    styles = ("nn", "stateless") if STATELESS in (changed or {}) else TWINS
    name = f"mutant_of_{pair.graph.model.name.lower()}"
    package = loading._package({**files, **(changed or {})}, name)
    try:
        mutated = replace(
            pair,
            styles={style: getattr(package, FILES[style].removesuffix(".py")) for style in styles},
            to_functional=package.to_functional,
            to_nn=package.to_nn,
        )
        return verify(mutated.subject(styles), seed=seed)
    finally:
        for module in [key for key in sys.modules if key.partition(".")[0] == name]:
            del sys.modules[module]
        for file in [key for key in linecache.cache if key.startswith(f"<{name}/")]:
            del linecache.cache[file]


class Caught(Exception):
    """The twins part: no more need be compared."""


class Impatient(Ledger):
    """A ledger that ends verification at the first difference."""

    def compare(self, *arguments: Any) -> None:
        super().compare(*arguments)
        if self.rows and not self.rows[-1].equal:
            raise Caught(self.rows[-1])

    def find(self, *arguments: Any) -> None:
        super().find(*arguments)
        raise Caught(self.rows[-1])


def tried(mutant: Mutant, seed: int = 0) -> Outcome:
    """Verifies a mutant as far as the first difference: a report with one is never equal."""
    try:
        with mock.patch("nngen.proof.verification.Ledger", Impatient):
            report = verified(mutant.spec, mutant.texts, seed)
    except Caught as caught:
        (row,) = caught.args
        return Outcome(mutant, _check(row), str(row))
    if report.equal:
        return Outcome(mutant, "", "")
    row = next((row for row in report.rows if not row.equal), None)
    if row is None:
        return Outcome(mutant, "outputs", "no output was compared")
    return Outcome(mutant, _check(row), str(row))


def _check(row: Row) -> str:
    if row.what in ("exception", "names", "outputs", "loss", "gradients", "inputs"):
        special = {"exception": "exception", "names": "names"}
        if row.what in special and not row.group.startswith("argument"):
            return special[row.what]
    if "checkpoint" in row.group:
        return "checkpoint"
    if row.group.startswith(("SGD", "Adam")):
        return "training"
    if row.group.startswith("argument"):
        return "arguments"
    if row.group == "construction":
        return "draws" if row.what == "random" else "initial values"
    if row.what == "random":
        return "draws"
    return row.what if row.what in CHECKS else "state"


def difference(mutant: Mutant) -> str:
    """What a mutant changes, as a unified diff."""
    files = built(mutant.spec)[1]
    lines = [
        line
        for file, text in mutant.texts.items()
        for line in difflib.unified_diff(
            files[file].splitlines(), text.splitlines(), file, "mutant", lineterm="", n=1
        )
    ]
    return "\n".join(lines)
