"""Encoder and decoder layers of transformers, written as blocks of the spec language.

Each becomes a class of the functional twin's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from nngen.catalog.composite_state import block_state
from nngen.catalog.entry import Check, Layer, example
from nngen.catalog.layers.attention import FUSED, may_be_even
from nngen.symbolic.rules import transformer
from nngen.symbolic.tensor import Tensor

Values = Mapping[str, Any]

_ARGUMENTS = (
    "d_model: size, /, nhead: size, dim_feedforward: size = 2048, dropout: probability = 0.1, "
    "activation: 'relu' | 'gelu' = 'relu', layer_norm_eps: float = 1e-5, batch_first: bool = False, "
    "norm_first: bool = False, bias: bool = True"
)
CHECKS = (
    Check(
        "d_model % nhead == 0",
        "nhead",
        "the heads share d_model evenly, but {nhead} does not divide {d_model}",
    ),
)
_OPTIONS = {
    "d_model": "required",
    "nhead": "required",
    "dim_feedforward": 2048,
    "dropout": 0.1,
    "layer_norm_eps": 1e-5,
}


def _dropped(code: str) -> str:
    return f"F.dropout({code}, p=dropout, training=training)"


def _part(kind: str, name: str, call: str, values: Values, **arguments: Any) -> dict[str, Any]:
    """A step of the block: a layer, and the line that calls it."""
    given = arguments if values["bias"] else {**arguments, "bias": False}
    return {f"{kind} as {name}": given, "call": call}


def _attention(name: str, call: str, values: Values, batched: bool) -> dict[str, Any]:
    first = {"batch_first": True} if values["batch_first"] and batched else {}
    return _part(
        "MultiheadAttention",
        name,
        call,
        values,
        embed_dim="d_model",
        num_heads="nhead",
        dropout="dropout",
        **first,
    )


def _norm(name: str, call: str, values: Values) -> dict[str, Any]:
    return _part("LayerNorm", name, call, values, normalized_shape="d_model", eps="layer_norm_eps")


def _feed_forward(values: Values, source: str, last: str) -> Iterator[dict[str, Any]]:
    hidden = _dropped(f"F.{values['activation']}(linear1({source}))")
    yield _part(
        "Linear",
        "linear1",
        f"y = {hidden}",
        values,
        in_features="d_model",
        out_features="dim_feedforward",
    )
    yield _part(
        "Linear",
        "linear2",
        last,
        values,
        in_features="dim_feedforward",
        out_features="d_model",
    )


def is_batched(tensor: Tensor) -> bool:
    return tensor.shape is None or len(tensor.shape) == 3


def _encoder_block(values: Values) -> dict[str, Any]:
    batched = is_batched(values["src"])
    masks = (
        "key_padding_mask=src_key_padding_mask, need_weights=False, attn_mask=src_mask, "
        "is_causal=is_causal"
    )
    if values["norm_first"]:
        steps: list[Any] = [
            _norm("norm1", "y = norm1(src)", values),
            _attention("self_attn", f"y, _ = self_attn(y, y, y, {masks})", values, batched),
            f"x = src + {_dropped('y')}",
            _norm("norm2", "y = norm2(x)", values),
            *_feed_forward(values, "y", f"x = x + {_dropped('linear2(y)')}"),
        ]
    else:
        steps = [
            _attention("self_attn", f"y, _ = self_attn(src, src, src, {masks})", values, batched),
            _norm("norm1", f"x = norm1(src + {_dropped('y')})", values),
            *_feed_forward(values, "x", "y = linear2(y)"),
            _norm("norm2", f"x = norm2(x + {_dropped('y')})", values),
        ]
    inputs = ["src", "src_mask", "src_key_padding_mask", "is_causal"]
    return {"args": _OPTIONS, "inputs": inputs, "layers": steps, "outputs": "x"}


def _decoder_block(values: Values) -> dict[str, Any]:
    batched = is_batched(values["tgt"])
    own, other = (
        f"key_padding_mask={name}_key_padding_mask, need_weights=False, attn_mask={name}_mask, "
        f"is_causal={name}_is_causal"
        for name in ("tgt", "memory")
    )
    if values["norm_first"]:
        steps: list[Any] = [
            _norm("norm1", "y = norm1(tgt)", values),
            _attention("self_attn", f"y, _ = self_attn(y, y, y, {own})", values, batched),
            f"x = tgt + {_dropped('y')}",
            _norm("norm2", "y = norm2(x)", values),
            _attention(
                "multihead_attn",
                f"y, _ = multihead_attn(y, memory, memory, {other})",
                values,
                batched,
            ),
            f"x = x + {_dropped('y')}",
            _norm("norm3", "y = norm3(x)", values),
            *_feed_forward(values, "y", f"x = x + {_dropped('linear2(y)')}"),
        ]
    else:
        steps = [
            _attention("self_attn", f"y, _ = self_attn(tgt, tgt, tgt, {own})", values, batched),
            _norm("norm1", f"x = norm1(tgt + {_dropped('y')})", values),
            _attention(
                "multihead_attn",
                f"y, _ = multihead_attn(x, memory, memory, {other})",
                values,
                batched,
            ),
            _norm("norm2", f"x = norm2(x + {_dropped('y')})", values),
            *_feed_forward(values, "x", "y = linear2(y)"),
            _norm("norm3", f"x = norm3(x + {_dropped('y')})", values),
        ]
    inputs = [
        *("tgt", "memory", "tgt_mask", "memory_mask", "tgt_key_padding_mask"),
        *("memory_key_padding_mask", "tgt_is_causal", "memory_is_causal"),
    ]
    return {"args": _OPTIONS, "inputs": inputs, "layers": steps, "outputs": "x"}


def fused(batch_first: bool, bias: bool, nhead: Any, source: Tensor) -> str:
    """The note on a layer of which torch has a fused kernel for eval mode without grad."""
    return FUSED if batch_first and bias and may_be_even(nhead) and is_batched(source) else ""


def _encoder_layer_note(values: Values) -> str:
    return fused(values["batch_first"], values["bias"], values["nhead"], values["src"])


def _decoder_layer_note(values: Values) -> str:
    return fused(values["batch_first"], values["bias"], values["nhead"], values["tgt"])


def fixed(*shape: int, dtype: str = "float32") -> dict[str, Any]:
    return {"shape": list(shape), "dtype": dtype, "batch": False}


MASK = {"shape": [4], "dtype": "bool"}
_ENCODER_ORDER = ("self_attn", "linear1", "linear2", "norm1", "norm2")
_DECODER_ORDER = ("self_attn", "multihead_attn", "linear1", "linear2", "norm1", "norm2", "norm3")
_CALL = "y = decoder_layer1(x, memory, {})"

LAYERS = (
    Layer(
        "TransformerEncoderLayer",
        "Self-attention, then a feed-forward network; each adds to what it is given, and is normalised.",
        _ARGUMENTS,
        form="",
        shape=transformer.encoder_layer,
        forward="src: Tensor, src_mask: Tensor | None = None, "
        "src_key_padding_mask: Tensor | None = None, is_causal: bool = False",
        infer={"d_model": "src.shape[-1]"},
        checks=CHECKS,
        block=_encoder_block,
        inner_state=partial(block_state, _encoder_block, _ENCODER_ORDER, ("src",)),
        order=_ENCODER_ORDER,
        note=_encoder_layer_note,
        fused="_transformer_encoder_layer_fwd",
        stem="encoder_layer",
        examples=(
            example((4, 6), d_model=6, nhead=2, dim_feedforward=5),
            example((4, 6), nhead=2, dim_feedforward=5, batch_first=True, dropout=0.3),
            example((4, 6), nhead=3, dim_feedforward=5, norm_first=True, activation="gelu"),
            example((4, 6), nhead=2, dim_feedforward=5, bias=False, layer_norm_eps=1e-3),
            example(
                (4, 6),
                MASK,
                fixed(4, 4),
                call="y = encoder_layer1(x, src_key_padding_mask=mask, src_mask=bias)",
                nhead=2,
                dim_feedforward=5,
                batch_first=True,
                norm_first=True,
                bias=False,
            ),
            example(
                (4, 6),
                fixed(4, 4),
                call="y = encoder_layer1(x, mask, is_causal=True)",
                nhead=2,
                dim_feedforward=5,
                batch_first=True,
                activation="relu",
            ),
            example(fixed(4, 6), nhead=2, dim_feedforward=5, batch_first=True),
        ),
    ),
    Layer(
        "TransformerDecoderLayer",
        "Self-attention, attention to a memory, then a feed-forward network; each adds to what it is given, and is "
        "normalised.",
        _ARGUMENTS,
        form="",
        shape=transformer.decoder_layer,
        forward="tgt: Tensor, memory: Tensor, tgt_mask: Tensor | None = None, "
        "memory_mask: Tensor | None = None, tgt_key_padding_mask: Tensor | None = None, "
        "memory_key_padding_mask: Tensor | None = None, tgt_is_causal: bool = False, "
        "memory_is_causal: bool = False",
        infer={"d_model": "tgt.shape[-1]"},
        checks=CHECKS,
        block=_decoder_block,
        inner_state=partial(block_state, _decoder_block, _DECODER_ORDER, ("tgt", "memory")),
        order=_DECODER_ORDER,
        note=_decoder_layer_note,
        stem="decoder_layer",
        examples=(
            example((4, 6), (4, 6), d_model=6, nhead=2, dim_feedforward=5),
            example((4, 6), (3, 6), nhead=2, dim_feedforward=5, batch_first=True, dropout=0.3),
            example((4, 6), (4, 6), nhead=3, dim_feedforward=5, norm_first=True, activation="gelu"),
            example((4, 6), (4, 6), nhead=2, dim_feedforward=5, bias=False, layer_norm_eps=1e-3),
            example(
                (4, 6),
                (4, 6),
                MASK,
                fixed(4, 4),
                call=_CALL.format(
                    "tgt_key_padding_mask=mask, tgt_mask=bias, memory_key_padding_mask=mask, "
                    "memory_mask=bias"
                ),
                nhead=2,
                dim_feedforward=5,
                batch_first=True,
                norm_first=True,
                bias=False,
            ),
            example(
                (4, 6),
                (4, 6),
                fixed(4, 4),
                call=_CALL.format("mask, mask, tgt_is_causal=True, memory_is_causal=True"),
                nhead=2,
                dim_feedforward=5,
                batch_first=True,
                activation="relu",
            ),
            example(fixed(4, 6), fixed(4, 6), nhead=2, dim_feedforward=5, batch_first=True),
        ),
    ),
)

FUNCTIONS = ()
