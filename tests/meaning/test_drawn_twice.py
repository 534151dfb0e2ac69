"""What a class draws twice, it says once; loops that do the same are one."""

from __future__ import annotations

from nngen.language import document
from nngen.language import spec as specs
from nngen.pipeline import Compilation

SAID = "# Drawn twice, as in nn style, where layers draw their weights when built.\n"


def classes(text: str) -> list[str]:
    """The functional twin's classes."""
    spec = specs.from_node(document.parse("name: M\n" + text, "text"), "text")
    return Compilation(spec).files["functional_style.py"].split("\n\n\nclass ")[1:]


def test_the_first_weight_that_a_rule_draws_again() -> None:
    (model,) = classes(
        "input: [4]\nlayers: [Linear: 4, Linear: 4]\ninit: {Linear.weight: zeros_, Linear.bias: ones_}\n"
    )
    assert f"        {SAID}        nn.init.zeros_(self.fc1_weight)\n" in model
    assert model.count(SAID) == 1


def test_a_rule_beside_a_step() -> None:
    (model,) = classes(
        "input: [4]\nlayers:\n  - Linear: 4\n    init: {bias: zeros_}\n  - Linear: 4\n    init: {bias: zeros_}\n"
    )
    assert f"        {SAID}        nn.init.zeros_(self.fc1_bias)\n" in model
    assert model.count(SAID) == 1


def test_a_method_says_it_where_the_constructor_has_not() -> None:
    block, model = classes(
        "input: [4]\nblocks:\n  Block:\n    layers: [Linear: 4]\nlayers: [Block: ]\ninit: {Linear.weight: zeros_}\n"
    )
    assert (
        f"        {SAID}        nn.init.zeros_(self.fc1_weight)\n" in block.split("init_weights")[1]
    )
    assert SAID not in model


def test_a_layer_that_draws_its_parts_again() -> None:
    (model,) = classes(
        "input: [5, 4]\nlayers:\n  - MultiheadAttention as a: 2\n    call: y, _ = a(x, x, x)\n"
    )
    assert f"        {SAID}        nn.init.zeros_(self.a_out_proj_bias)\n" in model
    stack = classes(
        "inputs: {x: [5, 4], y: [5, 4]}\nlayers:\n  - Transformer as t: {nhead: 2, d_model: 4, dim_feedforward: 4}\n"
        "    from: [x, y]\n"
    )[-1]
    assert f"        {SAID}        for parameter in (\n" in stack


def test_what_is_drawn_once_is_not_remarked_on() -> None:
    (model,) = classes(
        "input: {shape: [5], dtype: int64, below: 9}\nlayers:\n"
        "  - Embedding: {num_embeddings: 9, embedding_dim: 4, padding_idx: 0}\n"
        "  - LSTM as lstm: 4\n    call: y, _ = lstm(embed1)\n"
        "  - Parameter as p: {shape: [4], init: {normal_: {std: 0.1}}}\n  - z = y + p\n"
    )
    assert "Drawn twice" not in model


def test_equal_loops_are_one() -> None:
    *_, model = classes(
        "input: [4]\nblocks:\n  Block:\n    layers: [Linear: 4]\nlayers:\n"
        + "".join(f"  - Sequential as {name}: [Block: , Block: ]\n" for name in ("a", "b", "c"))
        + "  - Linear: 4\n  - Sequential as d: [Block: , Block: ]\ninit: {Linear.weight: zeros_}\n"
    )
    assert """
        for block in (*self.a, *self.b, *self.c):
            assert isinstance(block, Block)
            block.init_weights()
""" in model
    assert "        for block in self.d:\n            assert isinstance(block, Block)\n" in model
