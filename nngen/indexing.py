"""What `tensor[index]` gives."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nngen import dtypes
from nngen.dtypes import MASKS
from nngen.errors import Fault
from nngen.sizes import Dim, Size, same, value_of
from nngen.slices import sliced
from nngen.tensors import UNKNOWN, Shape, Tensor, broadcast, show


def indexed(tensor: Tensor, index: tuple[Any, ...]) -> Tensor:
    """`tensor[index]`; by a mask, the shape is known only when the model runs."""
    if tensor.shape is None or any(item is UNKNOWN for item in index):
        return replace(tensor, shape=None)
    items = [_index_tensor(item) if isinstance(item, list) else item for item in index]
    taken = sum(_taken(item) for item in items)
    if taken > len(tensor.shape):
        raise Fault(f"{taken} indices for a tensor of {len(tensor.shape)} dimensions")
    ellipses = sum(item is Ellipsis for item in items)
    if ellipses > 1:
        raise Fault("an index can have one `...` only")
    if not ellipses:
        items.append(Ellipsis)
    shape: list[Dim | None] = []  # None where a tensor indexes
    arrays: list[Shape | None] = []
    rest = list(tensor.shape)
    for item in items:
        if item is None:
            shape.append(1)
        elif item is Ellipsis:
            keep = len(tensor.shape) - taken
            shape.extend(rest[:keep])
            del rest[:keep]
        elif isinstance(item, slice):
            shape.append(sliced(rest.pop(0), item))
        elif isinstance(item, Tensor) and (item.shape != () or item.dtype in MASKS):
            count = _taken(item)
            shape.append(None)
            arrays.append(_chosen(item, rest[:count]))
            del rest[:count]
        else:
            _check_index(item, rest.pop(0))
    return replace(tensor, shape=_placed(shape, broadcast(*arrays)))


def _taken(item: Any) -> int:
    """How many dimensions an index is for."""
    if item is None or item is Ellipsis:
        return 0
    mask = isinstance(item, Tensor) and item.dtype in MASKS and item.shape is not None
    return len(item.shape) if mask else 1


def _index_tensor(items: list[Any]) -> Tensor:
    """A list as an index: the tensor of its numbers."""
    if items and all(isinstance(item, list) for item in items):
        rows = [_index_tensor(item) for item in items]
        if any(row != rows[0] for row in rows):
            raise Fault("the lists of an index must be of one length")
        return rows[0].sized(len(rows), *(rows[0].shape or ()))
    if items and all(isinstance(item, bool) for item in items):
        return Tensor((len(items),), "bool")
    if not all(isinstance(item, (int, Size)) for item in items):
        raise Fault("a list that indexes holds whole numbers")
    return Tensor((len(items),), "int64")


def _chosen(index: Tensor, sizes: list[Dim]) -> Shape | None:
    """The shape of what a tensor picks from dimensions of these sizes."""
    if index.dtype in MASKS:
        for size, wanted in zip(index.shape or (), sizes):
            if same(size, wanted) is False:
                raise Fault(f"a mask {index} does not fit dimensions of {show(sizes)}")
        return None
    if index.dtype not in ("int64", "int32"):
        raise Fault(f"a tensor that indexes holds int64 or bool, not {index.dtype}")
    return index.shape


def _placed(shape: list[Dim | None], chosen: Shape | None) -> Shape | None:
    """What tensors pick, where they stand side by side in their place, else in front."""
    places = [position for position, size in enumerate(shape) if size is None]
    plain = [size for size in shape if size is not None]
    if not places:
        return tuple(plain)
    if chosen is None:
        return None
    together = places[-1] - places[0] == len(places) - 1
    start = places[0] if together else 0
    return (*plain[:start], *chosen, *plain[start:])


def _check_index(index: Any, size: Dim) -> None:
    if isinstance(index, Tensor) and dtypes.category(index.dtype) == dtypes.INTEGER:
        return
    if not isinstance(index, (int, Size)) or isinstance(index, bool):
        raise Fault(f"{index!r} is no index")
    where, limit = value_of(index), value_of(size)
    if where is not None and limit is not None and not -limit <= where < limit:
        raise Fault(f"the index {index} is out of range for a dimension of {size}")
