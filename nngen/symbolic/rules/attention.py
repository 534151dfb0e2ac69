"""The rule of multi-head attention, as layer and as function."""

from __future__ import annotations

from typing import Any

from nngen.errors import Fault
from nngen.symbolic.broadcasting import Shape, show
from nngen.symbolic.rules.checks import require_one_dtype, require_weights_dtype
from nngen.symbolic.rules.common import require_rank, require_size, shape_of
from nngen.symbolic.sizes import Dim
from nngen.symbolic.substitution import same
from nngen.symbolic.tensor import Tensor


def multihead_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    key_padding_mask: Any,
    need_weights: bool,
    attn_mask: Any,
    average_attn_weights: bool,
    is_causal: Any,
    embed_dim: Dim,
    num_heads: Dim,
    add_bias_kv: bool,
    add_zero_attn: bool,
    kdim: Dim | None,
    vdim: Dim | None,
    batch_first: bool,
) -> tuple[Tensor, Tensor | None]:
    """Queries (L, N, embed_dim) with keys and values (S, N, …), batch first or without batch."""
    shape = require_rank(query, 2, 3, of="the query")
    sequence = 1 if batch_first and len(shape) == 3 else 0
    for tensor, what, size in (
        (query, "query", embed_dim),
        (key, "key", embed_dim if kdim is None else kdim),
        (value, "value", embed_dim if vdim is None else vdim),
    ):
        _require_sequence(tensor, what, size, shape, sequence)
    length, source = shape[sequence], shape_of(key)[sequence]
    require_size(shape_of(value)[sequence], source, "the length of the value")
    batch = () if len(shape) == 2 else (shape[1 - sequence],)
    if isinstance(key_padding_mask, Tensor):
        require_mask(key_padding_mask, "key_padding_mask", (*batch, source))
    if isinstance(attn_mask, Tensor):
        stacked = num_heads * (batch[0] if batch else 1)
        require_mask(attn_mask, "attn_mask", (length, source), (stacked, length, source))
    elif attn_mask is None and is_causal is True:
        raise Fault("is_causal is a hint on attn_mask, which is missing", "give attn_mask too")
    if need_weights is False:
        return query, None
    heads = () if average_attn_weights else (num_heads,)
    width = source + int(add_bias_kv) + int(add_zero_attn)
    return query, query.sized(*batch, *heads, length, width)


def _require_sequence(tensor: Tensor, what: str, size: Dim, query: Shape, sequence: int) -> None:
    shape = shape_of(tensor)
    if len(shape) != len(query):
        raise Fault(
            f"the {what} must have {len(query)} dimensions, as the query has, not {show(shape)}"
        )
    require_weights_dtype(tensor, what=f"the {what}")
    if what != "query" and same(shape[-1], size) is not True:
        raise Fault(
            f"the last dimension of the {what} is {shape[-1]}, where {size} is wanted",
            f"`{what[0]}dim: {shape[-1]}` tells the layer",
        )
    require_size(shape[-1], size, f"the last dimension of the {what}")
    if len(query) == 3:
        require_size(shape[1 - sequence], query[1 - sequence], f"the batch size of the {what}")


def require_mask(mask: Tensor, name: str, *shapes: Shape) -> None:
    """Refuse a mask that has none of the shapes, or that is neither bool nor float."""
    shape = shape_of(mask)
    if mask.dtype != "bool" and not mask.floating:
        raise Fault(f"{name} must hold bools or floats, not {mask.dtype}")
    fitting = [wanted for wanted in shapes if len(wanted) == len(shape)]
    if not fitting:
        wanted = " or ".join(map(show, shapes))
        raise Fault(f"{name} must have the shape {wanted}, not {show(shape)}")
    for position, (size, right) in enumerate(zip(shape, fitting[0])):
        require_size(size, right, f"dimension {position} of {name}")


def attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    num_heads: Dim,
    bias_k: Tensor | None,
    add_zero_attn: bool,
    key_padding_mask: Tensor | None,
    need_weights: bool,
    attn_mask: Tensor | None,
    average_attn_weights: bool,
    is_causal: bool,
    out_proj_weight: Tensor,
) -> tuple[Tensor, Tensor | None]:
    """F.multi_head_attention_forward: (L, N, E) and (S, N, …), or without batch."""
    require_one_dtype(query, key, value, out_proj_weight)
    return multihead_attention(
        query,
        key,
        value,
        key_padding_mask,
        need_weights,
        attn_mask,
        average_attn_weights,
        is_causal,
        shape_of(query)[-1],
        num_heads,
        bias_k is not None,
        add_zero_attn,
        shape_of(key)[-1],
        shape_of(value)[-1],
        batch_first=False,
    )
