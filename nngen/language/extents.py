"""How far each part of a YAML text reaches, by its path."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from nngen.language.document import item_of, under

# The C parser is ten times faster; without it Python's own does.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Extent:
    """A part of a text: lines count from 1, columns from 0, in characters; the end column is the first behind it."""

    line: int
    column: int
    end_line: int
    end_column: int


def extents(text: str) -> dict[str, Extent]:
    """The extents of a document's parts by the paths that marks have: `layers[0]`, `args.width`, `loss`.

    An entry of a mapping reaches from its key to the end of its value.

    Args:
        text: a document that parses.
    """
    found: dict[str, Extent] = {}
    _Reader(yaml.parse(text, Loader=_LOADER), text.split("\n"), found).document()
    return found


def step_path(path: str) -> str:
    """The path of the step that a mark is about: of `layers[0].Conv2d`, that is `layers[0]`."""
    step, bracket, _ = path.rpartition("]")
    return step + bracket or path


class _Reader:
    """Reads events, node by node."""

    def __init__(self, events: Iterator[Any], lines: list[str], found: dict[str, Extent]) -> None:
        self.events = events
        self.lines = lines
        self.found = found
        self.end = (1, 0)

    def document(self) -> None:
        """Read the one document."""
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                self._node(next(self.events), "")

    def _node(self, event: Any, path: str) -> None:
        start = _start(event)
        if isinstance(event, yaml.MappingStartEvent):
            while not isinstance(key := next(self.events), yaml.MappingEndEvent):
                self._entry(key, path)
            self._close(key)
        elif isinstance(event, yaml.SequenceStartEvent):
            place = 0
            while not isinstance(item := next(self.events), yaml.SequenceEndEvent):
                self._node(item, item_of(path, place))
                place += 1
            self._close(item)
        else:
            self._close(event)
        self._keep(path, start)

    def _entry(self, key: Any, path: str) -> None:
        start = _start(key)
        self._close(key)
        inner = under(path, key.value)
        self._node(next(self.events), inner)
        self._keep(inner, start)

    def _close(self, event: Any) -> None:
        """Take note of where text ends; the end of a block is not a text."""
        start, end = event.start_mark, event.end_mark
        if isinstance(event, yaml.CollectionEndEvent) and start.index == end.index:
            return
        line, column = end.line + 1, end.column
        while line > 1 and not self.lines[line - 1][:column].strip():
            line -= 1
            column = len(self.lines[line - 1])
        self.end = max(self.end, (line, column))

    def _keep(self, path: str, start: tuple[int, int]) -> None:
        self.found[path] = Extent(*start, *max(self.end, start))


def _start(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column
