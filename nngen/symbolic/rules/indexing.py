"""Rules of what picks elements by index or mask, and of what writes them there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nngen.errors import Fault
from nngen.symbolic.broadcasting import agree, axis, broadcast, show
from nngen.symbolic.dtypes import BOOL, COMPLEX, category
from nngen.symbolic.rules.common import as_sizes, require_real, shape_of
from nngen.symbolic.sizes import Dim, product, value_of
from nngen.symbolic.tensor import Tensor


def narrow(input: Tensor, dim: int, start: Dim, length: Dim) -> Tensor:
    shape = list(shape_of(input))
    if not shape:
        raise Fault("a tensor without dimensions cannot be narrowed")
    where = axis(dim, len(shape))
    begin, count = as_sizes((start, length))
    size, first, taken = (value_of(value) for value in (shape[where], begin, count))
    if first is not None and first < 0 and size is not None:
        first += size
    if (
        (taken or 0) < 0
        or (first or 0) < 0
        or (None not in (size, first, taken) and first + taken > size)  # type: ignore[operator]
    ):
        raise Fault(f"{count} elements from {begin} on are not in a dimension of {shape[where]}")
    shape[where] = count
    return input.sized(*shape)


def select(input: Tensor, dim: int, index: Dim) -> Tensor:
    shape = shape_of(input)
    if not shape:
        raise Fault("a tensor without dimensions cannot be indexed")
    return input[(*(slice(None),) * axis(dim, len(shape)), index)]


def _require_index(index: Tensor) -> None:
    if index.dtype not in ("int64", "int32"):
        raise Fault(f"an index is of dtype int64, not {index.dtype}", "`index.long()`")


def _require_ranks(input: Tensor, index: Tensor) -> None:
    if max(len(shape_of(input)), 1) != max(len(shape_of(index)), 1):
        raise Fault(f"the index {index} must have as many dimensions as {input}")


def _require_within(index: Tensor, other: Tensor, skipped: int | None) -> None:
    for i, (size, limit) in enumerate(zip(shape_of(index), shape_of(other))):
        known, most = value_of(size), value_of(limit)
        if i != skipped and known is not None and most is not None and known > most:
            raise Fault(f"the index {index} reaches beyond {other} in dimension {i}")


def gather(input: Tensor, dim: int, index: Tensor) -> Tensor:
    where = axis(dim, len(shape_of(input)))
    _require_index(index)
    _require_ranks(input, index)
    _require_within(index, input, where)
    return input.sized(*shape_of(index))


def scatter(input: Tensor, dim: int, index: Tensor, src: Any = None, value: Any = None) -> Tensor:
    where = axis(dim, len(shape_of(input)))
    _require_index(index)
    _require_ranks(input, index)
    _require_within(index, input, where)
    if isinstance(src, Tensor):
        _require_same_dtype(input, src)
        _require_ranks(src, index)
        _require_within(index, src, None)
    return input


def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    return scatter(input, dim, index, src)


def scatter_reduce(input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str) -> Tensor:
    return scatter(input, dim, index, src)


def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    shape = shape_of(input)
    where = axis(dim, len(shape))
    _require_index(index)
    if len(shape_of(index)) > 1:
        raise Fault(f"the index is a vector, not {index}")
    if not shape:
        return input
    return input.sized(*shape[:where], *(shape_of(index) or (1,)), *shape[where + 1 :])


def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """index_add and index_copy: slices of `source` put where the index says."""
    _require_same_dtype(input, source)
    chosen = shape_of(index_select(input, dim, index))
    if len(chosen) != len(shape_of(source)) or not all(map(agree, chosen, shape_of(source))):
        raise Fault(f"the source {source} must be {show(chosen)}, as the index chooses")
    return input


def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    index_select(input, dim, index)
    if index.dtype != "int64":
        raise Fault(f"an index is of dtype int64, not {index.dtype}", "`index.long()`")
    if isinstance(value, Tensor) and value.shape != ():
        raise Fault(f"the value is a number or a tensor without dimensions, not one of {value}")
    if isinstance(value, Tensor) and category(input.dtype) != COMPLEX:
        require_real(value)
    return input


def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    if mask.dtype != "bool":
        raise Fault(f"the mask must be of dtype bool, not {mask.dtype}", "`mask.bool()`")
    broadcast(input.shape, mask.shape)
    return replace(input, shape=None)


def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    _require_same_dtype(input, source)
    masked_select(input, mask)
    return replace(input, shape=broadcast(input.shape, mask.shape))


def take(input: Tensor, index: Tensor) -> Tensor:
    if index.dtype != "int64":
        raise Fault(f"an index is of dtype int64, not {index.dtype}", "`index.long()`")
    return input.sized(*shape_of(index))


def take_along_dim(input: Tensor, indices: Tensor, dim: int | None) -> Tensor:
    if indices.dtype != "int64":
        raise Fault(f"an index is of dtype int64, not {indices.dtype}", "`index.long()`")
    if dim is None:
        return input.sized(product(shape_of(indices)))
    shape, chosen = shape_of(input), shape_of(indices)
    if len(shape) != len(chosen):
        raise Fault(f"the indices {indices} must have as many dimensions as {input}")
    where = axis(dim, len(shape))
    around = broadcast(_without(shape, where), _without(chosen, where)) or ()
    return input.sized(*around[:where], chosen[where], *around[where + 1 :])


def _without(shape: tuple[Dim, ...], where: int) -> tuple[Dim, ...]:
    return (*shape[:where], 1, *shape[where + 1 :])


def nonzero(input: Tensor, as_tuple: bool = False) -> Any:
    """Where there is something: how often shows when the model runs."""
    unknown = Tensor(None, "int64")
    return (unknown,) * max(len(shape_of(input)), 1) if as_tuple else unknown


def bucketize(input: Tensor, boundaries: Tensor, out_int32: bool) -> Tensor:
    if len(shape_of(boundaries)) != 1:
        raise Fault(f"the boundaries are a vector, not {boundaries}")
    require_real(input)
    require_real(boundaries)
    return input.typed("int32" if out_int32 else "int64")


def searchsorted(sorted_sequence: Tensor, input: Tensor, out_int32: bool) -> Tensor:
    rows, wanted = shape_of(sorted_sequence), shape_of(input)
    require_real(input)
    require_real(sorted_sequence)
    if len(rows) != 1 and (len(rows) != len(wanted) or not all(map(agree, rows[:-1], wanted[:-1]))):
        raise Fault(f"{sorted_sequence} and {input} differ in more than their last dimension")
    return input.typed("int32" if out_int32 else "int64")


def is_in(elements: Tensor, test_elements: Any) -> Tensor:
    for given in (elements, test_elements):
        if isinstance(given, Tensor) and category(given.dtype) in (BOOL, COMPLEX):
            raise Fault(f"it takes real numbers, not {given.dtype}")
    return elements.typed("bool")


def one_hot(input: Tensor, num_classes: Dim) -> Tensor:
    if input.dtype != "int64":
        raise Fault(f"classes are of dtype int64, not {input.dtype}", "`x.long()`")
    count = value_of(num_classes)
    if count == -1:
        return replace(input, shape=None)
    if count is not None and count < 1:
        raise Fault(f"num_classes must be at least 1, or -1, not {num_classes}")
    return input.sized(*shape_of(input), num_classes)


def _require_same_dtype(input: Tensor, other: Tensor) -> None:
    if input.dtype != other.dtype:
        raise Fault(f"both tensors must be of one dtype, not {input.dtype} and {other.dtype}")
