"""What verification found, as a table for people and a dict for programs. Needs no torch."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from nngen.proof.options import Conditions

WIDTH = 88
_MOST_LINES, _MOST = 6, 3  # of the table, and of each text above it, in a brief report

# The line of the table for what torch's own defaults change.
DEFAULTS = "eval, torch's defaults"
FUSED = "fused by torch"

# How the lines of the table begin that hold the twins against the reading of the spec.
READING = "reading, "

COLUMNS = {
    "outputs": ("outputs",),
    "loss": ("loss",),
    "gradients": ("gradients",),
    "inputs": ("inputs",),
    "state": ("names", "weights", "buffers", "optimizer"),
    "random": ("random",),
}


@dataclass(frozen=True)
class Row:
    """One comparison.

    Args:
        what: "names", "weights", "buffers", "outputs", "loss", "inputs", "gradients",
            "optimizer", "random", or "exception" where a twin raised one.
        where: the conditions: "train, batch 4, grad".
        group: the line of the table that it belongs to: "train, grad".
        values: how many values were compared.
        equal: whether each of them has the same bits in both twins.
        first: the first place where the twins part; empty where they are equal.
    """

    what: str
    where: str
    group: str
    values: int
    equal: bool
    first: str = ""

    def __str__(self) -> str:
        what = "" if self.what == "exception" else f"{self.what}, "
        return f"{what}{self.where}: {self.first or 'equal'}"


@dataclass(frozen=True)
class StepRow:
    """What one step of the spec gave in both twins, forward, in train and in eval mode.

    Args:
        path: the step: "layers[3]".
        place: where it is: "cnn.yaml:7:5".
        values: how many values were compared.
        equal: whether each of them has the same bits in both twins.
        first: the first place where they part.
        after: how many steps ran before it; before the run that differs, if it ran several times.
    """

    path: str
    place: str
    values: int
    equal: bool
    first: str = ""
    after: int = 0

    def joined(self, other: StepRow) -> StepRow:
        """The step with what a further run of it gave."""
        first = other if self.equal else self
        values = self.values + other.values
        return replace(first, values=values, equal=self.equal and other.equal)

    def __str__(self) -> str:
        return f"{self.place}: {self.path}: {self.first or 'equal'}"


@dataclass(frozen=True)
class FusedRow:
    """What the nn twin gave where torch ran a fused kernel, beside the functional twin: no bits are asked for.

    Args:
        where: the conditions: "eval, batch 4, no_grad, torch's defaults".
        layers: the layers of torch.nn that ran it.
        values: how many values of the outputs and the loss both gave.
        largest: the largest absolute difference; None where it is not a number, such as beside a NaN.
        rounding: whether it is no more than another order of additions explains.
        error: what the kernel raised, if it did.
    """

    where: str
    layers: tuple[str, ...]
    values: int
    largest: float | None
    rounding: bool = True
    error: str = ""


@dataclass(frozen=True)
class Finding:
    """An exception that one twin, or both, raised, or the reading of the spec.

    Args:
        where: the conditions: "train, batch 4, grad".
        twin: "nn", "functional" or "both"; "reading" for the reading of the spec; "models" for both where the
            reading does not raise.
        error: the exception's type.
        message: what it says.
        place: the line of the twin, as "file:line: source", or the step that was read; empty if none was running.
    """

    where: str
    twin: str
    error: str
    message: str
    place: str = ""

    def __str__(self) -> str:
        whose = {"both": "both twins raise", "reading": "the reading of the spec raises"}
        who = whose.get(self.twin, f"the {self.twin} twin raises")
        at = f" at {self.place}" if self.place else ""
        if self.twin == "models":
            who, at = "both models raise", f"{at}, the reading of the spec does not"
        return f"{who} {self.error}: {self.message}{at}"


@dataclass(frozen=True)
class Skip:
    """A check that was asked for and does not apply.

    Args:
        group: the line of the table.
        reason: why it does not apply.
    """

    group: str
    reason: str

    def __str__(self) -> str:
        return f"not applicable: {self.group}: {self.reason}"


@dataclass(frozen=True)
class Report:
    """All that was compared for one pair of twins, in the order of the flow.

    Args:
        name: the name of the model's class.
        rows: the comparisons.
        findings: the exceptions.
        notes: what was not possible, and what was compared and yet proves little.
        parting: the lines of the twins, as "file:line: source", that are the first to
            compute what the other twin never does; empty where that is not known.
        conditions: under what the twins were compared.
        torch_version: torch's version.
        device: what the twins ran on, by its own name.
        arguments: constructor arguments that the twins were built with.
        sizes: values of the open sizes.
        skipped: what was asked for and does not apply.
        steps: what each step of the spec gave in both twins, in the order of the flow; empty where there is no spec.
        fused: what torch fuses by default, in eval mode without grad; it does not count against equality.
    """

    name: str
    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    parting: tuple[str, ...]
    conditions: Conditions
    torch_version: str
    device: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    skipped: tuple[Skip, ...] = ()
    steps: tuple[StepRow, ...] = ()
    fused: tuple[FusedRow, ...] = ()

    @property
    def values(self) -> int:
        """How many values were compared."""
        return sum(row.values for row in self.rows)

    @property
    def equal(self) -> bool:
        """Whether the twins are equal; a check that saw no output proves nothing."""
        seen = any(row.what == "outputs" and row.values for row in self.rows)
        return seen and all(r.equal for r in self.rows) and all(r.equal for r in self.steps)

    @property
    def different(self) -> bool:
        """Whether a value differs, or one twin raised what the other did not."""
        apart = any(not row.equal and row.what != "exception" for row in self.rows)
        apart = apart or not all(row.equal for row in self.steps)
        return apart or any(finding.twin != "both" for finding in self.findings)

    @property
    def reading(self) -> str:
        """Whether both twins are what the reading of the spec is: "equal", "different", "not read"."""
        rows = [row for row in self.rows if row.group.startswith(READING)]
        if not rows:
            return "not read"
        return "equal" if all(row.equal for row in rows) else "different"

    @property
    def first_difference(self) -> str | None:
        """The first place, in the order of the flow, where the twins part."""
        return next((str(row) for row in self.rows if not row.equal), None)

    @property
    def first_step(self) -> StepRow | None:
        """The step of the spec where the twins part first."""
        apart = [row for row in self.steps if not row.equal]
        return min(apart, key=lambda row: row.after, default=None)

    def groups(self) -> dict[str, list[Row]]:
        """The comparisons by the line of the table, in order; those with the reading of the spec come last."""
        groups: dict[str, list[Row]] = {}
        for row in sorted(self.rows, key=lambda row: row.group.startswith(READING)):
            groups.setdefault(row.group, []).append(row)
        return groups

    def as_dict(self) -> dict[str, Any]:
        """The report in plain values, for JSON."""
        return {
            **asdict(self),
            "equal": self.equal,
            "values": self.values,
            "first_difference": self.first_difference,
        }

    def as_text(self, brief: bool = False) -> str:
        """The report as a table: a line for each condition, a count for each comparison.

        Args:
            brief: where the twins differ, no more than fits on a screen.
        """
        brief = brief and self.first_difference is not None
        parts = [f"{self.name}: the twins are {self._verdict()}"]
        parts += map(_cut, self._differences()) if brief else self._differences()
        parts.append(self._table(_MOST_LINES if brief else None))
        if brief:
            parts.append("all of it, and the notes: nngen verify --verbose")
            return "\n\n".join(parts)
        parts.append(self._sums())
        if self._notes():
            parts.append("\n".join(_wrapped("", note) for note in self._notes()))
        return "\n\n".join(parts)

    def _differences(self) -> Iterator[str]:
        """Where the twins part."""
        if self.first_difference:
            yield _wrapped("first difference: ", self.first_difference)
        if self.first_step:
            yield _wrapped("first step that differs: ", str(self.first_step))
        if self.parting:
            yield "\n  ".join(["the flow parts at", *self.parting])

    def _verdict(self) -> str:
        if self.equal:
            return "equal, bit for bit"
        if self._only_reading:
            return "equal to each other, and DIFFERENT from the reading of the spec"
        return "DIFFERENT" if self.different else "NOT shown to be equal"

    @property
    def _only_reading(self) -> bool:
        """Whether nothing differs but what both twins give from the reading of the spec."""
        apart = [row for row in self.rows if not row.equal and row.what != "exception"]
        alike = all(finding.twin in ("both", "models", "reading") for finding in self.findings)
        some = bool(apart or self.findings) and self.different
        return some and alike and all(row.group.startswith(READING) for row in apart)

    def _sums(self) -> str:
        return f"values compared: {self.values:,} ({self.conditions}; torch {self.torch_version})"

    def _table(self, most: int | None = None) -> str:
        """A line for each condition, or so many lines of those under which the twins differ."""
        lines = [["", *COLUMNS, ""]]
        for group, rows in self.groups().items():
            cells = (
                _cell([row for row in rows if row.what in whats]) for whats in COLUMNS.values()
            )
            lines.append([group, *cells, verdict(rows)])
        if most is not None:
            apart = [line for line in lines[1:] if line[-1] != "equal"]
            more = f"{len(apart) - most} more like these, " * (len(apart) > most)
            rest = f"({more}{len(lines) - 1 - len(apart)} equal)"
            return f"{_aligned([lines[0], *apart[:most]])}\n{rest}"
        if self.fused:
            values = f"{sum(row.values for row in self.fused):,}"
            lines.append([DEFAULTS, values, *("-" for _ in list(COLUMNS)[1:]), FUSED])
        for group in dict.fromkeys(skip.group for skip in self.skipped):
            lines.append([group, *("-" for _ in COLUMNS), "not applicable"])
        return _aligned(lines)

    def _notes(self) -> list[str]:
        groups: dict[str, list[str]] = {}
        for skip in self.skipped:
            groups.setdefault(skip.reason, []).append(skip.group)
        return [
            *(f"note: {note}" for note in self.notes),
            *(f"not applicable: {'; '.join(groups[reason])}: {reason}" for reason in groups),
        ]


def _cell(rows: Sequence[Row]) -> str:
    if not all(row.equal for row in rows):
        return "differ"
    return f"{sum(row.values for row in rows):,}" if rows else "-"


def verdict(rows: Sequence[Row]) -> str:
    """What a line of the table says: "equal", "DIFFERENT" or "RAISES"."""
    if any(row.what == "exception" for row in rows):
        return "RAISES"
    return "equal" if all(row.equal for row in rows) else "DIFFERENT"


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    """Words to the left, counts to the right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    last = len(widths) - 1
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i in (0, last) else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _cut(text: str) -> str:
    """A text without the lines that make it long."""
    lines = text.splitlines()
    return "\n".join([*lines[:_MOST], *["  …"] * (len(lines) > _MOST)])


def _wrapped(label: str, text: str) -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=label,
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
