"""The public API: typed for those who use it, documented, and imported when asked for."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

import nngen

USER = """\
from pathlib import Path

import nngen
from nngen.lint import Finding, lint_file


def report(spec: Path) -> str:
    changes: list[nngen.Change] = nngen.build(spec, "models", force=True)
    pair: nngen.Pair = nngen.load({"name": "Net", "input": [4], "layers": ["ReLU"]})
    found: nngen.Report = nngen.verify(spec, seeds=2, batch_sizes=[1, 8], device="cpu")
    findings: tuple[Finding, ...] = lint_file(spec)
    keys: dict[str, object] = pair.to_functional(pair.nn_style.Net().state_dict())
    return f"{[change.kind for change in changes]} {found.equal} {len(findings)} {list(keys)}"


try:
    print(report(Path("net.yaml")))
except nngen.SpecError as error:
    mark: nngen.Mark = error.mark
    print(mark.line + 1, error.hint.upper())
except (nngen.FileError, nngen.NngenError) as error:
    print(error)
"""
# Each line is wrong by its types.
WRONG = """\
import nngen
nngen.build(1)
nngen.verify("net.yaml", seed="0")
nngen.load("net.yaml").nowhere
nngen.nothing()
lines: str = nngen.Mark("net.yaml").line
"""
# torch's own types take longer than all else, and none is part of the API.
CONFIGURATION = "[mypy]\nstrict = true\n[mypy-torch.*]\nfollow_imports = skip\n"


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What mypy says of both programs, away from the repository."""
    folder = tmp_path_factory.mktemp("user")
    (folder / "right.py").write_text(USER)
    (folder / "wrong.py").write_text(WRONG)
    (folder / "mypy.ini").write_text(CONFIGURATION)
    command = [sys.executable, "-m", "mypy", "--cache-dir", "cache", "right.py", "wrong.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert not done.stderr
    return done.stdout


@pytest.mark.heavy
def test_a_program_that_uses_it_is_typed(checked: str) -> None:
    assert "right.py" not in checked


@pytest.mark.heavy
def test_a_program_that_misuses_it_is_not(checked: str) -> None:
    lines = [line.split(":")[1] for line in checked.splitlines() if line.startswith("wrong.py:")]
    assert lines == ["2", "3", "4", "5", "6"]


def test_every_public_name_says_what_it_is() -> None:
    names = set(nngen.__all__) - {"__version__"}
    assert names == {name for name in dir(nngen) if name in names}
    for name in names:
        found = getattr(nngen, name)
        assert inspect.getdoc(found), name
        if inspect.isfunction(found):
            doc = str(found.__doc__)
            assert all(f"        {each}: " in doc for each in inspect.signature(found).parameters)
            assert "Returns:" in doc and "Raises:" in doc


def test_names_are_imported_when_asked_for() -> None:
    code = (
        "import sys, nngen; heavy = ('torch', 'yaml', 'jinja2', 'black');"
        "print([name for name in sys.modules if name.startswith('nngen.') or name in heavy]);"
        "nngen.SpecError, nngen.Change, nngen.Report;"
        "print([name for name in heavy if name in sys.modules], hasattr(nngen, 'nothing'))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n[] False\n"


def test_star_gives_the_public_names() -> None:
    scope: dict[str, object] = {}
    exec("from nngen import *", scope)  # noqa: S102
    assert set(nngen.__all__) <= set(scope)
