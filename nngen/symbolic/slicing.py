"""How much of a dimension a slice takes."""

from __future__ import annotations

from nngen.errors import Fault
from nngen.symbolic.agreement import first_right
from nngen.symbolic.sizes import Dim, Size, value_of
from nngen.symbolic.substitution import maximum, minimum
from nngen.symbolic.untold import untold, untold_reason

Bound = Dim | None


def sliced(size: Dim, part: slice) -> Dim:
    """How many elements `part` takes of a dimension."""
    start, stop, step = part.start, part.stop, 1 if part.step is None else part.step
    if any(not isinstance(item, (int, Size, type(None))) for item in (start, stop)):
        raise Fault(
            "a slice's bounds must be numbers or sizes",
            "`dim // 2` is a size; one that is rounded otherwise gets a name under `let`",
        )
    pace = value_of(step) if isinstance(step, (int, Size)) else None
    if pace is None or pace < 1:
        raise Fault("a slice's step must be a whole number of at least 1, as in torch")
    numbers = [None if bound is None else value_of(bound) for bound in (start, stop)]
    if value_of(size) is None or any(
        number is None and bound is not None for number, bound in zip(numbers, (start, stop))
    ):
        return _counted(_from_start(stop, size, size) - _from_start(start, size, 0), step)
    found = _in_all_uses(size, start, stop, step)
    first, last = numbers
    taken = len(range(value_of(size) or 0)[first:last:pace])
    # Uses that take nothing are not meant, but this may be one.
    if found is not None and value_of(found) == taken:
        return found
    shown = " or ".join(repr(str(bound)) for bound in (start, stop) if isinstance(bound, Size))
    return untold(taken, untold_reason(size) or f"it depends on whether {shown} is negative")


def _in_all_uses(size: Dim, start: Bound, stop: Bound, step: Dim) -> Dim | None:
    """What is taken, whatever the names in it are; None where no expression tells."""
    bounds = [bound for bound in (start, stop) if bound is not None]
    negative = [(value_of(bound) or 0) < 0 for bound in bounds]

    def exact(whole: int, pace: int, *numbers: int) -> int | None:
        if whole < 0 or pace < 1:
            return None
        given = iter(numbers)
        first, last = (None if bound is None else next(given) for bound in (start, stop))
        count = len(range(whole)[first:last:pace])
        # A bound whose sign is another and that takes nothing is not meant.
        turned = [number < 0 for number in numbers] != negative
        return None if turned and not count else count

    low, high = _from_start(start, size, 0), _from_start(stop, size, size)
    first, last = _within(start, size, 0), _within(stop, size, size)
    lengths = (high - low, size - low, last - low, high - first, last - first)
    candidates = [_counted(length, step) for length in (*lengths, maximum(last - first, 0))]
    return first_right(exact, (size, step, *bounds), candidates)


def _counted(length: Dim, step: Dim) -> Dim:
    """How many elements there are of so many, in steps."""
    return (length + step - 1) // step


def _from_start(bound: Bound, size: Dim, default: Dim) -> Dim:
    """A bound counted from the start, taken to lie within the dimension."""
    if bound is None:
        return default
    if _is_negative(bound):
        return maximum(size + bound, 0) if isinstance(size + bound, int) else size + bound
    return size if _is_below(size, bound) else bound


def _within(bound: Bound, size: Dim, default: Dim) -> Dim:
    """A bound counted from the start, and no further than the dimension goes."""
    if bound is None:
        return default
    return size - minimum(-bound, size) if _is_negative(bound) else minimum(bound, size)


def _is_below(left: Dim, right: Dim) -> bool:
    difference = left - right
    return isinstance(difference, int) and difference < 0


def _is_negative(size: Dim) -> bool:
    value = value_of(size)
    if value is not None:
        return value < 0
    return isinstance(size, Size) and all(factor < 0 for _, factor in size.terms)
