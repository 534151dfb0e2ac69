"""An argument, or a name under `let`, that nothing uses is an error; one that anything uses is none."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

import nngen
from nngen.errors import SpecError

UNUSED = {
    "of the model": (
        "{name: A, args: {foo: 3}, input: [8], layers: [{Linear: 2}]}",
        "nothing uses the argument 'foo' of A",
    ),
    "of a block, given by its user": (
        "{name: A, input: [8], blocks: {B: {args: {foo: 3}, layers: [ReLU]}}, layers: [{B: {foo: 4}}]}",
        "nothing uses the argument 'foo' of B",
    ),
    "under let": (
        "{name: A, args: {n: 3}, let: {twice: 2 * n}, input: [8], layers: [{Linear: n}]}",
        "nothing uses 'twice' under `let`",
    ),
    "by a name under let that nothing uses": (
        "{name: A, args: {n: 3}, let: {twice: 2 * n}, input: [8], layers: [ReLU]}",
        "nothing uses 'twice' under `let`",
    ),
    "under let in a block": (
        "{name: A, input: [8], blocks: {B: {let: {n: 3}, layers: [ReLU]}}, layers: [B]}",
        "nothing uses 'n' under `let`",
    ),
    "in a block, though the model has one of that name": (
        "{name: A, args: {n: 3}, input: [8], blocks: {B: {args: {n: 2}, layers: [ReLU]}}, layers: [{B: {n: n}}]}",
        "nothing uses the argument 'n' of B",
    ),
}


@pytest.mark.parametrize(("text", "message"), UNUSED.values(), ids=UNUSED)
def test_what_nothing_uses(text: str, message: str) -> None:
    with pytest.raises(SpecError) as raised:
        nngen.load(yaml.safe_load(text))
    assert (raised.value.message, raised.value.hint) == (message, "use it, or take it out")


def test_a_slip_in_its_name_is_told_first() -> None:
    with pytest.raises(SpecError, match="not 'wdth'"):
        nngen.load(
            {"name": "A", "args": {"width": 3}, "input": [8], "layers": [{"Linear": "wdth"}]}
        )


USES: dict[str, dict[str, Any]] = {
    "an argument": {"layers": [{"Linear": "n"}]},
    "an argument in a Sequential": {"layers": [{"Sequential": [{"Linear": "n"}, "ReLU"]}]},
    "an argument of a layer that is an argument": {
        "layers": [
            {
                "TransformerEncoder as e": {
                    "encoder_layer": {
                        "TransformerEncoderLayer": {"nhead": "n", "dim_feedforward": 8}
                    },
                    "num_layers": 1,
                }
            }
        ]
    },
    "let": {"let": {"m": "2 * n"}, "layers": [{"Linear": "m"}]},
    "when": {"layers": [{"Linear": 8, "when": "n > 1"}]},
    "repeat": {
        "blocks": {"B": {"layers": [{"Linear": 8}]}},
        "layers": [{"B as b": None, "repeat": "n"}],
    },
    "a line": {"layers": ["y = x * n"]},
    "call": {
        "blocks": {"B": {"inputs": ["a", "b"], "layers": ["y = a + b"]}},
        "layers": [{"B as b": None, "call": "y = b(x, x * n)"}],
    },
    "a step's init": {
        "layers": [{"Linear": 8, "init": {"weight": {"normal_": {"std": "0.1 / n"}}}}]
    },
    "init": {"layers": [{"Linear": 8}], "init": {"Linear.weight": {"normal_": {"std": "0.1 / n"}}}},
    "a parameter's shape": {
        "layers": [{"Parameter as p": {"shape": ["n", 8], "init": "ones_"}}, "y = x * p.sum(0)"]
    },
    "a parameter's init": {
        "layers": [{"Parameter as p": {"shape": [8], "init": {"constant_": "n"}}}, "y = x * p"]
    },
    "a buffer": {"layers": [{"Buffer as p": {"value": "torch.ones(8) * n"}}, "y = x * p"]},
    "outputs": {"layers": ["ReLU as y"], "outputs": "y * n"},
    "an input's shape": {"input": ["2 * n"], "layers": [{"Linear": 8}]},
    "below": {
        "input": {"shape": [4], "dtype": "int64", "below": "n"},
        "layers": [{"Embedding": {"num_embeddings": 9, "embedding_dim": 2}}],
    },
    "a loss of one layer": {
        "layers": [{"Linear": 8}],
        "loss": {"HuberLoss": {"delta": "n"}},
    },
    "a loss in steps": {"layers": ["ReLU as y"], "loss": {"layers": ["total = n * y.mean()"]}},
    "a target's shape": {
        "layers": ["y = x.mean(dim=1, keepdim=True)"],
        "loss": {"inputs": {"t": ["n - 2"]}, "layers": ["total = (y - t).mean()"]},
    },
}


@pytest.mark.parametrize("keys", USES.values(), ids=USES)
def test_uses(keys: dict[str, Any]) -> None:
    spec = {"name": "A", "args": {"n": 2}, "input": [8], **keys}
    if "t" in str(keys.get("loss", {})) and "n - 2" in str(keys):
        spec["args"] = {"n": 3}
    nngen.load(spec)


def test_a_size_of_the_input_is_found_wherever_a_block_mentions_it() -> None:
    """`in_channels` is dimension 1; of a matrix that is the last one, too."""
    block = {"layers": [{"Linear as fc": 8}], "outputs": "fc * in_channels"}
    report = nngen.verify({"name": "A", "input": [8], "blocks": {"B": block}, "layers": ["B"]})
    assert report.equal, report.as_text()
