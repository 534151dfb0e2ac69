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
from nngen import pipeline
from nngen.files import writer

REPOSITORY = Path(__file__).parent.parent
SPECS = sorted((REPOSITORY / "specs").glob("*.yaml"))
GENERATED = REPOSITORY / "generated"

each_spec = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.stem)

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
def test_the_committed_package_is_what_the_spec_gives(spec: Path) -> None:
    given = {name: writer.seal(body).encode() for name, body in pipeline.read(spec).files.items()}
    assert {path.name: path.read_bytes() for path in (GENERATED / spec.stem).glob("*.py")} == given


@each_spec
def test_the_twins_are_equal(spec: Path) -> None:
    report = nngen.verify(spec, steps=1, batch_sizes=(1, 2))
    assert report.equal, report.as_text()
    assert "reading, train" in report.groups()
    assert not [skip for skip in report.skipped if skip.group == "reading"]
    excused = ["train mode is not possible at batch size 1", "fused by torch"]
    if spec.stem in STATELESS:
        excused.append("no optimizer was run: the model has nothing to train")
    assert [note for note in report.notes if not note.startswith(tuple(excused))] == []


@each_spec
def test_the_spec_says_what_it_is_for(spec: Path) -> None:
    assert re.search(r"^doc: \S", spec.read_text(), re.MULTILINE) or spec.stem in GOLDEN


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
    parts = ("", ".functional_style", ".nn_style")
    expected = {f"models.{spec.stem}{part}" for spec in SPECS for part in parts}
    assert set(found) == {"models", *expected}
