"""Repeats: an open count of what are no blocks is an error in words, and rules reach each kind in a list."""

from __future__ import annotations

from typing import Any

import pytest
from torch import Tensor, nn

import nngen
from nngen.errors import SpecError
from tests.meaning.by_hand import assert_as_by_hand
from tests.meaning.test_calls import numbers

HINT = "make a block of it, with `Sequential:` for `layers:`; or give the count as a number"
OPEN: dict[str, tuple[list[Any], str, str]] = {
    "a Sequential of layers": (
        [{"Sequential as s": [{"Linear": 4}, "ReLU"], "repeat": "R"}],
        "how many copies of Sequential there are is open, so they must be blocks",
        HINT,
    ),
    "a Sequential of blocks": (
        [{"Sequential as s": ["B"], "repeat": "R"}],
        "how many copies of Sequential there are is open, so they must be blocks",
        HINT,
    ),
    "an empty Sequential": (
        [{"Sequential as s": [], "repeat": "R"}],
        "how many copies of Sequential there are is open, so they must be blocks",
        HINT,
    ),
    "a Sequential in a Sequential": (
        [{"Sequential as s": ["B", {"Sequential": ["B"], "repeat": "R"}]}],
        "how many copies of Sequential there are is open, so they must be blocks",
        HINT,
    ),
    "a Sequential that a line calls": (
        [{"Sequential as s": ["B"], "repeat": "R", "call": "y = s(x)"}],
        "how many copies of Sequential there are is open, so they must be blocks",
        HINT,
    ),
    "a layer": (
        [{"Linear as s": 4, "repeat": "R"}],
        "how many copies of Linear there are is open, so they must be blocks",
        (
            "make a block of it, with `{Layer: {layers: [{Linear: {out_features: 4}}]}}` under `blocks`; "
            "or give the count as a number"
        ),
    ),
    "blocks beside a layer in a Sequential": (
        [{"Sequential as s": [{"Linear": 4}, {"B": None, "repeat": "R"}]}],
        "how many copies of B there are is open, so what stands beside them must be blocks, too",
        "give them a step of their own, or make blocks of the others",
    ),
    "blocks beside an empty Sequential": (
        [{"Sequential as s": [{"B": None, "repeat": "R"}, {"Sequential": []}]}],
        "how many copies of B there are is open, so what stands beside them must be blocks, too",
        "give them a step of their own, or make blocks of the others",
    ),
}


@pytest.mark.parametrize(("layers", "message", "hint"), OPEN.values(), ids=OPEN)
def test_an_open_count_of_what_are_no_blocks(layers: list[Any], message: str, hint: str) -> None:
    blocks = {"B": {"layers": [{"Linear as fc": 4}, "ReLU"]}}
    spec = {"name": "M", "args": {"R": 2}, "input": [4], "blocks": blocks, "layers": [*layers, "B"]}
    with pytest.raises(SpecError) as raised:
        nngen.load(spec)
    assert (raised.value.message, raised.value.hint) == (message, hint)


TASNET = """
name: T
args: {R: 2, X: 3}
input: [4]
blocks:
  Unit:
    args: {n: 1}
    layers: [{Linear as fc: 4 + 0 * n}, Tanh]
  Repeat:
    args: {X: required}
    layers:
      - Unit as units: {n: 2 * (i + 1)}
        repeat: X
  Two:
    Sequential: [Unit, {Linear: 4}]
layers:
  - Repeat as repeats: {X: X}
    repeat: R
  - Sequential as s: [{Unit: , repeat: R}, Two, {Two: , repeat: X}]
  - Sequential as fixed: [{Linear: 4}, {Sequential: [Unit, ReLU], repeat: 2}]
    repeat: 2
"""


class Unit(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.fc(x).tanh()
        return result


class Units(nn.Module):
    def __init__(self, count: int) -> None:
        super().__init__()
        self.units = nn.ModuleList(Unit() for _ in range(count))

    def forward(self, x: Tensor) -> Tensor:
        for unit in self.units:
            x = unit(x)
        return x


class Tasnet(nn.Module):
    def __init__(self, R: int = 2, X: int = 3) -> None:
        super().__init__()
        self.repeats = nn.ModuleList(Units(X) for _ in range(R))
        twos = (nn.Sequential(Unit(), nn.Linear(4, 4)) for _ in range(X + 1))
        self.s = nn.Sequential(*(Unit() for _ in range(R)), *twos)
        rows = (
            nn.Sequential(nn.Linear(4, 4), *(nn.Sequential(Unit(), nn.ReLU()) for _ in range(2)))
            for _ in range(2)
        )
        self.fixed = nn.ModuleList(rows)

    def forward(self, x: Tensor) -> Tensor:
        for block in (*self.repeats, self.s, *self.fixed):
            x = block(x)
        return x


@pytest.mark.parametrize("arguments", [{}, {"R": 1, "X": 1}, {"R": 4, "X": 2}])
def test_blocks_of_blocks_with_open_counts(arguments: dict[str, int]) -> None:
    assert_as_by_hand(TASNET, lambda: Tasnet(**arguments), numbers(3, 4), **arguments)


DRAWN = """
name: D
args: {R: 2}
input: [2, 8]
blocks:
  A: {layers: [{Conv1d as conv: {out_channels: 2, kernel_size: 1}}]}
  B: {layers: [{Linear as fc: 8}]}
  C: {layers: [{LayerNorm as norm: }]}
layers:
  - Sequential as s: [A, B, {C: , repeat: R}, B]
init: {%s}
"""


class Drawn(nn.Module):
    def __init__(self, *drawn: type[nn.Module]) -> None:
        super().__init__()
        made = nn.Sequential(
            nn.ModuleDict({"conv": nn.Conv1d(2, 2, 1)}),
            nn.ModuleDict({"fc": nn.Linear(8, 8)}),
            nn.ModuleDict({"norm": nn.LayerNorm(8)}),
            nn.ModuleDict({"norm": nn.LayerNorm(8)}),
            nn.ModuleDict({"fc": nn.Linear(8, 8)}),
        )
        self.s = made
        for module in self.modules():
            if isinstance(module, drawn):
                nn.init.normal_(module.weight, std=0.1)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        for members in self.s:
            for layer in members.values():  # type: ignore[operator, union-attr]
                x = layer(x)
        return x


@pytest.mark.parametrize(
    "drawn",
    [
        (nn.Linear,),
        (nn.Conv1d,),
        (nn.LayerNorm,),
        (nn.Linear, nn.LayerNorm),
        (nn.Conv1d, nn.Linear, nn.LayerNorm),
    ],
)
def test_a_rule_reaches_each_kind_of_block_in_a_list(drawn: tuple[type[nn.Module], ...]) -> None:
    rules = ", ".join(f"{kind.__name__}.weight: {{normal_: {{std: 0.1}}}}" for kind in drawn)
    assert_as_by_hand(DRAWN % rules, lambda: Drawn(*drawn), numbers(3, 2, 8))


def test_copies_give_what_the_next_one_takes_though_there_is_one_alone() -> None:
    text = (
        "name: M\nargs: {depth: 1}\ninput: [3, 4]\nlayers:\n  - B as b:\n    repeat: depth\n"
        "blocks:\n  B:\n    layers: ['n = x.shape[0]', y = x * 2]\n    outputs: n, y\n"
    )
    with pytest.raises(SpecError, match="B gives 2 values, but takes only 1"):
        nngen.load(text)


@pytest.mark.parametrize("between", ["", "      - C\n"], ids=["in a row", "apart"])
def test_two_open_counts_of_one_block_are_two(between: str) -> None:
    pair = nngen.load(f"""
name: Net
args: {{n: 2}}
input: [4]
blocks:
  B:
    layers: [Linear: 4, ReLU]
  C:
    layers: [Linear: 4]
layers:
  - Sequential as body:
      - C
      - B:
        repeat: n
{between}      - B:
        repeat: n
      - C
""")
    beside = 3 if between else 2
    for style in (pair.nn_style, pair.functional_style):
        assert len(style.Net(n=3).body) == 6 + beside
    assert len(list(pair.nn_style.Net(n=3).parameters())) == 2 * (6 + beside)
