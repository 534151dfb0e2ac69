"""Distances and similarities of vectors."""

from __future__ import annotations

from nngen.catalog.entry import Layer, example, function
from nngen.symbolic.rules import distances

LAYERS = (
    Layer(
        "CosineSimilarity",
        "The cosine of the angle between two vectors, along dimension dim.",
        "dim: int = 1, eps: float = 1e-8",
        form="out = F.cosine_similarity(x1, x2, dim=dim, eps=eps)",
        forward="x1: Tensor, x2: Tensor",
        stem="similarity",
        examples=(
            example((4,), (4,)),
            example((3, 4), (3, 4), dim=2, eps=0.5),
            example((3, 4), (1, 4), dim=-1),
            example((4, 2), (4, 2), dim=1, eps=1e-8),
        ),
    ),
    Layer(
        "PairwiseDistance",
        "The p-norm of the difference of two vectors.",
        "p: float = 2.0, eps: float = 1e-6, keepdim: bool = False",
        form="out = F.pairwise_distance(x1, x2, p=p, eps=eps, keepdim=keepdim)",
        forward="x1: Tensor, x2: Tensor",
        stem="distance",
        examples=(
            example((4,), (4,)),
            example((4,), (4,), p=1, eps=0.1),
            example((3, 4), (1, 4), p=3.5, keepdim=True),
            example((4,), (4,), p=float("inf")),
            example((4,), (4,), p=2.0, eps=1e-6, keepdim=False),
        ),
    ),
)

FUNCTIONS = (
    function(
        "F.cosine_similarity",
        "x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8",
        distances.cosine_similarity,
    ),
    function(
        "F.pairwise_distance",
        "x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False",
        distances.pairwise_distance,
    ),
)
