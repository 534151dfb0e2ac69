"""Rules of what makes tensors larger or takes strips of them: expand, repeat, unfold, diagonals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nngen.errors import Fault
from nngen.symbolic.broadcasting import agree, axis, broadcast, show
from nngen.symbolic.rules.common import as_sizes, shape_of
from nngen.symbolic.rules.reshaping import ravelled
from nngen.symbolic.sizes import Dim, value_of
from nngen.symbolic.substitution import maximum, minimum
from nngen.symbolic.tensor import Tensor


def expand(input: Tensor, size: Any) -> Tensor:
    """Dimensions of size 1 made larger, and new ones in front; -1 keeps a size."""
    shape, wanted = shape_of(input), as_sizes(size)
    new = len(wanted) - len(shape)
    if new < 0:
        raise Fault(f"{show(wanted)} has fewer dimensions than {show(shape)}")
    result: list[Dim] = []
    for position, asked in enumerate(wanted):
        present = shape[position - new] if position >= new else None
        if isinstance(asked, int) and asked == -1:
            if present is None:
                raise Fault("a new dimension needs a size, not -1")
            result.append(present)
            continue
        if present is not None and value_of(present) != 1 and not agree(present, asked):
            raise Fault(f"a dimension of {present} cannot be expanded to {asked}")
        result.append(_require_count(asked))
    return input.sized(*result)


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    return expand(input, shape_of(other))


def broadcast_all(tensors: Any) -> tuple[Tensor, ...]:
    shape = broadcast(*(shape_of(tensor) for tensor in tensors))
    return tuple(tensor.sized(*(shape or ())) for tensor in tensors)


def repeat(input: Tensor, repeats: Any) -> Tensor:
    shape, times = shape_of(input), as_sizes(repeats)
    if len(times) < len(shape):
        raise Fault(f"{show(times)} must say how often for each dimension of {show(shape)}")
    shape = (1,) * (len(times) - len(shape)) + shape
    return input.sized(*(size * _require_count(count) for size, count in zip(shape, times)))


def tile(input: Tensor, dims: Any) -> Tensor:
    times = as_sizes(dims)
    return repeat(input, (1,) * (len(shape_of(input)) - len(times)) + times)


def repeat_interleave(
    input: Tensor, repeats: Any, dim: int | None = None, output_size: Dim | None = None
) -> Tensor:
    if dim is None:
        input, dim = ravelled(input), 0
    shape = list(shape_of(input)) or [1]
    where = axis(dim, len(shape))
    if isinstance(repeats, Tensor):
        if repeats.dtype not in ("int32", "int64"):
            raise Fault(f"repeats are of dtype int64, not {repeats.dtype}", "`repeats.long()`")
        if output_size is None:
            return replace(input, shape=None)
        shape[where] = output_size
    else:
        shape[where] = shape[where] * _require_count(repeats)
    return input.sized(*shape)


def unfold(input: Tensor, dimension: int, size: Dim, step: Dim) -> Tensor:
    """Windows along a dimension, laid out in a new last one."""
    shape = list(shape_of(input))
    where = axis(dimension, len(shape))
    present = shape[where] if shape else 1
    if (value_of(size) or 0) < 0 or (value_of(step) or 1) < 1 or _is_below(present, size):
        raise Fault(f"there is no window of {size} with step {step} in a dimension of {present}")
    if not shape:
        return input.sized(size)
    shape[where] = (present - size) // step + 1
    return input.sized(*shape, size)


def triangle(input: Tensor) -> Tensor:
    if len(shape_of(input)) < 2:
        raise Fault(f"it takes at least 2 dimensions, not {input}")
    return input


def diagonal(input: Tensor, offset: Dim = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    shape = shape_of(input)
    first, second = axis(dim1, len(shape)), axis(dim2, len(shape))
    if first == second:
        raise Fault("dim1 and dim2 are one dimension")
    rows, columns = shape[first], shape[second]
    length = minimum(rows + minimum(offset, 0), columns - maximum(offset, 0))
    if rows == columns and isinstance(offset, int):
        length = rows - abs(offset)
    rest = (size for i, size in enumerate(shape) if i not in (first, second))
    return input.sized(*rest, 0 if _is_below(length, 0) else length)


def diag(input: Tensor, diagonal: Dim) -> Tensor:
    """The diagonal of a matrix, or the matrix of a diagonal."""
    shape = shape_of(input)
    if len(shape) == 1:
        return diag_embed(input, diagonal)
    if len(shape) != 2:
        raise Fault(f"it takes a vector or a matrix, not {input}")
    return _diagonal(input, diagonal)


def diag_embed(input: Tensor, offset: Dim = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    shape = list(shape_of(input))
    if not shape:
        raise Fault("it takes at least one dimension")
    first, second = axis(dim1, len(shape) + 1), axis(dim2, len(shape) + 1)
    if first == second:
        raise Fault("dim1 and dim2 are one dimension")
    size = shape.pop() + maximum(offset, -offset)
    for where in sorted((first, second)):
        shape.insert(where, size)
    return input.sized(*shape)


_diagonal = diagonal


def _require_count(size: Dim) -> Dim:
    if _is_below(size, 0):
        raise Fault(f"a size is at least 0, not {size}")
    return size


def _is_below(left: Dim, right: Dim) -> bool:
    difference = value_of(left - right)
    return difference is not None and difference < 0
