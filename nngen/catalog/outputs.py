"""What a layer gives: by the rule of its entry, or by its form, which then is a value or one call of a function."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache
from typing import Any

from nngen.catalog import FUNCTIONS
from nngen.catalog.entry import Layer, Rule, apply_rule, rule_names
from nngen.catalog.fragments import HELPERS, statements
from nngen.catalog.signature import REQUIRED
from nngen.symbolic.evaluator import SIZE_FUNCTIONS, Evaluator


def output(entry: Layer, values: Mapping[str, Any]) -> Any:
    """What a layer gives for arguments and inputs of these values.

    Raises:
        Fault: torch would refuse them.
    """
    if entry.shape is not None:
        return apply_rule(entry.shape, values)
    rule, operands = _called(str(entry.form), entry.function)
    evaluate = Evaluator({**SIZE_FUNCTIONS, **HELPERS, **values})
    return rule(**{name: evaluate(tree) for name, tree in operands.items()})


def deciding(entry: Layer) -> frozenset[str]:
    """The arguments and inputs on which that depends."""
    if entry.shape is not None:
        return frozenset(rule_names(entry.shape))
    _, operands = _called(str(entry.form), entry.function)
    nodes = (node for tree in operands.values() for node in ast.walk(tree))
    return frozenset(node.id for node in nodes if isinstance(node, ast.Name)) - HELPERS.keys()


@cache
def _called(form: str, name: str) -> tuple[Rule, Mapping[str, ast.expr]]:
    """The rule of the function that a form calls, and for what the rule names what the form gives."""
    (statement,) = statements(form)
    assert isinstance(statement, ast.Assign)
    call = statement.value
    if not isinstance(call, ast.Call):
        return _same, {"value": call}
    function = FUNCTIONS[name]
    assert function.shape is not None
    given = list(call.args)
    if name.startswith("Tensor."):
        assert isinstance(call.func, ast.Attribute)
        given.insert(0, call.func.value)
    operands: dict[str, ast.expr] = {
        each.name: ast.Constant(each.default)
        for each in function.signature
        if each.default is not REQUIRED
    }
    operands.update(zip(function.signature.names, given))
    operands.update((str(keyword.arg), keyword.value) for keyword in call.keywords)
    return function.shape, {
        key: operands[key] for key in rule_names(function.shape) if key in operands
    }


def _same(value: Any) -> Any:
    return value
