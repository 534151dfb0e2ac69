"""Pages as HTML files that need nothing beside them: no other file, no network."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from nngen.emit.render import templates
from nngen.proof.report import COLUMNS, DEFAULTS, Report
from nngen.teach.lesson.page import Page
from nngen.teach.lesson.words import TAGS, say
from nngen.teach.playground.link import link
from nngen.teach.translations import LANGUAGES

# Steps next to each other get colours that are far apart.
_HUES = tuple(150 * number % 360 + 15 * (number // 12 % 2) for number in range(24))


@dataclass(frozen=True)
class Link:
    """A page as the others link it."""

    address: str
    title: Markup


@dataclass(frozen=True)
class Frame:
    """What all pages of a site have in common.

    Attributes:
        language: the one that is shown first.
        pages: what the head of each page links.
        pitfalls: the address of the page of pitfalls.
        playground: the address of a playground that opens the specs; empty where there is none.
    """

    language: str
    pages: Sequence[Link]
    pitfalls: str = "pitfalls.html"
    playground: str = ""

    def page(self, page: Page, address: str) -> str:
        """The page of a spec."""
        rules = "".join((*_rules(page), *_labels(page)))
        text = "".join(f"{line.text}\n" for line in page.spec)
        there = link(self.playground, text, page.file) if self.playground else ""
        return self.form("page.html.j2", page.name, address, rules, page=page, playground=there)

    def part(self, template: str, **values: object) -> str:
        """A part of a page from its template."""
        return (
            _environment()
            .get_template(template)
            .render(pages=self.pages, pitfalls_address=self.pitfalls, **values)
        )

    def form(
        self, template: str, title: str, address: str, rules: str = "", **values: object
    ) -> str:
        """A page from a template.

        Args:
            template: its name.
            title: what the browser calls the page.
            address: where the page is, as others link it.
            rules: style rules beside those of all pages.
            values: what the template shows.
        """
        script, style = _source("switches.js") + _source("page.js"), _source("page.css") + rules
        return (
            _environment()
            .get_template(template)
            .render(
                language=self.language,
                languages=LANGUAGES,
                tag=TAGS[self.language],
                tags=TAGS,
                pages=self.pages,
                pitfalls_address=self.pitfalls,
                title=title,
                address=address,
                script=Markup(script),
                script_hash=_hash(script),
                style=Markup(style),
                style_hash=_hash(style),
                **values,
            )
        )


@dataclass(frozen=True)
class ProofRow:
    """One line of the table of a proof."""

    group: str
    cells: Sequence[str]
    equal: bool
    fused: bool = False


def proof_rows(report: Report) -> list[ProofRow]:
    """The lines of the table: what was compared under which conditions, and how many values."""
    found = []
    for group, rows in report.groups().items():
        counts = [[row.values for row in rows if row.what in whats] for whats in COLUMNS.values()]
        cells = [f"{sum(count):,}" if count else "" for count in counts]
        found.append(ProofRow(group, cells, all(row.equal for row in rows)))
    if report.fused:
        values = f"{sum(row.values for row in report.fused):,}"
        found.append(ProofRow(DEFAULTS, [values, *[""] * (len(COLUMNS) - 1)], True, fused=True))
    return found


def _rules(page: Page) -> Iterator[str]:
    """The colour of each place."""
    for place in page.places:
        hue = "--h: 0; --c: 0" if place.hue is None else f"--h: {_HUES[place.hue % 24]}; --c: 1"
        yield f'[data-s="{place.number}"] {{ {hue}; }}\n'


def _labels(page: Page) -> Iterator[str]:
    """On a narrow page, what stands before each file's lines, where it is not as in page.css."""
    labels = [form.label for form in page.forms]
    if labels == ["nn", "F"]:
        return
    yield "@media (max-width: 63.99rem) {\n"
    place = "position: absolute; left: 2.3rem; top: .15em; color: var(--quiet); font-size: .8em"
    for number, label in enumerate(labels, 2):
        yield f'  .code td:nth-child({number})::before {{ {place}; content: "{label}"; }}\n'
    yield "  .code .same td:nth-child(n + 3) { display: none; }\n"
    all_of_them = r"\a ".join(labels)
    yield f'  .code .same td:nth-child(2)::before {{ content: "{all_of_them}"; }}\n}}\n'


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _source(name: str) -> str:
    return (templates() / "lesson" / name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(os.fspath(templates() / "lesson")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=True,
        auto_reload=False,
    )
    environment.globals.update(say=say, proof_rows=proof_rows, proof_columns=tuple(COLUMNS))
    return environment
