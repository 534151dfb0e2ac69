"""Recurrent layers, attention and transformers: what their examples in the catalog do not show."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import nn

import nngen
from nngen.errors import SpecError
from nngen.proof.loading import Pair
from tests.support import settled


@pytest.fixture(autouse=True, scope="module")
def settle() -> Iterator[None]:
    with settled():
        yield


def spec(*layers: Any, **more: Any) -> dict[str, Any]:
    inputs = more.pop("inputs", {"x": [4, 6], "z": [4, 6]})
    return {"name": "Model", "inputs": inputs, "layers": list(layers), **more}


def verified(given: dict[str, Any]) -> None:
    report = nngen.verify(given, steps=1)
    assert not report.findings
    assert [row for row in report.rows if not row.equal] == []


def functional(pair: Pair) -> str:
    return inspect.getsource(pair.functional_style.Model.forward)


ENCODER = {"TransformerEncoderLayer": {"nhead": 2, "dim_feedforward": 5, "dropout": 0.2}}
DECODER = {"TransformerDecoderLayer": {"nhead": 2, "dim_feedforward": 5, "batch_first": True}}
ATTENTION = {"MultiheadAttention as a": {"num_heads": 2, "batch_first": True}}

FLOWS = {
    "an operand that a form reads twice is computed once": spec(
        {"Dropout as d": 0.5, "from": "x"},
        {"LSTM as a": {"hidden_size": 6}, "call": "y, _ = a(d(d))"},
        "w = y + z",
    ),
    "two calls of a layer in one line": spec(
        {"LSTM as a": {"hidden_size": 6, "num_layers": 2, "dropout": 0.3}, "call": "y, s = a(x)"},
        "w = a(y, s)[0] + a(z)[0]",
    ),
    "a layer without a call gives all its values": spec(
        {"GRU as a": 3, "from": "x"}, "w = a[0] + z[..., :3]"
    ),
    "names that helpers would have": spec(
        {"LSTM as a": 6, "call": "a_zeros, (a_output, _) = a(x)"},
        "a_h_n = a_zeros * 2",
        "w, _ = a(a_h_n + a_output.sum() + z)",
    ),
    "the state that a layer gives goes in again": spec(
        {"LSTM as a": 6, "call": "_, s = a(x)"},
        {"LSTM as b": 6, "call": "w, s = b(z, s)"},
        {"LSTMCell as c": 6, "call": "h, c2 = c(w[0], (s[0][0], s[1][0]))"},
        outputs="(w, h, c2)",
    ),
    "attention to a tensor under another name": spec(
        {"Identity as i": {}, "from": "x"},
        {**ATTENTION, "call": "y, w = a(x, i, i)"},
        "v, _ = a(z, z, i + y)",
        outputs="(v, w)",
    ),
    "an encoder without sizes, in a block": spec(
        {"Mixer as m1": {"width": "dim"}, "from": "x"},
        {"Mixer as m2": {"width": 4, "depth": 1}},
        "w = m2 + z",
        args={"dim": 5},
        blocks={
            "Mixer": {
                "args": {"width": "required", "depth": 2, "drop": 0.3},
                "layers": [
                    {
                        "TransformerEncoder": {
                            "encoder_layer": {
                                "TransformerEncoderLayer": {
                                    "nhead": 2,
                                    "dim_feedforward": "2 * width",
                                    "dropout": "drop",
                                }
                            },
                            "num_layers": "depth",
                            "norm": {"LayerNorm": {}},
                        }
                    },
                    {"Linear": "in_features"},
                ],
            }
        },
    ),
    "layers of several kinds in a Sequential and a repeat": spec(
        {"Sequential as s": [{**ENCODER, "repeat": 2}, {"Linear": 6}], "from": "x"},
        {**ENCODER, "repeat": 2},
        {
            "TransformerEncoderLayer as e": {
                **ENCODER["TransformerEncoderLayer"],
                "norm_first": True,
                "activation": "gelu",
            }
        },
        "w = e + s(z)",
    ),
    "a mask in one call and none in the other": spec(
        {
            "TransformerDecoder as d": {"decoder_layer": DECODER, "num_layers": 2},
            "from": ["x", "z"],
        },
        "mask = torch.full((4, 4), -torch.inf).triu(diagonal=1)",
        "w = d(d, z, mask) + d(d, x, mask[None].expand(2 * x.shape[0], -1, -1))",
    ),
    "sequences of several lengths": spec(
        "p = nn.utils.rnn.pack_padded_sequence(x, [4, 2, 1], batch_first=True)",
        {"GRU as a": {"hidden_size": 5, "num_layers": 2, "dropout": 0.3}, "call": "p, h = a(p)"},
        {"LSTM as b": {"hidden_size": 5, "proj_size": 3}, "call": "p, (_, c) = b(p)"},
        "y, lengths = nn.utils.rnn.pad_packed_sequence(p, batch_first=True)",
        {"Linear as head": 2, "from": "y"},
        inputs={"x": {"shape": [3, 4, 6], "batch": False}},
        outputs="(head, lengths, h, c)",
    ),
    "sequences in any order, with a state": spec(
        "p = nn.utils.rnn.pack_padded_sequence(x, [2, 4, 1], enforce_sorted=False, batch_first=True)",
        {"RNN as a": {"hidden_size": 5, "nonlinearity": "relu"}, "call": "q, h = a(p, h0)"},
        {
            "LSTM as b": {"hidden_size": 5, "bidirectional": True, "bias": False},
            "call": "p, s = b(p, (torch.cat([h, h0]), torch.cat([h0, h])))",
        },
        "y, _ = nn.utils.rnn.pad_packed_sequence(p, total_length=6)",
        "w, lengths = nn.utils.rnn.pad_packed_sequence(q, padding_value=-1.0)",
        inputs={
            "x": {"shape": [3, 4, 6], "batch": False},
            "h0": {"shape": [1, 3, 5], "batch": False},
        },
        outputs="(y, w, lengths, s)",
    ),
    "weights that rules draw anew": spec(
        {"TransformerEncoder as e": {"encoder_layer": ENCODER, "num_layers": 2}, "from": "x"},
        {**ATTENTION, "call": "y, _ = a(e, e, z)"},
        {"Linear": 6},
        init={
            "Linear.weight": {"normal_": {"std": 0.02}},
            "MultiheadAttention.in_proj_weight": {"normal_": {"std": 0.3}},
            "*.self_attn.out_proj.bias": "ones_",
        },
    ),
}


@pytest.mark.parametrize("name", FLOWS)
def test_twins_are_equal(name: str) -> None:
    verified(FLOWS[name])


def test_drawing_comes_once() -> None:
    pair = nngen.load(FLOWS["an operand that a form reads twice is computed once"])
    assert functional(pair).count("F.dropout") == 2


@pytest.mark.parametrize("line", ["a(x, z, z)", "a(x, x, z)", "a(x, z, x)", "a(x, x, x)"])
def test_attention_sees_when_tensors_are_one(line: str) -> None:
    """torch projects by other products where query, key and value are one tensor."""
    pair = nngen.load(spec({**ATTENTION, "call": f"y, _ = {line}"}, "w = y + z"))
    tensor = torch.randn(3, 4, 6)
    results = []
    for style in (pair.nn_style, pair.functional_style):
        torch.manual_seed(0)
        leaf = tensor.clone().requires_grad_()
        output = style.Model()(leaf, leaf)
        output.sum().backward()
        results.append((output, leaf.grad))
    assert all(map(torch.equal, *results))


def test_what_cannot_be_one_tensor_is_not_compared() -> None:
    linear = [{f"Linear as {name}": 6, "from": "x"} for name in "qkv"]
    pair = nngen.load(spec(*linear, {**ATTENTION, "call": "y, _ = a(q, k, v)"}, "w = y + z"))
    assert " is " not in functional(pair)


def test_copies_start_alike() -> None:
    pair = nngen.load(
        spec(
            {"TransformerEncoder as e": {"encoder_layer": ENCODER, "num_layers": 3}},
            inputs={"x": [6]},
        )
        | {"inputs": {"x": [4, 6]}}
    )
    layers = pair.functional_style.Model().e_layers
    assert len(layers) == 3
    weights = [layer.linear1_weight for layer in layers]
    assert all(torch.equal(weights[0], weight) for weight in weights)
    assert len({id(weight) for weight in weights}) == 3


def test_keys_are_torchs_and_back() -> None:
    norm = {"LayerNorm": 6}
    stack = {"encoder_layer": ENCODER, "num_layers": 2, "norm": norm}
    pair = nngen.load(spec({"TransformerEncoder as e": stack}, inputs={"x": [4, 6]}))
    layer = nn.TransformerEncoderLayer(6, 2, 5)
    theirs = nn.TransformerEncoder(layer, 2, nn.LayerNorm(6)).state_dict()
    state = pair.nn_style.Model().state_dict()
    assert list(state) == [f"e.{key}" for key in theirs]
    renamed = pair.to_functional(state)
    assert "e_layers.1.self_attn_in_proj_weight" in renamed
    pair.functional_style.Model().load_state_dict(renamed)
    assert list(pair.to_nn(renamed)) == list(state)


def test_a_class_for_each_variant() -> None:
    pair = nngen.load(FLOWS["layers of several kinds in a Sequential and a repeat"])
    classes = [
        name
        for name, value in vars(pair.functional_style).items()
        if isinstance(value, type) and issubclass(value, nn.Module)
    ]
    assert sorted(classes) == ["Model", "TransformerEncoderLayer", "TransformerEncoderLayer2"]


def test_a_model_may_have_the_name_of_a_layer() -> None:
    given = spec({"TransformerEncoderLayer as e": 2}, inputs={"x": [4, 6]})
    verified({**given, "name": "TransformerEncoderLayer"})


SLIPS = {
    "apart beside 'lstm1': `call: y, _ = lstm1(…)`": spec({"LSTM": 4, "from": "x"}, {"Linear": 3}),
    "whether the input has a batch dimension": spec(
        "w = x[z > 0]",
        {"LSTM": {"input_size": 6, "hidden_size": 4}, "call": "y, _ = lstm1(w)"},
    ),
    "the state is a hidden state and a cell state": spec(
        {"LSTM as a": 6, "call": "y, _ = a(x, (z, z, z))"}
    ),
    "which would come before the random numbers": spec(
        {"Dropout as d": 0.5, "from": "x"},
        {"LSTM as a": 6, "call": "y, _ = a(d)"},
        "w = d(y) + a(z)[0]",
    ),
    "the lengths must fall": spec("p = nn.utils.rnn.pack_padded_sequence(x, [1, 2, 4, 3])"),
    "input_size of GRU is 3, but the input has 6": spec(
        "p = nn.utils.rnn.pack_padded_sequence(x[:2], [4, 3], batch_first=True)",
        {"GRU": {"input_size": 3, "hidden_size": 2}, "call": "y, _ = gru1(p)"},
    ),
    "must be smaller than hidden_size": spec(
        {"LSTM": {"hidden_size": 4, "proj_size": 4}, "call": "y, _ = lstm1(x)"}
    ),
    "the heads share embed_dim evenly": spec({"MultiheadAttention": 4, "from": ["x", "x", "z"]}),
    "`kdim: 3` tells the layer": spec({**ATTENTION, "call": "y, _ = a(x, z[..., :3], z)"}),
    "is_causal is a hint on attn_mask": spec(
        {**ATTENTION, "call": "y, _ = a(x, x, z, is_causal=True)"}
    ),
    "attn_mask must have the shape": spec(
        {**ATTENTION, "call": "y, _ = a(x, x, x, attn_mask=z[0, 0])"}
    ),
    "takes a layer (TransformerEncoderLayer), not Linear": spec(
        {"TransformerEncoder": {"encoder_layer": {"Linear": 3}, "num_layers": 2}, "from": "x"}
    ),
    "a layer that is an argument has arguments only": spec(
        {
            "TransformerEncoder": {
                "encoder_layer": {"TransformerEncoderLayer as e": 2},
                "num_layers": 2,
            },
            "from": "x",
        }
    ),
    "with a batch dimension and without": spec(
        {
            "TransformerEncoderLayer as e": {"nhead": 2, "batch_first": True},
            "from": "x",
        },
        "w = e(z[0])",
    ),
}


@pytest.mark.parametrize("message", SLIPS)
def test_slips_are_refused(message: str) -> None:
    with pytest.raises(SpecError) as caught:
        nngen.load(SLIPS[message])
    assert message in str(caught.value)
