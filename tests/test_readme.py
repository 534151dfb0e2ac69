"""The README fits three screens, does what it says, and leads somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from tests.documents import REPOSITORY, as_shown, blocks, commands, run

README = (REPOSITORY / "README.md").read_text("utf-8")
LINKS = sorted(set(re.findall(r"\]\(([^)]+)\)", README)))
BLOCKS = blocks(README)


def test_it_fits_three_screens() -> None:
    assert len(README.splitlines()) <= 120
    assert "nngen: ignore" not in README
    assert (REPOSITORY / "docs/lesson.png").stat().st_size < 300_000


def test_it_has_blocks_of_each_kind() -> None:
    assert {block.language for block in BLOCKS} == {"console", "ipython", "sh"}
    assert README.count("```") == 2 * len(BLOCKS)


@pytest.mark.heavy
def test_the_commands_print_what_is_shown(tmp_path: Path) -> None:
    steps = list(commands(BLOCKS))
    assert len(steps) >= 5
    for command, shown in steps:
        printed = run(tmp_path, "bash", "-c", command)
        assert as_shown(printed, shown), f"$ {command}\n{printed}"


@pytest.fixture
def shell() -> Iterator[Any]:
    yield InteractiveShell()
    InteractiveShell.clear_instance()


def test_the_cells_run(shell: Any) -> None:
    cells = [block.text for block in BLOCKS if block.language == "ipython"]
    assert len(cells) == 3
    for cell in cells:
        assert shell.run_cell(cell).success, cell
    assert {"model", "twin"} <= set(shell.user_ns)


@pytest.mark.parametrize("link", LINKS)
def test_links_lead_somewhere(link: str) -> None:
    assert (REPOSITORY / link).exists()
