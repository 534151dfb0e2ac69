"""Arguments of blocks that are of one kind in one use and of another in the next: numbers and lists, None, flags, words."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from torch import nn

from nngen.errors import SpecError
from nngen.proof.loading import load
from tests.meaning.against import compare

Case = tuple[str, tuple[int, ...], Callable[[], nn.Module]]
CASES: dict[str, Case] = {
    "a number by default": (
        """
        input: [3, 8, 8]
        blocks:
          Conv:
            args: {planes: required, k: 1}
            layers: [{Conv2d as conv: {out_channels: planes, kernel_size: k}}]
        layers: [{Conv as a: 4}, {Conv as b: {planes: 4, k: [1, 3]}}]
        """,
        (2, 3, 8, 8),
        lambda: nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, (1, 3))),
    ),
    "a list by default": (
        """
        input: [3, 8, 8]
        blocks:
          Conv:
            args: {s: [2, 1], k: [3, 1], p: 0}
            layers: [{ConvTranspose2d as conv: {out_channels: 2, kernel_size: k, stride: s, padding: p}}]
        layers: [{Conv as a: {s: 2, k: 3}}, {Conv as b: {p: [1, 0]}}, Conv as c]
        """,
        (2, 3, 8, 8),
        lambda: nn.Sequential(
            nn.ConvTranspose2d(3, 2, 3, 2),
            nn.ConvTranspose2d(2, 2, (3, 1), (2, 1), (1, 0)),
            nn.ConvTranspose2d(2, 2, (3, 1), (2, 1)),
        ),
    ),
    "three dimensions, in a repeat": (
        """
        input: [3, 8, 8, 8]
        blocks:
          Conv:
            args: {k: 1, d: 1}
            layers: [{Conv3d as conv: {out_channels: 3, kernel_size: k, dilation: d, padding: same}}]
        layers:
          - Conv as a: {k: 2 * i + 1}
            repeat: 2
          - Conv as b: {k: [1, 3, 1], d: [1, 2, 1]}
        """,
        (1, 3, 8, 8, 8),
        lambda: nn.Sequential(
            nn.Conv3d(3, 3, 1, padding="same"),
            nn.Conv3d(3, 3, 3, padding="same"),
            nn.Conv3d(3, 3, (1, 3, 1), dilation=(1, 2, 1), padding="same"),
        ),
    ),
    "through a block in a block": (
        """
        input: [3, 8, 8]
        blocks:
          Inner:
            args: {k: required}
            layers: [{Conv2d as conv: {out_channels: 3, kernel_size: k}}]
          Outer:
            args: {k: 3, s: 1}
            layers: [{Inner as one: k}, {Inner as two: [1, 2]}, {MaxPool2d: {kernel_size: 2, stride: s}}]
        layers: [Outer as a, {Outer as b: {k: [2, 1], s: [1, 2]}}, {Inner as c: 1}]
        """,
        (2, 3, 8, 8),
        lambda: nn.Sequential(
            nn.Conv2d(3, 3, 3), nn.Conv2d(3, 3, (1, 2)), nn.MaxPool2d(2, 1),
            nn.Conv2d(3, 3, (2, 1)), nn.Conv2d(3, 3, (1, 2)), nn.MaxPool2d(2, (1, 2)), nn.Conv2d(3, 3, 1),
        ),
    ),
    "fractions, flags and words": (
        """
        input: [4]
        blocks:
          B:
            args: {rate: 0, slope: 1, act: null}
            layers: [{Linear: 4}, {Dropout: rate}, {LeakyReLU: slope}, {ReLU: {}, when: act == 'relu'}]
        layers: [B as a, {B as b: {rate: 0.5, slope: 0.25, act: "'relu'"}}]
        """,
        (2, 4),
        lambda: nn.Sequential(
            nn.Linear(4, 4), nn.Dropout(0), nn.LeakyReLU(1),
            nn.Linear(4, 4), nn.Dropout(0.5), nn.LeakyReLU(0.25), nn.ReLU(),
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_one_class_does_for_both(name: str) -> None:
    text, shape, by_hand = CASES[name]
    compare(load(f"name: M{text}".replace("\n        ", "\n")), by_hand, shape)


REFUSED = {
    "a stride of None in one use, a number in another": (
        """
        input: [2, 8]
        blocks:
          B:
            args: {stride: null, k: 2}
            layers: [{AvgPool1d: {kernel_size: k, stride: stride}}]
        layers: [B as a, {B as b: {stride: 3}}]
        """,
        "",
    ),
    "a shape that is a number, or a list": (
        """
        input: [2, 4]
        blocks:
          B:
            args: {shape: 4}
            layers: [{LayerNorm: {normalized_shape: shape}}]
        layers: [B as a, {B as b: {shape: [2, 4]}}]
        """,
        (
            "normalized_shape of LayerNorm is a number in one use of B, and a list of 2 in another, "
            "but its class has one code for both"
        ),
    ),
    "a list that is computed with": (
        """
        input: [2, 8, 8]
        blocks:
          B:
            args: {k: 3}
            layers: [{Conv2d: {out_channels: 2, kernel_size: k, padding: k // 2}}]
        layers: [B as a, {B as b: {k: [3, 1]}}]
        """,
        "'//' does not go with these values",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_where_it_cannot_an_error_says_so(name: str) -> None:
    text, message = REFUSED[name]
    if not message:
        pair = load(f"name: M{text}".replace("\n        ", "\n"))
        compare(pair, lambda: nn.Sequential(nn.AvgPool1d(2), nn.AvgPool1d(2, 3)), (2, 2, 8))
        return
    with pytest.raises(SpecError) as caught:
        load(f"name: M{text}".replace("\n        ", "\n"))
    assert caught.value.message == message
