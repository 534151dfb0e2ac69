"""What a spec is told whose windows, channels or norms do not fit."""

from __future__ import annotations

from typing import Any

import pytest

import nngen
from nngen.errors import SpecError

ALONE = ", which is read as one sample without a batch"
OPEN = "which is open until the model runs"
WRONG = [
    (
        [3, 8, 8],
        {"Conv2d": {"out_channels": 4, "kernel_size": 9}},
        "Conv2d: the kernel reaches over 9 positions, more than the 8 that the padded input (8, 8) has",
    ),
    (
        [7],
        {"Conv1d": {"in_channels": 7, "out_channels": 4, "kernel_size": 3}},
        f"Conv1d: the number of channels, dimension 0 of the input (N, 7){ALONE}, is N, {OPEN}, where 7 is wanted",
    ),
    (
        [3, 8],
        {"Conv1d": {"out_channels": 4, "kernel_size": 3, "groups": 2}},
        "Conv1d: the 3 in_channels do not divide by groups (2)",
    ),
    (
        [3, 8],
        {"Conv1d": {"out_channels": 4, "kernel_size": 3, "padding": "same", "stride": 2}},
        "Conv1d: padding 'same' needs a stride of 1, not 2",
    ),
    (
        [3, 8],
        {"Conv1d": {"out_channels": 4, "kernel_size": 3, "padding": 8, "padding_mode": "reflect"}},
        "Conv1d: reflect padding of 8 is too much for the 8 positions of the input",
    ),
    (
        [3, 8],
        {"ConvTranspose1d": {"out_channels": 4, "kernel_size": 3, "output_padding": 1}},
        "ConvTranspose1d: output_padding (1) must be less than the stride (1) or the dilation (1)",
    ),
    (
        [3, 8],
        {
            "ConvTranspose1d as up": {"out_channels": 4, "kernel_size": 3, "stride": 2},
            "call": "y = up(x, output_size=[20])",
        },
        "ConvTranspose1d: output_size asks for 20, where 17 to 18 can be had",
    ),
    (
        [3, 8],
        {"MaxPool1d": {"kernel_size": 3, "padding": 2}},
        "MaxPool1d: the padding (2) is more than half of the kernel (3)",
    ),
    (
        [8],
        {"MaxPool2d": 2},
        "MaxPool2d: the input must have 4 dimensions, or 3 where it is one sample without a batch, not 2: (N, 8)",
    ),
    (
        [3, 4, 4, 4],
        {"AvgPool3d": {"kernel_size": 5, "padding": 2}},
        "AvgPool3d: the kernel (5) is larger than the input (4, 4, 4), which padding does not help",
    ),
    (
        [3, 8, 8],
        {"AvgPool2d": {"kernel_size": 2, "divisor_override": 0}},
        "AvgPool2d: divisor_override must not be 0",
    ),
    (
        [3, 8, 8],
        {"AdaptiveAvgPool2d": {"output_size": None}},
        "AdaptiveAvgPool2d: output_size must not be null as a whole; write a list, with null for each size to keep",
    ),
    (
        [3, 8, 8],
        {"FractionalMaxPool2d": 2},
        "FractionalMaxPool2d: it needs either output_size or output_ratio",
    ),
    (
        [3, 8, 8],
        {"FractionalMaxPool2d": {"kernel_size": 3, "output_size": 7}},
        "FractionalMaxPool2d: 7 windows of 3 need 9 positions, the input (8, 8) has 8",
    ),
    ([3, 8], {"GroupNorm": 2}, "GroupNorm: the 3 channels do not divide by num_groups (2)"),
    (
        [3, 1, 1],
        "InstanceNorm2d",
        "InstanceNorm2d: there is only one value for each channel of a sample to normalise over",
    ),
    (
        [3, 8],
        {"LayerNorm": {"normalized_shape": [4, 8]}},
        "LayerNorm: the input (N, 3, 8) does not end in the normalized shape (4, 8)",
    ),
    (
        {"shape": [3, 8], "dtype": "float64"},
        {"Linear": 3},
        "Linear: the input is float64, but the weights are float32",
    ),
    (
        {"shape": [3, 8], "dtype": "int64", "below": 4},
        {"MaxPool1d": 3},
        "MaxPool1d: the input must hold floats, not int64",
    ),
    (
        [3, 8],
        "y = F.batch_norm(x, None, None, training=training)",
        "F.batch_norm: without running_mean and running_var only the batch's statistics can be used",
    ),
]


@pytest.mark.parametrize(("given_input", "step", "message"), WRONG)
def test_wrong_specs_are_told_why(given_input: Any, step: Any, message: str) -> None:
    spec = {"name": "Model", "inputs": {"x": given_input}, "layers": [step]}
    with pytest.raises(SpecError) as caught:
        nngen.load(spec)
    assert caught.value.message == message
