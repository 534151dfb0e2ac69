"""From the flow of a model to the nodes and edges of its drawing."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from nngen.catalog.partial_evaluation import source
from nngen.errors import Mark
from nngen.graph.dataflow import Dataflow, Structure, Use, parts_of
from nngen.graph.flow import Flow, Operation, Value
from nngen.graph.uses import Sizes, kind_of
from nngen.symbolic.broadcasting import show
from nngen.symbolic.sizes import Dim
from nngen.symbolic.substitution import substitute, with_numbers
from nngen.symbolic.tensor import Tensor
from nngen.views.diagram.nodes import Drawing, Edge, Group, Node

# Where what stands for a value comes from, and what each of that is.
Sources = list[tuple[str, Any]]


def trace(flow: Flow, unfold: bool) -> Drawing:
    """The drawing of a model."""
    return _Tracer(unfold).model(flow)


class _Tracer(Dataflow[Sources]):

    def __init__(self, unfold: bool) -> None:
        self.nothing = []
        self.unfold = unfold
        self.drawing = Drawing(Group("model", "", ""))
        self.group = self.drawing.root
        self.count = 0
        self.training: set[str] = set()

    def model(self, flow: Flow) -> Drawing:
        self.group.name = flow.body.name
        starts = {
            value: [(self.node("input", value.name, ""), value.abstract)] for value in flow.inputs
        }
        ends = self.through(flow, starts)
        self.edges(ends, self.node("output", "output", ""), {})
        return self.drawing

    def node(
        self, kind: str, name: str, text: str, only_training: bool = False, mark: Mark | None = None
    ) -> str:
        key = self.key()
        if only_training:
            self.training.add(key)
        self.group.members.append(Node(key, name, text, kind, only_training, mark))
        return key

    def key(self) -> str:
        self.count += 1
        return f"n{self.count}"

    def step_node(self, kind: str, name: str, text: str, mark: Mark, given: Sources) -> str:
        """A node of the step at hand, with the edges that lead to it."""
        only_training = self.scene.only_training
        key = self.node(kind, name, text, only_training, mark)
        self.edges(given, key, self.scene.sizes, only_training)
        return key

    def edges(
        self, sources: Sources, target: str, sizes: Sizes, only_training: bool = False
    ) -> None:
        for key, abstract in sources:
            dashed = only_training or key in self.training
            edge = Edge(key, target, _shown(abstract, sizes), dashed)
            if edge not in self.drawing.edges[-len(sources) :]:
                self.drawing.edges.append(edge)

    def opens(self, flow: Flow) -> bool:
        return self.unfold and not flow.body.layer

    def enter(self, value: Value, given: Mapping[str, Sources]) -> Sources:
        """The inputs of a block are as the block sees them, so that its sizes show."""
        return [(key, value.abstract) for key, _ in given.get(value.name, ())]

    def end(self, found: Sources) -> Sources:
        """What a block gives is told in the sizes of its user."""
        sizes = self.scene.sizes
        return [(key, _outside(abstract, sizes)) for key, abstract in found]

    def within(self, use: Use[Sources], inside: Callable[[], Sources]) -> Sources:
        outer, self.group = self.group, Group(self.key(), use.name, kind_of(use.application.module))
        outer.members.append(self.group)
        found = inside()
        self.group = outer
        lone = use.flow is not None and len(found) == 1
        return [(found[0][0], use.application.output)] if lone else found

    def onward(self, found: Sources, count: int, given: Sequence[Sources]) -> list[Sources]:
        run_on = [[each] for each in found] if len(found) == count else [found] * count
        return [*run_on, *given[count:]]

    def layer(self, use: Use[Sources]) -> Sources:
        module = use.application.module
        flow = use.application.flow or module.flow
        kind = "block" if flow is not None and not flow.body.layer else "layer"
        given = [each for sources in use.given.values() for each in sources]
        key = self.step_node(kind, use.name, kind_of(module), module.mark, given)
        return [(key, use.application.output)]

    def state(self, value: Value) -> Sources:
        built = {each.name: each.module for each in self.scene.flow.built}
        module = built.get(value.name)
        kind = "" if module is None else module.kind
        return [(self.node("state", value.name, kind), value.abstract)]

    def part(self, whole: Sources, place: int, value: Value) -> Sources:
        if len(whole) == len(self.scene.operation.writes):
            return [whole[place]]
        return [(key, value.abstract) for key, _ in whole]

    def line(self, operation: Operation, tree: ast.expr) -> Sources:
        found = self.of(tree)
        if isinstance(tree, (ast.Tuple, ast.Dict, ast.Call, ast.Name)):
            return found
        if len(operation.writes) != 1:
            return found
        return [(key, operation.writes[0].abstract) for key, _ in found if operation.writes[0]]

    def structure(self, node: Structure, parts: list[Sources]) -> Sources:
        return [each for part in parts for each in part]

    def expression(self, node: ast.expr, whole: bool) -> Sources:
        """What is computed in a line is one node, however many parts it has."""
        parts = (self.of(each, whole=False) for each in parts_of(node))
        given = list({key: (key, abstract) for part in parts for key, abstract in part}.values())
        if not whole or (not given and isinstance(node, ast.Constant)):
            return given
        key = self.step_node("line", "", source(node), self.scene.operation.mark, given)
        return [(key, self._abstract(node, self.scene.operation))]

    def _abstract(self, node: ast.expr, operation: Operation) -> Any:
        """What an expression of a line gives, where that can be told."""
        assert operation.line is not None
        writes = [value.abstract for value in operation.writes if value is not None]
        if node is operation.line.value.tree:
            return writes[0] if len(writes) == 1 else tuple(writes)
        return operation.record.value(node)


def _outside(abstract: Any, sizes: Sizes) -> Any:
    """A value with a block's open sizes told in those of its user."""
    if isinstance(abstract, Tensor) and abstract.shape is not None:
        return replace(abstract, shape=tuple(_number(size, sizes) for size in abstract.shape))
    return abstract


def _number(size: Dim, sizes: Sizes) -> Dim:
    """A size as it is in this use; what is open keeps its name."""
    return with_numbers(substitute(size, sizes))


def _shown(value: Any, sizes: Sizes) -> str:
    if isinstance(value, Tensor):
        if value.shape is None:
            return "?"
        return show(tuple(_number(size, sizes) for size in value.shape))
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (tuple, list)):
        return ", ".join(_shown(item, sizes) for item in value[:4]) + (
            ", …" if len(value) > 4 else ""
        )
    return ""
