"""The sizes of its input that a block's constructor takes."""

from __future__ import annotations

import torch
from torch import Tensor, nn

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
