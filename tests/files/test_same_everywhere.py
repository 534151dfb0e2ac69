"""The generated files are the same bytes wherever they are built; `make pythons` compares versions of Python."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.files.same_everywhere import pythons

pytestmark = pytest.mark.heavy
REPOSITORY = Path(__file__).parents[2]
# Learners' specs are in many languages, and so are their files' names.
SPEC = 'name: Modèle\ndoc: 一个模型, "naïve" 😀\nargs: {größe: 4}\ninput: [8]\nlayers: [Linear: größe, ReLU]\n'
SPECS = ("residual", "gpt2")
BARE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def run(
    folder: Path, environment: dict[str, str], *arguments: str, umask: int = 0o022
) -> subprocess.CompletedProcess[bytes]:
    base = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache"), "PYTHONPATH": str(REPOSITORY)}
    for name in ("LC_ALL", "LANG", "LC_CTYPE", "PYTHONUTF8", "PYTHONHASHSEED", "TZ"):
        base.pop(name, None)
    return subprocess.run(
        [sys.executable, "-m", "nngen", *arguments],
        cwd=folder,
        env=base | environment,
        capture_output=True,
        umask=umask,
        check=False,
        timeout=120,
    )


def built(folder: Path, environment: dict[str, str], umask: int = 0o022) -> dict[str, bytes]:
    """The files of all specs, built in a folder."""
    (folder / "model.yaml").write_text(SPEC, encoding="utf-8")
    specs = [str(REPOSITORY / "specs" / f"{name}.yaml") for name in SPECS]
    done = run(folder, environment, "build", "model.yaml", *specs, umask=umask)
    assert (done.returncode, done.stderr) == (0, b"")
    paths = (folder / "generated").rglob("*.py")
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


@cache
def usual(folder: Path) -> dict[str, bytes]:
    folder.mkdir(exist_ok=True)
    return built(folder, {"LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0", "TZ": "UTC"})


PLACES = {
    "another seed of hashes": ({"PYTHONHASHSEED": "1"}, 0o022),
    "any seed of hashes": ({"PYTHONHASHSEED": "random"}, 0o077),
    "a bare locale": (BARE, 0o022),
    "a Turkish locale": ({"LC_ALL": "tr_TR.UTF-8", "LANGUAGE": "tr"}, 0o022),
    "Latin-1": ({"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}, 0o022),
    "another time": ({"TZ": "Asia/Kathmandu", "SOURCE_DATE_EPOCH": "0"}, 0o002),
    "optimised": ({"PYTHONOPTIMIZE": "2"}, 0o022),
}


@pytest.mark.parametrize("place", PLACES)
def test_the_bytes_are_the_same(
    place: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    environment, umask = PLACES[place]
    first = usual(tmp_path_factory.getbasetemp() / "usual")
    # The two of the collection are written in stateless style, too.
    assert len(first) == 3 + 4 * len(SPECS)
    assert built(tmp_path, environment, umask) == first


def test_they_are_those_of_the_record(tmp_path_factory: pytest.TempPathFactory) -> None:
    for name, data in usual(tmp_path_factory.getbasetemp() / "usual").items():
        if "model" not in name:
            assert data == (REPOSITORY / name).read_bytes()


@pytest.mark.parametrize(
    "environment", [BARE, {"PYTHONIOENCODING": "ascii"}], ids=["bare", "ascii"]
)
@pytest.mark.parametrize(
    "command", ["summary", "graph", "build --check", "diff --no-pager", "build"]
)
def test_output_that_a_terminal_cannot_show_is_no_error(
    command: str, environment: dict[str, str], tmp_path: Path
) -> None:
    # In the bare locale Python takes no other letters in names of files.
    name = "model.yaml" if environment is BARE else "模型.yaml"
    (tmp_path / name).write_text(SPEC, encoding="utf-8")
    done = run(tmp_path, environment, *command.split(), name)
    assert b"Traceback" not in done.stderr
    assert done.returncode == (1 if "--check" in command else 0)
    assert done.stdout or "--check" in command


def test_this_python_is_among_those_compared() -> None:
    assert ".".join(map(str, sys.version_info[:3])) in pythons()
