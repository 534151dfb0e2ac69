"""A recurrent layer's weights are named once in the functional twin, and stay those of torch's."""

from __future__ import annotations

import copy
import re

import pytest
import torch
from torch import nn

import nngen
from nngen.language import document
from nngen.language import spec as specs
from nngen.pipeline import Compilation

LAYERS = {
    "LSTM: 6": nn.LSTM(5, 6),
    "GRU: {hidden_size: 6, num_layers: 2, bidirectional: true}": nn.GRU(
        5, 6, num_layers=2, bidirectional=True
    ),
    "RNN: {hidden_size: 6, num_layers: 2, bias: false}": nn.RNN(5, 6, num_layers=2, bias=False),
    "LSTM: {hidden_size: 6, proj_size: 2}": nn.LSTM(5, 6, proj_size=2),
}


def spec_of(layer: str, before: str = "") -> str:
    kind, _, arguments = layer.partition(": ")
    return (
        f"name: M\ninput: [4, 5]\nlayers:\n{before}"
        f"  - {kind} as it: {arguments}\n    call: y, _ = it(x)\n"
    )


def functional(text: str) -> str:
    spec = specs.from_node(document.parse(text, "text"), "text")
    return Compilation(spec).files["functional_style.py"]


@pytest.mark.parametrize("layer", LAYERS)
def test_each_weight_is_named_once(layer: str) -> None:
    text = functional(spec_of(layer))
    for name, _ in LAYERS[layer].named_parameters():
        assert len(re.findall(rf"\bit_{name}\b", text)) == 1
    assert text.count("[getattr(self, name) for name in self.it_names]") == 1


@pytest.mark.parametrize("layer", LAYERS)
def test_draws_and_outputs_are_those_of_torch(layer: str) -> None:
    torch.manual_seed(0)
    kind, made = type(LAYERS[layer]), LAYERS[layer]
    own = kind(
        5,
        6,
        made.num_layers,
        **{k: getattr(made, k) for k in ("bias", "bidirectional")},
        **({"proj_size": made.proj_size} if kind is nn.LSTM else {}),
    )
    torch.manual_seed(0)
    twin = nngen.load(spec_of(layer)).functional_style.M()
    assert list(twin.state_dict()) == [f"it_{name}" for name in own.state_dict()]
    pairs = zip(own.parameters(), twin.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)
    x = torch.randn(3, 4, 5)
    assert torch.equal(own(x)[0], twin(x))


def test_a_weight_that_is_replaced_is_the_one_that_is_used() -> None:
    twin = nngen.load(spec_of("LSTM: 6")).functional_style.M()
    x = torch.randn(3, 4, 5)
    zeros = {key: torch.zeros_like(value) for key, value in twin.state_dict().items()}
    assert torch.equal(torch.func.functional_call(twin, zeros, (x,)), torch.zeros(3, 4, 6))
    other = copy.deepcopy(twin)
    other.load_state_dict(zeros, assign=True)
    assert torch.equal(other(x), torch.zeros(3, 4, 6))
    assert not torch.equal(twin(x), other(x))


def test_other_names_that_begin_alike() -> None:
    listed = "            [\n                self.it_weight_ih_l0,\n"
    assert listed in functional(spec_of("LSTM: 6", "  - Linear as it_fc: 5\n  - x = 2 * it_fc\n"))
    parameter = "  - Parameter as it_names: {shape: [5], init: zeros_}\n  - x = x + it_names\n"
    assert listed in functional(spec_of("LSTM: 6", parameter))
    # The constructor has not come to this one yet.
    text = functional(spec_of("LSTM: 6") + "  - Linear as it_fc: 5\n")
    assert "for name in self.it_names" in text


def test_an_attribute_of_that_name() -> None:
    after = "  - Parameter as it_names: {shape: [6], init: zeros_}\n  - z = y + it_names\n"
    text = functional(spec_of("LSTM: 6") + after)
    assert "[getattr(self, name) for name in self.it_names_]" in text


def test_few_weights_are_named_where_they_are_used() -> None:
    text = functional(spec_of("GRU: {hidden_size: 6, bias: false}"))
    assert "[self.it_weight_ih_l0, self.it_weight_hh_l0]," in text
