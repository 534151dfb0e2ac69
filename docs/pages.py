"""What mkdocs asks for: pages made from the catalog, the rules and the lessons.

What stands between `<!-- here: layers -->` and `<!-- end -->` in a page is for its readers in the repository; the site has
one of `PARTS` there. Links are those that work in the repository; here they are led to where the site has the same.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from posixpath import relpath
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from nngen.catalog import FAMILIES
from nngen.catalog.entry import Layer
from nngen.catalog.signature import REQUIRED
from nngen.language.schema.definitions import plain
from nngen.lint import GROUPS, RULES, Rule
from nngen.lint.explain import example
from nngen.teach.pitfalls import GROUPS as KINDS
from nngen.teach.pitfalls import Pitfall
from nngen.views import layers as listing

REPOSITORY = Path(__file__).parent.parent
# What `make playground` wrote, if it did: the site then has it, and links to it.
PLAYGROUND = REPOSITORY / "site-playground"
TORCH = "https://docs.pytorch.org/docs/stable/generated/torch.nn"
# A file of the repository, and the page that shows it; other files are named, not linked.
PLACES = (
    (re.compile(r"(?:specs|generated)/(\w+)(?:\.yaml|/\w+\.py)"), r"models/\1.md"),
    (re.compile(r"nngen/teach/pitfalls/demos/([\w-]+)"), r"pitfalls.md#\1"),
    (re.compile(r"docs/([\w/-]+\.(?:md|png))"), r"\1"),
    (re.compile(r"(lessons/\w+/[\w-]+\.md)"), r"\1"),
    (re.compile(r"(CONTRIBUTING\.md)"), r"\1"),
    (re.compile(r"README\.md"), "index.md"),
)
_FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")
_PART = re.compile(r"^<!-- here: (\w+) -->\n.*?^<!-- end -->$", re.DOTALL | re.MULTILINE)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """List the guides that are there and not listed."""
    assert config.nav is not None
    listed = str(config.nav)
    guides: list[Any] = next(item["Guides"] for item in config.nav if "Guides" in item)
    guides += sorted(
        page.name for page in Path(__file__).parent.glob("*.md") if page.name not in listed
    )
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of lessons and specs."""
    sources = sorted(REPOSITORY.glob("lessons/*/*.md")) + [REPOSITORY / "CONTRIBUTING.md"]
    texts = {page.relative_to(REPOSITORY).as_posix(): page.read_text("utf-8") for page in sources}
    for name, text in texts.items():
        files.append(File.generated(config, name, content=led(text, name, name)))
    written = [*texts.values(), *(page.read_text("utf-8") for page in REPOSITORY.glob("docs/*.md"))]
    written.append((REPOSITORY / "README.md").read_text("utf-8"))
    linked = re.findall(r"\]\([./]*(?:specs|generated)/(\w+)", "\n".join(written))
    for name in sorted(set(linked)):
        files.append(File.generated(config, f"models/{name}.md", content=model(name)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: object) -> str:
    """Put the parts into a page, and lead its links."""
    name = page.file.src_uri
    if page.file.generated_by:
        return markdown
    text = led(markdown, f"docs/{name}", name)
    return _PART.sub(lambda match: PARTS[match[1]](), text)


def on_post_build(config: MkDocsConfig) -> None:
    """Put the playground into the site."""
    if PLAYGROUND.exists():
        shutil.copytree(PLAYGROUND, Path(config.site_dir) / "playground", dirs_exist_ok=True)


# Links


def led(text: str, source: str, page: str) -> str:
    """A text with its links led to the site.

    Args:
        text: Markdown.
        source: the file of the repository that it is from.
        page: the page that it is on.
    """
    parts = []
    position = 0
    for fence in _FENCE.finditer(text):
        parts += [_led(text[position : fence.start()], source, page), fence[0]]
        position = fence.end()
    return "".join([*parts, _led(text[position:], source, page)])


def _led(text: str, source: str, page: str) -> str:
    def link(match: re.Match[str]) -> str:
        words, target = match.groups()
        path, _, fragment = target.partition("#")
        file = os.path.normpath(REPOSITORY / Path(source).parent / path)
        if not path or "://" in target or not os.path.exists(file):
            return match[0]
        name = Path(file).relative_to(REPOSITORY).as_posix()
        for pattern, place in PLACES:
            if found := pattern.fullmatch(name):
                there = found.expand(place)
                kept = f"#{fragment}" if fragment and name.endswith(".md") else ""
                return f"[{words}]({relpath(there, str(Path(page).parent))}{kept})"
        return words if words.startswith("`") else f"`{words}`"

    return _LINK.sub(link, text)


def model(name: str) -> str:
    """The page of a spec: itself, and both files."""
    spec = (REPOSITORY / f"specs/{name}.yaml").read_text("utf-8")
    title, doc = (re.search(rf"^{key}: (.*)$", spec, re.MULTILINE) for key in ("name", "doc"))
    assert title
    lines = [f"# {title[1]}", "", *([doc[1], ""] if doc else []), f"`specs/{name}.yaml`:", ""]
    if PLAYGROUND.exists():
        there = f"../playground/index.html#example={name}"
        lines[-2:] = [
            f'`specs/{name}.yaml`, to be edited <a href="{there}">in the playground</a>:',
            "",
        ]
    lines += ["```yaml", spec.rstrip(), "```", ""]
    for tab, file in (("torch.nn", "nn_style.py"), ("torch.nn.functional", "functional_style.py")):
        code = (REPOSITORY / "generated" / name / file).read_text("utf-8")
        fenced = ["```python", *code.splitlines(), "```"]
        lines += [f'=== "{tab}"', "", *(f"    {line}".rstrip() for line in fenced), ""]
    return "\n".join(lines)


# Parts


def layers() -> str:
    """Every layer of the catalog, by family."""
    lines: list[str] = []
    for family, entries in FAMILIES.items():
        if entries:
            lines += [f"## {family}", "", "| layer | what it does |", "| --- | --- |"]
            lines += [*map(_row, entries), ""]
    return "\n".join(lines)


def _row(entry: Layer) -> str:
    words = []
    for argument in entry.signature:
        given = "" if argument.default is REQUIRED else f"={argument.default!r}"
        words.append(f"{'*' * argument.variadic}{argument.name}{given}")
    call = f"{entry.name}({', '.join(words)})".replace("|", "\\|")
    link = f"[{entry.name}]({TORCH}.{entry.name}.html)"
    return f"| {link}{{ #{entry.name} }} | {plain(entry.doc)}<br>`{call}` |"


def functions() -> str:
    """Every function and method that a line may call."""
    return f"```text\n{listing.functions()}\n```"


def rules() -> str:
    """Every rule of lint, by group."""
    lines: list[str] = []
    for prefix, title in GROUPS.items():
        lines += [f"## {prefix}xx: {title}", ""]
        members = (rule for rule in RULES.values() if rule.code.startswith(prefix))
        lines += [line for rule in members for line in _rule(rule)]
    return "\n".join(lines)


def _rule(rule: Rule) -> Iterator[str]:
    yield from (
        f"### {rule.code}: {rule.title} {{ #{rule.code} }}",
        "",
        rule.why,
        "",
        "Instead of",
        "",
    )
    yield from ("```yaml", example(rule.before).rstrip(), "```", "", "write", "")
    yield from ("```yaml", example(rule.after).rstrip(), "```", "")
    yield from (f"When to ignore it: {rule.ignore}", "")
    if rule.pitfall:
        yield from (f"It runs, with numbers: [{rule.pitfall}](pitfalls.md#{rule.pitfall})", "")


def pitfalls() -> str:
    """Every pitfall, by kind, with both programs."""
    lines: list[str] = []
    for title, members in KINDS.items():
        lines += [f"## {title}", ""]
        lines += [line for pitfall in members for line in _pitfall(pitfall)]
    return "\n".join(lines)


def _pitfall(pitfall: Pitfall) -> Iterator[str]:
    yield from (f"### {pitfall.title} {{ #{pitfall.name} }}", "")
    for half in ("wrong", "right"):
        tab = "needless" if half == "wrong" and pitfall.harmless else half
        code = ["```python", *pitfall.code(half).rstrip().splitlines(), "```"]
        yield from (f'=== "{tab}"', "", *(f"    {line}".rstrip() for line in code), "")
    yield from (pitfall.why, "", f"**Remember:** {pitfall.rule}", "")
    yield from (
        f"`nngen pitfall {pitfall.name}` runs both. [torch's documentation]({pitfall.url})",
        "",
    )


def changelog() -> str:
    """The list of changes, without its title."""
    text = (REPOSITORY / "CHANGELOG.md").read_text("utf-8")
    return text.partition("\n")[2].strip()


PARTS: dict[str, Callable[[], str]] = {
    part.__name__: part for part in (layers, functions, rules, pitfalls, changelog)
}
