"""A folder of pages: one a spec, the course, the pitfalls, and an index over them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from markupsafe import Markup

from nngen.errors import FileError
from nngen.files import writer
from nngen.files.paths import package_folder
from nngen.graph import read_spec
from nngen.language import document
from nngen.proof.report import Report
from nngen.teach.lesson import course, paint
from nngen.teach.lesson.forms import Frame, Link
from nngen.teach.lesson.page import Page, page
from nngen.teach.lesson.words import TAGS, in_each, say
from nngen.teach.pitfalls import GROUPS, PITFALLS, Outcome, Pitfall
from nngen.teach.pitfalls.text import REMEMBER
from nngen.teach.translations import LANGUAGES, translate

# A link to the page of a spec, or to the pitfalls; those of lessons have a hyphen.
_LINK = re.compile(r'<a href="(\w+\.html)[^"]*">(.*?)</a>', re.DOTALL)

INDEX, PITFALLS_PAGE = "index.html", "pitfalls.html"


@dataclass(frozen=True)
class _Spec:
    address: str
    page: Page


@dataclass
class Site:
    """Writes pages, each file whole or not at all.

    Attributes:
        folder: where they go.
        language: the one that they show first.
        prove: compares the two models of a spec; None to leave the proof out.
        run: runs the programs of a pitfall; None to show what they do without numbers.
        torch: torch's version, where it runs something.
        playground: the address of a playground that opens the specs; empty where there is none.
    """

    folder: Path
    language: str
    prove: Callable[[Path], Report] | None = None
    run: Callable[[Pitfall], Outcome] | None = None
    torch: str = ""
    playground: str = ""
    written: list[_Spec] = field(default_factory=list)

    def spec(self, path: Path) -> Page:
        """Write the page of a spec.

        Raises:
            SpecError: the spec is wrong.
            FileError: a file cannot be read or written, or the site has a page of that name.
        """
        address = f"{package_folder(path, self.folder).name}.html"
        if address.casefold() in (INDEX, PITFALLS_PAGE):
            raise FileError(f"{path}: another page is {address} already\n  hint: rename the file")
        data = document.read_bytes(path)
        spec = read_spec(document.decode(data, path), path.name)
        found = page(spec, data.decode(), self.prove(path) if self.prove else None)
        self._write(address, self.frame.page(found, address))
        self.written.append(_Spec(address, found))
        return found

    def course(self) -> None:
        """Write the lessons of the course."""
        links = [None, *_links(), None]
        for number, lesson in enumerate(_lessons()):
            before, here, after = links[number : number + 3]
            assert here is not None
            bodies = {TAGS[key]: self._linked(each.body) for key, each in lesson.items()}
            self._form(
                *("course.html.j2", lesson[self.language].title, here.address),
                bodies=bodies,
                before=before,
                after=after,
            )

    def _linked(self, body: Markup) -> Markup:
        """A lesson whose links to pages that are not in this folder are plain text."""
        there = {PITFALLS_PAGE, *(each.address for each in self.written)}
        return Markup(_LINK.sub(lambda link: link[0] if link[1] in there else link[2], body))

    def pitfalls(self) -> None:
        """Run all pitfalls and write their page.

        Raises:
            NngenError: a program does not do what it should under this version of torch.
        """
        outcomes: Mapping[str, Outcome] = {
            name: self.run(pitfall) for name, pitfall in PITFALLS.items() if self.run
        }
        title = translate("Pitfalls", self.language)
        self._form(
            *("pitfalls.html.j2", title, PITFALLS_PAGE),
            groups=GROUPS,
            outcomes=outcomes,
            torch=self.torch,
            painted=lambda code: paint.python(code, ()),
            in_each=in_each,
            remember=_remember,
        )

    def index(self) -> None:
        """Write the index over all that was written."""
        self._form("index.html.j2", "nngen", INDEX, course=_links(), specs=self.written)

    @property
    def frame(self) -> Frame:
        pages = [Link(INDEX, say("Lessons")), Link(PITFALLS_PAGE, say("Pitfalls"))]
        return Frame(self.language, pages, PITFALLS_PAGE, self.playground)

    def _form(self, template: str, title: str, address: str, **values: object) -> None:
        self._write(address, self.frame.form(template, title, address, "", **values))

    def _write(self, address: str, text: str) -> None:
        writer.write_text(self.folder / address, text)


@cache
def _lessons() -> list[dict[str, course.Page]]:
    """The lessons of the course, each in every language."""
    pages = zip(*map(course.pages, LANGUAGES), strict=True)
    return [dict(zip(LANGUAGES, lesson)) for lesson in pages]


def _title(lesson: Mapping[str, course.Page]) -> Markup:
    return in_each(lambda language: lesson[language].title)


def _links() -> list[Link]:
    """The pages of the course."""
    return [Link(f"{lesson['en'].name}.html", _title(lesson)) for lesson in _lessons()]


def _remember(pitfall: Pitfall) -> Callable[[str], str]:
    return lambda language: translate(REMEMBER, language, rule=translate(pitfall.rule, language))
