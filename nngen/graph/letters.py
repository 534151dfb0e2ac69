"""Letters for the sizes of a block's inputs, as people use them: (N, C, H, W) of images, (N, T, C) of sequences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nngen.catalog import LAYERS
from nngen.catalog.entry import is_spatial
from nngen.language.spec import Body, LayerStep, Spec, Step

# By the number of dimensions.
Letters = Mapping[int, str]
_FIRST = {3: "NCL", 4: "NCHW", 5: "NCDHW"}
_LAST = {3: "NTC", 4: "NHWC"}
_LISTS = {3: "NTC"}  # of four dimensions heads may be one


def letters_of(body: Body, blocks: Mapping[str, Body], usual: Letters) -> Letters:
    """The letters of a class, by the layers in it; where none tells, the usual ones of its spec."""
    return _letters([body], blocks) or usual


def usual_letters(spec: Spec) -> Letters:
    """The letters of a spec's classes in which no layer tells what the sizes are."""
    found = _letters([spec.model, *spec.blocks.values()], {})
    return _LISTS if found is _LAST else found


def _letters(bodies: Iterable[Body], blocks: Mapping[str, Body]) -> Letters:
    kinds: set[str] = set()
    words: set[str] = set()
    for body in bodies:
        _add_kinds(kinds, body.layers, blocks)
        words |= body.words
    first = {LAYERS[kind].channels_first for kind in kinds & LAYERS.keys()}
    if True in first or any(map(is_spatial, words)):
        return _FIRST
    return _LAST if False in first else {}


def _add_kinds(found: set[str], steps: Iterable[Step], blocks: Mapping[str, Body]) -> None:
    """Add the layers in a class, those in its blocks included, each of which is looked into once."""
    for step in steps:
        if isinstance(step, LayerStep):
            opened = step.kind in blocks and step.kind not in found
            found.add(step.kind)
            _add_kinds(found, step.children, blocks)
            if opened:
                _add_kinds(found, blocks[step.kind].layers, blocks)
