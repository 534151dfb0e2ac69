"""What verification is given: a model in several styles, and what to feed them. Needs no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from nngen.emit.source_map import Span
from nngen.errors import Mark
from nngen.graph.tensor_spec import Fed, TensorSpec
from nngen.language.document import Node

Rename = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class Written:
    """A model in one style.

    Args:
        style: its name: "nn".
        module: the module that holds the model's class.
        from_nn: renames the keys of a state_dict of the nn twin to its own.
        to_nn: renames them back.
        lines: for each line of the module, the step of the spec that made it, where there is a spec.
        parts: the parts of lines that other steps made.
        owns_state: its classes are modules, which own parameters and buffers.
    """

    style: str
    module: ModuleType
    from_nn: Rename = dict
    to_nn: Rename = dict
    lines: tuple[Mark | None, ...] = ()
    parts: tuple[Span, ...] = ()
    owns_state: bool = True


@dataclass(frozen=True)
class Subject:
    """A model in several styles, and what verification feeds it.

    Args:
        name: the name of the model's class, the same in all styles.
        twins: the model in each style; the first, in torch.nn style, is what the others are compared with.
        inputs: the positional arguments of `forward`, in order.
        targets: what `loss` takes after the outputs; None if the model has no loss.
        arguments: constructor arguments to check with.
        sizes: values of the open sizes; one that is not here is 7, and "N" is the batch.
        modules: the step of each module of the nn twin, by its name, where there is a spec.
        document: the spec itself, to hold all against.
        again: says what to give a model with other values for constructor arguments; a SpecError where the spec is
            wrong with them.
    """

    name: str
    twins: tuple[Written, ...]
    inputs: tuple[TensorSpec, ...]
    targets: tuple[TensorSpec, ...] | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    modules: Mapping[str, Mark] = field(default_factory=dict)
    document: Node | None = None
    again: Callable[[Mapping[str, Any]], Fed] | None = None
