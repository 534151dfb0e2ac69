"""Runs commands of nngen, each in a process of its own that notes what it does and what it takes.

The processes are forked from one that has imported what they need, so that many of them cost little. As a program it
reads one command a line, as JSON, and answers each with one line.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import subprocess
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any

REPOSITORY = Path(__file__).parent.parent
SECONDS = 5  # then a command is killed
MEBIBYTES = 2_000
MODULES = (
    "cli",
    "pipeline",
    "files.writer",
    "files.build_cache",
    "files.paths",
    "views.diagram",
    "views.layers",
    "views.summary.text",
    "language.schema",
)
RUNS = (
    "os.system",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.startfile",
    "subprocess.",
    "socket.",
    "ctypes.",
    "pty.",
)
WRITES = (
    "os.rename",
    "os.remove",
    "os.rmdir",
    "os.mkdir",
    "os.link",
    "os.symlink",
    "os.chmod",
    "os.truncate",
    "shutil.",
)


@dataclass(frozen=True)
class Outcome:
    """What became of one command.

    Attributes:
        code: its exit code; negative, the signal that killed it.
        seconds: of the processor's time, imports left out.
        mebibytes: the most memory that it held, imports included.
        runs: what it started, or ran of text that is not a module's.
        writes: the paths that it changed.
    """

    code: int
    seconds: float
    mebibytes: float
    out: str
    err: str
    runs: tuple[str, ...]
    writes: tuple[str, ...]


class Fence:
    """Starts the program; `with Fence() as fence: fence.run(folder, "build", "model.yaml")`.

    Args:
        modules: what it imports beside nngen's own.
    """

    def __init__(self, *modules: str) -> None:
        self.command = [sys.executable, "-m", "tests.fenced", *modules]

    def __enter__(self) -> Fence:  # noqa: PYI034
        self.program = subprocess.Popen(
            self.command,
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.program.communicate(timeout=60)

    def run(self, folder: Path, *arguments: str) -> Outcome:
        """Run a command in a folder."""
        assert self.program.stdin is not None and self.program.stdout is not None
        self.program.stdin.write(json.dumps([str(folder), *arguments]) + "\n")
        self.program.stdin.flush()
        answer: dict[str, Any] = json.loads(self.program.stdout.readline())
        return Outcome(**{key: tuple(v) if isinstance(v, list) else v for key, v in answer.items()})


def serve() -> None:
    for line in sys.stdin:
        folder, *arguments = json.loads(line)
        print(json.dumps(_run(folder, arguments)), flush=True)


def _run(folder: str, arguments: list[str]) -> dict[str, Any]:
    files = {name: os.memfd_create(name) for name in ("out", "err", "notes")}
    child = os.fork()
    if not child:
        _be_command(folder, arguments, files)
    _, status, usage = os.wait4(child, 0)
    texts = {}
    for name, file in files.items():
        size = os.lseek(file, 0, os.SEEK_END)
        texts[name] = os.pread(file, size, 0).decode(errors="replace")
        os.close(file)
    notes = [json.loads(line) for line in texts.pop("notes").splitlines()]
    return {
        "code": os.waitstatus_to_exitcode(status),
        "seconds": usage.ru_utime + usage.ru_stime,
        "mebibytes": usage.ru_maxrss / 1024,
        "runs": [what for kind, what in notes if kind == "run"],
        "writes": [what for kind, what in notes if kind == "write"],
        **texts,
    }


def _be_command(folder: str, arguments: list[str], files: dict[str, int]) -> None:
    code = 99
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (MEBIBYTES * 2**20, MEBIBYTES * 2**20))
        os.chdir(folder)
        os.environ["XDG_CACHE_HOME"] = os.path.join(folder, "cache")
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(files["out"], 1)
        os.dup2(files["err"], 2)
        sys.addaudithook(lambda event, values: _note(event, values, files["notes"]))
        from nngen.cli import main

        code = main(arguments)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 99
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def _note(event: str, values: tuple[Any, ...], notes: int) -> None:
    kind, what = "", ""
    if event.startswith(RUNS):
        kind, what = "run", event
    elif event == "exec" and isinstance(values[0], CodeType):
        if not os.path.exists(values[0].co_filename) and "<frozen" not in values[0].co_filename:
            kind, what = "run", values[0].co_filename
    elif (
        event.startswith(WRITES)
        or event == "open"
        and values[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    ):
        kind, what = "write", str(values[0])
    if kind:
        what = os.path.abspath(what) if kind == "write" else what
        os.write(notes, (json.dumps([kind, what]) + "\n").encode())


if __name__ == "__main__":
    for name in MODULES:
        importlib.import_module(f"nngen.{name}")
    for name in sys.argv[1:]:
        importlib.import_module(name)
    serve()
