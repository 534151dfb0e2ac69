"""Shapes, and the rule by which torch makes several go together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nngen.errors import Fault
from nngen.symbolic.sizes import Dim, Size, Symbol, value_of
from nngen.symbolic.substitution import joined, same

Shape = tuple[Dim, ...]


def show(shape: Sequence[Dim]) -> str:
    """A shape as a comment shows it: `(N, 16, 24, 24)`."""
    return f"({', '.join(str(size) for size in shape)}{',' if len(shape) == 1 else ''})"


def broadcast(*shapes: Shape | None) -> Shape | None:
    """The shape that all of these take together, by torch's broadcasting rule."""
    if any(shape is None for shape in shapes):
        return None
    known = [shape for shape in shapes if shape is not None]
    rank = max((len(shape) for shape in known), default=0)
    result: list[Dim] = [1] * rank
    for shape in known:
        for position, size in enumerate(shape, rank - len(shape)):
            present = result[position]
            if 1 in (value_of(present), value_of(size)) or agree(present, size):
                result[position] = joined(present, size)
            else:
                raise Fault(
                    f"the shapes {' and '.join(show(s) for s in known)} do not go together: {present} against {size}",
                    "each dimension, counted from the last, must be the same in both, or 1 in one of them",
                )
    return tuple(result)


def agree(left: Dim, right: Dim) -> bool:
    """Whether two sizes may be one. Names that are open are different sizes; what is rounded may come out equal."""
    equal = same(left, right)
    if equal is not None:
        return equal
    return any(
        not isinstance(atom, Symbol)
        for size in (left, right)
        if isinstance(size, Size)
        for monomial, _ in size.terms
        for atom in monomial
    )


def axis(dim: Any, rank: int) -> int:
    """A dimension counted from the end made to count from the start.

    Raises:
        Fault: there is no such dimension.
    """
    given, dim = dim, value_of(dim) if isinstance(dim, Size) else dim
    if isinstance(dim, bool) or not isinstance(dim, int):
        raise Fault(f"a dimension is a whole number that is known here, not {given}")
    count = max(rank, 1)
    if not -count <= dim < count:
        raise Fault(
            f"there is no dimension {dim} in a tensor of {rank} dimensions",
            f"they go from 0 to {rank - 1}, or from -{rank} to -1" if rank else "",
        )
    return dim % count
