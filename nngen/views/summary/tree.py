"""From the flow of a model to the rows of its summary."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from nngen.catalog import LAYERS
from nngen.catalog.entry import State
from nngen.catalog.fragments import HELPERS, fragment
from nngen.catalog.partial_evaluation import free_names, source
from nngen.graph.dataflow import Dataflow, Use, joined
from nngen.graph.flow import Application, Built, Flow, Module, Operation, Value
from nngen.graph.uses import Sizes, holds, inner_sizes, kind_of
from nngen.symbolic.evaluator import SIZE_FUNCTIONS, Evaluator
from nngen.symbolic.sizes import Dim
from nngen.symbolic.tensor import Tensor
from nngen.views.summary.lines import called, counted, products
from nngen.views.summary.rows import Row, number, shapes_of


class Tree(Dataflow[str]):
    """Makes rows; what stands at one place in the model is counted where it is first met.

    What stands for a value is its name in the rows.
    """

    nothing = ""

    def __init__(self) -> None:
        self.counted: set[str] = set()
        self.tied: set[str] = set()
        self.rows: list[Row] = []
        self.states: list[list[Built]] = []  # of each class that is gone through, those to come

    def model(self, flow: Flow, sizes: Sizes) -> list[Row]:
        """The rows of the model's own class."""
        return self._inner(lambda: self._flow(flow, "", sizes))

    def loss(self, flow: Flow, sizes: Sizes) -> list[Row]:
        """The layers of a loss that hold parameters or buffers."""
        rows = [self._not_used(built.module, built.name, sizes) for built in _modules(flow)]
        return [row for row in rows if row.parameters or row.buffers]

    def _inner(self, inside: Callable[[], object]) -> list[Row]:
        """The rows that are made inside."""
        above, self.rows = self.rows, []
        inside()
        rows, self.rows = self.rows, above
        return rows

    def _flow(self, flow: Flow, path: str, sizes: Sizes) -> None:
        self.through(flow, {value: value.name for value in flow.inputs}, path, sizes)

    def begin(self) -> None:
        flow, path = self.scene.flow, self.scene.path
        self.tied.update(joined(path, left.text) for left, _ in flow.body.tie)
        self.states.append([built for built in flow.built if _is_state(built)])

    def end(self, found: str) -> str:
        scene = self.scene
        self.rows += map(self._state, self.states.pop())
        for built in _modules(scene.flow):
            name = scene.names.get(built.name, built.name)
            path = joined(scene.path, name)
            there = holds(built.condition, scene.flow) and not _is_state(built)
            if path not in self.counted and there:
                row = self._not_used(built.module, path, scene.sizes)
                self.rows.append(replace(row, name=name))
        return found

    def step(self, operation: Operation) -> None:
        states = self.states[-1]
        while states and states[0].step <= operation.step:
            self.rows.append(self._state(states.pop(0)))
        for row in self._inner(lambda: super(Tree, self).step(operation)):
            only_training = row.only_training or self.scene.only_training
            self.rows.append(replace(row, only_training=only_training, mark=operation.mark))

    def line(self, operation: Operation, tree: ast.expr) -> str:
        assert operation.line is not None
        names, sizes = self.scene.names, self.scene.sizes
        now = called(operation, training=False)
        for node, application in {**called(operation, training=True), **now}.items():
            taken = {each: names.get(each, each) for each in _taken(node, operation)}
            self.use(application, application.module.identifier, taken)
            self.rows[-1] = replace(self.rows[-1], only_training=node not in now)
        result = [value.abstract for value in operation.writes if value is not None]
        first = next((value.name for value in operation.writes if value is not None), "")
        if isinstance(tree, ast.Call) and tree in operation.calls:
            return first
        counts = [
            None if each is None else number(each, sizes)
            for each in products(operation, training=False)
        ]
        row = Row(
            ", ".join(operation.line.names),
            source(tree),
            tuple(map(self.value, operation.reads)),
            shapes_of(result, sizes),
            mult_adds=sum(each or 0 for each in counts),
            partial=None in counts,
            is_line=True,
            given=shapes_of([value.abstract for value in operation.reads], sizes),
        )
        self.rows.append(row)
        return first

    def opens(self, flow: Flow) -> bool:
        return True

    def enter(self, value: Value, given: Mapping[str, str]) -> str:
        return value.name

    def state(self, value: Value) -> str:
        return value.name

    def part(self, whole: str, place: int, value: Value) -> str:
        return value.name

    def onward(self, found: str, count: int, given: Sequence[str]) -> list[str]:
        return [found]

    def within(self, use: Use[str], inside: Callable[[], str]) -> str:
        row = self._row(use)
        self.rows.append(_summed(row, self._inner(inside)))
        return use.name

    def layer(self, use: Use[str]) -> str:
        module, sizes = use.application.module, self.scene.sizes
        row = self._leaf(self._row(use), module, use.application, use.path, sizes)
        if module.children:
            parts = [self._part(module, child, use.path, sizes) for child in module.children]
            row = _summed(row, parts)
        self.rows.append(row)
        return use.name

    def _row(self, use: Use[str]) -> Row:
        module, shared = use.application.module, use.path in self.counted
        self.counted.add(use.path)
        output = shapes_of(use.application.output, self.scene.sizes)
        given = shapes_of(list(use.application.inputs.values()), self.scene.sizes)
        row = Row(use.name, kind_of(module), tuple(use.given.values()), output, given=given)
        return replace(row, shared=shared, mark=module.mark)

    def _part(self, stack: Module, part: Module, path: str, sizes: Sizes) -> Row:
        """A part of a layer of torch's that is made of layers in a row."""
        name = ".".join(part.path[len(stack.path) :])
        full = joined(path, name)
        if part.flow is not None:
            use = Application(part, {}, part.flow.output, flow=part.flow)
            (row,) = self._inner(lambda: self.use(use, name, {}, path))
            return replace(row, output=shapes_of(part.flow.output, inner_sizes(part.flow, sizes)))
        if not part.children:
            return self._not_used(part, full, sizes, unused=False, name=name)
        self.counted.add(full)
        inner_rows = [self._part(part, child, full, sizes) for child in part.children]
        return _summed(Row(name, part.kind, (), inner_rows[-1].output, mark=part.mark), inner_rows)

    def _not_used(
        self, module: Module, path: str, sizes: Sizes, unused: bool = True, name: str = ""
    ) -> Row:
        """A layer whose use is not seen: its parameters are there all the same."""
        row = Row(name or module.name, kind_of(module), (), [], unused=unused, mark=module.mark)
        self.counted.add(path)
        flow = module.flow
        if flow is not None:
            inner = self._inner(lambda: self._flow(flow, path, sizes))
            return replace(_summed(row, inner), mult_adds=0, rows=())
        children = [
            self._not_used(child, joined(path, child.name), sizes) for child in module.children
        ]
        parameters, buffers = self._numbers(module, path, sizes)
        own = replace(row, parameters=parameters, buffers=buffers)
        return replace(_summed(own, children), rows=())

    def _leaf(
        self, row: Row, module: Module, application: Application, path: str, sizes: Sizes
    ) -> Row:
        parameters, buffers = (0, 0) if row.shared else self._numbers(module, path, sizes)
        shared = row.shared and bool(module.state)
        row = replace(row, parameters=parameters, buffers=buffers, shared=shared)
        rule = LAYERS[module.kind].mult_adds if module.kind in LAYERS else None
        if rule is None:
            return row
        state = _tensors(module)
        values = {**module.values, **state, **application.inputs, "state": state}
        count = counted(rule, values, application.output)
        found = None if count is None else number(count, sizes)
        return replace(row, mult_adds=found or 0, partial=found is None)

    def _numbers(self, module: Module, path: str, sizes: Sizes) -> tuple[int, int]:
        """How many numbers a layer has of its own: in parameters, and in buffers."""
        found = [0, 0]
        for state in module.state:
            if joined(path, state.name) not in self.tied:
                shape = state_shape(module, state)
                found[state.buffer] += math.prod(number(size, sizes) or 0 for size in shape)
        return found[0], found[1]

    def _state(self, built: Built) -> Row:
        """A Parameter or Buffer of the class itself."""
        scene = self.scene
        reads = (value for each in scene.flow.operations for value in each.reads)
        tensor = next(each.abstract for each in reads if each.state and each.name == built.name)
        path = joined(scene.path, built.name)
        shared = path in self.counted
        self.counted.add(path)
        (shape,) = shapes = shapes_of(tensor, scene.sizes)
        count = 0 if shared or path in self.tied else math.prod(size or 0 for size in shape or ())
        mark = None if built.module is None else built.module.mark
        row = Row(built.name, _kind_of(built), (), shapes, shared=shared, mark=mark)
        is_parameter = row.layer == "Parameter"
        return replace(row, parameters=count) if is_parameter else replace(row, buffers=count)


def state_shape(module: Module, state: State) -> tuple[Dim, ...]:
    """The shape of a parameter or buffer, in the sizes that the layer's arguments have."""
    made = fragment(state.value)
    assert isinstance(made, ast.Call) and isinstance(made.func, ast.Attribute)
    evaluator = Evaluator({**SIZE_FUNCTIONS, **HELPERS, **module.folder({}).known})
    if made.func.attr == "tensor":
        return _data_shape(evaluator(made.args[0]))
    sizes = evaluator(ast.Tuple(made.args, ast.Load()))
    return tuple(sizes[0]) if len(sizes) == 1 and isinstance(sizes[0], tuple) else tuple(sizes)


def _data_shape(data: Any) -> tuple[int, ...]:
    return (len(data), *_data_shape(data[0])) if isinstance(data, (list, tuple)) else ()


def _tensors(module: Module) -> dict[str, Tensor]:
    """The parameters that the layer has when nothing modifies it, as tensors."""
    plain = replace(module, modifiers={})
    states = LAYERS[module.kind].state_of(module.values)
    there = [state for state in states if plain.folder({}).value(fragment(state.when)) is True]
    return {state.name: Tensor(state_shape(plain, state)) for state in there}


def _summed(row: Row, inner: list[Row]) -> Row:
    now = [each for each in inner if not each.only_training]
    return replace(
        row,
        shared=row.shared and any(each.shared for each in inner),
        parameters=row.parameters + sum(each.parameters for each in inner),
        buffers=row.buffers + sum(each.buffers for each in inner),
        mult_adds=row.mult_adds + sum(each.mult_adds for each in now),
        partial=row.partial or any(each.partial for each in now),
        rows=tuple(inner),
    )


def _kind_of(built: Built) -> str:
    return "" if built.module is None else built.module.kind


def _is_state(built: Built) -> bool:
    return _kind_of(built) in ("Parameter", "Buffer")


def _modules(flow: Flow) -> list[Any]:
    return [built for built in flow.built if built.module is not None]


def _taken(node: ast.Call, operation: Operation) -> tuple[str, ...]:
    """The values in a call's arguments; a layer in them stands for what it gives."""
    found: list[str] = []
    reads = {value.name for value in operation.reads}
    for part in (*node.args, *(keyword.value for keyword in node.keywords)):
        for each in ast.walk(part):
            if isinstance(each, ast.Name) and each.id in reads | _called(operation):
                found.append(each.id)
    return tuple(dict.fromkeys(found))


def _called(operation: Operation) -> set[str]:
    return {name for call in operation.calls for name in free_names(call.func)}
