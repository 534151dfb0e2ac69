"""What layers with weights, and functions that are given weights, require of their tensors."""

from __future__ import annotations

from typing import Any

from nngen.errors import Fault
from nngen.symbolic.broadcasting import show
from nngen.symbolic.rules.common import shape_of
from nngen.symbolic.sizes import Dim, product
from nngen.symbolic.substitution import same
from nngen.symbolic.tensor import Tensor

_REAL = ("float16", "bfloat16", "float32", "float64")


def require_real(input: Tensor, what: str = "the input") -> None:
    """Refuse integers, which torch has no kernels for on some devices or at all, and complex numbers."""
    if input.dtype not in _REAL:
        raise Fault(f"{what} must hold floats, not {input.dtype}", "`x = x.float()` makes them so")


def require_weights_dtype(input: Tensor, *more: str, what: str = "the input") -> None:
    """Refuse an input of another dtype than the layer's weights have, or one of `more`."""
    if input.dtype not in ("float32", *more):
        raise Fault(
            f"{what} is {input.dtype}, but the weights are float32",
            "`x = x.float()` makes it float32; the whole model can be made float64 by `model.double()`",
        )


def require_one_dtype(*tensors: Any) -> None:
    """Refuse tensors of different dtypes; what is None is not there."""
    dtypes = dict.fromkeys(tensor.dtype for tensor in tensors if isinstance(tensor, Tensor))
    if len(dtypes) > 1:
        raise Fault(f"the input and the weights must have one dtype, not {' and '.join(dtypes)}")


def require_vector(tensor: Tensor | None, length: Dim, name: str) -> None:
    """Refuse a bias that is not one number for each channel; None is no bias."""
    if tensor is None:
        return
    shape = shape_of(tensor)
    if len(shape) != 1 or same(shape[0], length) is not True:
        raise Fault(f"{name} must have the shape {show((length,))}, not {show(shape)}")


def require_elements(tensor: Tensor | None, count: Dim, name: str) -> None:
    """Refuse a weight of a norm that has not one number for each channel, in whatever shape."""
    if tensor is not None and same(product(shape_of(tensor)), count) is not True:
        raise Fault(f"{name} must have {count} elements, not the shape {show(shape_of(tensor))}")
