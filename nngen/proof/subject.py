"""What verification is given: a pair of twins, and what to feed them. Needs no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from nngen.errors import Mark
from nngen.graph.tensor_spec import Fed, TensorSpec
from nngen.language.document import Node


@dataclass(frozen=True)
class Origins:
    """Which steps of a spec the twins' code is from.

    Args:
        nn_lines, functional_lines: for each line of the files, the step that made it.
        modules: the step of each module of the nn twin, by its name.
    """

    nn_lines: tuple[Mark | None, ...] = ()
    functional_lines: tuple[Mark | None, ...] = ()
    modules: Mapping[str, Mark] = field(default_factory=dict)


@dataclass(frozen=True)
class Subject:
    """A pair of twins, and what verification feeds them.

    Args:
        name: the name of the model's class, the same in both modules.
        nn_style: the module that holds the torch.nn twin.
        functional_style: the module that holds the functional twin.
        to_functional: renames the keys of a state_dict of the nn twin.
        to_nn: renames them back.
        inputs: the positional arguments of `forward`, in order.
        targets: what `loss` takes after the outputs; None if the model has no loss.
        arguments: constructor arguments to check with.
        sizes: values of the open sizes; one that is not here is 7, and "N" is the batch.
        origins: the steps of the spec that their code is from, where there is a spec.
        document: the spec itself, to hold both against.
        again: says what to give a model with other values for constructor arguments; a SpecError where the spec is
            wrong with them.
    """

    name: str
    nn_style: ModuleType
    functional_style: ModuleType
    to_functional: Callable[[dict[str, Any]], dict[str, Any]]
    to_nn: Callable[[dict[str, Any]], dict[str, Any]]
    inputs: tuple[TensorSpec, ...]
    targets: tuple[TensorSpec, ...] | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    origins: Origins = field(default_factory=Origins)
    document: Node | None = None
    again: Callable[[Mapping[str, Any]], Fed] | None = None
