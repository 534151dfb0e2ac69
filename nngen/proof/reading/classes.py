"""A spec's classes as modules that are put together while they run.

A model runs once on a batch to learn what goes into each layer (`Book.trying`), and is then built for good: layer after
layer in the order of construction, so that torch draws the weights as it does in a constructor.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor, nn

from nngen.proof.reading import draws
from nngen.proof.reading.book import Body, Book, Made, finish, with_let
from nngen.proof.reading.layers import in_order, layer
from nngen.proof.reading.python import (
    Names,
    bound,
    computed,
    evaluated,
    line,
    targets,
)
from nngen.proof.reading.steps import (
    STATES,
    Step,
    arguments,
    automatic,
    by_name,
    children,
    copies,
    filled,
    has_copies,
    inputs_of,
    is_line,
    listed,
    parts,
)

Items = Sequence[tuple[str, Step, Names]]
# The sizes of its first input that a block may name.
_SIZES = ("in_channels", "in_features")


class Part(nn.Module):
    """A class or a row: its modules, each with what it is made of."""

    def __init__(self, book: Book) -> None:
        super().__init__()
        self._book = book
        self._made: dict[str, Made] = {}
        self._there: dict[str, nn.Module] = {}
        self._keys: dict[str, str] = (
            {}
        )  # of modules whose names are no words: `downs.0` of `downs_0`

    def _put(self, label: str, module: nn.Module) -> None:
        """Adds a module under its key, in modules that hold it where that has dots."""
        holder: nn.Module = self
        *above, last = self._keys.get(label, label).split(".")
        for part in above:
            if part not in holder._modules:
                holder.add_module(part, nn.Module())
            holder = holder.get_submodule(part)
        holder.add_module(last, module)
        self._there[label] = module

    def _add(
        self, label: str, place: tuple[int, int], step: Step, names: Names, called: Any
    ) -> None:
        """Adds the module of a step, given what it is first called with."""
        inputs, named = called
        made = None
        if "repeat" in step.beside and not has_copies(step.name) and isinstance(self, Class):
            module: nn.Module = Row(self._book, copies(step, names), copies=True)
        elif step.kind == "Sequential":
            module = Row(self._book, children(step.given or [], names))
        elif step.kind in self._book.blocks:
            module = block(self._book, step, names, (*inputs, *named.values()))
        else:
            given = in_order(step.kind, inputs, named)
            made = layer(step, names, list(given.values()))
            # The weights do not matter, but no batch norm shall ask for more than one value.
            module = made.build().eval()
        self._made[label] = Made(place, step, names, made)
        self._put(label, module)

    def _build(self) -> None:
        """Builds all modules anew, in the order of construction."""
        old = dict(self._there)
        self._modules.clear()
        self._there.clear()
        for group in self._gathered(list(self._in_order())):
            for label, made in group:
                if label not in old:
                    self._build_state(label, made)
                    continue
                module = old[label] if made.layer is None else made.layer.build()
                self._put(label, module)
                if isinstance(module, Part):
                    module._build()
            for label, made in group:
                if label in old:
                    rules = made.step.beside.get("init", {})
                    draws.redraw(self._there[label], rules, made.names)
        self._made.clear()

    def _build_state(self, label: str, made: Made) -> None:
        """Builds a Parameter or Buffer, which stands in a class alone: a row of layers has none."""
        raise NotImplementedError

    def _gathered(self, made: Sequence[tuple[str, Made]]) -> Iterator[list[tuple[str, Made]]]:
        """What is to be built, by attributes: what one holds stands together, and so on within it."""
        labels = {self._keys.get(label, label): (label, each) for label, each in made}
        tree: dict[str, Any] = {}
        for key in labels:
            inside = tree
            for part in key.split("."):
                inside = inside.setdefault(part, {})

        def below(prefix: str, inside: dict[str, Any]) -> Iterator[tuple[str, Made]]:
            if not inside:
                yield labels[prefix]
            for part, more in inside.items():
                yield from below(f"{prefix}.{part}", more)

        for part, inside in tree.items():
            yield list(below(part, inside))

    def _in_order(self) -> Iterator[tuple[str, Made]]:
        """What is to be built: in the order of the steps, but what is built after another directly behind it.

        A layer that is not there keeps its place, for what is built after it.
        """
        known = self._known()
        after: dict[str, list[str]] = {}
        for label in sorted(known, key=lambda label: known[label][0]):
            after.setdefault(known[label][1].beside.get("built_after", ""), []).append(label)

        def from_(label: str) -> Iterator[str]:
            yield label
            for other in after.get(label, ()):
                yield from from_(other)

        for label in after.get("", ()):
            for each in from_(label):
                if each in self._made:
                    yield each, self._made[each]

    def _known(self) -> dict[str, tuple[tuple[int, int], Step]]:
        """The place and the step of each module, by its label."""
        return {label: (made.place, made.step) for label, made in self._made.items()}


class Row(Part):
    """Modules in a row, each under its key, with its step and names.

    Args:
        book: what all classes share.
        items: the modules.
        copies: they are copies of one step, which may take several values; else the children of a Sequential.
    """

    def __init__(self, book: Book, items: Items, copies: bool = False) -> None:
        super().__init__(book)
        self._items = tuple(items)
        self._copies = copies

    def forward(self, *inputs: Any, **named: Any) -> Any:
        by_name = bool(named) and self._copies and bool(self._items)
        values = [*inputs, *named.values()]
        keys: list[str] = []
        if by_name:
            called = _called(self._book, self._items[0][1], inputs, named)
            keys, values = list(called), list(called.values())
        result = values[0]
        for place, (key, step, names) in enumerate(self._items):
            given, by = ([], dict(zip(keys, values))) if by_name else (values, {})
            if key not in self._there:
                self._add(key, (place, 0), step, names, (given, by))
            result = self._there[key](*given, **by)
            # What one gives goes into the first inputs of the next; the others are the same for all.
            first = list(result) if isinstance(result, tuple) and len(values) > 1 else [result]
            values = [*first, *values[len(first) :]]
        return result


def _called(book: Book, step: Step, inputs: Sequence[Any], named: Names) -> dict[str, Any]:
    """What a step's copies are called with, by the names of their inputs, in order."""
    if step.kind == "Sequential":
        return {"input": next(iter((*inputs, *named.values())))}
    if step.kind not in book.blocks:
        return in_order(step.kind, inputs, named)
    wanted = inputs_of(book.blocks[step.kind].says)
    given = {**dict(zip(wanted, inputs)), **named}
    return {name: given[name] for name in wanted}


class Class(Part):
    """A block, or the model itself.

    Args:
        book: what all classes share.
        body: what the spec says of this class.
        names: the values of its arguments, and of the sizes of its first input.
    """

    def __init__(self, book: Book, body: Body, names: Names) -> None:
        super().__init__(book)
        self._body = body
        self._names = with_let(body.says, names)
        self._steps: dict[str, tuple[tuple[int, int], Step, Names]] = {}
        self._states: dict[str, tuple[tuple[int, int], Step]] = {}
        self._last = ""

    def forward(self, *given: Any, **named: Any) -> Any:
        inputs = inputs_of(self._body.says)
        values: dict[str, Any] = {**dict(zip(inputs, given)), **named}
        self._last = next(iter(inputs), "")
        running = self._walk(self._body, values, values[inputs[0]] if len(inputs) == 1 else None)
        outputs = self._body.says.get("outputs")
        return running if outputs is None else self._outputs(outputs, values)

    def _outputs(self, outputs: Any, values: Names) -> Any:
        if isinstance(outputs, list):
            return tuple(self._outputs(item, values) for item in outputs)
        if isinstance(outputs, dict):
            return {key: self._outputs(item, values) for key, item in outputs.items()}
        return self._computed(outputs, values)

    def _walk(self, body: Body, values: dict[str, Any], running: Any, first: int = 0) -> Any:
        """Runs the steps of a body in order, from a number on; gives the last value."""
        named = automatic(body.says)
        for number, given in enumerate(body.says["layers"]):
            path = f"{body.path}.layers[{number}]".lstrip(".")
            try:
                if is_line(given):
                    running = self._line(given, values, running)
                else:
                    running = self._step(parts(given), first + number, named, values, running)
            except Exception as error:
                if not hasattr(error, "step"):
                    error.step = path  # type: ignore[attr-defined]
                raise
            if self._book.tell is not None:
                self._book.tell(path, _bound_by(given, values, running))
        return running

    def _step(
        self,
        step: Step,
        number: int,
        named: Callable[[str], str],
        values: dict[str, Any],
        running: Any,
    ) -> Any:
        """Runs a step, which may be copies of a layer; gives the value after it."""
        if step.kind in STATES:
            assert step.name is not None
            self._states[step.name] = (number, 0), step
            if not evaluated(step.beside.get("when", True), self._names):
                return running
            self._made.setdefault(step.name, Made((number, 0), step, self._names, None))
            if not hasattr(self, step.name):
                self._build_state(step.name, self._made[step.name])
            values[step.name] = getattr(self, step.name)
            return running
        for copy, (label, names, one) in enumerate(self._copies(step, named)):
            inputs = [values[source] for source in listed(one.beside.get("from", []))]
            takes = self._book.blocks.get(step.kind)
            if takes is not None and not inputs_of(takes.says):
                inputs = []
            elif not inputs or copy:
                inputs[:1] = [running]
            if self._book.trying:
                self._steps[label] = (number, copy), one, names
            if one.beside.get("call") == "none":
                if label not in self._there:
                    made = layer(one, names, [])
                    self._made[label] = Made((number, copy), one, names, made)
                    self._put(label, made.build().eval())
                continue
            running = self._layer(label, one, inputs, values, running)
        return running

    def _copies(self, step: Step, named: Callable[[str], str]) -> Iterator[tuple[str, Names, Step]]:
        """The labels of a step, each with its names and what it says.

        There are several where `${…}` tells copies apart, or `layers[i]` in a line is each in turn.
        """
        called = step.beside.get("call", "")
        each = rf"\b{self._word(step.name)}\[\s*i\s*\]" if step.name else ""
        in_turn = "repeat" in step.beside and each and re.search(each, called)
        if not in_turn and not has_copies(step.name):
            yield self._word(step.name or named(step.kind)), self._names, step
            return
        for i in range(evaluated(step.beside.get("repeat", 1), self._names)):
            names = {**self._names, "i": i} if "repeat" in step.beside else self._names
            if not in_turn:
                yield self._word(filled(str(step.name), names)), names, step
                continue
            label = self._word(f"{step.name}.{i}")
            beside = {**step.beside, "call": re.sub(each, label, called)}
            del beside["repeat"]
            yield label, names, step._replace(beside=beside)

    def _word(self, key: str) -> str:
        """What lines call the module of a key."""
        word = re.sub(r"[.-]", "_", key)
        word = word if word.isidentifier() else f"layer_{word}"
        if word != key:
            self._keys[word] = key
        return word

    def _layer(
        self, label: str, step: Step, inputs: list[Any], values: dict[str, Any], running: Any
    ) -> Any:
        """Runs the layer of a step, if its condition holds; gives the value after it."""
        scope = {**self._names, "training": self.training}
        call = step.beside.get("call")
        self._last = label
        if not evaluated(step.beside.get("when", True), scope):
            if call is not None:
                self._last = targets(call)[0]
                return values.get(self._last)
            if "otherwise" in step.beside:
                return None
            values[label] = inputs[0]
            return inputs[0]
        if call is not None:
            return self._line(call, values, running)
        values[label] = self._call(label, *inputs)
        return values[label]

    def _call(self, label: str, *inputs: Any, **named: Any) -> Any:
        """Calls a layer by its name, making it first if it is not yet there."""
        if label not in self._there:
            place, step, names = self._steps[label]
            self._add(label, place, step, names, (inputs, named))
        return self._there[label](*inputs, **named)

    # What is built

    def _build(self) -> None:
        self._parameters.clear()
        self._buffers.clear()
        super()._build()
        self._steps.clear()
        self._states.clear()
        finish(self, self._body.says, self._names)

    def _known(self) -> dict[str, tuple[tuple[int, int], Step]]:
        steps = {label: (place, step) for label, (place, step, _) in self._steps.items()}
        return {**steps, **self._states, **super()._known()}

    def _build_state(self, label: str, made: Made) -> None:
        given = made.step.given
        if made.step.kind == "Parameter":
            given = given if isinstance(given, Mapping) else {"shape": given}
            parameter = nn.Parameter(torch.empty(evaluated(given["shape"], made.names)))
            draws.draw(parameter, given["init"], made.names)
            self.register_parameter(label, parameter)
        else:
            given = given if isinstance(given, Mapping) else {"value": given}
            states = dict(self._parameters) | dict(self._buffers)
            self.register_buffer(
                label, self._computed(given["value"], states), given.get("persistent", True)
            )

    # Lines

    def _line(self, text: str, values: dict[str, Any], running: Any) -> Any:
        """Runs `target = expression`; gives the value after it."""
        target, expression = line(text)
        found = bound(target, self._computed(expression, values))
        values.update(found)
        first = targets(text)[0]
        if first == "_" or not _flows(found[first]):
            return running
        self._last = first
        return found[first]

    def _computed(self, text: Any, values: Names) -> Any:
        if not isinstance(text, str):
            return evaluated(text, self._names)
        scope = {**self._names, **values, "training": self.training}
        layers = self._steps.keys() | self._there.keys()
        return computed(text, scope, self._call, self._arms, layers)

    def _arms(self, condition: Any, left: Callable[[], Any], right: Callable[[], Any]) -> Any:
        """One of two values. While the model is tried out, the other is computed too: it may call a layer."""
        taken, other = (left, right) if condition else (right, left)
        if self._book.trying:
            with suppress(Exception):
                other()
        return taken()


def _flows(value: Any) -> bool:
    """Whether a value can be what the next step takes: a tensor, or what has tensors in it."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (tuple, list)):  # a packed sequence is a tuple of tensors
        return any(map(_flows, value))
    return isinstance(value, Tensor)


def _bound_by(given: Any, values: Names, running: Any) -> list[Any]:
    """What a step has given: what its line binds, or the value after it."""
    text = given if is_line(given) else parts(given).beside.get("call")
    if text in (None, "none"):
        return [running]
    return [values[name] for name in targets(text) if name in values]


class RowBlock(Row):
    """A block that is a Sequential."""

    def __init__(self, book: Book, body: Body, names: Names) -> None:
        names = with_let(body.says, names)
        super().__init__(book, children(body.says["Sequential"], names))
        self._body = body
        self._names = names

    def _build(self) -> None:
        super()._build()
        finish(self, self._body.says, self._names)


def block(book: Book, step: Step, names: Names, inputs: Sequence[Any]) -> Part:
    """A use of a block, for what flows into it."""
    body = book.blocks[step.kind]
    given = by_name(body.says, step.given)
    own = arguments(body.says.get("args", {}), given, names)
    called = ["in", *list(body.says.get("inputs", ["x"]))[1:]]
    for name, value in zip(called, inputs):
        if isinstance(value, Tensor) and value.dim() > 1:
            found = {f"{name}_channels": value.shape[1], f"{name}_features": value.shape[-1]}
            own = {**found, **own}
    own |= {name: evaluated(given[name], names) for name in _SIZES if name in given}
    if "Sequential" in body.says:
        return RowBlock(book, body, own)
    return Class(book, body, own)
