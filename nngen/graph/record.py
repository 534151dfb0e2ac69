"""What a line came to when it was followed: what each part of it gives, what it calls, and what a mode reaches of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nngen.catalog import FUNCTIONS
from nngen.graph.functions import Namespace
from nngen.symbolic.evaluator import truth
from nngen.symbolic.tensor import UNKNOWN, Tensor


@dataclass(frozen=True, eq=False)
class Record:
    """A line that was followed.

    Attributes:
        found: what each part of it gives; what only other uses of its class reach may be missing.
    """

    found: Mapping[ast.expr, Any] = field(default_factory=dict)

    def value(self, node: ast.expr) -> Any:
        """What a part gives, UNKNOWN where that cannot be told."""
        return self.found.get(node, UNKNOWN)

    def function(self, node: ast.Call) -> str:
        """The catalog's name of the function that a call calls, `Tensor.view`; empty for any other."""
        if not isinstance(node.func, ast.Attribute) or node not in self.found:
            return ""
        owner = self.value(node.func.value)
        space = owner.name if isinstance(owner, Namespace) else "Tensor"
        name = f"{space}.{node.func.attr}"
        return name if name in FUNCTIONS and isinstance(owner, (Namespace, Tensor)) else ""

    def bound(self, node: ast.Call) -> dict[str, Any]:
        """The arguments of such a call, by their names."""
        name = self.function(node)
        assert isinstance(node.func, ast.Attribute)
        given = [self.value(node.func.value)] if name.startswith("Tensor.") else []
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                given.extend(self.value(argument.value))
            else:
                given.append(self.value(argument))
        keywords = {str(word.arg): self.value(word.value) for word in node.keywords}
        return FUNCTIONS[name].bind(name, tuple(given), keywords)

    def reached(self, node: ast.expr, training: bool | None = None) -> Iterator[ast.expr]:
        """The parts of an expression in the order in which Python comes to their values.

        Args:
            node: the expression.
            training: the mode; None for what either reaches.
        """
        if isinstance(node, ast.IfExp):
            for part in (node.test, *self.arms(node, training)):
                yield from self.reached(part, training)
        elif isinstance(node, ast.BoolOp):
            for part in node.values:
                yield from self.reached(part, training)
                if self._holds(part, training) is isinstance(node.op, ast.Or):
                    break
        else:
            for child in ast.iter_child_nodes(node):
                inner = child.value if isinstance(child, ast.keyword) else child
                if isinstance(inner, ast.expr):
                    yield from self.reached(inner, training)
        yield node

    def arms(self, node: ast.IfExp, training: bool | None = None) -> list[ast.expr]:
        """The arms of a condition that are taken in this use, in a mode or in either."""
        holds = self._holds(node.test, training)
        return [arm for arm, of in ((node.body, True), (node.orelse, False)) if holds in (of, None)]

    def _holds(self, test: ast.expr, training: bool | None) -> bool | None:
        """Whether a condition holds in a mode; None where that cannot be told."""
        if isinstance(test, ast.Name) and test.id == "training":
            return training
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            holds = self._holds(test.operand, training)
            return None if holds is None else not holds
        if isinstance(test, ast.BoolOp):
            parts = [self._holds(part, training) for part in test.values]
            decides = isinstance(test.op, ast.Or)
            return decides if decides in parts else None if None in parts else not decides
        value = self.value(test)
        return None if value is UNKNOWN else truth(value)
