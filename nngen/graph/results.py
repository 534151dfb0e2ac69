"""What a step gives: under a condition, several values at once, and the parts that a line takes apart."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nngen.catalog.entry import tensors_in
from nngen.errors import BROKEN, Fault, Mark, SpecError
from nngen.graph.flow import Application, Condition, Value
from nngen.graph.merging import merged, misfit, under
from nngen.graph.scope import Scope
from nngen.graph.sized import given
from nngen.language.spec import LayerStep
from nngen.symbolic.expressions import Target
from nngen.symbolic.parts import Parts
from nngen.symbolic.sizes import value_of
from nngen.symbolic.tensor import UNKNOWN, Packed, Tensor


def applied(
    layer: Callable[..., Application],
    step: LayerStep,
    reads: tuple[Value, ...],
    condition: Condition | None,
    holds: Any,
    scope: Scope,
) -> Application | None:
    """The layer applied; where its condition does not hold in this use, if that can be told at all.

    Raises:
        SpecError: it does not fit.
    """
    values = [value.abstract for value in reads]
    if condition is not None:
        test = given(condition.tree, scope.values)
        values = [under(test, value) for value in values]
    try:
        with scope.walkthrough.errors.trying(holds is False):
            return layer(*values)
    except Fault as fault:
        error = SpecError(fault.message, step.mark, apart(reads) or fault.hint)
    except SpecError as fault:
        error = fault
    if holds is False:
        return None
    raise error


def outcome(
    application: Application | None,
    reads: tuple[Value, ...],
    condition: Condition | None,
    scope: Scope,
) -> Any:
    """What a step gives, given that its condition may not hold."""
    if condition is None or not condition.passes:
        return None if application is None else application.output
    before = reads[0].abstract
    test = given(condition.tree, scope.values)
    why = f"what {ast.unparse(condition.tree)!r} decides does not fit in all cases"
    output = misfit(before, why) if application is None else application.output
    return merged(test, output, before, scope.lets)


def apart(reads: Sequence[Value]) -> str:
    """How to take apart the values that one layer gives at once, if that is what a step is given."""
    for value in reads:
        if isinstance(value.abstract, tuple) and not value.fixed:
            rest = ", _" * (len(value.abstract) - 1)
            line = f"y{rest} = {value.name}(…)"
            return f"take them apart beside {value.name!r}: `call: {line}`"
    return ""


def flows(value: Any) -> bool:
    """Whether a value can be what the next step takes: it is a tensor, has some, or what it is cannot be told."""
    open_value = value is UNKNOWN or value is BROKEN or isinstance(value, Packed)
    return open_value or bool(tensors_in(value))


def amount(value: Any, known: dict[int, int] | None = None) -> int:
    """How many values are in a value of a line, each as often as it is there: those in others may double."""
    known = {} if known is None else known
    items = value.values() if isinstance(value, Mapping) else value
    if not isinstance(value, (tuple, list, Mapping)):
        return 1
    if id(value) not in known:
        known[id(value)] = sum(amount(each, known) for each in items)
    return known[id(value)]


def unpacked(target: Target, result: Any, mark: Mark) -> list[tuple[str, Any]]:
    """Each name of a line's target with its part of the result."""
    if isinstance(target, str):
        return [(target, result)]
    count = len(target)
    parts: Sequence[Any]
    if result is UNKNOWN:
        parts = [UNKNOWN] * count
    elif isinstance(result, Tensor) and result.shape is None:
        parts = [Tensor(None)] * count
    elif isinstance(result, Tensor) and result.shape and value_of(result.shape[0]) == count:
        parts = [result.sized(*result.shape[1:])] * count
    elif isinstance(result, Parts) and len(result) == count:
        parts = result.taken()
    elif not isinstance(result, (tuple, list)):
        raise SpecError(f"the line unpacks {count} values, but there is one", mark)
    elif len(result) != count:
        raise SpecError(f"the line unpacks {count} values, but there are {len(result)}", mark)
    else:
        parts = result
    return [pair for inner, part in zip(target, parts) for pair in unpacked(inner, part, mark)]
