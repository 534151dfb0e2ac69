"""Dropout layers: random zeros in train mode, nothing in eval mode."""

from __future__ import annotations

from nngen.catalog.entry import Layer, example, function
from nngen.shapes import common

LAYERS = (
    Layer(
        "Dropout",
        "Zeroes each value with probability p in train mode, and scales the others by 1 / (1 - p).",
        "p: probability = 0.5, inplace: bool = False",
        form="out = F.dropout(input, p=p, training=training, inplace=inplace)",
        shape=common.unchanged,
        examples=(
            example((5,)),
            example((3, 5), p=0.2),
            example((3, 5), p=0.0),
            example((5,), p=0.3, inplace=True),
        ),
    ),
)

FUNCTIONS = (
    function(
        "F.dropout",
        "input: Tensor, p: probability = 0.5, training: any = True, inplace: bool = False",
        common.unchanged,
    ),
)
