"""What the rules of all families share, and the rules that leave a shape as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from nngen.errors import Fault
from nngen.symbolic.broadcasting import Shape, show
from nngen.symbolic.dtypes import COMPLEX, category
from nngen.symbolic.sizes import Dim, Size, value_of
from nngen.symbolic.substitution import same
from nngen.symbolic.tensor import UNKNOWN, Tensor


def unchanged(input: Tensor) -> Tensor:
    """An element-wise operation."""
    return input


def floating(input: Tensor) -> Tensor:
    """An element-wise operation whose result is a float."""
    return input if input.floating else replace(input, dtype="float32")


def shape_of(tensor: Tensor) -> Shape:
    """The tensor's shape, which must be known here."""
    if tensor.shape is None:
        if tensor.why:
            raise Fault(f"how many sizes its shape has depends on {tensor.why!r}")
        raise Fault("the shape of this value is not known before the model runs")
    return tensor.shape


def require_rank(input: Tensor, *ranks: int, of: str = "the input") -> Shape:
    """The shape, which must have one of these numbers of dimensions."""
    shape = shape_of(input)
    if len(shape) not in ranks:
        wanted = " or ".join(str(rank) for rank in ranks)
        raise Fault(
            f"{of} must have {wanted} dimensions (with the batch), not {len(shape)}: {show(shape)}",
            unflatten_hint(shape, min(ranks)),
        )
    return shape


def unflatten_hint(shape: Shape, wanted: int) -> str:
    """What may help where a layer finds fewer dimensions than it wants."""
    if len(shape) != 2 or wanted < 3:
        return ""
    return "put the layer before the Flatten, or unflatten its input: `Unflatten: {dim: 1, unflattened_size: […]}`"


def require_size(size: Dim, wanted: Dim, what: str) -> None:
    """Refuse a size that is another than the wanted one, or that may be: what is open takes any size."""
    if same(size, wanted) is not True:
        which = ", which is open until the model runs" if value_of(size) is None else ""
        raise Fault(f"{what} is {size}{which}, where {wanted} is wanted")


def require_float(input: Tensor, what: str = "the input") -> None:
    if not input.floating:
        raise Fault(f"{what} must hold floats, not {input.dtype}")


def require_real(input: Tensor) -> None:
    if category(input.dtype) == COMPLEX:
        raise Fault("it takes real numbers, not complex ones")


def require_values(shape: Shape) -> None:
    """Refuse an input with nothing in it, of which a slice may have left nothing."""
    if any(value_of(size) == 0 for size in shape):
        raise Fault(
            f"the input {show(shape)} is empty", "leave at least one value in each dimension"
        )


def require_positive(size: Dim, message: str) -> Dim:
    """A size that a rule computed, which must be at least 1."""
    value = value_of(size)
    if value is not None and value < 1:
        raise Fault(message)
    return size


def ntuple(value: Any, length: int) -> tuple[Any, ...]:
    """One value for each of `length` dimensions, as torch reads `kernel_size=3`."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * length


def array_shape(value: Any) -> tuple[int, ...]:
    """The shape of numbers in lists, all of one length."""
    return (len(value), *array_shape(value[0])) if isinstance(value, list) else ()


class RunTimeSize(Fault):
    """A size is a value that is known only when the model runs."""


def as_sizes(values: Sequence[Any]) -> tuple[Any, ...]:
    """`view(2, 3)` and `view((2, 3))` are one."""
    if len(values) == 1 and isinstance(values[0], (tuple, list)):
        values = values[0]
    if any(value is UNKNOWN for value in values):
        raise RunTimeSize("a size must be known before the model runs")
    for value in values:
        if not isinstance(value, (int, Size)) or isinstance(value, bool):
            raise Fault(f"a size is a whole number, not {value!r}")
    return tuple(values)
