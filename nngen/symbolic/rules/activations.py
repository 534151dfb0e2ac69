"""Rules of activations and dropout: which dtypes and ranks they take, and GLU, which halves a dimension."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from nngen.errors import Fault
from nngen.symbolic.broadcasting import axis
from nngen.symbolic.rules.checks import require_real, require_weights_dtype
from nngen.symbolic.rules.common import require_rank, require_size, shape_of
from nngen.symbolic.sizes import Dim, value_of
from nngen.symbolic.tensor import Tensor

_COMPLEX = ("complex64", "complex128")
# The numbers between which those lie that a dtype of whole numbers holds.
_BOUNDS = {
    "uint8": (-1, 2**8),
    **{f"int{bits}": (-(2 ** (bits - 1)) - 1, 2 ** (bits - 1)) for bits in (8, 16, 32, 64)},
}


def real(input: Tensor) -> Tensor:
    """An element-wise operation on real floats."""
    require_real(input)
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


def require_held(input: Tensor, value: Any, name: str) -> None:
    """Refuse a number that does not go into the whole numbers of the input."""
    low, high = _BOUNDS.get(input.dtype, (-math.inf, math.inf))
    if isinstance(value, (int, float)) and input.dtype in _BOUNDS and not low < value < high:
        raise Fault(f"{name} ({value}) does not go into {input.dtype}, which the input holds")


def hardtanh(input: Tensor, min_val: Any, max_val: Any) -> Tensor:
    numeric(input)
    require_held(input, min_val, "min_val")
    require_held(input, max_val, "max_val")
    if _is_above(min_val, max_val):
        raise Fault(f"min_val ({min_val}) is greater than max_val ({max_val})")
    return input


def threshold(input: Tensor, threshold: Any, value: Any) -> Tensor:
    numeric(input)
    require_held(input, threshold, "threshold")
    require_held(input, value, "value")
    return input


def celu(input: Tensor, alpha: Any) -> Tensor:
    if alpha == 0:
        raise Fault("alpha cannot be 0: the function divides by it")
    return real(input)


def softshrink(input: Tensor, lambd: Any) -> Tensor:
    if _is_above(0, lambd):
        raise Fault(f"lambd ({lambd}) cannot be negative")
    return real(input)


def rrelu(input: Tensor, lower: Any, upper: Any) -> Tensor:
    if _is_above(lower, upper):
        raise Fault(f"lower ({lower}) is greater than upper ({upper})")
    return real(input)


def _is_above(low: Any, high: Any) -> bool:
    """Whether two numbers that should be in order are not; a size is left to the layer's checks."""
    numbers = isinstance(low, (int, float)) and isinstance(high, (int, float))
    return numbers and bool(low > high)


def normalized(input: Tensor, dim: int | None, dtype: str | None = None) -> Tensor:
    """Softmax and its kin along `dim`; a dtype makes whole numbers floats first."""
    if dim is None:
        raise Fault(
            "`dim` must be said: torch would guess it from the rank",
            "`dim=1` is the classes of (N, C), `dim=-1` the last dimension",
        )
    axis(dim, len(shape_of(input)))
    if dtype is not None:
        input = replace(input, dtype=dtype)
    return real(input)


def softmax2d(input: Tensor) -> Tensor:
    if len(require_rank(input, 3, 4)) == 3:
        _require_channels(input)
    return real(input)


def _require_channels(input: Tensor) -> None:
    """Refuse a batch where torch, for want of a dimension, would take it for the channels."""
    size = shape_of(input)[0]
    if value_of(size) is None:
        raise Fault(
            f"the input {input} has no channels: torch would take its first dimension for them",
            "put a dimension in, `x = x.unsqueeze(1)`",
        )


def glu(input: Tensor, dim: int) -> Tensor:
    """One half of `dim`, gated by the other."""
    shape = shape_of(input)
    require_real(input)
    where = axis(dim, len(shape))
    if not shape or value_of(shape[where] % 2) == 1:
        size = shape[where] if shape else 1
        raise Fault(f"dimension {dim} of the input is halved, so it must be even, not {size}")
    return input.sized(*shape[:where], shape[where] // 2, *shape[where + 1 :])


def prelu(input: Tensor, num_parameters: Dim) -> Tensor:
    """One slope for all, or one a channel (dimension 1)."""
    shape = shape_of(input)
    require_weights_dtype(input)
    if value_of(num_parameters) != 1:
        channels = shape[1] if len(shape) > 1 else 1
        require_size(channels, num_parameters, "the number of channels (dimension 1 of the input)")
    return input


def prelu_function(input: Tensor, weight: Tensor) -> Tensor:
    """As `prelu`, with the slopes given: one, or one a channel."""
    slopes = shape_of(weight)
    require_real(input)
    if len(slopes) > 1 or weight.dtype != input.dtype:
        raise Fault(f"the weight must be a vector of {input.dtype}, not {weight} of {weight.dtype}")
    count = slopes[0] if slopes else 1
    if value_of(count) != 1:
        channels = shape_of(input)[1] if len(shape_of(input)) > 1 else 1
        require_size(channels, count, "the number of channels (dimension 1 of the input)")
    return input


def gumbel_softmax(logits: Tensor, dim: int) -> Tensor:
    return normalized(logits, dim)


def dropout1d(input: Tensor) -> Tensor:
    return _channels_dropped(input, 1)


def dropout2d(input: Tensor) -> Tensor:
    return _channels_dropped(input, 2)


def dropout3d(input: Tensor) -> Tensor:
    return _channels_dropped(input, 3)


def _channels_dropped(input: Tensor, dims: int) -> Tensor:
    """Dropout of channels; what torch still takes of other ranks is deprecated and drops something else."""
    rank = len(shape_of(input))
    require_real(input)
    if rank not in (dims + 1, dims + 2):
        fitting = f"Dropout{rank - 2}d" if 3 <= rank <= 5 else "Dropout"
        raise Fault(
            f"the input must have {dims + 1} or {dims + 2} dimensions (with the batch), "
            f"not {rank}: {input}",
            f"use {fitting}",
        )
    # Three dimensions are a batch to dropout2d, and no batch to the other two.
    if rank == dims + 1 and dims != 2:
        _require_channels(input)
    return input


def channel_dropout(input: Tensor) -> Tensor:
    if len(shape_of(input)) < 2:
        raise Fault(f"the input must have at least 2 dimensions (with the batch), not {input}")
    return real(input)
