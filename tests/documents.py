"""Documents whose commands are run: their fenced blocks, and a shell to run them in."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent


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
FILE = re.compile(r"\[(?P<file>[\w./]+)\]\((?:\.\./)?(?P=file)\)(?:, in part)?:")
COMMAND = re.compile(r"^\$ (.*)\n", re.MULTILINE)


def blocks(document: str) -> list[Block]:
    """The fenced blocks of a document."""
    found = []
    for match in FENCE.finditer(document):
        file = FILE.fullmatch(match["above"])
        found.append(Block(match["language"], match["text"], file["file"] if file else ""))
    return found


def commands(found: list[Block]) -> Iterator[tuple[str, str]]:
    """Each command of the `console` blocks, with what it prints."""
    text = "".join(block.text for block in found if block.language == "console")
    before, *steps = COMMAND.split(text)
    assert not before
    return zip(steps[::2], steps[1::2], strict=True)


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
            "COLUMNS": "100",
            "OMP_NUM_THREADS": "1",  # more only get in each other's way where tests run side by side
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    ).stdout


def as_shown(printed: str, shown: str) -> bool:
    """Whether a command prints what is shown; a line `...` stands for any lines, and torch may be another version."""
    parts = re.split(r"^\.\.\.\n", _same_torch(shown), flags=re.MULTILINE)
    pattern = "(?:.*\n)*".join(map(re.escape, parts))
    return re.fullmatch(pattern, _same_torch(printed)) is not None


def _same_torch(text: str) -> str:
    return re.sub(r"(torch\"?:? \"?)[\d.]+(\+\w+)?", r"\1VERSION", text)
