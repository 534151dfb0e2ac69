"""Activations."""

from __future__ import annotations

from nngen.catalog.entry import Layer, example, function
from nngen.shapes import arranging, common

LAYERS = (
    Layer(
        "ReLU",
        "max(0, x).",
        "inplace: bool = False",
        form="out = F.relu(input, inplace=inplace)",
        shape=common.unchanged,
        examples=(example((4,)), example((4, 3), inplace=True)),
    ),
)

FUNCTIONS = (
    function("F.relu", "input: Tensor, inplace: bool = False", common.unchanged),
    function("F.softmax F.log_softmax", "input: Tensor, dim: int | None = None", arranging.along),
)
