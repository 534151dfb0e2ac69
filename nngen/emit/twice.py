"""Weights that are drawn twice, as torch's layers draw theirs when they are built: where a class does so first."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace

from nngen.emit.model import Attribute, ClassCode, LayerState, Lines


def told_twice(code: ClassCode) -> ClassCode:
    """A class that tells where it first draws a weight anew: in the constructor, else in a method."""
    drawn: set[str] = set()
    for number, item in enumerate(code.items):
        if isinstance(item, Attribute):
            continue
        place = _again(_draws(item), drawn)
        if place is not None:
            items = list(code.items)
            items[number] = replace(item, twice=place)
            return replace(code, items=tuple(items))
    for number, method in enumerate(code.methods):
        place = _again(method.codes, set(drawn))
        if place is not None:
            methods = list(code.methods)
            methods[number] = replace(method, twice=place)
            return replace(code, methods=tuple(methods))
    return code


def _draws(item: LayerState | Lines) -> Sequence[ast.stmt]:
    return item.draws if isinstance(item, LayerState) else item.codes


def _again(statements: Sequence[ast.stmt], drawn: set[str]) -> int | None:
    """The place of the first statement that draws what is drawn already; what they draw is added."""
    for place, statement in enumerate(statements):
        names = set(_drawn(statement))
        if names & drawn or "parameters" in names:
            return place
        drawn |= names
    return None


def _drawn(statement: ast.stmt) -> Iterator[str]:
    """The attributes of `self` that a statement draws as a whole; of a loop over others' parameters, `parameters`."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("nn.init."):
            given = node.args[0]
            if isinstance(given, ast.Attribute):
                yield given.attr
        elif isinstance(node, ast.For):
            yield from (
                each.attr for each in ast.walk(node.iter) if isinstance(each, ast.Attribute)
            )
