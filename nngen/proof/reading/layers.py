"""A layer of torch.nn with the arguments that a spec gives and those that the input decides."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrizations
from torch.nn.utils.rnn import PackedSequence

from nngen.proof.reading.python import Names, Unreadable, evaluated
from nngen.proof.reading.steps import Step, as_mapping, parts

MODIFIERS = ("weight_norm", "spectral_norm")

# The words that arguments take; any other text is Python.
WORDS: dict[str, frozenset[str]] = {
    argument: frozenset(words.split())
    for argument, words in {
        "padding": "valid same",
        "padding_mode": "zeros reflect replicate circular",
        "reduction": "none mean sum batchmean",
        "approximate": "none tanh",
        "mode": "nearest linear bilinear bicubic trilinear area nearest-exact mean sum max fan_in fan_out",
        "nonlinearity": "linear sigmoid tanh relu leaky_relu selu",
        "activation": "relu gelu",
        "distance_function": "pairwise_distance cosine_similarity l1_loss mse_loss",
    }.items()
}
# Arguments that are layers themselves.
_INNER = ("encoder_layer", "decoder_layer", "norm")


def _last(kind: str, x: Any, *_: Any) -> int:
    return int((x.data if isinstance(x, PackedSequence) else x).shape[-1])


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


@dataclass(frozen=True)
class Layer:
    """A layer to build.

    Attributes:
        kind: its class in torch.nn.
        arguments: its constructor's; a Layer is built before it.
        modifiers: weight norm or spectral norm, with their arguments.
    """

    kind: str
    arguments: Mapping[str, Any]
    modifiers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def build(self) -> nn.Module:
        """Builds it, its weights drawn by torch."""
        arguments = {
            name: value.build() if isinstance(value, Layer) else value
            for name, value in self.arguments.items()
        }
        module: nn.Module = _class(self.kind)(**arguments)
        for name, given in self.modifiers.items():
            getattr(parametrizations, name)(module, **given)
        return module


def layer(step: Step, names: Names, inputs: Sequence[Any]) -> Layer:
    """The layer of a step, for what flows into it.

    Raises:
        Unreadable: torch.nn has no such layer.
    """
    kind, _, given, beside = step
    cls = _class(kind)
    parameters = inspect.signature(cls.__init__).parameters
    own = [name for name in parameters if name != "self"]
    if issubclass(cls, nn.RNNBase):
        own = ["input_size", "hidden_size"]  # their constructors take *args
    if given is not None and not isinstance(given, Mapping):
        needed = [n for n in own if n not in parameters or _is_required(parameters[n])]
        wanted = [name for name in needed if name not in INFERRED]
        given = {(wanted or own)[0]: given}
    values = {name: _argument(name, value, names, inputs) for name, value in (given or {}).items()}
    for name in own:
        if name in INFERRED and name not in values:
            values[name] = INFERRED[name](kind, *inputs[: 2 if kind == "Bilinear" else 1])
    modifiers = {name: evaluated(beside[name] or {}, names) for name in MODIFIERS if name in beside}
    return Layer(kind, values, modifiers)


def _class(kind: str) -> type[nn.Module]:
    """A class of torch.nn.

    Raises:
        Unreadable: torch.nn has none of that name.
    """
    cls = getattr(nn, kind, None)
    if isinstance(cls, type) and issubclass(cls, nn.Module):
        return cls
    raise Unreadable(f"the layer {kind!r}")


def _is_required(parameter: inspect.Parameter) -> bool:
    return parameter.default is inspect.Parameter.empty


def _argument(name: str, value: Any, names: Names, inputs: Sequence[Any]) -> Any:
    """One argument as torch takes it: a layer, a function, a tensor, options, or a value."""
    if name in _INNER and value is not None:
        return layer(parts(as_mapping(value)), names, inputs)
    if name == "options" and value is not None:
        return nn.LinearCrossEntropyOptions(**{key: _option(key, v) for key, v in value.items()})
    if name == "distance_function" and value in WORDS[name]:
        return getattr(F, value)
    found = evaluated(value, names, WORDS.get(name, frozenset()))
    if name in ("weight", "pos_weight") and found is not None:
        return torch.tensor(found, dtype=torch.float32)
    return found


def _option(name: str, value: Any) -> Any:
    """One of the options of LinearCrossEntropyLoss; a text is a word."""
    return getattr(torch, value) if name == "acc_dtype" and value == "float32" else value


def in_order(kind: str, inputs: Sequence[Any], named: Names) -> dict[str, Any]:
    """What a layer is called with, by the names of its forward's arguments, in their order."""
    signature = inspect.signature(_class(kind).forward)
    bound = signature.bind(None, *inputs, **named).arguments
    return dict(list(bound.items())[1:])


def operands_of(kind: str) -> list[str]:
    """The names of what a layer's forward takes."""
    return list(inspect.signature(_class(kind).forward).parameters)[1:]
