"""Members of a container that are made alike: by one loop, under one pattern of names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nngen.catalog.partial_evaluation import source
from nngen.graph.flow import Flow, Module
from nngen.symbolic.sizes import Dim, Size, symbol

_NUMBERED = re.compile(r"(\D*)(0|[1-9]\d*)")
# Fewer are written one by one.
_FEWEST = 4


@dataclass(frozen=True)
class Run:
    """Neighbours in a container.

    Attributes:
        module: the first of them; in a loop, `i` in its arguments stands for the position.
        names: what they are called.
        counts: `i` is in the arguments.
    """

    module: Module
    names: tuple[str, ...]
    counts: bool = False

    @property
    def loop(self) -> ast.expr | None:
        """How many a loop makes, if there is one."""
        return ast.Constant(len(self.names)) if len(self.names) > 1 else self.module.loop

    @property
    def name(self) -> str:
        """The name; in a loop the inside of an f-string."""
        if len(self.names) == 1:
            return self.names[0]
        prefix, start = _numbered(self.names[0]) or ("", 0)
        return f"{prefix}{{i + {start}}}" if start else f"{prefix}{{i}}"


def runs(modules: Sequence[Module], names: Sequence[str]) -> Iterator[Run]:
    """A container's members; those in a row that a formula in `i` makes, together."""
    place = 0
    while place < len(modules):
        count = _length(modules[place:], names[place:])
        made = modules[place] if count == 1 else _formula(modules[place], modules[place + 1])
        counts = made.values != modules[place].values
        yield Run(made, tuple(names[place : place + count]), counts)
        place += count


def place_in(module: Module, child: Module) -> str:
    """A child's place in a container as keys have it: `*` stands for a number that tells equals apart, or is open."""
    names = [each.name for each in module.children]
    if child.name.isdigit() and "*" in names[: names.index(child.name)]:
        return "*"
    kinds = {each.kind for each in module.children}
    matches = [_NUMBERED.fullmatch(each.name) for each in module.children]
    prefixes = {match[1] if match else None for match in matches}
    prefix, *others = prefixes
    if others or prefix is None or len(kinds) > 1 or (prefix and len(matches) == 1):
        return child.name
    return f"{prefix}*"


def position(flow: Flow, place: int) -> str:
    """The name of a child of a block that is a Sequential: its own, or its position."""
    built = flow.built[place]
    label = getattr(flow.body.layers[built.step], "label", None)
    return built.path[0] if label is not None else str(place)


def _length(modules: Sequence[Module], names: Sequence[str]) -> int:
    """How many members from the first on one loop can make."""
    first = modules[0]
    if (
        first.loop is not None
        or first.condition is not None
        or first.children
        or _numbered(names[0]) is None
    ):
        return 1
    count = 1
    while count < len(modules) and _continues(modules, names, count):
        count += 1
    return count if count >= _FEWEST else 1


def _continues(modules: Sequence[Module], names: Sequence[str], place: int) -> bool:
    first, second, module = modules[0], modules[1], modules[place]
    prefix, start = _numbered(names[0]) or ("", 0)
    return (
        _numbered(names[place]) == (prefix, start + place)
        and module.kind == first.kind
        and not module.children
        and module.loop is None
        and module.condition is None
        and module.given == first.given
        and module.modifiers == first.modifiers
        and module.values.keys() == first.values.keys()
        and all(
            _in_step(first.values[key], second.values[key], module.values[key], place)
            for key in first.values
        )
        and _codes(module).keys() == _codes(first).keys()
        and all(
            code == _codes(first)[key] or isinstance(module.values[key], (int, Size))
            for key, code in _codes(module).items()
        )
    )


def _numbered(name: str) -> tuple[str, int] | None:
    match = _NUMBERED.fullmatch(name)
    return (match[1], int(match[2])) if match else None


def _codes(module: Module) -> dict[str, str]:
    return {key: source(tree) for key, tree in module.code.items()}


def _in_step(first: Any, second: Any, value: Any, place: int) -> bool:
    """Whether a value is the first one, or as many steps from it as its place says."""
    if _is_size(first) and _is_size(second) and _is_size(value):
        expected: Dim = first + place * (second - first)
        return bool(expected == value)
    return type(value) is type(first) and bool(value == first)


def _is_size(value: Any) -> bool:
    return isinstance(value, (int, Size)) and not isinstance(value, bool)


def _formula(first: Module, second: Module) -> Module:
    """The module that stands in a loop, its sizes in terms of `i`."""
    values = dict(first.values)
    for key, value in first.values.items():
        if _is_size(value) and value != second.values[key]:
            values[key] = value + symbol("i") * (second.values[key] - value)
    code = {key: tree for key, tree in first.code.items() if values[key] is first.values[key]}
    return replace(first, values=values, code=code)
