"""What mypy says of every package under generated/, at its default settings: nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

GENERATED = Path(__file__).parents[2] / "generated"

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def errors(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What one run says of all packages, and of a twin with a slip in it: most of its time goes into torch."""
    folder = tmp_path_factory.mktemp("mypy")
    text = (GENERATED / "residual" / "functional_style.py").read_text()
    slip = folder / "slip.py"
    slip.write_text(text.replace("stride=self.stride,", 'stride="two",', 1))
    assert slip.read_text() != text
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", os.devnull]
        + ["--cache-dir", str(folder / "cache"), str(GENERATED), str(slip)],
        cwd=GENERATED.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return [line for line in done.stdout.splitlines() if ": error: " in line]


def test_mypy_finds_nothing_in_the_generated_packages(errors: list[str]) -> None:
    assert [error for error in errors if "slip.py" not in error] == []


def test_mypy_does_look(errors: list[str]) -> None:
    assert len([error for error in errors if "slip.py" in error]) == 1
