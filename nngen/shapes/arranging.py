"""Rules of what rearranges elements: flatten, reshape, permute, cat, and reductions over dimensions."""

from __future__ import annotations

from typing import Any

from nngen.errors import Fault
from nngen.shapes.common import as_sizes, demand_positive, shape_of
from nngen.sizes import Dim, product, same, value_of
from nngen.tensors import Shape, Tensor, axis, promote, show


def flatten(input: Tensor, start_dim: int, end_dim: int) -> Tensor:
    shape = shape_of(input)
    if not shape:
        return input.sized(1)
    start, end = axis(start_dim, len(shape)), axis(end_dim, len(shape))
    if start > end:
        raise Fault(f"start_dim ({start_dim}) comes after end_dim ({end_dim})")
    return input.sized(*shape[:start], product(shape[start : end + 1]), *shape[end + 1 :])


def unflatten(input: Tensor, dim: int, sizes: Any) -> Tensor:
    shape = shape_of(input)
    where = axis(dim, len(shape))
    return input.sized(
        *shape[:where],
        *fill(shape[where : where + 1], as_sizes((sizes,))),
        *shape[where + 1 :],
    )


def unflatten_layer(input: Tensor, dim: int, unflattened_size: Any) -> Tensor:
    return unflatten(input, dim, unflattened_size)


def reshape(input: Tensor, shape: Any) -> Tensor:
    return input.sized(*fill(shape_of(input), as_sizes(shape)))


def fill(present: Shape, wanted: Shape) -> Shape:
    """The wanted shape with its -1 computed.

    Raises:
        Fault: the elements do not go into it.
    """
    open_at = [
        position for position, size in enumerate(wanted) if isinstance(size, int) and size == -1
    ]
    if len(open_at) > 1:
        raise Fault("only one size can be -1")
    total = product(present)
    if not open_at:
        if same(total, product(wanted)) is False:
            raise Fault(
                f"{show(present)} has {total} elements, {show(wanted)} has {product(wanted)}"
            )
        return wanted
    rest = product(size for size in wanted if not (isinstance(size, int) and size == -1))
    left = total % rest
    if value_of(rest) == 0 or value_of(left) not in (0, None):
        raise Fault(f"the {total} elements of {show(present)} do not divide by {rest}")
    return tuple(
        total // rest if position in open_at else size for position, size in enumerate(wanted)
    )


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
    shape[first], shape[second] = shape[second], shape[first]
    return input.sized(*shape)


def cat(tensors: Any, dim: int) -> Tensor:
    shapes = [shape_of(tensor) for tensor in tensors]
    if not shapes:
        raise Fault("there is nothing to concatenate")
    where = axis(dim, len(shapes[0]))
    for shape in shapes[1:]:
        if len(shape) != len(shapes[0]) or any(
            same(a, b) is False for i, (a, b) in enumerate(zip(shape, shapes[0])) if i != where
        ):
            raise Fault(
                f"the shapes {' and '.join(map(show, shapes))} differ in more than dimension {dim}"
            )
    total: Dim = 0
    for shape in shapes:
        total = total + shape[where]
    return Tensor((*shapes[0][:where], total, *shapes[0][where + 1 :]), promote(*tensors))


def reduced(input: Tensor, dim: Any, keepdim: bool) -> Tensor:
    """A reduction over `dim`: one dimension, several, or all (None)."""
    shape = shape_of(input)
    dims = range(len(shape)) if dim is None or dim == () else as_sizes((dim,))
    gone = {axis(item, len(shape)) for item in dims}
    if keepdim:
        return input.sized(*(1 if i in gone else size for i, size in enumerate(shape)))
    return input.sized(*(size for i, size in enumerate(shape) if i not in gone))


def summed(input: Tensor, dim: Any, keepdim: bool) -> Tensor:
    """A sum, in which integers and booleans become int64."""
    result = reduced(input, dim, keepdim)
    return result if result.floating else Tensor(result.shape, "int64")


def averaged(input: Tensor, dim: Any, keepdim: bool) -> Tensor:
    if not input.floating:
        raise Fault(f"a mean is taken of floats, not of {input.dtype}")
    return reduced(input, dim, keepdim)


def along(input: Tensor, dim: Any) -> Tensor:
    """An operation along one dimension, such as softmax."""
    if isinstance(dim, int):
        axis(dim, len(shape_of(input)))
    return input


def padded(input: Tensor, pad: Any) -> Tensor:
    """F.pad: two numbers a dimension, from the last one on."""
    shape = list(shape_of(input))
    if len(pad) % 2 or len(pad) > 2 * len(shape):
        raise Fault(f"pad takes two numbers for each of at most {len(shape)} dimensions")
    for position, (before, after) in enumerate(zip(pad[::2], pad[1::2]), 1):
        size = shape[-position] + before + after
        shape[-position] = demand_positive(size, f"padding by {before} and {after} leaves nothing")
    return input.sized(*shape)
