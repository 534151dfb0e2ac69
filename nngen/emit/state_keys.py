"""The keys of both twins' state_dicts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nngen.emit.constructor import is_block_list
from nngen.errors import Mark, SpecError
from nngen.graph.flow import Flow, Module
from nngen.graph.loops import place_in, position

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Inner:
    """A block at its place in a class: what both twins call it, and the flow of its class."""

    nn: str
    functional: str
    flow: Flow


def state_keys(flow: Flow, loss: Flow | None) -> tuple[Pair, ...]:
    """The nn twin's keys with the functional twin's; `*` stands for a position in a list of blocks.

    Raises:
        SpecError: two names would meet in the functional twin.
    """
    owners: dict[str, Mark] = {}
    pairs = dict(_of_class(flow, owners))
    if loss is not None:
        pairs.update(_of_class(loss, owners))
    return tuple(pairs.items())


def class_keys(flow: Flow) -> dict[str, str]:
    """The keys of one class, blocks included."""
    return dict(_of_class(flow, {}))


def module_marks(flow: Flow, above: str = "") -> Iterator[tuple[str, Mark]]:
    """The names that the nn twin's modules have in the whole model, with their places in the spec."""
    for place, built in enumerate(flow.built):
        if built.module is not None:
            sequential = flow.body.sequential
            name = position(flow, place) if sequential else ".".join(built.module.path)
            yield from _below(built.module, above + name)


def _below(module: Module, name: str) -> Iterator[tuple[str, Mark]]:
    yield name, module.mark
    for child in module.children:
        yield from _below(child, ".".join((name, *child.path[len(module.path) :])))
    if module.flow is not None and not module.flow.body.layer:
        yield from module_marks(module.flow, f"{name}.")


def _of_class(flow: Flow, owners: dict[str, Mark]) -> Iterator[Pair]:
    for each in entries(flow, owners):
        if isinstance(each, Inner):
            for nn, functional in _of_class(each.flow, {}):
                yield f"{each.nn}.{nn}", f"{each.functional}.{functional}"
        else:
            yield each


def entries(flow: Flow, owners: dict[str, Mark]) -> Iterator[Pair | Inner]:
    """The keys of one class, and the blocks in it; in `owners` where the functional twin's names are from.

    Raises:
        SpecError: two names would meet in the functional twin.
    """
    owners.update((name, flow.body.mark) for name in flow.scope.values)
    for place, built in enumerate(flow.built):
        module = built.module
        if module is None:
            continue
        if module.kind in ("Parameter", "Buffer"):
            if module.values.get("persistent", True):
                _own(built.name, built.name, module.mark, owners)
                yield built.name, built.name
            continue
        for nn, functional, found in _of_module(module):
            if flow.body.sequential:
                nn = ".".join((position(flow, place), *nn.split(".")[1:]))
            if isinstance(found, Flow):
                yield Inner(nn, functional, found)
            else:
                _own(functional, nn, found, owners)
                yield nn, functional


def _own(functional: str, nn: str, mark: Mark, owners: dict[str, Mark]) -> None:
    if functional in owners:
        raise SpecError(
            f"in the functional twin {nn!r} and something else would both be called {functional!r}",
            mark,
            "rename one of the two",
        )
    owners[functional] = mark


def _of_module(module: Module) -> Iterator[tuple[str, str, Mark | Flow]]:
    """The names of its parameters and buffers, with where the spec has the layer; and of blocks, with their flows."""
    nn, functional = ".".join(module.path), module.identifier
    if module.flow is not None:
        yield nn, functional, module.flow
    elif is_block_list(module):
        for child in module.children:
            place = place_in(module, child)
            assert child.flow is not None
            yield f"{nn}.{place}", f"{functional}.{place}", child.flow
    else:
        for child in module.children:
            yield from _of_module(child)
        for state in module.state:
            if state.persistent:
                yield module.key(state), module.attribute(state), module.mark
