"""NN4xx: steps in place on memory that others see."""

from __future__ import annotations

from collections.abc import Iterator

from nngen.catalog import Trait
from nngen.lint.rule import Hit, Rule, behind
from nngen.lint.trace import Node, Trace


def _in_place(trace: Trace) -> Iterator[tuple[Node, Node]]:
    """Each step in place, and the node whose memory it writes into."""
    for node in trace.nodes:
        inplace = node.values.get("inplace") is True
        memory = behind(node.source, Trait.VIEW) if inplace else None
        if memory is not None:
            yield node, memory


def _read_later(trace: Trace) -> Iterator[Hit]:
    for node, memory in _in_place(trace):
        if any(
            reader.order > node.order
            for name in _names(memory, node)
            for reader in name.readers
            if not reader.traits & Trait.VIEW
        ):
            yield Hit(
                node.mark,
                f"{node.name} works in place on a value that is used again later",
                "leave out `inplace: true`",
            )


def _names(memory: Node, before: Node) -> Iterator[Node]:
    """All names of one piece of memory but what the step in place gives."""
    names = [memory]
    while names:
        name = names.pop()
        yield name
        names += [each for each in name.readers if each.traits & Trait.VIEW and each is not before]


def _of_input(trace: Trace) -> Iterator[Hit]:
    for node, memory in _in_place(trace):
        if memory.does == "input":
            yield Hit(
                node.mark,
                f"{node.name} works in place on the model's input, which belongs to the caller",
                "leave out `inplace: true`",
            )


RULES = (
    Rule(
        "NN401",
        "in place on a value that is used again",
        _read_later,
        "`inplace: true` writes into the memory of its input. A residual, or another branch, then adds what was "
        "changed, and nothing complains. Within one class nngen refuses this; here a block, a Sequential or a view "
        "stands between.",
        "the later use is meant to see the change.",
        """\
input: [8]
layers:
  - Linear as a: 8
  - Sequential as b: [Identity, {ReLU: {inplace: true}}, {Linear: 8}]
  - y = a + b
""",
        """\
input: [8]
layers:
  - Linear as a: 8
  - Sequential as b: [Identity, ReLU, {Linear: 8}]
  - y = a + b
""",
        "in-place-relu-before-residual",
    ),
    Rule(
        "NN402",
        "in place on the model's input",
        _of_input,
        "The caller's batch is changed by the call: a second epoch over the same tensors sees other numbers. With an "
        "input that requires a gradient torch raises.",
        "the caller gives the tensor away.",
        """\
input: [8]
layers:
  - ReLU: {inplace: true}
  - Linear: 3
""",
        """\
input: [8]
layers:
  - ReLU
  - Linear: 3
""",
    ),
)
