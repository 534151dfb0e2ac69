"""Rules of the transformer layers: a sequence keeps its shape."""

from __future__ import annotations

from typing import Any

from nngen.symbolic.rules.attention import multihead_attention
from nngen.symbolic.sizes import Dim
from nngen.symbolic.tensor import Tensor


def encoder_layer(
    src: Tensor,
    src_mask: Any,
    src_key_padding_mask: Any,
    is_causal: Any,
    d_model: Dim,
    nhead: Dim,
    batch_first: bool,
) -> Tensor:
    """(L, N, d_model), batch first or without batch."""
    _require(src, src, src_key_padding_mask, src_mask, is_causal, d_model, nhead, batch_first)
    return src


def decoder_layer(
    tgt: Tensor,
    memory: Tensor,
    tgt_mask: Any,
    memory_mask: Any,
    tgt_key_padding_mask: Any,
    memory_key_padding_mask: Any,
    tgt_is_causal: Any,
    memory_is_causal: Any,
    d_model: Dim,
    nhead: Dim,
    batch_first: bool,
) -> Tensor:
    """Targets (T, N, d_model) with a memory (S, N, d_model), batch first or without batch."""
    sizes = (d_model, nhead, batch_first)
    _require(tgt, tgt, tgt_key_padding_mask, tgt_mask, tgt_is_causal, *sizes)
    _require(tgt, memory, memory_key_padding_mask, memory_mask, memory_is_causal, *sizes)
    return tgt


def encoder(
    src: Tensor, mask: Any, src_key_padding_mask: Any, is_causal: Any, encoder_layer: Any
) -> Tensor:
    """The rule of its layers."""
    _require(src, src, src_key_padding_mask, mask, is_causal, *_sizes(encoder_layer.values))
    return src


def decoder(
    tgt: Tensor,
    memory: Tensor,
    tgt_mask: Any,
    memory_mask: Any,
    tgt_key_padding_mask: Any,
    memory_key_padding_mask: Any,
    tgt_is_causal: Any,
    memory_is_causal: Any,
    decoder_layer: Any,
) -> Tensor:
    """The rule of its layers."""
    sizes = _sizes(decoder_layer.values)
    _require(tgt, tgt, tgt_key_padding_mask, tgt_mask, tgt_is_causal, *sizes)
    _require(tgt, memory, memory_key_padding_mask, memory_mask, memory_is_causal, *sizes)
    return tgt


def transformer(
    src: Tensor,
    tgt: Tensor,
    src_mask: Any,
    tgt_mask: Any,
    memory_mask: Any,
    src_key_padding_mask: Any,
    tgt_key_padding_mask: Any,
    memory_key_padding_mask: Any,
    src_is_causal: Any,
    tgt_is_causal: Any,
    memory_is_causal: Any,
    d_model: Dim,
    nhead: Dim,
    batch_first: bool,
) -> Tensor:
    """A source (S, N, d_model) and targets (T, N, d_model), batch first or without batch."""
    sizes = (d_model, nhead, batch_first)
    _require(src, src, src_key_padding_mask, src_mask, src_is_causal, *sizes)
    _require(tgt, tgt, tgt_key_padding_mask, tgt_mask, tgt_is_causal, *sizes)
    _require(tgt, src, memory_key_padding_mask, memory_mask, memory_is_causal, *sizes)
    return tgt


def _sizes(values: Any) -> tuple[Dim, Dim, bool]:
    return values["d_model"], values["nhead"], values["batch_first"]


def _require(
    query: Tensor,
    source: Tensor,
    padding: Any,
    mask: Any,
    is_causal: Any,
    d_model: Dim,
    nhead: Dim,
    batch_first: bool,
) -> None:
    multihead_attention(
        query,
        source,
        source,
        padding,
        False,
        mask,
        True,
        is_causal,
        d_model,
        nhead,
        add_bias_kv=False,
        add_zero_attn=False,
        kdim=None,
        vdim=None,
        batch_first=batch_first,
    )
