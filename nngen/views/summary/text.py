"""A summary as a table for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from nngen.views.summary import Summary
from nngen.views.summary.rows import Row, Shapes

_HEAD = ("name", "layer", "input from", "output", "parameters", "multiply-adds")
_NUMBERS = (4, 5)
_WIDEST = 44


def as_text(summary: Summary, depth: int | None = None, fold: bool = True) -> str:
    """The table, its totals below.

    Args:
        depth: how far blocks are opened; 0 shows the model's own steps only.
        fold: show equal blocks that follow each other once, with their number.
    """
    lines: list[tuple[str, ...]] = [_HEAD]
    lines += [
        ("  " + name, "", "", _shown(shapes), "", "") for name, shapes in summary.inputs.items()
    ]
    lines += _lines(summary.rows, depth, fold)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    table = [_aligned(line, widths) for line in lines]
    rule = "─" * max(map(len, table))
    return "\n".join([_title(summary), rule, table[0], rule, *table[1:], rule, *_totals(summary)])


def _title(summary: Summary) -> str:
    sizes = ", ".join(f"{name} = {size:,}" for name, size in summary.sizes.items())
    return f"{summary.name}, {sizes}"


def _lines(
    rows: Sequence[Row], depth: int | None, fold: bool, level: int = 0
) -> Iterator[tuple[str, ...]]:
    # What is not a block stands for itself: its key is its place.
    keys = [_key(row) if fold and row.rows else place for place, row in enumerate(rows)]
    for _, places in groupby(range(len(rows)), keys.__getitem__):
        equal = [rows[place] for place in places]
        row, times = equal[0], len(equal)
        between = " … " if times > 2 else ", "
        yield (
            "  " * (level + 1) + _clipped(between.join(dict.fromkeys((row.name, equal[-1].name)))),
            _clipped(("= " if row.is_line else "") + row.layer)
            + (f" x {times}" if times > 1 else ""),
            _clipped(", ".join(row.inputs)),
            _shown(row.output),
            "shared" if row.shared else _counted(row.parameters, times),
            _work(row, times),
        )
        if depth is None or level < depth:
            yield from _lines(row.rows, depth, fold, level + 1)


def _key(row: Row) -> object:
    """What equal blocks have alike: all but their own names, and what they take from outside."""
    return replace(row, name="", inputs=(), mark=None, rows=()), _inside(row.rows, frozenset())


def _inside(rows: Sequence[Row], bound: frozenset[str]) -> object:
    keys = []
    for row in rows:
        inputs = tuple(name if name in bound else "" for name in row.inputs)
        own = replace(row, inputs=inputs, mark=None, rows=())
        keys.append((own, _inside(row.rows, bound)))
        bound |= {*row.name.split(", ")}
    return keys


def _work(row: Row, times: int) -> str:
    if row.unused:
        return "not used"
    count = _counted(row.mult_adds, times) + (" + ?" if row.partial else "")
    return f"{count} in training" if row.only_training else count


def _counted(count: int, times: int) -> str:
    return f"{times} x {count:,}".removeprefix("1 x ") if count else "-"


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
