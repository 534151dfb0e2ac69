"""The sizes of its input that a block's constructor takes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from nngen import SpecError
from nngen.proof.loading import load
from tests.meaning.against import check


def test_a_size_that_only_a_line_uses_is_an_argument() -> None:
    spec = """
        name: M
        input: [8]
        blocks: {B: {layers: ["y = x / in_features"]}}
        layers: [B, {Linear: 3}]
        """

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(8, 3)

        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = self.fc(x / 8)
            return y

    pair = check(spec, Model, (3, 8))
    for twin in (pair.nn_style, pair.functional_style):
        assert twin.B(5)(torch.full((2, 5), 10.0)).tolist() == [[2.0] * 5] * 2


def test_both_sizes_of_an_image_that_only_lines_use() -> None:
    spec = """
        name: M
        input: [2, 3, 6]
        blocks: {B: {layers: ["y = x * in_channels", "z = y - in_features"]}}
        layers: [B, {Conv2d: {out_channels: 2, kernel_size: 1}}, B]
        """

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(2, 2, 1)

        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = self.conv(x * 2 - 6) * 2 - 6
            return y

    check(spec, Model, (3, 2, 3, 6))


AGAIN = {
    "in_features": "layers: ['y = x / in_features']",
    "a let": "let: {wide: 2 * in_features}\n    layers: ['y = x / wide']",
    "a condition that asks for the mode, too": (
        "layers: [{Tanh: , when: training and in_features > 8}]"
    ),
    "outputs": "layers: ['y = x + 1']\n    outputs: y / in_features",
}
INNER = "layers: [B as b]\n    outputs: b"


@pytest.mark.parametrize("body", AGAIN.values(), ids=AGAIN)
@pytest.mark.parametrize("use", ["B as a:", "Sequential as a: [B, ReLU]", "C as a:"])
def test_a_block_that_is_called_again_has_one_size(body: str, use: str) -> None:
    spec = f"""
name: M
inputs: {{x: [8], z: [12]}}
blocks:
  B:
    {body}
  C:
    {INNER}
layers:
  - {use}
    from: x
  - b = a(z)
outputs: a, b
"""
    if not use.startswith("C"):
        spec = spec.replace(f"  C:\n    {INNER}\n", "")
    with pytest.raises(SpecError, match="was built with .*, but this input asks for"):
        load(spec)
    load(spec.replace("[12]", "[8]"))
