"""Rules of operations element by element: what broadcasts, and which dtype comes out."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from nngen.errors import Fault
from nngen.symbolic import dtypes
from nngen.symbolic.broadcasting import broadcast
from nngen.symbolic.rules.common import require_float, require_real
from nngen.symbolic.tensor import UNKNOWN, Tensor, combined, compared, promote
from nngen.symbolic.tensor import bitwise as _bitwise
from nngen.symbolic.tensor import divided as _divided
from nngen.symbolic.tensor import powered as _powered
from nngen.symbolic.tensor import quotient as _quotient
from nngen.symbolic.tensor import subtracted as _subtracted


def numeric(input: Tensor) -> Tensor:
    """What torch has for numbers but not for bool."""
    if input.dtype == "bool":
        raise Fault("it takes numbers, not bool", "`x.float()`")
    return input


def ordered(input: Tensor) -> Tensor:
    """What torch has for real numbers."""
    if dtypes.category(input.dtype) in (dtypes.BOOL, dtypes.COMPLEX):
        raise Fault(f"it takes real numbers, not {input.dtype}")
    return input


def real_floats(input: Tensor) -> Tensor:
    """What torch has for real floats alone."""
    if dtypes.category(input.dtype) != dtypes.FLOAT:
        raise Fault(f"it takes real floats, not {input.dtype}")
    return input


def real_to_float(input: Tensor) -> Tensor:
    """What makes floats of all but complex numbers."""
    require_real(input)
    return input if input.floating else input.typed("float32")


def absolute(input: Tensor) -> Tensor:
    return numeric(input).typed(dtypes.real(input.dtype))


def angle(input: Tensor) -> Tensor:
    return input.typed(dtypes.real(input.dtype) if input.floating else "float32")


def squared(input: Tensor) -> Tensor:
    return input.typed("int64") if input.dtype == "bool" else input


def rounded(input: Tensor, decimals: int) -> Tensor:
    return real_floats(input) if decimals else ordered(input)


def signed(input: Tensor) -> Tensor:
    require_real(input)
    return input


def asked(input: Tensor) -> Tensor:
    """A question to each element."""
    return input.typed("bool")


def asked_of_reals(input: Tensor) -> Tensor:
    return signed(input).typed("bool")


def real_part(input: Tensor) -> Tensor:
    return input.typed(dtypes.real(input.dtype))


def imaginary_part(input: Tensor) -> Tensor:
    if dtypes.category(input.dtype) != dtypes.COMPLEX:
        raise Fault(f"{input.dtype} has no imaginary part")
    return real_part(input)


def arithmetic(input: Any, other: Any, alpha: Any = 1) -> Any:
    if isinstance(alpha, float) and not promoted(input, other).floating:
        raise Fault("alpha is a whole number where the tensors hold whole numbers")
    return combined(input, other)


def subtracted(input: Any, other: Any, alpha: Any = 1) -> Any:
    _subtracted(input, other)
    return arithmetic(input, other, alpha)


def promoted(input: Any, other: Any) -> Any:
    return combined(input, other)


def quotient(input: Any, other: Any, rounding_mode: str | None = None) -> Any:
    if rounding_mode is None:
        return _quotient(input, other)
    return divided(input, other)


def divided(input: Any, other: Any) -> Any:
    return _divided(input, other)


def powered(input: Any, exponent: Any) -> Any:
    return _powered(input, exponent)


def bitwise(input: Any, other: Any) -> Any:
    return _bitwise(input, other)


def inverted(input: Tensor) -> Any:
    return _bitwise(input)


def compared_with(input: Any, other: Any) -> Any:
    return compared(input, other)


def ordered_with(input: Any, other: Any) -> Any:
    """Which is greater."""
    require_real(combined(input, other))
    return compared(input, other)


def of_reals(input: Tensor, other: Tensor) -> Tensor:
    """Two tensors of real numbers."""
    return signed(combined(input, other))


def floats_of_reals(input: Any, other: Any) -> Tensor:
    return real_to_float(combined(input, other))


def of_real_floats(input: Tensor, other: Tensor) -> Tensor:
    return real_floats(combined(input, other))


def clamped(input: Tensor, min: Any = None, max: Any = None) -> Any:
    given = [bound for bound in (min, max) if bound is not None]
    if not given:
        raise Fault("at least one of min and max must be given")
    if any(isinstance(bound, Tensor) for bound in given) != all(
        isinstance(bound, Tensor) for bound in given
    ):
        raise Fault("min and max are both numbers or both tensors")
    result = combined(input, *given)
    if dtypes.category(result.dtype) in (dtypes.BOOL, dtypes.COMPLEX):
        raise Fault(f"it takes real numbers, not {result.dtype}")
    return result


def interpolated(input: Tensor, end: Tensor, weight: Any) -> Tensor:
    tensors = [value for value in (input, end, weight) if isinstance(value, Tensor)]
    require_float(input)
    if any(tensor.dtype != input.dtype for tensor in tensors):
        raise Fault("the tensors must be of one dtype")
    return replace(input, shape=broadcast(*(tensor.shape for tensor in tensors)))


def addc(input: Tensor, tensor1: Tensor, tensor2: Tensor) -> Any:
    return combined(input, tensor1, tensor2)


def addc_quotient(input: Tensor, tensor1: Tensor, tensor2: Tensor) -> Any:
    if not tensor1.floating and not tensor2.floating:
        raise Fault("whole numbers are not divided here", "`tensor1.float()`")
    return combined(input, tensor1, tensor2)


def chosen(condition: Tensor, input: Any = None, other: Any = None) -> Any:
    """torch.where: elements of one or the other; of the condition alone, where it holds."""
    if input is None:
        return tuple(Tensor(None, "int64") for _ in condition.shape or (0,))
    if condition.dtype not in dtypes.MASKS:
        raise Fault(f"the condition must be of dtype bool, not {condition.dtype}")
    tensors = [value for value in (condition, input, other) if isinstance(value, Tensor)]
    shape = broadcast(*(tensor.shape for tensor in tensors))
    numbers = [0.0 if value is UNKNOWN else value for value in (input, other)]
    return Tensor(shape, promote(*numbers))


def close(input: Tensor, other: Tensor) -> Tensor:
    if input.dtype != other.dtype:
        raise Fault(f"the tensors must be of one dtype, not {input.dtype} and {other.dtype}")
    return input.typed("bool").sized(*(broadcast(input.shape, other.shape) or ()))


def filled_in(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """masked_fill: a number, or a tensor without dimensions, where the mask holds."""
    if mask.dtype != "bool":
        raise Fault(f"the mask must be of dtype bool, not {mask.dtype}", "`mask.bool()`")
    if isinstance(value, Tensor) and value.shape != ():
        raise Fault(f"the value is a number or a tensor without dimensions, not one of {value}")
    if (
        isinstance(value, float)
        and not math.isfinite(value)
        and dtypes.category(input.dtype) == dtypes.INTEGER
    ):
        raise Fault(f"{value} does not go into a tensor of {input.dtype}")
    return replace(input, shape=broadcast(input.shape, mask.shape))
