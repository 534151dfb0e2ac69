"""`nngen layers`: the tables, and all about one layer, function or method."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

from nngen.catalog import FAMILIES, FUNCTIONS, LAYERS
from nngen.catalog.skipped import SKIPPED
from nngen.cli import main
from nngen.errors import NngenError
from nngen.views import layers


def printed(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert main(["layers", *arguments]) == code
    out, errors = capsys.readouterr()
    return errors if code else out


def sections(name: str) -> dict[str, list[str]]:
    """What is said of a layer, by heading."""
    found: dict[str, list[str]] = {}
    head, *lines = layers.one(name).split("\n")
    title = ""
    for before, line in zip([head, *lines], lines):
        if line and not line.startswith(" ") and not before:
            title = line
            found[title] = []
        elif title:
            found[title].append(line.removeprefix("  "))
    return {title: lines[: len(lines) - (lines[-1:] == [""])] for title, lines in found.items()}


# The tables


def test_every_layer_is_in_the_table_once(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys).splitlines()
    names = [line.split()[0] for line in lines if line.startswith("  ")]
    assert names == list(LAYERS)
    assert [line for line in lines if line and not line.startswith(" ")] == list(FAMILIES)
    assert "  ReLU                           x where it is above 0, elsewhere 0." in lines
    loss = next(line for line in lines if line.split()[:1] == ["NLLLoss"])
    assert loss.endswith("log likelihood of log probabilities (input) and class indices (target).")


def test_families_hold_every_layer() -> None:
    held = [entry.name for entries in FAMILIES.values() for entry in entries]
    assert held == list(LAYERS)
    assert all(heading and not heading.endswith(".") for heading in FAMILIES)


def test_every_function_is_in_its_table(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, "--functions").splitlines()
    called = {line.split("(")[0].strip().replace("x.", "Tensor.") for line in lines if "(" in line}
    assert called == set(FUNCTIONS)
    assert "  F.gelu(input, approximate='none')" in lines
    assert "  x.flatten(start_dim=0, end_dim=-1)" in lines
    assert "  x.view(*size)" in lines
    assert "  torch.clamp(input, min=None, max=None)" in lines


# One


def test_a_layer() -> None:
    head = layers.one("Conv2d").split("\n")[0]
    assert (
        head
        == "Conv2d: A 2-dimensional convolution: each learned filter slides over the input and gives one channel."
    )
    found = sections("Conv2d")
    table = {line.split()[0]: " ".join(line.split()[1:]) for line in found["arguments"]}
    assert table["in_channels"] == "from input.shape[-3] a whole number of at least 1"
    assert table["kernel_size"] == "required a whole number of at least 1, or a list of 2"
    assert table["bias"] == "true true or false"
    assert table["padding_mode"] == "zeros zeros, reflect, replicate, circular"
    assert found["arguments"][-1] == "weight_norm or spectral_norm may stand beside it."
    assert [" ".join(line.split()) for line in found["parameters"]] == [
        "weight (out_channels, in_channels // groups, *ntuple(kernel_size, 2))",
        "bias (out_channels,) if bias",
    ]
    assert any("F.conv2d(" in line for line in found["functional form"])
    assert found["an example"] == [
        "input: [4, 7, 6]",
        "layers:",
        "- Conv2d: {out_channels: 6, kernel_size: 3}",
    ]
    assert found["in torch.nn style"] == [
        "self.conv1 = nn.Conv2d(4, 6, kernel_size=3)",
        "",
        "x = self.conv1(x)  # (N, 6, 5, 4)",
        "return x",
    ]
    assert found["in functional style"][0] == (
        "self.conv1_weight = nn.Parameter(torch.empty(6, 4, 3, 3))"
    )


def test_a_layer_without_state() -> None:
    found = sections("ReLU")
    assert found["arguments"] == [
        "inplace  false  true or false",
        "The shorthand argument is inplace: `ReLU: …`.",
    ]
    assert found["in functional style"] == ["x = F.relu(x)", "return x"]
    assert "parameters" not in found and "buffers" not in found


def test_buffers() -> None:
    names = [line.split()[0] for line in sections("BatchNorm2d")["buffers"]]
    assert names == ["running_mean", "running_var", "num_batches_tracked"]


def test_a_loss() -> None:
    found = sections("CrossEntropyLoss")
    assert found["an example"] == ["inputs:", "  input: [5]", "loss: CrossEntropyLoss"]
    assert found["in torch.nn style"] == [
        "self.criterion = nn.CrossEntropyLoss()",
        "",
        "return self.criterion(logits, target)",
    ]
    assert found["in functional style"] == ["return F.cross_entropy(logits, target)"]


def test_a_layer_made_of_layers() -> None:
    found = sections("TransformerEncoderLayer")
    weights = found["parameters, for the example below"]
    assert weights[0].split() == ["self_attn.in_proj_weight", "(18,", "6)"]
    assert found["functional form"] == ["a class of its own: see the example"]
    assert found["in functional style"][0] == "class TransformerEncoderLayer(nn.Module):"


def test_a_layer_whose_weights_are_counted() -> None:
    found = sections("LSTM")
    names = [line.split()[0] for line in found["parameters, for the example below"]]
    assert names == ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]
    assert any("torch.lstm(" in line for line in found["functional form, for the example below"])


@pytest.mark.parametrize("name", LAYERS)
def test_each_layer(name: str) -> None:
    """Its arguments are all there, its lines are not too long, and its example is Python."""
    found = sections(name)
    words = [line.split()[0] for line in found.get("arguments", ())]
    assert words[: len(LAYERS[name].signature.names)] == list(LAYERS[name].signature.names)
    for style in ("torch.nn", "functional"):
        body = "\n".join(f"    {line}" for line in found[f"in {style} style"])
        ast.parse(f"def f():\n{body}")


def test_a_function() -> None:
    assert layers.one("torch.flatten").split("\n") == [
        "torch.flatten(input, start_dim=0, end_dim=-1)",
        "  input      required  a tensor",
        "  start_dim  0         a whole number",
        "  end_dim    -1        a whole number",
        "called alike: Tensor.flatten",
        "the layer: nngen layers Flatten",
    ]
    assert layers.one("x.view").startswith("x.view(*size)\n  *size")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function(name: str) -> None:
    for line in layers.one(name).split("\n"):
        if line.endswith(")") and not line.startswith(" "):
            ast.parse(f"def f{line[line.index('('):]}: ...")


@pytest.mark.parametrize(
    ("name", "means"),
    [
        ("nn.ReLU", "ReLU"),
        ("torch.nn.ReLU", "ReLU"),
        ("torch.nn.functional.relu", "F.relu"),
        ("nn.functional.relu", "F.relu"),
        ("torch.Tensor.view", "Tensor.view"),
        ("x.view", "Tensor.view"),
        ("einsum", "torch.einsum"),
        ("torch.nn.utils.rnn.pad_packed_sequence", "nn.utils.rnn.pad_packed_sequence"),
        ("softplus", "F.softplus"),
    ],
)
def test_other_ways_to_say_it(name: str, means: str) -> None:
    assert layers.one(name) == layers.one(means)


# Errors


def test_an_unknown_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, "Conv2", code=2).split("\n") == [
        "there is no layer or function 'Conv2'",
        "  hint: did you mean 'Conv2d'?",
        "",
    ]
    assert "hint: `nngen layers` lists the layers" in printed(capsys, "qqqqqq", code=2)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Conv", "did you mean 'Conv1d', 'Conv2d' or 'Conv3d'?"),
        ("MaxPool", "did you mean 'MaxPool1d', 'MaxPool2d' or 'MaxPool3d'?"),
        ("GlobalAveragePooling2D", "did you mean 'AdaptiveAvgPool2d'?"),
        ("Dense", "did you mean 'Linear'?"),
        ("Concat", "write a line: `- y = torch.cat((a, b), dim=1)`"),
        ("Linaer", "did you mean 'Linear'?"),
    ],
)
def test_what_may_be_meant(capsys: pytest.CaptureFixture[str], name: str, hint: str) -> None:
    assert f"  hint: {hint}\n" in printed(capsys, name, code=2)


@pytest.mark.parametrize(
    ("name", "kind"), [("relu", "ReLU"), ("conv2d", "Conv2d"), ("F.max_pool1d", "MaxPool1d")]
)
def test_a_function_names_its_layer(name: str, kind: str) -> None:
    assert layers.one(name).endswith(f"\nthe layer: nngen layers {kind}")


@pytest.mark.parametrize("name", SKIPPED)
def test_what_is_left_out_is_told(name: str) -> None:
    with pytest.raises(NngenError, match=f"{name} is not in the catalog: "):
        layers.one(name)


def test_it_needs_no_torch() -> None:
    code = "import sys; sys.modules.update(torch=None, numpy=None); from nngen.cli import main; main(['layers', 'LSTM'])"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
