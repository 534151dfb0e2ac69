"""What a line's own products cost, and which layers it calls, in one mode."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from nngen.catalog import FUNCTIONS
from nngen.catalog.entry import apply_rule, tensors_in
from nngen.catalog.products import Rule, matmul
from nngen.graph.flow import Application, Operation
from nngen.symbolic.sizes import Dim
from nngen.symbolic.tensor import UNKNOWN


def called(operation: Operation, training: bool) -> dict[ast.Call, Application]:
    """The uses of layers that a line comes to in a mode, in order."""
    assert operation.line is not None
    parts = operation.record.reached(operation.line.value.tree, training)
    calls = (part for part in parts if isinstance(part, ast.Call))
    return {call: operation.calls[call] for call in calls if call in operation.calls}


def products(operation: Operation, training: bool) -> list[Dim | None]:
    """The multiply-adds of a line's own products in a mode; None for one that cannot be told."""
    assert operation.line is not None
    record, found = operation.record, []
    for part in record.reached(operation.line.value.tree, training):
        if isinstance(part, ast.BinOp) and isinstance(part.op, ast.MatMult):
            found.append(counted(matmul, {"left": record.value(part.left)}, record.value(part)))
        elif isinstance(part, ast.Call) and part not in operation.calls:
            name = record.function(part)
            rule = FUNCTIONS[name].mult_adds if name else None
            if rule is not None:
                found.append(counted(rule, record.bound(part), record.value(part)))
    return found


def counted(rule: Rule, values: Mapping[str, Any], output: Any) -> Dim | None:
    """What a rule counts, None where a shape in it is not known."""
    given = {**values, "output": output}
    if UNKNOWN in (output, values.get("left")):
        return None
    if any(tensor.shape is None for tensor in tensors_in(given)):
        return None
    result: Dim | None = apply_rule(rule, given)
    return result
