"""One twin: its class, its tensors under the names that all twins share, its exceptions."""

from __future__ import annotations

import linecache
import os
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

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

    def build(self, arguments: Mapping[str, Any]) -> nn.Module:
        """Constructs the model."""
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


def _origin(mark: Mark | None) -> str:
    """Where the spec has a step, as words to follow a line."""
    if mark is None:
        return ""
    place = f"{mark}: {mark.path}" if mark.line and mark.path else mark.path or str(mark)
    return f" (from {place})"
