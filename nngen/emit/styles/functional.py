"""The functional style: state made and drawn in the constructor, passed to functions in forward."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from nngen.catalog.entry import State
from nngen.catalog.fragments import fragment, statements
from nngen.catalog.partial_evaluation import literal
from nngen.emit.constructor import (
    Constructor,
    asked,
    built_flag,
    holds_blocks,
    is_block_list,
    named_state,
)
from nngen.emit.forward import Lowering
from nngen.emit.model import (
    Attribute,
    ClassCode,
    Construction,
    Form,
    Item,
    LayerState,
    Lines,
    Method,
    StateLine,
)
from nngen.emit.style import Parts, Style
from nngen.emit.styles import functional_redraws
from nngen.emit.styles.functional_names import with_names
from nngen.emit.twice import told_twice
from nngen.emit.weight_init import Redraws
from nngen.graph.calls import Calls, named_in, operands_of
from nngen.graph.containers import CONTAINERS
from nngen.graph.flow import Application, Flow, Module, Operation, Value, self_attribute
from nngen.graph.functional_form import GIVEN, NEW, Operands, form
from nngen.graph.losses import Criterion
from nngen.symbolic.expressions import Target, assign, name


@dataclass
class FunctionalLowering(Lowering):
    """Writes `x = F.conv2d(x, self.conv1_weight, self.conv1_bias)`.

    Attributes:
        origins: of the variables that a step reads, those that hold a tensor of their own (`NEW`), rather than
            another's under a second name, and those that are what forward was given (`GIVEN`).
    """

    origins: dict[str, str] = field(default_factory=dict)

    @cached_property
    def makers(self) -> dict[Value, Operation]:
        """The step that gives each value."""
        return {value: op for op in self.flow.operations for value in op.writes if value}

    def start(self, operation: Operation) -> None:
        """Forget what belongs to the step before."""
        self.helpers.clear()
        self.origins = {
            self.variables[value]: GIVEN if value in self.flow.inputs else NEW
            for value in operation.reads
            if value in self.flow.inputs
            or (value in self.makers and _makes_new(self.makers[value]))
        }

    def apply(self, operation: Operation, application: Application) -> None:
        self.start(operation)
        target, operands = self.operands(operation)
        names = tuple(application.inputs)
        self._chain(application, dict(zip(names, operands)), target, operation.step)

    def line(self, operation: Operation) -> None:
        """A line that only calls a layer takes the layer's form as its own."""
        self.start(operation)
        line = operation.line
        assert line is not None
        application = operation.calls.get(line.value.tree)  # type: ignore[call-overload]
        if application is None or not _has_form(application.module):
            super().line(operation)
            return
        operands = operands_of(application, Calls(self, operation).parts(line.value.tree))
        *body, last = self.form(application, operands, line.target)
        for statement in body:
            self.emit(statement)
        self.emit(last, self.line_comment(operation))

    def call(self, application: Application, call: ast.Call, step: int) -> ast.expr:
        operands = operands_of(application, call)
        module = application.module
        if module.flow is not None:
            return ast.Call(self_attribute(module.identifier), call.args, call.keywords)
        if self.is_loop(module):
            return self.looped(application, operands, named_in(call))
        if module.kind in CONTAINERS and not application.children:
            return next(iter(operands.values()))
        if module.kind in CONTAINERS:
            target = self.helper(f"{application.module.identifier}_out")
            self._chain(application, operands, target, step)
            return name(target)
        target = self.helper(f"{application.module.identifier}_out")
        *body, last = self.form(application, operands, target)
        for statement in body:
            self.emit(statement)
        if isinstance(last, ast.Assign):
            return last.value
        self.emit(last)
        return name(target)

    def is_loop(self, module: Module) -> bool:
        return is_block_list(module) and module.flow is None

    def members(self, module: Module) -> ast.expr:
        attribute = self_attribute(module.identifier)
        if any(not child.name.isdigit() and child.name != "*" for child in module.children):
            return ast.Call(ast.Attribute(attribute, "values", ast.Load()), [], [])
        return attribute

    def _chain(self, application: Application, operands: Operands, target: str, step: int) -> None:
        """Emit statements that leave a module's output in `target`."""
        module = application.module
        attribute = self_attribute(module.identifier)
        if module.flow is not None:
            call = ast.Call(attribute, list(operands.values()), [])
            self.emit(assign(target, call), self.layer_comment(application))
        elif self.is_loop(module):
            self.loop(application, operands, target, step)
        elif module.kind in CONTAINERS:
            operand = next(iter(operands.values()))
            whole = self.mark
            for child in application.children:
                self.mark = child.module.mark
                self._chain(child, {next(iter(child.inputs)): operand}, target, step)
                operand = name(target)
            self.mark = whole
            if not application.children and ast.unparse(operand) != target:
                self.emit(assign(target, operand))
        else:
            *body, last = self.form(application, operands, target)
            for statement in body:
                self.emit(statement)
            self.emit(last, self.layer_comment(application))

    def form(self, application: Application, operands: Operands, target: Target) -> list[ast.stmt]:
        return form(application, operands, target, self.helper, self.origins)


def _has_form(module: Module) -> bool:
    return module.flow is None and module.kind not in CONTAINERS


def _makes_new(operation: Operation) -> bool:
    """Whether a step gives a tensor that no other name has: what a layer with weights computes, or a sum."""
    if operation.application is not None:
        return _computes(operation.application.module)
    if operation.line is None:
        return False  # the step is left out, so its value is its input
    tree = operation.line.value.tree
    called = operation.calls.get(tree)  # type: ignore[call-overload]
    return isinstance(tree, ast.BinOp) or (called is not None and _computes(called.module))


def _computes(module: Module) -> bool:
    layers = module.is_stack or (module.flow is not None and bool(module.flow.body.layer))
    return bool(module.state) or layers


class Functional(Style):
    """The model owns each parameter, and passes it to a function."""

    form = Form("functional", "functional_style.py", "functional_style.py.j2")
    lowering = FunctionalLowering

    def write(self, parts: Parts) -> ClassCode | None:
        """A class, with a word on what it draws twice, and with the names of weights that go in as one list."""
        code = super().write(parts)
        return None if code is None else with_names(told_twice(code), parts.flow)

    def items(self, constructor: Constructor, flow: Flow) -> Iterator[Item]:
        """Parameters and buffers, by layers; and blocks."""
        for built in flow.built:
            if built.module is None:
                continue
            if built.module.kind in ("Parameter", "Buffer"):
                yield named_state(built)
                continue
            condition = asked(built_flag(built))
            yield from self._of_module(constructor, built.module, built.step, condition)

    def blocks(
        self, constructor: Constructor, module: Module, step: int, condition: ast.expr | None
    ) -> Iterator[Item]:
        """What is done for a block, a list of blocks, or copies of a layer that is one."""
        if module.copies:
            yield from _copies(constructor, module, step, condition)
            return
        made = constructor.construction(module, True)
        if module.flow is None:
            kind = "ModuleDict" if made.named else "ModuleList"
            made = Construction(kind, (), made.children, made.named)
        yield Attribute(module.identifier, made, step, module.mark, condition)

    def _of_module(
        self, constructor: Constructor, module: Module, step: int, condition: ast.expr | None
    ) -> Iterator[Item]:
        if holds_blocks(module):
            yield from self.blocks(constructor, module, step, condition)
            return
        for child in module.children:
            yield from self._of_module(constructor, child, step, condition)
        if module.state:
            yield _layer_state(module, step, condition)
        elif module.is_stack and module.entry.draw:
            yield Lines(_draws(module), step, module.mark, condition)

    def parameter(self, module: Module, state: State) -> ast.expr:
        return self_attribute(module.attribute(state))

    def key(self, nn: str, functional: str) -> str:
        return functional

    def criterion(self, criterion: Criterion, application: Application) -> list[ast.stmt]:
        """The layer's functional form."""
        *before, last = criterion.form
        assert isinstance(last, ast.Assign)
        value = last.value
        if criterion.gives_output:
            assert isinstance(value, ast.Tuple)
            value = value.elts[-1]
        return [*before, ast.Return(value)]

    def redraws(self, parts: Parts) -> Lines | None:
        """The parameters one by one, those in blocks by a method of theirs."""
        rules, body = parts.own_redraws, parts.flow.body
        if rules is None:
            return None
        codes = functional_redraws.statements(rules, parts.flow, _method(rules, parts))
        return Lines(codes, len(body.layers), body.init[0].mark)

    def methods(self, parts: Parts) -> tuple[Method, ...]:
        """Those by which classes with rules reach the parameters of a block."""
        found = []
        for rules in parts.redraws:
            if rules.flow.body.name != parts.flow.body.name and rules.reaches(parts.flow):
                method = _method(rules, parts)
                taken = tuple(f"{name}: {kind}" for name, kind in rules.parameters)
                codes = functional_redraws.statements(rules, parts.flow, method)
                found.append(Method(method, taken, codes, rules.flow.body.init[0].mark))
        return tuple(found)


def _method(rules: Redraws, parts: Parts) -> str:
    if len(parts.redraws) == 1:
        return "init_weights"
    return f"init_weights_of_{rules.flow.body.name.lower()}"


def _copies(
    constructor: Constructor, module: Module, step: int, condition: ast.expr | None
) -> Iterator[Item]:
    """Copies of one layer in a row, which torch makes of one that it draws."""
    attribute = module.identifier
    one, count = attribute.removesuffix("s"), module.copies or literal(1)
    made = constructor.construction(module.children[0], True)
    yield Lines((assign(one, made.call),), step, module.mark, condition)
    copied = Construction("copy.deepcopy", (("", name(one)),), block=True, loop=count)
    copies = Construction("ModuleList", (), (("", copied),))
    yield Attribute(attribute, copies, step, module.mark, condition)


def _layer_state(module: Module, step: int, condition: ast.expr | None) -> LayerState:
    folder = module.folder({})
    lines = tuple(
        StateLine(
            module.attribute(state),
            folder.expression(fragment(state.value)),
            state.buffer,
            state.persistent,
        )
        for state in module.state
    )
    return LayerState(lines, _draws(module), step, module.mark, condition)


def _draws(module: Module) -> tuple[ast.stmt, ...]:
    nodes = statements(module.entry.draw_of(module.settled()))
    return tuple(module.form_folder(module.part_code()).statements(nodes))
