"""Parameters and Buffers that are there under a condition."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from nngen import SpecError, verify
from nngen.proof.loading import Pair, load
from tests.meaning.against import compare

FLAGS = """
name: M
args: {on: true, k: 2}
input: [8]
blocks:
  B:
    args: {deep: false}
    layers:
      - Linear as l: in_features
      - Parameter as gamma: {shape: [in_features], init: {normal_: {std: 0.5}}}
        when: deep
      - Buffer as table: {value: "torch.arange(8.0)"}
        when: deep
      - Buffer as twice: {value: table * 2, persistent: false}
        when: deep
      - y = l * gamma + table + twice if deep else l
layers:
  - Parameter as alpha: {shape: [8], init: ones_}
    when: on and k > 1
  - B as one: {deep: on}
  - B as two: {deep: true}
    repeat: k
  - Sequential as s: [{B: {deep: on}}, ReLU, B]
  - y = s * alpha if on and k > 1 else s
  - Linear: 3
"""


class Inner(nn.Module):
    def __init__(self, deep: bool) -> None:
        super().__init__()
        self.l = nn.Linear(8, 8)
        if deep:
            self.gamma = nn.Parameter(torch.empty(8).normal_(std=0.5))
            self.register_buffer("table", torch.arange(8.0))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.l(x)
        if hasattr(self, "gamma"):
            y = y * self.gamma + torch.arange(8.0) + torch.arange(8.0) * 2
        return y


class Outer(nn.Module):
    def __init__(self, on: bool = True, k: int = 2) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(8)) if on and k > 1 else None
        self.one = Inner(on)
        self.two = nn.Sequential(*(Inner(True) for _ in range(k)))
        self.s = nn.Sequential(Inner(on), nn.ReLU(), Inner(False))
        self.fc = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.s(self.two(self.one(x)))
        y = self.fc(y if self.alpha is None else y * self.alpha)
        return y


def code(pair: Pair, style: str) -> str:
    return pair.source_map.files[f"{style}_style.py"].text


@pytest.mark.parametrize(("on", "k"), [(True, 2), (True, 1), (False, 3), (False, 1)])
def test_in_the_model_and_in_blocks(on: bool, k: int) -> None:
    pair = load(FLAGS)
    compare(pair, Outer, (4, 8), on=on, k=k)
    for module, rename in (
        (pair.nn_style, pair.to_functional),
        (pair.functional_style, pair.to_nn),
    ):
        there = module.M(on=on, k=k).state_dict()
        assert ("alpha" in there) is (on and k > 1)
        assert rename(there)
    assert "table" not in dict(pair.nn_style.B(8).named_buffers())


def test_verify_tries_both() -> None:
    report = verify(FLAGS)
    assert report.equal, report.as_text()
    tried = {row.where.partition(", ")[2] for row in report.rows if "reading" in row.group}
    assert {"on=False", "k=1"} <= tried


@pytest.mark.parametrize("style", ["nn", "functional"])
def test_it_stands_under_its_condition(style: str) -> None:
    spec = """
name: M
args: {n: null}
input: [8]
layers:
  - Parameter as scale: {shape: [n], init: ones_}
    when: n is not None
  - y = x.sum(dim=1, keepdim=True) * scale if n is not None else x
  - z = y.mean(dim=1)
check: {n: 5}
"""
    pair = load(spec)
    assert """
        self.has_scale = n is not None
        if self.has_scale:
            self.scale = nn.Parameter(torch.ones(n))
""" in code(pair, style)

    class Model(nn.Module):
        def __init__(self, n: int | None) -> None:
            super().__init__()
            self.scale = None if n is None else nn.Parameter(torch.ones(n))

        def forward(self, x: Tensor) -> Tensor:
            y = x if self.scale is None else x.sum(dim=1, keepdim=True) * self.scale
            return y.mean(dim=1)

    for n in (None, 1, 5):
        compare(pair, Model, (3, 8), n=n)


def test_rules_draw_what_is_there() -> None:
    init = "init: {'*.gamma': {constant_: 2.0}, Linear.weight: {constant_: 0.5}, alpha: zeros_}\n"
    pair = load(FLAGS + init)
    for on, k in ((True, 2), (True, 1), (False, 2)):
        for module in (pair.nn_style, pair.functional_style):
            for name, value in module.M(on=on, k=k).named_parameters():
                wanted = {"gamma": 2.0, "alpha": 0.0}.get(name.rpartition(".")[2])
                assert wanted is None or value.unique().tolist() == [wanted], name
    assert verify(FLAGS + init).equal


def test_built_after_what_is_not_there() -> None:
    spec = """
name: M
args: {on: true}
input: [4]
layers:
  - Linear as first: 4
    built_after: scale
  - Parameter as scale: {shape: [4], init: normal_}
    when: on
  - y = first * scale if on else first
"""
    assert verify(spec).equal


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (
            "[{Parameter as p: {shape: [8], init: ones_}, when: on}, y = x * p]",
            "'p' is there only when `on`",
        ),
        (
            "[{Buffer as p: torch.ones(8), when: on}, {Buffer as q: p + 1}, y = x * q]",
            "'p' is there only when `on`",
        ),
        (
            "[{Parameter as p: {shape: [8], init: ones_}, when: training and on}, y = x * p]",
            "a Parameter is there in both modes, or in none: its `when` cannot ask for `training`",
        ),
        (
            "[{Parameter as p: {shape: [8], init: ones_}, repeat: 2}, y = x * p if on else x]",
            "'repeat' stands beside a layer, and a Parameter is none",
        ),
        (
            "[{Buffer as p: torch.ones(8), from: x}, y = x * p if on else x]",
            "'from' stands beside a layer, and a Buffer is none",
        ),
        (
            "[{Parameter as p: [8], init: ones_}, y = x * p if on else x]",
            "'init' is an argument of Parameter, but stands beside it",
        ),
    ],
)
def test_what_cannot_be_meant_is_told(steps: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        load(f"name: M\nargs: {{on: true}}\ninput: [8]\nlayers: {steps}\n")
    assert message in str(caught.value)


def test_a_tie_needs_what_is_always_there() -> None:
    spec = """
name: M
args: {on: true}
input: [8]
layers:
  - Parameter as p: {shape: [8], init: ones_}
    when: on
  - Linear as l: 8
  - y = l * p if on else l
tie: {p: l.bias}
"""
    with pytest.raises(SpecError, match="'p' is there under a condition only"):
        load(spec)
