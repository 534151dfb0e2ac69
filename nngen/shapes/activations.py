"""Rules of the activations: which dtypes they take, and GLU, which halves a dimension."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nngen.errors import Fault
from nngen.shapes.common import demand_rank, demand_size, shape_of
from nngen.sizes import Dim, value_of
from nngen.tensors import Tensor, axis

_REAL = ("float16", "bfloat16", "float32", "float64")
_COMPLEX = ("complex64", "complex128")


def demand_real(input: Tensor, what: str = "the input") -> None:
    if input.dtype not in _REAL:
        raise Fault(f"{what} must hold real floats, not {input.dtype}")


def real(input: Tensor) -> Tensor:
    """An element-wise operation on real floats."""
    demand_real(input)
    return input


def numeric(input: Tensor) -> Tensor:
    """An element-wise operation on real numbers, whole ones too."""
    if input.dtype == "bool" or input.dtype in _COMPLEX:
        raise Fault(f"the input must hold real numbers, not {input.dtype}")
    return input


def smooth(input: Tensor) -> Tensor:
    """An element-wise operation on numbers, whole ones made floats."""
    if input.dtype == "bool":
        raise Fault("the input must hold numbers, not bool")
    return input if input.floating else replace(input, dtype="float32")


def floating(input: Tensor) -> Tensor:
    """An element-wise operation on floats, complex ones too."""
    if not input.floating:
        raise Fault(f"the input must hold floats, not {input.dtype}")
    return input


def hardtanh(input: Tensor, min_val: Any) -> Tensor:
    numeric(input)
    if input.dtype == "uint8" and isinstance(min_val, (int, float)) and min_val < 0:
        raise Fault(f"the input holds uint8, in which there is no min_val of {min_val}")
    return input


def normalized(input: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """Softmax and its kin along `dim`; a dtype makes whole numbers floats first."""
    axis(dim, len(shape_of(input)))
    if dtype is not None:
        return replace(input, dtype=getattr(dtype, "text", "").removeprefix("torch.") or "float32")
    demand_real(input)
    return input


def softmax2d(input: Tensor) -> Tensor:
    demand_rank(input, 3, 4)
    demand_real(input)
    return input


def glu(input: Tensor, dim: int) -> Tensor:
    """One half of `dim`, gated by the other."""
    shape = shape_of(input)
    demand_real(input)
    where = axis(dim, len(shape))
    if not shape or value_of(shape[where] % 2) == 1:
        size = shape[where] if shape else 1
        raise Fault(f"dimension {dim} of the input is halved, so it must be even, not {size}")
    return input.sized(*shape[:where], shape[where] // 2, *shape[where + 1 :])


def prelu(input: Tensor, num_parameters: Dim) -> Tensor:
    """One slope for all, or one a channel (dimension 1)."""
    shape = shape_of(input)
    if input.dtype != "float32":
        raise Fault(f"the input must hold float32 as the weight does, not {input.dtype}")
    if value_of(num_parameters) != 1:
        channels = shape[1] if len(shape) > 1 else 1
        demand_size(channels, num_parameters, "the number of channels (dimension 1 of the input)")
    return input


def prelu_function(input: Tensor, weight: Tensor) -> Tensor:
    """As `prelu`, with the slopes given: one, or one a channel."""
    slopes = shape_of(weight)
    demand_real(input)
    if len(slopes) > 1 or weight.dtype != input.dtype:
        raise Fault(f"the weight must be a vector of {input.dtype}, not {weight} of {weight.dtype}")
    count = slopes[0] if slopes else 1
    if value_of(count) != 1:
        channels = shape_of(input)[1] if len(shape_of(input)) > 1 else 1
        demand_size(channels, count, "the number of channels (dimension 1 of the input)")
    return input


def gumbel_softmax(logits: Tensor, dim: int) -> Tensor:
    return normalized(logits, dim)
