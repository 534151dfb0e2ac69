"""The tensors that a spec describes: the inputs of forward, and targets of the loss."""

from __future__ import annotations

from typing import Any

from nngen.broadcasting import Shape
from nngen.catalog.kinds import show_value
from nngen.errors import SpecError
from nngen.expressions import Expression
from nngen.graph.modules import evaluate
from nngen.graph.scope import Scope
from nngen.sizes import Dim, Size, symbol, value_of, written_out
from nngen.spec import Input
from nngen.spec.model import open_names
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
    sizes = tuple(drawn_size(_dimension(expression, scope)) for expression in given.shape)
    below = None
    if given.below is not None:
        below = value_of(whole(given.below, evaluate(given.below, scope.values), "`below`"))
    return TensorSpec(given.name, sizes, given.dtype, given.batch, below)


def drawn_size(size: Dim) -> int | str:
    """A size as verification draws it: a number, or an expression over what is open and the arguments."""
    value = value_of(size)
    return str(written_out(size, here=True)) if value is None else value


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
    """A size: an expression over the arguments and over names for any size."""
    open_sizes = {name: symbol(name) for name in open_names(expression, scope.values)}
    size = evaluate(expression, {**scope.values, **open_sizes})
    if isinstance(size, Size) and size.value is None:
        return size
    return whole(expression, size, "a size")
