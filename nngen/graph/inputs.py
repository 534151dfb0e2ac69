"""The tensors that a spec describes: the inputs of forward, and targets of the loss."""

from __future__ import annotations

from typing import Any

from nngen.catalog.argument_types import show_value
from nngen.errors import Fault, SpecError
from nngen.graph.merging import fitting
from nngen.graph.modules import evaluate
from nngen.graph.scope import Scope
from nngen.graph.tensor_spec import TensorSpec
from nngen.language.spec import Input
from nngen.language.spec.model import open_names
from nngen.symbolic.broadcasting import Shape
from nngen.symbolic.expressions import Expression
from nngen.symbolic.sizes import Dim, Size, symbol, value_of
from nngen.symbolic.substitution import written_out
from nngen.symbolic.tensor import Tensor
from nngen.symbolic.untold import numbered, untold_reason

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
    low, below = _bounds(given, scope)
    return TensorSpec(given.name, sizes, given.dtype, given.batch, below, low=low)


def _bounds(given: Input, scope: Scope) -> tuple[int, int | None]:
    """The number that values are drawn from, and the one below which they stay."""
    if given.below is None:
        if given.low is not None:
            hint = "`{shape: [], dtype: int64, low: 1, below: 8}` draws from 1 to 7"
            raise SpecError("`low` lacks its `below`", given.low.mark, hint)
        return 0, None
    if given.low is None:
        return 0, value_of(whole(given.below, evaluate(given.below, scope.values), "`below`"))
    low, below = _number(given.low, scope, "`low`"), _number(given.below, scope, "`below`")
    if low < 0 and given.dtype in ("uint8", "bool"):
        message = f"{given.dtype} has no values below 0, so `low` cannot be {low}"
        raise SpecError(message, given.low.mark)
    if below <= low:
        message = f"nothing is from {low} on and below {below}"
        raise SpecError(message, given.below.mark, "`below` is greater than `low`")
    return low, below


def _number(expression: Expression, scope: Scope, what: str) -> int:
    """The whole number that an expression gives."""
    found = evaluate(expression, scope.values)
    is_number = isinstance(found, (int, Size)) and not isinstance(found, bool)
    value = value_of(found) if is_number else None
    if value is None:
        raise SpecError(f"{what} is a whole number, not {show_value(found)}", expression.mark)
    if abs(value) >= _LARGEST:
        message = f"{what} is a whole number between -2**40 and 2**40, not {value}"
        raise SpecError(message, expression.mark)
    return value


def drawn_size(size: Dim) -> int | str:
    """A size as verification draws it: a number, or an expression over what is open and the arguments.

    Raises:
        Fault: neither tells it.
    """
    size = numbered(fitting(size))
    if reason := untold_reason(size):
        raise Fault(f"a size of what it takes is not known: {reason}")
    value = value_of(size)
    return str(written_out(size, here=True)) if value is None else value


def whole(expression: Expression, size: Any, what: str) -> Dim:
    """The size that an expression gives.

    Raises:
        SpecError: it is not a whole number of at least 1.
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
