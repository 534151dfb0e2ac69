"""Repeated blocks that take or give several values."""

from __future__ import annotations

import linecache
from typing import Any

import pytest

import nngen
from nngen.errors import SpecError

MODULATED = {
    "inputs": ["x", "c"],
    "layers": [{"Linear as f": "in_features", "from": "x"}, "y = f * c"],
}
BOTH = {**MODULATED, "outputs": "y, c + f"}


def spec(*layers: Any, block: dict[str, Any] = MODULATED, **keys: Any) -> dict[str, Any]:
    inputs = {"a": [4], "b": [4]}
    return {"name": "M", "inputs": inputs, "blocks": {"B": block}, "layers": list(layers), **keys}


LOOPS = {
    "the further inputs are the same for all copies": (
        spec({"B as bs": None, "from": ["a", "b"], "repeat": 3}),
        "x = a | for block in self.bs: | x = block(x, b) | return x",
    ),
    "an open count": (
        spec({"B as bs": None, "from": ["a", "b"], "repeat": "n"}, args={"n": 2}),
        "x = a | for block in self.bs: | x = block(x, b) | return x",
    ),
    "copies as attributes": (
        spec({"B as b${i + 1}": None, "from": ["a", "b"], "repeat": 2}),
        "x = self.b1(a, b) | x = self.b2(x, b) | return x",
    ),
    "several values run on": (
        spec({"B as bs": None, "repeat": 2, "call": "y, z = bs(a, b)"}, "w = y + z", block=BOTH),
        "y, z = a, b | for block in self.bs: | y, z = block(y, z) | w = y + z | return w",
    ),
    "one of them is dropped, and its variable is free": (
        spec({"B as bs": None, "repeat": 2, "call": "y, _ = bs(a, b)"}, block=BOTH),
        "y = a | for block in self.bs: | y, b = block(y, b) | return y",
    ),
    "one of them is dropped, and its variable is read below": (
        spec({"B as bs": None, "repeat": 2, "call": "_, y = bs(a, b)"}, "z = y + a", block=BOTH),
        "bs_x, y = a, b | for block in self.bs: | bs_x, y = block(bs_x, y) | z = y + a | return z",
    ),
    "several values as one": (
        spec({"B as bs": None, "repeat": 2, "from": ["a", "b"]}, "y = bs[0] + bs[1]", block=BOTH),
        (
            "bs_x, bs_c = a, b | for block in self.bs: | bs_x, bs_c = block(bs_x, bs_c)"
            " | bs = bs_x, bs_c | y = bs[0] + bs[1] | return y"
        ),
    ),
    "an input that is computed is computed once": (
        spec({"B as bs": None, "repeat": 2, "call": "y = bs(a, c=b * 2)"}),
        "y = a | bs_c = b * 2 | for block in self.bs: | y = block(y, c=bs_c) | return y",
    ),
    "the result has the name of an input that all copies take": (
        spec({"B as bs": None, "repeat": 2, "call": "b = bs(a, b)"}),
        "bs_out = a | for block in self.bs: | bs_out = block(bs_out, b) | b = bs_out | return b",
    ),
    "called again, within an expression": (
        spec({"B as bs": None, "repeat": 2, "call": "y = bs(a, b)"}, "z = bs(y, a) + bs(a, y)"),
        (
            "y = a | for block in self.bs: | y = block(y, b)"
            " | bs_out = y | for block in self.bs: | bs_out = block(bs_out, a)"
            " | bs_out_ = a | for block in self.bs: | bs_out_ = block(bs_out_, y)"
            " | z = bs_out + bs_out_ | return z"
        ),
    ),
    "a list of layers is called": (
        spec(
            {"Linear as fs": 4, "repeat": 2, "call": "y = fs(a)"},
            {"B as b1": None, "from": ["y", "b"]},
        ),
        "y = a | for layer in self.fs: | y = layer(y) | x = self.b1(y, b) | return x",
    ),
}


@pytest.mark.parametrize(("given", "forward"), LOOPS.values(), ids=LOOPS)
def test_a_loop_reads_as_by_hand(given: dict[str, Any], forward: str) -> None:
    pair = nngen.load(given)
    lines = linecache.getlines(str(pair.nn_style.__file__))
    code = "".join(lines).rpartition("def forward(self, a: Tensor, b: Tensor)")[2]
    body = [line.partition("  #")[0].strip() for line in code.splitlines()[1:]]
    assert " | ".join(body) == forward
    report = nngen.verify(given)
    assert report.equal, report.as_text()


def test_decoder_layers_read_one_memory() -> None:
    layer = {"nhead": 2, "dim_feedforward": 8, "batch_first": True}
    step = {"TransformerDecoderLayer as layers": layer, "from": ["a", "b"], "repeat": 2}
    inputs = {"a": [3, 4], "b": [5, 4]}
    report = nngen.verify({"name": "M", "inputs": inputs, "layers": [step]})
    assert report.equal, report.as_text()


BAD = {
    "more values than inputs": (
        spec(
            {"B as bs": None, "repeat": 2, "from": ["a", "b"]}, block={**BOTH, "outputs": "y, f, c"}
        ),
        "B gives 3 values, but takes only 2",
    ),
    "a layer": (
        {**spec({"Bilinear as bs": 4, "repeat": 2, "from": ["a", "b"]}), "blocks": None},
        "Bilinear takes 2 inputs, so it cannot be repeated as it is",
    ),
}


@pytest.mark.parametrize(("given", "message"), BAD.values(), ids=BAD)
def test_what_cannot_run_on_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        nngen.load({key: value for key, value in given.items() if value is not None})
