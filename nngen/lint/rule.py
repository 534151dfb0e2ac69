"""What a rule is, what it finds, and the questions that several rules ask."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from nngen.catalog import Trait
from nngen.catalog.entry import is_spatial
from nngen.errors import Mark
from nngen.lint.trace import Node, Trace, nodes_in
from nngen.symbolic.sizes import value_of


@dataclass(frozen=True)
class Finding:
    """Something in a spec that builds, but is probably not meant.

    Attributes:
        code: the rule's code.
        mark: where it is.
        message: what is wrong, in one sentence.
        fix: what would be right.
    """

    code: str
    mark: Mark
    message: str
    fix: str

    def __str__(self) -> str:
        at = f"{self.mark}: {self.mark.path}" if self.mark.path else f"{self.mark}"
        lines = f"{at}: {self.code} {self.message}", self.mark.excerpt(), f"  fix: {self.fix}"
        return "\n".join(filter(None, lines))


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings in the order of the file."""
    return tuple(sorted(findings, key=lambda each: (each.mark.line, each.mark.column, each.code)))


@dataclass(frozen=True)
class Hit:
    """What a rule finds: where, what is wrong, and what would be right."""

    mark: Mark
    message: str
    fix: str


Find = Callable[[Trace], Iterator[Hit]]


@dataclass(frozen=True)
class Rule:
    """One thing that a spec can get wrong though it builds.

    Attributes:
        code: `NN101`; the hundreds are the groups of `nngen.lint.GROUPS`.
        title: what is wrong, in a few words.
        find: finds it in a model.
        why: what comes of it.
        ignore: when it is right all the same.
        before, after: the layers and the loss of a small spec, wrong and right.
        pitfall: the pitfall that shows it in numbers.
    """

    code: str
    title: str
    find: Find
    why: str
    ignore: str
    before: str
    after: str
    pitfall: str = ""


def everywhere(check: Callable[[Node], tuple[str, str] | None]) -> Find:
    """Finds a step of which `check` has something to say in all its uses, since its line serves them all."""

    def find(trace: Trace) -> Iterator[Hit]:
        uses: dict[tuple[Mark, str], list[Node]] = defaultdict(list)
        for node in trace.nodes:
            uses[node.mark, node.does].append(node)
        for (mark, _), nodes in uses.items():
            found = [check(node) for node in nodes]
            if found[0] is not None and None not in found:
                yield Hit(mark, *found[0])

    return find


def behind(node: Node | None, through: Trait = Trait.SAME) -> Node | None:
    """The node that a value comes from, seen through what keeps it, which has one of these traits."""
    while node is not None and node.traits & through:
        node = node.source
    return node


# What keeps the dimensions and their order.
KEEPS = Trait.ACTIVATION | Trait.DROPOUT | Trait.NORM | Trait.LAYOUT


def channels_first(node: Node | None) -> bool:
    """Whether a value comes from a convolution or pooling with its dimensions as that gave them."""
    seen: set[Node] = set()
    while node is not None and node not in seen:
        seen.add(node)
        rank = len(node.shape or ())
        if node.traits & (Trait.LINEAR | Trait.POOL) and is_spatial(node.does):
            return int(node.does[-2]) + 2 == rank
        if not node.traits & KEEPS:
            return False
        alike = [
            each for each in nodes_in(list(node.taken.values())) if len(each.shape or ()) == rank
        ]
        node = alike[0] if alike else None
    return False


def known(size: Any) -> int | None:
    """A size as a number, None where it is open."""
    return value_of(size)


def dimension(node: Node) -> int | None:
    """The place of the `dim` of a node's input, counted from 0; None where it cannot be told."""
    shape = None if node.source is None else node.source.shape
    dim = -3 if node.kind == "Softmax2d" else node.values.get("dim")
    if shape is None or not isinstance(dim, int) or not -len(shape) <= dim < len(shape):
        return None
    return dim % len(shape)


def losses(trace: Trace, *takes: str) -> Iterator[tuple[Node, Node | None]]:
    """Each loss that takes one of these, as `Function.takes` says it, and what it is given first."""
    for node in trace.nodes:
        if node.takes in takes:
            yield node, node.source
