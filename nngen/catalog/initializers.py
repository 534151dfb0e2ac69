"""The initializers of torch.nn.init that a spec may draw parameters with; the parameter itself goes first."""

from __future__ import annotations

from nngen.catalog.signature import Signature, signature

_NONLINEARITY = "'linear' | 'sigmoid' | 'tanh' | 'relu' | 'leaky_relu' | 'selu'"
_FAN = f"mode: 'fan_in' | 'fan_out' = 'fan_in', nonlinearity: {_NONLINEARITY} = 'leaky_relu'"

INITIALIZERS: dict[str, Signature] = {
    "zeros_": signature(""),
    "ones_": signature(""),
    "eye_": signature(""),
    "constant_": signature("val: float"),
    "normal_": signature("mean: float = 0.0, std: nonnegative = 1.0"),
    "trunc_normal_": signature(
        "mean: float = 0.0, std: nonnegative = 1.0, a: float = -2.0, b: float = 2.0"
    ),
    "uniform_": signature("a: float = 0.0, b: float = 1.0"),
    "xavier_uniform_": signature("gain: float = 1.0"),
    "xavier_normal_": signature("gain: float = 1.0"),
    "kaiming_uniform_": signature(f"a: float = 0, {_FAN}"),
    "kaiming_normal_": signature(f"a: float = 0, {_FAN}"),
    "orthogonal_": signature("gain: float = 1"),
}

# How many dimensions a parameter must have, at least and at most, for those that are particular.
DIMENSIONS: dict[str, tuple[int, int | None]] = {
    "eye_": (2, 2),
    **dict.fromkeys(("xavier_uniform_", "xavier_normal_", "orthogonal_"), (2, None)),
    **dict.fromkeys(("kaiming_uniform_", "kaiming_normal_"), (2, None)),
}
