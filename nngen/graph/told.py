"""What steps give, as docstrings tell it: each of the values between which a condition decides."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from nngen.graph.alternatives import ABSENT, either, is_apart
from nngen.graph.flow import Application, Condition, Value
from nngen.graph.lines import LineEvaluator
from nngen.graph.scope import Scope
from nngen.graph.sized import given
from nngen.symbolic.evaluator import truth
from nngen.symbolic.expressions import Target
from nngen.symbolic.tensor import UNKNOWN


def told_by_line(line: LineEvaluator, node: ast.expr) -> Any:
    """What a part of a line gives that has been evaluated."""
    if isinstance(node, ast.Name) and node.id in line.reads:
        return line.reads[node.id].all_told
    if isinstance(node, ast.Call) and node in line.calls:
        return line.calls[node].all_told
    listed = node.elts if isinstance(node, (ast.Tuple, ast.List)) else [ast.Starred(node)]
    if not any(isinstance(item, ast.Starred) for item in listed):
        return type(line.found[node])(told_by_line(line, item) for item in listed)
    if isinstance(node, ast.Dict):
        return dict(zip(line.found[node], (told_by_line(line, item) for item in node.values)))
    if isinstance(node, ast.IfExp):
        return _decided(line, node)
    return line.found[node]


def _decided(line: LineEvaluator, node: ast.IfExp) -> Any:
    """What a condition decides in a line."""
    test, holds = line.apart.get(node), line.found[node.test]
    if test is not None:
        return either(test, _arm(line, node, node.body), _arm(line, node, node.orelse))
    value = line.found[node]
    if not is_apart(value) or holds is UNKNOWN:
        return value
    return told_by_line(line, node.body if truth(holds) else node.orelse)


def _arm(line: LineEvaluator, node: ast.IfExp, arm: ast.expr) -> Any:
    """What one side of a condition gives, if it comes about with the numbers of this use."""
    holds = line.found[node.test]
    other = node.orelse if holds is UNKNOWN or truth(holds) else node.body
    if arm in line.misfits or (arm is other and holds is not UNKNOWN and line.names_values(arm)):
        return ABSENT
    return told_by_line(line, arm)


def told_apart(target: Target, told: Any) -> Iterator[Any]:
    """The parts that a line's target takes of what its right side gives; UNKNOWN for those of which no more is known."""
    if isinstance(target, str):
        yield told
        return
    fits = isinstance(told, (tuple, list)) and len(told) == len(target)
    for inner, part in zip(target, told if fits else [UNKNOWN] * len(target)):
        yield from told_apart(inner, part)


def told_by_step(
    application: Application | None,
    reads: tuple[Value, ...],
    condition: Condition | None,
    scope: Scope,
    outcome: Any,
) -> Any:
    """What a step gives that comes to `outcome`."""
    told = ABSENT if application is None else application.all_told
    if condition is None:
        return told
    if condition.passes and not is_apart(outcome):
        return outcome
    before = reads[0].all_told if condition.passes else None
    return either(given(condition.tree, scope.values), told, before)
