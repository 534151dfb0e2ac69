"""A stateless model beside the twins: what verification says of it where a module changes its own parameters."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import nngen
from generated.cnn import nn_style, stateless
from nngen.proof.holding import Holding
from nngen.proof.report import Report

BAG = """
name: Bag
{args}input: {{shape: [5], dtype: int64, below: 6}}
layers:
  - EmbeddingBag: {{num_embeddings: 6, embedding_dim: 64, max_norm: {norm}}}
styles: [nn, functional, stateless]
"""
TIED = """
name: Tied
input: [5]
layers:
  - BatchNorm1d as stage${i}:
    repeat: 3
tie: {stage0.weight: stage2.weight}
styles: [nn, functional, stateless]
"""


def verified(text: str) -> Report:
    return nngen.verify(text)


def test_a_table_that_torch_rescales_in_forward_is_not_compared_after_it() -> None:
    report = verified(BAG.format(args="", norm=0.5))
    assert report.equal
    (note,) = (note for note in report.notes if "rescales" in note)
    assert note.startswith(
        "torch rescales bag1.weight in forward, and a stateless model only a copy"
    )
    kinds = {row.what for row in report.rows if row.group.startswith("stateless, train")}
    assert kinds >= {"outputs", "gradients"}
    groups = {row.group for row in report.rows}
    assert "SGD, 3 steps" in groups and "stateless, SGD, 3 steps" not in groups


def test_it_may_be_rescaled_in_eval_mode_alone() -> None:
    text = BAG.format(args="", norm=0.5).replace("styles:", "  - Linear: 64\nstyles:")
    text = text.replace("max_norm: 0.5}", "max_norm: 0.5}\n    from: x")
    text = text.replace("layers:", "layers:\n  - one = F.one_hot(x, 64).float().mean(1)")
    text = text.replace("  - Linear: 64", "  - y = one if training else bag1\n  - Linear: 64")
    assert verified(text).equal


def test_it_may_be_rescaled_with_other_arguments_alone() -> None:
    report = verified(BAG.format(args="args: {norm: null}\n", norm="norm"))
    assert report.equal
    assert "stateless, SGD, 3 steps" in {row.group for row in report.rows}


def test_one_parameter_of_two_layers_stands_where_the_module_has_it() -> None:
    assert verified(TIED).equal


def test_what_is_compiled_is_the_model_s_own_call(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = []

    def compiler(function: Any, **_: object) -> Any:
        compiled.append(function)
        return function

    monkeypatch.setattr(torch, "compile", compiler)
    model = stateless.CNN()
    holding = Holding(model, nn_style.CNN())
    holding.eval().compile(fullgraph=True)
    assert compiled == [model.__call__]
    monkeypatch.setattr(holding, "_stateless_call", lambda *_, **__: "compiled")
    assert holding(torch.randn(2, 1, 28, 28)) == "compiled"


def test_it_may_be_rescaled_beside_a_kernel_that_torch_fuses() -> None:
    attention = (
        "  - TransformerEncoderLayer: {nhead: 2, dim_feedforward: 4, batch_first: true}\nstyles:"
    )
    text = BAG.format(args="", norm=0.001).replace("EmbeddingBag", "Embedding")
    assert verified(text.replace("styles:", attention)).equal
