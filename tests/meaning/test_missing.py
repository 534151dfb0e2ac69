"""What a step lacks is told at once, and the hint keeps what was given."""

from __future__ import annotations

import pytest

import nngen
from nngen.graph import follow, read_spec
from nngen.language import document
from nngen.lint import lint

HEAD = "name: Net\ninput: [1, 28, 28]\nlayers:\n"
BLOCK = """
blocks:
  Block:
    args: {a: required, b: required, c: 2}
    layers: [{Linear: a}, {Linear: b}, {Linear: c}]
"""
ENCODER = "{TransformerEncoderLayer: {nhead: 7, dropout: 0.3}}"
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
        + '`ConvTranspose2d as up: {out_channels: "max(8, 4)", stride: [2, 1], kernel_size: …}`',
    ),
    f"TransformerEncoder: {{encoder_layer: {ENCODER}}}": (
        "TransformerEncoder lacks its argument 'num_layers'",
        "it takes a whole number of at least 1: "
        + f"`TransformerEncoder: {{encoder_layer: {ENCODER}, num_layers: …}}`",
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


HOLDING = {
    "TransformerEncoder: {nhead: 4}": (
        "'nhead' is an argument of the TransformerEncoderLayer that TransformerEncoder repeats",
        "`TransformerEncoder: {encoder_layer: {TransformerEncoderLayer: {nhead: 4}}, num_layers: …}`",
    ),
    "TransformerDecoder: {d_model: 28, nhead: 4, num_layers: 2}": (
        "'d_model' and 'nhead' are arguments of the TransformerDecoderLayer that TransformerDecoder repeats",
        "`TransformerDecoder: {decoder_layer: {TransformerDecoderLayer: {d_model: 28, nhead: 4}}, num_layers: 2}`",
    ),
    "TransformerEncoder: 4": (
        "encoder_layer of TransformerEncoder takes a layer (TransformerEncoderLayer), not 4",
        "`TransformerEncoder: {encoder_layer: {TransformerEncoderLayer: {nhead: …}}, num_layers: …}`",
    ),
}


@pytest.mark.parametrize("step", HOLDING)
def test_arguments_of_a_layer_within(step: str) -> None:
    found = error(f"{HEAD}  - {step}\n")
    assert (found.message, found.hint) == HOLDING[step]
    assert not found.others


def test_an_open_count_of_layers_is_told_where_the_count_stands() -> None:
    layer = "TransformerEncoderLayer: {nhead: 4, batch_first: true}"
    found = error(
        f"name: Net\ninput: [9, 8]\nargs: {{n: 2}}\nlayers:\n  - {layer}\n    repeat: n\n"
    )
    assert (found.mark.line, found.mark.column) == (6, 13)
    assert f"`{{Layer: {{layers: [{{{layer}}}]}}}}` under `blocks`" in found.hint


JOIN = """
blocks:
  Join: {inputs: [left, right, third], layers: [y = left + right + third]}
"""
FROM = {
    "Join": ("Join takes 3 inputs (left, right, third)", "add `from: [a, b, …]` beside it"),
    "{Join: , from: a}": (
        "Join lacks its inputs 'right' and 'third'",
        "`from: [a, …, …]` beside it",
    ),
    "{Join: , from: [a, b]}": ("Join lacks its input 'third'", "`from: [a, b, …]` beside it"),
    "Join: {from: [a, b, a]}": (
        "'from' stands among the arguments of Join",
        "indent it as far as Join, not further; in one line: `{Join: …, from: [a, b, a]}`",
    ),
    "Join: [a, b, a]": (
        "Join takes no arguments",
        "write `- Join`, and beside it `from: [a, b, a]`",
    ),
    "Join: {a, b}": (
        "each argument of Join has a name and a value",
        "write `- Join`, and beside it `from: [a, b]`",
    ),
}


@pytest.mark.parametrize("step", FROM)
def test_a_step_of_several_inputs(step: str) -> None:
    found = error(f"name: Net\ninputs: {{a: [3], b: [3]}}\nlayers:\n  - {step}{JOIN}")
    assert (found.message, found.hint) == FROM[step]


@pytest.mark.parametrize("step", ["Softmax", "y = F.softmax(x)", "y = torch.softmax(x)"])
def test_a_softmax_that_the_loss_takes_itself(step: str) -> None:
    twice = "CrossEntropyLoss takes the softmax itself: leave it out"
    spec = "name: Net\ninput: [8]\nlayers:\n  - Linear: 3\n  - {}\nloss: {}\n"
    assert error(spec.format(step, "CrossEntropyLoss")).hint.endswith(twice)
    assert twice not in error(spec.format(step, "MSELoss")).hint
    assert "dim" in error(spec.format(step, "CrossEntropyLoss")).text()


def test_a_softmax_below_another_mistake() -> None:
    spec = "name: Net\ninput: [8]\nlayers:\n  - Linear\n  - Softmax\nloss: CrossEntropyLoss\n"
    found = error(spec).others[0]
    assert isinstance(found, nngen.SpecError)
    assert found.mark.line == 5 and "`dim` must be said" in found.message
    assert found.hint.endswith("CrossEntropyLoss takes the softmax itself: leave it out")


def test_a_softmax_that_is_right_but_for_the_loss_is_a_finding() -> None:
    text = "name: Net\ninput: [8]\nlayers: [{Linear: 3}, {Softmax: 1}]\nloss: CrossEntropyLoss\n"
    assert [
        each.code
        for each in lint(follow(read_spec(document.parse(text, "net.yaml"), "net.yaml")), text)
    ] == ["NN101"]


@pytest.mark.parametrize("key", ["optimizer: Adam", "lr: 0.1", "epochs: 3"])
def test_training_is_no_part_of_a_spec(key: str) -> None:
    found = error(f"{HEAD}  - ReLU\n{key}\n")
    assert found.message == f"a spec has no key {key.partition(':')[0]!r}"
    assert found.hint == "training is a program of yours, with the models that `nngen build` writes"
