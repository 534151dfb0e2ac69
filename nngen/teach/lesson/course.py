"""The course: its lessons in Markdown, made into the bodies of pages.

A lesson is `lessons/<language>/<name>.md`. Its links are those that work in the repository; on the site a link to a spec
leads to the spec's page (with a step's permalink for a fragment), one to a generated file to the page of its spec, one to
a pitfall's demos to the pitfall.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererProtocol
from markdown_it.token import Token
from markupsafe import Markup, escape

from nngen.teach.lesson import paint

_FENCE = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#{1,3} (?P<words>.+)$", re.MULTILINE)
# Where the repository's files are on the site.
_LINKS = (
    (re.compile(r"\.\./\.\./specs/(\w+)\.yaml(#[\w-]+)?"), r"\1.html\2"),
    (re.compile(r"\.\./\.\./generated/(\w+)/\w+\.py"), r"\1.html"),
    (re.compile(r"\.\./\.\./nngen/teach/pitfalls/demos/([\w-]+)"), r"pitfalls.html#\1"),
    (re.compile(r"(\d\d-[\w-]+)\.md(#[\w-]+)?"), r"\1.html\2"),
    (re.compile(r"(https://[\w./#-]+)"), r"\1"),
)


class Page(NamedTuple):
    """A lesson on the site.

    Attributes:
        name: its file name without the ending, the same in every language: `01-modules-and-functions`.
        title: plain text.
        body: HTML, the title's heading included; ids of other languages than English begin with the language's code.
    """

    name: str
    title: str
    body: Markup


def folder() -> Path:
    """The folder of the lessons: beside the package in a checkout, inside it once installed."""
    inside = Path(__file__).parents[2] / "lessons"
    return inside if inside.is_dir() else Path(__file__).parents[3] / "lessons"


@cache
def pages(language: str) -> tuple[Page, ...]:
    """The course in a language, in order."""
    return tuple(_page(path, language) for path in sorted((folder() / language).glob("*.md")))


def _page(path: Path, language: str) -> Page:
    text = path.read_text(encoding="utf-8")
    english = (folder() / "en" / path.name).read_text(encoding="utf-8")
    prefix = "" if language == "en" else f"{language}-"
    ids = [prefix + _slug(words) for words in _headings(english)]
    return Page(path.stem, _headings(text)[0].replace("`", ""), to_html(text, ids))


def _headings(text: str) -> list[str]:
    return [match["words"] for match in _HEADING.finditer(_FENCE.sub("", text))]


def to_html(text: str, ids: Sequence[str] = ()) -> Markup:
    """A lesson as HTML; HTML in it is shown, not obeyed.

    Args:
        text: Markdown, with tables and fenced blocks of code.
        ids: the ids of its headings, in order.

    Raises:
        ValueError: a link leads to what is not on the site.
    """
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    reader.validateLink = lambda url: True  # type: ignore[method-assign]  # _on_the_site has the say
    reader.add_render_rule("fence", _block)
    tokens = reader.parse(text)
    headings = [each for each in tokens if each.type == "heading_open"]
    for heading, name in zip(headings, ids):
        heading.attrSet("id", name)
    for link in (
        each for token in tokens for each in token.children or () if each.type == "link_open"
    ):
        link.attrSet("href", _on_the_site(str(link.attrGet("href"))))
    return Markup(reader.renderer.render(tokens, reader.options, {}))


def _block(_: RendererProtocol, tokens: Sequence[Token], place: int, *__: object) -> str:
    """A fenced block, coloured as the twins are."""
    language, text = tokens[place].info, textwrap.dedent(tokens[place].content)
    if language == "python":
        code = Markup("\n").join(line.html for line in paint.python(text, ()))
    elif language == "yaml":
        code = Markup("\n").join(line.html for line in paint.yaml(text, (), (), {}))
    else:
        code = escape(text.rstrip("\n"))
    html = '<pre class="{}" tabindex="0"><code>{}</code></pre>\n'
    return Markup(html).format(language, code)


def _slug(words: str) -> str:
    """A heading as an id: `Train and eval` is train-and-eval."""
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", plain).strip().lower())


def _on_the_site(link: str) -> str:
    for pattern, there in _LINKS:
        if match := pattern.fullmatch(link):
            return match.expand(there)
    raise ValueError(f"a lesson links to {link!r}, which is not on the site")
