"""Rules of functions that have no layer: attention, normalize, grid sampling."""

from __future__ import annotations

from typing import Any

from nngen.errors import Fault
from nngen.symbolic.broadcasting import agree, axis, broadcast, show
from nngen.symbolic.rules.common import require_float, require_real, shape_of
from nngen.symbolic.sizes import Dim, value_of
from nngen.symbolic.substitution import same
from nngen.symbolic.tensor import UNKNOWN, Tensor


def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None,
    dropout_p: Any,
    is_causal: bool,
    enable_gqa: bool,
) -> Tensor:
    """F.scaled_dot_product_attention: (…, L, E), (…, S, E), (…, S, V) to (…, L, V)."""
    if dropout_p is not UNKNOWN and dropout_p != 0:
        raise Fault(
            f"a dropout_p of {dropout_p} drops in eval mode too",
            f"`dropout_p={dropout_p} if training else 0.0`",
        )
    if attn_mask is not None and is_causal is True:
        raise Fault("attn_mask and is_causal exclude each other")
    shapes = q, k, v = [shape_of(tensor) for tensor in (query, key, value)]
    if any(len(shape) < 2 for shape in shapes):
        raise Fault("query, key and value must have at least 2 dimensions")
    require_float(query, "query")
    if not query.dtype == key.dtype == value.dtype:
        raise Fault("query, key and value must be of one dtype")
    if not agree(q[-1], k[-1]):
        raise Fault(f"the last dimensions of query {query} and key {key} differ")
    if not agree(k[-2], v[-2]):
        raise Fault(f"key {key} and value {value} differ in length")
    batch = [shape[:-2] for shape in shapes]
    if enable_gqa is True:
        batch = _grouped(query, key, value)
    around = broadcast(*batch) or ()
    if attn_mask is not None:
        _require_mask(attn_mask, query, (*around, q[-2], k[-2]))
    return query.sized(*around, q[-2], v[-1])


def _grouped(query: Tensor, key: Tensor, value: Tensor) -> list[tuple[Dim, ...]]:
    """The batches where several heads of the query share one of the key and value."""
    q, k, v = shape_of(query), shape_of(key), shape_of(value)
    if min(len(q), len(k), len(v)) < 3:
        raise Fault("with enable_gqa the tensors have a dimension of heads, before the last two")
    if any(value_of(q[-3] % heads) not in (0, None) for heads in (k[-3], v[-3])):
        raise Fault(f"{q[-3]} heads cannot share those of key {key} and value {value}")
    return [q[:-2], (*k[:-3], q[-3]), (*v[:-3], q[-3])]


def _require_mask(mask: Tensor, query: Tensor, scores: tuple[Dim, ...]) -> None:
    if mask.dtype not in ("bool", query.dtype):
        raise Fault(f"attn_mask must be of dtype bool or {query.dtype}, not {mask.dtype}")
    if len(shape_of(mask)) < 2 or broadcast(mask.shape, scores) != scores:
        raise Fault(f"attn_mask {mask} does not broadcast to the scores {show(scores)}")


def normalized(input: Tensor, dim: Any) -> Tensor:
    for item in dim if isinstance(dim, tuple) else (dim,):
        axis(item, len(shape_of(input)))
    require_float(input)
    return input


def sampled(input: Tensor, grid: Tensor, mode: str) -> Tensor:
    """F.grid_sample: (N, C, …) at the places (N, …, 2 or 3) of the grid."""
    shape, places = shape_of(input), shape_of(grid)
    rank = len(shape) - 2
    if rank not in (2, 3) or len(places) != len(shape):
        raise Fault(f"input {input} and grid {grid} must both have 4 or 5 dimensions")
    if not agree(shape[0], places[0]) or same(places[-1], rank) is not True:
        raise Fault(f"grid must be (N, …, {rank}) with the input's N, not {grid}")
    if mode == "bicubic" and rank == 3:
        raise Fault("mode bicubic is for 4 dimensions")
    require_float(input)
    if input.dtype != grid.dtype:
        raise Fault(f"input and grid must be of one dtype, not {input.dtype} and {grid.dtype}")
    return input.sized(*shape[:2], *places[1:-1])


def affine_grid(theta: Tensor, size: Any) -> Tensor:
    shape = shape_of(theta)
    rank = len(size) - 2
    if rank not in (2, 3):
        raise Fault(f"size is (N, C, H, W) or (N, C, D, H, W), not {show(size)}")
    require_float(theta)
    require_real(theta)
    wanted = (size[0], rank, rank + 1)
    if len(shape) != 3 or not all(map(agree, shape, wanted)):
        raise Fault(f"theta must be {show(wanted)}, not {theta}")
    return theta.sized(size[0], *size[2:], rank)
