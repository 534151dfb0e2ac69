"""The specs of specs/, each compiled once for all tests of a process; a test that changes one makes its own."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from nngen import pipeline
from nngen.pipeline import Compilation

SPECS = sorted((Path(__file__).parent.parent / "specs").glob("*.yaml"))

# Known networks of which each kind of step stands in smaller specs, too. They take most of the time, as with other
# arguments each is followed anew up to eight times: `make test-long` does that for these.
LARGE = {
    *("bert", "convnext_tiny", "densenet121", "efficientnet_b0", "googlenet", "gpt2"),
    *("llama", "mobilenet_v2", "mobilenet_v3_small", "resnet18", "resnet50"),
    *("shufflenet_v2_x1_0", "vit_b_16", "wavenet"),
}

each_spec = pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
each_spec_large_ones_slow = pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=[pytest.mark.slow] if path.stem in LARGE else [])
        for path in SPECS
    ],
)


@cache
def compiled(path: Path) -> Compilation:
    return pipeline.read(path)
