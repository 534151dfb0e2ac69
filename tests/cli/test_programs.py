"""A test without its program is skipped, and the last lines say which package brings it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ALL

pytestmark = pytest.mark.heavy
REPOSITORY = Path(__file__).parents[2]
TEST = "tests/views/test_diagram.py::test_the_svg_shows_layers_and_shapes"


@pytest.mark.parametrize(("everything", "code"), [("", 0), ("1", 1)])
def test_without_its_program(everything: str, code: int, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", TEST],
        cwd=REPOSITORY,
        env={**os.environ, "PATH": str(tmp_path), ALL: everything},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout
    reason = "dot is missing: apt-get install graphviz"
    assert (f"1 skipped: {reason}" in done.stdout) == (code == 0)
    assert reason in done.stdout


def test_ci_installs_all_and_skips_nothing() -> None:
    script = (REPOSITORY / ".ci/run").read_text("utf-8")
    assert f"export {ALL}=1" in script
    assert "(chromium fonts-noto-cjk g++ graphviz)" in script
