"""Redraws in functional style: the parameters one by one, those in blocks by a method of theirs."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

from nngen.catalog.partial_evaluation import keep_name
from nngen.emit.constructor import asked, built_flag, is_block_list
from nngen.emit.parameters import Leaf, path_of
from nngen.emit.state_keys import class_keys
from nngen.emit.weight_init import Redraws, is_instance, under
from nngen.graph.flow import Built, Flow, Module, self_attribute
from nngen.symbolic.expressions import name

Drawing = Callable[[ast.expr], ast.stmt]
Visit = tuple[Leaf | None, ast.stmt | None]


def statements(rules: Redraws, flow: Flow, method: str) -> tuple[ast.stmt, ...]:
    """The statements of one class of the functional twin: its own parameters, then its blocks by their method."""
    if rules.uneven:
        return tuple(_by_name(rules, leaf) for leaf in rules.drawn())
    codes: list[ast.stmt] = []
    built = [*flow.built, *(rules.loss if flow is rules.flow else ())]
    passed = [name(each) for each, _ in rules.parameters]

    def draw(block: ast.expr) -> ast.stmt:
        return ast.Expr(ast.Call(ast.Attribute(block, method, ast.Load()), passed, []))

    for leaf, code in _visits(flow, built, rules.leaves, draw, rules.reaches):
        if leaf is not None and leaf.key in rules.rules:
            rename = keep_name if flow is rules.flow else "self.{}".format
            call = rules.call(leaf, self_attribute(leaf.attribute), rename)
            codes.append(under(asked(leaf.flags[-1]), call))
        elif code is not None:
            codes.append(code)
    return tuple(_together(codes))


def _together(codes: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements; loops that follow each other and do the same are one."""
    for _, group in groupby(codes, key=_done):
        first, *others = loops = list(group)
        if isinstance(first, ast.For) and others:
            members: list[ast.expr]
            members = [ast.Starred(loop.iter) for loop in loops if isinstance(loop, ast.For)]
            yield ast.For(first.target, ast.Tuple(members, ast.Load()), first.body, [])
        else:
            yield from loops


def _done(code: ast.stmt) -> object:
    """What a loop does with each; no other statement is like another."""
    return [ast.dump(each) for each in code.body] if isinstance(code, ast.For) else id(code)


def _by_name(rules: Redraws, leaf: Leaf) -> ast.stmt:
    """The statement that draws one parameter, found by its name in the class that has the rules."""
    rules.check_reached(leaf)
    parameter = self_attribute(leaf.attribute)
    if not rules.is_own(leaf):
        parameter = path_of(class_keys(rules.flow)[leaf.key])
    return under(asked(leaf.flags[0]), rules.call(leaf, parameter))


def _visits(
    flow: Flow,
    everything: list[Built],
    leaves: list[Leaf],
    draw: Drawing,
    reaches: Callable[[Flow], bool],
) -> Iterator[Visit]:
    """A class's own parameters and its blocks, in the order of construction; the model's own Parameters first.

    Of a block, it is the call of its method, None where that `reaches` no parameter.
    """
    own = {leaf.attribute: leaf for leaf in leaves if leaf.owner.body.name == flow.body.name}
    for built in everything:
        if built.module is not None and built.module.kind == "Parameter":
            yield own.get(built.name), None
    for built in everything:
        if built.module is not None and built.module.kind not in ("Parameter", "Buffer"):
            flag = asked(built_flag(built))
            for leaf, code in _visits_of(built.module, own, draw, reaches):
                yield leaf, None if code is None else under(flag, code)


def _visits_of(
    module: Module, own: dict[str, Leaf], draw: Drawing, reaches: Callable[[Flow], bool]
) -> Iterator[Visit]:
    attribute = self_attribute(module.identifier)
    if module.flow is not None:
        yield None, draw(attribute) if reaches(module.flow) else None
    elif is_block_list(module):
        yield None, _visit_of_list(module, attribute, draw, reaches)
    else:
        for child in module.children:
            yield from _visits_of(child, own, draw, reaches)
        for state in module.state:
            if not state.buffer and module.attribute(state) in own:
                yield own[module.attribute(state)], None


def _visit_of_list(
    module: Module, members: ast.expr, draw: Drawing, reaches: Callable[[Flow], bool]
) -> ast.stmt | None:
    if any(not child.name.isdigit() and child.name != "*" for child in module.children):
        members = ast.Call(ast.Attribute(members, "values", ast.Load()), [], [])
    kinds = {_class_name(child): child.flow for child in module.children}
    reached = [kind for kind, flow in kinds.items() if flow is not None and reaches(flow)]
    if not reached:
        return None
    asked, call = is_instance(reached, "block"), draw(name("block"))
    # Members of a list are any modules to torch's annotations.
    body: list[ast.stmt]
    body = [ast.Assert(asked), call] if len(reached) == len(kinds) else [ast.If(asked, [call], [])]
    return ast.For(ast.Name("block", ast.Store()), members, body, [])


def _class_name(module: Module) -> str:
    return module.kind if module.flow is None else module.flow.body.name
