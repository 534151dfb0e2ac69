"""What a step of a spec says, read without nngen: its parts, its values, the layer of torch.nn, the draws."""

from __future__ import annotations

import fnmatch
import inspect
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nngen.catalog import LAYERS

Names = Mapping[str, Any]

# The words that torch's arguments take; any other text is Python.
WORDS = frozenset(
    ("valid", "same", "zeros", "reflect", "replicate", "circular", "none", "mean", "sum", "max")
    + ("batchmean", "tanh", "relu", "gelu", "nearest", "linear", "bilinear", "bicubic", "trilinear")
    + (
        "auto",
        "accurate",
        "balanced",
        "compact",
        "aspect_ratio",
        *(f"aspect_ratio:{2**n}" for n in range(7)),
    )
    + ("area", "nearest-exact", "leaky_relu", "sigmoid", "selu", "fan_in", "fan_out")
)
PYTHON = {
    "torch": torch,
    "F": F,
    "sqrt": math.sqrt,
    "prod": math.prod,
    "min": min,
    "max": max,
    "len": len,
}


def _last(kind: str, x: Tensor, *_: Any) -> int:
    return x.shape[-1]


def _second(kind: str, x: Tensor, *_: Any) -> int:
    return x.shape[1]


def _channels(kind: str, x: Tensor, *_: Any) -> int:
    return x.shape[-1 - int(kind[-2])]


# The arguments that the input decides.
INFERRED: dict[str, Callable[..., int]] = {
    "in_features": _last,
    "in1_features": _last,
    "in2_features": lambda kind, x, other: other.shape[-1],
    "in_channels": _channels,
    "num_features": lambda kind, x: (_channels if "Instance" in kind else _second)(kind, x),
    "num_channels": _second,
    "normalized_shape": _last,
    "input_size": _last,
    "embed_dim": _last,
    "d_model": _last,
}


def parts(step: Any) -> tuple[str, Any, Any, dict[str, Any]]:
    """A layer's kind, its name, its arguments, and what stands beside it."""
    (head, given), *beside = as_mapping(step).items()
    kind, _, name = head.partition(" as ")
    return kind, name or None, given, dict(beside)


def as_mapping(step: Any) -> dict[str, Any]:
    return {step: None} if isinstance(step, str) else step


def is_line(step: Any) -> bool:
    return isinstance(step, str) and "=" in step


def evaluate(value: Any, names: Names) -> Any:
    """A value of the spec: a word, a number, a list of such, or Python over sizes."""
    if isinstance(value, list):
        return tuple(evaluate(item, names) for item in value)
    if not isinstance(value, str) or value in WORDS:
        return value
    return eval(value, {**PYTHON, **names})


def arguments(declared: Names, given: Names, names: Names) -> dict[str, Any]:
    """The constructor arguments of a class: as given, else by default."""
    return {
        name: evaluate(given[name], names) if name in given else evaluate(default, {})
        for name, default in declared.items()
    }


def by_name(body: Names, given: Any) -> Names:
    """The arguments of a block's use; a lone value is the first that is required, else the first."""
    if given is None or isinstance(given, Mapping):
        return given or {}
    declared = body.get("args", {})
    required = [name for name, default in declared.items() if default == "required"]
    return {(required or list(declared))[0]: given}


def build_layer(kind: str, given: Any, names: Names, inputs: Sequence[Any]) -> nn.Module:
    """A layer of torch.nn with the arguments that the spec gives and those that the input decides."""
    cls = getattr(nn, kind)
    parameters = inspect.signature(cls.__init__).parameters
    own = [name for name in parameters if name != "self"]
    if issubclass(cls, nn.RNNBase):
        own = ["input_size", "hidden_size"]  # their constructors take *args
    if given is not None and not isinstance(given, Mapping):
        required = [
            n
            for n in own
            if n not in parameters or parameters[n].default is inspect.Parameter.empty
        ]
        wanted = [n for n in required if n not in INFERRED]
        given = {(wanted or own)[0]: given}
    values = {
        name: argument(kind, name, value, names, inputs) for name, value in (given or {}).items()
    }
    for name in own:
        if name in INFERRED and name not in values:
            values[name] = INFERRED[name](kind, *inputs[: 2 if kind == "Bilinear" else 1])
    module: nn.Module = cls(**values)
    return module


def argument(kind: str, name: str, value: Any, names: Names, inputs: Sequence[Any]) -> Any:
    """One argument as torch takes it: a layer, a function, a tensor, or a value."""
    if name == "options" and value is not None:
        given = {
            key: evaluate(f"torch.{v}" if key == "acc_dtype" and v else v, {})
            for key, v in value.items()
        }
        return nn.LinearCrossEntropyOptions(**given)
    if isinstance(value, Mapping):
        ((inner, given),) = value.items()
        return build_layer(inner, given, names, inputs)
    if isinstance(value, str) and value in LAYERS:
        return build_layer(value, None, names, inputs)
    if name == "distance_function" and value is not None:
        return getattr(F, value)
    found = evaluate(value, names)
    if name in ("weight", "pos_weight") and found is not None:
        return torch.tensor(found, dtype=torch.float32)
    return found


def matches(pattern: str, owner: nn.Module, name: str, key: str) -> bool:
    """Whether a rule is about a parameter: by its key, or by the kind of layer that owns it."""
    kind, _, parameter = pattern.partition(".")
    by_kind = parameter == name and isinstance(owner, getattr(nn, kind, ()))
    return by_kind or fnmatch.fnmatchcase(key, pattern)


def draw(parameter: Tensor, rule: Any, names: Names) -> None:
    """Draws a parameter by a rule: `zeros_`, `{normal_: {std: 0.02}}`, `{constant_: 1}`."""
    ((function, given),) = as_mapping(rule).items()
    initialize = getattr(nn.init, function)
    if given is not None and not isinstance(given, Mapping):
        given = {list(inspect.signature(initialize).parameters)[1]: given}
    fans = {}
    if parameter.dim() > 1:
        fans = dict(zip(("fan_in", "fan_out"), nn.init._calculate_fan_in_and_fan_out(parameter)))
    initialize(parameter, **{k: evaluate(v, {**names, **fans}) for k, v in (given or {}).items()})


def filled(name: str, names: Names) -> str:
    """A name with its `${…}` evaluated."""
    return re.sub(r"\$\{(.*?)\}", lambda match: str(evaluate(match[1], names)), name)
