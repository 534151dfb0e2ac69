"""A line of Python run once more on shapes: which layers it calls in one mode, and what its own products cost."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from nngen.catalog import FUNCTIONS
from nngen.catalog.entry import apply_rule, tensors_in
from nngen.catalog.products import FUNCTION_PRODUCTS, Rule, matmul
from nngen.errors import Fault
from nngen.graph.flow import Application, Flow, Operation
from nngen.graph.functions import NAMES, Namespace, attribute
from nngen.symbolic.evaluator import Evaluator
from nngen.symbolic.sizes import Dim
from nngen.symbolic.tensor import UNKNOWN, Tensor


class LineCounter(Evaluator):
    """Evaluates a line in train or in eval mode.

    Attributes:
        reached: the uses of layers, in the order in which the line comes to them.
        products: the multiply-adds of the line's own products, None where they cannot be told.
    """

    def __init__(self, operation: Operation, flow: Flow, training: bool) -> None:
        reads = {value.name: value.abstract for value in operation.reads}
        super().__init__(
            {**flow.scope.values, "training": training, **NAMES, **reads}, self._member
        )
        self.calls = operation.calls
        self.reached: list[tuple[ast.Call, Application]] = []
        self.products: list[Dim | None] = []

    def _member(self, value: Any, name: str) -> Any:
        found = attribute(value, name)
        space = value.name if isinstance(value, Namespace) else "torch"
        rule = FUNCTION_PRODUCTS.get(f"{space}.{name}")
        if rule is None or not callable(found):
            return found
        method = None if isinstance(value, Namespace) else value
        full = f"{space}.{name}" if method is None else f"Tensor.{name}"
        return partial(self._product, found, rule, full, method)

    def _product(
        self,
        function: Callable[..., Any],
        rule: Rule,
        name: str,
        method: Tensor | None,
        *arguments: Any,
        **keywords: Any,
    ) -> Any:
        output = function(*arguments, **keywords)
        given = arguments if method is None else (method, *arguments)
        values = FUNCTIONS[name].bind(name, given, keywords)
        self.products.append(counted(rule, {**values, "output": output}))
        return output

    def _call(self, node: ast.Call) -> Any:
        application = self.calls.get(node)
        if application is None:
            return super()._call(node)
        self._items(node.args)
        for keyword in node.keywords:
            self(keyword.value)
        self.reached.append((node, application))
        return application.output

    def _binop(self, node: ast.BinOp) -> Any:
        if not isinstance(node.op, ast.MatMult):
            return super()._binop(node)
        left, right = self(node.left), self(node.right)
        if left is UNKNOWN or right is UNKNOWN:
            self.products.append(None)
            return UNKNOWN
        output = left @ right
        self.products.append(counted(matmul, {"left": left, "output": output}))
        return output

    def _ifexp(self, node: ast.IfExp) -> Any:
        test = self(node.test)
        if test is not UNKNOWN:
            return self(node.body) if test else self(node.orelse)
        for arm in (node.body, node.orelse):
            try:
                self(arm)
            except Fault:  # an arm that fits other uses of the class only
                continue
        return UNKNOWN


def counted(rule: Rule, values: Mapping[str, Any]) -> Dim | None:
    """What a rule counts, None where a shape in it is not known."""
    if any(tensor.shape is None for tensor in tensors_in(values)):
        return None
    result: Dim | None = apply_rule(rule, values)
    return result


def count_line(operation: Operation, flow: Flow, training: bool) -> LineCounter:
    """Follow an operation's line in one mode."""
    assert operation.line is not None
    counter = LineCounter(operation, flow, training)
    try:
        counter(operation.line.value.tree)
    except Fault:
        counter.products.append(None)
    return counter


def value_in(node: ast.expr, operation: Operation, flow: Flow) -> Any:
    """What a part of an operation's line gives, UNKNOWN where that cannot be told."""
    try:
        return LineCounter(operation, flow, training=False)(node)
    except Fault:
        return UNKNOWN
