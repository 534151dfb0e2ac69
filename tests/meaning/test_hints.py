"""What people write who know PyTorch, Keras or Python: each gets the hint that fits, and the hint is right."""

from __future__ import annotations

import re

import pytest

import nngen
from nngen.catalog import LAYERS, elsewhere
from nngen.errors import SpecError

IMAGE = "name: M\ninput: [3, 32, 32]\n"
ROW = "name: M\ninput: [784]\n"


def told(text: str) -> list[tuple[str, str]]:
    """The message and hint of each error."""
    with pytest.raises(SpecError) as caught:
        nngen.load(text)
    return [(each.message, each.hint) for each in (caught.value, *caught.value.others)]


def steps(*lines: str, head: str = ROW, below: str = "") -> str:
    return head + "layers:\n" + "".join(f"  - {line}\n" for line in lines) + below


@pytest.mark.parametrize(
    ("head", "step", "message", "hint"),
    [
        # Keras
        (
            ROW,
            "Dense: {units: 10, activation: tanh}",
            "torch.nn has no layer 'Dense'",
            "torch calls it Linear: `Linear: 10`; an activation is a step of its own: `- Tanh`",
        ),
        (
            IMAGE,
            "Conv2D: {filters: 8, kernel_size: [3, 3], strides: 2, padding: same}",
            "torch.nn has no layer 'Conv2D'",
            "torch calls it Conv2d: `Conv2d: {out_channels: 8, kernel_size: [3, 3], stride: 2, padding: same}`",
        ),
        (
            IMAGE,
            "MaxPooling2D",
            "torch.nn has no layer 'MaxPooling2D'",
            "did you mean 'MaxPool2d'?",
        ),
        (
            IMAGE,
            "GlobalAveragePooling2D",
            "torch.nn has no layer 'GlobalAveragePooling2D'",
            "torch calls it AdaptiveAvgPool2d: `AdaptiveAvgPool2d: 1`",
        ),
        (
            ROW,
            "Activation: gelu",
            "torch.nn has no layer 'Activation'",
            "an activation is a layer of its own: `- GELU`",
        ),
        (
            ROW,
            "Concatenate: {axis: 1}",
            "torch.nn has no layer 'Concatenate'",
            "write a line: `- y = torch.cat((a, b), dim=1)`",
        ),
        (
            ROW,
            "InputLayer: [784]",
            "torch.nn has no layer 'InputLayer'",
            "what flows in stands at the top: `input: [784]`, one sample",
        ),
        (
            ROW,
            "Linear: {units: 3}",
            "Linear has no argument 'units'",
            "torch calls it 'out_features'",
        ),
        (ROW, "Dropout: {rate: 0.5}", "Dropout has no argument 'rate'", "torch calls it 'p'"),
        (
            ROW,
            "Linear: {out_features: 3, activation: relu}",
            "Linear has no argument 'activation'",
            "an activation is a step of its own, below: `- ReLU`",
        ),
        (
            ROW,
            "Linear: {out_features: 3, name: fc}",
            "Linear has no argument 'name'",
            "a layer's name stands after `as`: `Linear as fc`",
        ),
        # Names without the number of dimensions
        *(
            (
                head,
                kind,
                f"torch.nn has no layer {kind!r}",
                f"did you mean {right!r}? the input has {rank} dimensions with the batch, (N, {sizes})",
            )
            for head, rank, sizes in (
                (ROW, 2, "784"),
                ("name: M\ninput: [3, 8]\n", 3, "3, 8"),
                (IMAGE, 4, "3, 32, 32"),
                ("name: M\ninput: [3, 4, 4, 4]\n", 5, "3, 4, 4, 4"),
            )
            for kind, right in (
                ("BatchNorm", f"BatchNorm{max(rank - 2, 1)}d"),
                ("BatchNormalization", f"BatchNorm{max(rank - 2, 1)}d"),
                ("MaxPool", f"MaxPool{max(rank - 2, 1)}d"),
            )
        ),
        (IMAGE, "Dropout2: 0.5", "torch.nn has no layer 'Dropout2'", "did you mean 'Dropout2d'?"),
        # PyTorch
        (
            IMAGE,
            "nn.Conv2d: {out_channels: 8, kernel_size: 3}",
            "'nn.Conv2d' is not how a layer is written",
            "leave out `nn.`: `- Conv2d: {out_channels: 8, kernel_size: 3}`",
        ),
        (
            ROW,
            "torch.nn.ReLU",
            "'torch.nn.ReLU' is not how a layer is written",
            "leave out `torch.nn.`: `- ReLU`",
        ),
        (ROW, "ReLU()", "'ReLU()' is not how a layer is written", "`- ReLU`"),
        (
            IMAGE,
            "nn.Conv2d(3, 16, 3, padding=(1, 1), bias=False)",
            "'nn.Conv2d(3, 16, 3, padding=(1, 1), bias=False)' is not how a layer is written",
            "`- Conv2d: {out_channels: 16, kernel_size: 3, padding: [1, 1], bias: false}`",
        ),
        (
            IMAGE,
            "nn.Conv2d(3, 16, kernel_size=3)",
            "'nn.Conv2d(3, 16, kernel_size=3)' is not how a layer is written",
            "`- Conv2d: {out_channels: 16, kernel_size: 3}`",
        ),
        (
            IMAGE,
            "Conv2d: [3, 8, 3]",
            "the arguments of Conv2d go by name",
            "`Conv2d: {out_channels: 8, kernel_size: 3}`",
        ),
        (
            IMAGE,
            "Conv2d: [8, 3]",
            "the arguments of Conv2d go by name",
            "`Conv2d: {out_channels: 8, kernel_size: 3}`",
        ),
        (
            ROW,
            "Linear: [784, 10]",
            "the arguments of Linear go by name",
            "`Linear: {out_features: 10}`",
        ),
        (
            IMAGE,
            "MaxPool2d: [3, 2, 1]",
            "the arguments of MaxPool2d go by name",
            "`MaxPool2d: {kernel_size: 3, stride: 2, padding: 1}`",
        ),
        (
            IMAGE,
            "BatchNorm2d: [3]",
            "the arguments of BatchNorm2d go by name",
            "`- BatchNorm2d`: num_features is inferred from the input",
        ),
        (
            IMAGE,
            "Upsample: [None, 2, nearest]",
            "the arguments of Upsample go by name",
            "`Upsample: {scale_factor: 2, mode: nearest}`",
        ),
        (
            IMAGE,
            "Conv2d: out_channels=8, kernel_size=3",
            "the arguments of Conv2d are keys with colons",
            "`Conv2d: {out_channels: 8, kernel_size: 3}`",
        ),
        (
            IMAGE,
            "Conv2d: {out_channels: 8, kernel_size: (3, 3), padding: 1}",
            "a list stands in brackets, not in parentheses",
            "`kernel_size: [3, 3]`",
        ),
        (
            IMAGE,
            "Conv2d {out_channels: 8, kernel_size: 3}",
            "a ':' is missing after 'Conv2d'",
            "`Conv2d: {out_channels: …}`",
        ),
        (
            IMAGE,
            "Sequential: [Conv2d {out_channels: 8, kernel_size: 3}, ReLU]",
            "a ':' is missing before '{'",
            "write Conv2d: {…",
        ),
        (ROW, "Linear 10", "a ':' is missing after 'Linear'", "`- Linear: 10`"),
        (ROW, "Linear as fc 10", "a ':' is missing after 'fc'", "`… as fc: 10`"),
        (
            ROW,
            "{type: Linear, out_features: 10}",
            "a step has no key 'type'",
            "a step begins with its layer: `- Linear: 10`",
        ),
        (
            ROW,
            "{name: fc, Linear: 10}",
            "a step has no key 'name'",
            "a layer's name stands after `as`: `- Linear as fc: 10`",
        ),
        (
            ROW,
            "{Linear: 10, name: fc}",
            "a step has no key 'name'",
            "a layer's name stands after `as`: `Linear as fc`",
        ),
        (
            ROW,
            "{ReLU: , from: 'x.transpose(1, 2)'}",
            "`from` takes the names of values",
            "bind it to a name in a line above: `- y = x.transpose(1, 2)`, and `from: y`",
        ),
        # Lines
        (ROW, "h = relu(x)", "there is no 'relu' here", "`F.relu(x)`, or a step `- ReLU`"),
        (
            ROW,
            "h = softmax(x)",
            "there is no 'softmax' here",
            "`F.softmax(x)`, or a step `- Softmax: -1`",
        ),
        (ROW, "h = relu_(x)", "there is no 'relu_' here", "`F.relu(x)`, or a step `- ReLU`"),
        (ROW, "h = cat((x, x), dim=1)", "there is no 'cat' here", "`torch.cat((x, x), dim=1)`"),
        (ROW, "h = x + zeros(784)", "there is no 'zeros' here", "`torch.zeros(784)`"),
        (
            ROW,
            "softmax(x, dim=1)",
            "'softmax(x, dim=1)' gives a value without a name",
            "write a line: `- y = F.softmax(x, dim=1)`, or a step `- Softmax`",
        ),
        (
            ROW,
            "h = torch.nn.functional.relu(x)",
            "a line has no torch.nn",
            "torch.nn.functional is called `F`: `F.relu(x)`; a layer is a step of its own",
        ),
        (
            ROW,
            "fc = nn.Linear(784, 10)",
            "a line cannot build a layer",
            "a layer is a step of its own: `- Linear as layer: …`, and then `y = layer(x)`",
        ),
        (
            ROW,
            "h = self.fc(x)",
            "there is no 'self' here",
            "a line calls a layer by its name alone: `y = fc(x)`",
        ),
        (
            ROW,
            "h = torch.relu_(x)",
            "torch.relu_ cannot stand in a line",
            "it works in place and could change a value that is used again; use torch.relu",
        ),
        (
            ROW,
            "return x",
            "'return x' is a statement; a step is a layer or a line",
            "what a model or block gives stands under `outputs`",
        ),
        (ROW, "'Linear: 10'", "'Linear: 10' stands in quotes", "take them off: `- Linear: 10`"),
    ],
)
def test_a_step(head: str, step: str, message: str, hint: str) -> None:
    assert told(steps(step, head=head)) == [(message, hint)]


@pytest.mark.parametrize(
    "step",
    [
        "MaxPool2d: [2, 2]",
        "Conv2d: {out_channels: 8, kernel_size: [3, 3]}",
        "LayerNorm: [3, 32, 32]",
        "Upsample: [64, 64]",
        "ZeroPad2d: [1, 1, 2, 2]",
        "AdaptiveAvgPool2d: [null, 4]",
    ],
)
def test_lists_that_are_right_stay_right(step: str) -> None:
    nngen.load(steps(step, head=IMAGE))


BLOCKS = """name: M
input: [3, 8, 8]
blocks:
  B: {args: {planes: required, stride: 1}, layers: [{Conv2d: {out_channels: planes, kernel_size: 3, stride: stride}}]}
  C: {args: {sizes: required, n: 1}, layers: [{Conv2d: {out_channels: n, kernel_size: sizes}}]}
"""


def test_the_arguments_of_a_block() -> None:
    assert told(BLOCKS + "layers: [C: [2, 3], B: [16, 2]]\n") == [
        ("the arguments of B go by name", "`B: {planes: 16, stride: 2}`")
    ]
    nngen.load(BLOCKS + "layers: [C: [2, 3], B: 16]\n")


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("input: 784", "`[784]`, the shape of one sample"),
        ("input: (3, 8, 8)", "`[3, 8, 8]`, the shape of one sample"),
        ("input: [-1, 3, 8]", "the batch dimension is put in front by itself: `[3, 8]`"),
        ("input: [None, 784]", "the batch dimension is put in front by itself: `[784]`"),
        (
            "input: [3, null]",
            "a size that is open has a name: `T`, and `check: {T: 16}` gives one for verification",
        ),
        (
            "inputs: 784",
            "of one input, `input` says the shape: `input: [784]`; several have names: `inputs: {a: [3], b: [4]}`",
        ),
    ],
)
def test_an_input(given: str, hint: str) -> None:
    assert [each for _, each in told(f"name: M\n{given}\nlayers: [ReLU]\n")] == [hint]


def test_the_batch_in_the_input() -> None:
    conv = "Conv2d: {out_channels: 8, kernel_size: 3}"
    ((_, hint),) = told(
        steps(conv, "Flatten", "Linear: 10", head="name: M\ninput: [32, 3, 8, 8]\n")
    )
    assert hint == (
        "the batch dimension is put in front by itself: `input: [3, 8, 8]`; or is it 'Conv3d', for 5 dimensions?"
    )
    ((_, hint),) = told(steps(conv, "BatchNorm1d", head=IMAGE))
    assert hint == "did you mean 'BatchNorm2d', for 4 dimensions?"


MISSING = """name: A
inputs: {image: [3, 32, 32], meta: [4]}
layers:
  - Conv2d: {out_channels: 8, kernel_size: 3}%s
  - Flatten as flat
  - Linear as m: 8
  - both = torch.cat((flat, m), dim=1)
  - Linear: 10
"""


def test_the_step_that_lacks_its_from() -> None:
    unused = (
        "nothing uses the value 'meta'",
        "Linear as m in line {} may be meant to take it: `from: meta`",
    )
    assert told(MISSING % "") == [
        (unused[0], unused[1].format(6)),
        (
            "there are several inputs, so the first layer must say which it takes",
            "add `from: image`",
        ),
    ]
    assert told(MISSING % "\n    from: image") == [(unused[0], unused[1].format(7))]
    right = MISSING.replace("m: 8", "m: 8\n    from: meta") % "\n    from: image"
    nngen.load(right)


def test_a_loss_of_several_outputs() -> None:
    text = "name: A\ninput: [784]\nlayers: [Linear as a: 10, {Linear as b: 5, from: x}]\noutputs: a, b\nloss: %s\n"
    ((_, hint),) = told(text % "CrossEntropyLoss")
    assert hint.startswith("a loss with `inputs` and `layers` sees a and b by their names: ")
    found = re.search(r"`loss: (.*)`", hint)
    assert found is not None
    nngen.load(text % found[1])


@pytest.mark.parametrize(
    ("loss", "hint"),
    [
        ("cross_entropy", "did you mean 'CrossEntropyLoss'?"),
        ("F.cross_entropy", "the layer is `CrossEntropyLoss`"),
        ("nn.CrossEntropyLoss()", "`loss: CrossEntropyLoss`"),
        ("SparseCategoricalCrossentropy", "torch calls it CrossEntropyLoss: `CrossEntropyLoss`"),
        ("MSE", "did you mean 'MSELoss'?"),
    ],
)
def test_a_loss(loss: str, hint: str) -> None:
    assert [each for _, each in told(steps("Linear: 10", below=f"loss: {loss}\n"))] == [hint]


def test_names_elsewhere_lead_to_what_there_is() -> None:
    for name in (*elsewhere._NAMES, *(name.lower() for name in LAYERS)):
        for found in elsewhere.family(name):
            assert found.partition(":")[0] in LAYERS


def test_an_expression_that_a_comma_cuts_in_two_wants_quotes() -> None:
    text = (
        "name: M\nargs: {r: 4}\nlet: {mid: max(1, 8 // r)}\ninput: [8]\nlayers: [{Linear: mid}]\n"
    )
    with pytest.raises(SpecError) as caught:
        nngen.load(text)
    assert caught.value.hint == (
        "close it; where YAML has { } or [ ] around, a comma ends the value: put the expression in quotes"
    )
    assert nngen.load(text.replace("max(1, 8 // r)", "'max(1, 8 // r)'"))
