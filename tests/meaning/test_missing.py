"""What a step lacks is told at once, and the hint keeps what was given."""

from __future__ import annotations

import pytest

import nngen

HEAD = "name: Net\ninput: [1, 28, 28]\nlayers:\n"
BLOCK = """
blocks:
  Block:
    args: {a: required, b: required, c: 2}
    layers: [{Linear: a}, {Linear: b}, {Linear: c}]
"""
STEPS = {
    "Conv2d: 16": (
        "Conv2d lacks its argument 'kernel_size'",
        "it takes a whole number of at least 1, or a list of 2: `Conv2d: {out_channels: 16, kernel_size: …}`",
    ),
    "Conv2d: {padding: 1}": (
        "Conv2d lacks its arguments 'out_channels' and 'kernel_size'",
        "`Conv2d: {padding: 1, out_channels: …, kernel_size: …}`",
    ),
    'ConvTranspose2d as up: {out_channels: "max(8, 4)", stride: [2, 1]}': (
        "ConvTranspose2d lacks its argument 'kernel_size'",
        "it takes a whole number of at least 1, or a list of 2: "
        '`ConvTranspose2d as up: {out_channels: "max(8, 4)", stride: [2, 1], kernel_size: …}`',
    ),
    "TransformerEncoder: {encoder_layer: {TransformerEncoderLayer: {nhead: 7, dropout: 0.3}}}": (
        "TransformerEncoder lacks its argument 'num_layers'",
        "it takes a whole number of at least 1: `TransformerEncoder: "
        "{encoder_layer: {TransformerEncoderLayer: {nhead: 7, dropout: 0.3}}, num_layers: …}`",
    ),
    "Block": ("Block lacks its arguments 'a' and 'b'", "`Block: {a: …, b: …}`"),
    "Block: {b: 3}": ("Block lacks its argument 'a'", "`Block: {b: 3, a: …}`"),
    "y = F.bilinear(x, x)": (
        "F.bilinear lacks its argument 'weight'",
        "it takes a tensor: `F.bilinear(x, x, weight=…)`",
    ),
    "y = F.bilinear(x)": (
        "F.bilinear lacks its arguments 'input2' and 'weight'",
        "`F.bilinear(x, input2=…, weight=…)`",
    ),
    "y = x.permute()": (
        "Tensor.permute lacks its argument 'dims'",
        "it takes a list, each item a whole number or a list, each item a whole number: `x.permute(dims=…)`",
    ),
    "Parameter as w": (
        "the Parameter lacks its shape and its init",
        "`Parameter as w: {shape: …, init: …}`, with `init: zeros_`, or `init: {normal_: {std: 0.02}}`",
    ),
    "Parameter as w: {init: {normal_: {std: 0.3}}}": (
        "the Parameter lacks its shape",
        "`Parameter as w: {init: {normal_: {std: 0.3}}, shape: …}`",
    ),
    "Buffer as b: {persistent: false}": (
        "the Buffer lacks its value",
        "`Buffer as b: {persistent: false, value: …}`",
    ),
}


def error(text: str) -> nngen.SpecError:
    with pytest.raises(nngen.SpecError) as raised:
        nngen.load(text)
    return raised.value


@pytest.mark.parametrize("step", STEPS)
def test_a_step_lacks_arguments(step: str) -> None:
    blocks = BLOCK if "Block" in step else ""
    found = error(f"{HEAD}  - {step}{blocks}")
    assert (found.message, found.hint) == STEPS[step]


def test_a_block_that_lacks_arguments_is_told_below_another_mistake() -> None:
    found = error(f"{HEAD}  - Linaer: 3\n  - Block: {{a: 3}}{BLOCK}")
    assert [each.message for each in found.others] == ["Block lacks its argument 'b'"]


def test_an_initializer_keeps_its_arguments() -> None:
    found = error(f"{HEAD}  - Linear: 3\ninit: {{Linear.weight: constant_}}")
    assert (found.message, found.hint) == (
        "constant_ lacks its argument 'val'",
        "`{constant_: {val: …}}`",
    )


def test_a_spec_lacks_all_its_keys() -> None:
    found = error("doc: A model.\n")
    assert found.message == "the spec lacks 'name', 'input' and 'layers'"
    assert not found.others


# Arguments in braces without their names: YAML makes keys of them.
BRACES = {
    "Conv2d: {16, 3}": (
        "in braces each value has a name, and 16, 3 have none",
        "a list stands in brackets, `[16, 3]`; arguments have names, `{name: 16, …}`",
    ),
    "Conv2d: {out_channels: 16, 3}": (
        "in braces each value has a name, and 3 has none",
        "`name: 3`",
    ),
    "MaxPool2d: {2}": (
        "in braces each value has a name, and 2 has none",
        "`2` without braces, or with its name: `{name: 2}`",
    ),
    "Conv2d: {hidden, k}": (
        "each argument of Conv2d has a name and a value",
        "`Conv2d: {out_channels: hidden, kernel_size: k}`",
    ),
    "Linear: {hidden}": ("each argument of Linear has a name and a value", "`Linear: hidden`"),
    "Block: {hidden, k}": (
        "each argument of Block has a name and a value",
        "`Block: {a: hidden, b: k}`",
    ),
    "Linear: {baes}": ("Linear has no argument 'baes'", "did you mean 'bias'?"),
}


@pytest.mark.parametrize("step", BRACES)
def test_braces_without_names(step: str) -> None:
    found = error(f"{HEAD}  - {step}\nargs: {{hidden: 3, k: 2}}{BLOCK}")
    assert (found.message, found.hint) == BRACES[step]
