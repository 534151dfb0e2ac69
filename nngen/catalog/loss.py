"""Losses."""

from __future__ import annotations

from nngen.catalog.entry import Layer, Target, buffer, example, function
from nngen.shapes import features

LAYERS = (
    Layer(
        "CrossEntropyLoss",
        "Cross entropy of logits {input} and class indices {target}; takes the softmax itself.",
        "weight: vector | None = None, ignore_index: int = -100, "
        "reduction: 'mean' | 'sum' | 'none' = 'mean', label_smoothing: probability = 0.0",
        form="""
            out = F.cross_entropy(
                input, target, weight=weight, ignore_index=ignore_index, reduction=reduction,
                label_smoothing=label_smoothing,
            )
        """,
        shape=features.class_loss,
        forward="input: Tensor, target: Tensor",
        state=(buffer("weight", "torch.tensor(weight)", when="weight is not None"),),
        targets={
            "target": Target(
                "class indices",
                "input.shape[:1] + input.shape[2:]",
                "int64",
                below="input.shape[1]",
            )
        },
        examples=(
            example((5,)),
            example((5, 3), weight=[1.0, 2, 0.5, 1, 3], reduction="sum"),
            example((5,), ignore_index=2, label_smoothing=0.1),
            example((5,), reduction="none"),
        ),
    ),
)

FUNCTIONS = (
    function(
        "F.cross_entropy",
        "input: Tensor, target: Tensor, weight: Tensor | None = None, ignore_index: int = -100, "
        "reduction: 'mean' | 'sum' | 'none' = 'mean', label_smoothing: probability = 0.0",
        features.class_loss,
    ),
)
