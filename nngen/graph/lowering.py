"""From the flow to code: what both styles share."""

from __future__ import annotations

import ast
import copy
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from nngen.broadcasting import show
from nngen.catalog import LAYERS
from nngen.errors import Mark, SpecError
from nngen.expressions import Target
from nngen.fold import renamed, source
from nngen.graph.flow import Application, Condition, Flow, Module, Operation, self_attribute
from nngen.graph.model import Statement
from nngen.graph.variables import Variables
from nngen.tensors import Tensor

TRAINING = self_attribute("training")
_PLAIN = (ast.Name, ast.Tuple, ast.Load, ast.Constant)


def name(text: str) -> ast.expr:
    return ast.Name(text, ast.Load())


def _is_name(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name)


def operands_of(application: Application, call: ast.expr) -> dict[str, ast.expr]:
    """What a call passes, by the names of the layer's inputs, in their order."""
    assert isinstance(call, ast.Call)
    given = {
        **dict(zip(application.inputs, call.args)),
        **{str(k.arg): k.value for k in call.keywords},
    }
    return {key: given[key] for key in application.inputs if key in given}


def assign(target: Target, value: ast.expr) -> ast.Assign:
    return ast.Assign([_stored(target)], value)


def _stored(target: Target) -> ast.expr:
    if isinstance(target, str):
        return ast.Name(target, ast.Store())
    return ast.Tuple([_stored(part) for part in target], ast.Store())


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


@dataclass
class Lowering(ABC):
    """One style of forward.

    Attributes:
        flow: what happens.
        variables: what the values are called.
        commented: shapes stand behind the statements; else only what the catalog notes on a layer does.
        mark: where the spec has the step at hand.
        helpers: the names that the step at hand has bound for itself.
    """

    flow: Flow
    variables: Variables
    commented: bool = True
    statements: list[Statement] = field(default_factory=list)
    nested: list[Statement] | None = None
    mark: Mark = field(init=False)
    helpers: set[str] = field(default_factory=set)

    def run(self) -> tuple[Statement, ...]:
        """All statements, the return included."""
        *steps, output = self.flow.operations
        for operation in steps:
            self.mark = operation.mark
            if operation.condition is not None:
                self.conditional(operation, operation.condition)
            else:
                self.step(operation)
        self.mark = output.mark
        self.emit(ast.Return(self.expression(output)))
        return tuple(self.statements)

    def step(self, operation: Operation) -> None:
        """Emit a step."""
        self.helpers.clear()
        if operation.application is not None:
            self.apply(operation, operation.application)
        elif operation.line is not None:
            self.line(operation)

    def conditional(self, operation: Operation, condition: Condition) -> None:
        """Emit a step that may be skipped: what it gives then, and the step under an `if`."""
        target = operation.writes[0]
        assert target is not None
        variable = self.variables[target]
        otherwise = name(self.variables[operation.reads[0]])
        if not condition.passes:
            self.emit(assign(variable, ast.Constant(None)))
        elif source(otherwise) != variable:
            self.emit(assign(variable, otherwise))
        self.nested = []
        self.step(operation)
        body, self.nested = self.nested, None
        if body:
            head = f"if {source(_test(operation, condition))}:"
            self.statements.append(Statement(head, "", self.mark, tuple(body)))

    def emit(self, statement: ast.stmt, comment: str = "") -> None:
        """Add a statement of the step at hand, to the `if` at hand where there is one."""
        if self.nested is not None:
            self.nested.append(Statement(_code(statement), "", self.mark))
        else:
            self.statements.append(Statement(_code(statement), comment, self.mark))

    def count(self) -> int:
        """How many statements there are."""
        return len(self.statements) + len(self.nested or ())

    def line(self, operation: Operation) -> None:
        """Emit a step that is a line; one that only calls a list of copies is the loop itself."""
        assert operation.line is not None
        tree = operation.line.value.tree
        application = operation.calls.get(tree)  # type: ignore[call-overload]
        if application is not None and self.is_loop(application.module):
            operands = operands_of(application, Calls(self, operation).parts(tree))
            self.loop(application, operands, operation.line.target, operation.step)
            return
        value = self.expression(operation)
        self.emit(assign(operation.line.target, value), self.line_comment(operation))

    def expression(self, operation: Operation) -> ast.expr:
        """The expression of a line in this style."""
        if operation.line is None:
            return name(self.variables[operation.reads[0]])
        result = Calls(self, operation).visit(operation.line.value.tree)
        assert isinstance(result, ast.expr)
        return result

    def loop(
        self,
        application: Application,
        operands: Mapping[str, ast.expr],
        target: Target,
        step: int,
    ) -> None:
        """Emit `for layer in self.layers: x = layer(x, y)`.

        What one copy gives goes into the first inputs of the next; its other inputs are the same for all copies.
        """
        single = _flows_as_one(application)
        count = 1 if single else len(application.output)
        given = list(operands.values())
        fixed = {leaf.id for one in given[count:] for leaf in ast.walk(one) if _is_name(leaf)}
        aims = (target,) if isinstance(target, str) else target
        if isinstance(target, str) is not single or fixed.intersection(map(str, aims)):
            left = self.looped(application, operands, step)
            self.emit(assign(target, left))
            return
        names = [str(aim) for aim in aims]
        for place, (key, value) in enumerate(list(operands.items())[:count]):
            if names[place] == "_":
                over = isinstance(value, ast.Name) and self._is_over(value.id, step)
                names[place] = source(value) if over else self._spare(application, key)
        self._loop(application, operands, names, step)

    def looped(
        self, application: Application, operands: Mapping[str, ast.expr], step: int
    ) -> ast.expr:
        """Emit such a loop before an expression that it stands in: what it leaves there."""
        single = _flows_as_one(application)
        keys = list(application.inputs)[: 1 if single else len(application.output)]
        names = [self._spare(application, "out" if single else key) for key in keys]
        self._loop(application, operands, names, step)
        return name(names[0]) if single else ast.Tuple([name(each) for each in names], ast.Load())

    def _loop(
        self,
        application: Application,
        operands: Mapping[str, ast.expr],
        names: Sequence[str],
        step: int,
    ) -> None:
        keys, values = list(operands), list(operands.values())
        changed = [(n, value) for n, value in zip(names, values) if source(value) != n]
        if len(changed) == 1:
            self.emit(assign(*changed[0]))
        elif changed:
            self.emit(assign(tuple(names), ast.Tuple(values[: len(names)], ast.Load())))
        fixed = []
        for key, value in list(zip(keys, values))[len(names) :]:
            if not isinstance(value, (ast.Name, ast.Attribute, ast.Constant)):
                held = self._spare(application, key)
                self.emit(assign(held, value))
                value = name(held)
            fixed.append(value)
        module = application.module
        blocks = all(child.flow is not None for child in module.children)
        wanted = ["block", "layer"] if blocks else ["layer"]
        free = [word for word in wanted if self.variables.unused(word) == word]
        item = free[0] if free else self.variables.unused("layer")
        call = ast.Call(name(item), [*map(name, names), *fixed], [])
        body = assign(names[0] if len(names) == 1 else tuple(names), call)
        loop = ast.For(ast.Name(item, ast.Store()), self.members(module), [body], [])
        self.emit(loop, self.layer_comment(application))

    def _is_over(self, variable: str, step: int) -> bool:
        """Whether nothing reads a variable after a step, before it is bound anew."""
        for operation in self.flow.operations:
            if operation.step > step:
                if any(self.variables[value] == variable for value in operation.reads):
                    return False
                if any(value and self.variables[value] == variable for value in operation.writes):
                    return True
        return True

    def _spare(self, application: Application, word: str) -> str:
        return self.helper("_".join((*application.module.path, word)))

    def helper(self, wanted: str) -> str:
        """A name like `wanted` that no value has, and no other part of this step."""
        while self.variables.unused(wanted) != wanted or wanted in self.helpers:
            wanted += "_"
        self.helpers.add(wanted)
        return wanted

    @abstractmethod
    def is_loop(self, module: Module) -> bool:
        """Whether forward loops over the copies in a list."""

    @abstractmethod
    def members(self, module: Module) -> ast.expr:
        """What it loops over."""

    def layer_comment(self, application: Application) -> str:
        """The output's shape, where it is not the first input's, and after a container."""
        if application.children and isinstance(application.output, Tensor):
            known = self.commented and application.output.shape is not None
            return show(application.output.shape or ()) if known else ""
        tensors = (value for value in application.inputs.values() if isinstance(value, Tensor))
        return noted(self._shape(application.output, next(tensors, None)), application)

    def line_comment(self, operation: Operation) -> str:
        """The result's shape, where it is not that of the first tensor in the line."""
        value = operation.writes[0]
        tensors = (read.abstract for read in operation.reads if isinstance(read.abstract, Tensor))
        if len(operation.writes) > 1 or value is None:
            return noted("", *operation.calls.values())
        comment = self._shape(value.abstract, next(tensors, None))
        return noted(comment, *operation.calls.values())

    def _shape(self, output: Any, before: Tensor | None) -> str:
        return shape_comment(output, before) if self.commented else ""

    @abstractmethod
    def apply(self, operation: Operation, application: Application) -> None:
        """Emit a step that is a layer."""

    @abstractmethod
    def call(self, application: Application, call: ast.Call, step: int) -> ast.expr:
        """A layer called in a line, as an expression; statements that it needs before are emitted."""

    def operands(self, operation: Operation) -> tuple[str, list[ast.expr]]:
        """The variable that a layer's step assigns, and those that it takes."""
        value = operation.writes[0]
        assert value is not None
        return self.variables[value], [name(self.variables[read]) for read in operation.reads]


class Calls(ast.NodeTransformer):
    """Writes a line for one style: layers as it calls them, `training` as the model's own."""

    def __init__(self, lowering: Lowering, operation: Operation) -> None:
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
        stored = read is None and node.id in self.lowering.flow.scope.values
        return self_attribute(node.id) if stored else ast.Name(node.id, node.ctx)

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


def _code(statement: ast.stmt) -> str:
    """A statement as it is written by hand: a tuple that it binds or returns has no brackets."""
    code = source(statement)
    if isinstance(statement, (ast.Assign, ast.Return)) and isinstance(statement.value, ast.Tuple):
        parts = statement.value.elts
        if len(parts) > 1 and not any(isinstance(part, ast.Starred) for part in parts):
            return code.removesuffix(source(statement.value)) + ", ".join(map(source, parts))
    return code


def _flows_as_one(application: Application) -> bool:
    """Whether what one copy of a repeated layer gives goes into the next as one value."""
    return not isinstance(application.output, tuple) or len(application.inputs) == 1


def _test(operation: Operation, condition: Condition) -> ast.expr:
    """The condition as forward asks it."""
    parts: list[ast.expr] = []
    if condition.training:
        parts.append(copy.copy(TRAINING))
    if condition.build is not None:
        parts.append(self_attribute(condition.flag(operation.layer)))
    if condition.training and not _is_training(condition):
        return renamed(condition.tree, lambda text: f"self.{text}")
    return ast.BoolOp(ast.And(), parts) if len(parts) > 1 else parts[0]


def _is_training(condition: Condition) -> bool:
    """Whether the condition is `training`, or `training and …`."""
    tree = condition.tree
    parts = tree.values if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And) else [tree]
    return any(isinstance(part, ast.Name) and part.id == "training" for part in parts)


def noted(comment: str, *applications: Application) -> str:
    """A comment, and what the catalog notes on the layers that are used."""
    notes = [
        application.module.entry.note({**application.module.values, **application.inputs})
        for application in applications
        if application.module.kind in LAYERS and application.module.entry.note is not None
    ]
    return "; ".join(dict.fromkeys(part for part in (comment, *notes) if part))


def shape_comment(output: Any, before: Tensor | None) -> str:
    """The shape of `output`, where it is another than that of `before` and can be read at a glance."""
    if not isinstance(output, Tensor) or output.shape is None or before is None:
        return ""
    shape = show(output.shape)
    return "" if output.shape == before.shape or len(shape) > 80 else shape
