"""The modules of one class that do the same become one block; what they differ in become its arguments."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from nngen.catalog import LAYERS
from nngen.importer.modes import Code
from nngen.importer.sketch import LayerStep, LineStep, Sketch, StateStep


@dataclass
class Layer:
    """A layer of torch.nn with its arguments, defaults included."""

    kind: str
    arguments: dict[str, Any]

    @property
    def signature(self) -> Hashable:
        """What two layers of one block have in common."""
        texts = {k: repr(v) for k, v in self.arguments.items() if not _is_number(v)}
        return self.kind, tuple(sorted(texts.items())), tuple(self.arguments)

    def slots(self) -> Iterator[tuple[str, Any, Any]]:
        """The numbers in it: name, value, torch's default."""
        defaults = {each.name: each.default for each in LAYERS[self.kind].signature}
        for name, value in self.arguments.items():
            if _is_number(value):
                yield name, value, defaults[name]


@dataclass
class Chain:
    """An nn.Sequential, or an nn.ModuleList whose items are called in turn.

    Attributes:
        names: the children's; None for one that is a number.
    """

    names: list[str | None]
    children: list[Piece]
    is_list: bool = False

    @property
    def signature(self) -> Hashable:
        return tuple(self.names), tuple(child.signature for child in self.children), self.is_list

    def slots(self) -> Iterator[tuple[str, Any, Any]]:
        for child in self.children:
            yield from child.slots()


@dataclass
class Block:
    """A class of the user's.

    Attributes:
        name: what the spec calls it.
        sketch: what its forward does; None for a subclass of nn.Sequential.
        instances: for each module of the class what its steps build.
        arguments: name, default (None where there is none) and the column that gives its value.
        texts: what stands in each column: a value or an expression of the arguments.
    """

    name: str
    sketch: Sketch | None
    instances: list[list[Piece]] = field(default_factory=list)
    arguments: list[tuple[str, Any, int]] = field(default_factory=list)
    texts: list[Any] = field(default_factory=list)

    def row(self, instance: int) -> list[tuple[str, Any, Any]]:
        """The numbers of one instance."""
        return [slot for piece in self.instances[instance] for slot in piece.slots()]

    def settle(self) -> None:
        """Decide which numbers are arguments; the blocks inside are settled before."""
        rows = [self.row(number) for number in range(len(self.instances))]
        taken = _names_of(self.sketch)
        for place, columns in enumerate(zip(*rows)):
            values = [value for _, value, _ in columns]
            if len({(type(value), value) for value in values}) == 1:
                self.texts.append(values[0])
                continue
            text = self._explained(values, rows)
            if text is None:
                name = _free(columns[0][0], taken)
                taken.add(name)
                default = columns[0][2]
                has_default = any(_same(default, value) for value in values)
                self.arguments.append((name, default if has_default else None, place))
                text = name
            self.texts.append(Code(text))

    def _explained(self, values: Sequence[Any], rows: Sequence[Any]) -> str | None:
        """A column as an expression of an argument that is there already."""
        for name, _, place in self.arguments:
            others = [row[place][1] for row in rows]
            if all(map(_same, values, others)):
                return name
            if any(type(value) is not int for value in (*values, *others)) or 0 in others:
                continue
            factors = {value // other for value, other in zip(values, others) if value % other == 0}
            if len(factors) == 1 and all(v == o * max(factors) for v, o in zip(values, others)):
                return f"{max(factors)} * {name}"
            parts = {other // value for value, other in zip(values, others) if value}
            part = max(parts, default=0)
            if part > 1 and all(v == o // part for v, o in zip(values, others)):
                return f"{name} // {part}"
        return None


@dataclass
class Use:
    """One module that is a block."""

    block: Block
    instance: int
    form: Hashable

    @property
    def signature(self) -> Hashable:
        return self.form

    def slots(self) -> Iterator[tuple[str, Any, Any]]:
        row = self.block.row(self.instance)
        for name, default, place in self.block.arguments:
            yield name, row[place][1], default


Piece = Layer | Chain | Use


class Blocks:
    """All blocks of a model, the inner ones first."""

    def __init__(self) -> None:
        self.found: dict[Hashable, Block] = {}

    def use(self, name: str, sketch: Sketch | None, pieces: list[Piece]) -> Use:
        """A module of a class as a use of the block that does the same."""
        form = (name, _wiring(sketch), tuple(piece.signature for piece in pieces))
        if form not in self.found:
            taken = {block.name for block in self.found.values()}
            self.found[form] = Block(_numbered(name, taken), sketch)
        block = self.found[form]
        block.instances.append(pieces)
        return Use(block, len(block.instances) - 1, form)

    def settle(self) -> None:
        """Decide the arguments of all."""
        for block in self.found.values():
            block.settle()


def _wiring(sketch: Sketch | None) -> Hashable:
    if sketch is None:
        return ()
    steps = [
        (
            (step.target, tuple(step.sources or ()), step.call)
            if isinstance(step, LayerStep)
            else (step.code,) if isinstance(step, LineStep) else (step.name, step.is_parameter)
        )
        for step in sketch.steps
    ]
    return tuple(sketch.inputs), tuple(steps), repr(sketch.outputs)


def _names_of(sketch: Sketch | None) -> set[str]:
    if sketch is None:
        return set()
    targets = {step.target for step in sketch.steps if isinstance(step, LayerStep)}
    own = {step.name for step in sketch.steps if isinstance(step, StateStep)}
    return {*sketch.inputs, *targets, *own}


def _is_number(value: Any) -> bool:
    return isinstance(value, (bool, int, float))


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _free(name: str, taken: set[str]) -> str:
    found, number = name, 1
    while found in taken:
        number += 1
        found = f"{name}{number}"
    return found


def _numbered(name: str, taken: set[str]) -> str:
    """A class name like this that no block has."""
    plain = name.strip("_")
    return _free(plain if plain[:1].isupper() else plain.capitalize(), taken)
