"""Lines of Python as each style writes them: layers as it calls them, `training` as the model's own."""

from __future__ import annotations

import ast
import copy
from dataclasses import replace
from typing import Any, Protocol

from nngen.catalog.partial_evaluation import IN_MATH
from nngen.errors import SpecError
from nngen.graph.flow import Application, Flow, Operation, self_attribute
from nngen.language.spec import LayerStep
from nngen.symbolic.expressions import Line

TRAINING = self_attribute("training")
_PLAIN = (ast.Name, ast.Tuple, ast.Load, ast.Constant)


class Caller(Protocol):
    """A style: how it calls layers."""

    flow: Flow

    def count(self) -> int:
        """How many statements there are."""

    def call(self, application: Application, call: ast.Call, step: int) -> ast.expr:
        """A layer called in a line, as an expression."""


def operands_of(application: Application, call: ast.expr) -> dict[str, ast.expr]:
    """What a call passes, by the names of the layer's inputs, in their order."""
    assert isinstance(call, ast.Call)
    given = {
        **dict(zip(application.inputs, call.args)),
        **{str(k.arg): k.value for k in call.keywords},
    }
    return {key: given[key] for key in application.inputs if key in given}


def called_each(step: LayerStep) -> bool:
    """Whether the `call` beside a `repeat` is about each copy: `x = F.relu(layers[i](x))`."""
    if step.repeat is None or step.call is None or step.label is None:
        return False
    return any(_is_copy(node, step.label.fixed) for node in ast.walk(step.call.value.tree))


def call_of_copy(step: LayerStep, name: str) -> Line:
    """That line for the copy of this name."""
    assert step.call is not None and step.label is not None
    value = step.call.value
    tree = _Copy(step.label.fixed, name).visit(copy.deepcopy(value.tree))
    return replace(step.call, value=replace(value, tree=tree))


class _Copy(ast.NodeTransformer):
    """Puts one copy's name for `layers[i]`."""

    def __init__(self, label: str | None, name: str) -> None:
        self.label = label
        self.name = name

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        if _is_copy(node, self.label):
            return ast.copy_location(ast.Name(self.name, ast.Load()), node)
        return self.generic_visit(node)


def _is_copy(node: ast.AST, name: str | None) -> bool:
    """Whether it is `layers[i]`."""
    return (
        isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and node.value.id == name
        and isinstance(node.slice, ast.Name)
        and node.slice.id == "i"
    )


def check_plain(line: Line, name: str, operation: Operation) -> None:
    """Refuse a `call` beside `repeat` with more in it than the call: once, or in each copy, it does not say.

    Raises:
        SpecError: there is more.
    """
    tree, calls = line.value.tree, operation.calls
    if tree not in calls:
        raise SpecError(
            f"beside `repeat`, `call` is a plain call of {name!r}, but here there is more in the line",
            line.value.mark,
            f"`{name}[i](…)` is each copy in turn: `x = F.relu({name}[i](x))`",
        )
    application = calls[tree]
    flowing = application.output if isinstance(application.output, tuple) else (None,)
    operands = list(operands_of(application, tree).values())
    for operand in operands[: len(flowing)]:
        if not isinstance(operand, ast.Name):
            raise SpecError(
                f"beside `repeat`, {ast.unparse(operand)!r} could be meant for each copy, or for the first alone",
                line.value.mark,
                "bind it to a name in a line above, or make a block of it and repeat that",
            )


def named_in(call: ast.Call) -> frozenset[str]:
    """The arguments that a call gives by name."""
    return frozenset(str(keyword.arg) for keyword in call.keywords)


class Calls(ast.NodeTransformer):
    """Writes a line for one style: layers as it calls them, `training` as the model's own."""

    def __init__(self, lowering: Caller, operation: Operation) -> None:
        self.lowering = lowering
        self.operation = operation
        self.conditional = 0
        self.drawn = False

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, ast.Call) and node in self.operation.calls:
            return self._layer(node)
        if isinstance(node, ast.Name):
            return self._name(node)
        branches = isinstance(node, (ast.IfExp, ast.BoolOp))
        self.conditional += branches
        changed = {key: self._field(value) for key, value in ast.iter_fields(node)}
        self.conditional -= branches
        return _picked(changed) if isinstance(node, ast.Subscript) else type(node)(**changed)

    def _name(self, node: ast.Name) -> ast.expr:
        if node.id == "training":
            return copy.copy(TRAINING)
        read = {value.name: value for value in self.operation.reads}.get(node.id)
        if read is not None and read.state:
            return self_attribute(node.id)
        if read is None and node.id in self.lowering.flow.scope.values:
            return self_attribute(node.id)
        if read is None and node.id in IN_MATH:
            return copy.deepcopy(IN_MATH[node.id])
        return ast.Name(node.id, node.ctx)

    def _field(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.visit(item) if isinstance(item, ast.AST) else item for item in value]
        return self.visit(value) if isinstance(value, ast.AST) else value

    def parts(self, node: ast.expr) -> ast.Call:
        """A call with what it is given written for the style."""
        assert isinstance(node, ast.Call)
        arguments = [self.visit(argument) for argument in node.args]
        keywords = [ast.keyword(k.arg, self.visit(k.value)) for k in node.keywords]
        return ast.Call(node.func, arguments, keywords)

    def _layer(self, node: ast.Call) -> ast.expr:
        before, drawn = self.lowering.count(), self.drawn
        application = self.operation.calls[node]
        call = self.parts(node)
        result = self.lowering.call(application, call, self.operation.step)
        if self.conditional and self.lowering.count() > before:
            raise SpecError(
                f"{application.module.kind} takes several statements, so it cannot stand in a condition",
                self.operation.mark,
                "give it a step of its own",
            )
        if drawn and self.lowering.count() > before:
            raise SpecError(
                f"{application.module.kind} takes several statements, which would come before the random numbers "
                "that a layer earlier in the line draws",
                self.operation.mark,
                "give it a step of its own",
            )
        self.drawn = drawn or ast.unparse(TRAINING) in ast.unparse(result)
        return result


def _picked(parts: dict[str, Any]) -> ast.expr:
    """A subscript; one that picks from names in a tuple, `(y, h)[0]`, is the name."""
    value, index = parts["value"], parts["slice"]
    if (
        isinstance(value, ast.Tuple)
        and isinstance(index, ast.Constant)
        and isinstance(index.value, int)
        and -len(value.elts) <= index.value < len(value.elts)
    ):
        picked = value.elts[index.value]
        rest = [leaf for part in value.elts if part is not picked for leaf in ast.walk(part)]
        if all(isinstance(leaf, _PLAIN) for leaf in rest):
            return picked
    return ast.Subscript(**parts)
