"""What mypy says of every package under generated/, at its default settings: nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

GENERATED = Path(__file__).parents[2] / "generated"


def complaints(path: Path, cache: Path) -> list[str]:
    """The errors of one run of mypy."""
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", os.devnull, "--cache-dir", cache, path],
        cwd=GENERATED.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return [line for line in done.stdout.splitlines() if ": error: " in line]


def test_mypy_finds_nothing_in_the_generated_packages(tmp_path: Path) -> None:
    assert complaints(GENERATED, tmp_path / "cache") == []


def test_mypy_does_look(tmp_path: Path) -> None:
    """A twin with a slip in it, beside its sound original, is found out."""
    text = (GENERATED / "residual" / "functional_style.py").read_text()
    slip = tmp_path / "slip.py"
    slip.write_text(text.replace("stride=self.stride,", 'stride="two",', 1))
    assert slip.read_text() != text
    (found,) = complaints(slip, tmp_path / "cache")
    assert "slip.py" in found
