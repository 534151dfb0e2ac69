"""The course: its code prints what it shows, what it quotes is there, and both languages are one course."""

from __future__ import annotations

import contextlib
import io
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import pytest
import torch
import yaml

from nngen.teach.lesson.course import folder, pages, to_html
from nngen.teach.translations import LANGUAGES

REPOSITORY = Path(__file__).parents[2]
LESSONS = REPOSITORY / "lessons"
NAMES = sorted(path.name for path in (LESSONS / "en").iterdir())
FENCE = re.compile(
    r"(?P<above>[^\n]*)\n\n```(?P<language>\w+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE
)
CODE = re.compile(r"^```\w+\n.*?^```$", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"\[(?P<file>(?:specs|generated)/[\w./]+)\]\(\.\./\.\./(?P=file)[^)]*\)")


@dataclass(frozen=True)
class Block:
    """A fenced block, with the paragraph above it."""

    language: str
    text: str
    above: str

    @property
    def quotes(self) -> str:
        """The file that it is part of, the last of its kind that is named above; "" for code that is run."""
        kind = {"yaml": ".yaml", "python": ".py"}.get(self.language, " ")
        named = [match["file"] for match in FILE.finditer(self.above)]
        return next((file for file in reversed(named) if file.endswith(kind)), "")


def read(language: str, name: str) -> str:
    return (LESSONS / language / name).read_text(encoding="utf-8")


def blocks(text: str) -> list[Block]:
    found = []
    for match in FENCE.finditer(text):
        paragraph = text[: match.end("above")].rpartition("\n\n")[2]
        found.append(Block(match["language"], match["text"], paragraph))
    return found


def headings(text: str) -> list[str]:
    return re.findall(r"^#+ .*$", re.sub(CODE, "", text), flags=re.MULTILINE)


# One course in two languages


def test_the_course_is_the_same_in_both_languages() -> None:
    assert len(NAMES) == 8
    for language in LANGUAGES:
        assert sorted(path.name for path in (LESSONS / language).iterdir()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_lesson_is_the_same_in_both_languages(name: str) -> None:
    english, chinese = read("en", name), read("zh", name)
    assert [line.count("#") for line in headings(english)] == [
        line.count("#") for line in headings(chinese)
    ]
    assert [(b.language, b.text, b.quotes) for b in blocks(english)] == [
        (b.language, b.text, b.quotes) for b in blocks(chinese)
    ]
    assert english.count("```") == chinese.count("```") == 2 * len(blocks(english))
    assert links(english) == links(chinese)
    assert len(list_items(english)) == len(list_items(chinese))


def list_items(text: str) -> list[str]:
    return re.findall(r"^- ", text, flags=re.MULTILINE)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_a_lesson_ends_with_its_rule_and_an_exercise(name: str, language: str) -> None:
    text = read(language, name)
    *_, rule, exercise = headings(text)
    assert (rule, exercise) == {
        "en": ("## The rule", "## Exercise"),
        "zh": ("## 规则", "## 练习"),
    }[language]
    assert text.partition(f"{rule}\n\n")[2].startswith("> ")


@pytest.mark.parametrize("name", NAMES)
def test_chinese_is_written_as_chinese_is(name: str) -> None:
    text = re.sub(CODE, "", read("zh", name))
    text = re.sub(r"`[^`]*`|\]\([^)]*\)", "x", text)
    wrong = re.findall(
        r"[\u4e00-\u9fff][,:;?!].{5}|[,:;?!][\u4e00-\u9fff].{5}|.{5}[,:;]$", text, re.MULTILINE
    )
    assert not wrong


# What it says is so


@pytest.mark.parametrize("name", NAMES)
def test_the_code_prints_what_is_shown(name: str) -> None:
    """All blocks of a lesson in order, as one program."""
    found = blocks(read("en", name))
    after = [*found[1:], None]
    scope: dict[str, object] = {"__name__": "lesson"}
    ran = 0
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for block, following in zip(found, after, strict=True):
            if block.language != "python" or block.quotes:
                continue
            shown = following.text if following and following.language == "text" else ""
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(block.text, name, "exec"), scope)  # noqa: S102
            assert printed.getvalue() == shown, block.text
            ran += 1
    assert ran >= 2


@pytest.mark.parametrize("name", NAMES)
def test_every_output_belongs_to_code_that_is_run(name: str) -> None:
    found = blocks(read("en", name))
    for before, block in zip([None, *found], found):
        if block.language == "text":
            assert before and before.language == "python" and not before.quotes, block.text


@pytest.mark.parametrize("name", NAMES)
def test_quotes_are_in_their_files(name: str) -> None:
    for block in blocks(read("en", name)):
        assert block.quotes or block.language != "yaml"
        if block.quotes:
            assert block.text in (REPOSITORY / block.quotes).read_text(encoding="utf-8")


def test_most_lessons_quote_both_styles() -> None:
    quoted = {block.quotes for name in NAMES for block in blocks(read("en", name))}
    assert len({file for file in quoted if file.startswith("generated/")}) >= 8


def links(text: str) -> list[str]:
    return re.findall(r"\]\(([^)]+)\)", text)


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str) -> None:
    for link in links(read("en", name)):
        path, _, place = link.partition("#")
        target = (LESSONS / "en" / path).resolve()
        assert target.exists(), link
        if place:
            assert is_a_step(target, place), link


def is_a_step(spec: Path, place: str) -> bool:
    """Whether a spec has the step of a permalink: `layers-0`, `loss`."""
    node = yaml.safe_load(spec.read_text(encoding="utf-8"))
    for part in place.split("-"):
        node = node[int(part)] if part.isdigit() else node[part]
    return bool(node)


def test_every_spec_of_the_articles_is_in_the_course() -> None:
    text = "".join(read("en", name) for name in NAMES)
    for spec in ("plain_cnn", "conv_relu", "dropout_layer", "bce", "log_softmax_nll", "softmax"):
        assert f"specs/{spec}.yaml" in text


# The pages


class Reader(HTMLParser):
    """Gathers a page's ids and links, and sees that every element is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        assert not any(name.startswith("on") for name, _ in attributes)
        given = dict(attributes)
        self.tags.add(tag)
        self.open.append(tag)
        self.ids += [given["id"]] if given.get("id") else []  # type: ignore[list-item]
        self.links += [given["href"]] if given.get("href") else []  # type: ignore[list-item]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_pages() -> None:
    ids: list[str] = []
    for language in LANGUAGES:
        course = pages(language)
        assert [page.name for page in course] == [Path(name).stem for name in NAMES]
        for page in course:
            reader = Reader(page.body)
            assert page.body.startswith(f'<h1 id="{reader.ids[0]}">')
            assert reader.tags <= {
                *("h1", "h2", "p", "a", "code", "pre", "i", "em", "strong", "ul", "li"),
                *("table", "thead", "tbody", "tr", "th", "td", "blockquote"),
            }
            assert "```" not in page.body and "wzxhzdk" not in page.body
            ids += [f"{page.name}#{name}" for name in reader.ids]
            for link in reader.links:
                assert re.fullmatch(r"[\w-]+\.html(#[\w-]+)?", link), link
    assert len(ids) == len(set(ids))
    assert "01-modules-and-functions#the-rule" in ids
    assert "01-modules-and-functions#zh-the-rule" in ids


def test_titles_are_plain() -> None:
    assert pages("en")[0].title == "Modules and functions"
    assert all(re.search(r"[\u4e00-\u9fff]", page.title) for page in pages("zh"))


def test_links_on_the_site() -> None:
    html = to_html(
        "[a](../../specs/cnn.yaml#layers-0) [b](../../generated/cnn/nn_style.py) "
        "[c](../../nngen/teach/pitfalls/demos/bias-drawn-first) [d](02-who-owns.md)"
    )
    assert Reader(html).links == [
        "cnn.html#layers-0",
        "cnn.html",
        "pitfalls.html#bias-drawn-first",
        "02-who-owns.html",
    ]


@pytest.mark.parametrize("link", ["javascript:alert(1)", "../../secret", "//host/x"])
def test_other_links_are_refused(link: str) -> None:
    with pytest.raises(ValueError, match="not on the site"):
        to_html(f"[a]({link})")


def test_html_in_a_lesson_is_shown() -> None:
    html = to_html(
        "<script>alert(1)</script>\n\na <b onclick='x'>b</b>\n\n```python\n'</code><script>'\n```\n"
    )
    assert "<script" not in html and "<b" not in html and "&lt;script&gt;" in html
    Reader(html)


def test_quoted_code_begins_at_the_margin() -> None:
    html = to_html("```yaml\n  - 3\n```\n\n```text\n  a\n    b\n```\n")
    assert "<code>- <i" in html and "<code>a\n  b</code>" in html


def test_code_is_coloured() -> None:
    html = to_html("```python\nx = 1  # one\n```\n\n```text\n# one\n```\n")
    assert html.count("<i class=") == 2 and '<i class="c"># one</i>' in html


def test_the_lessons_are_beside_the_package() -> None:
    assert folder() == LESSONS
