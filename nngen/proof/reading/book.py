"""What the classes of one reading share, and what is kept of each layer until it is built."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from nngen.proof.reading import draws
from nngen.proof.reading.layers import Layer
from nngen.proof.reading.python import Names, evaluated
from nngen.proof.reading.steps import Step

# What a step has given, by the step's path: `layers[3]`.
Tell = Callable[[str, Any], None]


class Shared:
    """What copies of a model have in common."""

    def __deepcopy__(self, memo: Any) -> Shared:
        return self


class Book(Shared):
    """What the classes of one model share.

    Attributes:
        blocks: the blocks of the spec, by name.
        trying: whether the model runs to learn what goes into its layers.
        tell: told what each step gives, if anyone asks.
    """

    def __init__(self, blocks: Mapping[str, Body]) -> None:
        self.blocks = blocks
        self.trying = True
        self.tell: Tell | None = None


@dataclass(frozen=True)
class Body(Shared):
    """What the spec says of one class, and where: `blocks.B`, or nothing for the model."""

    says: Names
    path: str


@dataclass(frozen=True)
class Made(Shared):
    """Something that a class builds.

    Attributes:
        place: the number of its step, and that of the copy.
        step: the step.
        names: the names of its expressions.
        layer: the layer of torch.nn; None for blocks and rows, which build what is in them, and for states.
    """

    place: tuple[int, int]
    step: Step
    names: Names
    layer: Layer | None


def with_let(says: Names, names: Names) -> dict[str, Any]:
    """Names, and the sizes that are computed once."""
    found = dict(names)
    for name, text in says.get("let", {}).items():
        found[name] = evaluated(text, found)
    return found


def finish(module: nn.Module, says: Names, names: Names) -> None:
    """What comes after all layers are built: ties, then redraws."""
    pairs = says.get("tie", {})
    for left, right in pairs.items():
        while right in pairs:
            right = pairs[right]
        owner, _, name = left.rpartition(".")
        setattr(module.get_submodule(owner), name, module.get_parameter(right))
    draws.redraw(module, says.get("init", {}), names)
