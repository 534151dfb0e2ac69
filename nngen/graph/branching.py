"""The conditions under which steps are there: `when`."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Any

from nngen.catalog.partial_evaluation import Folder, free_names
from nngen.errors import SpecError
from nngen.graph.flow import Condition
from nngen.graph.modules import evaluate
from nngen.graph.scope import Scope
from nngen.language.spec import LayerStep
from nngen.symbolic.evaluator import truth
from nngen.symbolic.tensor import UNKNOWN


def condition_of(step: LayerStep, scope: Scope) -> tuple[Condition | None, Any]:
    """A step's condition where it has names in it, and whether it holds in this use.

    Raises:
        SpecError: it has no value.
    """
    if step.when is None:
        return None, True
    values = {**scope.values, "training": UNKNOWN}
    holds = evaluate(step.when, values)
    holds = holds if holds is UNKNOWN else truth(holds)
    tree = scope.printable(step.when.tree)
    names = free_names(tree)
    if not names & values.keys():
        return None, holds
    training = "training" in names
    modes = [Folder({"training": mode}).expression(tree) for mode in (True, False)]
    build_tree = _either(*modes) if training else tree
    if isinstance(build_tree, ast.Constant):
        if not build_tree.value:
            return None, False
        return Condition(tree, None, training, not step.otherwise_none), holds
    return Condition(tree, build_tree, training, not step.otherwise_none), holds


def of_state(condition: Condition | None, step: LayerStep) -> Condition | None:
    """The condition of a Parameter or Buffer, which there is nothing in the place of.

    Raises:
        SpecError: it asks for the mode.
    """
    if condition is None:
        return None
    if condition.training:
        assert step.when is not None
        raise SpecError(
            f"a {step.kind} is there in both modes, or in none: its `when` cannot ask for `training`",
            step.when.mark,
            "ask in the line that uses it: `… if training else …`",
        )
    return replace(condition, passes=False)


def _either(left: ast.expr, right: ast.expr) -> ast.expr:
    """What holds where one of two conditions does, each of which may be a constant."""
    for one, other in ((left, right), (right, left)):
        if isinstance(one, ast.Constant):
            return one if one.value else other
    return left if ast.dump(left) == ast.dump(right) else ast.BoolOp(ast.Or(), [left, right])
