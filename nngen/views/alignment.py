"""The twins' lines beside each other: those of one step together, in the order of both files."""

from __future__ import annotations

import ast
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from typing import Generic, TypeVar

from nngen.emit.source_map import SourceFile, SourceMap
from nngen.errors import Mark

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class Row:
    """Neighbouring lines that one step made.

    Attributes:
        mark: the step.
        nn, functional: their places in the files, counted from 0. Of two, one may be empty: it then stands where the
            other's lines would be.
    """

    mark: Mark | None
    nn: range
    functional: range


@dataclass(frozen=True)
class Section:
    """A method, what a class has outside of its methods, or what stands above the classes.

    Attributes:
        scope: the class and the method; each may be "".
    """

    scope: tuple[str, str]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class _Side(Generic[K]):
    """The lines of one file in parts that have keys."""

    lines: range
    parts: list[tuple[K, range]]

    def at(self, place: int) -> int:
        """The first line of a part; behind the last, the end."""
        return self.parts[place][1].start if place < len(self.parts) else self.lines.stop


def align(source_map: SourceMap) -> list[Section]:
    """The sections of both files in their order, and in each its rows."""
    nn, functional = source_map.files["nn_style.py"], source_map.files["functional_style.py"]
    return [
        Section(
            scope, tuple(Row(*row) for row in _paired(_steps(nn, mine), _steps(functional, other)))
        )
        for scope, mine, other in _paired(_sections(nn.text), _sections(functional.text))
    ]


def _sections(text: str) -> _Side[tuple[str, str]]:
    whole = range(len(text.splitlines()))
    starts = [(("", ""), 0), *_starts(ast.parse(text))]
    ends = [*(start for _, start in starts[1:]), whole.stop]
    return _Side(whole, [(scope, range(start, end)) for (scope, start), end in zip(starts, ends)])


def _starts(tree: ast.Module) -> Iterator[tuple[tuple[str, str], int]]:
    for each in tree.body:
        if isinstance(each, ast.ClassDef):
            yield (each.name, ""), each.lineno - 1
            for method in each.body:
                if isinstance(method, ast.FunctionDef):
                    yield (each.name, method.name), method.lineno - 1


def _steps(file: SourceFile, lines: range) -> _Side[Mark | None]:
    runs = [(mark, list(numbers)) for mark, numbers in groupby(lines, key=file.lines.__getitem__)]
    return _Side(lines, [(mark, range(numbers[0], numbers[-1] + 1)) for mark, numbers in runs])


def _paired(left: _Side[K], right: _Side[K]) -> Iterator[tuple[K, range, range]]:
    """The parts of both in order; those of one key are together where the order allows it."""
    keys = [[key for key, _ in side.parts] for side in (left, right)]
    matcher = SequenceMatcher(None, keys[0], keys[1], autojunk=False)
    for kind, i, i_end, j, j_end in matcher.get_opcodes():
        if kind == "equal":
            for (key, mine), (_, other) in zip(left.parts[i:i_end], right.parts[j:j_end]):
                yield key, mine, other
        else:
            before, after = right.at(j), left.at(i_end)
            yield from ((key, mine, range(before, before)) for key, mine in left.parts[i:i_end])
            yield from ((key, range(after, after), other) for key, other in right.parts[j:j_end])
