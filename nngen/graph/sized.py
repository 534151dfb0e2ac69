"""What the spec's expressions give: values, and what they are made of."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from nngen.catalog.partial_evaluation import free_names, literal, renamed, replaced, source
from nngen.graph.written import EXACT, Given, decided, placed
from nngen.symbolic.sizes import Dim, is_whole, to_text, value_of
from nngen.symbolic.tensor import UNKNOWN


def given(tree: ast.expr, scope: Mapping[str, Any]) -> Given:
    """An expression of a class, with the values that its names have in this use."""
    sizes: dict[str, Dim] = {}
    others: dict[str, Any] = {}

    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    kept = {node.id for node in calls if isinstance(node, ast.Name)} | {"math"}

    def named(node: ast.expr) -> ast.expr | None:
        if not isinstance(node, ast.Name) or node.id in kept:
            return None
        value = scope.get(node.id, UNKNOWN)
        if not is_whole(value):
            others[node.id] = value
            return node
        return (
            literal(value) if isinstance(value, int) else ast.Name(placed(value, sizes), ast.Load())
        )

    return decided(Given(replaced(tree, named), sizes, others))


def outside(text: str, substitution: Mapping[str, Any]) -> str:
    """An expression of a block as its user would write it.

    Args:
        text: the expression.
        substitution: what its names mean there.
    """

    def meant(name: str) -> str:
        found = substitution.get(name)
        if found is None:
            return name
        return to_text(found) if is_whole(found) else f"({found.text})"

    return source(renamed(ast.parse(text, mode="eval").body, meant)) if text else text


def sized(tree: ast.expr, value: Any, scope: Mapping[str, Any]) -> Any:
    """What an expression gives, each size in it as an expression where its value forgets what decides it."""
    if isinstance(value, (tuple, list)):
        trees = (
            tree.elts
            if isinstance(tree, (ast.Tuple, ast.List)) and len(tree.elts) == len(value)
            else [ast.Subscript(tree, ast.Constant(n), ast.Load()) for n in range(len(value))]
        )
        return type(value)(sized(t, v, scope) for t, v in zip(trees, value))
    if not is_whole(value) or is_exact(tree, scope):
        return value
    found = given(tree, scope).dim()
    return found if value_of(found) == value_of(value) else value


def is_exact(tree: ast.expr, scope: Mapping[str, Any]) -> bool:
    """Whether the size that an expression gives remembers all its names: it is arithmetic of sizes."""
    if not free_names(tree) & scope.keys():
        return True
    for node in ast.walk(tree):
        if isinstance(node, (ast.IfExp, ast.Compare, ast.BoolOp, ast.Not, ast.Div)):
            return False
        if isinstance(node, ast.Call) and ast.unparse(node.func) not in EXACT:
            return False
        if isinstance(node, ast.Constant) and not isinstance(node.value, int):
            return False
        if isinstance(node, ast.Name) and not _remembers(scope.get(node.id)):
            return False
    return True


def _remembers(value: Any) -> bool:
    """Whether what is computed from a value tells that it was."""
    if isinstance(value, (tuple, list)):
        return all(map(_remembers, value))
    return not isinstance(value, (bool, float))
