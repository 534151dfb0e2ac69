"""The order in which constructors build: `built_after`, in chains and in circles."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from torch import Tensor, nn

import nngen
from nngen.errors import SpecError
from tests.meaning.by_hand import assert_as_by_hand
from tests.meaning.test_calls import numbers

CHAIN = """
name: Chain
input: [4]
layers:
  - Linear as a: 4
    built_after: c
  - Linear as b: 4
    built_after: a
  - Linear as c: 4
"""


class Row(nn.Module):
    """Layers that are built in one order, and called in another."""

    def __init__(self, built: str, called: str) -> None:
        super().__init__()
        for name in built:
            self.add_module(name, nn.Linear(4, 4))
        self.called = called

    def forward(self, x: Tensor) -> Tensor:
        for name in self.called:
            x = self.get_submodule(name)(x)
        return x


def test_a_chain() -> None:
    assert_as_by_hand(CHAIN, lambda: Row("cab", "abc"), numbers(3, 4))


def names(layers: list[Any], **keys: Any) -> list[str]:
    pair = nngen.load({"name": "M", "input": [4], "layers": layers, **keys})
    module = pair.nn_style.M()
    return list(dict.fromkeys(name.partition(".")[0] for name in module.state_dict()))


def linear(name: str, after: str = "", **beside: Any) -> dict[str, Any]:
    return {f"Linear as {name}": 4} | ({"built_after": after} if after else {}) | beside


ORDERS = {
    "two behind one": ([linear("a", "c"), linear("b", "c"), linear("c")], "cab"),
    "a tree": (
        [linear("a", "d"), linear("b", "a"), linear("c", "d"), linear("d"), linear("e")],
        "dabce",
    ),
    "a chain of five": (
        [linear("a", "b"), linear("b", "c"), linear("c", "d"), linear("d", "e"), linear("e")],
        "edcba",
    ),
    "forwards": ([linear("a"), linear("b", "a"), linear("c", "b")], "abc"),
}


@pytest.mark.parametrize(("layers", "order"), ORDERS.values(), ids=ORDERS)
def test_orders(layers: list[Any], order: str) -> None:
    assert "".join(names(layers)) == order
    called = "".join(next(iter(each))[-1] for each in layers)
    text = yaml.safe_dump({"name": "M", "input": [4], "layers": layers})
    assert_as_by_hand(text, lambda: Row(order, called), numbers(3, 4))


def test_copies_with_names_follow_together() -> None:
    layers = [linear("a${i}", "c", repeat=2), linear("b", "a0"), linear("c")]
    assert names(layers) == ["c", "a0", "b", "a1"]


def test_blocks_lists_and_parameters_take_part() -> None:
    blocks = {"B": {"layers": [linear("u", "v"), linear("v")]}}
    layers = [
        {"B as b": None, "repeat": 2, "built_after": "p"},
        {"GRU as g": 4, "call": "y, _ = g(b)", "built_after": "b"},
        {"Parameter as p": {"shape": [4], "init": "ones_"}, "built_after": "q"},
        linear("q"),
        "z = q + p",
    ]
    # A state_dict has a module's own parameters first, whenever they were made.
    assert names(layers, blocks=blocks) == ["p", "q", "b", "g"]


CIRCLES = {
    "of two": (
        [linear("a", "b"), linear("b", "a")],
        "'a' is built after 'b', which is built after 'a'",
    ),
    "of three, and one behind it": (
        [linear("d", "a"), linear("a", "b"), linear("b", "c"), linear("c", "a"), linear("e")],
        "'a' is built after 'b', which is built after 'c', which is built after 'a'",
    ),
    "of one": ([linear("a", "a"), linear("b")], "there is no layer 'a' here"),
}


@pytest.mark.parametrize(("layers", "message"), CIRCLES.values(), ids=CIRCLES)
@pytest.mark.parametrize("where", ["model", "block", "loss"])
def test_a_circle(layers: list[Any], message: str, where: str) -> None:
    spec: dict[str, Any] = {"name": "M", "input": [4], "layers": layers}
    if where == "block":
        spec |= {"blocks": {"B": {"layers": layers}}, "layers": ["B"]}
    if where == "loss":
        layers = [{**layers[0], "from": "relu1"}, *layers[1:], "total = x.mean()"]
        name = next(iter(layers[-2])).split()[-1]
        layers[-1] = f"total = {name}.mean()"
        spec |= {"layers": ["ReLU as relu1"], "loss": {"layers": layers}}
    with pytest.raises(SpecError) as raised:
        nngen.load(spec)
    assert raised.value.message == message


@pytest.mark.parametrize("label", ["fc${i + n}", "fc_${flag}", "fc${n}"])
def test_a_name_cannot_depend_on_an_argument(label: str) -> None:
    layers = [{f"Linear as {label}": "n", "repeat": 2, "when": "flag"}]
    with pytest.raises(SpecError, match="a name is the same in every model of the class"):
        nngen.load({"name": "M", "args": {"n": 2, "flag": True}, "input": [4], "layers": layers})
