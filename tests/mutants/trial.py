"""Verifies one mutant of one spec, and says which check caught it."""

from __future__ import annotations

import difflib
import linecache
import sys
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any
from unittest import mock

import torch

from nngen import loading
from nngen.proof import verify
from nngen.proof.ledger import Ledger
from nngen.render import render
from nngen.report import Report, Row
from nngen.subject import Subject
from tests.mutants.source import Edits, Fault, Source

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
        file: the file of the package.
        line: the first line that the fault changes.
        source: that line as it was.
        text: the whole file with the fault in it.
    """

    spec: str
    fault: str
    file: str
    line: int
    source: str
    text: str

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
def built(spec: str) -> tuple[Subject, dict[str, str]]:
    """What verification is given for a spec, and the files of its package."""
    pair = loading.load(Path(spec))
    return pair.subject(), dict(render(pair.graph))


@lru_cache(maxsize=192)
def source_of(spec: str, file: str) -> Source:
    """One file of a spec's package."""
    return Source(built(spec)[1][file])


def mutant_at(spec: str, fault: Fault, edits: Edits) -> Mutant:
    """The mutant that a fault makes at one site.

    Raises:
        ValueError: the fault changes nothing there.
    """
    source = source_of(spec, fault.file)
    text = source.edited(edits)
    before, after = source.text.splitlines(), [*text.splitlines(), ""]
    line = next((i for i, old in enumerate(before) if old != after[i]), None)
    if line is None:
        raise ValueError(f"{fault.name} changes nothing in {spec}")
    return Mutant(spec, fault.name, fault.file, line + 1, before[line].strip(), text)


def verified(spec: str, changed: dict[str, str] | None = None, seed: int = 0) -> Report:
    """Verifies the twins of a spec, with some of their files in another form."""
    torch.set_num_threads(1)
    subject, files = built(spec)
    name = f"mutant_of_{subject.name.lower()}"
    package = loading._package({**files, **(changed or {})}, name)
    try:
        mutated = replace(
            subject,
            nn_style=package.nn_style,
            functional_style=package.functional_style,
            to_functional=package.to_functional,
            to_nn=package.to_nn,
        )
        return verify(mutated, seed=seed)
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
        with mock.patch("nngen.proof.Ledger", Impatient):
            report = verified(mutant.spec, {mutant.file: mutant.text}, seed)
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
    before = built(mutant.spec)[1][mutant.file]
    lines = difflib.unified_diff(
        before.splitlines(), mutant.text.splitlines(), mutant.place, "mutant", lineterm="", n=1
    )
    return "\n".join(lines)
