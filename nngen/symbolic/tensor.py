"""Tensors as a spec sees them: a shape and a dtype, with the arithmetic that shapes obey."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

from nngen.errors import Fault
from nngen.symbolic import dtypes
from nngen.symbolic.broadcasting import Shape, agree, axis, broadcast, show
from nngen.symbolic.dtypes import MASKS
from nngen.symbolic.parts import Parts, parted
from nngen.symbolic.sizes import Dim, Size, value_of
from nngen.symbolic.slicing import sliced
from nngen.symbolic.substitution import same

# As many parts as a tensor is taken apart into, so that a short line cannot fill the memory.
MAX_PARTS = 1_000
MAX_DIMENSIONS = 64  # torch reduces, and indexes, no more
LARGEST = 2**63  # as torch counts


class Unknown:
    """A value that is known only when the model runs, `training` for one."""

    def __repr__(self) -> str:
        return "a value known at run time"


UNKNOWN = Unknown()


@dataclass(frozen=True, slots=True)
class Code:
    """A value that is written as code: the function that a word stands for, `F.pairwise_distance`."""

    text: str


@dataclass(frozen=True)
class Dtype:
    """A dtype as a line names it: `torch.float32`, `x.dtype`."""

    name: str

    def __repr__(self) -> str:
        return f"torch.{self.name}"


@dataclass(frozen=True)
class Device:
    """The device of a tensor, `x.device`; which one it is shows when the model runs."""

    def __repr__(self) -> str:
        return "a device"


@dataclass(frozen=True)
class Packed:
    """A packed sequence: the steps of sequences of several lengths, one after another.

    Attributes:
        features: the size of one step.
        batch: how many sequences there are.
        length: how many steps the longest has.
        in_order: they come by falling length, so that none had to change its place.
    """

    features: Dim
    batch: Dim
    length: Dim
    in_order: bool
    dtype: str = "float32"

    def __str__(self) -> str:
        return "a packed sequence"


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor of a shape, or of a shape that cannot be told before the model runs (`shape=None`).

    Attributes:
        shape: its sizes.
        dtype: its dtype.
        here: its sizes in this use alone, where an argument decides how many there are.
        elsewhere: the shapes that it has in other uses, as far as they are known.
        why: the expression that decides how many there are, where one does.
    """

    shape: Shape | None
    dtype: str = "float32"
    here: Shape | None = field(default=None, compare=False, repr=False)
    elsewhere: tuple[Shape, ...] = field(default=(), compare=False, repr=False)
    why: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        shape = self.shape or ()
        if len(shape) > MAX_DIMENSIONS:
            raise Fault(f"a tensor of {len(shape)} dimensions: torch takes up to {MAX_DIMENSIONS}")
        if any((value_of(size) or 0) >= LARGEST for size in shape):
            raise Fault("a size of the tensor is too large: torch counts to 2 ** 63 - 1")

    @property
    def floating(self) -> bool:
        return dtypes.category(self.dtype) >= dtypes.FLOAT

    def sized(self, *shape: Dim) -> Tensor:
        """This tensor with another shape."""
        return replace(self, shape=shape, here=None, elsewhere=(), why="")

    def typed(self, dtype: str | None) -> Tensor:
        """This tensor with another dtype, where one is given."""
        return self if dtype is None else replace(self, dtype=dtype)

    def __str__(self) -> str:
        if self.here is not None and self.elsewhere:
            return " or ".join(
                show(shape) for shape in sorted((self.here, *self.elsewhere), key=len)
            )
        return "a tensor of unknown shape" if self.shape is None else show(self.shape)

    def __bool__(self) -> bool:
        raise Fault(
            "whether a tensor is true is known only when the model runs",
            "choose between values with `torch.where(condition, a, b)`, join conditions with `&` and `|`",
        )

    def __iter__(self) -> Iterator[Tensor]:
        return iter(unbound(self, 0))

    def __add__(self, other: Any) -> Any:
        return combined(self, other)

    __radd__ = __mul__ = __rmul__ = __add__

    def __sub__(self, other: Any) -> Any:
        return subtracted(self, other)

    __rsub__ = __sub__

    def __mod__(self, other: Any) -> Any:
        return divided(self, other)

    __rmod__ = __floordiv__ = __rfloordiv__ = __mod__

    def __pow__(self, other: Any) -> Any:
        return powered(self, other)

    def __rpow__(self, other: Any) -> Any:
        return powered(other, self)

    def __and__(self, other: Any) -> Any:
        return bitwise(self, other)

    __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = __and__

    def __truediv__(self, other: Any) -> Any:
        return quotient(self, other)

    __rtruediv__ = __truediv__

    def __matmul__(self, other: Any) -> Any:
        if not isinstance(other, Tensor):
            raise Fault("'@' goes between two tensors")
        return matmul(self, other)

    def __neg__(self) -> Tensor:
        if self.dtype == "bool":
            raise Fault("a bool tensor has no sign", "`~x` is its opposite")
        return self

    __pos__ = __neg__

    def __invert__(self) -> Tensor:
        return bitwise(self)

    def __getitem__(self, index: Any) -> Tensor:
        if isinstance(index, list) and any(isinstance(item, list) for item in index):
            raise Fault(
                "torch reads lists in a list as one index each",
                "write `x[[0, 1], [2, 3]]`, or index with a tensor",
            )
        return indexed(self, index if isinstance(index, tuple) else (index,))


def unsized(dtype: str, *of: Tensor) -> Tensor:
    """A tensor of unknown shape, made of these."""
    return Tensor(None, dtype, why=next((each.why for each in of if each.why), ""))


def in_this_use(value: Any) -> Any:
    """A value, or what is in it, with the shape that it has in this use where another use may have other dimensions."""
    if isinstance(value, Tensor):
        return value if value.here is None else value.sized(*value.here)
    if isinstance(value, (tuple, list)):
        return type(value)(map(in_this_use, value))
    if isinstance(value, dict):
        return {key: in_this_use(item) for key, item in value.items()}
    return value


def wherever(values: Mapping[Any, Any], rule: Callable[[Mapping[Any, Any]], Any]) -> Any:
    """What a rule gives where a tensor among the values has other shapes in other uses; UNKNOWN where that is not a tensor.

    What comes out the same for all of them may be anything.
    """
    vague = [
        key for key, value in values.items() if isinstance(value, Tensor) and value.shape is None
    ]
    if len(vague) != 1 or not values[vague[0]].elsewhere:
        return UNKNOWN
    tensor = values[vague[0]]
    here = rule({**values, vague[0]: in_this_use(tensor)})
    elsewhere = []
    for shape in tensor.elsewhere:
        with suppress(Fault):  # it may fit this use alone
            elsewhere.append(rule({**values, vague[0]: tensor.sized(*shape)}))
    if all(each == here for each in elsewhere):
        return here
    if not all(isinstance(each, Tensor) and each.shape is not None for each in (here, *elsewhere)):
        return UNKNOWN
    shapes = tuple(each.shape for each in elsewhere)
    return Tensor(None, here.dtype, here.shape, shapes, tensor.why)


def promote(*values: Any) -> str:
    """The dtype of a result made of tensors and Python's numbers, by torch's rules.

    Tensors with dimensions decide, before those without, and those before numbers, but for one of a higher category.
    """
    tensors = [value for value in values if isinstance(value, Tensor)]
    groups = (
        [tensor.dtype for tensor in tensors if tensor.shape != ()],
        [tensor.dtype for tensor in tensors if tensor.shape == ()],
        [dtypes.of_number(value) for value in values if not isinstance(value, Tensor)],
    )
    return reduce(dtypes.raised, (reduce(dtypes.joined, group) for group in groups if group))


def combined(*values: Any) -> Tensor:
    """The result of an element-wise operation on tensors and numbers; one known only at run time leaves the shape."""
    known = [value for value in values if value is not UNKNOWN]
    for value in known:
        if not isinstance(value, (Tensor, int, float, Size)):
            raise Fault(f"a tensor and {value!r} do not go together")
    shapes = [value.shape for value in known if isinstance(value, Tensor)]
    if not shapes:
        raise Fault("at least one of the values must be a tensor")
    if None in shapes:
        found = wherever(dict(enumerate(known)), lambda values: combined(*values.values()))
        tensors = [each for each in known if isinstance(each, Tensor)]
        return unsized(promote(*known), *tensors) if found is UNKNOWN else found
    return Tensor(broadcast(*shapes), promote(*known))


def subtracted(left: Any, right: Any) -> Tensor:
    """`left - right`, which torch does not have for bool."""
    for value in (left, right):
        if isinstance(value, bool) or (isinstance(value, Tensor) and value.dtype == "bool"):
            raise Fault("bool tensors cannot be subtracted", "`~mask` is a mask's opposite")
    return combined(left, right)


def divided(left: Any, right: Any) -> Tensor:
    """`left // right` or `left % right`."""
    result = combined(left, right)
    if dtypes.category(result.dtype) in (dtypes.BOOL, dtypes.COMPLEX):
        raise Fault(f"`//` and `%` do not take {result.dtype}")
    return result


def powered(base: Any, exponent: Any) -> Tensor:
    """`base ** exponent`."""
    result = combined(base, exponent)
    if dtypes.category(result.dtype) >= dtypes.FLOAT:
        return result
    if result.dtype == "bool" and isinstance(exponent, Tensor):
        raise Fault("a bool cannot be raised to a bool tensor")
    if isinstance(exponent, int) and exponent < 0:
        raise Fault("a tensor of integers cannot be raised to a negative power", "`x.float()`")
    return result


def bitwise(*values: Any) -> Tensor:
    """`&`, `|`, `^` and `~`: of integers and bools."""
    result = combined(*values)
    if dtypes.category(result.dtype) >= dtypes.FLOAT:
        raise Fault(f"`&`, `|`, `^` and `~` take bools and integers, not {result.dtype}")
    return result


def quotient(left: Any, right: Any) -> Tensor:
    """`left / right`."""
    result = combined(left, right)
    return result if result.floating else result.typed("float32")


def compared(left: Any, right: Any) -> Tensor:
    """The result of comparing element by element."""
    return combined(left, right).typed("bool")


def may_be_one(left: Any, right: Any) -> bool:
    """Whether two values may be one tensor: nothing in their shapes and dtypes tells them apart."""
    if not isinstance(left, Tensor) or not isinstance(right, Tensor) or left.dtype != right.dtype:
        return False
    if left.shape is None or right.shape is None:
        return True
    return len(left.shape) == len(right.shape) and all(
        same(size, other) is not False for size, other in zip(left.shape, right.shape)
    )


def matmul(left: Tensor, right: Tensor) -> Tensor:
    """torch.matmul: matrices in the last two dimensions, broadcast over the others."""
    if left.dtype != right.dtype:
        raise Fault(f"a matrix product is of one dtype, not of {left.dtype} and {right.dtype}")
    if left.dtype == "bool":
        raise Fault("a matrix product is of numbers, not of bool", "`x.float()`")
    if left.shape is None or right.shape is None:
        return unsized(left.dtype, left, right)
    if not left.shape or not right.shape:
        raise Fault("'@' takes tensors of at least one dimension")
    inner = right.shape[-2] if len(right.shape) > 1 else right.shape[-1]
    if not agree(left.shape[-1], inner):
        raise Fault(f"the shapes {left} and {right} do not go together in a matrix product")
    batch = broadcast(left.shape[:-2], right.shape[:-2])
    assert batch is not None
    rows = left.shape[-2:-1] if len(left.shape) > 1 else ()
    columns = right.shape[-1:] if len(right.shape) > 1 else ()
    return Tensor((*batch, *rows, *columns), left.dtype)


def unbound(tensor: Tensor, dim: int) -> Parts:
    """The slices of a tensor along one dimension.

    Raises:
        Fault: how many there are is not known, or absurd.
    """
    if not tensor.shape:
        raise Fault(f"{tensor} cannot be taken apart")
    where = axis(dim, len(tensor.shape))
    count = value_of(tensor.shape[where])
    if count is None:
        raise Fault(f"how many parts {tensor.shape[where]} gives is open until the model runs")
    if count > MAX_PARTS:
        raise Fault(f"{count} parts are more than the {MAX_PARTS} that a line may take apart")
    part = tensor.sized(*tensor.shape[:where], *tensor.shape[where + 1 :])
    number = tensor.shape[where]

    def picked(index: Any) -> Any:
        if not isinstance(index, slice):
            return part if isinstance(index, int) else (part,) * count
        taken = sliced(number, index)
        return parted((part,) * (value_of(taken) or 0), taken)

    return parted((part,) * count, number, picked=picked if isinstance(number, Size) else None)


def indexed(tensor: Tensor, index: tuple[Any, ...]) -> Tensor:
    """`tensor[index]`; by a mask, the shape is known only when the model runs."""
    if tensor.shape is None or any(item is UNKNOWN for item in index):
        return unsized(tensor.dtype, tensor)
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
        raise Fault(f"{index!r} is not an index")
    where, limit = value_of(index), value_of(size)
    if where is not None and limit is not None and not -limit <= where < limit:
        raise Fault(f"the index {index} is out of range for a dimension of {size}")
