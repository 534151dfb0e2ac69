"""The README does what it says: its commands and its code run, and what it quotes is there."""

from __future__ import annotations

import inspect
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from nngen.spec import _KEYS
from nngen.spec.steps import BESIDE
from tests import test_digits

REPOSITORY = Path(__file__).parent.parent
README = (REPOSITORY / "README.md").read_text()
LINKS = sorted(set(re.findall(r"\]\(([^)]+)\)", README)))


@dataclass(frozen=True)
class Block:
    """A fenced block; `quotes` is the file that it is taken from, if the line above names one."""

    language: str
    text: str
    quotes: str

    def __str__(self) -> str:
        return f"{self.language}: {self.quotes or self.text.splitlines()[0]}"


FENCE = re.compile(
    r"(?P<above>[^\n]*)\n\n```(?P<language>\w*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE
)
FILE = re.compile(r"\[(?P<file>[\w./]+)\]\((?P=file)\)(?:, in part)?:")


def _blocks() -> list[Block]:
    found = []
    for match in FENCE.finditer(README):
        file = FILE.fullmatch(match["above"])
        found.append(Block(match["language"], match["text"], file["file"] if file else ""))
    return found


BLOCKS = _blocks()
QUOTES = [block for block in BLOCKS if block.quotes]
COMMANDS = "".join(block.text for block in BLOCKS if block.language == "console")
PYTHON = [block.text for block in BLOCKS if block.language == "python" and not block.quotes]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with specs and nothing else."""
    shutil.copytree(REPOSITORY / "specs", tmp_path / "specs")
    return tmp_path


def run(project: Path, *command: str) -> str:
    """What a command prints to both of its streams."""
    paths = [str(Path(sys.executable).parent), os.environ["PATH"]]
    return subprocess.run(
        command,
        cwd=project,
        env={
            **os.environ,
            "PATH": os.pathsep.join(paths),
            "PYTHONPATH": os.pathsep.join([str(project), str(REPOSITORY)]),
            "XDG_CACHE_HOME": str(project / "cache"),
            "OMP_NUM_THREADS": "1",  # more only get in each other's way where tests run side by side
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    ).stdout


def same_torch(text: str) -> str:
    return re.sub(r"torch [\d.]+(\+\w+)?", "torch VERSION", text)


def test_the_readme_has_blocks_of_each_kind() -> None:
    assert {block.language for block in BLOCKS} == {"console", "python", "sh", "yaml"}
    assert README.count("```") == 2 * len(BLOCKS)
    assert len(QUOTES) == 3


def test_the_commands_print_what_is_shown(project: Path) -> None:
    steps = re.split(r"^\$ (.*)\n", COMMANDS, flags=re.MULTILINE)[1:]
    assert len(steps) >= 8
    for command, shown in zip(steps[::2], steps[1::2], strict=True):
        assert same_torch(run(project, "bash", "-c", command)) == same_torch(shown), command


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
