"""The torch.nn style: layers are built in the constructor, and called."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from functools import cached_property
from itertools import groupby

from nngen.catalog import LAYERS
from nngen.catalog.entry import State
from nngen.emit.constructor import (
    Constructor,
    asked,
    becomes_identity,
    build_condition,
    built_flag,
    named_state,
)
from nngen.emit.forward import Lowering
from nngen.emit.model import Attribute, ClassCode, Form, Item, Lines, Statement
from nngen.emit.nesting import Nesting, groups
from nngen.emit.parameters import parameter_at, where_there
from nngen.emit.style import Parts, Style
from nngen.emit.styles import nn_redraws
from nngen.graph.calls import named_in, operands_of
from nngen.graph.flow import Application, Built, Condition, Flow, Module, Operation, self_attribute
from nngen.graph.loops import position
from nngen.graph.losses import Criterion
from nngen.symbolic.expressions import assign, name


class NNLowering(Lowering):
    """Writes `x = self.conv1(x)`."""

    @cached_property
    def nesting(self) -> Nesting:
        """The containers of the class."""
        return Nesting(self.flow)

    def run(self) -> tuple[Statement, ...]:
        """All statements; those that a line gives for each child of a list in turn are one loop."""
        found: list[Statement] = []
        for _, group in groupby(super().run(), lambda each: each.mark):
            same = list(group)
            loop = self._as_loop(same)
            found += same if loop is None else [loop]
        return tuple(found)

    def _as_loop(self, found: list[Statement]) -> Statement | None:
        """Statements as a loop over a list, where each does the same with the next child, and all children have one."""
        operations = [self.flow.operations[each.step] for each in found]
        uses = [
            [each.application] if each.application else each.calls.values() for each in operations
        ]
        paths = [use.module.path for each in uses for use in each]
        if not paths:
            return None
        list_path = paths[0][:1]
        children = [(*list_path, name) for name in self.nesting.children.get(list_path, ())]
        if len(found) < 2 or paths != children or not self.nesting.is_list(list_path):
            return None
        words = ("layer", "block")
        item = next((w for w in words if self.variables.unused(w) == w), words[0])
        item = self.variables.unused(item)
        bodies = [
            replaced_in(each.tree, self.nesting.reached(path), name(item))
            for each, path in zip(found, paths)
        ]
        if len(set(map(ast.dump, bodies))) > 1 or any(each.body for each in found):
            return None
        loop = ast.For(ast.Name(item, ast.Store()), self_attribute(*list_path), [bodies[0]], [])
        comment = next((each.comment for each in reversed(found) if each.comment), "")
        return Statement(loop, comment, found[0].mark, step=found[-1].step)

    def conditional(self, operation: Operation, condition: Condition) -> None:
        built = next(each for each in self.flow.built if each.name == operation.layer)
        if becomes_identity(self.flow, built):
            self.step(operation)
        else:
            super().conditional(operation, condition)

    def apply(self, operation: Operation, application: Application) -> None:
        target, operands = self.operands(operation)
        comment = self.layer_comment(application)
        module = application.module
        if self.is_loop(module):
            self.loop(application, dict(zip(application.inputs, operands)), target, operation.step)
            return
        call = ast.Call(self.nesting.reached(module.path), operands, [])
        self.emit(assign(target, call), comment)

    def is_loop(self, module: Module) -> bool:
        return module.kind == "ModuleList"

    def members(self, module: Module) -> ast.expr:
        reached = self.nesting.reached(module.path)
        if len(module.path) == 1 and module.name.isidentifier():
            return reached
        # What a container gives is any module to torch's annotations.
        return ast.Call(ast.Attribute(reached, "children", ast.Load()), [], [])

    def call(self, application: Application, call: ast.Call, step: int) -> ast.expr:
        if self.is_loop(application.module):
            return self.looped(application, operands_of(application, call), named_in(call))
        return ast.Call(self.nesting.reached(application.module.path), call.args, call.keywords)


def replaced_in(statement: ast.stmt, part: ast.expr, by: ast.expr) -> ast.stmt:
    """A statement with one expression for another."""
    text = ast.dump(part)

    class Putting(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            return by if ast.dump(node) == text else self.generic_visit(node)

    changed = Putting().visit(copy.deepcopy(statement))
    assert isinstance(changed, ast.stmt)
    return changed


class NN(Style):
    """Every layer is a module that owns its parameters."""

    form = Form("nn", "nn_style.py", "nn_style.py.j2")
    lowering = NNLowering

    def write(self, parts: Parts) -> ClassCode | None:
        """A class; one that stands for a layer of torch.nn is that layer."""
        return None if parts.flow.body.layer else super().write(parts)

    def items(self, constructor: Constructor, flow: Flow) -> Iterator[Item]:
        """Modules; of a block that is a Sequential, that is one item."""
        if flow.body.sequential:
            modules = [built.module for built in flow.built if built.module is not None]
            names = [position(flow, place) for place in range(len(modules))]
            made = constructor.container("Sequential", modules, names)
            yield Attribute(flow.body.name, made, 0, flow.body.mark)
            return
        nesting = Nesting(flow)
        for built, *others in groups(flow):
            if built.module is None:
                continue
            if len(built.path) > 1 or not built.path[0].isidentifier():
                module = nesting.module((built, *others))
                made = constructor.construction(module)
                yield Attribute(built.path[0], made, built.step, module.mark)
                continue
            if built.module.kind in ("Parameter", "Buffer"):
                yield named_state(built)
                continue
            condition = build_condition(built.condition)
            identity = condition is not None and becomes_identity(flow, built)
            made = constructor.construction(built.module)
            if condition is not None and not identity:
                condition = asked(built_flag(built))
            yield Attribute(built.path[0], made, built.step, built.module.mark, condition, identity)

    def parameter(self, module: Module, state: State) -> ast.expr:
        return parameter_at(module.key(state))

    def under_question(self, module: Module, state: State, call: ast.stmt) -> ast.stmt:
        return where_there(state.optional, module.key(state), call)

    def key(self, nn: str, functional: str) -> str:
        return nn

    def asks(self, flow: Flow, built: Built) -> bool:
        return not becomes_identity(flow, built)

    def forward(self, parts: Parts) -> tuple[Statement, ...]:
        return () if parts.flow.body.sequential else super().forward(parts)

    def criterion(self, criterion: Criterion, application: Application) -> list[ast.stmt]:
        """The layer, called."""
        inputs = LAYERS[application.module.kind].inputs.names
        given = dict(zip(criterion.shapes, criterion.arguments))
        operands: list[ast.expr] = [name(given[key]) for key in inputs]
        call: ast.expr = ast.Call(self_attribute("criterion"), operands, [])
        if criterion.gives_output:
            call = ast.Attribute(call, "loss", ast.Load())
        return [ast.Return(call)]

    def redraws(self, parts: Parts) -> Lines | None:
        """A loop over the modules."""
        rules, body = parts.own_redraws, parts.flow.body
        return (
            None
            if rules is None
            else Lines(nn_redraws.statements(rules), len(body.layers), body.init[0].mark)
        )
