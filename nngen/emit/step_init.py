"""A step's own `init`: redraws right after it is built."""

from __future__ import annotations

import ast
import fnmatch
from collections.abc import Callable, Sequence

from nngen.catalog.entry import State
from nngen.emit.constructor import initializer_call, written_sizes
from nngen.emit.model import Lines
from nngen.emit.parameters import owner_kind, shape_of
from nngen.errors import Errors, SpecError, did_you_mean
from nngen.graph.flow import Built, Module
from nngen.graph.initializers import check_initializer
from nngen.graph.scope import Scope
from nngen.language.spec.model import Initializer, Rule
from nngen.symbolic.sizes import Dim

Drawn = tuple[Module, State, Initializer, tuple[Dim, ...]]


def drawn(built: Built, scope: Scope) -> list[Drawn]:
    """What a step's own `init` draws: layer, parameter, initializer and shape.

    Raises:
        SpecError: a rule matches nothing; it tells of all such.
    """
    module = built.module
    if module is None or not built.redraws or module.kind == "Parameter":
        return []
    leaves = [(inner, state) for inner, state in module.leaves() if not state.buffer]
    errors, found = Errors(), []
    _note_idle(built, leaves, errors)
    for inner, state in leaves:
        rules = [rule for rule in built.redraws if holds_for(rule, built, inner, state)]
        if not rules:
            continue
        shape = inner.folder({}).value(shape_of(state.value))
        shape = shape if isinstance(shape, tuple) else ()
        sizes = {**scope.values, **inner.values}
        errors.attempt(check_initializer, rules[-1].initializer, shape, sizes)
        found.append((inner, state, rules[-1].initializer, shape))
    errors.refuse()
    return found


def step_redraws(
    built: Built,
    scope: Scope,
    parameter: Callable[[Module, State], ast.expr],
    under_question: Callable[[Module, State, ast.stmt], ast.stmt],
) -> Lines | None:
    """The redraws of a step's own `init`.

    Args:
        built: the step.
        scope: the names of its class.
        parameter: how the class reaches a parameter.
        under_question: puts the call that draws one under the question whether it is there.
    """
    calls = [
        under_question(
            inner,
            state,
            initializer_call(initializer, parameter(inner, state), written_sizes(shape, inner)),
        )
        for inner, state, initializer, shape in drawn(built, scope)
    ]
    return Lines(tuple(calls), built.step, built.redraws[0].mark) if calls else None


def _note_idle(built: Built, leaves: Sequence[tuple[Module, State]], errors: Errors) -> None:
    """Note the rules beside a step that are about none of its parameters."""
    for rule in built.redraws:
        if not any(holds_for(rule, built, module, state) for module, state in leaves):
            names = [_below_step(built, module, state) for module, state in leaves]
            names += sorted({f"{module.kind}.{state.name}" for module, state in leaves})
            hint = did_you_mean(rule.pattern, names)
            errors.add(SpecError(f"{rule.pattern!r} matches no parameter", rule.mark, hint))


def holds_for(rule: Rule, built: Built, module: Module, state: State) -> bool:
    """Whether a rule beside a step is about this parameter below the step."""
    parameter = state.name.rpartition(".")[2]
    kind = owner_kind(module, state)
    return rule.pattern == f"{kind}.{parameter}" or fnmatch.fnmatchcase(
        _below_step(built, module, state), rule.pattern
    )


def _below_step(built: Built, module: Module, state: State) -> str:
    return ".".join((*module.path[len(built.path) :], state.name))
