"""NN3xx: the dimension that a layer works along."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from nngen.catalog import Trait
from nngen.graph.flow import Module
from nngen.graph.inputs import BATCH
from nngen.lint.rule import KEEPS, Hit, Rule, behind, channels_first, dimension, everywhere, known
from nngen.lint.trace import Node, Trace
from nngen.symbolic.substitution import substitute
from nngen.symbolic.tensor import Tensor

_Said = tuple[str, str] | None


def _input_shape(node: Node) -> tuple[Any, ...] | None:
    return None if node.source is None else node.source.shape


def _over_batch(node: Node) -> _Said:
    shape, dim = _input_shape(node), dimension(node)
    if Trait.SHARES not in node.traits or shape is None or dim is None:
        return None
    if shape[dim] != BATCH or shape.count(BATCH) > 1 or len(shape) == 1:
        return None
    return (
        f"{node.name} over dimension {dim} makes the samples of a batch share one sum",
        "take it over the classes: `dim: -1`, or `dim: 1` where the channels are the classes",
    )


def _over_one(node: Node) -> _Said:
    shape, dim = _input_shape(node), dimension(node)
    if Trait.SHARES not in node.traits or shape is None or dim is None or known(shape[dim]) != 1:
        return None
    always = "zero" if Trait.LOG_PROBABILITY in node.traits else "one"
    return (
        f"{node.name} over a dimension of size 1 is always {always}",
        "use a Sigmoid for one score, or choose another dimension",
    )


def _along_batch(node: Node) -> _Said:
    shape, batch_first = _input_shape(node), _batch_first(node)
    if (
        batch_first is None
        or shape is None
        or not isinstance(node.source and node.source.output, Tensor)
    ):
        return None
    along = len(shape) == 2 or (len(shape) == 3 and not batch_first)
    if not along or shape[0] != BATCH or shape.count(BATCH) > 1:
        return None
    fix = "give `batch_first: true`" if len(shape) == 3 else "give it (N, T, features)"
    return f"{node.name} runs along the batch: it takes dimension 0 for time", fix


def _batch_first(node: Node) -> bool | None:
    """Whether a layer takes the batch first; None where it does not ask."""
    values = node.values if node.kind else {}
    for inner in ("encoder_layer", "decoder_layer"):
        if isinstance(layer := values.get(inner), Module):
            values = layer.values
    return bool(values["batch_first"]) if "batch_first" in values else None


def _batch_of_one(trace: Trace) -> Iterator[Hit]:
    def check(node: Node) -> _Said:
        shape = _input_shape(node)
        if node.does != "batch_norm" or not shape or node.values.get("training") is False:
            return None
        if known(substitute(shape[0], trace.sizes)) != 1:
            return None
        return (
            f"{node.name} is given a batch of one, so it normalises each sample by itself",
            "check with a larger batch, or use GroupNorm or LayerNorm",
        )

    return everywhere(check)(trace)


def _over_one_value(node: Node) -> _Said:
    count = _normalised(node)
    if count != 1:
        return None
    return (
        f"{node.name} normalises one value at a time, which leaves nothing of it",
        "normalise over more: another shape, fewer groups, or a place where the map is larger",
    )


def _normalised(node: Node) -> int | None:
    """How many values a norm takes one mean of."""
    shape = _input_shape(node)
    if shape is None or any(known(size) is None for size in shape[1:]):
        return None
    sizes = [known(size) or 0 for size in shape[1:]]
    if node.kind == "LayerNorm":
        normalized = node.values["normalized_shape"]
        rank = len(normalized) if isinstance(normalized, (tuple, list)) else 1
        return math.prod(sizes[len(sizes) - rank :]) if rank <= len(sizes) else None
    if node.kind == "GroupNorm":
        return math.prod(sizes) // (known(node.values["num_groups"]) or 1)
    return None


def _along_width(node: Node) -> _Said:
    shape = _input_shape(node)
    if node.does != "linear" or shape is None or len(shape) not in (4, 5):
        return None
    if not channels_first(node.source) and not _is_photo(node.source, shape):
        return None
    return (
        f"{node.name} works along the width of the image {node.source and node.source.output}, on each row by itself",
        "put a Flatten before it; where the channels are meant, `x.movedim(1, -1)`",
    )


def _is_photo(node: Node | None, shape: tuple[Any, ...]) -> bool:
    """Whether a value is an input that looks like an image: one channel or three, and square."""
    start = behind(node, KEEPS)
    if start is None or start.does != "input" or len(shape) != 4:
        return False
    channels, height, width = map(known, shape[1:])
    return channels in (1, 3) and height == width and (width or 0) > 4


RULES = (
    Rule(
        "NN301",
        "softmax over the batch",
        everywhere(_over_batch),
        "Dimension 0 is the batch. A softmax over it makes the samples share one sum: what the model says of one "
        "depends on the others, and of a single one it is always sure.",
        "the samples of a batch are meant to compete, as in a contrastive loss. Of a tensor that has the batch in two "
        "dimensions nothing is reported.",
        """\
input: [8]
layers:
  - Linear: 10
  - Softmax: {dim: 0}
""",
        """\
input: [8]
layers:
  - Linear: 10
  - Softmax: {dim: 1}
""",
        "softmax-without-dim",
    ),
    Rule(
        "NN302",
        "softmax over one value",
        everywhere(_over_one),
        "One number's share of itself is 1, whatever the number, and its gradient is zero.",
        "the size is an argument whose default is 1.",
        """\
input: [8]
layers:
  - Linear: 1
  - Softmax: {dim: 1}
""",
        """\
input: [8]
layers:
  - Linear: 1
  - Sigmoid
""",
    ),
    Rule(
        "NN303",
        "a recurrent layer or attention along the batch",
        everywhere(_along_batch),
        "Without `batch_first`, RNN, LSTM, GRU, MultiheadAttention and the Transformer's layers take dimension 0 for "
        "time and dimension 1 for the batch. An input of a spec has the batch in dimension 0, so the samples would "
        "become one another's past.",
        "the batch is meant to be the sequence.",
        """\
input: [5, 8]
layers:
  - LSTM: {hidden_size: 16}
    call: y, _ = lstm1(x)
""",
        """\
input: [5, 8]
layers:
  - LSTM: {hidden_size: 16, batch_first: true}
    call: y, _ = lstm1(x)
""",
    ),
    Rule(
        "NN304",
        "batch norm over a batch of one",
        _batch_of_one,
        "In train mode the mean of one sample is the sample's own: batch norm then is an instance norm, and where there "
        "is one value a channel it gives zeros, or torch raises.",
        "the model is trained on one image at a time, as in style transfer.",
        """\
inputs: {x: {shape: [1, 3, 8, 8], batch: false}}
layers:
  - BatchNorm2d
""",
        """\
input: [3, 8, 8]
layers:
  - BatchNorm2d
""",
    ),
    Rule(
        "NN305",
        "a norm over one value",
        everywhere(_over_one_value),
        "A value less its own mean is zero. What comes out is the norm's bias, whatever goes in.",
        "the size is an argument whose default is 1.",
        """\
input: [8]
layers:
  - Linear: 8
  - GroupNorm: {num_groups: 8}
""",
        """\
input: [8]
layers:
  - Linear: 8
  - GroupNorm: {num_groups: 2}
""",
    ),
    Rule(
        "NN306",
        "a linear layer along the width of an image",
        everywhere(_along_width),
        "Linear takes the last dimension for features. Of an image (N, C, H, W) that is the width: each row of each "
        "channel is mapped by itself, the rows never meet, and what comes out is an image still. Most often a Flatten "
        "was forgotten.",
        "rows are meant to be mapped by themselves. Behind a `permute` that puts the channels last, as in ConvNeXt, "
        "nothing is reported.",
        """\
input: [3, 32, 32]
layers:
  - Conv2d: {out_channels: 8, kernel_size: 3}
  - ReLU
  - Linear: 10
""",
        """\
input: [3, 32, 32]
layers:
  - Conv2d: {out_channels: 8, kernel_size: 3}
  - ReLU
  - Flatten
  - Linear: 10
""",
    ),
)
