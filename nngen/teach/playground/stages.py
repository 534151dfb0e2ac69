"""What a text gives, in stages from quick to slow: plain data that a page in a browser shows.

Each stage builds on the one before, so that one text is followed once. Nothing is read from the disk but templates, and
torch is not needed.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from nngen import pipeline
from nngen.emit.styles import named
from nngen.errors import Mark, SpecError
from nngen.files import writer
from nngen.files.paths import package_folder
from nngen.language import document
from nngen.language.extents import Extent, extents
from nngen.language.styles import side_by_side
from nngen.lint import RULES
from nngen.pipeline import Compilation
from nngen.places import Source
from nngen.symbolic.sizes import Size
from nngen.teach.lesson.forms import Frame
from nngen.teach.lesson.page import Gatherer

Answer = dict[str, Any]
_WORD = re.compile(r"[\w.]+|\S")
_MEANT = re.compile(r"did you mean '?([\w.]+)'?\?")
_DATE = (
    1980,
    1,
    1,
    0,
    0,
    0,
)  # the earliest that a zip can hold: one spec gives the same bytes on every day


class Stages:
    """A spec's text on its way to code.

    Args:
        text: the text.
        file: the name of its file.
        values: what is chosen for constructor arguments and open sizes, as YAML writes it.
        styles: the styles to show; by default those of the lesson's page.
    """

    def __init__(
        self,
        text: str,
        file: str,
        values: Mapping[str, str] | None = None,
        styles: Sequence[str] | None = None,
    ) -> None:
        self.text = text
        self.file = file
        self._values = dict(values or {})
        self.styles = styles

    def problems(self) -> Answer:
        """All errors; where there are none, what lint finds, and which values can be chosen.

        Returns:
            `problems`: each with its `level`, `code`, `message`, `hint`, `path`, its place from `line` and `column` to
            `end_line` and `end_column` (lines from 1, columns from 0, in characters), the rule's `title` and `why`, and
            where a word is misspelt, `meant`, what to write in its place. `open`: the values by their names.
        """
        try:
            findings, spec = self._compiled.findings, self._compiled.spec
        except SpecError as error:
            return self._refused(error)
        given = {option.name: option.default for option in spec.model.options}
        given.update(dict.fromkeys(spec.open_sizes))
        program = self._compiled.program
        sizes = {**program.sizes, **program.arguments}
        told = [
            self._problem(each.mark, "warning", each.code, each.message, each.fix)
            | {"title": RULES[each.code].title, "why": RULES[each.code].why}
            for each in findings
        ]
        shown = {name: _shown(sizes.get(name, default)) for name, default in given.items()}
        return {"problems": told, "open": shown, "styles": list(spec.styles)}

    def code(self) -> Answer:
        """The files side by side, as HTML, with the places of the spec that became their lines.

        Returns:
            `html`; `places`, each with its `number`, `id`, the number of its colour (`hue`), of what it stands in
            (`above`), and how far it reaches; and `files`, their texts by name.
        """
        try:
            page = self._page
            html = _FRAME.part("code.html.j2", page=page, places=page.places.all)
        except SpecError as error:
            return self._refused(error)
        places = [
            {"number": each.number, "id": each.id, "hue": each.hue, "above": each.above}
            | _reach(page.extent(each))
            for each in page.places.all
        ]
        return {"html": html, "places": places, "files": self._beside.files}

    def steps(self) -> Answer:
        """What is said of each step, with its shapes, as HTML."""
        try:
            return {"html": _FRAME.part("steps.html.j2", page=self._page.page(None, drawn=False))}
        except SpecError as error:
            return self._refused(error)

    def package(self) -> bytes:
        """A zip of what `nngen build` writes, in the styles that the spec names.

        Raises:
            SpecError: the spec is wrong.
            FileError: the file's name is no name of a package.
        """
        folder = package_folder(Path(self.file), Path())
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, body in self._compiled.files.items():
                entry = zipfile.ZipInfo(f"{folder.name}/{name}", _DATE)
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, writer.seal(body))
        return data.getvalue()

    @cached_property
    def _compiled(self) -> Compilation:
        """In the styles that the spec names."""
        values = {name: _value(name, text) for name, text in self._values.items()}
        return pipeline.of_text(self.text, self.file, values)

    @cached_property
    def _beside(self) -> Compilation:
        """In the styles to show."""
        names = tuple(self.styles or side_by_side(self._compiled.spec.styles))
        if names == tuple(self._compiled.spec.styles):
            return self._compiled
        return self._compiled.in_styles(named(names))

    @cached_property
    def _page(self) -> Gatherer:
        return Gatherer(self._beside, self.text, frozenset(self._values))

    @cached_property
    def _extents(self) -> dict[str, Extent]:
        try:
            return extents(self.text)
        except yaml.YAMLError:
            return {}

    def _refused(self, error: SpecError) -> Answer:
        told = [
            self._problem(each.mark, "error", "invalid-spec", each.message, each.hint)
            for each in (error, *error.others)
        ]
        told += [self._problem(Mark(self.file), "error", "", text, "") for text in error.rest()]
        return {"problems": told}

    def _problem(self, mark: Mark, level: str, code: str, message: str, hint: str) -> Answer:
        place = self._place(mark)
        problem = {
            "level": level,
            "code": code,
            "message": message,
            "hint": hint,
            "path": mark.path,
        }
        meant = _MEANT.search(hint)
        line = self._lines[place.line - 1]
        word = (
            line[place.column :]
            if place.line != place.end_line
            else line[place.column : place.end_column]
        )
        quoted = re.search(r"'([^']+)'", message)
        if meant and quoted and word.startswith(quoted[1]):
            end = place.column + len(quoted[1])
            place = Extent(place.line, place.column, place.line, end)
            problem["meant"] = meant[1]
        return problem | _reach(place)

    @cached_property
    def _lines(self) -> list[str]:
        return Source(self.text).lines

    def _place(self, mark: Mark) -> Extent:
        """How far what a mark points at reaches: not beyond its line."""
        line, column = min(max(mark.line, 1), len(self._lines)), max(mark.column - 1, 0)
        text = self._lines[line - 1]
        known = self._extents.get(mark.path)
        if known and (known.line, known.column) == (line, column) and mark.path:
            end = known.end_column if known.end_line == line else len(text.rstrip())
        else:
            word = _WORD.match(text, column)
            end = word.end() if word else len(text)
        return Extent(line, min(column, len(text)), line, max(end, min(column, len(text))))


_FRAME = Frame("en", [])


def _reach(extent: Extent) -> Answer:
    return {
        "line": extent.line,
        "column": extent.column,
        "end_line": extent.end_line,
        "end_column": extent.end_column,
    }


def _value(name: str, text: str) -> object:
    """What YAML reads in a text.

    Raises:
        SpecError: it is not YAML.
    """
    node = document.parse(text, name)
    if not isinstance(node, document.Scalar):
        raise SpecError("this is not one value", node.mark)
    return node.value


def _shown(value: object) -> str:
    """A value as YAML writes it."""
    known = value.value if isinstance(value, Size) else value
    return "" if known is None else str(known)
