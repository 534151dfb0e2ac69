"""Rules of what changes the dtype, and of what tells a shape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from nngen.errors import Fault
from nngen.symbolic import dtypes
from nngen.symbolic.broadcasting import Shape, axis, broadcast
from nngen.symbolic.rules.common import shape_of
from nngen.symbolic.sizes import Dim, product
from nngen.symbolic.tensor import Tensor


def cast(dtype: str) -> Callable[[Tensor], Tensor]:
    """`x.float()` and its kin."""

    def rule(input: Tensor) -> Tensor:
        return input.typed(dtype)

    return rule


def moved(input: Tensor, other: Tensor | None = None, dtype: str | None = None) -> Tensor:
    """`to`: another dtype or device."""
    return input.typed(dtype if other is None else other.dtype)


def complex_of(real: Tensor, imag: Tensor) -> Tensor:
    """torch.complex, of the real and the imaginary part."""
    if real.dtype != imag.dtype or real.dtype not in ("float32", "float64"):
        raise Fault(f"both parts must be float32 or float64, not {real.dtype} and {imag.dtype}")
    result = replace(real, shape=broadcast(real.shape, imag.shape))
    return result.typed(dtypes.complex_of(real.dtype))


def polar(abs: Tensor, angle: Tensor) -> Tensor:
    return complex_of(abs, angle)


def size(input: Tensor, dim: int | None) -> Dim | Shape:
    shape = shape_of(input)
    return shape if dim is None else shape[axis(dim, len(shape))]


def rank(input: Tensor) -> int:
    return len(shape_of(input))


def count(input: Tensor) -> Dim:
    return product(shape_of(input))
