"""Blocks whose sizes come from another input than the first: their constructors take those."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nngen.errors import SpecError
from nngen.proof.loading import load
from tests.meaning.against import compare


class Flow(nn.Module):
    """Layers, and what is computed with them."""

    def __init__(self, forward: Callable[..., Tensor], *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.run = forward

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.run(*self.layers, *inputs)


# Steps of a block with the inputs x1 and x2, uses of it with two pairs of widths, and the same by hand.
IMAGES = {
    "Conv2d": ("- Conv2d as m: {out_channels: 2, kernel_size: 1}", lambda a, b: nn.Conv2d(b, 2, 1)),
    "ConvTranspose2d": (
        "- ConvTranspose2d as m: {out_channels: 2, kernel_size: 2}",
        lambda a, b: nn.ConvTranspose2d(b, 2, 2),
    ),
    "BatchNorm2d": ("- BatchNorm2d as m:", lambda a, b: nn.BatchNorm2d(b)),
    "GroupNorm": ("- GroupNorm as m: {num_groups: 1}", lambda a, b: nn.GroupNorm(1, b)),
    "PReLU": ("- PReLU as m: {num_parameters: x2_channels}", lambda a, b: nn.PReLU(b)),
    "a block": ("- Conv as m:", lambda a, b: nn.Conv2d(b, 2, 1)),
    "a block in a block": ("- Deep as m:", lambda a, b: nn.Conv2d(b, 2, 1)),
    "a Sequential": (
        "- Sequential as m: [{Conv2d: {out_channels: 3, kernel_size: 1}}, ReLU, Conv]",
        lambda a, b: nn.Sequential(nn.Conv2d(b, 3, 1), nn.ReLU(), nn.Conv2d(3, 2, 1)),
    ),
}
_CONV = """
  Conv:
    layers: [{Conv2d as c: {out_channels: 2, kernel_size: 1}}]"""
_DEEP = """
  Deep:
    layers: [Conv as inner]"""
BLOCKS = {"a block": _CONV, "a block in a block": _CONV + _DEEP, "a Sequential": _CONV}


@pytest.mark.parametrize("name", IMAGES)
def test_layers_behind_the_second_input(name: str) -> None:
    step, make = IMAGES[name]
    spec = f"""
name: M
inputs: {{a: [3, 5, 5], b: [4, 5, 5], c: [6, 5, 5]}}
blocks:{BLOCKS.get(name, "")}
  Join:
    inputs: [x1, x2]
    layers:
      {step}
        from: x2
      - y = x1.sum() + m.sum((1, 2, 3))
layers:
  - Join as one: {{}}
    from: [a, b]
  - Join as two: {{}}
    from: [b, c]
outputs: one + two
"""

    def run(m1: Any, m2: Any, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
        return a.sum() + m1(b).sum((1, 2, 3)) + (b.sum() + m2(c).sum((1, 2, 3)))

    shapes = ((2, 3, 5, 5), (2, 4, 5, 5), (2, 6, 5, 5))
    compare(load(spec), lambda: Flow(run, make(3, 4), make(4, 6)), *shapes)


VECTORS = {
    "Linear": ("- Linear as m: 2", lambda a, b: nn.Linear(b, 2)),
    "LayerNorm": ("- LayerNorm as m: x2_features", lambda a, b: nn.LayerNorm(b)),
    "BatchNorm1d": ("- BatchNorm1d as m:", lambda a, b: nn.BatchNorm1d(b)),
}


@pytest.mark.parametrize("name", VECTORS)
def test_vectors_behind_the_second_input(name: str) -> None:
    step, make = VECTORS[name]
    spec = f"""
name: M
args: {{width: 4}}
inputs: {{a: [3], b: [width]}}
blocks:
  Join:
    inputs: [x1, x2]
    layers:
      {step}
        from: x2
      - y = x1.sum() + m.sum(1)
layers:
  - Join as one: {{}}
    from: [a, b]
  - Join as two: {{}}
    from: [b, a]
outputs: one + two
"""

    def run(m1: Any, m2: Any, a: Tensor, b: Tensor) -> Tensor:
        return a.sum() + m1(b).sum(1) + (b.sum() + m2(a).sum(1))

    for width in (4, 7):
        compare(
            load(spec),
            lambda width: Flow(run, make(3, width), make(width, 3)),
            (2, 3),
            (2, width),
            width=width,
        )


def test_several_layers_take_sums_and_products_of_both() -> None:
    spec = """
name: M
args: {width: 4}
inputs: {a: [3, 7], b: [width, 7]}
blocks:
  Mix:
    inputs: [x, z]
    let: {wide: 2 * z_channels + in_channels}
    layers:
      - both = torch.cat([z, x, z], 1)
      - Conv1d as c: {out_channels: wide, kernel_size: 1}
      - Parameter as scale: {shape: [z_channels, 1], init: {normal_: {std: 0.5}}}
      - w = z * scale
      - Conv1d as d: {out_channels: wide, kernel_size: 1}
        from: w
        when: z_channels != in_channels
        otherwise: none
      - y = c + d if z_channels != in_channels else c
  Outer:
    inputs: [q, r]
    layers:
      - Mix as m: {}
        from: [r, q]
layers:
  - Outer as one: {}
    from: [b, a]
  - Outer as two: {}
    from: [b, b]
outputs: one.sum(1) + two.sum(1)
"""

    pair = load(spec)

    class Mix(nn.Module):
        def __init__(self, x: int, z: int) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.empty(z, 1))
            self.c = nn.Conv1d(x + 2 * z, 2 * z + x, 1)
            nn.init.normal_(self.scale, std=0.5)
            self.d = nn.Conv1d(z, 2 * z + x, 1) if x != z else None

        def forward(self, x: Tensor, z: Tensor) -> Tensor:
            c: Tensor = self.c(torch.cat([z, x, z], 1))
            return c if self.d is None else c + self.d(z * self.scale)

    def run(one: Any, two: Any, a: Tensor, b: Tensor) -> Tensor:
        return one(a, b).sum(1) + two(b, b).sum(1)

    for width in (4, 3, 5):
        torch.manual_seed(1)
        a, b = torch.randn(2, 3, 7), torch.randn(2, width, 7)
        torch.manual_seed(0)
        right = Flow(run, Mix(3, width), Mix(width, width))(a, b)
        for twin in (pair.nn_style, pair.functional_style):
            torch.manual_seed(0)
            assert torch.equal(twin.M(width)(a, b), right)


def test_a_name_that_the_block_has_already_is_its_own() -> None:
    spec = """
name: M
inputs: {a: [3, 7], b: [4, 7]}
blocks:
  Join:
    inputs: [x, z]
    args: {z_channels: required}
    layers:
      - Conv1d as c: {out_channels: z_channels, kernel_size: 1}
        from: z
      - y = x.sum() + c
layers:
  - Join as j: 5
    from: [a, b]
"""
    with pytest.raises(SpecError) as caught:
        load(spec)
    assert caught.value.hint == "give in_channels, from an argument of Join if it differs"


def test_a_length_of_the_second_input_is_asked_for() -> None:
    spec = """
name: M
inputs: {a: [3], b: [4, 7, 6]}
blocks:
  Map: {layers: [{Linear as fc: 2}]}
  Join:
    inputs: [x, z]
    layers:
      - w = z.transpose(2, 3)
      - Map as c
      - y = x.sum() + c
layers:
  - Join as j: {}
    from: [a, b]
"""
    with pytest.raises(SpecError) as caught:
        load(spec)
    assert caught.value.message == (
        "in_features of Map is 7, and no expression over the arguments of Join gives it in every use"
    )


MIXED = """
name: Net
inputs: {left: [4, 8, 7], right: [4, H, W]}
check: {H: 8, W: 7}
layers:
  - {Mix: , from: [left, right]}
blocks:
  Mix:
    inputs: [x, other]
    layers: [%s]
"""


def test_a_fixed_size_of_one_input_is_no_open_size_of_another() -> None:
    with pytest.raises(SpecError, match="do not go together"):
        load(MIXED % "'y = x + other'")
    pair = load(MIXED % "'y = x.mean((2, 3)) + other.mean((2, 3))'")
    shapes = "x (N, D1, D2, D3) and other (N, D1, H, W)"
    assert pair.nn_style.Mix.__doc__ == f"Maps {shapes} to (N, D1)."
