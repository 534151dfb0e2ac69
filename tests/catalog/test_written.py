"""What the catalog says of a layer's changes in place, against what torch's own module changes."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import nn

import nngen
from nngen.emit.held import states_of
from nngen.pipeline import Compilation
from nngen.proof.feed import draw_feed
from nngen.proof.loading import Pair
from tests.support import cases, settled

# What `max_norm` rescales.
_TABLES = {"embed1.weight", "bag1.weight"}
SPECTRAL = """
name: M
input: [4, 5]
layers:
  - {Linear: 3, spectral_norm: {}}
"""


@pytest.fixture(autouse=True)
def _settled() -> Iterator[None]:
    with settled():
        yield


def changed(pair: Pair, training: bool) -> set[str]:
    """The parameters and buffers that a step forward changes."""
    subject = pair.subject()
    model: nn.Module = getattr(pair.nn_style, subject.name)(**subject.arguments)
    state = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    for tensor in state.values():  # those that torch leaves undrawn are NaN here
        torch.nan_to_num_(tensor.detach())
    before = copy.deepcopy(state)
    model.train(training)(*draw_feed(subject, 3, 0).inputs.values())
    return {name for name, tensor in state.items() if not torch.equal(tensor, before[name])}


def written(pair: Pair) -> set[str]:
    """The buffers that the catalog says forward changes."""
    (model,) = (each for each in Compilation(pair.spec).program.classes if each.flow.body.layers)
    return {each.key for each in states_of(model.flow) if each.written}


def is_simple(case: Any) -> bool:
    return case.entry.block is None and case.entry.parts is None and not case.is_loss


@pytest.mark.parametrize("case", filter(is_simple, cases()), ids=str)
def test_forward_changes_what_the_catalog_says(case: Any) -> None:
    pair = case.pair
    rescaled = _TABLES if case.example.arguments.get("max_norm") else set()
    assert changed(pair, training=True) - rescaled <= written(pair)
    assert changed(pair, training=False) <= rescaled


@pytest.mark.parametrize("case", [case for case in cases() if case.number == 0], ids=str)
def test_what_is_said_to_change_does(case: Any) -> None:
    pairs = [each.pair for each in cases() if each.entry is case.entry and is_simple(each)]
    said = {name for pair in pairs for name in written(pair)}
    assert not said or said <= {name for pair in pairs for name in changed(pair, training=True)}


def test_spectral_norm_moves_its_vectors_in_train_mode() -> None:
    pair = nngen.load(SPECTRAL)
    vectors = {f"fc1.parametrizations.weight.0._{name}" for name in "uv"}
    assert changed(pair, training=True) == written(pair) == vectors
    assert not changed(pair, training=False)
