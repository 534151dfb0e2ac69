"""From the flow of a model to the nodes and edges of its drawing."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nngen.catalog.partial_evaluation import source
from nngen.errors import Mark
from nngen.graph.flow import Application, Flow, Operation, Value
from nngen.graph.uses import Sizes, holds, kind_of, layer_names, open_sizes
from nngen.symbolic.broadcasting import show
from nngen.symbolic.sizes import Dim
from nngen.symbolic.substitution import substitute, with_numbers
from nngen.symbolic.tensor import Tensor
from nngen.views.diagram.nodes import Drawing, Edge, Group, Node
from nngen.views.summary.lines import called

# Where a value comes from, and what it is.
Source = tuple[str, Any]


def trace(flow: Flow, unfold: bool) -> Drawing:
    """The drawing of a model."""
    return _Tracer(unfold).model(flow)


class _Tracer:
    def __init__(self, unfold: bool) -> None:
        self.unfold = unfold
        self.drawing = Drawing(Group("model", "", ""))
        self.count = 0
        self.training: set[str] = set()

    def model(self, flow: Flow) -> Drawing:
        drawing = self.drawing
        drawing.root.name = flow.body.name
        inputs = [
            (self.node("input", value.name, "", drawing.root), value) for value in flow.inputs
        ]
        starts = {value: [(key, value.abstract)] for key, value in inputs}
        ends = self.flow(flow, starts, drawing.root, {})
        output = self.node("output", "output", "", drawing.root)
        self.edges(ends, output, {})
        return drawing

    def flow(
        self, flow: Flow, starts: Mapping[Value, list[Source]], group: Group, outer: Sizes
    ) -> list[Source]:
        """Draw what happens in a class; where its output comes from."""
        sizes = {**outer, **open_sizes(flow, outer)}
        names = layer_names(flow)
        scene = _Scene(self, flow, group, sizes, dict(starts))
        *steps, output = flow.operations
        for operation in steps:
            if not holds(operation.condition, flow):
                for value in operation.writes:
                    if value is not None and operation.reads:
                        scene.values[value] = scene.of(operation.reads[0])
                continue
            scene.only_training = not holds(operation.condition, flow, modes=(False,))
            if operation.application is not None:
                keys = operation.application.inputs
                given = {key: scene.of(value) for key, value in zip(keys, operation.reads)}
                name = names.get(operation.layer, operation.layer)
                found = scene.layer(operation.application, name, given)
            else:
                found = scene.line(operation)
            apart = len(found) == len(operation.writes) > 1
            for place, value in enumerate(operation.writes):
                if value is not None and apart:
                    scene.values[value] = [found[place]]
                elif value is not None:
                    several = len(operation.writes) > 1
                    scene.values[value] = [
                        (key, value.abstract if several else abstract) for key, abstract in found
                    ]
        scene.only_training = False
        result = output.writes[0]
        ends = scene.of(output.reads[0]) if output.line is None else scene.line(output)
        assert result is not None
        return [(key, _outside(abstract, sizes)) for key, abstract in ends]

    def node(
        self,
        kind: str,
        name: str,
        text: str,
        group: Group,
        only_training: bool = False,
        mark: Mark | None = None,
    ) -> str:
        key = self.key()
        if only_training:
            self.training.add(key)
        group.members.append(Node(key, name, text, kind, only_training, mark))
        return key

    def key(self) -> str:
        self.count += 1
        return f"n{self.count}"

    def edges(
        self, sources: list[Source], target: str, sizes: Sizes, only_training: bool = False
    ) -> None:
        for key, abstract in sources:
            dashed = only_training or key in self.training
            edge = Edge(key, target, _shown(abstract, sizes), dashed)
            if edge not in self.drawing.edges[-len(sources) :]:
                self.drawing.edges.append(edge)


class _Scene:
    """One use of a class while it is drawn."""

    def __init__(
        self,
        tracer: _Tracer,
        flow: Flow,
        group: Group,
        sizes: Sizes,
        values: dict[Value, list[Source]],
    ) -> None:
        self.tracer = tracer
        self.flow = flow
        self.group = group
        self.sizes = sizes
        self.values = values
        self.only_training = False

    def of(self, value: Value) -> list[Source]:
        """Where a value comes from; a Parameter or Buffer gets its node when it is first used."""
        if value not in self.values:
            key = self.tracer.node("state", value.name, self._state_kind(value), self.group)
            self.values[value] = [(key, value.abstract)]
        # A layer's value is what the layer gives, whatever it was given under a condition.
        return self.values[value]

    def _state_kind(self, value: Value) -> str:
        built = {each.name: each.module for each in self.flow.built}
        module = built.get(value.name)
        return "" if module is None else module.kind

    def line(self, operation: Operation) -> list[Source]:
        """Draw a line, and before it the layers that it calls."""
        assert operation.line is not None
        tree = operation.line.value.tree
        if isinstance(tree, ast.Name):
            return self._sources(tree, operation, set())
        reached = {*called(operation, training=True), *called(operation, training=False)}
        found = self._element(tree, operation, reached)
        if isinstance(tree, (ast.Tuple, ast.Dict, ast.Call)) or len(operation.writes) != 1:
            return found
        return [(key, operation.writes[0].abstract) for key, _ in found if operation.writes[0]]

    def _element(
        self, node: ast.expr, operation: Operation, reached: set[ast.Call]
    ) -> list[Source]:
        """Where a value comes from; one that is computed here gets a node."""
        called = isinstance(node, ast.Call) and node in operation.calls
        if called or isinstance(node, ast.Name):
            return self._sources(node, operation, reached)
        if isinstance(node, (ast.Tuple, ast.List, ast.Dict)):
            parts = node.values if isinstance(node, ast.Dict) else node.elts
            return [each for part in parts for each in self._element(part, operation, reached)]
        given = self._sources(node, operation, reached)
        if not given and isinstance(node, ast.Constant):
            return []
        mark = operation.mark
        key = self.tracer.node("line", "", source(node), self.group, self.only_training, mark)
        self.tracer.edges(given, key, self.sizes, self.only_training)
        return [(key, self._abstract(node, operation))]

    def _abstract(self, node: ast.expr, operation: Operation) -> Any:
        """What an expression of a line gives, where that can be told."""
        assert operation.line is not None
        writes = [value.abstract for value in operation.writes if value is not None]
        if node is operation.line.value.tree:
            return writes[0] if len(writes) == 1 else tuple(writes)
        return operation.record.value(node)

    def _sources(self, node: ast.AST, operation: Operation, reached: set[ast.Call]) -> list[Source]:
        """Where what stands in an expression comes from."""
        if isinstance(node, ast.Call) and node in operation.calls:
            if node not in reached:
                return []
            application = operation.calls[node]
            given = dict(zip(application.inputs, node.args))
            given.update({str(keyword.arg): keyword.value for keyword in node.keywords})
            parts = {key: self._element(each, operation, reached) for key, each in given.items()}
            return self.layer(application, application.module.name, parts)
        if isinstance(node, ast.Name):
            return [s for value in operation.reads if value.name == node.id for s in self.of(value)]
        children = ast.iter_child_nodes(node)
        found = [each for child in children for each in self._sources(child, operation, reached)]
        return list({key: (key, abstract) for key, abstract in found}.values())

    def layer(
        self, application: Application, name: str, given: Mapping[str, list[Source]]
    ) -> list[Source]:
        """Draw a layer, a block, or what is in a container."""
        module = application.module
        flow = application.flow or module.flow
        if application.children:
            return self._framed(name, kind_of(module), application, given)
        if self.tracer.unfold and flow is not None and not flow.body.layer:
            group = Group(self.tracer.key(), name, kind_of(module))
            self.group.members.append(group)
            ends = self.tracer.flow(flow, _inside(flow, given), group, self.sizes)
            # One value is told in its user's sizes.
            return [(ends[0][0], application.output)] if len(ends) == 1 else ends
        kind = "block" if flow is not None and not flow.body.layer else "layer"
        key = self.tracer.node(
            kind, name, kind_of(module), self.group, self.only_training, module.mark
        )
        taken = [each for sources in given.values() for each in sources]
        self.tracer.edges(taken, key, self.sizes, self.only_training)
        return [(key, application.output)]

    def _framed(
        self, name: str, text: str, application: Application, given: Mapping[str, list[Source]]
    ) -> list[Source]:
        outer, self.group = self.group, Group(self.tracer.key(), name, text)
        outer.members.append(self.group)
        found: list[Source] = []
        parts = list(given.values())
        for place, child in enumerate(application.children):
            label = child.module.name if child.module.name != "*" else str(place)
            if place:
                before = application.children[place - 1].output
                several = isinstance(before, tuple) and len(child.inputs) > 1
                count = len(before) if several else 1
                apart = len(found) == count
                run_on = [[each] for each in found] if apart else [found] * count
                parts = [*run_on, *parts[count:]]  # further inputs are the same for all copies
            found = self.layer(child, label, dict(zip(child.inputs, parts)))
        self.group = outer
        return found


def _inside(flow: Flow, given: Mapping[str, list[Source]]) -> dict[Value, list[Source]]:
    """The inputs of a block as the block sees them, so that its sizes show."""
    return {
        value: [(key, value.abstract) for key, _ in given.get(value.name, ())]
        for value in flow.inputs
    }


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
