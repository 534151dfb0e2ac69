"""What the next step takes behind a line: what it binds, if that is a tensor."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from nngen import SpecError, verify
from nngen.proof.loading import load
from tests.meaning.against import check


class Split(nn.Module):
    """Heads apart and together again, between two layers."""

    def __init__(self, heads: int = 2) -> None:
        super().__init__()
        self.heads = heads
        self.one = nn.Linear(6, 6)
        self.norm = nn.LayerNorm(6)
        self.last = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.one(x))
        b, t, c = y.shape
        y = y.view(b, t, self.heads, c // self.heads) / self.heads**0.5
        y = self.last(y.flatten(2) * t)
        return y


MODEL = """
name: M
args: {heads: 2}
input: [4, 6]
layers:
  - root = math.sqrt(heads)
  - Linear as one: 6
  - B, T, C = one.shape
  - LayerNorm as norm
  - y = norm.view(B, T, heads, C // heads) / root
  - kind = y.dtype
  - size = y.shape
  - Flatten as flat: {start_dim: 2}
  - z = flat.to(kind) * size[1]
  - Linear as last: 3
"""
BLOCK = """
name: M
args: {heads: 2}
input: [4, 6]
blocks:
  Block:
    args: {heads: required}
    layers:
      - Linear as one: in_features
      - b, t, c = one.shape
      - LayerNorm as norm
      - half = c // heads
      - y = norm.view(b, t, heads, half) / math.sqrt(heads)
      - n = y.shape[1]
      - Flatten as flat: {start_dim: 2}
      - z = flat * n
layers:
  - n = x.shape[0]
  - Block as block: heads
  - y = block * (n / n)
  - m = y.shape[0]
  - Linear as last: 3
  - z = last * (m / m)
"""


@pytest.mark.parametrize("spec", [MODEL, BLOCK], ids=["model", "block"])
@pytest.mark.parametrize("heads", [1, 2, 3])
def test_a_line_without_a_tensor_leaves_what_flows(spec: str, heads: int) -> None:
    check(spec, Split, (3, 4, 6), heads=heads)


def test_all_three_take_the_same() -> None:
    for spec in (MODEL, BLOCK):
        report = verify(spec)
        assert report.equal, report.as_text()


def test_several_inputs_have_nothing_that_flows_yet() -> None:
    spec = (
        "name: M\ninputs: {a: [4], b: [4]}\nlayers: ['n = a.shape[0]', {}, 'y = linear + b / n']\n"
    )
    with pytest.raises(SpecError, match="there are several inputs, so the first layer must say"):
        load(spec.replace("{}", "{Linear as linear: 4}"))
    load(spec.replace("{}", "{Linear as linear: 4, from: a}"))


def test_several_tensors_still_flow() -> None:
    spec = "name: M\ninput: [4]\nlayers: ['parts = x.chunk(2, dim=1)', {Linear: 4}]\n"
    with pytest.raises(SpecError, match="Linear"):
        load(spec)


def test_the_output_is_the_last_tensor() -> None:
    spec = "name: M\ninput: [4]\nlayers: [{Linear as l: 2}, 'n = l.shape[0]', 'y = l / n', 'k = n + 1']\n"
    with pytest.raises(SpecError, match="nothing uses the value 'k'"):
        load(spec)
    pair = load(spec.replace(", 'k = n + 1'", ""))
    assert pair.nn_style.M()(torch.ones(5, 4)).shape == (5, 2)
