"""A key that the model does not have gets an error that names it, and the key that was probably meant."""

from __future__ import annotations

import re

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
    # of the other style
    (LAYERS, "conv_weight_g"): "conv.parametrizations.weight.original0",
    (LAYERS, "norm_running_mean"): "norm.running_mean",
    (LIST, "blocks.3.conv_bias"): "blocks.*.conv.bias",
    # of DataParallel, of torch.compile, and misspelt
    (LAYERS, "module.norm.weight"): "norm.weight",
    (LAYERS, "_orig_mod.norm.running_var"): "norm.running_var",
    (LAYERS, "norm.runing_mean"): "norm.running_mean",
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
    (LAYERS, "conv.parametrizations.weight.original0"): "conv_weight_g",
    (LAYERS, "norm.running_var"): "norm_running_var",
    (LIST, "blocks.0.conv.bias"): "blocks.*.conv_bias",
}


@pytest.mark.parametrize(("case", "meant"), TO_NN.items(), ids=[key for _, key in TO_NN])
def test_a_key_that_the_functional_style_does_not_have(case: tuple[str, str], meant: str) -> None:
    pair = nngen.load(case[0])
    with pytest.raises(
        KeyError, match=f"has no key '{case[1]}'; did you mean '{re.escape(meant)}'"
    ):
        pair.to_nn({case[1]: torch.ones(1)})


@pytest.mark.parametrize("text", [LAYERS, LIST, NOTHING])
def test_what_is_there_is_renamed_and_back(text: str) -> None:
    pair = nngen.load(text)
    name = pair.graph.model.name
    state = getattr(pair.nn_style, name)().state_dict()
    renamed = pair.to_functional(state)
    assert renamed.keys() == getattr(pair.functional_style, name)().state_dict().keys()
    assert pair.to_nn(renamed).keys() == state.keys()
