"""The lines of a model's files beside each other: those of one step together, in the order of all files."""

from __future__ import annotations

import ast
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import reduce
from itertools import groupby
from typing import Generic, TypeVar

from nngen.emit.source_map import SourceFile
from nngen.errors import Mark

K = TypeVar("K", bound=Hashable)
# Lines of each file, counted from 0.
Sides = tuple[range, ...]

# What a class that is no Module calls its forward.
_FORWARD = {"__call__": "forward"}


@dataclass(frozen=True)
class Row:
    """Neighbouring lines that one step made.

    Attributes:
        mark: the step.
        sides: their places in each file. Some may be empty, not all: they then stand where the others' lines would be.
    """

    mark: Mark | None
    sides: Sides


@dataclass(frozen=True)
class Section:
    """A method, what a class has outside of its methods, or what stands above the classes.

    Attributes:
        scope: the class and the method; each may be "".
    """

    scope: tuple[str, str]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class _Aligned(Generic[K]):
    """The lines of some files in parts that have keys."""

    lines: Sides
    parts: Sequence[tuple[K, Sides]]

    def at(self, place: int) -> Sides:
        """No lines, before a part; after the last, at the end."""
        if place < len(self.parts):
            return tuple(range(side.start, side.start) for side in self.parts[place][1])
        return tuple(range(side.stop, side.stop) for side in self.lines)


def align(files: Sequence[SourceFile]) -> list[Section]:
    """The sections of the files in their order, and in each its rows."""
    return [
        Section(scope, tuple(Row(*part) for part in _joined(map(_steps, files, sides)).parts))
        for scope, sides in _joined(_sections(file.text) for file in files).parts
    ]


def _sections(text: str) -> _Aligned[tuple[str, str]]:
    whole = range(len(text.splitlines()))
    starts = [(("", ""), 0), *_starts(ast.parse(text))]
    ends = [*(start for _, start in starts[1:]), whole.stop]
    parts = [(scope, (range(start, end),)) for (scope, start), end in zip(starts, ends)]
    return _Aligned((whole,), parts)


def _starts(tree: ast.Module) -> Iterator[tuple[tuple[str, str], int]]:
    for each in tree.body:
        if isinstance(each, ast.ClassDef):
            yield (each.name, ""), each.lineno - 1
            for method in each.body:
                if isinstance(method, ast.FunctionDef):
                    yield (each.name, _FORWARD.get(method.name, method.name)), method.lineno - 1


def _steps(file: SourceFile, lines: range) -> _Aligned[Mark | None]:
    runs = [(mark, list(numbers)) for mark, numbers in groupby(lines, key=file.lines.__getitem__)]
    parts = [(mark, (range(numbers[0], numbers[-1] + 1),)) for mark, numbers in runs]
    return _Aligned((lines,), parts)


def _joined(each: Iterable[_Aligned[K]]) -> _Aligned[K]:
    """The parts of all in order; those of one key are together where the order allows it."""
    return reduce(_pair, each)


def _pair(left: _Aligned[K], right: _Aligned[K]) -> _Aligned[K]:
    keys = [[key for key, _ in side.parts] for side in (left, right)]
    matcher = SequenceMatcher(None, keys[0], keys[1], autojunk=False)
    parts: list[tuple[K, Sides]] = []
    for kind, i, i_end, j, j_end in matcher.get_opcodes():
        mine, others = left.parts[i:i_end], right.parts[j:j_end]
        if kind == "equal":
            parts += [(key, one + other) for (key, one), (_, other) in zip(mine, others)]
        else:
            parts += [(key, one + right.at(j)) for key, one in mine]
            parts += [(key, left.at(i_end) + other) for key, other in others]
    return _Aligned(left.lines + right.lines, parts)
