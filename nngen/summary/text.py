"""A summary as a table for people."""

from __future__ import annotations

from collections.abc import Iterator

from nngen.summary import Summary
from nngen.summary.rows import Row, Shapes

_HEAD = ("name", "layer", "input from", "output", "parameters", "multiply-adds")
_NUMBERS = (4, 5)
_WIDEST = 44


def as_text(summary: Summary, depth: int | None = None) -> str:
    """The table, its totals below.

    Args:
        depth: how far blocks are opened; 0 shows the model's own steps only.
    """
    lines: list[tuple[str, ...]] = [_HEAD]
    lines += [
        ("  " + name, "", "", _shown(shapes), "", "") for name, shapes in summary.inputs.items()
    ]
    lines += [line for row in summary.rows for line in _lines(row, depth)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    table = [_aligned(line, widths) for line in lines]
    rule = "─" * max(map(len, table))
    return "\n".join([_title(summary), rule, table[0], rule, *table[1:], rule, *_totals(summary)])


def _title(summary: Summary) -> str:
    sizes = ", ".join(f"{name} = {size:,}" for name, size in summary.sizes.items())
    return f"{summary.name}, {sizes}"


def _lines(row: Row, depth: int | None) -> Iterator[tuple[str, ...]]:
    for level, _, each in row.walk():
        if depth is None or level <= depth:
            yield (
                "  " * (level + 1) + _clipped(each.name),
                _clipped(("= " if each.is_line else "") + each.layer),
                _clipped(", ".join(each.inputs)),
                _shown(each.output),
                "shared" if each.shared else _counted(each.parameters),
                _work(each),
            )


def _work(row: Row) -> str:
    if row.unused:
        return "not used"
    count = _counted(row.mult_adds) + (" + ?" if row.partial else "")
    return f"{count} in training" if row.only_training else count


def _counted(count: int) -> str:
    return f"{count:,}" if count else "-"


def _shown(shapes: Shapes) -> str:
    """The shapes of a value, `(1, 64, 56, 56)`."""
    return _clipped(", ".join(map(_shape, shapes)))


def _shape(shape: list[int | None] | None) -> str:
    if shape is None:
        return "?"
    inner = ", ".join("?" if size is None else str(size) for size in shape)
    return f"({inner},)" if len(shape) == 1 else f"({inner})"


def _clipped(text: str) -> str:
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def _aligned(line: tuple[str, ...], widths: list[int]) -> str:
    cells = (
        cell.rjust(width) if place in _NUMBERS else cell.ljust(width)
        for place, (cell, width) in enumerate(zip(line, widths, strict=True))
    )
    return "  ".join(cells).rstrip()


def _totals(summary: Summary) -> Iterator[str]:
    yield f"parameters: {summary.parameters:,}"
    yield f"buffers: {summary.buffers:,}"
    more = ", and some that show only when the model runs" if summary.partial else ""
    yield f"multiply-adds of convolutions and matrix products: {summary.mult_adds:,}{more}"
