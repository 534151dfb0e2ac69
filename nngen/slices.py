"""How much of a dimension a slice takes."""

from __future__ import annotations

from nngen.errors import Fault
from nngen.sizes import Dim, Size, value_of


def sliced(size: Dim, part: slice) -> Dim:
    """How many elements `part` takes of a dimension."""
    start, stop, step = part.start, part.stop, 1 if part.step is None else part.step
    if any(not isinstance(item, (int, Size, type(None))) for item in (start, stop)):
        raise Fault(
            "a slice's bounds must be numbers or sizes",
            "`dim // 2` is a size; one that is rounded otherwise gets a name under `let`",
        )
    if not isinstance(step, int) or step < 1:
        raise Fault("a slice's step must be a whole number of at least 1, as in torch")
    low = 0 if start is None else _bound(start, size)
    high = size if stop is None else _bound(stop, size)
    known = value_of(high - low)
    return 0 if known is not None and known <= 0 else (high - low + step - 1) // step


def _bound(bound: Dim, size: Dim) -> Dim:
    """A slice's bound counted from the start. One that is open is taken to lie within the dimension."""
    if _negative(bound):
        bound = size + bound
        return 0 if _below(bound, 0) else bound
    return size if _below(size, bound) else bound


def _below(left: Dim, right: Dim) -> bool:
    difference = value_of(left - right)
    return difference is not None and difference < 0


def _negative(size: Dim) -> bool:
    value = value_of(size)
    if value is not None:
        return value < 0
    return isinstance(size, Size) and all(factor < 0 for _, factor in size.terms)
