"""What a class holds, by the names that it has in the functional twin and in the nn twin: state, and blocks."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from nngen.catalog import FUNCTIONS
from nngen.emit.constructor import holds_blocks
from nngen.emit.parameters import flows_below
from nngen.graph.flow import Built, Flow, Module
from nngen.graph.loops import position


@dataclass(frozen=True, eq=False)
class HeldState:
    """A parameter or buffer that a class makes itself.

    Attributes:
        attribute: what the functional twin calls it.
        key: its name in the nn twin's named_parameters or named_buffers.
        buffer: it is a buffer.
        written: a buffer that forward changes in place.
        own: the spec's own Parameter or Buffer, rather than a layer's.
    """

    attribute: str
    key: str
    buffer: bool
    written: bool
    own: bool = False


@dataclass(frozen=True, eq=False)
class HeldBlock:
    """A block, a list of blocks, or copies of a layer that is one.

    Attributes:
        attribute: what the functional twin calls it.
        key: what stands before the dot of all keys in it.
        built: the step that builds it.
    """

    attribute: str
    key: str
    module: Module
    built: Built


def held(flow: Flow) -> Iterator[HeldState | HeldBlock]:
    """What a class holds, in the order of construction."""
    for place, built in enumerate(flow.built):
        module = built.module
        if module is None:
            continue
        if module.kind in ("Parameter", "Buffer"):
            is_buffer = module.kind == "Buffer"
            written = is_buffer and _has_writing_line(flow)
            yield HeldState(built.name, built.name, is_buffer, written, own=True)
            continue
        first = position(flow, place) if flow.body.sequential else module.path[0]
        yield from _in_module(module, built, first)


def states_of(flow: Flow) -> list[HeldState]:
    """The parameters and buffers that a class makes itself."""
    return [each for each in held(flow) if isinstance(each, HeldState)]


def blocks_of(flow: Flow) -> list[HeldBlock]:
    """The blocks that a class holds."""
    return [each for each in held(flow) if isinstance(each, HeldBlock)]


def changes_buffers(flow: Flow) -> bool:
    """Whether forward changes buffers of a class, or of the blocks in it."""
    own = any(each.written for each in states_of(flow))
    return own or any(changes_buffers(inner) for inner, _ in flows_below(flow))


def _in_module(module: Module, built: Built, first: str) -> Iterator[HeldState | HeldBlock]:
    key = ".".join((first, *module.path[1:]))
    if holds_blocks(module):
        yield HeldBlock(module.identifier, key, module, built)
        return
    for child in module.children:
        yield from _in_module(child, built, first)
    for state in module.state:
        name = f"{key}.{state.name}"
        yield HeldState(module.attribute(state), name, state.buffer, state.written)


def _has_writing_line(flow: Flow) -> bool:
    """Whether a line calls a function that may change a buffer in place."""
    trees = (each.line.value.tree for each in flow.operations if each.line is not None)
    called = (node.func for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call))
    names = {ast.unparse(each) for each in called}
    return any(name in FUNCTIONS and FUNCTIONS[name].writes for name in names)
