"""The tables of docs/versions.md: each stands between marks, and is written anew by what it comes from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from nngen.catalog import FUNCTIONS, LAYERS

PAGE = Path(__file__).parent.parent / "docs" / "versions.md"


def write(table: str, lines: Iterable[str]) -> None:
    """Put a table into the page."""
    marks = rf"(<!-- {table} -->\n).*?(<!-- end -->)"
    text = "\n".join(["", *lines, "", ""])
    page = PAGE.read_text("utf-8")
    assert re.search(marks, page, re.DOTALL), f"the page has no place for {table}"
    page = re.sub(marks, lambda found: f"{found[1]}{text}{found[2]}", page, flags=re.DOTALL)
    PAGE.write_text(page, "utf-8")


def rows(table: str) -> list[list[str]]:
    """The cells of the rows that a table of the page has."""
    text = PAGE.read_text("utf-8").partition(f"<!-- {table} -->\n")[2].partition("<!-- end -->")[0]
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines[2:]]


def later() -> Iterator[str]:
    """What came to torch after the oldest version, as the catalog has it, by version."""
    facts: dict[str, list[str]] = {}
    for name, entry in {**LAYERS, **FUNCTIONS}.items():
        for what, version in entry.since.facts(name):
            facts.setdefault(version, []).append(f"`{what}`")
    yield "| PyTorch | what came with it |"
    yield "| --- | --- |"
    for version in sorted(facts, key=lambda text: int(text.partition(".")[2])):
        yield f"| {version} | {', '.join(facts[version])} |"
