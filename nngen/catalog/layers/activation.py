"""Activations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from typing import Any

from nngen.catalog.entry import Check, Function, Layer, example, function, parameter
from nngen.catalog.signature import signature
from nngen.catalog.traits import Trait
from nngen.symbolic.rules import activations, common

_INPLACE = "inplace: bool = False"
_IN_PLACE_USES: Sequence[Mapping[str, Any]] = ({}, {"inplace": True}, {"inplace": False})
_WIDE = {"shape": [4, 3], "below": 9}
_RECTIFIER = Trait.ACTIVATION | Trait.RECTIFIER


def _activation(
    name: str,
    call: str,
    doc: str,
    arguments: str = "",
    uses: Sequence[Mapping[str, Any]] = ({}, {}, {}),
    shape: Callable[..., Any] = activations.real,
    checks: tuple[Check, ...] = (),
    samples: Sequence[Any] = ((4,), (4, 3), (2, 3, 4)),
    traits: Trait = Trait.ACTIVATION,
) -> tuple[Layer, Function]:
    """A layer, and the function to which it passes its arguments.

    Args:
        uses: the arguments of its examples.
        samples: the inputs of its examples, in turn.
    """
    keywords = "".join(f", {a}={a}" for a in signature(arguments).names)
    layer = Layer(
        name,
        doc,
        arguments,
        form=f"out = {call}(input{keywords})",
        checks=checks,
        examples=tuple(example(s, **use) for use, s in zip(uses, cycle(samples))),
    )
    taken = f"input: Tensor, {arguments}" if arguments else "input: Tensor"
    return layer, function(call, taken, shape, traits=traits)


def _along(name: str, call: str, doc: str, traits: Trait) -> tuple[Layer, Function]:
    """A layer that works along a dimension.

    Without `dim` torch guesses the dimension from the rank, and warns: here it is required.
    """
    layer = Layer(
        name,
        doc,
        "dim: int | None = None",
        form=f"out = {call}(input, dim=dim)",
        checks=(
            Check(
                "dim is not None",
                "dim",
                "`dim` must be said: torch would guess it from the rank",
                "`dim: 1` is the classes of (N, C), `dim: -1` the last dimension",
            ),
        ),
        examples=(
            example((4,), dim=1),
            example((4, 3), dim=-1),
            example((4, 3, 2), dim=2),
            example((4,), dim=0),
        ),
    )
    arguments = "input: Tensor, dim: int | None = None, *, dtype: dtype | None = None"
    return layer, function(call, arguments, activations.normalized, traits=traits)


def _slope(name: str) -> Check:
    """In place, torch takes the gradient from the output, which a negative slope makes ambiguous."""
    return Check(
        f"{name} >= 0 or not inplace",
        name,
        f"{name} ({{{name}}}) cannot be negative in place: torch has no gradient there",
    )


_PAIRS = (
    _activation(
        "ReLU",
        "F.relu",
        "x where it is above 0, elsewhere 0.",
        _INPLACE,
        _IN_PLACE_USES,
        shape=activations.numeric,
        traits=Trait.RELU,
    ),
    _activation(
        "ReLU6",
        "F.relu6",
        "x held between 0 and 6.",
        _INPLACE,
        _IN_PLACE_USES,
        shape=activations.numeric,
        traits=Trait.RELU,
        samples=((4,), _WIDE),
    ),
    _activation(
        "Hardtanh",
        "F.hardtanh",
        "x held between min_val and max_val.",
        f"min_val: float = -1.0, max_val: float = 1.0, {_INPLACE}",
        (
            {},
            {"min_val": -0.5, "max_val": 0.3},
            {"max_val": 2, "inplace": True},
            {"min_val": -1.0, "max_val": 1.0, "inplace": False},
        ),
        shape=activations.hardtanh,
        traits=Trait.TANH | Trait.IDEMPOTENT,
        checks=(
            Check(
                "max_val > min_val",
                "max_val",
                "max_val ({max_val}) must be greater than min_val ({min_val})",
            ),
        ),
    ),
    _activation(
        "Hardsigmoid",
        "F.hardsigmoid",
        "x / 6 + 1 / 2, held between 0 and 1.",
        _INPLACE,
        _IN_PLACE_USES,
        samples=((4,), _WIDE),
        traits=Trait.SIGMOID,
    ),
    _activation(
        "Hardswish",
        "F.hardswish",
        "x * hardsigmoid(x).",
        _INPLACE,
        _IN_PLACE_USES,
        samples=((4,), _WIDE),
        traits=_RECTIFIER,
    ),
    _activation(
        "ELU",
        "F.elu",
        "x where it is above 0, elsewhere alpha * (exp(x) - 1).",
        f"alpha: float = 1.0, {_INPLACE}",
        ({}, {"alpha": -0.5}, {"alpha": 2, "inplace": True}, {"alpha": 1.0, "inplace": False}),
        checks=(_slope("alpha"),),
    ),
    _activation(
        "CELU",
        "F.celu",
        "max(0, x) + min(0, alpha * (exp(x / alpha) - 1)).",
        f"alpha: float = 1.0, {_INPLACE}",
        ({}, {"alpha": -0.5}, {"alpha": 2, "inplace": True}, {"alpha": 1.0, "inplace": False}),
        shape=activations.celu,
        checks=(
            Check("alpha != 0", "alpha", "alpha cannot be 0: the function divides by it"),
            _slope("alpha"),
        ),
    ),
    _activation(
        "SELU",
        "F.selu",
        "A scaled ELU, whose scales keep mean and variance.",
        _INPLACE,
        _IN_PLACE_USES,
    ),
    _activation(
        "LeakyReLU",
        "F.leaky_relu",
        "x where it is above 0, elsewhere negative_slope * x.",
        f"negative_slope: float = 0.01, {_INPLACE}",
        (
            {},
            {"negative_slope": -0.2},
            {"negative_slope": 0.2, "inplace": True},
            {"negative_slope": 0.01, "inplace": False},
        ),
        checks=(_slope("negative_slope"),),
    ),
    _activation(
        "GELU",
        "F.gelu",
        "x times the normal distribution's cumulative function at x.",
        "approximate: 'none' | 'tanh' = 'none'",
        ({}, {"approximate": "tanh"}, {"approximate": "none"}),
        traits=_RECTIFIER,
    ),
    _activation(
        "SiLU",
        "F.silu",
        "x * sigmoid(x), also called swish.",
        _INPLACE,
        _IN_PLACE_USES,
        shape=activations.floating,
        traits=_RECTIFIER,
    ),
    _activation(
        "Mish", "F.mish", "x * tanh(softplus(x)).", _INPLACE, _IN_PLACE_USES, traits=_RECTIFIER
    ),
    _activation(
        "GLU",
        "F.glu",
        "One half of dimension dim times the sigmoid of the other half.",
        "dim: int = -1",
        ({}, {"dim": 1}, {"dim": -1}),
        shape=activations.glu,
        samples=((3, 4), (4, 3)),
        traits=Trait.NONE,
    ),
    _activation(
        "Hardshrink",
        "F.hardshrink",
        "x, and 0 where it is between -lambd and lambd.",
        "lambd: float = 0.5",
        ({}, {"lambd": 1.2}, {"lambd": 0.5}),
        traits=Trait.ACTIVATION | Trait.IDEMPOTENT,
    ),
    _activation(
        "Softshrink",
        "F.softshrink",
        "x drawn towards 0 by lambd, and 0 where it is between -lambd and lambd.",
        "lambd: float = 0.5",
        ({}, {"lambd": 0.2}, {"lambd": 0.5}),
        shape=activations.softshrink,
        checks=(Check("lambd >= 0", "lambd", "lambd ({lambd}) cannot be negative"),),
    ),
    _activation(
        "Threshold",
        "F.threshold",
        "x where it is above the threshold, elsewhere the value.",
        f"threshold: float, value: float, {_INPLACE}",
        (
            {"threshold": 0.1, "value": 20},
            {"threshold": -0.3, "value": -1.5, "inplace": True},
            {"threshold": 0, "value": 0.5, "inplace": False},
        ),
        shape=activations.threshold,
        traits=Trait.NONE,
    ),
    _activation(
        "Sigmoid",
        "torch.sigmoid",
        "Squeezes each value between 0 and 1: 1 / (1 + exp(-x)).",
        shape=common.floating,
        traits=Trait.SIGMOID,
    ),
    _activation(
        "Tanh",
        "torch.tanh",
        "Squeezes each value between -1 and 1: the hyperbolic tangent.",
        shape=common.floating,
        traits=Trait.TANH,
    ),
    _activation("Tanhshrink", "F.tanhshrink", "x - tanh(x).", shape=activations.smooth),
    _activation(
        "Softsign", "F.softsign", "x / (1 + |x|).", shape=activations.smooth, traits=Trait.TANH
    ),
    _activation(
        "LogSigmoid",
        "F.logsigmoid",
        "log(sigmoid(x)).",
        traits=Trait.ACTIVATION | Trait.LOG_PROBABILITY,
    ),
    _along(
        "Softmax",
        "F.softmax",
        "Makes the values along dimension dim positive, with sum 1.",
        Trait.SOFTMAX,
    ),
    _along(
        "LogSoftmax",
        "F.log_softmax",
        "The logarithm of the softmax along dimension dim.",
        Trait.LOG_SOFTMAX,
    ),
    _along("Softmin", "F.softmin", "The softmax of -x along dimension dim.", Trait.SOFTMAX),
)

LAYERS = (
    *(layer for layer, _ in _PAIRS),
    Layer(
        "Softplus",
        "log(1 + exp(beta * x)) / beta, and x where beta * x is above the threshold.",
        "beta: float = 1.0, threshold: float = 20.0",
        form="out = F.softplus(input, beta=beta, threshold=threshold)",
        examples=(
            example((4,)),
            example((4, 3), beta=2, threshold=0.5),
            example((4,), beta=1.0, threshold=20.0),
        ),
    ),
    Layer(
        "Softmax2d",
        "The softmax over the channels, at each position.",
        "",
        form="out = F.softmax(input, dim=-3)",
        shape=activations.softmax2d,
        stem="softmax",
        examples=(
            example((4, 3, 2)),
            example((1, 2, 2)),
            example({"shape": [4, 3, 2], "batch": False}),
        ),
    ),
    Layer(
        "PReLU",
        "x where it is above 0, elsewhere a learned slope times x: one slope, or one a channel.",
        "num_parameters: size = 1, init: float = 0.25",
        form="out = F.prelu(input, weight)",
        shape=activations.prelu,
        state=(parameter("weight", "torch.empty(num_parameters)"),),
        draw="nn.init.constant_(weight, init)",
        examples=(
            example((4,)),
            example((4, 3), num_parameters=4, init=0.1),
            example((4, 3, 2), num_parameters=1, init=-0.5),
            example((4,), num_parameters=4, init=0.25),
            example((4, 3), init=1),
        ),
    ),
    Layer(
        "RReLU",
        "x where it is above 0, elsewhere x times a slope drawn between lower and upper; "
        "in eval mode, times their mean.",
        f"lower: float = 0.125, upper: float = 0.3333333333333333, {_INPLACE}",
        form="out = F.rrelu(input, lower=lower, upper=upper, training=training, inplace=inplace)",
        checks=(
            Check("lower <= upper", "lower", "lower ({lower}) is greater than upper ({upper})"),
            Check(
                "lower + upper >= 0 or not inplace",
                "lower",
                "the mean of lower ({lower}) and upper ({upper}) cannot be negative in place: "
                "torch has no gradient there",
            ),
        ),
        examples=(
            example((4,)),
            example((4, 3), lower=0.1, upper=0.6),
            example((4, 3), lower=-0.2, upper=0.3, inplace=True),
            example((4,), lower=0.125, upper=0.3333333333333333, inplace=False),
        ),
    ),
)

FUNCTIONS = (
    *(entry for _, entry in _PAIRS),
    function("F.sigmoid", "input: Tensor", common.floating, traits=Trait.SIGMOID),
    function("F.tanh", "input: Tensor", common.floating, traits=Trait.TANH),
    function(
        "F.rrelu",
        "input: Tensor, lower: float = 0.125, upper: float = 0.3333333333333333, "
        "training: any = False, inplace: bool = False",
        activations.rrelu,
        traits=Trait.ACTIVATION,
    ),
    function(
        "F.softplus",
        "input: Tensor, beta: float = 1, threshold: float = 20",
        activations.real,
        traits=_RECTIFIER | Trait.NONNEGATIVE,
    ),
    function(
        "F.prelu",
        "input: Tensor, weight: Tensor",
        activations.prelu_function,
        traits=Trait.ACTIVATION,
    ),
    function(
        "F.gumbel_softmax",
        "logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1",
        activations.gumbel_softmax,
        traits=Trait.SOFTMAX,
    ),
)
