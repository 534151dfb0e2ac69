"""Rules of what takes dimensions together, scans along one, or orders it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from nngen.errors import Fault
from nngen.symbolic import dtypes
from nngen.symbolic.broadcasting import axis
from nngen.symbolic.rules.common import as_sizes, require_float, require_real, shape_of
from nngen.symbolic.sizes import Dim, value_of
from nngen.symbolic.substitution import maximum
from nngen.symbolic.tensor import Tensor, combined, subtracted


class Ordered(NamedTuple):
    """What torch.max, sort and topk give along a dimension."""

    values: Tensor
    indices: Tensor


class Bounds(NamedTuple):
    """What torch.aminmax gives."""

    min: Tensor
    max: Tensor


def reduced(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """A reduction over `dim`: one dimension, several, or all (None)."""
    shape = shape_of(input)
    gone = [axis(item, len(shape)) for item in as_sizes((dim,))] if dim is not None else []
    if len(set(gone)) < len(gone):
        raise Fault(f"{dim} names a dimension twice")
    if dim is None or dim == ():
        gone = list(range(len(shape)))
    if keepdim:
        return input.sized(*(1 if i in gone else size for i, size in enumerate(shape)))
    return input.sized(*(size for i, size in enumerate(shape) if i not in gone))


def summed(
    input: Tensor, dim: Any = None, keepdim: bool = False, dtype: str | None = None
) -> Tensor:
    """A sum, in which integers and booleans become int64."""
    result = reduced(input, dim, keepdim)
    return result.typed(dtype or (None if input.floating else "int64"))


def summed_numbers(input: Tensor, dim: Any, keepdim: bool, dtype: str | None) -> Tensor:
    """nansum."""
    require_real(input)
    return summed(input, dim, keepdim, dtype)


def averaged(
    input: Tensor, dim: Any = None, keepdim: bool = False, dtype: str | None = None
) -> Tensor:
    if not input.typed(dtype).floating:
        raise Fault(f"a mean is taken of floats, not of {input.dtype}", "`x.float()`")
    return reduced(input, dim, keepdim).typed(dtype)


def averaged_floats(input: Tensor, dim: Any, keepdim: bool, dtype: str | None) -> Tensor:
    """nanmean, in which a dtype does not make floats of integers."""
    require_float(input)
    require_real(input)
    return averaged(input, dim, keepdim, dtype)


def extreme(input: Tensor, dim: Any = None, keepdim: bool = False, other: Any = None) -> Any:
    """torch.max and min: of all, along a dimension, or of two tensors."""
    require_real(input)
    if other is not None:
        require_real(other)
        return combined(input, other)
    _require_some(input, dim)
    return input.sized() if dim is None else _pair(reduced(input, dim, keepdim))


def extremes(input: Tensor, dim: Any, keepdim: bool) -> Tensor:
    """amax and amin, over several dimensions."""
    require_real(input)
    _require_some(input, None if dim == () else dim)
    return reduced(input, dim, keepdim)


def bounds(input: Tensor, dim: int | None, keepdim: bool) -> Bounds:
    require_real(input)
    result = reduced(input, dim, keepdim)
    return Bounds(result, result)


def position(input: Tensor, dim: int | None, keepdim: bool) -> Tensor:
    """argmax and argmin."""
    _require_number(input)
    _require_some(input, dim)
    return reduced(input, dim, keepdim).typed("int64")


def middle(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """The median, of all or along a dimension."""
    _require_number(input)
    return extreme(input, dim, keepdim) if dim is not None else input.sized()


def commonest(input: Tensor, dim: int, keepdim: bool) -> Ordered:
    require_real(input)
    _require_some(input, dim)
    return _pair(reduced(input, dim, keepdim))


def ranked(input: Tensor, k: Dim, dim: int, keepdim: bool) -> Ordered:
    """kthvalue: the k-th smallest."""
    _require_number(input)
    _require_at_most(k, input, dim, least=1)
    return _pair(reduced(input, dim, keepdim))


def spread(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """A variance or standard deviation."""
    require_float(input)
    return reduced(input, dim, keepdim).typed(dtypes.real(input.dtype))


def spread_and_mean(input: Tensor, dim: Any = None, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    return spread(input, dim, keepdim), reduced(input, dim, keepdim)


def norm(input: Tensor, dim: Any = None, keepdim: bool = False, dtype: str | None = None) -> Tensor:
    require_float(input)
    if dtype is not None and dtypes.category(dtype) != dtypes.category(input.dtype):
        raise Fault(f"dtype must be of the kind of {input.dtype}, not {dtype}")
    return reduced(input, dim, keepdim).typed(dtypes.real(dtype or input.dtype))


def linalg_norm(input: Tensor, ord: Any, dim: Any, keepdim: bool, dtype: str | None) -> Tensor:
    """A vector's or a matrix's norm."""
    count = len(dim) if isinstance(dim, tuple) else 1
    if dim is None and ord is not None and len(shape_of(input)) > 2:
        raise Fault("with an order and no dim, the tensor must have 1 or 2 dimensions")
    if dim is not None and ord is not None and count > 2:
        raise Fault("dim names one dimension or two")
    matrix = count == 2 or (dim is None and len(shape_of(input)) == 2)
    if matrix and ord in (2, -2, "nuc") and input.dtype in ("float16", "bfloat16"):
        raise Fault(f"this norm of a matrix does not take {input.dtype}")
    return norm(input, dim, keepdim, dtype)


def distance(input: Tensor, other: Tensor) -> Tensor:
    result: Tensor = subtracted(input, other)
    require_float(result)
    return result.sized().typed(dtypes.real(result.dtype))


def log_summed(input: Tensor, dim: Any, keepdim: bool) -> Tensor:
    return reduced(input if input.floating else input.typed("float32"), dim, keepdim)


def judged(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """any and all."""
    return reduced(input, dim, keepdim).typed("uint8" if input.dtype == "uint8" else "bool")


def counted(input: Tensor, dim: Any) -> Tensor:
    return reduced(input, dim).typed("int64")


def quantile(input: Tensor, q: Any, dim: int | None, keepdim: bool) -> Tensor:
    if input.dtype not in ("float32", "float64"):
        raise Fault(f"it takes float32 or float64, not {input.dtype}")
    _require_some(input, dim)
    result = reduced(input, dim, keepdim)
    if not isinstance(q, Tensor):
        return result
    if len(shape_of(q)) > 1 or q.dtype != input.dtype:
        raise Fault(f"q is a number or a vector of {input.dtype}, not {q} of {q.dtype}")
    return input.sized(*shape_of(q), *shape_of(result))


def scanned(input: Tensor, dim: int, dtype: str | None = None) -> Tensor:
    """cumsum and cumprod, in which integers and booleans become int64."""
    axis(dim, len(shape_of(input)))
    return input.typed(dtype or (None if input.floating else "int64"))


def log_scanned(input: Tensor, dim: int) -> Tensor:
    axis(dim, len(shape_of(input)))
    require_float(input)
    return input


def scanned_extreme(input: Tensor, dim: int) -> Ordered:
    axis(dim, len(shape_of(input)))
    require_real(input)
    return _pair(input)


def along(input: Tensor, dim: int, dtype: str | None = None) -> Tensor:
    """Softmax and its kin."""
    axis(dim, len(shape_of(input)))
    result = input.typed(dtype)
    if dtypes.category(result.dtype) != dtypes.FLOAT:
        raise Fault(f"it takes real floats, not {result.dtype}")
    return result


def greatest(input: Tensor, k: Dim, dim: int) -> Ordered:
    """topk: the k greatest or least."""
    _require_number(input)
    where = _require_at_most(k, input, dim, least=0)
    shape = shape_of(input)
    return _pair(input.sized(*shape[:where], k, *shape[where + 1 :]) if shape else input)


def sorted_along(input: Tensor, dim: int) -> Ordered:
    require_real(input)
    axis(dim, len(shape_of(input)))
    return _pair(input)


def order(input: Tensor, dim: int) -> Tensor:
    return sorted_along(input, dim).indices


def differences(input: Tensor, n: int, dim: int) -> Tensor:
    shape = list(shape_of(input))
    if not shape:
        raise Fault("a tensor without dimensions has no differences")
    if n < 0:
        raise Fault(f"n must be at least 0, not {n}")
    where = axis(dim, len(shape))
    known = value_of(shape[where])
    left = shape[where] - n
    shape[where] = maximum(left, 0) if known is not None and known < n else left
    return input.sized(*shape)


def _pair(values: Tensor) -> Ordered:
    return Ordered(values, replace(values, dtype="int64"))


def _require_number(input: Tensor) -> None:
    if dtypes.category(input.dtype) in (dtypes.BOOL, dtypes.COMPLEX):
        raise Fault(f"it takes real numbers, not {input.dtype}")


def _require_some(input: Tensor, dim: Any) -> None:
    shape = shape_of(input)
    chosen = (
        shape if dim is None else [shape[axis(i, len(shape))] for i in as_sizes((dim,)) if shape]
    )
    if any(value_of(size) == 0 for size in chosen):
        raise Fault("there is nothing to choose from: a dimension has no elements")


def _require_at_most(k: Dim, input: Tensor, dim: int, least: int) -> int:
    shape = shape_of(input)
    where = axis(dim, len(shape))
    size = shape[where] if shape else 1
    count, limit = value_of(k), value_of(size)
    if count is not None and (count < least or (limit is not None and count > limit)):
        raise Fault(f"k must be from {least} to {size}, the size of dimension {dim}, not {k}")
    return where
