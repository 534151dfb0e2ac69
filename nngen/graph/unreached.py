"""Expressions are checked where they are evaluated; here is checked what no use evaluates, but the code has all the same.

Of `a or f(x)` the second part is not looked at where the first one holds.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from nngen.errors import Errors, Fault
from nngen.graph.functions import NAMES, attribute, attribute_names
from nngen.language.spec import LayerStep, Spec
from nngen.symbolic.expressions import Expression
from nngen.symbolic.mathematics import NUMBERS


def refuse_unreached(spec: Spec, errors: Errors) -> None:
    """Refuse functions and attributes that an expression may not reach, wherever in it they stand."""
    labels = {each.label.fixed for each in _found(spec, LayerStep) if each.label is not None}
    for expression in _found(spec, Expression):
        try:
            for node in ast.walk(expression.tree):
                _check(node, labels)
        except Fault as fault:
            errors.add(expression.fault(fault))


def _check(node: ast.AST, labels: set[str | None]) -> None:
    if isinstance(node, ast.Attribute):
        if _root(node) in NAMES:
            _value(node)
        elif node.attr not in attribute_names():
            raise Fault(f"Tensor.{node.attr} is not in nngen's catalog", node=node)
    if isinstance(node, ast.Call):
        own = labels if isinstance(node.func, ast.Name) else set()
        names = [each for each in ast.walk(node.func) if isinstance(each, ast.Name)]
        for name in names:
            if hasattr(builtins, name.id) and name.id not in NUMBERS.keys() | own:
                raise Fault(f"there is no layer or function {name.id!r} here", node=name)


def _root(node: ast.expr) -> str:
    """What `torch.linalg.norm` begins with; nothing where that is not a name."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _value(node: ast.expr) -> Any:
    try:
        if isinstance(node, ast.Attribute):
            return attribute(_value(node.value), node.attr)
    except Fault as fault:
        fault.node = fault.node or node
        raise
    return NAMES[_root(node)]


def _found(value: Any, wanted: type) -> Iterator[Any]:
    """All instances of a class in frozen data."""
    if isinstance(value, wanted):
        yield value
    if isinstance(value, Expression):
        return
    parts: Any = ()
    if isinstance(value, Mapping):
        parts = value.values()
    elif isinstance(value, (tuple, list)):
        parts = value
    elif is_dataclass(value):
        parts = [getattr(value, field.name) for field in fields(value)]
    for part in parts:
        yield from _found(part, wanted)
