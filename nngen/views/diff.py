"""A spec in two styles beside each other for a terminal, and as a unified diff; both step by step."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from nngen.emit.source_map import SourceMap
from nngen.language.extents import step_path
from nngen.views.alignment import Row, Section, align

# From here on there is room for two columns of code.
WIDE = 120

_COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "red")


class Comparison:
    """The first two files of a spec, in rows of the steps that made them.

    Args:
        source_map: the files.
    """

    def __init__(self, source_map: SourceMap) -> None:
        self.forms = source_map.graph.forms[:2]
        files = [source_map.files[form.file] for form in self.forms]
        self.sections = align(files)
        self.lines = [file.text.splitlines() for file in files]
        self.file = PurePath(source_map.graph.source).name

    def unified(self) -> str:
        """The difference as `diff -u0` would give it, in hunks of one step each; `patch` takes it."""
        hunks = [
            hunk for section in self.sections for row in section.rows if (hunk := self._hunk(row))
        ]
        before, after = (form.file for form in self.forms)
        return "".join([f"--- {before}\n", f"+++ {after}\n", *hunks]) if hunks else ""

    def wide(self, fold: bool = False) -> RenderableType:
        """The files in two columns.

        Args:
            fold: leave out what is the same in both.
        """
        names = _table()
        names.add_row("", *(Text(form.file, style="bold") for form in self.forms))
        return Group(names, *(self._columns(section, fold) for section in self._shown(fold)))

    def narrow(self, fold: bool = False) -> RenderableType:
        """The files in one column: of each step the first file's lines, then the second's.

        Args:
            fold: leave out what is the same in both.
        """
        return Group(*(self._column(section, fold) for section in self._shown(fold)))

    def _hunk(self, row: Row) -> str:
        before, after = self._texts(row)
        if before == after:
            return ""
        removed, added = (f"{sign}{_span(side)}" for sign, side in zip("-+", row.sides))
        head = f"@@ {removed} {added} @@ {self._place(row)}".rstrip()
        lines = [head, *(f"-{line}" for line in before), *(f"+{line}" for line in after)]
        return "".join(f"{line}\n" for line in lines)

    def _place(self, row: Row) -> str:
        """Where the spec has a row's step."""
        if row.mark is None:
            return ""
        line = f"{self.file}:{row.mark.line}" if row.mark.line else self.file
        return f"{line} {step_path(row.mark.path)}".rstrip()

    def _texts(self, row: Row) -> list[list[str]]:
        return [lines[side.start : side.stop] for lines, side in zip(self.lines, row.sides)]

    def _is_alike(self, row: Row) -> bool:
        before, after = self._texts(row)
        return before == after

    def _shown(self, fold: bool) -> list[Section]:
        """The sections to show: when folding, those that differ."""
        return [s for s in self.sections if not fold or not all(map(self._is_alike, s.rows))]

    def _columns(self, section: Section, fold: bool) -> RenderableType:
        table = _table()
        for row, colour in self._coloured(section):
            if fold and self._is_alike(row):
                continue
            number = Text(str(row.mark.line) if row.mark and row.mark.line else "", style=colour)
            table.add_row(number, *self._code(row, section))
        return Group(self._title(section), table)

    def _column(self, section: Section, fold: bool) -> RenderableType:
        parts: list[RenderableType] = [self._title(section)]
        for row, colour in self._coloured(section):
            alike = self._is_alike(row)
            if fold and alike:
                continue
            if row.mark is not None:
                parts.append(Text(self._place(row), style=f"bold {colour}"))
            codes = self._code(row, section)
            for form, code in list(zip(self.forms, codes))[: 1 if alike else 2]:
                table = Table(box=None, padding=(0, 1), show_header=False)
                table.add_column(no_wrap=True, style="dim", width=2)
                table.add_column(overflow="fold")
                table.add_row("=" if alike else form.label, code)
                parts += [table] if code.plain.strip() else []
        return Group(*parts)

    def _title(self, section: Section) -> RenderableType:
        return Rule(".".join(part for part in section.scope if part) or self.file, align="left")

    def _coloured(self, section: Section) -> Iterator[tuple[Row, str]]:
        """Rows with their steps' colours: neighbours differ, and a step has one throughout."""
        for row in section.rows:
            line = row.mark.line if row.mark else 0
            yield row, _COLOURS[line % len(_COLOURS)] if row.mark else "default"

    def _code(self, row: Row, section: Section) -> list[Text]:
        """Both sides of a row in colours, without the indentation that the whole section has."""
        margin = 4 if section.scope[1] else 0
        return [
            _highlighted("\n".join(line[margin:] for line in texts).rstrip())
            for texts in self._texts(row)
        ]


def _table() -> Table:
    """Two columns of code, and before them one for the lines of the spec."""
    table = Table(box=None, expand=True, padding=(0, 1), show_header=False)
    table.add_column(justify="right", no_wrap=True, width=5)
    table.add_column(ratio=1, overflow="fold")
    table.add_column(ratio=1, overflow="fold")
    return table


def _highlighted(code: str) -> Text:
    text = Syntax("", "python", theme="ansi_dark").highlight(code)
    text.rstrip()
    text.no_wrap, text.overflow = False, "fold"
    return text


def _span(lines: range) -> str:
    """Lines as a hunk's head tells them: counted from 1, the line that seals a file; an empty span is behind its line."""
    start = lines.start + 2 if lines else lines.start + 1
    return str(start) if len(lines) == 1 else f"{start},{len(lines)}"
