"""A key that the model does not have gets an error that names it, and the key that was probably meant."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch

import nngen

LAYERS = """
name: Net
input: [3, 8]
layers:
  - Conv1d as conv: 4
    weight_norm: {}
  - BatchNorm1d as norm
  - Flatten
  - Linear as fc: 2
    spectral_norm: {}
"""
LIST = """
name: Deep
input: [3, 8]
blocks:
  Block:
    layers:
      - Conv1d as conv: {out_channels: 3, kernel_size: 1}
        weight_norm: {}
layers:
  - Block as blocks:
    repeat: 12
"""
LAYERS = LAYERS.replace("conv: 4", "conv: {out_channels: 4, kernel_size: 3}")
NOTHING = "name: Empty\ninput: [4]\nlayers: [ReLU]\n"

TO_FUNCTIONAL = {
    # torch.nn.utils.weight_norm and spectral_norm, before there were parametrizations
    (LAYERS, "conv.weight_g"): "conv.parametrizations.weight.original0",
    (LAYERS, "conv.weight_v"): "conv.parametrizations.weight.original1",
    (LAYERS, "fc.weight_orig"): "fc.parametrizations.weight.original",
    (LAYERS, "fc.weight_u"): "fc.parametrizations.weight.0._u",
    (LAYERS, "fc.weight_v"): "fc.parametrizations.weight.0._v",
    (LIST, "blocks.11.conv.weight_g"): "blocks.*.conv.parametrizations.weight.original0",
    (LIST, "blocks.3.conv.weight_v"): "blocks.*.conv.parametrizations.weight.original1",
    # misspelt, in either style
    (LAYERS, "norm.runing_mean"): "norm.running_mean",
    (LAYERS, "norm_runing_mean"): "norm.running_mean",
    (LIST, "blocks.3.conv.bais"): "blocks.*.conv.bias",
    (LAYERS, "model"): "",
    (NOTHING, "fc.weight"): "",
}


@pytest.mark.parametrize(
    ("case", "meant"), TO_FUNCTIONAL.items(), ids=[key for _, key in TO_FUNCTIONAL]
)
def test_a_key_that_the_nn_style_does_not_have(case: tuple[str, str], meant: str) -> None:
    pair = nngen.load(case[0])
    with pytest.raises(KeyError) as caught:
        pair.to_functional({case[1]: torch.ones(1)})
    hint = f"; did you mean '{meant}'?" if meant else ""
    assert caught.value.args == (f"{pair.graph.model.name} has no key '{case[1]}'{hint}",)
    assert str(caught.value) == f'"{caught.value.args[0]}"'  # as Python shows it: one line


TO_NN = {
    (LAYERS, "conv.weight"): "conv_weight_v",
    (LIST, "blocks.0.conv_bais"): "blocks.*.conv_bias",
}


@pytest.mark.parametrize(("case", "meant"), TO_NN.items(), ids=[key for _, key in TO_NN])
def test_a_key_that_the_functional_style_does_not_have(case: tuple[str, str], meant: str) -> None:
    pair = nngen.load(case[0])
    with pytest.raises(
        KeyError, match=f"has no key '{case[1]}'; did you mean '{re.escape(meant)}'"
    ):
        pair.to_nn({case[1]: torch.ones(1)})


@pytest.mark.parametrize(
    ("text", "nn", "functional"),
    [
        (LAYERS, "norm.weight", "norm_weight"),
        (LAYERS, "conv.parametrizations.weight.original0", "conv_weight_g"),
        (LIST, "blocks.11.conv.bias", "blocks.11.conv_bias"),
    ],
)
def test_a_key_of_the_other_style_or_of_a_wrapper(text: str, nn: str, functional: str) -> None:
    pair = nngen.load(text)
    for rename, own, other, back in (
        (pair.to_functional, nn, functional, "to_nn"),
        (pair.to_nn, functional, nn, "to_functional"),
    ):
        hint = f"; it is named in the other style already: {back} renames it"
        assert refused(rename, other).endswith(f"has no key {other!r}{hint}")
        for key in (f"module.{own}", f"_orig_mod.{own}", f"module._orig_mod.{own}"):
            hint = f"; take off what DataParallel or torch.compile has put before {own!r}"
            assert refused(rename, key).endswith(f"has no key {key!r}{hint}")


def refused(rename: Callable[[dict[str, Any]], object], key: str) -> str:
    with pytest.raises(KeyError) as caught:
        rename({key: torch.ones(1)})
    return str(caught.value.args[0])


def test_the_keys_of_models_within_others() -> None:
    pair = nngen.load(LAYERS)
    model = torch.nn.DataParallel(pair.nn_style.Net())
    first = next(iter(model.state_dict()))
    assert f"has put before '{first.removeprefix('module.')}'" in refused(pair.to_functional, first)


@pytest.mark.parametrize("text", [LAYERS, LIST, NOTHING])
def test_what_is_there_is_renamed_and_back(text: str) -> None:
    pair = nngen.load(text)
    name = pair.graph.model.name
    state = getattr(pair.nn_style, name)().state_dict()
    renamed = pair.to_functional(state)
    assert renamed.keys() == getattr(pair.functional_style, name)().state_dict().keys()
    assert pair.to_nn(renamed).keys() == state.keys()
