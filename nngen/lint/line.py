"""A line of Python run once more on shapes: what each part of it gives, and which functions it calls."""

from __future__ import annotations

import ast
from typing import Any

from nngen.catalog import FUNCTIONS
from nngen.graph.flow import Flow, Operation
from nngen.graph.functions import NAMES, Namespace, attribute
from nngen.symbolic.evaluator import Evaluator
from nngen.symbolic.tensor import UNKNOWN, Tensor


class LineValues(Evaluator):
    """Evaluates a line.

    Attributes:
        found: what each part of it gives.
        called: the catalog's name of the function that a call calls.
        bound: the arguments of such a call.
    """

    def __init__(self, operation: Operation, flow: Flow) -> None:
        reads = {value.name: value.abstract for value in operation.reads}
        scope = {**flow.scope.values, "training": UNKNOWN, **NAMES, **reads}
        super().__init__(scope, attribute)
        self.calls = operation.calls
        self.found: dict[ast.expr, Any] = {}
        self.called: dict[ast.Call, str] = {}
        self.bound: dict[ast.Call, dict[str, Any]] = {}

    def __call__(self, node: ast.expr) -> Any:
        value = self.found[node] = super().__call__(node)
        return value

    def _call(self, node: ast.Call) -> Any:
        if node in self.calls:
            self._items(node.args)
            for keyword in node.keywords:
                self(keyword.value)
            return self.calls[node].output
        result = super()._call(node)
        if isinstance(node.func, ast.Attribute):
            self._note(node, node.func)
        return result

    def _note(self, node: ast.Call, function: ast.Attribute) -> None:
        owner = self.found[function.value]
        space = owner.name if isinstance(owner, Namespace) else "Tensor"
        name = f"{space}.{function.attr}"
        if name not in FUNCTIONS:
            return
        given = [owner] if isinstance(owner, Tensor) else []
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                given.extend(self.found[argument.value])
            else:
                given.append(self.found[argument])
        keywords = {str(word.arg): self.found[word.value] for word in node.keywords}
        self.called[node] = name
        self.bound[node] = FUNCTIONS[name].bind(name, tuple(given), keywords)
