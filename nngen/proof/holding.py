"""A stateless model as a module that holds its parameters and buffers, so that it is checked as the twins are."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from nngen.proof.bits import difference
from nngen.proof.twin import Twin, calls


class StateChanged(Exception):
    """A call changed what it was given, or gave other buffers than it was given."""


class Holding(nn.Module):
    """Holds what a stateless model gives from `init`, and passes it to each call.

    Args:
        model: the stateless model.
        like: the nn twin, which says what further names a tied parameter has, and which buffers are not saved.
    """

    def __init__(self, model: Any, like: nn.Module) -> None:
        super().__init__()
        self._stateless = model
        self._stateless_call: Callable[..., Any] = model
        params, buffers = model.init()
        self._keys = tuple(params)
        saved = like.state_dict().keys()
        first = {id(one): name for name, one in like.named_parameters()}
        held = {name: nn.Parameter(value) for name, value in params.items()}
        names, before = list(params), 0
        for name, one in like.named_parameters(remove_duplicate=False):
            if first[id(one)] != name and name not in held and first[id(one)] in held:
                held[name] = held[first[id(one)]]
                names.insert(before, name)
            before = names.index(name) + 1 if name in held else before
        for name in names:
            owner, last = self._owner(name)
            owner.register_parameter(last, held[name])
        for name, buffer in buffers.items():
            owner, last = self._owner(name)
            owner.register_buffer(last, buffer, persistent=name in saved)

    def _owner(self, name: str) -> tuple[nn.Module, str]:
        """The module that has the last part of a name, made where it is not there."""
        *path, last = name.split(".")
        owner: nn.Module = self
        for part in path:
            if part not in owner._modules:
                owner.add_module(part, nn.Module())
            owner = owner.get_submodule(part)
        return owner, last

    def called(self, *given: Any) -> Any:
        """What the stateless model itself gives."""
        return self._stateless(*given, training=self.training)

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Compile the stateless model's own call, as its users do: not what stands around it here."""
        self._stateless_call = torch.compile(self._stateless.__call__, *args, **kwargs)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the parameters, in the order in which `init` gives them."""
        return self._keys

    def forward(self, *inputs: Tensor) -> object:
        """The model's outputs; its new buffers are kept.

        Raises:
            StateChanged: the call was not pure.
        """
        return self._call(self._stateless_call, inputs)

    @property
    def loss(self) -> Callable[..., object]:
        """The model's loss, given what it reads of parameters and buffers."""
        given = inspect.signature(self._stateless.loss)
        if "training" not in given.parameters:
            function: Callable[..., object] = self._stateless.loss
            return function
        found = partial(self._loss)
        plain = [each for each in given.parameters.values() if each.kind is not each.KEYWORD_ONLY]
        found.__signature__ = given.replace(parameters=plain[2:])  # type: ignore[attr-defined]
        return found

    def _loss(self, *arguments: Tensor) -> object:
        return self._call(self._stateless.loss, arguments)

    def _call(self, function: Callable[..., Any], arguments: tuple[Tensor, ...]) -> object:
        params = {key: one for key, one in self.named_parameters() if key in self._keys}
        buffers = dict(self.named_buffers())
        given = {**params, **buffers}
        compiling = torch.compiler.is_compiling()
        before = {} if compiling else _versions(given)
        kept = {} if compiling else {name: value.detach().clone() for name, value in given.items()}
        output = function(params, buffers, *arguments, training=self.training)
        if before and before != _versions(given):
            changed = [name for name, value in _versions(given).items() if value != before[name]]
            raise StateChanged(f"the call changes {', '.join(changed)} in place")
        changed = [name for name, value in kept.items() if difference(value, given[name].detach())]
        if changed:
            raise StateChanged(f"the call changes the values of {', '.join(changed)}")
        if not isinstance(output, tuple) or len(output) != 2 or not isinstance(output[1], dict):
            return output
        if output[1].keys() != buffers.keys():
            raise StateChanged(f"the call gives the buffers {', '.join(output[1])}")
        with torch.no_grad():
            for name, value in output[1].items():
                if value is not buffers[name]:
                    buffers[name].copy_(value)
        return output[0]


def _versions(tensors: Mapping[str, Tensor]) -> dict[str, int]:
    """How often each tensor was changed in place."""
    return {name: one._version for name, one in tensors.items() if not one.is_inference()}


@dataclass(frozen=True)
class StatelessTwin(Twin):
    """The model in a style whose classes own nothing."""

    owns_state: ClassVar[bool] = False

    def build(self, arguments: Mapping[str, Any], like: nn.Module | None = None) -> nn.Module:
        assert like is not None
        return Holding(getattr(self.module, self.name)(**arguments), like)

    def call(self, model: nn.Module, state: Mapping[str, Tensor], inputs: Sequence[Tensor]) -> Any:
        """The model, called with this state."""
        assert isinstance(model, Holding)
        buffers = {name: state.get(name, one) for name, one in model.named_buffers()}
        params = {key: state[key] for key in model.keys}
        output, _ = model.called(params, buffers, *inputs)
        return output

    def calls(self, model: nn.Module) -> dict[str, str]:
        """The same, without the dicts and the mode, which modules have in themselves."""
        assert isinstance(model, Holding)
        kind = type(model._stateless)
        dicts = tuple(inspect.signature(kind.__call__).parameters)[1:3]
        return calls(kind, "__call__", (*dicts, "training"))
