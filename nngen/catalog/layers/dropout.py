"""Dropout layers: random zeros in train mode, nothing in eval mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nngen.catalog.entry import Function, Layer, example, function
from nngen.catalog.traits import Trait
from nngen.symbolic.rules import activations


def _dropout(
    name: str,
    call: str,
    doc: str,
    samples: tuple[tuple[int, ...], tuple[int, ...]],
    ignores_inplace: bool = False,
) -> Layer:
    """A layer that drops with `call`.

    Args:
        ignores_inplace: torch's layer takes `inplace`, but does not pass it on.
    """
    passed = "p=p, training=training" + ("" if ignores_inplace else ", inplace=inplace")
    small, large = samples
    channels = {"shape": list(small), "batch": False}
    return Layer(
        name,
        doc,
        "p: probability = 0.5, inplace: bool = False",
        form=f"out = {call}(input, {passed})",
        stem="dropout",
        examples=(
            example(small),
            example(large, p=0.2),
            example(large, p=0.0),
            example(channels, p=1),
            example(large, p=0.3, inplace=True),
            example(small, p=0.5, inplace=False),
        ),
    )


def _function(call: str, shape: Callable[..., Any], alpha: bool = False) -> Function:
    return function(
        call,
        f"input: Tensor, p: probability = 0.5, training: any = {not alpha}, inplace: bool = False",
        shape,
        traits=Trait.DROPOUT | Trait.ALIAS | (Trait.NONE if alpha else Trait.KEEPS_SIGN),
    )


LAYERS = (
    _dropout(
        "Dropout",
        "F.dropout",
        "Zeroes each value with probability p in train mode, and scales the others by 1 / (1 - p).",
        ((5,), (3, 5)),
    ),
    _dropout(
        "Dropout1d",
        "F.dropout1d",
        "Zeroes whole channels (N, C, L) with probability p in train mode.",
        ((8, 2), (5, 3)),
    ),
    _dropout(
        "Dropout2d",
        "F.dropout2d",
        "Zeroes whole channels (N, C, H, W) with probability p in train mode.",
        ((8, 2, 2), (5, 1, 3)),
    ),
    _dropout(
        "Dropout3d",
        "F.dropout3d",
        "Zeroes whole channels (N, C, D, H, W) with probability p in train mode.",
        ((8, 2, 2, 1), (5, 1, 3, 2)),
    ),
    _dropout(
        "AlphaDropout",
        "F.alpha_dropout",
        "Dropout that keeps mean and variance, for networks with SELU.",
        ((5,), (3, 5)),
        ignores_inplace=True,
    ),
    _dropout(
        "FeatureAlphaDropout",
        "F.feature_alpha_dropout",
        "Alpha dropout of whole channels.",
        ((8, 2), (5, 3, 2)),
        ignores_inplace=True,
    ),
)

FUNCTIONS = (
    _function("F.dropout", activations.real),
    _function("F.dropout1d", activations.dropout1d),
    _function("F.dropout2d", activations.dropout2d),
    _function("F.dropout3d", activations.dropout3d),
    _function("F.alpha_dropout", activations.real, alpha=True),
    _function("F.feature_alpha_dropout", activations.channel_dropout, alpha=True),
)
