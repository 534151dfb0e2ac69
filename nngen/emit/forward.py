"""From the flow to code: what both styles share."""

from __future__ import annotations

import ast
import copy
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from nngen.catalog import LAYERS
from nngen.catalog.partial_evaluation import renamed, source
from nngen.emit.model import Statement
from nngen.emit.variables import Variables
from nngen.errors import Mark
from nngen.graph.calls import TRAINING, Calls, named_in, operands_of
from nngen.graph.flow import Application, Condition, Flow, Module, Operation, self_attribute
from nngen.graph.merging import fitting, resized
from nngen.symbolic.broadcasting import show
from nngen.symbolic.expressions import Target, assign, name
from nngen.symbolic.tensor import Tensor


def _is_name(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name)


@dataclass
class Lowering(ABC):
    """One style of forward.

    Attributes:
        flow: what happens.
        variables: what the values are called.
        commented: shapes stand behind the statements; else only what the catalog notes on a layer does.
        mark: where the spec has the step at hand, and `place`, where the flow has it.
        helpers: the names that the step at hand has bound for itself.
    """

    flow: Flow
    variables: Variables
    commented: bool = True
    statements: list[Statement] = field(default_factory=list)
    nested: list[Statement] | None = None
    mark: Mark = field(init=False)
    place: int = field(init=False)
    helpers: set[str] = field(default_factory=set)

    def run(self) -> tuple[Statement, ...]:
        """All statements, the return included."""
        *steps, output = self.flow.operations
        for self.place, operation in enumerate(steps):
            self.mark = operation.mark
            if operation.condition is not None:
                self.conditional(operation, operation.condition)
            else:
                self.step(operation)
        self.mark, self.place = output.mark, len(steps)
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
        if not condition.passes:
            self.emit(assign(variable, ast.Constant(None)))
        elif self.variables[operation.reads[0]] != variable:
            self.emit(assign(variable, name(self.variables[operation.reads[0]])))
        self.nested = []
        self.step(operation)
        body, self.nested = self.nested, None
        if body:
            head = ast.If(_test(operation, condition), [ast.Pass()], [])
            self.statements.append(Statement(head, "", self.mark, tuple(body), self.place))

    def emit(self, statement: ast.stmt, comment: str = "") -> None:
        """Add a statement of the step at hand, to the `if` at hand where there is one."""
        if self.nested is not None:
            self.nested.append(Statement(statement, "", self.mark))
        else:
            self.statements.append(Statement(statement, comment, self.mark, step=self.place))

    def count(self) -> int:
        """How many statements there are."""
        return len(self.statements) + len(self.nested or ())

    def line(self, operation: Operation) -> None:
        """Emit a step that is a line; one that only calls a list of copies is the loop itself."""
        assert operation.line is not None
        tree = operation.line.value.tree
        application = operation.calls.get(tree)  # type: ignore[call-overload]
        if application is not None and self.is_loop(application.module):
            call = Calls(self, operation).parts(tree)
            operands = operands_of(application, call)
            self.loop(application, operands, operation.line.target, operation.step, named_in(call))
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
        named: frozenset[str] = frozenset(),
    ) -> None:
        """Emit `for layer in self.layers: x = layer(x, y)`.

        What one copy gives goes into the first inputs of the next; its other inputs are the same for all copies, and
        those that the spec gives by name (`named`) are given by name.
        """
        single = _flows_as_one(application)
        count = 1 if single else len(application.output)
        given = list(operands.values())
        fixed = {leaf.id for one in given[count:] for leaf in ast.walk(one) if _is_name(leaf)}
        aims = (target,) if isinstance(target, str) else target
        if isinstance(target, str) is not single or fixed.intersection(map(str, aims)):
            left = self.looped(application, operands, named)
            self.emit(assign(target, left))
            return
        names = [str(aim) for aim in aims]
        for place, (key, value) in enumerate(list(operands.items())[:count]):
            if names[place] == "_":
                over = isinstance(value, ast.Name) and self._is_over(value.id, step)
                names[place] = source(value) if over else self._spare(application, key)
        self._loop(application, operands, names, named)

    def looped(
        self,
        application: Application,
        operands: Mapping[str, ast.expr],
        named: frozenset[str],
    ) -> ast.expr:
        """Emit such a loop before an expression that it stands in: what it leaves there."""
        single = _flows_as_one(application)
        keys = list(application.inputs)[: 1 if single else len(application.output)]
        names = [self._spare(application, "out" if single else key) for key in keys]
        self._loop(application, operands, names, named)
        return name(names[0]) if single else ast.Tuple([name(each) for each in names], ast.Load())

    def _loop(
        self,
        application: Application,
        operands: Mapping[str, ast.expr],
        names: Sequence[str],
        named: frozenset[str],
    ) -> None:
        keys, values = list(operands), list(operands.values())
        changed = [(n, value) for n, value in zip(names, values) if source(value) != n]
        if len(changed) == 1:
            self.emit(assign(*changed[0]))
        elif changed:
            self.emit(assign(tuple(names), ast.Tuple(values[: len(names)], ast.Load())))
        fixed: dict[str, ast.expr] = {}
        for key, value in list(zip(keys, values))[len(names) :]:
            if not isinstance(value, (ast.Name, ast.Attribute, ast.Constant)):
                held = self._spare(application, key)
                self.emit(assign(held, value))
                value = name(held)
            fixed[key] = value
        module = application.module
        blocks = all(child.flow is not None for child in module.children)
        wanted = ["block", "layer"] if blocks else ["layer"]
        free = [word for word in wanted if self.variables.unused(word) == word]
        item = free[0] if free else self.variables.unused("layer")
        placed = [*map(name, names), *(fixed[key] for key in fixed if key not in named)]
        keywords = [ast.keyword(key, fixed[key]) for key in fixed if key in named]
        call = ast.Call(name(item), placed, keywords)
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
        return self.helper(f"{application.module.identifier}_{word}")

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
        output = application.output
        doubtful = application in self.flow.doubtful
        if application.children and isinstance(output, Tensor):
            shape = resized(output, fitting).shape
            return show(shape) if self.commented and shape is not None and not doubtful else ""
        comment = "" if doubtful else self._shape(output, application.inputs.values())
        return noted(comment, application)

    def line_comment(self, operation: Operation) -> str:
        """The result's shape, where it is not that of the first tensor in the line."""
        value = operation.writes[0]
        if len(operation.writes) > 1 or value is None or value in self.flow.doubtful:
            return noted("", *operation.calls.values())
        comment = self._shape(value.abstract, (read.abstract for read in operation.reads))
        return noted(comment, *operation.calls.values())

    def _shape(self, output: Any, given: Iterable[Any]) -> str:
        before = next((value for value in given if isinstance(value, Tensor)), None)
        if not self.commented or before is None:
            return ""
        return shape_comment(resized(output, fitting), resized(before, fitting))

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


def shape_comment(output: Any, before: Tensor) -> str:
    """The shape of `output`, where it is another than that of `before` and can be read at a glance."""
    if not isinstance(output, Tensor) or output.shape is None:
        return ""
    shape = show(output.shape)
    return "" if output.shape == before.shape or len(shape) > 80 else shape
