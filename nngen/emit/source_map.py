"""Which step of a spec made each part of the generated files, through black's formatting.

The templates mark what they write. The marks are taken out before black formats it, and since formatting leaves the
syntax tree as it is, the trees before and after are walked in step to find each part again.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from nngen.emit import origin
from nngen.emit.model import Graph
from nngen.emit.origin import Part
from nngen.emit.render import formatted
from nngen.errors import Mark

_COMMENT = re.compile(r"[ \t]*#.*")


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a generated file, and the step of the spec that made it.

    Attributes:
        mark: where the spec has the step.
        line, column: where the part begins; lines count from 1, columns from 0, in characters.
        end_line, end_column: where it ends; the column is the first behind it.
        scope: the class and the method that it stands in: `("CNN", "forward")`; each may be "".
    """

    mark: Mark
    line: int
    column: int
    end_line: int
    end_column: int
    scope: tuple[str, str]

    def holds(self, line: int, column: int) -> bool:
        """Whether a place is in it."""
        return (self.line, self.column) <= (line, column) < (self.end_line, self.end_column)

    def below(self, lines: int) -> Span:
        """The span in a file that has more lines above."""
        return replace(self, line=self.line + lines, end_line=self.end_line + lines)


class SourceFile:
    """A generated file that knows its steps.

    Args:
        marked: the templates' output.
        graph: the model that it was written from.

    Attributes:
        text: the file, without the line that seals it.
    """

    def __init__(self, marked: str, graph: Graph) -> None:
        self._code, self._parts = origin.unmarked(marked)
        self._graph = graph
        self.text = formatted(self._code)

    @cached_property
    def spans(self) -> tuple[Span, ...]:
        """Its parts in their order; a part that encloses others stands before them."""
        return tuple(_spans(self._code, self.text, self._parts, self._graph))

    @cached_property
    def lines(self) -> tuple[Mark | None, ...]:
        """For each line the step that made it.

        That is the innermost part at the line's beginning; where a whole class alone is there, the first that begins
        on the line; and of a blank line none.
        """
        texts = self.text.splitlines()
        found: list[Span | None] = [None] * len(texts)
        for span in self.spans:
            for number in range(span.line, span.end_line + 1):
                text = texts[number - 1]
                first = len(text) - len(text.lstrip())
                before = found[number - 1]
                weak = (
                    before is None or not any(before.scope) or before.scope == (before.scope[0], "")
                )
                if text.strip() and (span.holds(number, first) or weak and span.line == number):
                    found[number - 1] = span
        return tuple(None if span is None else span.mark for span in found)

    @cached_property
    def parts(self) -> tuple[Span, ...]:
        """The calls in lines of `forward` that another step made than the line: `self.attn(out)` in `x + self.attn(out)`."""
        return tuple(
            span
            for span in self.spans
            if span.scope[1] == "forward"
            and span.line == span.end_line
            and span.mark != self.lines[span.line - 1]
        )


@dataclass(frozen=True)
class SourceMap:
    """The generated files of a spec, by name, and the model that they were written from."""

    graph: Graph
    files: dict[str, SourceFile]

    def in_styles(self) -> dict[str, SourceFile]:
        """The model's files by the styles that they are in, in the spec's order."""
        return {form.style: self.files[form.file] for form in self.graph.forms}


@dataclass(frozen=True, slots=True)
class _Node:
    """A node of the syntax tree: its offsets before formatting, and its lines and columns after."""

    start: int
    end: int
    first: tuple[int, int]
    last: tuple[int, int]


def _spans(code: str, text: str, parts: Sequence[Part], graph: Graph) -> Iterator[Span]:
    before, after = _Places(code), _Places(text)
    nodes = sorted(_nodes(before, after), key=lambda node: (node.start, -node.end))
    starts = [node.start for node in nodes]
    scopes = _Scopes(text)
    layers = {each.name: each.mark for each in graph.classes if each.layer}
    for part in parts:
        inside = nodes[bisect_left(starts, part.start) : bisect_left(starts, part.end)]
        inside = [node for node in inside if node.end <= part.end]
        if not inside:
            continue
        first = min(node.first for node in inside)
        if code.startswith("#", part.start):  # a comment above
            first = first[0] - 1, first[1]
        line, column = max(node.last for node in inside)
        behind = _COMMENT.fullmatch(after.lines[line - 1], column)
        # A comment is the statement's, not that of a part of it.
        if behind and part.end > max(node.end for node in inside):
            column = len(after.lines[line - 1])
        scope = scopes.at(first[0])
        # What is in the class of a layer of torch's has no place in the spec but the layer's.
        yield Span(layers.get(scope[0], part.mark), *first, line, column, scope)


def _nodes(before: _Places, after: _Places) -> Iterator[_Node]:
    """The nodes of both trees in step."""
    for old, new in zip(ast.walk(ast.parse(before.text)), ast.walk(ast.parse(after.text))):
        assert type(old) is type(new)
        if isinstance(old, (ast.stmt, ast.expr, ast.arg, ast.keyword)):
            assert isinstance(new, (ast.stmt, ast.expr, ast.arg, ast.keyword))
            yield _Node(*before.offsets(old), *after.corners(new))


class _Places:
    """A text's places: of the syntax tree, whose columns count UTF-8 bytes, in characters."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = text.split("\n")
        self.bytes = [None if line.isascii() else line.encode() for line in self.lines]
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line) + 1)

    def corners(self, node: ast.AST) -> tuple[tuple[int, int], tuple[int, int]]:
        """The line and column of a node's beginning and end; a class begins with its first decorator."""
        assert isinstance(node, (ast.stmt, ast.expr, ast.arg, ast.keyword))
        assert node.end_lineno is not None and node.end_col_offset is not None
        first = (node.lineno, self._column(node.lineno, node.col_offset))
        return first, (node.end_lineno, self._column(node.end_lineno, node.end_col_offset))

    def offsets(self, node: ast.AST) -> tuple[int, int]:
        """The offsets of a node's beginning and end."""
        (line, column), (end_line, end_column) = self.corners(node)
        return self.starts[line - 1] + column, self.starts[end_line - 1] + end_column

    def _column(self, line: int, byte: int) -> int:
        encoded = self.bytes[line - 1]
        return byte if encoded is None else len(encoded[:byte].decode())


class _Scopes:
    """The class and method that each line is in."""

    def __init__(self, text: str) -> None:
        self.found: list[tuple[int, int, tuple[str, str]]] = []
        for each in ast.parse(text).body:
            if isinstance(each, ast.ClassDef):
                self._add(each, (each.name, ""))
                for method in each.body:
                    if isinstance(method, ast.FunctionDef):
                        self._add(method, (each.name, method.name))

    def _add(self, node: ast.stmt, scope: tuple[str, str]) -> None:
        assert node.end_lineno is not None
        self.found.append((node.lineno, node.end_lineno, scope))

    def at(self, line: int) -> tuple[str, str]:
        """The innermost scope of a line."""
        inside = [scope for first, last, scope in self.found if first <= line <= last]
        return inside[-1] if inside else ("", "")
