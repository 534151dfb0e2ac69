"""NN2xx: layers that undo each other, or do nothing."""

from __future__ import annotations

import re
from typing import Any

from nngen.catalog import Trait
from nngen.catalog.entry import is_spatial
from nngen.lint.rule import Rule, behind, everywhere, known
from nngen.lint.trace import Node

_Said = tuple[str, str] | None
_KEEPS_SIGN = Trait.SAME | Trait.KEEPS_SIGN


def _bias(node: Node) -> _Said:
    """A bias that the norm behind it takes away: it is the same for all that the norm averages over."""
    if not node.kind or Trait.LINEAR not in node.traits or node.shape is None:
        return None
    spatial = is_spatial(node.kind)
    if len(node.shape) != (int(node.kind[-2]) + 2 if spatial else 2):
        return None
    if node.values["bias"] is not True or len(node.readers) != 1:
        return None
    (reader,) = node.readers
    if not reader.kind or reader.does not in ("batch_norm", *["instance_norm"] * spatial):
        return None
    return (
        f"the bias of {node.name} is taken away by the {reader.name} after it",
        f"give {node.name} `bias: false`",
    )


def _linear_twice(node: Node) -> _Said:
    first = node.source
    if first is None or first.kind != node.kind or first.readers != [node]:
        return None
    if node.kind == "Linear":
        sizes = [first.values["in_features"], first.values["out_features"]]
        last = node.values["out_features"]
    elif re.fullmatch(r"Conv\dd", node.kind) and _is_plain(first) and _is_plain(node):
        sizes = [first.values["in_channels"], first.values["out_channels"]]
        last = node.values["out_channels"]
    else:
        return None
    before, between, after = (known(size) for size in (*sizes, last))
    if before is None or between is None or after is None or between < min(before, after):
        return None
    return (
        f"this {node.name} directly on the {first.name} before it makes one linear map of the two",
        "put an activation between them, or take one of them out",
    )


def _is_plain(conv: Node) -> bool:
    """Whether a convolution mixes all channels over a square."""
    kernel = conv.values["kernel_size"]
    sides = kernel if isinstance(kernel, (tuple, list)) else (kernel,)
    return known(conv.values["groups"]) == 1 and len({known(side) for side in sides}) == 1


def _one_layer_dropout(node: Node) -> _Said:
    p = node.values.get("dropout")
    if not isinstance(p, (int, float)) or p == 0 or known(node.values.get("num_layers", 0)) != 1:
        return None
    return (
        f"the dropout of {node.name} does nothing: it stands between layers, and there is one",
        "take it out, give `num_layers: 2`, or put a Dropout after it",
    )


def _activation_twice(node: Node) -> _Said:
    before = behind(node.source) if Trait.ACTIVATION in node.traits else None
    if before is None or before.does != node.does:
        return None
    if not _same_arguments(node, before):
        return None
    what = "changes nothing" if Trait.IDEMPOTENT in node.traits else "distorts once more"
    return f"{node.name} directly on {before.name} {what}", "take one of the two out"


def _same_arguments(one: Node, other: Node) -> bool:
    """Whether what both a layer and its function have agrees."""
    shared = one.values.keys() & other.values.keys() - {"input", "inplace"}
    return all(one.values[key] == other.values[key] for key in shared)


def _relu_of_positive(node: Node) -> _Said:
    before = behind(node.source, _KEEPS_SIGN) if node.does == "relu" else None
    if before is None or not before.traits & (Trait.NONNEGATIVE | Trait.PROBABILITY):
        return None
    if behind(node.source) is before and before.does == "relu":
        return None  # said by NN204
    return (
        f"{node.name} does nothing: what {before.name} gives is never below zero",
        f"take {node.name} out",
    )


def _empty_dropout(node: Node) -> _Said:
    p: Any = node.values.get("p")
    if Trait.DROPOUT not in node.traits or "p" not in node.literal or p not in (0, 1):
        return None
    what = "drops nothing" if p == 0 else "drops everything: in train mode it gives zeros"
    return f"{node.name} with p = {p} {what}", "give a p between 0 and 1, or take it out"


RULES = (
    Rule(
        "NN201",
        "a bias that a norm takes away",
        everywhere(_bias),
        "Batch norm and instance norm subtract each channel's mean, and with it the bias of the layer before: it has "
        "no effect and its gradient is zero but for rounding. The norm has a bias of its own.",
        "published weights have that bias, and they should load.",
        """\
input: [3, 8, 8]
layers:
  - Conv2d: {out_channels: 8, kernel_size: 3}
  - BatchNorm2d
  - ReLU
""",
        """\
input: [3, 8, 8]
layers:
  - Conv2d: {out_channels: 8, kernel_size: 3, bias: false}
  - BatchNorm2d
  - ReLU
""",
    ),
    Rule(
        "NN202",
        "two linear layers with nothing between them",
        everywhere(_linear_twice),
        "A linear map of a linear map is a linear map: one layer of the outer sizes computes the same (two convolutions "
        "one of a larger kernel, but for the borders).",
        "the pair is meant as a factorisation or for its way of training. A pair that is narrower in between than at "
        "both ends is a map of low rank, and is not reported; nor are grouped or oblong convolutions.",
        """\
input: [8]
layers:
  - Linear: 32
  - Linear: 10
""",
        """\
input: [8]
layers:
  - Linear: 32
  - ReLU
  - Linear: 10
""",
    ),
    Rule(
        "NN203",
        "dropout on a recurrent network of one layer",
        everywhere(_one_layer_dropout),
        "torch drops between the layers of an LSTM, GRU or RNN, not after the last one. With one layer there is "
        "nothing between, and torch warns.",
        "never, unless the warning is wanted.",
        """\
input: [5, 8]
layers:
  - LSTM: {hidden_size: 16, batch_first: true, dropout: 0.5}
    call: y, _ = lstm1(x)
""",
        """\
input: [5, 8]
layers:
  - LSTM: {hidden_size: 16, batch_first: true, dropout: 0.5, num_layers: 2}
    call: y, _ = lstm1(x)
""",
        "lstm-dropout",
    ),
    Rule(
        "NN204",
        "the same activation twice",
        everywhere(_activation_twice),
        "A ReLU of a ReLU is the same ReLU. Other activations bend what is bent already: a sigmoid of a sigmoid lies "
        "between 0.5 and 0.73. Most often a block ends with the one and the next begins with the other.",
        "the second is meant, as in an iterated map.",
        """\
input: [8]
layers:
  - Linear: 8
  - ReLU
  - ReLU
  - Linear: 3
""",
        """\
input: [8]
layers:
  - Linear: 8
  - ReLU
  - Linear: 3
""",
    ),
    Rule(
        "NN205",
        "a ReLU of what is never negative",
        everywhere(_relu_of_positive),
        "Sigmoid, softmax, softplus and ReLU give nothing below zero, and pooling and dropout keep it so.",
        "published code has it.",
        """\
input: [8]
layers:
  - Linear: 8
  - Sigmoid
  - ReLU
  - Linear: 3
""",
        """\
input: [8]
layers:
  - Linear: 8
  - Sigmoid
  - Linear: 3
""",
    ),
    Rule(
        "NN206",
        "a dropout of nothing, or of everything",
        everywhere(_empty_dropout),
        "With p = 0 nothing is dropped. p is the share that is dropped, not the share that is kept: with p = 1 all is "
        "zero in train mode, and nothing is learned.",
        "published code has it. A p from an argument is not reported.",
        """\
input: [8]
layers:
  - Linear: 8
  - ReLU
  - Dropout: 1.0
  - Linear: 3
""",
        """\
input: [8]
layers:
  - Linear: 8
  - ReLU
  - Dropout: 0.1
  - Linear: 3
""",
    ),
)
