"""Checking what `init` says against the parameter that it is said of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nngen.catalog.initializers import DIMENSIONS, INITIALIZERS
from nngen.catalog.partial_evaluation import free_names
from nngen.catalog.signature import checked
from nngen.errors import Fault, Missing, SpecError
from nngen.graph.modules import evaluate
from nngen.language.spec.completed import completed
from nngen.language.spec.model import Initializer
from nngen.symbolic.sizes import Dim, product

FANS = frozenset(("fan_in", "fan_out"))
_BOUNDED = ("uniform_", "trunc_normal_")


def fans(shape: tuple[Dim, ...]) -> tuple[Dim, Dim]:
    """fan_in and fan_out as torch.nn.init counts them."""
    if len(shape) < 2:
        return 1, 1
    field_size = product(shape[2:])
    return shape[1] * field_size, shape[0] * field_size


def check_initializer(
    initializer: Initializer, shape: tuple[Dim, ...], sizes: Mapping[str, Any]
) -> None:
    """Refuse an initializer that torch would refuse for a parameter of this shape.

    Args:
        initializer: the function and its arguments.
        shape: the parameter's.
        sizes: what the arguments may name beside fan_in and fan_out.

    Raises:
        SpecError: the parameter has too few dimensions, or an argument is missing or wrong.
    """
    function, mark = initializer.function, initializer.mark
    least, most = DIMENSIONS.get(function, (0, None))
    if len(shape) < least or (most is not None and len(shape) > most):
        wanted = f"{least}" if least == most else f"at least {least}"
        raise SpecError(f"{function} takes {wanted} dimensions, not {len(shape)}", mark)
    fan_in, fan_out = fans(shape)
    signature = INITIALIZERS[function]
    missing = [name for name in signature.required if name not in initializer.arguments]
    if missing:
        example = completed(function, initializer.arguments, missing)
        raise SpecError(Missing(function, missing).message, mark, f"`{{{example}}}`")
    values = {}
    for argument in signature:
        expression = initializer.arguments.get(argument.name)
        if expression is None:
            values[argument.name] = argument.default
            continue
        if free_names(expression.tree) & FANS and len(shape) < 2:
            raise SpecError(
                "a parameter of one dimension has no fan_in or fan_out", expression.mark
            )
        value = evaluate(expression, {**sizes, "fan_in": fan_in, "fan_out": fan_out})
        try:
            values[argument.name] = checked(argument, function, value)
        except Fault as fault:
            raise expression.fault(fault) from None
    _check_bounds(initializer, values)


def _check_bounds(initializer: Initializer, values: Mapping[str, Any]) -> None:
    if initializer.function not in _BOUNDED:
        return
    low, high = values["a"], values["b"]
    if isinstance(low, (int, float)) and isinstance(high, (int, float)) and low >= high:
        raise SpecError(
            f"{initializer.function} draws from a to b, so a ({low}) must be below b ({high})",
            initializer.mark,
        )
