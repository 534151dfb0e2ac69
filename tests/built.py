"""The specs of specs/, each compiled and loaded once for all tests of a process; who changes one makes their own."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from nngen import pipeline
from nngen.pipeline import Compilation

SPECS = sorted((Path(__file__).parent.parent / "specs").glob("*.yaml"))

each_spec = pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)


@cache
def compiled(path: Path) -> Compilation:
    return pipeline.read(path)
