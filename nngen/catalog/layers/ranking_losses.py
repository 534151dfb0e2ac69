"""Losses of pairs and triplets: which is higher, which is nearer."""

from __future__ import annotations

from nngen.catalog.entry import Layer, Target, example, function
from nngen.catalog.layers.classification_losses import REDUCTION
from nngen.symbolic.rules import losses

_TRIPLET = "anchor: Tensor, positive: Tensor, negative: Tensor"
_DISTANCES = "F.pairwise_distance | F.cosine_similarity | F.l1_loss | F.mse_loss"
_PAIR = ((5,), (5,))
_THREE = ((5,), (5,), (5,))

LAYERS = (
    Layer(
        "HingeEmbeddingLoss",
        "Hinge loss of distances {input} and signs {target}, 1 where the pair is alike, else -1.",
        f"margin: float = 1.0, {REDUCTION}",
        form="out = F.hinge_embedding_loss(input, target, margin=margin, reduction=reduction)",
        forward="input: Tensor, target: Tensor",
        stem="hinge_embedding_loss",
        targets={"target": Target("signs, 1 or -1", kind="sign")},
        examples=(
            example((5,)),
            example((2, 3), margin=0.5, reduction="sum"),
            example((5,), reduction="none"),
        ),
    ),
    Layer(
        "MarginRankingLoss",
        "Ranking loss of scores {input1} and {input2}, and signs {target}: 1 where the first is to be higher, else -1.",
        f"margin: float = 0.0, {REDUCTION}",
        form="""
            out = F.margin_ranking_loss(input1, input2, target, margin=margin, reduction=reduction)
        """,
        forward="input1: Tensor, input2: Tensor, target: Tensor",
        stem="margin_ranking_loss",
        targets={"target": Target("signs, 1 or -1", "input1.shape", kind="sign")},
        examples=(
            example((5,), (5,)),
            example((2, 3), (2, 3), margin=0.5, reduction="sum"),
            example((), (), margin=-0.5, reduction="none"),
        ),
    ),
    Layer(
        "CosineEmbeddingLoss",
        "Cosine loss of vectors {input1} and {input2}, and signs {target}: 1 where the pair is alike, else -1.",
        f"margin: float = 0.0, {REDUCTION}",
        form="""
            out = F.cosine_embedding_loss(input1, input2, target, margin=margin, reduction=reduction)
        """,
        forward="input1: Tensor, input2: Tensor, target: Tensor",
        stem="cosine_embedding_loss",
        targets={"target": Target("signs, 1 or -1", "input1.shape[:1]", kind="sign")},
        examples=(
            example(*_PAIR),
            example(*_PAIR, margin=0.5, reduction="sum"),
            example(*_PAIR, reduction="none"),
        ),
    ),
    Layer(
        "TripletMarginLoss",
        "Triplet loss of anchors {anchor}, with {positive} to be nearer than {negative}.",
        "margin: positive = 1.0, p: float = 2.0, eps: float = 1e-6, swap: bool = False, "
        f"{REDUCTION}",
        form="""
            out = F.triplet_margin_loss(
                anchor, positive, negative, margin=margin, p=p, eps=eps, swap=swap, reduction=reduction
            )
        """,
        forward=_TRIPLET,
        stem="triplet_margin_loss",
        examples=(
            example(*_THREE),
            example(*_THREE, margin=0.5, p=1, swap=True, reduction="sum"),
            example((2, 3), (2, 3), (2, 3), eps=1e-3, p=2, reduction="none"),
        ),
    ),
    Layer(
        "TripletMarginWithDistanceLoss",
        "Triplet loss of anchors {anchor}, with {positive} to be nearer than {negative}.",
        f"*, distance_function: {_DISTANCES} | None = None, margin: positive = 1.0, "
        f"swap: bool = False, {REDUCTION}",
        form="""
            out = F.triplet_margin_with_distance_loss(
                anchor, positive, negative, distance_function=distance_function, margin=margin,
                swap=swap, reduction=reduction,
            )
        """,
        forward=_TRIPLET,
        stem="triplet_margin_with_distance_loss",
        examples=(
            example(*_THREE),
            example(*_THREE, distance_function="pairwise_distance", margin=0.5, reduction="sum"),
            example(*_THREE, distance_function="cosine_similarity", swap=True, reduction="none"),
            example(*_THREE, distance_function="l1_loss", margin=4),
            example(*_THREE, distance_function="mse_loss", margin=4),
        ),
    ),
)

FUNCTIONS = (
    function(
        "F.hinge_embedding_loss",
        f"input: Tensor, target: Tensor, margin: float = 1.0, *, {REDUCTION}",
        losses.hinge_embedding_loss,
    ),
    function(
        "F.margin_ranking_loss",
        f"input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0, *, {REDUCTION}",
        losses.margin_ranking_loss,
    ),
    function(
        "F.cosine_embedding_loss",
        f"input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0, *, {REDUCTION}",
        losses.cosine_embedding_loss,
    ),
    function(
        "F.triplet_margin_loss",
        f"{_TRIPLET}, margin: positive = 1.0, p: float = 2, eps: float = 1e-6, swap: bool = False, *, "
        f"{REDUCTION}",
        losses.triplet_margin_loss,
    ),
    function(
        "F.triplet_margin_with_distance_loss",
        f"{_TRIPLET}, *, distance_function: any = None, margin: positive = 1.0, swap: bool = False, "
        f"{REDUCTION}",
        losses.triplet_distance_loss,
    ),
)
