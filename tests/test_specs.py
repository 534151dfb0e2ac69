"""Every spec in specs/, and the package that is committed for it under generated/."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import nngen
from nngen.files import writer
from nngen.proof import verification
from tests.built import LARGE, SPECS, compiled, each_spec

REPOSITORY = Path(__file__).parent.parent
GENERATED = REPOSITORY / "generated"

# Imports packages where nothing of nngen can be, and prints the modules that came in.
IMPORTS = """
import importlib, sys
sys.modules.update(nngen=None, yaml=None, jinja2=None, black=None)
import torch, torch.nn.functional
before = set(sys.modules)
for name in sys.argv[1:]:
    importlib.import_module(f"models.{name}")
print(*set(sys.modules) - before)
"""

# Written by hand, as both of their files, before nngen was.
GOLDEN = {"cnn", "residual"}
# Models without parameters: no optimizer has anything to do.
STATELESS = {"dropout_function", "dropout_layer", "softmax"}


def run(*command: object, cwd: Path = REPOSITORY) -> str:
    """The output of a command that succeeds and has no complaints."""
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_each_spec_has_its_package_and_each_package_its_spec() -> None:
    packages = {path.name for path in GENERATED.iterdir() if any(path.glob("*.py"))}
    assert packages == {spec.stem for spec in SPECS}


@each_spec
def test_the_committed_package_is_what_the_spec_gives(path: Path) -> None:
    given = {name: writer.seal(body).encode() for name, body in compiled(path).files.items()}
    assert {each.name: each.read_bytes() for each in (GENERATED / path.stem).glob("*.py")} == given


@each_spec
def test_the_twins_are_equal(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    large = path.stem in LARGE
    if large:
        monkeypatch.setattr(verification, "check_otherwise", lambda bench: None)
    equal(path, batch_sizes=(2,) if large else (1, 2))


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(LARGE))
def test_large_ones_are_equal_with_other_arguments(name: str) -> None:
    equal(REPOSITORY / "specs" / f"{name}.yaml")


def equal(spec: Path, batch_sizes: tuple[int, ...] = (1, 2)) -> None:
    """Verify, and make sure that nothing was left out without a reason."""
    report = nngen.verify(spec, steps=1, batch_sizes=batch_sizes)
    assert report.equal, report.as_text()
    assert "reading, train" in report.groups()
    assert not [skip for skip in report.skipped if skip.group == "reading"]
    excused = ["train mode is not possible at batch size 1", "fused by torch"]
    if spec.stem in STATELESS:
        excused.append("no optimizer was run: the model has nothing to train")
    assert [note for note in report.notes if not note.startswith(tuple(excused))] == []


@each_spec
def test_the_spec_says_what_it_is_for(path: Path) -> None:
    assert re.search(r"^doc: \S", path.read_text(), re.MULTILINE) or path.stem in GOLDEN


def test_generated_code_passes_ruffs_own_rules() -> None:
    run(sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", GENERATED)


def test_generated_code_is_as_black_would_have_it() -> None:
    run(sys.executable, "-m", "black", "--check", "--config", os.devnull, GENERATED)


def test_generated_code_needs_torch_alone(tmp_path: Path) -> None:
    """Each module imports elsewhere, without a warning, and brings in nothing that torch does not."""
    shutil.copytree(GENERATED, tmp_path / "models", ignore=shutil.ignore_patterns("__pycache__"))
    found = run(
        *(sys.executable, "-W", "error", "-c", IMPORTS),
        *(spec.stem for spec in SPECS),
        cwd=tmp_path,
    ).split()
    files = sorted(GENERATED.glob("*/*.py"))
    parts = [".".join(path.relative_to(GENERATED).with_suffix("").parts) for path in files]
    expected = {f"models.{part.removesuffix('.__init__')}" for part in parts}
    assert set(found) == {"models", *expected}
