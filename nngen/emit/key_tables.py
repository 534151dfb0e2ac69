"""A package's table of keys. Blocks that stand in several places have a table of their own where that is much shorter."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from nngen.emit.model import KeyTable, Placed
from nngen.emit.state_keys import Inner, Pair, class_keys, entries, state_keys
from nngen.graph.flow import Flow

_WHOLE = "_NAMES"
# The lines of the function that puts a table into another, and of what stands around the entries of each.
_FUNCTION, _AROUND = 6, 2
# A block with fewer keys needs no table.
_FEWEST = 3
_RELU = re.compile(r"(?<=[A-Z][a-z])LU")
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def key_tables(flow: Flow, loss: Flow | None) -> tuple[KeyTable, ...]:
    """The tables of a model, those of blocks before those that use them; the model's is the last."""
    flat = KeyTable(_WHOLE, state_keys(flow, loss))
    tables = _Tables(flow, loss).written()
    lines = _FUNCTION + sum(_AROUND + len(table.entries) for table in tables)
    return tuple(tables) if 3 * lines <= 2 * (_AROUND + len(flat.entries)) else (flat,)


class _Tables:
    def __init__(self, flow: Flow, loss: Flow | None) -> None:
        self.classes: dict[str, tuple[Pair | Inner, ...]] = {}
        self.keys: dict[str, set[tuple[Pair, ...]]] = {}
        own = [*entries(flow, {}), *(entries(loss, {}) if loss is not None else ())]
        self.own = tuple(own)
        self._note(self.own)
        places = Counter(
            each.flow.body.name
            for listed in (self.own, *self.classes.values())
            for each in _once(listed)
            if isinstance(each, Inner)
        )
        self.names: dict[str, str] = {}
        for name in self.classes:
            keys, *others = self.keys[name]
            # Two uses of a block could have other keys: then no table tells both.
            if places[name] > 1 and len(keys) >= _FEWEST and not others:
                self.names[name] = self._named(name)

    def written(self) -> list[KeyTable]:
        """The tables of the blocks that have one, then the model's."""
        tables = [
            KeyTable(self.names[name], tuple(self._entries(self.classes[name])))
            for name in self.classes
            if name in self.names
        ]
        return [*tables, KeyTable(_WHOLE, tuple(self._entries(self.own)))]

    def _note(self, listed: tuple[Pair | Inner, ...]) -> None:
        """Note the classes of the blocks, those in them first."""
        for each in _once(listed):
            if isinstance(each, Inner):
                name = each.flow.body.name
                self.keys.setdefault(name, set()).add(tuple(class_keys(each.flow).items()))
                if name not in self.classes:
                    inside = tuple(entries(each.flow, {}))
                    self._note(inside)
                    self.classes[name] = inside

    def _entries(self, listed: tuple[Pair | Inner, ...]) -> Iterator[Pair | Placed]:
        for each in _once(listed):
            if not isinstance(each, Inner):
                yield each
            elif each.flow.body.name in self.names:
                other = "" if each.functional == each.nn else each.functional
                yield Placed(self.names[each.flow.body.name], each.nn, other)
            else:
                for inner in self._entries(tuple(entries(each.flow, {}))):
                    yield _below(each, inner)

    def _named(self, name: str) -> str:
        found = "_" + _WORDS.sub("_", _RELU.sub("lu", name)).upper()
        while found in (_WHOLE, *self.names.values()):
            found += "_"
        return found


def _below(block: Inner, inner: Pair | Placed) -> Pair | Placed:
    if isinstance(inner, Placed):
        nn, functional = inner.place, inner.other or inner.place
        nn, functional = f"{block.nn}.{nn}", f"{block.functional}.{functional}"
        return Placed(inner.table, nn, "" if functional == nn else functional)
    return f"{block.nn}.{inner[0]}", f"{block.functional}.{inner[1]}"


def _once(listed: tuple[Pair | Inner, ...]) -> Iterator[Pair | Inner]:
    """Each once: copies in a list have the same keys."""
    seen = set()
    for each in listed:
        key = (each.nn, each.flow.body.name) if isinstance(each, Inner) else each
        if key not in seen:
            seen.add(key)
            yield each
