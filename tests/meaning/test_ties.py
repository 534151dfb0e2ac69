"""Ties beside rules: a parameter with two names is drawn once, by the last rule about either of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml
from torch import Tensor, nn

import nngen
from nngen.errors import SpecError
from tests.meaning.by_hand import assert_as_by_hand
from tests.meaning.test_calls import numbers

TWO = """
name: M
input: [8]
layers:
  - Linear as a: 8
  - ReLU as r
  - Linear as b: 8
tie: {b.weight: a.weight}
init: %s
"""


class Two(nn.Module):
    """Two layers with one weight, which `draw` draws."""

    def __init__(self, draw: Callable[[Two], Any]) -> None:
        super().__init__()
        self.a = nn.Linear(8, 8)
        self.r = nn.ReLU()
        self.b = nn.Linear(8, 8)
        self.b.weight = self.a.weight
        draw(self)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.b(self.r(self.a(x)))
        return result


def normal(*weights: Tensor) -> None:
    for weight in weights:
        nn.init.normal_(weight, std=0.1)


RULES: dict[str, tuple[str, Callable[[Two], Any]]] = {
    "the later rule is about the other name": (
        "{a.weight: {normal_: {std: 0.1}}, b.weight: zeros_}",
        lambda m: nn.init.zeros_(m.a.weight),
    ),
    "the earlier rule is about the other name": (
        "{b.weight: zeros_, a.weight: {normal_: {std: 0.1}}}",
        lambda m: normal(m.a.weight),
    ),
    "a rule about the other name alone": (
        "{b.weight: {normal_: {std: 0.1}}}",
        lambda m: normal(m.b.weight),
    ),
    "a kind, and then a name": (
        "{Linear.weight: {normal_: {std: 0.1}}, b.weight: zeros_}",
        lambda m: nn.init.zeros_(m.a.weight),
    ),
    "a name, and then a kind": (
        "{b.weight: zeros_, Linear.weight: {normal_: {std: 0.1}}}",
        lambda m: normal(m.a.weight),
    ),
    "a kind that is about both": (
        "{Linear.weight: {normal_: {std: 0.1}}, Linear.bias: ones_}",
        lambda m: (normal(m.a.weight), nn.init.ones_(m.a.bias), nn.init.ones_(m.b.bias)),
    ),
    "with biases that differ": (
        "{a.*: {normal_: {std: 0.1}}, b.*: zeros_}",
        lambda m: (nn.init.zeros_(m.a.weight), normal(m.a.bias), nn.init.zeros_(m.b.bias)),
    ),
}


@pytest.mark.parametrize(("rules", "draw"), RULES.values(), ids=RULES)
def test_the_last_rule_about_either_name_holds(rules: str, draw: Callable[[Two], Any]) -> None:
    assert_as_by_hand(TWO % rules, lambda: Two(draw), numbers(3, 8))


LANGUAGE = """
name: L
inputs: {tokens: {shape: [5], dtype: int64, below: 9}}
layers:
  - Embedding as embed: {num_embeddings: 9, embedding_dim: 4}
  - Linear as mid: 4
  - Linear as head: {out_features: 9, bias: false}
tie: {head.weight: embed.weight}
init: {%s}
"""


class Language(nn.Module):
    def __init__(self, last: float) -> None:
        super().__init__()
        self.embed = nn.Embedding(9, 4)
        self.mid = nn.Linear(4, 4)
        self.head = nn.Linear(4, 9, bias=False)
        self.head.weight = self.embed.weight
        nn.init.normal_(self.embed.weight, std=last)
        nn.init.normal_(self.mid.weight, std=0.1)

    def forward(self, tokens: Tensor) -> Tensor:
        result: Tensor = self.head(self.mid(self.embed(tokens)))
        return result


@pytest.mark.parametrize("linear_last", [True, False])
def test_rules_for_two_kinds_of_layer(linear_last: bool) -> None:
    rules = ["Embedding.weight: {normal_: {std: 0.5}}", "Linear.weight: {normal_: {std: 0.1}}"]
    text = LANGUAGE % ", ".join(rules if linear_last else reversed(rules))
    tokens = numbers(2, 5).abs().mul(4).long().clamp(max=8)
    assert_as_by_hand(text, lambda: Language(0.1 if linear_last else 0.5), tokens)


CHAIN = """
name: M
input: [4]
layers: [{Linear as a: 4}, {Linear as b: 4}, {Linear as c: 4}]
tie: {c.weight: b.weight, b.weight: a.weight}
init: {a.weight: ones_, c.weight: {normal_: {std: 0.1}}}
"""


class Chain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = (nn.Linear(4, 4) for _ in range(3))
        self.b.weight = self.c.weight = self.a.weight
        normal(self.a.weight)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.c(self.b(self.a(x)))
        return result


def test_ties_in_a_chain_make_one_whatever_their_order() -> None:
    assert_as_by_hand(CHAIN, Chain, numbers(3, 4))


BLOCK = """
name: M
input: [4]
blocks:
  Pair:
    layers: [{Linear as a: 4}, {Linear as b: 4}]
    tie: {b.weight: a.weight}
layers:
  - Pair as one
  - Pair as two
init: {Linear.weight: {normal_: {std: 0.1}}, two.b.weight: ones_}
"""


class Pair(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)
        self.b.weight = self.a.weight

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.b(self.a(x))
        return result


class Pairs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = Pair(), Pair()
        normal(self.one.a.weight)
        nn.init.ones_(self.two.a.weight)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.two(self.one(x))
        return result


def test_rules_of_the_model_for_what_a_block_ties() -> None:
    text = BLOCK.replace("- Pair as one\n", "- Pair as one:\n").replace(
        "Pair as two\n", "Pair as two:\n"
    )
    assert_as_by_hand(text, Pairs, numbers(3, 4))


BELOW = """
name: M
input: [4]
blocks:
  B:
    layers: [{Linear as fc: 4}]
    init: {Linear.weight: {normal_: {std: 0.1}}}
layers:
  - B as one:
  - B as two:
  - Linear as last: {out_features: 4, init: {weight: ones_}}
tie: {two.fc.weight: one.fc.weight}
"""


class Below(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        for name in ("one", "two"):
            self.add_module(name, nn.ModuleDict({"fc": nn.Linear(4, 4)}))
            normal(self.get_parameter(f"{name}.fc.weight"))
        self.get_submodule("two.fc").weight = self.get_parameter("one.fc.weight")

    def forward(self, x: Tensor) -> Tensor:
        for name in ("one", "two"):
            x = self.get_submodule(f"{name}.fc")(x)
        return x


def test_a_block_draws_before_its_user_ties() -> None:
    text = BELOW.replace("  - Linear as last: {out_features: 4, init: {weight: ones_}}\n", "")
    assert_as_by_hand(text, Below, numbers(3, 4))


B = {"layers": [{"Linear as fc": 4}], "init": {"fc.weight": "zeros_"}}
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "a step's own init of what becomes another": (
        {
            "layers": [{"Linear as a": 4}, {"Linear as b": 4, "init": {"weight": "zeros_"}}],
            "tie": {"b.weight": "a.weight"},
        },
        "'weight' draws 'b.weight', which is then tied, and becomes 'a.weight'",
    ),
    "a block's init of what becomes another": (
        {
            "blocks": {"B": B},
            "layers": [{"Linear as a": 4}, {"B as b": None}],
            "tie": {"b.fc.weight": "a.weight"},
        },
        "'fc.weight' draws 'b.fc.weight', which is then tied, and becomes 'a.weight'",
    ),
    "a circle": (
        {
            "layers": [{"Linear as a": 4}, {"Linear as b": 4}, {"Linear as c": 4}],
            "tie": {"a.weight": "b.weight", "b.weight": "c.weight", "c.weight": "a.weight"},
        },
        "'a.weight' is tied to itself",
    ),
    "itself": (
        {"layers": [{"Linear as a": 4}], "tie": {"a.weight": "a.weight"}},
        "'a.weight' is tied to itself",
    ),
    "a buffer": (
        {
            "layers": [{"BatchNorm1d as a": None}, {"BatchNorm1d as b": None}],
            "tie": {"b.running_mean": "a.weight"},
        },
        "'b.running_mean' is a buffer, and only parameters are tied",
    ),
    "a copy": (
        {
            "blocks": {"B": {"layers": [{"Linear as fc": 4}]}},
            "layers": [{"Linear as a": 4}, {"B as bs": None, "repeat": 2}],
            "tie": {"bs.1.fc.weight": "a.weight"},
        },
        "'bs.1.fc.weight' is in a list of copies, where none can be tied by itself",
    ),
    "all copies": (
        {
            "blocks": {"B": {"layers": [{"Linear as fc": 4}]}},
            "layers": [{"Linear as a": 4}, {"B as bs": None, "repeat": 2}],
            "tie": {"bs.*.fc.weight": "a.weight"},
        },
        "'bs.*.fc.weight' is in a list of copies, where none can be tied by itself",
    ),
}


@pytest.mark.parametrize(("keys", "message"), BAD.values(), ids=BAD)
def test_what_a_tie_cannot_mean(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError) as raised:
        nngen.load({"name": "M", "input": [4], **keys})
    assert raised.value.message == message


FINE: dict[str, dict[str, Any]] = {
    "both are drawn alike": {
        "layers": [
            {"Linear as a": 4, "init": {"weight": {"normal_": {"std": 0.1}}}},
            {"Linear as b": 4, "init": {"weight": {"normal_": {"std": 0.1}}}},
        ],
    },
    "the rule is about another parameter, too": {
        "layers": [{"Linear as a": 4}, {"Linear as b": 4, "init": {"*": "zeros_"}}],
    },
    "what stays is drawn": {
        "layers": [{"Linear as a": 4, "init": {"weight": "zeros_"}}, {"Linear as b": 4}],
    },
}


@pytest.mark.parametrize("keys", FINE.values(), ids=FINE)
def test_draws_that_stay(keys: dict[str, Any]) -> None:
    report = nngen.verify({"name": "M", "input": [4], "tie": {"b.weight": "a.weight"}, **keys})
    assert report.equal, report.as_text()


def test_a_list_of_blocks_that_tie_is_told_where_the_rule_belongs() -> None:
    """The nn twin's loop over modules() would draw what is one twice."""
    text = BLOCK.replace("two.b.weight: ones_", "Linear.bias: ones_")
    spec = yaml.safe_load(
        text.replace("Pair as one\n", "Pair as one: \n    repeat: 2\n").replace(
            "Pair as two\n", "Pair as two:\n"
        )
    )
    with pytest.raises(SpecError) as raised:
        nngen.load(spec)
    assert raised.value.hint == "let each be about a kind of layer, or put it into the block"
