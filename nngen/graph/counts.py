"""What a repeat gives whose count is an argument: sizes that grow from copy to copy, as expressions of the count."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from nngen.errors import Fault
from nngen.graph.written import Given, chosen
from nngen.symbolic.sizes import Dim, Size, is_whole, symbol, symbols_of, value_of
from nngen.symbolic.substitution import substitute
from nngen.symbolic.tensor import UNKNOWN, Tensor
from nngen.symbolic.untold import untold

# As many copies are followed at least, whatever the count is: fewer do not tell how a size goes on.
FEWEST = 4
_COPY = "i"
_IS_FIRST = ast.Compare(ast.Name("<i>", ast.Load()), [ast.Eq()], [ast.Constant(0)])


def after(passed: Sequence[Any], number: int, count: Dim, why: str) -> Any:
    """What flows after so many copies.

    Args:
        passed: what goes into the first copy, and what each gives.
        number: how many copies there are in this use.
        count: their number, as the code has it.
        why: what a size that cannot be told depends on.
    """
    return _each(passed, lambda sizes: _size_after(sizes, number, count, why), number)


def before(passed: Sequence[Any], place: int) -> Any:
    """What flows into a copy, its sizes as expressions of the copy's place, `i`, where they differ from copy to copy."""
    return _each(passed, lambda sizes: _size_before(sizes, place), place)


def _size_before(sizes: Sequence[Dim], place: int) -> Dim:
    if all(size == sizes[0] for size in sizes):
        return sizes[place]
    grown = _grown(sizes, symbol(_COPY, place))
    if grown is not None:
        return grown
    later = _alike(sizes)
    if later is None:
        return sizes[place]
    here = symbol(_COPY, place)
    # Of the first copy what the one before it gives is only written.
    given = substitute(later, {_COPY: (here if place else symbol(_COPY)) - 1})
    return chosen(Given(_IS_FIRST, {"<i>": here}), sizes[0], given)


def _each(passed: Sequence[Any], size: Callable[[Sequence[Dim]], Dim], number: int) -> Any:
    """A value made of what each size of it is after each copy."""
    here = passed[number]
    if isinstance(here, Tensor):
        shapes = [value.shape if isinstance(value, Tensor) else None for value in passed]
        known = [shape for shape in shapes if shape is not None]
        if len(known) < len(shapes) or len(set(map(len, known))) > 1:
            return Tensor(None, here.dtype)
        return here.sized(*map(size, zip(*known)))
    if isinstance(here, tuple):
        alike = all(isinstance(value, tuple) and len(value) == len(here) for value in passed)
        return tuple(_each(part, size, number) for part in zip(*passed)) if alike else UNKNOWN
    return size(passed) if all(map(is_whole, passed)) else here


def _size_after(sizes: Sequence[Dim], number: int, count: Dim, why: str) -> Dim:
    later = _alike(sizes)
    if later is not None:
        return substitute(later, {_COPY: count - 1}) if _counts(later) else sizes[number]
    grown = _grown(sizes, count)
    return untold(value_of(sizes[number]), why) if grown is None else grown


def _alike(sizes: Sequence[Dim]) -> Dim | None:
    """What each copy gives, as one expression of its place."""
    later = [substitute(size, {_COPY: symbol(_COPY)}) for size in sizes[1:]]
    told = len(later) > 1 or later[0] == sizes[0]
    return later[0] if told and all(size == later[0] for size in later) else None


def _grown(sizes: Sequence[Dim], count: Dim) -> Dim | None:
    """A size that grows or shrinks evenly from copy to copy, after so many; None for any other."""
    first, second = sizes[0], sizes[1]
    if len(sizes) < FEWEST or any(map(_counts, sizes)):
        return None
    if all(size == first + place * (second - first) for place, size in enumerate(sizes)):
        return first + count * (second - first)
    ratio = _ratio(first, second)
    if ratio and all(size == first * ratio**place for place, size in enumerate(sizes)):
        return first * ratio**count
    for divisor in (2, 3, 4) if isinstance(first, Size) else ():
        if all(size == first // divisor**place for place, size in enumerate(sizes)):
            return first // divisor**count
    return None


def _ratio(size: Dim, larger: Dim) -> int:
    """How many times a size another is, 0 where that is not a number."""
    try:
        ratio = larger // size
    except (Fault, ArithmeticError):
        return 0
    return ratio if isinstance(ratio, int) and ratio > 1 and size * ratio == larger else 0


def _counts(size: Dim) -> bool:
    """Whether a size is another one in each copy by what the spec says of the copy's place."""
    return any(each.name == _COPY for each in symbols_of(size))
