"""What is called with what: keywords beside `repeat`, calls that are more than a call, names that are bound."""

from __future__ import annotations

import linecache

import pytest
import torch
import torch.nn.functional as F
import yaml
from torch import Tensor, nn

import nngen
from nngen.errors import SpecError
from tests.meaning.by_hand import assert_as_by_hand


def numbers(*size: int) -> Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(7))


def lines(text: str) -> list[str]:
    """The lines of both files, without their indentation."""
    pair = nngen.load(yaml.safe_load(text))
    files = [
        linecache.getlines(str(each.__file__)) for each in (pair.nn_style, pair.functional_style)
    ]
    return [line.strip() for file in files for line in file]


# Keywords beside `repeat`

DECODER = """
name: R
inputs: {h: [7, 8], m: [5, 8]}
layers:
  - Buffer as mask: {value: "torch.ones(7, 5).tril().log()"}
  - TransformerDecoderLayer as dec: {nhead: 2, dim_feedforward: 12, batch_first: true}
    call: h = dec(h, m, memory_mask=mask)
    repeat: 2
"""


class Decoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mask", torch.ones(7, 5).tril().log())
        layers = (nn.TransformerDecoderLayer(8, 2, 12, batch_first=True) for _ in range(2))
        self.dec = nn.ModuleList(layers)

    def forward(self, h: Tensor, m: Tensor) -> Tensor:
        for layer in self.dec:
            h = layer(h, m, memory_mask=self.mask)
        return h


def test_a_repeated_layer_is_given_by_name_what_the_call_gives_by_name() -> None:
    assert_as_by_hand(DECODER, Decoder, numbers(3, 7, 8), numbers(3, 5, 8))
    assert lines(DECODER).count("h = block(h, m, memory_mask=self.mask)") == 2


GATED = """
name: G
args: {depth: 3}
inputs: {x: [4], a: [4], b: [4]}
blocks:
  Inner:
    inputs: [u, scale, shift]
    layers:
      - Linear as fc: 4
        from: u
      - y = fc * scale + shift
  Outer:
    inputs: [v, scale, shift]
    layers:
      - Inner as inner:
        repeat: 2
        call: v = inner(shift=shift, u=v, scale=scale)
layers:
  - Outer as outer:
    repeat: depth
    call: y = outer(x, shift=a, scale=b * 2)
  - z = outer(y, scale=a, shift=b)
"""


class Gated(nn.Module):
    class Inner(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(4, 4)

        def forward(self, u: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
            return self.fc(u) * scale + shift

    class Outer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.ModuleList(Gated.Inner() for _ in range(2))

        def forward(self, v: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
            for block in self.inner:
                v = block(v, scale=scale, shift=shift)
            return v

    def __init__(self, depth: int = 3) -> None:
        super().__init__()
        self.outer = nn.ModuleList(Gated.Outer() for _ in range(depth))

    def forward(self, x: Tensor, a: Tensor, b: Tensor) -> Tensor:
        double = b * 2
        for block in self.outer:
            x = block(x, double, a)
        for block in self.outer:
            x = block(x, a, b)
        return x


def test_keywords_go_to_blocks_in_blocks_whatever_their_order() -> None:
    inputs = numbers(2, 4), numbers(2, 4) + 1, numbers(2, 4) - 1
    assert_as_by_hand(GATED, Gated, *inputs)


# `call` beside `repeat`


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("x = x + F.relu(fc(x))", "beside `repeat`, `call` is a plain call of 'fc'"),
        ("y = fc(x) + x", "beside `repeat`, `call` is a plain call of 'fc'"),
        ("y = F.relu(fc(x))", "beside `repeat`, `call` is a plain call of 'fc'"),
        ("y = fc(x)[0]", "beside `repeat`, `call` is a plain call of 'fc'"),
        ("y = fc(x) if training else x", "beside `repeat`, `call` is a plain call of 'fc'"),
        ("x = fc(F.relu(x))", "beside `repeat`, 'F.relu\\(x\\)' could be meant for each copy"),
        ("x = fc(x * 2)", "beside `repeat`, 'x \\* 2' could be meant for each copy"),
    ],
)
@pytest.mark.parametrize("where", ["model", "block"])
def test_beside_repeat_a_call_is_a_plain_call(call: str, message: str, where: str) -> None:
    step = {"Linear as fc": 4, "repeat": 3, "call": call}
    spec = {"name": "M", "input": [4], "layers": [step]}
    if where == "block":
        spec |= {"blocks": {"B": {"layers": [step]}}, "layers": ["B"]}
    with pytest.raises(SpecError, match=message):
        nngen.load(spec)


def test_beside_repeat_a_call_in_a_loss_is_a_plain_call() -> None:
    step = {"Linear as fc": 4, "repeat": 3, "call": "y = a + fc(a)"}
    loss = {"layers": [step, "total = y.mean()"]}
    spec = {"name": "M", "input": [4], "layers": ["ReLU as a"], "loss": loss}
    with pytest.raises(SpecError, match="beside `repeat`, `call` is a plain call of 'fc'"):
        nngen.load(spec)


# Names that lines bind

REBOUND = {
    "a buffer": ["mean = 0.9 * mean + 0.1 * x.mean(dim=0) if training else mean", "y = x - mean"],
    "a parameter": ["p = p * 2", "y = x * p + mean"],
    "a buffer among several names": ["y, mean = x.chunk(2, dim=1)", "z = y * mean + p"],
    "by a call": [{"GRU as gru": 4, "call": "y, mean = gru(x)"}, "z = y + mean + p"],
}


@pytest.mark.parametrize("lines", REBOUND.values(), ids=REBOUND)
@pytest.mark.parametrize("where", ["model", "block"])
def test_a_line_cannot_bind_the_name_of_state(lines: list[object], where: str) -> None:
    layers = [
        {"Buffer as mean": {"value": "torch.zeros(4)"}},
        {"Parameter as p": {"shape": [4], "init": "zeros_"}},
        *lines,
    ]
    spec = {"name": "M", "input": [4], "layers": layers}
    if where == "block":
        spec |= {"blocks": {"B": {"layers": layers}}, "layers": ["B"]}
    with pytest.raises(SpecError, match="'(mean|p)' is a (Buffer|Parameter); a line that binds"):
        nngen.load(spec)


def test_a_loss_cannot_bind_the_name_of_state() -> None:
    layers = [{"Buffer as mean": {"value": "torch.zeros(4)"}}, "y = x - mean"]
    loss = {"layers": ["mean = y.mean()", "total = mean * 2"]}
    with pytest.raises(SpecError, match="'mean' is a Buffer; a line that binds"):
        nngen.load({"name": "M", "input": [4], "layers": layers, "loss": loss})


def test_a_loss_is_told_that_it_sees_outputs_only() -> None:
    layers = [{"Linear as fc": 4}, "y = fc * 2"]
    loss = {"layers": ["total = (fc - y).mean()"]}
    with pytest.raises(SpecError, match="there is no 'fc' here") as raised:
        nngen.load({"name": "M", "input": [4], "layers": layers, "loss": loss})
    assert raised.value.hint == "a loss sees what forward gives: put 'fc' among `outputs`"


# An output that the loss does not use

PARTLY = """
name: P
input: [4]
layers:
  - Linear as hidden: 4
  - Linear as score: 1
outputs: hidden, score
loss:
  inputs: {target: [1]}
  layers:
    - hidden = score - target
    - total = (hidden ** 2).mean()
"""


def test_a_loss_need_not_be_of_all_that_forward_gives() -> None:
    pair = nngen.load(yaml.safe_load(PARTLY))
    report = nngen.verify(yaml.safe_load(PARTLY))
    assert report.equal, report.as_text()
    model = pair.nn_style.P()
    hidden, score = model(numbers(3, 4))
    target = numbers(3, 1)
    assert torch.equal(model.loss(hidden, score, target), ((score - target) ** 2).mean())
    assert '"""The loss of score and target."""' in lines(PARTLY)


def test_a_loss_is_of_something_that_forward_gives() -> None:
    spec = yaml.safe_load(PARTLY.replace("score - target", "target * 2"))
    with pytest.raises(SpecError, match="nothing uses the value 'hidden'"):
        nngen.load(spec)


# Names that are fine

NAMED = """
name: N
inputs: {a: [4], b: [4]}
blocks:
  B:
    inputs: [u]
    layers:
      - Linear as x: 4
      - ReLU
      - Linear as out: 4
      - Linear as criterion: 4
      - Linear as loss: 4
      - Tanh
      - Linear as output: 4
      - y = x + out * criterion
    outputs: output, y, loss
layers:
  - B as target:
    from: a
  - Linear as out: 4
    from: b
  - Linear as input: 4
  - Linear as x: 4
  - z = target[0] + target[1] * target[2] + out - input * x
outputs: z, x
"""


class Named(nn.Module):
    class B(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.x = nn.Linear(4, 4)
            self.relu1 = nn.ReLU()
            self.out = nn.Linear(4, 4)
            self.criterion = nn.Linear(4, 4)
            self.loss = nn.Linear(4, 4)
            self.output = nn.Linear(4, 4)

        def forward(self, u: Tensor) -> tuple[Tensor, ...]:
            x = self.x(u)
            out = self.out(F.relu(x))
            criterion = self.criterion(out)
            loss = self.loss(criterion)
            return self.output(torch.tanh(loss)), x + out * criterion, loss

    def __init__(self) -> None:
        super().__init__()
        self.target = Named.B()
        self.out = nn.Linear(4, 4)
        self.input = nn.Linear(4, 4)
        self.x = nn.Linear(4, 4)

    def forward(self, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        first, second, third = self.target(a)
        out = self.out(b)
        given = self.input(out)
        x = self.x(given)
        return first + second * third + out - given * x, x


def test_a_layer_may_have_any_name_that_meets_no_other() -> None:
    assert_as_by_hand(NAMED, Named, numbers(3, 4), numbers(3, 4) * 2)
