"""Runs a model once, and keeps what each module was given and gave; the model is afterwards as it was."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from nngen.importer.refusal import ImportRefused, class_at, raised_at


@dataclass(frozen=True)
class Call:
    """The first call of a module.

    Attributes:
        args, keywords: what it was given.
        output: what it gave.
        number: how often it was called.
    """

    args: tuple[Any, ...]
    keywords: Mapping[str, Any]
    output: Any
    number: int = 1


def captured(model: nn.Module, inputs: Mapping[str, Tensor]) -> dict[str, Call]:
    """The first call of each module, by its name; "" is the model.

    Raises:
        ImportRefused: the model does not run on the inputs, or has hooks of its own.
    """
    twin = copy.deepcopy(model).train()
    for name, module in twin.named_modules(remove_duplicate=False):
        if module._forward_hooks or module._forward_pre_hooks:
            raise ImportRefused(
                f"{name or 'the model'} has hooks, which no spec can say", class_at(type(module))
            )
    calls: dict[str, Call] = {}
    for name, module in twin.named_modules():
        module.register_forward_hook(_keeping(calls, name), with_kwargs=True)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        try:
            if type(model).forward is nn.Sequential.forward:  # whatever its one input is called
                twin(*inputs.values())
            else:
                twin(**inputs)
        except Exception as error:
            raise ImportRefused(
                f"the model does not run on these inputs: {type(error).__name__}: {error}",
                raised_at(error),
                "give forward's inputs by their names, --input x=2,3,224,224",
            ) from error
    return calls


def _keeping(calls: dict[str, Call], name: str) -> Any:
    def keep(module: nn.Module, args: Any, keywords: Any, output: Any) -> None:
        first = calls.get(name)
        if first is None:
            calls[name] = Call(args, keywords, output)
        else:
            calls[name] = Call(first.args, first.keywords, first.output, first.number + 1)

    return keep
