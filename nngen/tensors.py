"""Tensors as a spec sees them: a shape and a dtype, with the arithmetic that shapes obey."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from nngen.errors import Fault
from nngen.sizes import Dim, Size, minimum, same, value_of

Shape = tuple[Dim, ...]

# From torch's type promotion: the later of two wins, and a float scalar makes an integer tensor a float one.
DTYPES = (
    *("bool", "uint8", "int8", "int16", "int32", "int64"),
    *("float16", "bfloat16", "float32", "float64", "complex64", "complex128"),
)
_FIRST_FLOAT = DTYPES.index("float16")


class Unknown:
    """A value that is known only when the model runs, `training` for one."""

    def __repr__(self) -> str:
        return "a value known at run time"


UNKNOWN = Unknown()


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor of a shape, or of a shape that cannot be told before the model runs (`shape=None`)."""

    shape: Shape | None
    dtype: str = "float32"

    @property
    def floating(self) -> bool:
        return DTYPES.index(self.dtype) >= _FIRST_FLOAT

    def sized(self, *shape: Dim) -> Tensor:
        """This tensor with another shape."""
        return replace(self, shape=shape)

    def __str__(self) -> str:
        return "a tensor of unknown shape" if self.shape is None else show(self.shape)

    def __add__(self, other: Any) -> Any:
        return combined(self, other)

    __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __mod__ = __rmod__ = __add__
    __floordiv__ = __rfloordiv__ = __pow__ = __rpow__ = __and__ = __rand__ = __or__ = __ror__ = (
        __add__
    )
    __xor__ = __rxor__ = __add__

    def __truediv__(self, other: Any) -> Any:
        result = combined(self, other)
        return result if result is UNKNOWN or result.floating else replace(result, dtype="float32")

    __rtruediv__ = __truediv__

    def __matmul__(self, other: Any) -> Any:
        if not isinstance(other, Tensor):
            raise Fault("'@' goes between two tensors")
        return matmul(self, other)

    def __neg__(self) -> Tensor:
        return self

    __pos__ = __invert__ = __neg__

    def __getitem__(self, index: Any) -> Tensor:
        return indexed(self, index if isinstance(index, tuple) else (index,))


def show(shape: Sequence[Dim]) -> str:
    """A shape as a comment shows it: `(N, 16, 24, 24)`."""
    return f"({', '.join(str(size) for size in shape)}{',' if len(shape) == 1 else ''})"


def promote(*values: Any) -> str:
    """The dtype of a result made of tensors and Python scalars, by torch's rules."""
    dtypes = [value.dtype for value in values if isinstance(value, Tensor)]
    dtype = max(dtypes, key=DTYPES.index)
    if DTYPES.index(dtype) < _FIRST_FLOAT and any(isinstance(value, float) for value in values):
        return "float32"
    if dtype == "bool" and any(
        isinstance(v, (int, Size)) and not isinstance(v, bool) for v in values
    ):
        return "int64"
    return dtype


def combined(left: Any, right: Any) -> Any:
    """The result of an element-wise operation of two tensors, or of a tensor and a number."""
    for value in (left, right):
        if value is UNKNOWN:
            return UNKNOWN
        if not isinstance(value, (Tensor, int, float, Size)):
            raise Fault(f"a tensor and {value!r} do not go together")
    shapes = [value.shape for value in (left, right) if isinstance(value, Tensor)]
    return Tensor(broadcast(*shapes), promote(left, right))


def compared(left: Any, right: Any) -> Any:
    """The result of comparing element by element."""
    result = combined(left, right)
    return result if result is UNKNOWN else replace(result, dtype="bool")


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
            if isinstance(present, int) and present == 1:
                result[position] = size
            elif not (isinstance(size, int) and size == 1) and not _fits(present, size):
                raise Fault(
                    f"the shapes {' and '.join(show(s) for s in known)} do not go together: {present} against {size}"
                )
    return tuple(result)


def _fits(left: Dim, right: Dim) -> bool:
    equal = same(left, right)
    if equal is not None:
        return equal or 1 in (value_of(left), value_of(right))
    return False


def matmul(left: Tensor, right: Tensor) -> Tensor:
    """torch.matmul: matrices in the last two dimensions, broadcast over the others."""
    dtype = promote(left, right)
    if left.shape is None or right.shape is None:
        return Tensor(None, dtype)
    if not left.shape or not right.shape:
        raise Fault("'@' takes tensors of at least one dimension")
    inner = right.shape[-2] if len(right.shape) > 1 else right.shape[-1]
    if same(left.shape[-1], inner) is not True:
        raise Fault(f"the shapes {left} and {right} do not go together in a matrix product")
    batch = broadcast(left.shape[:-2], right.shape[:-2])
    assert batch is not None
    rows = left.shape[-2:-1] if len(left.shape) > 1 else ()
    columns = right.shape[-1:] if len(right.shape) > 1 else ()
    return Tensor((*batch, *rows, *columns), dtype)


def axis(dim: Any, rank: int) -> int:
    """A dimension counted from the end made to count from the start.

    Raises:
        Fault: there is no such dimension.
    """
    if isinstance(dim, bool) or not isinstance(dim, int):
        raise Fault(f"a dimension is a whole number, not {dim!r}")
    if not -rank <= dim < max(rank, 1):
        raise Fault(f"there is no dimension {dim} in a tensor of {rank} dimensions")
    return dim % max(rank, 1)


def indexed(tensor: Tensor, index: tuple[Any, ...]) -> Tensor:
    """`tensor[index]`, for whole numbers, slices, `None`, `...`; by a tensor, the shape is not followed."""
    if tensor.shape is None or any(
        item is UNKNOWN or isinstance(item, (Tensor, list)) for item in index
    ):
        return replace(tensor, shape=None)
    taken = sum(item is not None and item is not Ellipsis for item in index)
    if taken > len(tensor.shape):
        raise Fault(f"{taken} indices for a tensor of {len(tensor.shape)} dimensions")
    if Ellipsis not in index:
        index = (*index, Ellipsis)
    shape: list[Dim] = []
    rest = list(tensor.shape)
    for item in index:
        if item is None:
            shape.append(1)
        elif item is Ellipsis:
            keep = len(tensor.shape) - taken
            shape.extend(rest[:keep])
            del rest[:keep]
        elif isinstance(item, slice):
            shape.append(sliced(rest.pop(0), item))
        else:
            _check_index(item, rest.pop(0))
    return replace(tensor, shape=tuple(shape))


def _check_index(index: Any, size: Dim) -> None:
    if not isinstance(index, (int, Size)) or isinstance(index, bool):
        raise Fault(f"{index!r} is no index")
    where, limit = value_of(index), value_of(size)
    if where is not None and limit is not None and not -limit <= where < limit:
        raise Fault(f"the index {index} is out of range for a dimension of {size}")


def sliced(size: Dim, part: slice) -> Dim:
    """How many elements `part` takes of a dimension."""
    start, stop, step = part.start, part.stop, 1 if part.step is None else part.step
    if any(item is UNKNOWN for item in (start, stop, step)):
        raise Fault("a slice's bounds must be numbers or sizes")
    if not isinstance(step, int) or step < 1:
        raise Fault("a slice's step must be a whole number of at least 1, as in torch")
    if isinstance(size, int) and all(
        item is None or isinstance(item, int) for item in (start, stop)
    ):
        return len(range(*part.indices(size)))
    low = _bound(0 if start is None else start, size)
    high = size if stop is None else _bound(stop, size)
    return (high - low + step - 1) // step


def _bound(bound: Dim, size: Dim) -> Dim:
    value, limit = value_of(bound), value_of(size)
    if value is not None and value < 0:
        return size + bound
    if value is not None and limit is not None:
        return bound if value <= limit else size
    return (
        bound
        if isinstance(bound, int) and bound == 0
        else minimum(bound, size) if value is None else bound
    )
