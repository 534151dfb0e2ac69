"""The README does what it says: its commands and its code run, and what it quotes is there."""

from __future__ import annotations

import inspect
import re
import shutil
import sys
from pathlib import Path

import pytest

from nngen.spec import _KEYS
from nngen.spec.steps import BESIDE
from tests import test_digits
from tests.documents import REPOSITORY, Block, as_shown, blocks, commands, run

README = (REPOSITORY / "README.md").read_text()
LINKS = sorted(set(re.findall(r"\]\(([^)]+)\)", README)))


BLOCKS = blocks(README)
QUOTES = [block for block in BLOCKS if block.quotes]
PYTHON = [block.text for block in BLOCKS if block.language == "python" and not block.quotes]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with specs and nothing else."""
    shutil.copytree(REPOSITORY / "specs", tmp_path / "specs")
    return tmp_path


def test_the_readme_has_blocks_of_each_kind() -> None:
    assert {block.language for block in BLOCKS} == {"console", "python", "sh", "yaml"}
    assert README.count("```") == 2 * len(BLOCKS)
    assert len(QUOTES) == 3


def test_the_commands_print_what_is_shown(project: Path) -> None:
    steps = list(commands(BLOCKS))
    assert len(steps) >= 6
    for command, shown in steps:
        printed = run(project, "bash", "-c", command)
        assert as_shown(printed, shown), f"$ {command}\n{printed}"


def test_the_python_runs(project: Path) -> None:
    """All blocks in order, as one program."""
    run(project, "nngen", "build", "specs/cnn.yaml", "specs/digits.yaml")
    code = "\n".join(PYTHON)
    assert code.count("assert ") >= 4
    assert run(project, sys.executable, "-W", "error", "-c", code + "\nprint('done')") == "done\n"


def test_the_digits_are_trained_as_in_the_tests() -> None:
    assert f"\n\n{inspect.getsource(test_digits.train)}\n" in README
    source = inspect.getsource(test_digits)
    data = source[source.index("digits = load_digits()") : source.index("def train(")]
    assert data in README


@pytest.mark.parametrize("block", QUOTES, ids=str)
def test_quotes_are_in_their_files(block: Block) -> None:
    """In order and whole, but for what `...` stands for."""
    text = (REPOSITORY / block.quotes).read_text()
    position = 0
    parts = re.split(r"^ *\.\.\.\n\n?", block.text, flags=re.MULTILINE)
    assert len(parts) == 1 or block.language == "python"
    for part in parts:
        found = text.find(part, position)
        assert found >= 0, part
        position = found + len(part)


@pytest.mark.parametrize("link", LINKS)
def test_links_lead_somewhere(link: str) -> None:
    assert (REPOSITORY / link).exists()


def test_the_keys_described_are_keys_of_the_language() -> None:
    section = README[README.index("## The spec language") :]
    top, steps = section.split("\nA step is ")[:2]
    keys = re.findall(r"^\| `(\w+)`", top, flags=re.MULTILINE)
    beside = re.findall(r"^\| `(\w+): [^|]* \| beside a layer", steps, flags=re.MULTILINE)
    assert {"layers", "loss", "name"} <= set(keys) <= set(_KEYS)
    assert {"call", "from", "repeat"} <= set(beside) <= set(BESIDE)
