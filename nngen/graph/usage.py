"""What becomes of the values of a class: each is used."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable

from nngen.errors import Errors, SpecError
from nngen.graph.flow import Flow, Value


def refuse_unused(
    flow: Flow,
    bound: Iterable[Value],
    given: Container[str],
    errors: Errors,
    user_of: Callable[[Value], str],
) -> None:
    """Note the values that nothing uses.

    Args:
        flow: the class.
        bound: its values.
        given: of a loss, the inputs that are what forward gives: it need not be of all of them.
        errors: where to note them.
        user_of: finds the step that may be meant to take a value.
    """
    outputs = [value for value in flow.inputs if value.name in given]
    partly = any(value.used for value in outputs)
    for value in bound:
        if not value.used and not (partly and value in outputs):
            what = f"the value {value.name!r}" if value.fixed else f"what {value.name!r} gives"
            user = user_of(value)
            hint = (
                f"{user} may be meant to take it: `from: {value.name}`"
                if user
                else "use it, take it out, or bind it to `_` to drop it"
            )
            errors.add(SpecError(f"nothing uses {what}", value.mark, hint))
