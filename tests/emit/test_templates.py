"""What the templates write, before black formats it."""

from __future__ import annotations

import pytest

import nngen
from nngen.emit import origin
from nngen.emit.render import formatted
from tests.built import SPECS, compiled


@pytest.mark.heavy
def test_black_changes_only_code_with_long_lines() -> None:
    """Whatever black changes, it formats twice."""
    short = 0
    for path in SPECS:
        for name, marked in compiled(path)._filled.items():
            code, _ = origin.unmarked(marked)
            if max(map(len, code.splitlines())) <= 88:
                short += 1
                assert formatted(code) == code, f"{path.name}, {name}"
    assert short > len(SPECS) / 2


MODEL = """
name: Net
input: [3, 8, 8]
layers:
  - Stem:
  - Conv2d: {out_channels: 2, kernel_size: 1}
  - ReLU:
blocks:
  Stem: {layers: [{Conv2d: {out_channels: 4, kernel_size: 3, bias: false}}]}
"""


def test_the_functional_twin_prints_its_parameters() -> None:
    pair = nngen.load(MODEL)
    assert str(pair.functional_style.Net()) == """\
Net(
  (conv1_weight): (2, 4, 1, 1)
  (conv1_bias): (2,)
  (stem1): Stem((conv1_weight): (4, 3, 3, 3))
)"""
