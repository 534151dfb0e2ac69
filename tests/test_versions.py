"""What docs/versions.md says, and how `make torches` writes it."""

from __future__ import annotations

import re

from nngen.packages import OLDEST_TORCH
from tests import torches, versions_page

PAGE = versions_page.PAGE.read_text("utf-8")
RESULT = {
    "torch": "2.4.1",
    "python": "3.11.7",
    "tests": {"passed": 9000, "failed": ["a::b"], "skipped": {"came with torch 2.5": 7}},
    "specs": {
        "specs/a.yaml": "equal",
        "specs/b.yaml": "specs/b.yaml:1:2: it needs torch 2.5\n    1 | a",
    },
}


def test_each_minor_version_is_run() -> None:
    minors = [int(version.split(".")[1]) for version in torches.SERIES.split()]
    oldest = int(OLDEST_TORCH.split(".")[1])
    assert minors == list(range(oldest, oldest + len(minors)))
    pinned = re.search(
        r"^torch==(.*)$", (torches.REPOSITORY / "constraints.txt").read_text(), re.MULTILINE
    )
    assert pinned and pinned[1] in torches.SERIES.split()


def test_the_tests_that_are_run_are_there() -> None:
    assert all((torches.REPOSITORY / name).exists() for name in torches.TESTS)


def test_a_row_tells_of_a_run() -> None:
    rows, before = list(torches.runs([RESULT])), list(torches.runs([]))
    assert rows[2] == "| 2.4.1 | 3.11.7 | 9,000 | 1 | 7 | 1 of 2 |"
    assert rows[3:] == before[3:]  # of versions that were not run, the page's
    assert list(torches.refusals([RESULT]))[2:] == [
        "| 2.4.1 | `specs/b.yaml:1:2: it needs torch 2.5` |"
    ]


def test_the_page_is_of_these_versions_and_nothing_failed() -> None:
    rows = re.findall(r"^\| (2\.\S+) \| (3\.\d+)\.\S+ \| \S+ \| (\d+) \|", PAGE, re.MULTILINE)
    assert rows
    assert {(torch, python) for torch, python, _ in rows} <= set(torches.VERSIONS)
    assert {failed for *_, failed in rows} == {"0"}


def test_the_page_tells_what_came_later() -> None:
    assert "\n".join(versions_page.later()) in PAGE
