"""A layer's functional form as statements, with what goes in and comes out under the names that forward has for it."""

from __future__ import annotations

import ast
import copy
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeGuard

from nngen.catalog.fragments import statements
from nngen.catalog.partial_evaluation import source
from nngen.errors import Fault, SpecError
from nngen.graph.calls import TRAINING
from nngen.graph.flow import Application, Module
from nngen.symbolic.expressions import Target, assign, name
from nngen.symbolic.tensor import UNKNOWN, Packed, Tensor, may_be_one

Operands = Mapping[str, ast.expr]

# A form's `out` until its target is known; no variable can have this name.
_OUT = "<out>"
# A variable holds a tensor of its own, or one that forward was given.
NEW, GIVEN = "new", "given"


def form(
    application: Application,
    operands: Operands,
    target: Target,
    helper: Callable[[str], str] = str,
    origins: Mapping[str, str] = MappingProxyType({}),
) -> list[ast.stmt]:
    """A layer's functional form as statements; the last one assigns to `target`.

    Names that the form binds for itself get the layer's name in front; where the target takes the form's last tuple
    apart, its names are bound at once: `y, _ = lstm(x)` becomes `y, _, _ = torch.lstm(…)`. An operand that the form
    reads more than once is computed once, before it.

    Args:
        application: the layer, and what goes in.
        operands: the code of what goes in.
        target: the names that it assigns.
        helper: makes a name that is free of one that is wanted.
        origins: which variables are `NEW` tensors, and which are `GIVEN` to forward.
    """
    module = application.module
    prefix = module.identifier
    try:
        inputs = _told_apart(application, operands, origins)
        nodes = statements(module.entry.form_of(module.settled(inputs)))
    except Fault as fault:
        raise form_error(module, fault) from None
    own = {node: name(helper(f"{prefix}_{node}")) for node in _bound(nodes, module)}
    passed = {
        key: value
        for key, value in application.inputs.items()
        if key not in operands or not _flows(value)
    }
    flowing = {key: node for key, node in operands.items() if key not in passed}
    given = frozenset(passed.keys() & operands.keys())

    def folded(operands: Operands) -> list[ast.stmt]:
        code = {
            **own,
            **operands,
            **module.part_code(),
            "training": TRAINING,
            "out": name(_OUT),
        }
        rename = "self.{}".format
        folder = module.form_folder(code, passed, given, rename)
        try:
            found = folder.statements(nodes)
        except Fault as fault:
            raise form_error(module, fault) from None
        return [each for node in found for each in _opened(node, application)]

    before: list[ast.stmt] = []
    names = {key: f"{prefix}_{key}" for key, node in flowing.items() if not _is_plain(node)}
    held = {key: name(text) for key, text in names.items()}
    if names and not _read_at_once(folded({**flowing, **held}), list(names.values())):
        names = {key: helper(text) for key, text in names.items()}
        before = [assign(text, flowing[key]) for key, text in names.items()]
        flowing.update((key, name(text)) for key, text in names.items())
    body = folded(flowing)
    spare = helper(f"{prefix}_out") if isinstance(target, str) else "out"
    aimed = _aimed(body, target, spare, flowing, {source(node) for node in own.values()})
    return before + aimed


def form_error(module: Module, fault: Fault) -> SpecError:
    """The error of a spec for what a layer's form finds wrong."""
    return SpecError(f"{module.kind}: {fault.message}", module.mark, fault.hint)


def _opened(statement: ast.stmt, application: Application) -> list[ast.stmt]:
    """A statement that calls a part of a stack, `out = norm(out)`, by the part's own form."""
    parts = {application.module.part_name(part): part for part in application.module.children}
    if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.Call):
        return [statement]
    call, (target,) = statement.value, statement.targets
    part = parts.get(call.func.id) if isinstance(call.func, ast.Name) else None
    if part is None or not isinstance(target, ast.Name):
        return [statement]
    (key,) = inputs = {part.entry.inputs.names[0]: application.output}
    return form(Application(part, inputs, application.output), {key: call.args[0]}, target.id)


def _told_apart(
    application: Application, operands: Operands, origins: Mapping[str, str]
) -> dict[str, Any]:
    """The inputs as forms of several statements see them.

    Two of them are one object only where one name stands for both. `apart` holds the pairs that cannot be one tensor.
    """
    found: dict[str, Any] = {}
    for key, value in application.inputs.items():
        node = operands.get(key)
        twin = next((k for k in found if _is_same(operands.get(k), node)), None)
        found[key] = (
            found[twin]
            if twin is not None
            else copy.copy(value) if isinstance(value, Tensor) else value
        )
    uses = (application.inputs, *application.others)
    apart = {
        frozenset((one, other))
        for (one, left), (other, right) in itertools.combinations(operands.items(), 2)
        if _are_apart(left, right, origins)
        or not any(may_be_one(use[one], use[other]) for use in uses)
    }
    return {**found, "apart": apart}


def _are_apart(left: ast.expr, right: ast.expr, origins: Mapping[str, str]) -> bool:
    """Whether two operands cannot be one tensor: one is computed in the call, or by a step after the other."""
    if isinstance(left, ast.BinOp) or isinstance(right, ast.BinOp):
        return True
    if _is_same(left, right) or not isinstance(left, ast.Name) or not isinstance(right, ast.Name):
        return False
    kinds = {origins.get(left.id), origins.get(right.id)}
    return NEW in kinds and None not in kinds


def _is_same(left: ast.expr | None, right: ast.expr | None) -> bool:
    """Whether two operands are one variable."""
    return isinstance(left, ast.Name) and isinstance(right, ast.Name) and left.id == right.id


def _flows(value: object) -> bool:
    """Whether an argument of forward is known only as the model runs."""
    return value is UNKNOWN or isinstance(value, (Packed, Tensor, tuple, list, dict))


def _is_plain(node: ast.expr) -> bool:
    """Whether code may be written twice: names, and tuples of them."""
    if isinstance(node, ast.Attribute):
        return _is_plain(node.value)
    if isinstance(node, (ast.Tuple, ast.List)):
        return all(map(_is_plain, node.elts))
    return isinstance(node, (ast.Name, ast.Constant))


def _read_at_once(body: Sequence[ast.stmt], names: Sequence[str]) -> bool:
    """Whether the first statement reads these names, each once and in order, and nothing else does."""
    reads = [[node for node in _names(statement) if node in names] for statement in body]
    return reads[0] == list(names) and not any(reads[1:])


def _names(node: ast.AST) -> Iterator[str]:
    """The names in a tree in the order of evaluation."""
    if isinstance(node, ast.Name):
        yield node.id
    for child in ast.iter_child_nodes(node):
        yield from _names(child)


def _bound(nodes: Sequence[ast.stmt], module: Module) -> list[str]:
    """The names that a form binds for itself."""
    state = {state.identifier for state in module.state}
    names = {
        node.id: None
        for statement in nodes
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    return [node for node in names if node not in ("out", "_") and node not in state]


def _aimed(
    body: list[ast.stmt], target: Target, spare: str, operands: Operands, own: set[str]
) -> list[ast.stmt]:
    """The form with `out` as `target`."""
    if isinstance(target, str):
        if _may_become(body, _OUT, target, operands):
            body = [_Renamed({_OUT: target}).visit(statement) for statement in body]
            return [statement for statement in body if not _is_idle(statement)] or body
        # The target is an operand that the form still reads: bind it at the end.
        body = [_Renamed({_OUT: spare}).visit(statement) for statement in body]
        return [*body, assign(target, name(spare))]
    *body, last = body
    assert isinstance(last, ast.Assign)
    pairs = list(_paired(last.value, target))
    direct = [
        (value.id, aim) for value, aim in pairs if _is_own(value, own) and isinstance(aim, str)
    ]
    rest = [(value, aim) for value, aim in pairs if not _is_own(value, own) and aim != "_"]
    kept: list[ast.stmt] = []
    if rest:
        values, aims = zip(*rest)
        one = len(rest) == 1
        kept.append(assign(aims[0] if one else aims, values[0] if one else _tuple(values)))
    renames = dict(direct)
    whole = [*body, *kept]
    free = all(_may_become(whole, old, new, operands) for old, new in direct if new != "_")
    if not whole or not free or len(renames) < len(direct):
        return [*body, assign(target, last.value)]
    return [_Renamed(renames).visit(statement) for statement in whole]


def _is_idle(statement: ast.stmt) -> bool:
    """Whether it is `x = x`."""
    if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.Name):
        return False
    return all(isinstance(t, ast.Name) and t.id == statement.value.id for t in statement.targets)


def _paired(value: ast.expr, target: Target) -> Iterator[tuple[ast.expr, Target]]:
    """The parts of a value with what takes them, as deep as both are tuples."""
    if isinstance(value, ast.Tuple) and (target == "_" or len(value.elts) == len(target)):
        aims = ["_"] * len(value.elts) if target == "_" else target
        for part, aim in zip(value.elts, aims):
            yield from _paired(part, aim)
    else:
        yield value, target


def _is_own(value: ast.expr, own: set[str]) -> TypeGuard[ast.Name]:
    return isinstance(value, ast.Name) and value.id in own


def _tuple(values: Sequence[ast.expr]) -> ast.expr:
    return ast.Tuple(list(values), ast.Load())


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
