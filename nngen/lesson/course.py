"""The course: its lessons in Markdown, made into the bodies of pages.

A lesson is `lessons/<language>/<name>.md`. Its links are those that work in the repository; on the site a link to a spec
leads to the spec's page (with a step's permalink for a fragment), one to a generated file to the page of its spec, one to
a pitfall's demos to the pitfall.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element

import markdown
from markdown.extensions import Extension
from markdown.extensions.toc import slugify
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor
from markupsafe import Markup, escape

from nngen.lesson import paint

_FENCE = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#{1,3} (?P<words>.+)$", re.MULTILINE)
# Where the repository's files are on the site.
_LINKS = (
    (re.compile(r"\.\./\.\./specs/(\w+)\.yaml(#[\w-]+)?"), r"\1.html\2"),
    (re.compile(r"\.\./\.\./generated/(\w+)/\w+\.py"), r"\1.html"),
    (re.compile(r"\.\./\.\./nngen/pitfalls/demos/([\w-]+)"), r"pitfalls.html#\1"),
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
    inside = Path(__file__).parent.parent / "lessons"
    return inside if inside.is_dir() else Path(__file__).parent.parent.parent / "lessons"


@cache
def pages(language: str) -> tuple[Page, ...]:
    """The course in a language, in order."""
    return tuple(_page(path, language) for path in sorted((folder() / language).glob("*.md")))


def _page(path: Path, language: str) -> Page:
    text = path.read_text(encoding="utf-8")
    english = (folder() / "en" / path.name).read_text(encoding="utf-8")
    prefix = "" if language == "en" else f"{language}-"
    ids = [prefix + slugify(words, "-") for words in _headings(english)]
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
    return Markup(markdown.markdown(text, extensions=["tables", _Lesson(ids)]))


class _Lesson(Extension):
    def __init__(self, ids: Sequence[str]) -> None:
        super().__init__()
        self.ids = ids

    def extendMarkdown(self, md: markdown.Markdown) -> None:
        md.preprocessors.deregister("html_block")
        md.inlinePatterns.deregister("html")
        # After whitespace is made even (30), which would take the stash's own marks out.
        md.preprocessors.register(_Blocks(md), "blocks", 25)
        md.treeprocessors.register(_Places(self.ids), "places", 0)


class _Blocks(Preprocessor):
    """Fenced blocks, coloured as the twins are."""

    def run(self, lines: list[str]) -> list[str]:
        return _FENCE.sub(self._block, "\n".join(lines)).split("\n")

    def _block(self, match: re.Match[str]) -> str:
        language, text = match["language"], textwrap.dedent(match["text"])
        if language == "python":
            code = Markup("\n").join(line.html for line in paint.python(text, ()))
        elif language == "yaml":
            code = Markup("\n").join(line.html for line in paint.yaml(text, (), (), {}))
        else:
            code = escape(text.rstrip("\n"))
        html = Markup('<pre class="{}" tabindex="0"><code>{}</code></pre>').format(language, code)
        return f"\n{self.md.htmlStash.store(html)}\n"


class _Places(Treeprocessor):
    """The ids of headings, and links as the site has them."""

    def __init__(self, ids: Sequence[str]) -> None:
        super().__init__()
        self.ids = ids

    def run(self, root: Element) -> None:
        headings = [each for each in root.iter() if each.tag in ("h1", "h2", "h3")]
        for heading, name in zip(headings, self.ids):
            heading.set("id", name)
        for link in root.iter("a"):
            link.set("href", _on_the_site(str(link.get("href"))))


def _on_the_site(link: str) -> str:
    for pattern, there in _LINKS:
        if match := pattern.fullmatch(link):
            return match.expand(there)
    raise ValueError(f"a lesson links to {link!r}, which is not on the site")
