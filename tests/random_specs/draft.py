"""A spec under construction: each step is added if nngen can follow it, so that most specs come out valid."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from nngen.emit import build_graph
from nngen.errors import SpecError
from nngen.graph import Program, follow
from nngen.graph.flow import Flow, Value
from nngen.language import document
from nngen.language import spec as specs
from nngen.language.spec.mentions import unused
from nngen.symbolic.sizes import value_of
from nngen.symbolic.tensor import Tensor


@dataclass(frozen=True)
class Flowing:
    """A tensor that later steps may name.

    Attributes:
        shape: its sizes, None for one that is open, as the batch is.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    used: bool

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def floating(self) -> bool:
        return self.dtype == "float32"

    @property
    def batched(self) -> bool:
        return self.rank > 0 and self.shape[0] is None


class Crash(Exception):
    """nngen raised something else than a SpecError while it followed a spec."""

    def __init__(self, spec: dict[str, Any]) -> None:
        super().__init__("a traceback rather than an error")
        self.spec = copy.deepcopy(spec)


@dataclass
class Draft:
    """A model of which a body, its own or a block's, grows step by step.

    Attributes:
        spec: the model.
        body: the part of it that grows.
        block: the name of the block that it is, empty for the model's own.
        names: the sizes that expressions may name, with their values.
        refused: how many steps were tried and not taken.
        start: what flows in.
        flow: what nngen makes of the body so far.
    """

    spec: dict[str, Any]
    body: dict[str, Any]
    block: str = ""
    names: dict[str, int] = field(default_factory=dict)
    refused: int = 0
    start: tuple[Flowing, ...] = ()
    flow: Flow | None = None

    def attempt(self, *steps: Any) -> bool:
        """Adds the steps if nngen can follow them; whether it can."""
        self.body["layers"].extend(steps)
        before = self.flow
        if self.update() and not self._lost():
            return True
        del self.body["layers"][-len(steps) :]
        self.flow = before
        self.refused += 1
        return False

    def put(self, key: str, value: Any) -> bool:
        """Sets a key of the body, if nngen can follow it then; whether it can."""
        self.body[key] = value
        if self.update():
            return True
        del self.body[key]
        self.refused += 1
        return False

    def update(self) -> bool:
        """Follows the spec as it is."""
        if not self.spec["layers"] or not self.body["layers"]:
            return True
        try:
            followed = _followed(self.spec)
        except SpecError:
            return False
        except Exception as error:
            raise Crash(self.spec) from error
        self.flow = followed.uses[self.block][-1] if self.block else followed.flow
        return True

    def whole(self) -> bool:
        """Whether nngen takes the spec as it is, decisions about its code included."""
        try:
            with _unfinished():
                build_graph(follow(specs.from_node(document.of(self.spec), "a draft")))
        except SpecError:
            self.refused += 1
            return False
        except Exception as error:
            raise Crash(self.spec) from error
        return True

    def values(self) -> list[Flowing]:
        """The tensors that a step may name, in the order in which they were bound."""
        if self.flow is None:
            return list(self.start)
        read = self._read()
        return [
            _flowing(value, value in read) for value in self._named().values() if _is_plain(value)
        ]

    def layers(self) -> list[str]:
        """The layers that a line may call."""
        if self.flow is None:
            return []
        named = self._named()
        return [
            built.name for built in self.flow.built if built.name in named and built.value is None
        ]

    def variables(self) -> set[str]:
        """The names that a line may bind again: those of values that are no layer's and are not waited for."""
        return {name for name, value in self._named().items() if value.fixed and not value.state}

    def waiting(self) -> list[str]:
        """The names of the values that nothing uses yet, of whatever kind."""
        if self.flow is None:
            return [each.name for each in self.start]
        read = self._read()
        return [name for name, value in self._named().items() if value not in read]

    def _lost(self) -> bool:
        """Whether a value that nothing uses has no name any more, so that nothing can."""
        if self.flow is None:
            return False
        read, named = self._read(), set(self._named().values())
        return any(value not in read and value not in named for value in self._bound())

    def running(self) -> Flowing | None:
        """What the next layer takes, where it takes one thing."""
        if self.flow is None:
            return self.start[0] if len(self.start) == 1 else None
        output = self.flow.operations[-1]
        if not output.reads or output.line is not None or not _is_plain(output.reads[0]):
            return None
        return _flowing(output.reads[0], output.reads[0] in self._read())

    def _bound(self) -> list[Value]:
        """All values, in order; the last operation gives the output and is not a step."""
        if self.flow is None:
            return []
        written = [each for operation in self.flow.operations[:-1] for each in operation.writes]
        return [*self.flow.inputs, *(value for value in written if value is not None)]

    def _named(self) -> dict[str, Value]:
        named: dict[str, Value] = {}
        for value in self._bound():
            named.pop(value.name, None)
            named[value.name] = value
        return named

    def _read(self) -> set[Value]:
        assert self.flow is not None
        return {value for operation in self.flow.operations[:-1] for value in operation.reads}


def _is_plain(value: Value) -> bool:
    tensor = value.abstract
    return isinstance(tensor, Tensor) and tensor.shape is not None and value.only_when is None


def _flowing(value: Value, used: bool) -> Flowing:
    tensor = value.abstract
    return Flowing(value.name, tuple(map(value_of, tensor.shape)), tensor.dtype, used)


def _followed(spec: dict[str, Any]) -> Program:
    with _unfinished():
        return follow(specs.from_node(document.of(spec), "a draft"))


@contextmanager
def _unfinished() -> Iterator[None]:
    """A draft's values and arguments may wait for the steps that use them."""
    with (
        mock.patch("nngen.graph.walker.refuse_unused", lambda *given: None),
        mock.patch("nngen.graph.recovery.unused", lambda spec: ()),
    ):
        yield


def drop_unused(spec: dict[str, Any]) -> None:
    """Takes out the arguments, and the names under `let`, that nothing uses: nngen refuses them."""
    while found := [*unused(specs.from_node(document.of(spec), "a draft"))]:
        for _, name, mark in found:
            *_, block, key, _ = ["", "", *mark.path.split(".")]
            body = spec["blocks"][block] if block else spec
            del body[key][name]
            if not body[key]:
                del body[key]
            if block and key == "args":
                _forget(spec, block, name)
            elif key == "args" and name in spec.get("check", {}):
                del spec["check"][name]
        if spec.get("check") == {}:
            del spec["check"]


def _forget(data: Any, block: str, argument: str) -> None:
    """Takes an argument out of each use of a block."""
    if isinstance(data, dict):
        for key, value in data.items():
            if str(key).split(" ")[0] == block and isinstance(value, dict):
                value.pop(argument, None)
            _forget(value, block, argument)
    elif isinstance(data, list):
        for value in data:
            _forget(value, block, argument)
