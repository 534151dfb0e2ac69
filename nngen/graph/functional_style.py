"""The functional style: state made and drawn in the constructor, passed to functions in forward."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from nngen.catalog.entry import statements
from nngen.expressions import Target
from nngen.fold import source
from nngen.graph.construction import is_block_list
from nngen.graph.containers import CONTAINERS
from nngen.graph.flow import Operation
from nngen.graph.lowering import (
    TRAINING,
    Lowering,
    assign,
    layer_comment,
    line_comment,
    loop_over,
    name,
)
from nngen.graph.modules import Application, Module, self_attribute
from nngen.tensors import UNKNOWN, Tensor

Operands = Mapping[str, ast.expr]


class FunctionalLowering(Lowering):
    """Writes `x = F.conv2d(x, self.conv1_weight, self.conv1_bias)`."""

    def apply(self, operation: Operation, application: Application) -> None:
        target, operands = self.operands(operation)
        names = tuple(application.inputs)
        self._chain(application, dict(zip(names, operands)), target, operation.step)

    def line(self, operation: Operation) -> None:
        """A line that only calls a layer takes the layer's form as its own."""
        line = operation.line
        assert line is not None
        application = operation.calls.get(line.value.tree)  # type: ignore[call-overload]
        if application is None or not _has_form(application.module):
            super().line(operation)
            return
        operands = self._operands_of(application, line.value.tree)
        *body, last = form(application, operands, line.target)
        for statement in body:
            self.emit(statement, operation.step)
        self.emit(last, operation.step, line_comment(operation))

    def call(self, application: Application, call: ast.Call, step: int) -> ast.expr:
        operands = self._operands_of(application, call)
        module = application.module
        if module.flow is not None:
            return ast.Call(self_attribute("_".join(module.path)), call.args, call.keywords)
        if module.kind in CONTAINERS:
            target = self.variables.unused("_".join((*application.module.path, "out")))
            self._chain(application, operands, target, step)
            return name(target)
        *body, last = form(application, operands, "out")
        for statement in body:
            self.emit(statement, step)
        assert isinstance(last, ast.Assign)
        return last.value

    @staticmethod
    def _operands_of(application: Application, call: ast.expr) -> dict[str, ast.expr]:
        assert isinstance(call, ast.Call)
        names = tuple(application.inputs)
        return {**dict(zip(names, call.args)), **{str(k.arg): k.value for k in call.keywords}}

    def _chain(self, application: Application, operands: Operands, target: str, step: int) -> None:
        """Emit statements that leave a module's output in `target`."""
        module = application.module
        attribute = self_attribute("_".join(module.path))
        if module.flow is not None:
            call = ast.Call(attribute, list(operands.values()), [])
            self.emit(assign(target, call), step, layer_comment(application))
        elif is_block_list(module):
            self._block_loop(application, attribute, next(iter(operands.values())), target, step)
        elif module.kind in CONTAINERS:
            operand = next(iter(operands.values()))
            for child in application.children:
                self._chain(child, {next(iter(child.inputs)): operand}, target, step)
                operand = name(target)
        else:
            *body, last = form(application, operands, target)
            for statement in body:
                self.emit(statement, step)
            self.emit(last, step, layer_comment(application))

    def _block_loop(
        self,
        application: Application,
        members: ast.expr,
        operand: ast.expr,
        target: str,
        step: int,
    ) -> None:
        if source(operand) != target:
            self.emit(assign(target, operand), step)
        if any(
            not child.name.isdigit() and child.name != "*" for child in application.module.children
        ):
            members = ast.Call(ast.Attribute(members, "values", ast.Load()), [], [])
        loop = loop_over(application.module, members, target)
        self.emit(loop, step, layer_comment(application))


def _has_form(module: Module) -> bool:
    return module.flow is None and module.kind not in CONTAINERS


def form(application: Application, operands: Operands, target: Target) -> list[ast.stmt]:
    """A layer's functional form as statements; the last one assigns to `target`.

    Names that the form binds for itself get the layer's name in front; where the target takes the form's last tuple
    apart, its names are bound at once: `y, _ = lstm(x)` becomes `y, _, _ = torch.lstm(…)`.
    """
    module = application.module
    nodes = statements(module.entry.form_of(module.values))
    own = {node: name(f"{'_'.join(module.path)}_{node}") for node in _bound(nodes, module)}
    passed = {
        key: value
        for key, value in application.inputs.items()
        if key not in operands or not _flows(value)
    }
    code = {
        **own,
        **{key: node for key, node in operands.items() if key not in passed},
        "training": TRAINING,
    }
    given = frozenset(passed.keys() & operands.keys())
    folder = module.form_folder(code, passed, given, lambda text: f"self.{text}")
    body = folder.statements(nodes)
    return _aimed(body, target, operands, {source(node) for node in own.values()})


def _flows(value: object) -> bool:
    """Whether an argument of forward is known only as the model runs."""
    return value is UNKNOWN or isinstance(value, (Tensor, tuple, list, dict))


def _bound(nodes: Sequence[ast.stmt], module: Module) -> list[str]:
    """The names that a form binds for itself."""
    state = {state.identifier for state in module.state}
    names = {
        node.id: None
        for statement in nodes
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    return [node for node in names if node != "out" and node not in state]


def _aimed(
    body: list[ast.stmt], target: Target, operands: Operands, own: set[str]
) -> list[ast.stmt]:
    """The form with `out` as `target`."""
    last = body[-1]
    assert isinstance(last, ast.Assign)
    if isinstance(target, str):
        aim = target if _may_become(body, "out", target, operands) else None
        if aim is None:
            # The target is an operand that the form still reads: bind it at the end.
            return [*body, assign(target, name("out"))]
        return [_Renamed({"out": aim}).visit(statement) for statement in body]
    renames = _matched(last.value, target, own)
    if renames is not None and all(
        new == "_" or _may_become(body[:-1], old, new, operands) for old, new in renames.items()
    ):
        return [_Renamed(renames).visit(statement) for statement in body[:-1]]
    return [*body[:-1], assign(target, last.value)]


def _matched(value: ast.expr, target: Target, own: set[str]) -> dict[str, str] | None:
    """Which of the form's own names become which of the target's, if the two have one shape."""
    if isinstance(target, str):
        known = isinstance(value, ast.Name) and value.id in own
        return {value.id: target} if known and isinstance(value, ast.Name) else None
    if not isinstance(value, ast.Tuple) or len(value.elts) != len(target):
        return None
    renames: dict[str, str] = {}
    for part, aim in zip(value.elts, target):
        inner = _matched(part, aim, own)
        if inner is None or inner.keys() & renames.keys():
            return None
        renames.update(inner)
    return renames


def _may_become(body: list[ast.stmt], old: str, new: str, operands: Operands) -> bool:
    """Whether `old` can be bound under the name `new` without hiding an operand that is read later."""
    read = {
        node.id
        for operand in operands.values()
        for node in ast.walk(operand)
        if isinstance(node, ast.Name)
    }
    if new not in read:
        return True
    bound = False
    for statement in body:
        names = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
        if bound and any(node.id == new for node in names):
            return False
        bound = bound or any(node.id == old and isinstance(node.ctx, ast.Store) for node in names)
    return True


class _Renamed(ast.NodeTransformer):
    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self.names.get(node.id, node.id), node.ctx)
