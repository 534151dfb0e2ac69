"""A spec, stage by stage: followed, looked over, written. Each stage is done when it is first asked for, and kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from nngen.emit import build_graph
from nngen.emit.model import Graph
from nngen.emit.render import fill
from nngen.emit.source_map import SourceFile, SourceMap
from nngen.emit.style import Style
from nngen.emit.styles import named
from nngen.graph import Program, follow, read_spec
from nngen.language import document
from nngen.language import spec as specs
from nngen.language.spec import Spec
from nngen.language.styles import FILES
from nngen.lint import Finding, lint


class Compilation:
    """What comes of a spec. Each stage may raise a SpecError: the spec is wrong.

    Args:
        spec: the spec.
        source: its file, whose comments silence findings.
        styles: the styles to write it in; by default those that the spec names.
    """

    def __init__(
        self, spec: Spec, source: bytes = b"", styles: Sequence[Style] | None = None
    ) -> None:
        self.spec = spec
        self.source = source
        self.styles = named(spec.styles) if styles is None else tuple(styles)

    def in_styles(self, styles: Sequence[Style]) -> Compilation:
        """The same in other styles; what is done already is not done again."""
        other = Compilation(self.spec, self.source, styles)
        other.program = self.program
        return other

    @cached_property
    def program(self) -> Program:
        """What each step does."""
        return follow(self.spec)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What in the spec is probably not meant."""
        return lint(self.program, self.source.decode())

    @cached_property
    def graph(self) -> Graph:
        """The classes in each style."""
        return build_graph(self.program, self.styles)

    @cached_property
    def files(self) -> dict[str, str]:
        """The bodies of the files, by name."""
        return {name: file.text for name, file in self.source_map.files.items()}

    @property
    def dropped(self) -> tuple[str, ...]:
        """The files of the styles that it is not written in, by name."""
        written = {style.form.file for style in self.styles}
        return tuple(file for file in FILES.values() if file not in written)

    @cached_property
    def source_map(self) -> SourceMap:
        """The files with what made each line of them."""
        files = {name: SourceFile(marked, self.graph) for name, marked in self._filled.items()}
        return SourceMap(self.graph, files)

    @cached_property
    def _filled(self) -> dict[str, str]:
        return fill(self.graph)


def of_text(
    text: str,
    file: str,
    values: Mapping[str, Any] | None = None,
    styles: Sequence[str] | None = None,
) -> Compilation:
    """The compilation of a spec's text, as `read` gives it of a file that holds this text.

    Raises:
        SpecError: the spec is wrong.
    """
    return _compilation(document.parse(text, file), file, text.encode(), values, styles)


def read(
    path: Path,
    values: Mapping[str, Any] | None = None,
    styles: Sequence[str] | None = None,
) -> Compilation:
    """The compilation of a spec's file.

    Args:
        path: the spec.
        values: what its checks use for constructor arguments and open sizes.
        styles: the names of the styles to write it in; by default those that it names.

    Raises:
        SpecError: the spec is wrong.
        FileError: it cannot be read.
    """
    source = document.read_bytes(path)
    return _compilation(document.decode(source, path), path.name, source, values, styles)


def _compilation(
    node: document.Node,
    file: str,
    source: bytes,
    values: Mapping[str, Any] | None,
    styles: Sequence[str] | None,
) -> Compilation:
    spec = read_spec(node, file)
    chosen = None if styles is None else named(styles)
    return Compilation(specs.with_values(spec, values or {}), source, chosen)
