"""Rules of what rearranges the elements of a tensor: flatten, reshape, permute, squeeze, flip."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

from nngen.errors import Fault
from nngen.symbolic import dtypes
from nngen.symbolic.broadcasting import Shape, axis, show
from nngen.symbolic.rules.common import as_sizes, shape_of
from nngen.symbolic.sizes import Dim, product, value_of
from nngen.symbolic.substitution import (
    divides,
    even,
    is_fixed,
    quotient,
    same,
    uneven,
    with_numbers,
    written_out,
)
from nngen.symbolic.tensor import Tensor


def flatten(input: Tensor, start_dim: int, end_dim: int) -> Tensor:
    shape = shape_of(input)
    start, end = axis(start_dim, len(shape)), axis(end_dim, len(shape))
    if not shape:
        return input.sized(1)
    if start > end:
        raise Fault(f"start_dim ({start_dim}) comes after end_dim ({end_dim})")
    return input.sized(*shape[:start], product(shape[start : end + 1]), *shape[end + 1 :])


def unflatten(input: Tensor, dim: int, sizes: Any) -> Tensor:
    shape = shape_of(input)
    where = axis(dim, len(shape))
    if not shape or sizes == ():
        raise Fault("there is no dimension to split" if not shape else "there are no sizes")
    return input.sized(
        *shape[:where],
        *fill(shape[where : where + 1], as_sizes((sizes,))),
        *shape[where + 1 :],
    )


def reshape(input: Tensor, shape: Any) -> Tensor:
    return input.sized(*fill(shape_of(input), as_sizes(shape)))


def view(input: Tensor, size: Any) -> Tensor:
    return reshape(input, size)


def fill(present: Shape, wanted: Shape) -> Shape:
    """The wanted shape with its -1 computed.

    Raises:
        Fault: the elements do not go into it.
    """
    open_at = [size for size in wanted if _is_open(size)]
    if len(open_at) > 1:
        raise Fault("only one size can be -1")
    negative = [size for size in wanted if (value_of(size) or 0) < 0]
    if len(negative) > len(open_at):
        raise Fault(f"a size cannot be negative: {show(wanted)}")
    total = product(present)
    if not open_at:
        if same(total, product(wanted)) is False:
            raise _misfit(present, wanted)
        return _evened(total, wanted)
    rest = product(size for size in wanted if not _is_open(size))
    if value_of(rest) == 0 or divides(total, rest) is False:
        count, by = with_numbers(total), with_numbers(rest)
        raise Fault(
            f"the {count} elements of {show(present)} do not divide by {by}", _rest_hint(wanted)
        )
    return tuple(quotient(total, rest) if _is_open(size) else size for size in wanted)


def _is_open(size: Dim) -> bool:
    return isinstance(size, int) and size == -1


def _misfit(present: Shape, wanted: Shape) -> Fault:
    """That elements do not go into a shape, with the numbers of this use."""
    total, numbers = with_numbers(product(present)), tuple(map(with_numbers, wanted))
    here = "" if numbers == wanted else f", here {show(numbers)},"
    message = f"{show(present)} has {total} elements, {show(wanted)}{here} has {product(numbers)}"
    others = product(numbers[:-1])
    if value_of(others) != 0 and numbers and divides(total, others):
        return Fault(
            message,
            f"write -1 for the last size, which takes what is left: {quotient(total, others)}",
        )
    return Fault(message, _rest_hint(wanted))


def _rest_hint(wanted: Shape) -> str:
    """Which division among the sizes leaves a rest."""
    for size in wanted:
        rounded = uneven(size)
        if rounded is not None:
            return f"{with_numbers(rounded.left)} does not divide by {with_numbers(rounded.right)}"
    return ""


def _evened(total: Dim, wanted: Shape) -> Shape:
    """The wanted shape, which fits; where it takes the floor divisions to come out even, they are known to."""
    exact = tuple(map(even, wanted))
    if None in exact or exact == wanted:
        return wanted
    sizes = tuple(size for size in exact if size is not None)
    return sizes if written_out(product(sizes)) == written_out(total) else wanted


def view_as(input: Tensor, other: Tensor) -> Tensor:
    return input.sized(*fill(shape_of(input), shape_of(other)))


def ravelled(input: Tensor) -> Tensor:
    return flatten(input, 0, -1)


def permute(input: Tensor, dims: Any) -> Tensor:
    shape = shape_of(input)
    order = [axis(dim, len(shape)) for dim in as_sizes(dims)]
    if sorted(order) != list(range(len(shape))):
        raise Fault(
            f"{tuple(as_sizes(dims))} does not name each of the {len(shape)} dimensions once"
        )
    return input.sized(*(shape[dim] for dim in order))


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    shape = list(shape_of(input))
    first, second = axis(dim0, len(shape)), axis(dim1, len(shape))
    if shape:
        shape[first], shape[second] = shape[second], shape[first]
    return input.sized(*shape)


def swapped(input: Tensor, axis0: int, axis1: int) -> Tensor:
    return transpose(input, axis0, axis1)


def reversed_matrix(input: Tensor) -> Tensor:
    """`x.T` and `x.t()`."""
    if len(shape_of(input)) > 2:
        raise Fault(f"it takes at most 2 dimensions, not {input}", "`x.mT`, or `x.permute(…)`")
    return input.sized(*reversed(shape_of(input)))


def transposed_matrix(input: Tensor) -> Tensor:
    """`x.mT`: the last two dimensions exchanged."""
    if len(shape_of(input)) < 2:
        raise Fault(f"it takes at least 2 dimensions, not {input}")
    return transpose(input, -2, -1)


def moved(input: Tensor, source: Any, destination: Any) -> Tensor:
    """movedim."""
    shape = shape_of(input)
    origins = [axis(dim, len(shape)) for dim in as_sizes((source,))]
    targets = [axis(dim, len(shape)) for dim in as_sizes((destination,))]
    if len(origins) != len(targets):
        raise Fault("source and destination must name as many dimensions")
    if len(set(origins)) < len(origins) or len(set(targets)) < len(targets):
        raise Fault("source and destination name each dimension once")
    rest = iter(dim for dim in range(len(shape)) if dim not in origins)
    order = dict(zip(targets, origins))
    return input.sized(*(shape[order[i] if i in order else next(rest)] for i in range(len(shape))))


def squeeze(input: Tensor, dim: Any = None) -> Tensor:
    """Without dimensions of size 1; an open size counts as more than that."""
    shape = shape_of(input)
    chosen = range(len(shape)) if dim is None else [axis(i, len(shape)) for i in as_sizes((dim,))]
    if len(set(chosen)) < len(chosen):
        raise Fault(f"{dim} names a dimension twice")
    gone = {place for place in chosen if value_of(shape[place]) == 1}
    unsure = {place for place in (gone if dim is None else chosen) if _may_be_one(shape[place])}
    if len(unsure) > 3:
        return Tensor(None, input.dtype)
    choices = [{*some} for count in range(len(unsure) + 1) for some in combinations(unsure, count)]
    choices.sort(key=lambda some: some != gone & unsure)
    here, *elsewhere = (
        tuple(size for place, size in enumerate(shape) if place not in gone - unsure | some)
        for some in choices
    )
    return Tensor(None, input.dtype, here, tuple(elsewhere)) if elsewhere else input.sized(*here)


def _may_be_one(size: Dim) -> bool:
    """Whether an argument decides whether a size is 1; an open size counts as more than that."""
    return value_of(size) is not None and not is_fixed(size)


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    shape = shape_of(input)
    where = axis(dim, len(shape) + 1)
    return input.sized(*shape[:where], 1, *shape[where:])


def at_least(rank: int) -> Callable[[Any], Any]:
    """atleast_1d to atleast_3d."""

    def rule(tensors: Any) -> Any:
        if len(tensors) == 1 and isinstance(tensors[0], Tensor):
            return grown(tensors[0], rank)
        tensors = tensors[0] if len(tensors) == 1 else tensors
        return tuple(grown(tensor, rank) for tensor in tensors)

    return rule


def grown(tensor: Tensor, rank: int) -> Tensor:
    """The tensor with at least `rank` dimensions."""
    shape = shape_of(tensor)
    if not shape:
        return tensor.sized(*(1,) * rank)
    if rank > 1 and len(shape) == 1:
        shape = (1, *shape)
    if rank > 2 and len(shape) == 2:
        shape = (*shape, 1)
    return tensor.sized(*shape)


def roll(input: Tensor, shifts: Any, dims: Any) -> Tensor:
    moves, along = as_sizes((shifts,)), as_sizes((dims,))
    if along and not shape_of(input):
        raise Fault("a tensor without dimensions cannot be rolled along one")
    for dim in along:
        axis(dim, len(shape_of(input)))
    if len(moves) != (len(along) or 1):
        raise Fault(f"{len(moves)} shifts for {len(along)} dimensions")
    return input


def flip(input: Tensor, dims: Any) -> Tensor:
    found = [axis(dim, len(shape_of(input))) for dim in as_sizes(dims)]
    if len(set(found)) < len(found):
        raise Fault(f"{show(as_sizes(dims))} names a dimension twice")
    return input


def rot90(input: Tensor, k: int, dims: Any) -> Tensor:
    if len(dims) != 2:
        raise Fault("dims names the two dimensions to turn in")
    flip(input, dims)
    return transpose(input, *dims) if k % 2 else input


def flipped(rank: int) -> Callable[[Tensor], Tensor]:
    """fliplr and flipud: along one of the first dimensions."""

    def rule(input: Tensor) -> Tensor:
        if len(shape_of(input)) < rank:
            raise Fault(f"it takes at least {rank} dimensions, not {input}")
        return input

    return rule


def as_complex(input: Tensor) -> Tensor:
    shape = shape_of(input)
    if not shape or same(shape[-1], 2) is False or input.dtype not in ("float32", "float64"):
        raise Fault(f"it takes floats with a last dimension of 2, not {input} of {input.dtype}")
    return input.sized(*shape[:-1]).typed(dtypes.complex_of(input.dtype))


def as_real(input: Tensor) -> Tensor:
    if dtypes.category(input.dtype) != dtypes.COMPLEX:
        raise Fault(f"it takes complex numbers, not {input.dtype}")
    return input.sized(*shape_of(input), 2).typed(dtypes.real(input.dtype))
