"""The modules that steps build, and the layers that lines call, by the places of the spec."""

from __future__ import annotations

from collections.abc import Iterator

from nngen.graph import Program
from nngen.graph.flow import Flow, Module
from nngen.teach.lesson.steps import Places


class Modules:
    """What a model is made of.

    Attributes:
        built: what each step builds, by the number of its place; of a repeat the list of its copies.
        called: the names of the layers that each line calls.
    """

    def __init__(self, program: Program, places: Places) -> None:
        self.places = places
        self.built: dict[int, Module] = {}
        self.called: dict[int, tuple[str, ...]] = {}
        flows = [flow for flows in program.uses.values() for flow in flows]
        criterion = program.criterion
        for flow in (*flows, program.flow, *([criterion.flow] if criterion else [])):
            self._add(flow)

    def _add(self, flow: Flow) -> None:
        for built in flow.built:
            if built.module is not None:
                for module in _with_children(built.module):
                    place = self.places.of(module.mark)
                    if place is not None:
                        self.built.setdefault(place.number, module)
        for operation in flow.operations:
            place = self.places.of(operation.mark)
            if place is not None and operation.calls:
                names = (use.module.identifier for use in operation.calls.values())
                self.called.setdefault(place.number, tuple(dict.fromkeys(names)))


def _with_children(module: Module) -> Iterator[Module]:
    yield module
    for child in module.children:
        yield from _with_children(child)
