"""What becomes of the values of a class: each is used, and none is changed before its last use."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable

from nngen.errors import Errors, SpecError
from nngen.graph.flow import Application, Flow, Value


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


def refuse_overwritten(flow: Flow, errors: Errors) -> None:
    """Note the steps in place on a value that is used again: the later use would see the change."""
    last_read = {
        value: position for position, op in enumerate(flow.operations) for value in op.reads
    }
    for position, operation in enumerate(flow.operations):
        if operation.application is None or not _in_place(operation.application):
            continue
        first = operation.reads[0]
        if last_read[first] > position:
            message = f"this step works in place on {first.name!r}, which is used again below"
            errors.add(SpecError(message, operation.mark, "leave out `inplace: true`"))


def _in_place(application: Application) -> bool:
    while application.children:
        application = application.children[0]
    return application.module.values.get("inplace") is True
