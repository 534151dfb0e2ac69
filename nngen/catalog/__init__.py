"""What torch is, as data: an entry for each layer and function. Nothing here imports torch."""

from __future__ import annotations

from functools import cache

from nngen.catalog import functions
from nngen.catalog.entry import Function, Layer
from nngen.catalog.layers import (
    activation,
    adaptive_pooling,
    adaptive_softmax,
    attention,
    classification_losses,
    conv,
    distance,
    dropout,
    embedding,
    linear,
    norm,
    padding,
    pooling,
    ranking_losses,
    recurrent,
    regression_losses,
    shaping,
    transformer,
    transformer_stack,
    upsampling,
)
from nngen.catalog.traits import Trait

__all__ = ["FAMILIES", "FUNCTIONS", "LAYERS", "Function", "Layer", "Trait", "traits_of"]

_FAMILIES = (
    linear,
    conv,
    pooling,
    adaptive_pooling,
    norm,
    activation,
    dropout,
    shaping,
    classification_losses,
    regression_losses,
    ranking_losses,
    adaptive_softmax,
    padding,
    upsampling,
    embedding,
    distance,
    recurrent,
    attention,
    transformer,
    transformer_stack,
)

# The layers of each family, by what its file says of it.
FAMILIES: dict[str, tuple[Layer, ...]] = {
    (family.__doc__ or family.__name__).partition("\n")[0].rstrip("."): family.LAYERS
    for family in _FAMILIES
}
LAYERS: dict[str, Layer] = {layer.name: layer for family in _FAMILIES for layer in family.LAYERS}
FUNCTIONS: dict[str, Function] = {
    name: entry
    for family in (*_FAMILIES, functions)
    for entry in family.FUNCTIONS
    for name in entry.names
}


@cache
def traits_of(kind: str) -> Trait:
    """What holds of what a layer gives, by its own entry and by that of the function that it calls."""
    entry = LAYERS[kind]
    function = None if entry.is_loss else FUNCTIONS.get(entry.function)
    return entry.traits | (Trait.NONE if function is None else function.traits)


@cache
def namespace(prefix: str) -> tuple[str, ...]:
    """The names that the catalog has under `torch`, `F` or `Tensor`."""
    return tuple(name.partition(".")[2] for name in FUNCTIONS if name.startswith(prefix + "."))
