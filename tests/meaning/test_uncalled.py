"""Layers that are built and never called, and blocks without inputs, beside modules written by hand."""

from __future__ import annotations

import torch
from torch import Tensor, nn

import nngen
from tests.meaning.by_hand import assert_as_by_hand


class Held(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.aux = nn.ModuleList([nn.Linear(5, 8, bias=False)])
        nn.init.normal_(self.aux[0].weight)
        self.norm = nn.BatchNorm1d(3)
        self.rnn = nn.LSTM(3, 4)
        self.old = nn.ModuleList([nn.Linear(8, 2), nn.Linear(8, 2)])
        self.head = nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.head(x) + self.old[1](x)
        return result


HELD = """
name: Held
args: {width: 8}
input: [8]
styles: [nn, functional, stateless]
layers:
  - Linear as aux.0: {in_features: 5, out_features: width, bias: false}
    call: none
    init: {weight: normal_}
  - BatchNorm1d as norm: {num_features: 3}
    call: none
  - LSTM as rnn: {input_size: 3, hidden_size: 4}
    call: none
  - Linear as old.${i}: {in_features: width, out_features: 2}
    repeat: 2
    call: none
  - Linear as head: 2
  - y = head + old_1(x)
"""


def test_layers_that_are_only_built() -> None:
    """One of them is called by a later line, the others hold what a checkpoint has."""
    assert_as_by_hand(HELD, Held, torch.randn(3, 8))


class Table(nn.Module):
    def __init__(self, tokens: int, width: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.empty(tokens, width))
        nn.init.normal_(self.table, std=0.02)

    def forward(self) -> Tensor:
        return self.table.tanh()


class Placed(nn.Module):
    def __init__(self, scaled: bool = True) -> None:
        super().__init__()
        self.fc = nn.Linear(8, 8)
        self.place = Table(6, 8)
        self.more = nn.ModuleList([Table(6, 8), Table(6, 8)])
        if scaled:
            self.scale = Table(1, 1)
        self.head = nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.fc(x) + self.place() + self.place() * self.more[0]() + self.more[1]()
        if hasattr(self, "scale"):
            x = x * self.scale()
        result: Tensor = self.head(x)
        return result


PLACED = """
name: Placed
args: {scaled: true}
input: [6, 8]
styles: [nn, functional, stateless]
blocks:
  Table:
    inputs: []
    args: {tokens: required, width: required}
    layers:
      - Parameter as table: {shape: [tokens, width], init: {normal_: {std: 0.02}}}
      - y = table.tanh()
layers:
  - Linear as fc: 8
  - Table as place: {tokens: 6, width: 8}
  - Table as more.${i}: {tokens: 6, width: 8}
    repeat: 2
  - Table as scale: {tokens: 1, width: 1}
    when: scaled
    otherwise: none
  - z = fc + place + place() * more_0 + more_1
  - w = z * scale if scaled else z
  - Linear as head: 2
"""


def test_blocks_without_inputs() -> None:
    assert_as_by_hand(PLACED, Placed, torch.randn(3, 6, 8))
    assert_as_by_hand(PLACED, lambda: Placed(False), torch.randn(3, 6, 8), scaled=False)


def test_what_such_a_block_gives_is_said() -> None:
    assert nngen.load(PLACED).nn_style.Table.__doc__ == "Gives (tokens, width)."
