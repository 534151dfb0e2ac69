"""From the flow to code: the statements of `forward` and `loss` in each style."""

from __future__ import annotations

import ast
import copy
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nngen.catalog.entry import State, fragment, statements
from nngen.fold import literal, source
from nngen.graph.containers import CONTAINERS, inputs_of
from nngen.graph.flow import Flow, Operation
from nngen.graph.model import Construction, LayerState, StateLine, Statement
from nngen.graph.modules import Application, Module, self_attribute
from nngen.graph.variables import Variables
from nngen.tensors import Tensor, show

_TRAINING = self_attribute("training")


def name(text: str) -> ast.expr:
    return ast.Name(text, ast.Load())


def assign(target: str, value: ast.expr) -> ast.stmt:
    return ast.Assign([ast.Name(target, ast.Store())], value)


def construction(module: Module) -> Construction:
    """The call that builds a module in the nn twin."""
    if module.kind in CONTAINERS:
        children = tuple((child.name, construction(child)) for child in module.children)
        named = [child.name for child in module.children] != [str(i) for i in range(len(children))]
        return Construction(module.kind, (), children, named)
    folder = module.folder({})
    made = {state.name: state for state in module.state}
    arguments = []
    for argument in module.entry.signature:
        if not argument.positional and argument.name not in module.given:
            continue
        value = module.values[argument.name]
        # A list that becomes a buffer, such as class weights, goes in as the tensor that the buffer is.
        state = made.get(argument.name) if isinstance(value, list) else None
        code = source(literal(value) if state is None else folder.expression(fragment(state.value)))
        arguments.append(code if argument.positional else f"{argument.name}={code}")
    return Construction(module.kind, tuple(arguments))


def layer_state(module: Module, step: int) -> tuple[LayerState, ...]:
    """What the functional twin's constructor does for a module, container or not."""
    if module.kind in CONTAINERS:
        return tuple(state for child in module.children for state in layer_state(child, step))
    if not module.state:
        return ()
    folder = module.folder({})
    lines = tuple(
        StateLine(
            module.attribute(s),
            source(folder.expression(fragment(s.value))),
            s.buffer,
            s.persistent,
        )
        for s in module.state
    )
    draws = (
        module.folder(module.state_code()).statements(statements(module.entry.draw))
        if module.entry.draw
        else []
    )
    return (LayerState(lines, tuple(map(source, draws)), step),)


def leaves(module: Module) -> list[tuple[Module, State]]:
    """All parameters and buffers below a module, in order."""
    if module.kind in CONTAINERS:
        return [pair for child in module.children for pair in leaves(child)]
    return [(module, state) for state in module.state]


@dataclass
class Lowering(ABC):
    """One style of forward.

    Attributes:
        flow: what happens.
        variables: what the values are called.
    """

    flow: Flow
    variables: Variables
    statements: list[Statement] = field(default_factory=list)

    def run(self) -> tuple[Statement, ...]:
        """All statements, the return included."""
        *steps, output = self.flow.operations
        for operation in steps:
            if operation.application is not None:
                self.apply(operation)
            else:
                self.line(operation)
        self.emit(ast.Return(self.expression(output, output.step)), output.step)
        return tuple(self.statements)

    def emit(self, statement: ast.stmt, step: int, comment: str = "") -> None:
        self.statements.append(Statement(source(statement), comment, step))

    def line(self, operation: Operation) -> None:
        assert operation.line is not None
        value = self.expression(operation, operation.step)
        names = [ast.Name(target, ast.Store()) for target in operation.line.targets]
        target = ast.Tuple(names, ast.Store()) if operation.line.unpacks else names[0]
        self.emit(ast.Assign([target], value), operation.step, _line_comment(operation))

    def expression(self, operation: Operation, step: int) -> ast.expr:
        """The expression of a line in this style."""
        if operation.line is None:
            return name(self.variables[operation.reads[0]])
        return _Calls(self, operation, step).visit(operation.line.value.tree)  # type: ignore[no-any-return]

    @abstractmethod
    def apply(self, operation: Operation) -> None:
        """Emit a step that is a layer."""

    @abstractmethod
    def call(
        self,
        application: Application,
        arguments: list[ast.expr],
        keywords: list[ast.keyword],
        step: int,
    ) -> ast.expr:
        """A layer called in a line, as an expression; statements that it needs before are emitted."""

    def _operands(self, operation: Operation) -> tuple[str, list[ast.expr]]:
        value = operation.writes[0]
        assert value is not None
        return self.variables[value], [name(self.variables[read]) for read in operation.reads]


class NNLowering(Lowering):
    """Forward in torch.nn style: layers are called."""

    def apply(self, operation: Operation) -> None:
        application = operation.application
        assert application is not None
        target, operands = self._operands(operation)
        comment = _comment(application)
        if application.module.kind == "ModuleList":
            self._loop(application.module, target, operands[0], operation.step, comment)
            return
        self.emit(
            assign(target, self.call(application, operands, [], operation.step)),
            operation.step,
            comment,
        )

    def _loop(
        self, module: Module, target: str, operand: ast.expr, step: int, comment: str
    ) -> None:
        if source(operand) != target:
            self.emit(assign(target, operand), step)
        body = assign(target, ast.Call(name("layer"), [name(target)], []))
        self.emit(
            ast.For(ast.Name("layer", ast.Store()), self_attribute(module.name), [body], []),
            step,
            comment,
        )

    def call(
        self,
        application: Application,
        arguments: list[ast.expr],
        keywords: list[ast.keyword],
        step: int,
    ) -> ast.expr:
        return ast.Call(self_attribute(application.module.name), arguments, keywords)


class FunctionalLowering(Lowering):
    """Forward in functional style: each layer's form, with its state passed in."""

    def apply(self, operation: Operation) -> None:
        application = operation.application
        assert application is not None
        target, operands = self._operands(operation)
        names = inputs_of(application.module.kind).names
        self._chain(application, dict(zip(names, operands)), target, operation.step)

    def _chain(
        self,
        application: Application,
        operands: Mapping[str, ast.expr],
        target: str,
        step: int,
    ) -> None:
        """Statements that leave a module's output in `target`."""
        if application.module.kind in CONTAINERS:
            operand = operands["input"]
            for child in application.children:
                self._chain(
                    child,
                    {inputs_of(child.module.kind).names[0]: operand},
                    target,
                    step,
                )
                operand = name(target)
            return
        *before, last = self.form(application, operands, target)
        for statement in before:
            self.emit(statement, step)
        self.emit(last, step, _comment(application))

    @staticmethod
    def form(
        application: Application, operands: Mapping[str, ast.expr], target: str
    ) -> list[ast.stmt]:
        module = application.module
        code = {
            **module.state_code(),
            **operands,
            "training": _TRAINING,
            "out": name(target),
        }
        absent = {key: value for key, value in application.inputs.items() if key not in operands}
        folder = module.folder(code)
        folder.know(absent)
        return folder.statements(statements(module.entry.form))

    def call(
        self,
        application: Application,
        arguments: list[ast.expr],
        keywords: list[ast.keyword],
        step: int,
    ) -> ast.expr:
        names = inputs_of(application.module.kind).names
        operands = {
            **dict(zip(names, arguments)),
            **{str(k.arg): k.value for k in keywords},
        }
        if application.module.kind not in CONTAINERS:
            form = self.form(application, operands, "out")
            if isinstance(form[-1], ast.Assign):
                for statement in form[:-1]:
                    self.emit(statement, step)
                return form[-1].value
        target = "_".join(application.module.path)
        self._chain(application, operands, target, step)
        return name(target)


class _Calls(ast.NodeTransformer):
    """Writes a line for one style: layers as it calls them, `training` as the model's own."""

    def __init__(self, lowering: Lowering, operation: Operation, step: int) -> None:
        self.lowering = lowering
        self.operation = operation
        self.step = step

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, ast.Call) and node in self.operation.calls:
            arguments = [self.visit(argument) for argument in node.args]
            keywords = [
                ast.keyword(keyword.arg, self.visit(keyword.value)) for keyword in node.keywords
            ]
            return self.lowering.call(self.operation.calls[node], arguments, keywords, self.step)
        if isinstance(node, ast.Name):
            return copy.copy(_TRAINING) if node.id == "training" else ast.Name(node.id, node.ctx)
        changed = {key: self._field(value) for key, value in ast.iter_fields(node)}
        return type(node)(**changed)

    def _field(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.visit(item) if isinstance(item, ast.AST) else item for item in value]
        return self.visit(value) if isinstance(value, ast.AST) else value


def _comment(application: Application) -> str:
    """The output's shape, where it is not the input's."""
    output = application.output
    first = next(
        (value for value in application.inputs.values() if isinstance(value, Tensor)),
        None,
    )
    return _shape_comment(output, first)


def _line_comment(operation: Operation) -> str:
    value = operation.writes[0]
    tensors = [read.abstract for read in operation.reads if isinstance(read.abstract, Tensor)]
    if len(operation.writes) > 1 or value is None or not tensors:
        return ""
    return _shape_comment(value.abstract, tensors[0])


def _shape_comment(output: Any, before: Tensor | None) -> str:
    if (
        not isinstance(output, Tensor)
        or output.shape is None
        or before is None
        or output.shape == before.shape
    ):
        return ""
    return show(output.shape)
