"""One trace of two: what train and eval mode do in common, and where they differ, an expression of `training`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import fx

from nngen.importer.refusal import ImportRefused
from nngen.importer.trace import LINE


@dataclass(frozen=True)
class Code:
    """An expression in the place of a value."""

    text: str


def merged(train: fx.Graph, evaluation: fx.Graph) -> fx.Graph:
    """The trace in train mode, with what is otherwise in eval mode.

    Raises:
        ImportRefused: a step is there in one mode alone.
    """
    ours, theirs = list(train.nodes), list(evaluation.nodes)
    pairs = dict(zip(ours, theirs))
    for node, other in zip(ours, theirs):
        if (node.op, node.target) != (other.op, other.target):
            raise _apart(node, other)
        node.args = tuple(_joined(a, b, pairs, node) for a, b in zip(node.args, other.args))
        if node.kwargs.keys() != other.kwargs.keys():
            raise _apart(node, other)
        node.kwargs = {
            name: _joined(value, other.kwargs[name], pairs, node)
            for name, value in node.kwargs.items()
        }
    if len(ours) != len(theirs):
        raise _apart(ours[-1], theirs[-1])
    return train


def _apart(node: fx.Node, other: fx.Node) -> ImportRefused:
    return ImportRefused(
        "train and eval mode go different ways here",
        node.meta.get(LINE, "") or other.meta.get(LINE, ""),
        "let both call the same functions, and give them `training`",
    )


def _joined(train: Any, evaluation: Any, pairs: dict[fx.Node, fx.Node], node: fx.Node) -> Any:
    if isinstance(train, fx.Node):
        if pairs.get(train) is not evaluation:
            raise _apart(node, node)
        return train
    if isinstance(train, (tuple, list)) and isinstance(evaluation, (tuple, list)):
        return type(train)(_joined(a, b, pairs, node) for a, b in zip(train, evaluation))
    if isinstance(train, slice) or train == evaluation and type(train) is type(evaluation):
        return train
    if train is True and evaluation is False:
        return Code("training")
    if train is False and evaluation is True:
        return Code("not training")
    if all(isinstance(each, (int, float, bool)) for each in (train, evaluation)):
        return Code(f"{train!r} if training else {evaluation!r}")
    raise _apart(node, node)
