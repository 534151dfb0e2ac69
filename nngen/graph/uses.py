"""What one use of a class comes to: which of its steps are there, and what its names stand for."""

from __future__ import annotations

from collections.abc import Mapping

from nngen.graph.flow import Condition, Flow, Module
from nngen.graph.loops import position
from nngen.graph.modules import evaluate
from nngen.symbolic.expressions import Expression
from nngen.symbolic.sizes import Dim
from nngen.symbolic.substitution import substitute

Sizes = Mapping[str, Dim]


def kind_of(module: Module) -> str:
    """The class: of torch.nn, or a block."""
    flow = module.flow
    return module.kind if flow is None or flow.body.layer else flow.body.name


def inner_sizes(flow: Flow, outer: Sizes) -> dict[str, Dim]:
    """What the sizes in a class stand for in this use: its own names hide those of its user."""
    own = {name: substitute(size, outer) for name, size in flow.substitution.items()}
    return {**outer, **own}


def layer_names(flow: Flow) -> dict[str, str]:
    """What the nn twin calls the layers whose names are none of Python's, and those of a block that is a Sequential."""
    if flow.body.sequential:
        return {built.name: position(flow, place) for place, built in enumerate(flow.built)}
    names = {built.name: ".".join(built.path) for built in flow.built}
    return {name: path for name, path in names.items() if path != name}


def holds(condition: Condition | None, flow: Flow, modes: tuple[bool, ...] = (False, True)) -> bool:
    """Whether a condition holds in one of the modes, in this use of its class."""
    if condition is None:
        return True
    tree = Expression(condition.tree, flow.body.mark)
    return any(evaluate(tree, {**flow.scope.values, "training": mode}) for mode in modes)
