"""A slice may leave nothing of a dimension: what torch refuses then, the build refuses, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from nngen.errors import SpecError
from nngen.proof.loading import load

Made = Callable[[], nn.Module]

CHANNELS = "x[:, :0]"
POSITIONS = "x[:, :, :0]"
REFUSED: dict[str, tuple[str, str, Made]] = {
    "BatchNorm2d": ("BatchNorm2d", CHANNELS, lambda: nn.BatchNorm2d(0)),
    "InstanceNorm2d": (
        "InstanceNorm2d: {affine: true}",
        CHANNELS,
        lambda: nn.InstanceNorm2d(0, affine=True),
    ),
    "ReflectionPad2d": ("ReflectionPad2d: 0", POSITIONS, lambda: nn.ReflectionPad2d(0)),
    "ReplicationPad2d": ("ReplicationPad2d: 0", CHANNELS, lambda: nn.ReplicationPad2d(0)),
    "PixelShuffle": ("PixelShuffle: 2", POSITIONS, lambda: nn.PixelShuffle(2)),
    "Upsample": ("Upsample: {scale_factor: 2}", CHANNELS, lambda: nn.Upsample(scale_factor=2)),
    "ChannelShuffle": ("ChannelShuffle: 2", CHANNELS, lambda: nn.ChannelShuffle(2)),
    "Unfold": ("Unfold: {kernel_size: 2, padding: 2}", CHANNELS, lambda: nn.Unfold(2, padding=2)),
    "MaxPool2d": ("MaxPool2d: 2", CHANNELS, lambda: nn.MaxPool2d(2)),
    "GRU": (
        "GRU: {hidden_size: 3, batch_first: true}\n    call: z, h = gru1(y.flatten(2))",
        CHANNELS,
        lambda: nn.Sequential(nn.Flatten(2), nn.GRU(16, 3, batch_first=True)),
    ),
}
TAKEN: dict[str, tuple[str, str, Made]] = {
    "ReLU": ("ReLU", CHANNELS, nn.ReLU),
    "Flatten": ("Flatten", POSITIONS, nn.Flatten),
    "ZeroPad2d": ("ZeroPad2d: 1", POSITIONS, lambda: nn.ZeroPad2d(1)),
    "CircularPad2d": ("CircularPad2d: 0", CHANNELS, lambda: nn.CircularPad2d(0)),
    "BatchNorm2d": (
        "BatchNorm2d: {affine: false, num_features: 4}",
        POSITIONS,
        lambda: nn.BatchNorm2d(4, affine=False),
    ),
    "LayerNorm": ("LayerNorm", CHANNELS, lambda: nn.LayerNorm(4)),
    "Linear": ("Linear: 3", CHANNELS, lambda: nn.Linear(4, 3)),
}


def spec(layer: str, part: str) -> str:
    return f"name: M\ninput: [4, 4, 4]\nlayers:\n  - y = {part}\n  - {layer}\n"


def taken(part: str) -> Tensor:
    x = torch.randn(2, 4, 4, 4, requires_grad=True)
    left: Tensor = eval(part, {"x": x})
    return left


@pytest.mark.parametrize(("layer", "part", "made"), REFUSED.values(), ids=REFUSED)
def test_what_torch_refuses_is_an_error(layer: str, part: str, made: Made) -> None:
    with pytest.raises((RuntimeError, IndexError)):
        made()(taken(part)).sum().backward()
    with pytest.raises(SpecError, match=r"empty|no channels"):
        load(spec(layer, part))


@pytest.mark.parametrize(("layer", "part", "made"), TAKEN.values(), ids=TAKEN)
def test_what_torch_takes_is_built(layer: str, part: str, made: Made) -> None:
    wanted = made()(taken(part)).shape
    pair = load(spec(layer, part))
    for style in (pair.nn_style, pair.functional_style):
        assert style.M()(torch.randn(2, 4, 4, 4)).shape == wanted


@pytest.mark.parametrize("layer", ["Linear: 3", "Bilinear: {out_features: 3}\n    from: [y, x]"])
def test_a_size_that_would_be_inferred_as_none_at_all_is_an_error(layer: str) -> None:
    text = f"name: M\ninput: [4]\nlayers:\n  - y = x[:, 4:]\n  - {layer}\n"
    with pytest.raises(SpecError, match="would be 0: the input is empty"):
        load(text)


@pytest.mark.parametrize("loss", ["MultiLabelMarginLoss", "MultiMarginLoss"])
def test_a_loss_of_nothing_is_an_error(loss: str) -> None:
    text = f"name: M\ninput: [4]\nlayers:\n  - y = x[:, 4:]\nloss: {loss}\n"
    with pytest.raises(SpecError, match="is empty"):
        load(text)


def test_what_a_loss_infers_is_told_or_asked_for() -> None:
    text = (
        "name: M\nargs: {depth: 0}\ninput: [8]\nlayers: ['part = x[:, -depth:]']\n"
        "loss: {AdaptiveLogSoftmaxWithLoss: {n_classes: 6, cutoffs: [2]}}\n"
    )
    with pytest.raises(SpecError, match="in_features .* is 8 here only"):
        load(text)
    load(text.replace("depth: 0", "depth: 3"))
