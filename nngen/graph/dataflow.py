"""One traversal of all that a model computes: blocks and containers opened, lines taken apart, conditions asked.

Whoever reads a program derives a class from `Dataflow`, and says what stands for a value: a node of a graph, where it
comes from in a drawing, the name of a row.
"""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from nngen.graph.flow import Application, Flow, Operation, Value
from nngen.graph.uses import Sizes, holds, inner_sizes, layer_names

S = TypeVar("S")
Structure = ast.Tuple | ast.List | ast.Dict


@dataclass(frozen=True, eq=False)
class Use(Generic[S]):
    """A use of a layer, a block or a container.

    Attributes:
        name: what its class calls it; of a copy in a list, its place.
        path: its name in the whole model: `stages.0.conv1`.
        given: what goes in, by the names of forward's arguments.
        flow: of what is opened, what happens in it.
    """

    application: Application
    name: str
    path: str
    given: Mapping[str, S]
    flow: Flow | None


@dataclass(eq=False)
class Scene(Generic[S]):
    """A use of a class while it is gone through.

    Attributes:
        path: where it stands in the whole model; empty for the model itself.
        sizes: its open sizes, as the model has them.
        values: what stands for its values.
        names: what the nn twin calls the layers of a block that is a Sequential.
        operation: the step at hand.
        only_training: that step happens in train mode alone.
    """

    flow: Flow
    path: str
    sizes: Sizes
    values: dict[Value, S]
    names: Mapping[str, str]
    operation: Operation = field(init=False)
    only_training: bool = False


class Dataflow(ABC, Generic[S]):
    """Goes through a use of a class in the order in which it happens, and through all that is in it.

    Attributes:
        nothing: what stands for what holds no tensor.
        scene: the use of a class at hand.
    """

    nothing: S
    scene: Scene[S]

    def through(
        self, flow: Flow, starts: Mapping[Value, S], path: str = "", outer: Sizes | None = None
    ) -> S:
        """Go through a use of a class; what stands for its output.

        Args:
            flow: what happens in it.
            starts: what stands for its inputs.
            path: where it stands in the whole model.
            outer: the sizes of its user.
        """
        above = getattr(self, "scene", None)
        self.scene = Scene(
            flow, path, inner_sizes(flow, outer or {}), dict(starts), layer_names(flow)
        )
        self.begin()
        for operation in flow.operations:
            self.scene.operation = operation
            self.scene.only_training = not holds(operation.condition, flow, modes=(False,))
            self.step(operation)
        found = self.end(self.value(flow.result))
        if above is not None:
            self.scene = above
        return found

    def step(self, operation: Operation) -> None:
        """Go through a step; where it does not happen, its first input is passed on."""
        if self.happens(operation):
            result = self.chosen(operation, self.result(operation))
        elif operation.reads:
            result = self.value(operation.reads[0])
        else:
            return
        several = len(operation.writes) > 1
        for place, value in enumerate(operation.writes):
            if value is not None:
                found = self.part(result, place, value) if several else result
                self.scene.values[value] = found

    def happens(self, operation: Operation) -> bool:
        """Whether the step at hand happens in some mode."""
        return holds(operation.condition, self.scene.flow)

    def result(self, operation: Operation) -> S:
        """What stands for what a step gives."""
        application = operation.application
        if operation.line is not None:
            return self.line(operation, operation.line.value.tree)
        if application is None:
            return self.value(operation.reads[0]) if operation.reads else self.nothing
        given = {key: self.value(each) for key, each in zip(application.inputs, operation.reads)}
        return self.use(application, operation.layer, given)

    def value(self, value: Value) -> S:
        """What stands for a value."""
        if value not in self.scene.values:
            self.scene.values[value] = self.state(value)
        return self.scene.values[value]

    def line(self, operation: Operation, tree: ast.expr) -> S:
        """What stands for what a line gives."""
        return self.of(tree)

    def of(self, node: ast.expr, whole: bool = True) -> S:
        """What stands for an expression of the line at hand.

        Args:
            node: the expression.
            whole: it is what the line gives, an item of that, or an argument of a layer; else a part of such.
        """
        operation = self.scene.operation
        if isinstance(node, ast.Name):
            named = (self.value(each) for each in operation.reads if each.name == node.id)
            return next(named, self.nothing)
        if isinstance(node, ast.Call) and node in operation.calls:
            assert operation.line is not None
            if node not in operation.record.reached(operation.line.value.tree):
                return self.nothing
            application = operation.calls[node]
            trees = dict(zip(application.inputs, node.args))
            trees.update({str(word.arg): word.value for word in node.keywords})
            given = {key: self.of(each) for key, each in trees.items()}
            return self.use(application, application.module.identifier, given)
        if isinstance(node, Structure):
            parts = node.values if isinstance(node, ast.Dict) else node.elts
            return self.structure(node, [self.of(part, whole) for part in parts])
        return self.expression(node, whole)

    def use(
        self, application: Application, name: str, given: Mapping[str, S], above: str | None = None
    ) -> S:
        """What stands for what a use of a layer, block or container gives.

        Args:
            application: the use.
            name: what it is called in its class, or in its container.
            given: what goes in.
            above: the path of that container.
        """
        if above is None:
            above, name = self.scene.path, self.scene.names.get(name, name)
        flow = application.flow or application.module.flow
        flow = flow if flow is not None and self.opens(flow) else None
        use = Use(application, name, joined(above, name), given, flow)
        if application.children:
            return self.within(use, lambda: self._chain(use))
        if flow is not None:
            starts = {value: self.enter(value, given) for value in flow.inputs}
            sizes = self.scene.sizes
            return self.within(use, lambda: self.through(flow, starts, use.path, sizes))
        return self.layer(use)

    def _chain(self, use: Use[S]) -> S:
        """What is in a container: each takes what the one before gives."""
        given, found = list(use.given.values()), self.nothing
        for place, child in enumerate(use.application.children):
            name = child.module.name if child.module.name != "*" else str(place)
            found = self.use(child, name, dict(zip(child.inputs, given)), use.path)
            several = isinstance(child.output, tuple) and len(child.inputs) > 1
            given = self.onward(found, len(child.output) if several else 1, given)
        return found

    def onward(self, found: S, count: int, given: Sequence[S]) -> list[S]:
        """What the next one in a container takes: so many values of the last one's; further inputs are the same for all."""
        return [found, *given[1:]]

    def begin(self) -> None:
        """A use of a class begins."""

    def end(self, found: S) -> S:
        """It ends; what stands for what it gives, out of it."""
        return found

    def within(self, use: Use[S], inside: Callable[[], S]) -> S:
        """Go through what is in a container, or in what is opened."""
        return inside()

    def chosen(self, operation: Operation, result: S) -> S:
        """What stands for the result of a step that a condition may skip."""
        return result

    def enter(self, value: Value, given: Mapping[str, S]) -> S:
        """What stands for an input of what is opened, in it."""
        return given.get(value.name, self.nothing)

    def opens(self, flow: Flow) -> bool:
        """Whether a block is opened, or a layer that is made of steps."""
        return not flow.body.layer

    @abstractmethod
    def state(self, value: Value) -> S:
        """What stands for a Parameter or Buffer, when it is first used."""

    @abstractmethod
    def part(self, whole: S, place: int, value: Value) -> S:
        """What stands for one of several values that a step takes apart."""

    @abstractmethod
    def layer(self, use: Use[S]) -> S:
        """What stands for what a layer gives that is not opened."""

    def structure(self, node: Structure, parts: list[S]) -> S:
        """What stands for a tuple, list or dict of these."""
        return self.nothing

    def expression(self, node: ast.expr, whole: bool) -> S:
        """What stands for any other expression, once what it is made of has been gone through."""
        for part in parts_of(node):
            self.of(part, whole=False)
        return self.nothing


def parts_of(node: ast.AST) -> Iterator[ast.expr]:
    """The expressions that one is made of."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            yield child
        else:
            yield from parts_of(child)


def joined(path: str, name: str) -> str:
    """The path of what is called so in the class or container of that path."""
    return f"{path}.{name}" if path else name
