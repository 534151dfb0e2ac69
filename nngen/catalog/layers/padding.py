"""Padding layers: constant, zero, reflected, replicated and circular, over one to three dimensions."""

from __future__ import annotations

from nngen.catalog.entry import Layer, example, function
from nngen.symbolic.rules import padding

_SAMPLES = ((3, 6), (3, 6, 5), (2, 4, 3, 4))
_SIDES = (
    (2, [2, 1], [-1, 3]),
    (2, [1, 2, 0, 3], [1, -2, -1, 0]),
    (1, [1, 2, 0, 1, 2, 1], [-1, 0, 2, -1, 0, 1]),
)


def _constant(dims: int) -> Layer:
    sample = _SAMPLES[dims - 1]
    same, each, cropping = _SIDES[dims - 1]
    return Layer(
        f"ConstantPad{dims}d",
        "Puts a value around the input; a negative size crops.",
        f"padding: int[{2 * dims}], value: float",
        form=f"out = F.pad(input, ntuple(padding, {2 * dims}), value=value)",
        stem="pad",
        examples=(
            example(sample, padding=same, value=1.5),
            example(sample, padding=each, value=-2),
            example(sample, padding=cropping, value=0),
        ),
    )


def _zero(dims: int) -> Layer:
    sample = _SAMPLES[dims - 1]
    return Layer(
        f"ZeroPad{dims}d",
        "Puts zeros around the input; a negative size crops.",
        f"padding: int[{2 * dims}]",
        form=f"out = F.pad(input, ntuple(padding, {2 * dims}))",
        stem="pad",
        examples=tuple(example(sample, padding=sides) for sides in _SIDES[dims - 1]),
    )


def _of_values(name: str, mode: str, dims: int, doc: str) -> Layer:
    """A layer that pads with values of the input."""
    sample = _SAMPLES[dims - 1]
    return Layer(
        f"{name}Pad{dims}d",
        doc,
        f"padding: int[{2 * dims}]",
        form=f"out = F.pad(input, ntuple(padding, {2 * dims}), mode='{mode}')",
        stem="pad",
        examples=tuple(example(sample, padding=sides) for sides in _SIDES[dims - 1]),
    )


LAYERS = tuple(
    layer
    for dims in (1, 2, 3)
    for layer in (
        _constant(dims),
        _zero(dims),
        _of_values("Reflection", "reflect", dims, "Pads with the input mirrored at its border."),
        _of_values(
            "Replication", "replicate", dims, "Pads with the values at the border, repeated."
        ),
        _of_values(
            "Circular",
            "circular",
            dims,
            "Pads with the values from the opposite side, as if the input went round.",
        ),
    )
)

FUNCTIONS = (
    function(
        "F.pad",
        "input: Tensor, pad: list[int], "
        "mode: 'constant' | 'reflect' | 'replicate' | 'circular' = 'constant', "
        "value: float | None = None",
        padding.padded,
    ),
)
