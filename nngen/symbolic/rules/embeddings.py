"""Rules of embeddings: indices in, vectors out."""

from __future__ import annotations

from nngen.errors import Fault
from nngen.symbolic.broadcasting import Shape, show
from nngen.symbolic.rules.common import require_rank, require_values, shape_of
from nngen.symbolic.sizes import Dim, value_of
from nngen.symbolic.substitution import same
from nngen.symbolic.tensor import Tensor


def embedding(input: Tensor, embedding_dim: Dim) -> Tensor:
    """Indices (*) to vectors (*, embedding_dim)."""
    return Tensor((*_indices(input), embedding_dim))


def embedding_function(input: Tensor, weight: Tensor) -> Tensor:
    return Tensor((*_indices(input), _table(weight)[1]), weight.dtype)


def embedding_bag(
    input: Tensor,
    offsets: Tensor | None,
    per_sample_weights: Tensor | None,
    embedding_dim: Dim,
    mode: str,
    include_last_offset: bool,
) -> Tensor:
    """Bags (B, n), or bags that begin at `offsets` (B) of one list of indices, to vectors (B, embedding_dim)."""
    indices = _indices(input)
    if per_sample_weights is not None:
        _require_weights(indices, per_sample_weights, mode)
    if len(require_rank(input, 1, 2)) == 2:
        require_values(indices)
        if offsets is not None:
            raise Fault("with an input of 2 dimensions each row is a bag: leave out the offsets")
        return Tensor((indices[0], embedding_dim))
    if offsets is None:
        raise Fault("an input of 1 dimension needs offsets, where each bag begins")
    if offsets.dtype not in ("int32", "int64"):
        raise Fault(f"the offsets must be int64, not {offsets.dtype}")
    bags = require_rank(offsets, 1, of="the offsets")[0]
    count = bags - 1 if include_last_offset else bags
    if include_last_offset and value_of(bags) == 0:
        raise Fault("include_last_offset needs at least one offset")
    return Tensor((count, embedding_dim))


def embedding_bag_function(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None,
    per_sample_weights: Tensor | None,
    mode: str,
    include_last_offset: bool,
) -> Tensor:
    size = _table(weight)[1]
    return embedding_bag(input, offsets, per_sample_weights, size, mode, include_last_offset)


def _indices(input: Tensor) -> Shape:
    if input.dtype not in ("int32", "int64"):
        raise Fault(
            f"an embedding takes indices (int64), not {input.dtype}",
            "give the input `dtype: int64` and `below:` the number of embeddings",
        )
    return shape_of(input)


def _table(weight: Tensor) -> Shape:
    if not weight.floating:
        raise Fault(f"the weight must hold floats, not {weight.dtype}")
    return require_rank(weight, 2, of="the weight")


def _require_weights(indices: Shape, weights: Tensor, mode: str) -> None:
    shape = shape_of(weights)
    if mode != "sum":
        raise Fault(f"per_sample_weights goes with mode 'sum', not {mode!r}")
    if not weights.floating:
        raise Fault(f"per_sample_weights must hold floats, not {weights.dtype}")
    if len(shape) != len(indices) or any(same(a, b) is False for a, b in zip(shape, indices)):
        raise Fault(
            f"per_sample_weights {show(shape)} must have the shape of the input {show(indices)}"
        )
