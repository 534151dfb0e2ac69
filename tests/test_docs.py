"""The documentation: the site builds without a warning, its commands print what is shown, its specs build."""

from __future__ import annotations

import inspect
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml

import nngen
from nngen import pipeline
from nngen.catalog import LAYERS
from nngen.cli import VERBS, parser
from nngen.language.spec import _KEYS
from nngen.language.spec.steps import BESIDE
from nngen.lint import RULES
from nngen.teach.pitfalls import PITFALLS
from tests import test_digits
from tests.documents import REPOSITORY, Block, as_shown, blocks, commands, run

DOCS = REPOSITORY / "docs"
# These have tests of their own, which start several processes, or compare certificates.
ELSEWHERE = {"distributed.md", "certificate.md"}
PAGES = {
    path.name: blocks(path.read_text("utf-8"))
    for path in sorted(DOCS.glob("*.md"))
    if path.name not in ELSEWHERE
}


def prose(path: Path) -> str:
    """A page without its code, where brackets are no links."""
    return re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)


LINKS = sorted(
    (path.name, link)
    for path in DOCS.glob("*.md")
    for link in set(re.findall(r"\]\(([^)\s]+)\)", prose(path)))
    if "://" not in link
)
QUOTES = [block for found in PAGES.values() for block in found if block.quotes]
RUN = [name for name, found in PAGES.items() if any(b.language == "console" for b in found)]
SPECS = [
    pytest.param(block, id=f"{name}: {block.text.splitlines()[0]}")
    for name, found in PAGES.items()
    for block in found
    if block.language == "yaml" and not block.quotes
]
# What is not run: it changes the machine.
INSTALLS = {
    "make playground",
    "python -m http.server -d site-playground",
    "pip install '.[torch,graph]'",
    "pip install '.[torch,watch]'",
    "nngen lesson specs/cnn.yaml specs/residual.yaml -o site",
    "nngen completion bash > ~/.local/share/bash-completion/completions/nngen",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with specs and nothing else."""
    shutil.copytree(REPOSITORY / "specs", tmp_path / "specs")
    return tmp_path


# What the pages say is so


@pytest.mark.parametrize("name", RUN)
def test_the_commands_print_what_is_shown(name: str, project: Path) -> None:
    """All commands of a page in order, then its Python as one program."""
    for command, shown in commands(PAGES[name]):
        printed = run(project, "bash", "-c", command)
        assert as_shown(printed, shown), f"$ {command}\n{printed}"
    code = python(PAGES[name])
    if code:
        assert run(project, sys.executable, "-W", "error", "-c", code) == ""


def python(found: list[Block]) -> str:
    shown = (block for block in found if block.language == "python" and not block.quotes)
    return "\n".join(block.text for block in shown)


def test_the_python_of_other_pages_runs(project: Path) -> None:
    programs = [python(found) for name, found in PAGES.items() if name not in RUN]
    (code,) = filter(None, programs)
    assert code.count("assert ") >= 2
    assert run(project, sys.executable, "-W", "error", "-c", code) == ""


def test_the_digits_are_trained_as_in_the_tests() -> None:
    page = (DOCS / "using.md").read_text("utf-8")
    assert f"\n\n{inspect.getsource(test_digits.train)}\n" in page
    source = inspect.getsource(test_digits)
    assert source[source.index("digits = load_digits()") : source.index("def train(")] in page


@pytest.mark.parametrize("block", QUOTES, ids=str)
def test_quotes_are_in_their_files(block: Block) -> None:
    """In order and whole, but for what `...` stands for."""
    text = (REPOSITORY / block.quotes).read_text("utf-8")
    position = 0
    parts = re.split(r"^ *\.\.\.\n\n?", block.text, flags=re.MULTILINE)
    assert len(parts) == 1 or block.language == "python"
    for part in parts:
        found = text.find(part, position)
        assert found >= 0, part
        position = found + len(part)


def test_the_overview_quotes_a_spec_and_both_files() -> None:
    assert [block.quotes for block in PAGES["index.md"]] == [
        "specs/digits.yaml",
        "generated/digits/nn_style.py",
        "generated/digits/functional_style.py",
    ]
    assert "nngen: ignore" not in PAGES["index.md"][0].text


@pytest.mark.parametrize(("page", "link"), LINKS)
def test_links_lead_somewhere_in_the_repository(page: str, link: str) -> None:
    path, _, fragment = link.partition("#")
    target = DOCS / path if path else DOCS / page
    assert target.exists()
    if fragment and target.suffix == ".md":
        headings = re.findall(r"^#+ (.+)$", target.read_text("utf-8"), re.MULTILINE)
        names = {re.sub(r"[^\w -]", "", words.lower()).replace(" ", "-") for words in headings}
        assert fragment in names


def test_the_keys_described_are_keys_of_the_language() -> None:
    page = (DOCS / "spec.md").read_text("utf-8")
    top, steps = page[page.index("## All keys") :].split("\nA step is ")
    keys = re.findall(r"^\| `(\w+)`", top, flags=re.MULTILINE)
    beside = re.findall(r"^\| `(\w+): [^|]* \| beside a layer", steps, flags=re.MULTILINE)
    assert {"layers", "loss", "name"} <= set(keys) <= set(_KEYS)
    assert {"call", "from", "repeat"} <= set(beside) <= set(BESIDE)


@pytest.mark.parametrize("block", SPECS)
def test_the_specs_build_and_are_clean(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "model.yaml"
    path.write_text(block.text)
    assert pipeline.read(path).findings == ()


def test_nothing_else_is_shown() -> None:
    for name, found in PAGES.items():
        languages = {block.language for block in found}
        assert languages <= {"console", "python", "yaml", "sh", "text"}, name
        assert (DOCS / name).read_text("utf-8").count("```") == 2 * len(found), name
        for block in found:
            if block.language == "sh":
                assert set(block.text.splitlines()) <= INSTALLS
            if block.language == "text":
                assert yaml.safe_load(block.text)


def test_every_verb_has_its_section_and_an_example() -> None:
    (action,) = (each for each in parser()._actions if each.dest == "==SUPPRESS==" or each.choices)
    text = (DOCS / "cli.md").read_text("utf-8")
    sections = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    described = {section.partition("\n")[0]: section for section in sections}
    assert action.choices and len(VERBS) <= len(list(action.choices))
    for verb in set(action.choices) - {"explain"}:
        assert f"nngen {verb}" in described[verb], verb
    assert "nngen explain" in described["lint"]


def test_every_public_name_is_documented() -> None:
    page = (DOCS / "python.md").read_text("utf-8")
    shown = set(re.findall(r"^::: nngen\.(\w+)$", page, re.MULTILINE))
    assert shown == set(nngen.__all__) - {"__version__"}
    for name in shown:
        assert getattr(nngen, name).__doc__, name
        assert name in dir(nngen)


# The site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, as `make docs` builds it."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=REPOSITORY,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


class Reader(HTMLParser):
    """Gathers a page's ids, links, and what it loads."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.loads: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        self.ids.add(given.get("id", ""))
        if tag == "a":
            self.links.add(given.get("href", ""))
        if tag in ("script", "img", "iframe") or (
            tag == "link" and given.get("rel") != "canonical"
        ):
            self.loads.add(given.get("src", given.get("href", "")))


def test_the_site(site: Path) -> None:
    pages = {
        path.relative_to(site).as_posix(): Reader(path.read_text("utf-8"))
        for path in site.rglob("*.html")
        if path.name != "404.html"  # a server shows it anywhere: its links begin at the root
    }
    names = set(pages)
    assert {f"{Path(name).stem}.html" for name in PAGES} <= names
    for lesson in REPOSITORY.glob("lessons/*/*.md"):
        assert lesson.relative_to(REPOSITORY).with_suffix(".html").as_posix() in names
    assert {"models/cnn.html", "distributed.html", "CONTRIBUTING.html"} <= names
    assert set(LAYERS) <= pages["layers.html"].ids
    assert set(RULES) <= pages["lint.html"].ids
    assert set(PITFALLS) <= pages["pitfalls.html"].ids
    for name, page in pages.items():
        assert not [load for load in page.loads if re.match(r"https?:|//", load)], name
        assert "<!-- here:" not in (site / name).read_text("utf-8"), name
        for link in page.links:
            leads_somewhere(link, site / name, site)


def leads_somewhere(link: str, page: Path, site: Path) -> None:
    if link and not re.match(r"https?:|mailto:|#", link):
        target = (page.parent / unquote(link.partition("#")[0])).resolve()
        assert target.exists() and site.resolve() in target.parents, f"{page}: {link}"
