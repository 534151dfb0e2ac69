"""Rules of distances and similarities of vectors."""

from __future__ import annotations

from nngen.errors import Fault
from nngen.symbolic.broadcasting import Shape, axis, broadcast
from nngen.symbolic.rules.checks import require_real
from nngen.symbolic.rules.common import shape_of
from nngen.symbolic.tensor import Tensor, promote


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int) -> Tensor:
    """Two tensors that broadcast, `dim` taken away."""
    shape = _together(x1, x2)
    where = axis(dim, len(shape))
    return Tensor((*shape[:where], *shape[where + 1 :]), promote(x1, x2))


def pairwise_distance(x1: Tensor, x2: Tensor, keepdim: bool) -> Tensor:
    """Two tensors that broadcast, the last dimension taken away or made 1."""
    shape = _together(x1, x2)
    if not shape:
        raise Fault("a distance is between vectors, not between numbers")
    return Tensor((*shape[:-1], 1) if keepdim else shape[:-1], promote(x1, x2))


def _together(x1: Tensor, x2: Tensor) -> Shape:
    for tensor in (x1, x2):
        require_real(tensor, "each input")
    shape = broadcast(shape_of(x1), shape_of(x2))
    assert shape is not None
    return shape
