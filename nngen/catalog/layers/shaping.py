"""Layers that rearrange, and Identity."""

from __future__ import annotations

from nngen.catalog.entry import Function, Layer, example
from nngen.catalog.traits import Trait

LAYERS = (
    Layer(
        "Identity",
        "Its input, as it is.",
        "",
        form="out = input",
        traits=Trait.SAME | Trait.LAYOUT | Trait.VIEW,
        examples=(example((4,)), example((3, 4)), example((2, 3, 4))),
    ),
    Layer(
        "Flatten",
        "Makes one dimension of several; the batch is kept by default.",
        "start_dim: int = 1, end_dim: int = -1",
        form="out = torch.flatten(input, start_dim=start_dim, end_dim=end_dim)",
        examples=(
            example((3, 4, 5)),
            example((3, 4, 5), start_dim=2),
            example((3, 4, 5), start_dim=1, end_dim=2),
        ),
    ),
    Layer(
        "Unflatten",
        "Splits one dimension into several.",
        "dim: int, unflattened_size: list[int]",
        form="out = input.unflatten(dim, unflattened_size)",
        examples=(
            example((12,), dim=1, unflattened_size=[3, 4]),
            example((2, 12), dim=-1, unflattened_size=[3, 2, 2]),
            example((12, 5), dim=1, unflattened_size=[4, -1]),
        ),
    ),
)

FUNCTIONS: tuple[Function, ...] = ()
