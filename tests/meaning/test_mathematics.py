"""Python's functions of numbers, the module math, and torch's short names of dtypes, in every expression of a spec."""

from __future__ import annotations

import linecache
import math
import re
from typing import Any

import pytest
import torch

import nngen
from nngen.errors import SpecError
from nngen.proof.loading import Pair

X = torch.randn(3, 16, generator=torch.Generator().manual_seed(0))
MASK = X > 0
ARGUMENTS = {"dim": 16, "p": 0.5}


def spec(body: str) -> str:
    """The spec with a name, an input of 16 numbers if it has none, and the arguments that it names."""
    args = {name: value for name, value in ARGUMENTS.items() if re.search(rf"\b{name}\b", body)}
    given = ", ".join(f"{name}: {value}" for name, value in args.items())
    head = "name: M\n" + (f"args: {{{given}}}\n" if given else "")
    return head + ("" if body.startswith("input:") else "input: [16]\n") + body


def code(pair: Pair, style: str) -> str:
    return "".join(linecache.getlines(str(getattr(pair, f"{style}_style").__file__)))


def outputs(text: str, **arguments: Any) -> list[torch.Tensor]:
    """What both twins give of X; they hold the same numbers."""
    pair = nngen.load(text)
    torch.manual_seed(0)
    model = pair.nn_style.M(**arguments)
    twin = pair.functional_style.M(**arguments)
    twin.load_state_dict(pair.to_functional(model.state_dict()))
    return [model(X), twin(X)]


LINES = {
    'x.masked_fill(x > 0, float("-inf"))': X.masked_fill(MASK, float("-inf")),
    'x.clamp(max=float("inf"))': X,
    'x.masked_fill(x > 0, float("nan"))': X.masked_fill(MASK, float("nan")),
    "x.masked_fill(x > 0, -math.inf)": X.masked_fill(MASK, float("-inf")),
    "x / math.sqrt(8)": X / math.sqrt(8),
    "x / math.sqrt(dim)": X / 4,
    "x / math.sqrt(x.shape[-1])": X / 4,
    "x / math.sqrt(x.size(-1))": X / 4,
    "x * math.pi + math.e": X * math.pi + math.e,
    "x * (-math.log(10000.0) / dim)": X * (-math.log(10000.0) / 16),
    "x * math.log2(dim) - math.exp(-p)": X * 4.0 - math.exp(-0.5),
    "x * math.ceil(dim / 3) + math.floor(p)": X * 6,
    "x * math.gcd(dim, 12)": X * 4,
    "x.view(-1, math.prod(x.shape[1:]))": X,
    "x * max(dim, 20) - min(x.shape[1], 3)": X * 20 - 3,
    "x * len(x.shape) + int(p * 5)": X * 2 + 2,
    "x * round(p * 5) + float(dim)": X * 2 + 16.0,
    "x * math.sqrt(2) if training else x": X * math.sqrt(2),
    "x.to(torch.long)": X.long(),
    "x.to(torch.double) / torch.zeros(16, dtype=torch.float).exp()": X.double(),
    "x.to(torch.half).to(torch.short).to(torch.int)": X.half().short().int(),
    "x.clamp(min=torch.finfo(torch.float).min)": X,
}


@pytest.mark.parametrize("line", LINES)
def test_a_line_means_what_python_says(line: str) -> None:
    text = spec(f"layers:\n  - 'y = {line}'\n")
    for given in outputs(text):
        assert given.dtype == LINES[line].dtype
        assert torch.equal(given.nan_to_num(), LINES[line].nan_to_num())
    pair = nngen.load(text)
    for style in ("nn", "functional"):
        written = " ".join(code(pair, style).replace("self.", "").split())
        assert f"y = {line}" in written
        assert ("import math\n" in code(pair, style)) == ("math." in line)


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("x / sqrt(dim)", "x / math.sqrt(self.dim)"),
        ("x.view(-1, prod(x.shape[1:]))", "x.view(-1, math.prod(x.shape[1:]))"),
    ],
)
def test_what_only_expressions_call_so_is_maths_in_the_code(given: str, written: str) -> None:
    pair = nngen.load(spec(f"layers: ['y = {given}']\n"))
    assert f"y = {written}\n" in code(pair, "nn")
    assert f"y = {written}\n" in code(pair, "functional")


STEPS = {
    "an argument of a layer": (
        "layers: [{ConstantPad1d: {padding: 1, value: 'float(\"-inf\")'}}]",
        'value=float("-inf")',
    ),
    "another": ("layers: [{Dropout: 1 / math.sqrt(dim)}]", "p=1 / math.sqrt("),
    "let": ("let: {h: int(math.log2(dim))}\nlayers: [{Linear: h}]", "h = int(math.log2(dim))\n"),
    "a factor under let": (
        "let: {s: 2 * math.pi}\nlayers: [y = x * s]",
        "self.s = 2 * math.pi\n",
    ),
    "a buffer": (
        "layers: [{Buffer as b: {value: 'torch.full((dim,), float(\"-inf\"))'}}, y = x + b]",
        'torch.full((dim,), float("-inf"))',
    ),
    "an initializer": (
        "layers: [{Linear as a: 3, init: {weight: {normal_: {std: 1 / math.sqrt(fan_in)}}}}]",
        "std=1 / math.sqrt(16)",
    ),
    "a rule": (
        "layers: [{Linear as a: 3}]\ninit: {Linear.weight: {normal_: {std: 0.02 / math.sqrt(2 * dim)}}}",
        "std=0.02 / math.sqrt(2 * dim)",
    ),
    "a parameter": (
        "layers: [{Parameter as a: {shape: 16, init: {constant_: -math.log(99)}}}, y = x * a]",
        "-math.log(99)",
    ),
    "a condition": ("layers: [{Linear as a: 16, when: math.sqrt(dim) > 3}]", "math.sqrt(dim) > 3"),
    "how many copies": (
        "blocks: {B: {layers: [{Linear: 16}]}}\nlayers: [{B as b: {}, repeat: int(math.log2(dim))}]",
        "in range(int(math.log2(dim)))",
    ),
    "a number of each copy": (
        "blocks: {B: {args: {w: 1.0}, layers: [y = x * w]}}\nlayers: [{B as b: {w: math.sqrt(i + 1)}, repeat: 2}]",
        "math.sqrt(2)",
    ),
    "outputs": ("layers: [{Linear as a: 3}]\noutputs: a / math.sqrt(dim)", "return a / math.sqrt("),
    "a loss": (
        "layers: [{Linear as a: 16}]\nloss: {inputs: {t: [16]}, layers: ['d = (a - t).abs().mean() * math.pi']}",
        "* math.pi",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "written"), STEPS.values(), ids=STEPS)
def test_it_may_stand_in(text: str, written: str) -> None:
    pair = nngen.load(spec(f"{text}\n"))
    for style in ("nn", "functional"):
        assert written in code(pair, style)
        assert ("import math\n" in code(pair, style)) >= ("math." in written)
    report = nngen.verify(spec(f"{text}\n"))
    assert not report.different
    assert not report.findings


def test_positions() -> None:
    """A table of sines and cosines, as in Attention Is All You Need."""
    text = """
name: M
args: {dim: 16}
input: [16]
layers:
  - Buffer as rate:
      value: torch.exp(torch.arange(0, dim, 2, dtype=torch.float) * (-math.log(10000.0) / dim))
  - y = x[:, ::2] * rate
"""
    rate = torch.exp(torch.arange(0, 16, 2, dtype=torch.float) * (-math.log(10000.0) / 16))
    for given in outputs(text):
        assert torch.equal(given, X[:, ::2] * rate)


@pytest.mark.parametrize("dim", [16, 12, 5])
def test_no_size_is_baked(dim: int) -> None:
    text = """
name: M
args: {dim: 16}
let: {h: math.ceil(dim / 3), k: int(math.log2(dim))}
input: [16]
layers:
  - y = x[:, :h]
  - Linear as fc: k
"""
    pair = nngen.load(text)
    for style in ("nn", "functional"):
        model = getattr(pair, f"{style}_style").M(dim)
        shapes = [tuple(each.shape) for each in model.parameters()]
        assert shapes[0] == (int(math.log2(dim)), math.ceil(dim / 3))
        assert model(X).shape == (3, int(math.log2(dim)))


ROUNDED = {
    "an argument": ("layers: [{Linear: math.ceil(dim / 3)}]", "nn.Linear(16, math.ceil(dim / 3))"),
    "an argument of a block": (
        "blocks: {B: {args: {w: required}, layers: [{Linear: w}]}}\nlayers: [{B: int(math.sqrt(dim))}, {Linear: 3}]",
        "nn.Linear(int(math.sqrt(dim)), 3)",
    ),
    "an input": ("input: [math.ceil(dim / 3)]\nlayers: [{Linear: 3}]", "nn.Linear(math.ceil(dim / 3), 3)"),
    "a parameter": (
        "layers: [{Parameter as a: {shape: [int(dim / 2)], init: zeros_}}, 'y = x[:, :8] * a']",
        "torch.zeros(int(dim / 2))",
    ),
    "a parameter by a flag": (
        "layers: [{Parameter as a: {shape: [dim if p else 1], init: zeros_}}, y = x * a]",
        "torch.zeros(dim if p else 1)",
    ),
    "a slice": (
        "layers: ['y = x[:, :math.ceil(dim / 3)]', {Linear: 3}]",
        "nn.Linear(min(math.ceil(dim / 3), 16), 3)",
    ),
    "a slice by a share": (
        "layers: ['y = x[:, :round(p * 8)]', {Linear: 3}]",
        "nn.Linear(round(p * 8), 3)",
    ),
    "a shape that a layer needs": (
        "layers: ['y = torch.zeros(3, math.ceil(dim / 4))', 'z = y + x.mean()', {Linear: 3}]",
        "nn.Linear(math.ceil(dim / 4), 3)",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "written"), ROUNDED.values(), ids=ROUNDED)
def test_a_rounded_size_remembers_what_it_was_rounded_from(text: str, written: str) -> None:
    pair = nngen.load(spec(f"{text}\n"))
    assert written in code(pair, "nn")
    assert not nngen.verify(spec(f"{text}\n")).different


def test_a_rounded_number_is_a_size_like_any_other() -> None:
    text = spec(
        "layers: ['y = x[:, : int(x.shape[1] / 3) + math.ceil(math.sqrt(3))]', {Linear: 3}]\n"
    )
    for given in outputs(text):
        assert given.shape == (3, 3)
    assert "self.fc1 = nn.Linear(7, 3)\n" in code(nngen.load(text), "nn")


WRONG = {
    "y = x * math.sqroot(3)": ("an expression has no math.sqroot", "did you mean 'sqrt'?"),
    "y = x * float('abc')": (
        "'abc' is not a number",
        '`float("inf")`, or the number without quotes',
    ),
    "y = float(x)": ("float takes numbers, not a tensor", "`x.float()`"),
    "y = math.sqrt(x)": ("math.sqrt takes numbers, not a tensor", "`torch.sqrt(x)`"),
    "y = max(x, 0)": ("max takes numbers, not a tensor", "`x.amax()`"),
    "y = x * math": ("a tensor and math do not go together", ""),
    "y = x * max": ("a tensor and max do not go together", ""),
    "y = x * math.exp(1e6)": ("'math.exp(1000000.0)': math range error", ""),
    "y = x * math.log(0)": ("'math.log(0)': math domain error", ""),
    "y = x.to(torch.longer)": ("torch.longer is not in nngen's catalog", None),
}


@pytest.mark.parametrize("line", WRONG)
def test_what_is_wrong_is_said(line: str) -> None:
    message, hint = WRONG[line]
    with pytest.raises(SpecError) as caught:
        nngen.load(spec(f'layers:\n  - "{line}"\n'))
    assert caught.value.message == message
    assert hint is None or caught.value.hint == hint


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ("['y = x * max(dim, 3)', max = y + 1]", "a line above calls Python's own max"),
        ("['y = x * max(dim, 3)', ReLU as max]", "a line above calls Python's own max"),
        ("[max = x + 1, 'y = max * max(dim, 3)']", "'max' is a value here"),
    ],
)
def test_a_value_does_not_take_the_name_of_a_function_that_is_called(
    layers: str, message: str
) -> None:
    with pytest.raises(SpecError, match=message):
        nngen.load(spec(f"layers: {layers}\n"))


def test_a_layer_may_be_called_like_a_function() -> None:
    text = spec(
        "layers: [{Linear as prod: 16, call: y = prod(x)}, {Linear as sqrt: 16}, z = y * sqrt]\n"
    )
    assert nngen.verify(text).equal
    first, second = outputs(text)
    assert torch.equal(first, second)
    assert "y = self.prod(x)\n" in code(nngen.load(text), "nn")


def test_an_input_may_have_a_short_dtype() -> None:
    text = "name: M\ninput: {shape: [16], dtype: torch.double}\nlayers: [y = x.float() * 2]\n"
    pair = nngen.load(text)
    assert pair.subject().inputs[0].dtype == "float64"
    assert nngen.verify(text).equal


# What a Buffer is made of


def test_a_buffer_of_another() -> None:
    text = spec(
        "layers: [{Buffer as a: {value: torch.ones(dim)}}, {Buffer as b: {value: a + sqrt(dim)}}, y = x * b + a]\n"
    )
    for given in outputs(text):
        assert torch.equal(given, X * 5 + 1)
    assert nngen.verify(text).equal


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("x + 1", "x"),
        ("y.mean(0)", "y"),
        ("scale * 2", "scale"),
        ("fc(torch.ones(16))", "fc"),
        ("torch.ones(16) if training else torch.zeros(16)", "training"),
    ],
)
def test_a_buffer_is_not_made_of_what_forward_has(value: str, name: str) -> None:
    text = f"""
name: M
input: [16]
layers:
  - Parameter as scale: {{shape: [16], init: zeros_}}
  - Linear as fc: {{out_features: 16}}
    call: y = fc(x) * scale
  - Buffer as b: {{value: "{value}"}}
  - z = y * b
"""
    with pytest.raises(SpecError) as caught:
        nngen.load(text)
    assert caught.value.message == (
        f"a Buffer's value is made in the constructor, where there is no {name!r}"
    )
