"""Arithmetic, comparison and mathematical functions, element by element."""

from __future__ import annotations

from nngen.catalog.entry import both, function
from nngen.catalog.traits import Trait
from nngen.symbolic.rules import common, reductions
from nngen.symbolic.rules import elementwise as rules

_ONE = "input: Tensor"
_TWO = "input: Tensor, other: Tensor"
_OPERAND = "input: Tensor, other: float | bool | Tensor"
_ALONG = "input: Tensor, dim: int, dtype: dtype | None = None"

_TO_FLOAT = (
    "acos acosh arccos arccosh asin asinh arcsin arcsinh atan atanh arctan arctanh cos cosh expm1 log log10 log1p "
    "log2 reciprocal rsqrt sin sinc sinh sqrt tan exp2"
)
_REALS_TO_FLOAT = "deg2rad rad2deg digamma lgamma erf erfc erfinv"

FUNCTIONS = (
    function(both(_TO_FLOAT), _ONE, common.floating),
    function(both("exp"), _ONE, common.floating, traits=Trait.NONNEGATIVE),
    function(both("sigmoid"), _ONE, common.floating, traits=Trait.SIGMOID),
    function(both("tanh"), _ONE, common.floating, traits=Trait.TANH),
    function(both(_REALS_TO_FLOAT), _ONE, rules.real_to_float),
    function(both("logit"), "input: Tensor, eps: float | None = None", rules.real_to_float),
    function(both("neg negative"), _ONE, rules.numeric),
    function(both("positive"), _ONE, rules.numeric, traits=Trait.ALIAS),
    function(both("abs absolute"), _ONE, rules.absolute, traits=Trait.NONNEGATIVE),
    function(both("angle"), _ONE, rules.angle),
    function(both("square"), _ONE, rules.squared),
    function(both("ceil floor trunc fix"), _ONE, rules.ordered),
    function(both("relu"), _ONE, rules.ordered, traits=Trait.RELU),
    function(both("round"), "input: Tensor, *, decimals: int = 0", rules.rounded),
    function(both("frac"), _ONE, rules.real_floats),
    function(both("sign"), _ONE, rules.signed),
    function(both("sgn"), _ONE, common.unchanged),
    function(
        both("nan_to_num"),
        "input: Tensor, nan: float | None = None, posinf: float | None = None, neginf: float | None = None",
        common.unchanged,
    ),
    function(both("conj"), _ONE, common.unchanged, traits=Trait.ALIAS),
    function("torch.real", _ONE, rules.real_part, traits=Trait.ALIAS),
    function("torch.imag", _ONE, rules.imaginary_part, traits=Trait.ALIAS),
    function(both("isnan isinf isfinite logical_not"), _ONE, rules.asked),
    function(both("isposinf isneginf signbit"), _ONE, rules.asked_of_reals),
    # Two operands
    function(
        both("add"),
        "input: Tensor, other: float | bool | Tensor, *, alpha: float = 1",
        rules.arithmetic,
    ),
    function(
        both("sub subtract"),
        "input: Tensor, other: float | bool | Tensor, *, alpha: float = 1",
        rules.subtracted,
    ),
    function(both("mul multiply"), _OPERAND, rules.promoted),
    function(
        both("div divide"),
        "input: Tensor, other: float | bool | Tensor, *, rounding_mode: 'trunc' | 'floor' | None = None",
        rules.quotient,
    ),
    function(both("true_divide"), _OPERAND, rules.quotient),
    function(both("floor_divide remainder fmod"), _OPERAND, rules.divided),
    function("torch.pow", "input: float | Tensor, exponent: float | bool | Tensor", rules.powered),
    function("Tensor.pow", "input: Tensor, exponent: float | bool | Tensor", rules.powered),
    function(both("maximum minimum fmax fmin"), _TWO, rules.of_reals),
    function(both("atan2 arctan2"), _TWO, rules.floats_of_reals),
    function(both("copysign"), _OPERAND, rules.floats_of_reals),
    function(both("hypot logaddexp logaddexp2"), _TWO, rules.of_real_floats),
    function(both("xlogy"), _OPERAND, rules.floats_of_reals),
    function(
        both("lerp"), "input: Tensor, end: Tensor, weight: float | Tensor", rules.interpolated
    ),
    function(
        both("addcmul"),
        "input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1",
        rules.addc,
    ),
    function(
        both("addcdiv"),
        "input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1",
        rules.addc_quotient,
    ),
    function(
        both("clamp clip"),
        "input: Tensor, min: float | Tensor | None = None, max: float | Tensor | None = None",
        rules.clamped,
    ),
    function(
        "torch.clamp_min Tensor.clamp_min", "input: Tensor, min: float | Tensor", rules.clamped
    ),
    function(
        "torch.clamp_max Tensor.clamp_max", "input: Tensor, max: float | Tensor", rules.clamped
    ),
    function(both("eq ne not_equal"), _OPERAND, rules.compared_with),
    function(
        both("lt le gt ge less less_equal greater greater_equal"), _OPERAND, rules.ordered_with
    ),
    function(both("logical_and logical_or logical_xor"), _TWO, rules.compared_with),
    function(both("bitwise_and bitwise_or bitwise_xor"), _OPERAND, rules.bitwise),
    function(both("bitwise_not"), _ONE, rules.inverted),
    function(
        both("isclose"),
        "input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False",
        rules.close,
    ),
    function(both("softmax"), _ALONG, reductions.along, traits=Trait.SOFTMAX),
    function(both("log_softmax"), _ALONG, reductions.along, traits=Trait.LOG_SOFTMAX),
)
