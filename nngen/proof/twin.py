"""One twin: its class, its tensors under the names that all twins share, its exceptions."""

from __future__ import annotations

import inspect
import linecache
import os
import traceback
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from nngen.emit.source_map import Span
from nngen.errors import Mark
from nngen.proof.report import Finding


@dataclass(frozen=True)
class Twin:
    """The model in one style.

    Args:
        style: its name: "nn".
        module: the module that holds the class.
        name: the class's name.
        shared: the nn twin's name for each of this twin's parameters and buffers.
        lines: for each line of the module, the step of the spec that made it.
        parts: the parts of lines that other steps made.
    """

    style: str
    module: ModuleType
    name: str
    shared: Mapping[str, str] = field(default_factory=dict)
    lines: Sequence[Mark | None] = ()
    parts: Sequence[Span] = ()
    owns_state: ClassVar[bool] = True

    def build(self, arguments: Mapping[str, Any], like: nn.Module | None = None) -> nn.Module:
        """Constructs the model.

        Args:
            arguments: the constructor's.
            like: the nn twin, where it is there already.
        """
        model: nn.Module = getattr(self.module, self.name)(**arguments)
        return model

    def parameters(self, model: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
        """The parameters by shared name; one that is tied comes under each of its names."""
        for name, parameter in model.named_parameters(remove_duplicate=False):
            yield self.shared.get(name, name), parameter

    def buffers(self, model: nn.Module) -> Iterator[tuple[str, Tensor]]:
        """The buffers by shared name, those that no state_dict holds among them."""
        for name, buffer in model.named_buffers(remove_duplicate=False):
            yield self.shared.get(name, name), buffer

    def state(self, model: nn.Module) -> Iterator[tuple[str, Tensor]]:
        """The parameters, then the buffers, by shared name."""
        yield from self.parameters(model)
        yield from self.buffers(model)

    def call(self, model: nn.Module, state: Mapping[str, Tensor], inputs: Sequence[Tensor]) -> Any:
        """The model, called with this state in place of its own."""
        return torch.func.functional_call(model, dict(state), tuple(inputs))

    def calls(self, model: nn.Module) -> dict[str, str]:
        """The arguments of the constructor, of forward and of loss, without their annotations."""
        return calls(type(model), "forward")

    def saved(self, model: nn.Module) -> set[str]:
        """The shared names of what a state_dict holds."""
        return {self.shared.get(key, key) for key in model.state_dict()}

    def finding(self, error: Exception, where: str) -> Finding:
        """What was raised, and at which line of this twin."""
        places = [
            self.place(frame.f_code.co_filename, number)
            for frame, number in traceback.walk_tb(error.__traceback__)
            if frame.f_globals is vars(self.module)
        ]
        return Finding(
            where=where,
            twin=self.style,
            error=type(error).__name__,
            message=" ".join(str(error).split()),
            place=places[-1] if places else "",
        )

    def place(self, file: str, number: int) -> str:
        """A line of this twin, as "file:line: source", and the step that made it; the file's folder is left out."""
        line = linecache.getline(file, number, vars(self.module)).strip()
        mark = self.lines[number - 1] if number <= len(self.lines) else None
        source = f": {line}" if line else ""
        name = os.path.basename(file).removesuffix(
            ">"
        )  # of a module in memory: "<package/nn_style.py>"
        return f"{name}:{number}{source}{_origin(mark)}"


def calls(kind: type, forward: str, given: Collection[str] = ()) -> dict[str, str]:
    """The arguments of a model's constructor, of forward and of loss, without their annotations.

    Args:
        kind: the model's class.
        forward: the method that is its forward.
        given: arguments that are left out.
    """
    found = {}
    for method, name in (("__init__", "__init__"), (forward, "forward"), ("loss", "loss")):
        function = getattr(kind, method, None)
        # A class without a constructor takes no arguments.
        if function in (nn.Module.__init__, object.__init__):
            found[f"arguments of {name}"] = "(self)"
        elif function is not None:
            taken = inspect.signature(function).parameters.values()
            plain = [
                one.replace(annotation=inspect.Parameter.empty)
                for one in taken
                if one.name not in given
            ]
            found[f"arguments of {name}"] = f"({', '.join(map(str, plain))})"
    return found


def _origin(mark: Mark | None) -> str:
    """Where the spec has a step, as words to follow a line."""
    if mark is None:
        return ""
    place = f"{mark}: {mark.path}" if mark.line and mark.path else mark.path or str(mark)
    return f" (from {place})"
