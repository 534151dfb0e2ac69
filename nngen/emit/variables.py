"""What `forward` calls its values: the spec's own names where it names them, else one running name."""

from __future__ import annotations

from collections.abc import Iterator

from nngen.graph.flow import Flow, Value

_CANDIDATES = ("x", "out", "h")


class Variables:
    """The variable of each value of a flow.

    The running value is `x`; where the input is named again later it keeps `x`, and the running value is `out`.
    """

    def __init__(self, flow: Flow) -> None:
        self.running = next(name for name in _names() if _keeps_apart(flow, name))
        written = [value for operation in flow.operations for value in operation.writes if value]
        self.taken = {self[value] for value in (*flow.inputs, *written)}

    def __getitem__(self, value: Value) -> str:
        return variable(value, self.running)

    def unused(self, name: str) -> str:
        """A name like `name` that no value has."""
        while name in self.taken:
            name += "_"
        return name


def variable(value: Value, running: str) -> str:
    """What `forward` calls a value; a Parameter or Buffer is an attribute."""
    if value.state:
        return f"self.{value.name}"
    return value.name if value.fixed or value.named else running


def _names() -> Iterator[str]:
    yield from _CANDIDATES
    number = 1
    while True:
        yield f"out{number}"
        number += 1


def _keeps_apart(flow: Flow, running: str) -> bool:
    """Whether every value is still in its variable when it is read."""
    held = {variable(value, running): value for value in flow.inputs}
    for operation in flow.operations:
        if any(
            held.get(variable(value, running)) is not value
            for value in operation.reads
            if not value.state
        ):
            return False
        held.update(
            (variable(value, running), value) for value in operation.writes if value is not None
        )
    return True
