"""A drawing before it has a form: nodes in groups, and edges with shapes on them."""

from __future__ import annotations

from dataclasses import dataclass, field

from nngen.errors import Mark


@dataclass(frozen=True)
class Node:
    """A step, an input, or the output.

    Attributes:
        name: what the spec calls it; empty for a line, which is its expression.
        text: the class, or the expression.
        kind: "input", "output", "layer", "block", "line" or "state".
        only_training: it is there in train mode alone.
        mark: the step of the spec.
    """

    key: str
    name: str
    text: str
    kind: str
    only_training: bool = False
    mark: Mark | None = None


@dataclass(frozen=True)
class Edge:
    """A value on its way; `shape` is what stands on the edge."""

    source: str
    target: str
    shape: str
    only_training: bool = False


@dataclass
class Group:
    """Nodes in one frame: what is in a container, or in a block that is unfolded."""

    key: str
    name: str
    text: str
    members: list[Node | Group] = field(default_factory=list)


@dataclass
class Drawing:
    """A model: its nodes in a frame that is not drawn, and the edges between them."""

    root: Group
    edges: list[Edge] = field(default_factory=list)
