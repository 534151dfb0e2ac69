"""What belongs to one step or one pair of parameters: a step's own `init`, and ties."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence

from nngen.broadcasting import show
from nngen.catalog.entry import State
from nngen.errors import SpecError, did_you_mean
from nngen.graph.construction import built_flag, initializer_call, written_sizes
from nngen.graph.flow import Built, Flow, Module
from nngen.graph.initializers import check_initializer
from nngen.graph.leaves import (
    owner_kind,
    parameter_at,
    parameter_shapes,
    path_of,
    shape_of,
    where_there,
)
from nngen.graph.model import Redraw
from nngen.graph.scope import Scope
from nngen.sizes import Dim, same
from nngen.spec.model import Name, Rule


def step_redraws(built: Built, scope: Scope) -> tuple[Redraw | None, Redraw | None]:
    """The redraws of a step's own `init`, in each style.

    Raises:
        SpecError: a rule matches nothing.
    """
    module = built.module
    if module is None or not built.redraws or module.kind == "Parameter":
        return None, None
    leaves = [(inner, state) for inner, state in module.leaves() if not state.buffer]
    _refuse_idle(built.redraws, leaves)
    nn, functional = [], []
    for inner, state in leaves:
        rules = [rule for rule in built.redraws if _holds_for(rule, inner, state)]
        if not rules:
            continue
        shape = inner.folder({}).value(shape_of(state.value))
        shape = shape if isinstance(shape, tuple) else ()
        sizes = {**scope.values, **inner.values}
        check_initializer(rules[-1].initializer, shape, sizes)
        written = written_sizes(shape, inner)
        key = inner.key(state)
        call = initializer_call(rules[-1].initializer, parameter_at(key), written)
        nn.append(where_there(inner.kind, key, call))
        flat = f"self.{inner.attribute(state)}"
        functional.append(initializer_call(rules[-1].initializer, flat, written))
    mark = built.redraws[0].mark
    return Redraw(tuple(nn), built.step, mark), Redraw(tuple(functional), built.step, mark)


def _refuse_idle(rules: Sequence[Rule], leaves: Sequence[tuple[Module, State]]) -> None:
    """Refuse a rule beside a step that is about none of its parameters."""
    for rule in rules:
        if not any(_holds_for(rule, module, state) for module, state in leaves):
            names = [_below_step(module, state) for module, state in leaves]
            names += sorted({f"{module.kind}.{state.name}" for module, state in leaves})
            hint = did_you_mean(rule.pattern, names)
            raise SpecError(f"{rule.pattern!r} matches no parameter", rule.mark, hint)


def _holds_for(rule: Rule, module: Module, state: State) -> bool:
    """Whether a rule beside a step is about this parameter below the step."""
    parameter = state.name.rpartition(".")[2]
    kind = owner_kind(module, state)
    return rule.pattern == f"{kind}.{parameter}" or fnmatch.fnmatchcase(
        _below_step(module, state), rule.pattern
    )


def _below_step(module: Module, state: State) -> str:
    return ".".join((*module.path[1:], state.name))


def _refuse_misfit(left: Name, right: Name, shapes: dict[str, tuple[Dim, ...]]) -> None:
    if left.text == right.text:
        raise SpecError(f"{left.text!r} is tied to itself", left.mark)
    sizes = [shapes.get(each.text, ()) for each in (left, right)]
    if len(sizes[0]) != len(sizes[1]) or any(same(a, b) is False for a, b in zip(*sizes)):
        shown = " and ".join(map(show, sizes))
        raise SpecError(f"parameters of the shapes {shown} cannot be one", left.mark)


def ties(flow: Flow, keys: dict[str, str]) -> tuple[Redraw | None, Redraw | None]:
    """The statements that make parameters one, in each style.

    Raises:
        SpecError: there is no such parameter.
    """
    if not flow.body.tie:
        return None, None
    shapes = parameter_shapes(flow)
    optional = {built.name for built in flow.built if built_flag(built)}
    nn, functional = [], []
    for left, right in flow.body.tie:
        for each in (left, right):
            if each.text not in keys:
                hint = did_you_mean(each.text, keys)
                raise SpecError(f"there is no parameter {each.text!r}", each.mark, hint)
            if each.text.partition(".")[0] in optional:
                raise SpecError(
                    f"{each.text!r} is there under a condition only, so it cannot be tied",
                    each.mark,
                )
        _refuse_misfit(left, right, shapes)
        nn.append(f"self.{path_of(left.text)} = self.{path_of(right.text)}")
        functional.append(f"self.{path_of(keys[left.text])} = self.{path_of(keys[right.text])}")
    number, mark = len(flow.body.layers), flow.body.tie[0][0].mark
    return Redraw(tuple(nn), number, mark), Redraw(tuple(functional), number, mark)
