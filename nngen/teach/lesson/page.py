"""What the page of a spec shows, before it has a form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from markupsafe import Markup

from nngen.emit.model import Form
from nngen.emit.source_map import SourceFile, Span
from nngen.emit.style import Style
from nngen.emit.styles import named
from nngen.errors import Mark
from nngen.language.extents import Extent, extents
from nngen.language.spec import Spec
from nngen.language.styles import side_by_side
from nngen.pipeline import Compilation
from nngen.proof.report import Report, StepRow
from nngen.teach.lesson import facts, paint
from nngen.teach.lesson.modules import Modules
from nngen.teach.lesson.paint import Line
from nngen.teach.lesson.picture import picture
from nngen.teach.lesson.steps import MODEL, Place, Places
from nngen.teach.lesson.telling import Teller
from nngen.teach.pitfalls import Pitfall
from nngen.views.alignment import align
from nngen.views.summary import Summary, rows

_MOST_LINES = 12


@dataclass(frozen=True)
class Row:
    """Neighbouring lines of one place of the spec in each file; some sides may be empty."""

    place: int | None
    sides: Sequence[Sequence[Line]]

    @property
    def same(self) -> bool:
        """Whether all files have the same lines."""
        first, *others = ([line.text for line in side] for side in self.sides)
        return all(other == first for other in others)


@dataclass(frozen=True)
class Section:
    """A method, what a class has outside of its methods, or what stands above the classes."""

    scope: tuple[str, str]
    rows: Sequence[Row]


@dataclass(frozen=True)
class Excerpt:
    """The lines of one file and section that a place of the spec became.

    Attributes:
        section: the section's number.
        lines: the first of them.
        more: how many there are beside these.
    """

    section: int
    lines: Sequence[Line]
    more: int

    @property
    def indent(self) -> int:
        return min((line.indent for line in self.lines if line.text.strip()), default=0)


@dataclass(frozen=True)
class Side:
    """A place of the spec in one of the files.

    Attributes:
        file: the file's name.
        owner: who owns its parameters there; empty where there is nothing to say.
    """

    file: str
    owner: Markup
    excerpts: Sequence[Excerpt]


@dataclass(frozen=True)
class Detail:
    """All that is said about a place of the spec.

    Attributes:
        title: the place as the spec writes it.
        what: what it is.
        uses: what goes in and comes out, each with how often that happens.
        parameters: how many it holds in all its uses.
        sides: it in each file.
        why: why the files are the same.
        docs: addresses of torch's documentation, by what they are about.
        proof: what verification found for it.
    """

    place: Place
    title: str
    what: Markup
    uses: Sequence[tuple[str, str, int, int]]
    parameters: int
    buffers: int
    sides: Sequence[Side]
    why: Markup
    docs: Mapping[str, str]
    pitfalls: Sequence[Pitfall]
    proof: StepRow | None


@dataclass(frozen=True)
class Page:
    """A spec's page.

    Attributes:
        file: the spec's file name.
        name: the model's class.
        spec: the spec's lines.
        forms: the files that it shows.
        sections: their lines.
        details: the places of the spec, the model's own left out.
        picture: the architecture as SVG; empty where graphviz is missing, None where none is wanted.
        report: what verification found.
    """

    file: str
    name: str
    doc: str
    places: Sequence[Place]
    spec: Sequence[Line]
    forms: Sequence[Form]
    sections: Sequence[Section]
    details: Sequence[Detail]
    summary: Summary
    picture: Markup | None
    report: Report | None


def page(
    spec: Spec, text: str, report: Report | None = None, styles: Sequence[Style] | None = None
) -> Page:
    """Gather what the page of a spec shows.

    Args:
        spec: the spec.
        text: its text.
        report: what verification found.
        styles: the styles to show, by default the spec's; where it names one alone, a twin too.

    Raises:
        SpecError: the spec is wrong.
    """
    styles = named(side_by_side(spec.styles)) if styles is None else styles
    return Gatherer(Compilation(spec, styles=styles), text).page(report)


class Gatherer:
    """Gathers a page part by part; each part is made when it is asked for.

    Args:
        compiled: the spec, in the styles to show.
        text: its text.
        chosen: the constructor's arguments whose values under `check` are meant for this page, too.

    Attributes:
        places: the places of the spec.
        forms: the files that it shows.

    Raises:
        SpecError: the spec is wrong.
    """

    def __init__(
        self, compiled: Compilation, text: str, chosen: frozenset[str] = frozenset()
    ) -> None:
        self.chosen = chosen
        self.spec = spec = compiled.spec
        # As YAML reads it.
        self.text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        self.lines = self.text.split("\n")
        self.extents = extents(self.text)
        source_map, self.program = compiled.source_map, compiled.program
        self.places = Places(
            spec, (span.mark for file in source_map.files.values() for span in file.spans)
        )
        self.above = {
            place.number: place.above for place in self.places.all if place.above is not None
        }
        self.forms = compiled.graph.forms
        self.files = list(source_map.in_styles().values())

    @cached_property
    def modules(self) -> Modules:
        """What steps build."""
        return Modules(self.program, self.places)

    @cached_property
    def summary(self) -> Summary:
        """The model's shapes and sizes."""
        return facts.summary_of(self.program, self.chosen)

    @cached_property
    def uses(self) -> dict[int, list[rows.Row]]:
        """The uses of each place, by its number."""
        return facts.uses_of(self.summary, self.places)

    @cached_property
    def sections(self) -> list[Section]:
        """The files' lines."""
        lines = [self._python(file) for file in self.files]
        return [
            Section(section.scope, [_row(lines, row.sides) for row in section.rows])
            for section in align(self.files)
        ]

    def page(self, report: Report | None, drawn: bool = True) -> Page:
        """All of it, perhaps without a picture."""
        return Page(
            self.spec.file,
            self.spec.model.name,
            self.spec.model.doc,
            self.places.all,
            self._yaml(),
            self.forms,
            self.sections,
            self.details(report),
            self.summary,
            picture(self.program, self.places) if drawn else None,
            report,
        )

    def details(self, report: Report | None = None) -> list[Detail]:
        """What is said of each place but the model's own."""
        proofs = {row.path: row for row in report.steps} if report else {}
        return [self._detail(place, proofs.get(place.path)) for place in self.places.all[1:]]

    def _python(self, file: SourceFile) -> list[Line]:
        parts: list[tuple[int, Span]] = []
        classes: dict[int, int] = {}
        for span in file.spans:
            place = self.places.of(span.mark) or self.places.all[0]
            if span.scope[1] or place.step is not None:
                parts.append((place.number, span))
            else:
                classes.update(dict.fromkeys(range(span.line, span.end_line + 1), place.number))

        def place_of(number: int, text: str, mark: Mark | None) -> int | None:
            place = None if mark is None else self.places.of(mark)
            if place is None or place.step is not None:
                return None if place is None else place.number
            # A line is its class's where what the spec has of it begins further on, as arguments do.
            first = len(text) - len(text.lstrip())
            begins = any(each == place.number and span.holds(number, first) for each, span in parts)
            return place.number if begins else classes.get(number, place.number)

        lines = zip(file.text.splitlines(), file.lines, strict=True)
        places = [place_of(number, *line) for number, line in enumerate(lines, 1)]
        return paint.python(file.text, parts, places, self.above)

    def _yaml(self) -> list[Line]:
        parts = [(place.number, self.extent(place)) for place in self.places.all]
        heads = [(place.number, self._head(place)) for place in self.places.all]
        links = {
            place.number: Markup('<a href="#{}" data-s="{}">').format(place.id, place.number)
            for place in self.places.all
        }
        return paint.yaml(self.text, parts, heads, links, self.above)

    def extent(self, place: Place) -> Extent:
        """How far a place reaches in the spec."""
        line, column = place.mark.line, max(place.mark.column - 1, 0)
        rest = Extent(line, column, line, len(self.lines[line - 1]))
        return self.extents.get("name" if place.id == MODEL else place.path, rest)

    def _head(self, place: Place) -> Extent:
        """What of a place is its link: the key of what has several lines, else its line."""
        whole = self.extent(place)
        line = self.lines[whole.line - 1]
        end = whole.end_column if whole.end_line == whole.line else len(line)
        key = place.mark.path[len(place.path) + 1 :]
        if place.path.startswith("blocks.") and place.path.count(".") == 1:
            key = place.block
        start = line.find(key, whole.column, end) if key else whole.column
        if key and start >= 0:
            return Extent(whole.line, start, whole.line, start + len(key))
        return Extent(whole.line, whole.column, whole.line, end)

    def _detail(self, place: Place, proof: StepRow | None) -> Detail:
        head = self._head(place)
        title = self.lines[head.line - 1][head.column : head.end_column]
        uses = self.uses.get(place.number, [])
        teller = Teller(place, self.modules)
        return Detail(
            place,
            title,
            teller.what(),
            _grouped(uses),
            sum(row.parameters for row in uses),
            sum(row.buffers for row in uses),
            [
                Side(form.file, teller.owner(form.style), list(self._excerpts(place, side)))
                for side, form in enumerate(self.forms)
            ],
            teller.why(),
            teller.docs(),
            teller.pitfalls(),
            proof,
        )

    def _excerpts(self, place: Place, side: int) -> Iterator[Excerpt]:
        family = {place.number}
        if place.step is not None:
            for each in self.places.all:
                family |= {each.number} if each.above in family else set()
        for number, section in enumerate(self.sections):
            lines = [
                line
                for row in section.rows
                for line in row.sides[side]
                if line.place in family or line.inner & family
            ]
            if lines:
                more = max(len(lines) - _MOST_LINES, 0)
                yield Excerpt(number, lines[:_MOST_LINES], more)


def _row(files: Sequence[Sequence[Line]], places: Sequence[range]) -> Row:
    sides = [[file[number] for number in place] for file, place in zip(files, places)]
    return Row(next(line.place for side in sides for line in side), sides)


def _grouped(uses: Sequence[rows.Row]) -> list[tuple[str, str, int, int]]:
    """What goes in, what comes out, the parameters, and how many uses are like that."""
    counts = Counter((_shown(row.given), _shown(row.output), row.parameters) for row in uses)
    return [(*key, count) for key, count in counts.items()]


def _shown(shapes: rows.Shapes) -> str:
    return ", ".join(
        "?" if shape is None else str(tuple(shape)).replace("None", "?") for shape in shapes
    )
