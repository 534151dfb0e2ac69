"""The Python of a spec, run as Python: sizes and conditions, and lines over tensors.

A spec may come from a stranger. A text runs only if nngen's grammar of expressions has it, without Python's builtins,
and reaches of torch no more than the functions, methods and constants that nngen's lists name.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from types import CodeType, SimpleNamespace
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from nngen.catalog import FUNCTIONS
from nngen.errors import Mark
from nngen.symbolic.expressions import Target, parse, parse_line

Names = Mapping[str, Any]

_MATH = SimpleNamespace(
    **{name: value for name, value in vars(math).items() if not name.startswith("_")}
)
# What sizes and conditions may call.
_NUMBERS: dict[str, Any] = {
    **{
        each.__name__: each
        for each in (min, max, abs, round, int, float, len, math.sqrt, math.prod)
    },
    "math": _MATH,
}
_TENSORS: dict[str, Any] = {**_NUMBERS, "torch": torch, "F": F, "nn": nn}

# The attributes of values that are neither functions nor methods.
_ATTRIBUTES = frozenset(
    ("shape", "ndim", "dtype", "device", "T", "mT", "real", "imag", "values", "indices")
    + ("min", "max", "eps", "tiny", "smallest_normal")
)
_METHODS = frozenset(n.partition(".")[2] for n in FUNCTIONS if n.startswith("Tensor."))
_CONSTANTS = frozenset(("inf", "nan", "pi", "e", "finfo"))
_MARK = Mark("the spec")


class Unreadable(Exception):
    """The reading does not know what a part of a spec means."""


def evaluated(value: Any, names: Names, words: frozenset[str] = frozenset()) -> Any:
    """A value of the spec: one of `words`, a number, Python over sizes, or lists and mappings of such."""
    if isinstance(value, list):
        return tuple(evaluated(item, names, words) for item in value)
    if isinstance(value, dict):
        return {key: evaluated(item, names, words) for key, item in value.items()}
    if not isinstance(value, str) or value in words:
        return value
    return _run(_size(value), {**_NUMBERS, **names})


def computed(
    text: str,
    names: Names,
    call: Callable[..., Any],
    arms: Callable[..., Any],
    layers: Iterable[str] = (),
) -> Any:
    """The value of an expression over tensors.

    Args:
        text: the expression.
        names: its names.
        call: calls a layer by its name.
        arms: gives one of both arms of `a if condition else b`.
        layers: the layers that there are; one may be called as a function of Python is.
    """
    functions = frozenset(_NUMBERS) - frozenset(layers)
    return _run(_expression(text, functions), {**_TENSORS, **names, "_call": call, "_arms": arms})


@lru_cache(maxsize=2048)
def line(text: str) -> tuple[Target, str]:
    """What a line binds, and its expression."""
    found = parse_line(text, _MARK)
    return found.target, ast.unparse(found.value.tree)


@lru_cache(maxsize=2048)
def targets(text: str) -> tuple[str, ...]:
    """The names that a line binds, `_` for what it drops, in order."""
    return parse_line(text, _MARK).names


def bound(target: Target, value: Any) -> dict[str, Any]:
    """The names of a line's target with their parts of the value; `_` drops one."""
    if isinstance(target, str):
        return {} if target == "_" else {target: value}
    parts: dict[str, Any] = {}
    for inner, part in zip(target, value, strict=True):
        parts |= bound(inner, part)
    return parts


def _run(code: CodeType, scope: dict[str, Any]) -> Any:
    # `_expression` and `_size` let through what can do no harm.
    return eval(code, {**scope, "__builtins__": {}})


@lru_cache(maxsize=2048)
def _size(text: str) -> CodeType:
    tree = parse(text, _MARK).tree
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) != "math":
            raise Unreadable(f"{ast.unparse(node)!r} among sizes")
    return compile(ast.Expression(tree), text, "eval")


@lru_cache(maxsize=2048)
def _expression(text: str, functions: frozenset[str]) -> CodeType:
    tree = parse(text, _MARK).tree
    _refuse_unlisted(tree)
    tree = ast.fix_missing_locations(_Layers(functions).visit(tree))
    return compile(ast.Expression(tree), text, "eval")


def _refuse_unlisted(node: ast.AST) -> None:
    """Refuse what no list of nngen's names.

    Raises:
        Unreadable: there is such an attribute or function.
    """
    path = _path(node)
    if path is not None:
        if not _is_listed(path):
            raise Unreadable(f"{path!r}")
        return
    if isinstance(node, ast.Attribute) and node.attr not in _METHODS | _ATTRIBUTES:
        raise Unreadable(f"the attribute {node.attr!r}")
    for child in ast.iter_child_nodes(node):
        _refuse_unlisted(child)


def _path(node: ast.AST) -> str | None:
    """`torch.linalg.norm` and the like, as text."""
    if isinstance(node, ast.Name):
        return node.id if node.id in ("torch", "F", "nn", "math") else None
    if isinstance(node, ast.Attribute):
        before = _path(node.value)
        return before and f"{before}.{node.attr}"
    return None


def _is_listed(path: str) -> bool:
    first, _, rest = path.partition(".")
    if first == "math":
        return hasattr(_MATH, rest)
    is_constant = first == "torch" and (
        rest in _CONSTANTS or isinstance(getattr(torch, rest, None), torch.dtype)
    )
    return path in FUNCTIONS or is_constant


class _Layers(ast.NodeTransformer):
    """`conv1(x)` becomes `_call("conv1", x)`, for `conv1` alone is what the layer gave.

    `a if condition else b` becomes `_arms(condition, lambda: a, lambda: b)`: where a model is tried out, both are run.

    Args:
        functions: what is called by its own name.
    """

    def __init__(self, functions: frozenset[str]) -> None:
        self.functions = functions

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id not in self.functions:
            node.args.insert(0, ast.Constant(node.func.id))
            node.func = ast.Name("_call", ast.Load())
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        nothing = ast.arguments([], [], None, [], [], None, [])
        arms: list[ast.expr] = [ast.Lambda(nothing, each) for each in (node.body, node.orelse)]
        return ast.Call(ast.Name("_arms", ast.Load()), [node.test, *arms], [])
