"""The comparisons made so far, in the order of the flow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from torch import Tensor

from nngen.proof.bits import count, difference
from nngen.proof.report import FUSED, Finding, FusedRow, Row, Skip

# What the third witness is called.
READ = "the reading of the spec"

Seen = dict[str, dict[str, object]]  # what -> name -> value


@dataclass(frozen=True)
class Run:
    """What one twin did: all that was seen until it ended or raised.

    Attributes:
        style: the twin's.
    """

    seen: Seen
    finding: Finding | None = None
    style: str = ""


@dataclass
class Ledger:
    """Rows, findings and notes, and what is needed to tell a check that proves nothing.

    Args:
        names: by style, the nn twin's own first, a twin's name for each name of the nn twin.
        lenient: whether an exception that both twins raise alike is torch's answer to a
            device or dtype, and no finding.
        written: the parameters that the nn twin changes in forward, as torch does with `max_norm`. A style that owns
            nothing leaves them as they came, so that they are not compared after a run of it.
    """

    names: dict[str, Mapping[str, str]] = field(default_factory=dict)
    lenient: bool = False
    rows: list[Row] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    said: dict[str, None] = field(default_factory=dict)
    skipped: dict[Skip, None] = field(default_factory=dict)
    fused: list[FusedRow] = field(default_factory=list)
    outputs: int = 0
    nans: int = 0
    written: Sequence[str] = ()
    without_gradient: dict[str, None] = field(default_factory=dict)
    with_gradient: set[str] = field(default_factory=set)

    def note(self, text: str) -> None:
        """Adds a note, once."""
        self.said[text] = None

    def skip(self, group: str, reason: str) -> None:
        """Adds a check that does not apply, once."""
        self.skipped[Skip(group, reason)] = None

    def unsay(self, opening: str) -> None:
        """Takes back the notes that open so."""
        for text in [text for text in self.said if text.startswith(opening)]:
            del self.said[text]

    def find(self, finding: Finding, group: str) -> None:
        """Adds an exception that keeps the twins from being equal."""
        self.findings.append(finding)
        row = Row("exception", finding.where, group, 0, False, str(finding))
        self.rows.append(row)

    def settle(self, runs: Sequence[Run], group: str, where: str, impossible: str = "") -> None:
        """Compares what the nn twin saw with what each other did, then the exceptions that ended them.

        Args:
            runs: the run of the nn twin, then those of the others.
            group: the line of the table.
            where: the conditions.
            impossible: a note's opening; with it, an exception that both twins raise
                alike is torch's answer to these conditions and no finding.
        """
        nn, *others = runs
        for other in others:
            names = (nn.style, other.style)
            for what in nn.seen | other.seen:
                if what in nn.seen and what in other.seen:
                    self.compare(what, group, where, nn.seen[what], other.seen[what], names)
        self._look(nn.seen)
        for other in others:
            self._settle_findings(nn, other, group, impossible)

    def _settle_findings(self, nn: Run, other: Run, group: str, impossible: str) -> None:
        first, second, beside = nn.finding, other.finding, self.beside(other.style)
        if first and second and _alike(first, second):
            if beside:
                pass  # it is told of the twins already
            elif impossible:
                self.note(f"{impossible}: {first.message}")
            elif self.lenient:
                self.skip(group, f"torch raises {first.error}: {first.message}")
            else:
                self.find(replace(second, twin="both"), group)
            return
        for finding in (first, second):
            if finding:
                self.find(finding, beside + group)

    def beside(self, style: str) -> str:
        """What stands before the lines of the table of a style; nothing for the two that are always there."""
        return f"{style}, " if style in list(self.names)[2:] else ""

    def compare(
        self,
        what: str,
        group: str,
        where: str,
        one: Mapping[str, object],
        other: Mapping[str, object],
        names: tuple[str, str],
    ) -> None:
        """Adds a row; values are paired by name, and each must have the same bits.

        Args:
            names: what the two are called: their styles, where both are twins.
        """
        first = ""
        if what == "weights" and self.beside(names[1]):
            one, other = (
                {name: value for name, value in each.items() if name not in self.written}
                for each in (one, other)
            )
        for name in [*one, *(name for name in other if name not in one)]:
            if name not in other:
                first = f"{name} is in {self._called(names[0])} alone"
            elif name not in one:
                first = f"{name} is in {self._called(names[1])} alone"
            elif apart := difference(one[name], other[name], names):
                first = self._both_names(name, names[1]) + apart
            if first:
                break
        values = sum(count(one[name]) for name in one if name in other)
        if one or other:
            beside = self.beside(names[1])
            self.rows.append(Row(what, beside + where, beside + group, values, not first, first))

    def witness(self, nn: Run, reading: Run, group: str, where: str) -> None:
        """Compares what the nn twin did, and so both, with what the reading of the spec did."""
        alike = all(row.equal for row in self.rows)
        names = ("both models" if alike else "the nn model", READ)
        for what in nn.seen:
            if what in reading.seen:
                self.compare(what, group, where, nn.seen[what], reading.seen[what], names)
        if reading.finding and not nn.finding:
            self.find(reading.finding, group)
        elif nn.finding and not reading.finding:
            self.find(replace(nn.finding, twin="models"), group)

    def close(self) -> None:
        """Says what was compared and yet proves little."""
        if self.nans:
            self.note(
                f"outputs hold NaN ({self.nans:,} of {self.outputs:,} values): "
                "equal, but they show little of what was computed"
            )
        if not self.outputs and not self.findings:
            self.note("no output was compared, so nothing is shown")
        idle = [name for name in self.without_gradient if name not in self.with_gradient]
        if idle and not self.with_gradient:
            self.note("the gradient of every parameter is zero or None in every run")
        elif idle:
            self.note(f"zero or None in every run: the gradient of {', '.join(idle)}")
        if self.fused:
            self.note(_of_fused(self.fused))

    def _look(self, seen: Seen) -> None:
        for value in seen.get("outputs", {}).values():
            self.outputs += count(value)
            if isinstance(value, Tensor):
                self.nans += int(value.isnan().sum())
        for name, gradient in seen.get("gradients", {}).items():
            if name.endswith(" input"):
                continue
            if isinstance(gradient, Tensor) and bool(gradient.to_dense().any()):
                self.with_gradient.add(name)
            else:
                self.without_gradient[name] = None

    def _called(self, name: str) -> str:
        return f"the {name} twin" if name in self.names else name

    def _both_names(self, name: str, style: str) -> str:
        own, space, rest = name.partition(" ")
        other = self.names.get(style, {}).get(own, own)
        return name if other == own else f"{own} ({other}){space}{rest}"


def _of_fused(rows: Sequence[FusedRow]) -> str:
    """How far the values go that torch fuses, as a note."""
    layers = " and ".join(dict.fromkeys(layer for row in rows for layer in row.layers))
    take = "take" if " and " in layers else "takes"
    opening = f"{FUSED}, not compared bit for bit: in eval mode without grad torch's {layers} {take} a fused kernel"
    error = next((row.error for row in rows if row.error), "")
    if error:
        return f"{opening}, which raises: {error}"
    if any(row.largest is None for row in rows):
        said = "some values are NaN in one twin alone"
    else:
        largest = max(row.largest or 0.0 for row in rows)
        said = f"largest difference {largest:.2g}" if largest else "here its values are equal"
    if not all(row.rounding for row in rows):
        said += ", more than rounding: torch's kernel leaves out what a padding mask hides"
    return f"{opening}; {said}"


def _alike(first: Finding, second: Finding) -> bool:
    return (first.error, first.message) == (second.error, second.message)
