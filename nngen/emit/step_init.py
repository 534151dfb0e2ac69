"""A step's own `init`: redraws right after it is built."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence

from nngen.catalog.entry import State
from nngen.emit.constructor import initializer_call, written_sizes
from nngen.emit.model import Redraw
from nngen.emit.parameters import owner_kind, parameter_at, shape_of, where_there
from nngen.errors import Errors, SpecError, did_you_mean
from nngen.graph.flow import Built, Module
from nngen.graph.initializers import check_initializer
from nngen.graph.scope import Scope
from nngen.language.spec.model import Rule


def step_redraws(built: Built, scope: Scope) -> tuple[Redraw | None, Redraw | None]:
    """The redraws of a step's own `init`, in each style.

    Raises:
        SpecError: a rule matches nothing; it tells of all such.
    """
    module = built.module
    if module is None or not built.redraws or module.kind == "Parameter":
        return None, None
    leaves = [(inner, state) for inner, state in module.leaves() if not state.buffer]
    errors = Errors()
    _note_idle(built.redraws, leaves, errors)
    nn, functional = [], []
    for inner, state in leaves:
        rules = [rule for rule in built.redraws if holds_for(rule, inner, state)]
        if not rules:
            continue
        shape = inner.folder({}).value(shape_of(state.value))
        shape = shape if isinstance(shape, tuple) else ()
        sizes = {**scope.values, **inner.values}
        errors.attempt(check_initializer, rules[-1].initializer, shape, sizes)
        written = written_sizes(shape, inner)
        key = inner.key(state)
        call = initializer_call(rules[-1].initializer, parameter_at(key), written)
        nn.append(where_there(inner.kind, key, call))
        flat = f"self.{inner.attribute(state)}"
        functional.append(initializer_call(rules[-1].initializer, flat, written))
    errors.refuse()
    mark = built.redraws[0].mark
    return Redraw(tuple(nn), built.step, mark), Redraw(tuple(functional), built.step, mark)


def _note_idle(
    rules: Sequence[Rule], leaves: Sequence[tuple[Module, State]], errors: Errors
) -> None:
    """Note the rules beside a step that are about none of its parameters."""
    for rule in rules:
        if not any(holds_for(rule, module, state) for module, state in leaves):
            names = [_below_step(module, state) for module, state in leaves]
            names += sorted({f"{module.kind}.{state.name}" for module, state in leaves})
            hint = did_you_mean(rule.pattern, names)
            errors.add(SpecError(f"{rule.pattern!r} matches no parameter", rule.mark, hint))


def holds_for(rule: Rule, module: Module, state: State) -> bool:
    """Whether a rule beside a step is about this parameter below the step."""
    parameter = state.name.rpartition(".")[2]
    kind = owner_kind(module, state)
    return rule.pattern == f"{kind}.{parameter}" or fnmatch.fnmatchcase(
        _below_step(module, state), rule.pattern
    )


def _below_step(module: Module, state: State) -> str:
    return ".".join((*module.path[1:], state.name))
