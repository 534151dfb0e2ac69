"""Parameters and buffers that a spec names itself."""

from __future__ import annotations

import ast
from collections.abc import Container
from typing import Any

from nngen.catalog.partial_evaluation import free_names, renamed
from nngen.errors import Fault, SpecError
from nngen.graph.flow import Module
from nngen.graph.initializers import check_initializer
from nngen.graph.lines import LineEvaluator
from nngen.graph.modules import evaluate
from nngen.graph.scope import Scope
from nngen.language.spec import LayerStep
from nngen.language.spec.completed import completed
from nngen.language.spec.model import Initializer
from nngen.symbolic.evaluator import Evaluator
from nngen.symbolic.expressions import Expression
from nngen.symbolic.sizes import Size, value_of
from nngen.symbolic.tensor import Tensor

_NEEDED = {"Parameter": ("shape", "init"), "Buffer": ("value",)}


def made_state(
    step: LayerStep,
    name: str,
    scope: Scope,
    evaluator: LineEvaluator,
    buffers: Container[str],
    absent: bool,
) -> tuple[Module | None, Any, Expression | None]:
    """A Parameter or Buffer, the tensor that it is, and of a Buffer how the constructor makes it.

    Args:
        step: as the spec has it.
        name: what it is called.
        scope: the names of its class.
        evaluator: follows a Buffer's value.
        buffers: the Buffers above.
        absent: its condition does not hold in this use; what it would be can perhaps not be told.

    Raises:
        SpecError: its shape or value is missing or wrong.
    """
    try:
        with scope.walkthrough.errors.trying(absent):
            module, tensor = _build_state(step, name, scope, evaluator)
            value = step.arguments.get("value")
            return module, tensor, value and _made_of(value, evaluator, buffers)
    except SpecError:
        if not absent:
            raise
        return None, Tensor(None), None


def _build_state(
    step: LayerStep, name: str, scope: Scope, evaluator: Evaluator
) -> tuple[Module, Any]:
    """A Parameter or Buffer, and the tensor that it is.

    Raises:
        SpecError: its shape or value is missing or wrong.
    """
    _refuse_missing(step, name)
    expression = step.arguments["shape" if step.kind == "Parameter" else "value"]
    if step.kind == "Parameter":
        shape = evaluate(expression, scope.values)
        shape = shape if isinstance(shape, tuple) else (shape,)
        for size in shape:
            value = value_of(size) if isinstance(size, (int, Size)) else None
            if value is None or isinstance(size, bool) or value < 1:
                raise SpecError(f"a shape is a list of sizes, not {shape}", expression.mark)
        if len(step.init) != 1:
            hint = "`init: zeros_`, or `init: {normal_: {std: 0.02}}`"
            raise SpecError("a Parameter has one initializer", step.mark, hint)
        check_initializer(step.init[0].initializer, shape, scope.values)
        module = Module(step.kind, (name,), step.mark, {"shape": shape})
        return module, Tensor(shape)
    try:
        tensor = evaluator(expression.tree)
    except Fault as fault:
        raise expression.fault(fault) from None
    if not isinstance(tensor, Tensor):
        raise SpecError("a Buffer's value is a tensor", expression.mark, "`torch.zeros(3)`")
    persistent = (
        evaluate(step.arguments["persistent"], {}) if "persistent" in step.arguments else True
    )
    return Module(step.kind, (name,), step.mark, {"persistent": persistent}), tensor


def _refuse_missing(step: LayerStep, name: str) -> None:
    given: dict[str, Expression | Initializer] = dict(step.arguments)
    if step.init:
        given["init"] = step.init[0].initializer
    missing = [each for each in _NEEDED[step.kind] if each not in given]
    if missing:
        example = completed(f"{step.kind} as {name}", given, missing)
        hint = f"`{example}`"
        if "init" in missing:
            hint += ", with `init: zeros_`, or `init: {normal_: {std: 0.02}}`"
        message = f"the {step.kind} lacks its {' and its '.join(missing)}"
        raise SpecError(message, step.mark, hint)


def _made_of(value: Expression, evaluator: LineEvaluator, buffers: Container[str]) -> Expression:
    """A Buffer's value as the constructor makes it, once the evaluator has followed it.

    Args:
        value: as the spec has it.
        evaluator: what it reads and calls.
        buffers: the Buffers above.

    Raises:
        SpecError: it is of more than functions, arguments and other buffers.
    """
    others = [name for name in evaluator.reads if name not in buffers]
    others += [ast.unparse(call.func) for call in evaluator.calls]
    others += free_names(value.tree) & {"training"}
    if others:
        raise SpecError(
            f"a Buffer's value is made in the constructor, where there is no {others[0]!r}",
            value.mark,
            "make it of functions, of arguments, and of buffers above",
        )
    tree = renamed(value.tree, lambda name: f"self.{name}" if name in evaluator.reads else name)
    return Expression(tree, value.mark)
