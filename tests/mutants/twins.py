"""Both files of a package, side by side: which parts of them one step of the spec made."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from nngen.emit.source_map import SourceFile, Span
from nngen.errors import Mark
from tests.mutants.source import FUNCTIONAL, NN, Edits, Source

Kind = type[ast.AST] | tuple[type[ast.AST], ...]
Pair = tuple[list[ast.AST], list[ast.AST]]


class Twins:
    """The two files, as sources that know the steps of the spec.

    Args:
        files: the generated files, by name.
        arguments: the values of the model's arguments that the check uses.
    """

    def __init__(self, files: Mapping[str, SourceFile], arguments: Mapping[str, object]) -> None:
        self.nn, self.functional = (Source(files[name].text) for name in (NN, FUNCTIONAL))
        self.arguments = arguments
        self._files = {self.nn: files[NN], self.functional: files[FUNCTIONAL]}

    @cached_property
    def _marks(self) -> dict[ast.AST, Mark]:
        """The innermost step that made each node."""
        found: dict[ast.AST, Mark] = {}
        for source, file in self._files.items():
            on: dict[int, list[Span]] = {}
            for span in file.spans:
                for line in range(span.line, span.end_line + 1):
                    on.setdefault(line, []).append(span)
            for node in source.nodes(ast.AST):
                place = node.lineno, node.col_offset  # type: ignore[attr-defined]
                inside = [span for span in on.get(place[0], ()) if span.holds(*place)]
                if inside:
                    found[node] = inside[-1].mark
        return found

    def scope(self, source: Source, node: ast.AST) -> str:
        """The class that a node stands in."""
        found = source.above(node, ast.ClassDef)
        return found.name if isinstance(found, ast.ClassDef) else ""

    def together(self, kind: Kind, *functions: str) -> Iterator[Pair]:
        """Of each step the nodes of a kind in both files, where both have some."""
        groups: dict[tuple[str, Mark], Pair] = {}
        for place, source in enumerate((self.nn, self.functional)):
            for node in source.nodes(kind, *functions):
                if node in self._marks:
                    key = self.scope(source, node), self._marks[node]
                    groups.setdefault(key, ([], []))[place].append(node)
        yield from (pair for pair in groups.values() if all(pair))

    def alike(self, kind: Kind, *functions: str) -> Iterator[tuple[str, list[ast.AST]]]:
        """The nodes of a kind that have one text in one class of both files, however often there."""
        groups: dict[tuple[str, str], Pair] = {}
        for place, source in enumerate((self.nn, self.functional)):
            for node in source.nodes(kind, *functions):
                key = self.scope(source, node), plain(node)
                groups.setdefault(key, ([], []))[place].append(node)
        for (_, text), (nn, functional) in groups.items():
            if nn and functional:
                yield text, nn + functional

    def segment(self, node: ast.AST) -> str:
        """The text of a node."""
        return self._of(node).segment(node)

    def source(self, node: ast.AST) -> Source:
        """The file that a node is of."""
        return self._of(node)

    def told(self, edits: Edits) -> str:
        """The lines that edits change, and what is put into them."""
        return "\n".join(source.told(own) for source, own in self._split(edits))

    def edited(self, edits: Edits) -> dict[str, str]:
        """Both files with each node replaced, by name."""
        return {
            name: source.edited(own)
            for name, (source, own) in zip((NN, FUNCTIONAL), self._split(edits), strict=True)
        }

    def _split(self, edits: Edits) -> Sequence[tuple[Source, Edits]]:
        return [
            (source, {node: text for node, text in edits.items() if self._of(node) is source})
            for source in (self.nn, self.functional)
        ]

    def _of(self, node: ast.AST) -> Source:
        return self.nn if node in self.nn.parents else self.functional


def plain(node: ast.AST) -> str:
    """The text of a node, where what is kept of an argument reads as the argument."""
    return ast.unparse(node).replace("self.", "")
