"""The tensors that a spec describes: the inputs of forward, and targets of the loss."""

from __future__ import annotations

import ast
from typing import Any

from nngen.broadcasting import Shape
from nngen.catalog.kinds import show_value
from nngen.errors import SpecError
from nngen.expressions import Expression
from nngen.graph.modules import evaluate
from nngen.graph.scope import Scope
from nngen.sizes import Dim, Size, symbol, value_of
from nngen.spec import Input
from nngen.subject import TensorSpec
from nngen.tensors import Tensor

BATCH = symbol("N", varies=True)
_LARGEST = 2**40


def tensor(given: Input, scope: Scope) -> Tensor:
    """The tensor that flows.

    Raises:
        SpecError: a size is none.
    """
    sizes: Shape = tuple(_dimension(expression, scope) for expression in given.shape)
    return Tensor((BATCH, *sizes) if given.batch else sizes, given.dtype)


def tensor_spec(given: Input, scope: Scope) -> TensorSpec:
    """The tensor as verification draws it.

    Raises:
        SpecError: a size is none, or nothing can be drawn.
    """
    sizes = []
    for expression in given.shape:
        size = _dimension(expression, scope)
        value = value_of(size)
        sizes.append(str(size) if value is None else value)
    below = None
    if given.below is not None:
        below = value_of(whole(given.below, evaluate(given.below, scope.values), "`below`"))
    return TensorSpec(given.name, tuple(sizes), given.dtype, given.batch, below)


def whole(expression: Expression, size: Any, what: str) -> Dim:
    """The size that an expression gives.

    Raises:
        SpecError: it is no whole number of at least 1.
    """
    number = isinstance(size, (int, Size)) and not isinstance(size, bool)
    value = value_of(size) if number else None
    if value is None or not 1 <= value < _LARGEST:
        shown = show_value(size if value is None else value)
        raise SpecError(f"{what} is a whole number of at least 1, not {shown}", expression.mark)
    found: Dim = size
    return found


def _dimension(expression: Expression, scope: Scope) -> Dim:
    """A size: a number, an expression over the arguments, or a name for any size."""
    tree = expression.tree
    if isinstance(tree, ast.Name) and tree.id not in scope.values:
        return symbol(tree.id)
    return whole(expression, evaluate(expression, scope.values), "a size")
