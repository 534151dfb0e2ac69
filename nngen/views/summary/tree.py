"""From the flow of a model to the rows of its summary."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from nngen.catalog import LAYERS
from nngen.catalog.entry import State
from nngen.catalog.fragments import HELPERS, fragment
from nngen.catalog.partial_evaluation import free_names, source
from nngen.graph.flow import Application, Built, Flow, Module, Operation
from nngen.graph.uses import Sizes, holds, kind_of, layer_names, open_sizes
from nngen.symbolic.evaluator import SIZE_FUNCTIONS, Evaluator
from nngen.symbolic.sizes import Dim
from nngen.symbolic.tensor import Tensor
from nngen.views.summary.lines import called, counted, products
from nngen.views.summary.rows import Row, number, shapes_of


class Tree:
    """Makes rows; what stands at one place in the model is counted where it is first met."""

    def __init__(self) -> None:
        self.counted: set[str] = set()
        self.tied: set[str] = set()

    def model(self, flow: Flow, sizes: Sizes) -> list[Row]:
        """The rows of the model's own class."""
        return self._flow(flow, "", sizes)

    def loss(self, flow: Flow, sizes: Sizes) -> list[Row]:
        """The layers of a loss that hold parameters or buffers."""
        rows = [self._not_used(built.module, built.name, sizes) for built in _modules(flow)]
        return [row for row in rows if row.parameters or row.buffers]

    def _flow(self, flow: Flow, path: str, outer: Sizes) -> list[Row]:
        sizes = {**outer, **open_sizes(flow, outer)}
        self.tied.update(_joined(path, left.text) for left, _ in flow.body.tie)
        names = layer_names(flow)
        states = [built for built in flow.built if _is_state(built)]
        tensors = {v.name: v.abstract for op in flow.operations for v in op.reads if v.state}
        rows: list[Row] = []
        for operation in flow.operations:
            while states and states[0].step <= operation.step:
                built = states.pop(0)
                rows.append(self._state(built, tensors[built.name], path, sizes))
            rows += self._operation(operation, flow, path, names, sizes)
        rows += [self._state(built, tensors[built.name], path, sizes) for built in states]
        for built in _modules(flow):
            name = names.get(built.name, built.name)
            full = _joined(path, name)
            if full not in self.counted and holds(built.condition, flow) and not _is_state(built):
                assert built.module is not None
                rows.append(replace(self._not_used(built.module, full, sizes), name=name))
        return rows

    def _operation(
        self, operation: Operation, flow: Flow, path: str, names: dict[str, str], sizes: Sizes
    ) -> Iterator[Row]:
        condition = operation.condition
        taken = tuple(names.get(value.name, value.name) for value in operation.reads)
        if not holds(condition, flow):
            # What is not there lets its input through.
            names.update((value.name, taken[0]) for value in operation.writes if value and taken)
            return
        only_training = not holds(condition, flow, modes=(False,))
        if operation.application is not None:
            name = names.get(operation.layer, operation.layer)
            row = self._application(operation.application, name, _joined(path, name), taken, sizes)
            yield replace(row, only_training=only_training, mark=operation.mark)
        elif operation.line is not None:
            for row in self._line(operation, flow, path, names, sizes):
                yield replace(row, only_training=row.only_training or only_training)

    def _line(
        self, operation: Operation, flow: Flow, path: str, names: dict[str, str], sizes: Sizes
    ) -> Iterator[Row]:
        assert operation.line is not None
        now = called(operation, training=False)
        for node, application in {**called(operation, training=True), **now}.items():
            module = application.module
            name = names.get(module.name, module.name)
            taken = tuple(names.get(each, each) for each in _taken(node, operation))
            row = self._application(application, name, _joined(path, name), taken, sizes)
            yield replace(row, only_training=node not in now, mark=operation.mark)
        tree = operation.line.value.tree
        if isinstance(tree, ast.Call) and tree in operation.calls:
            return
        counts = [
            None if each is None else number(each, sizes)
            for each in products(operation, training=False)
        ]
        result = [value.abstract for value in operation.writes if value is not None]
        yield Row(
            ", ".join(operation.line.names),
            source(tree),
            tuple(names.get(value.name, value.name) for value in operation.reads),
            shapes_of(result, sizes),
            mult_adds=sum(each or 0 for each in counts),
            partial=None in counts,
            is_line=True,
            mark=operation.mark,
        )

    def _application(
        self,
        application: Application,
        name: str,
        path: str,
        taken: tuple[str, ...],
        sizes: Sizes,
    ) -> Row:
        module = application.module
        shared = path in self.counted
        self.counted.add(path)
        row = Row(
            name,
            kind_of(module),
            taken,
            shapes_of(application.output, sizes),
            shared=shared,
            mark=module.mark,
        )
        flow = application.flow or module.flow
        if flow is not None:
            return _summed(row, self._flow(flow, path, sizes))
        if application.children:
            return _summed(row, self._chain(application, path, taken, sizes))
        if module.children:
            inner = [self._part(module, child, path, sizes) for child in module.children]
            return _summed(self._leaf(row, module, application, path, sizes), inner)
        return self._leaf(row, module, application, path, sizes)

    def _chain(
        self, application: Application, path: str, taken: tuple[str, ...], sizes: Sizes
    ) -> list[Row]:
        """What is in a container, each taking what the one before gives."""
        rows = []
        for place, child in enumerate(application.children):
            name = child.module.name if child.module.name != "*" else str(place)
            rows.append(self._application(child, name, _joined(path, name), taken, sizes))
            taken = (name,)
        return rows

    def _part(self, stack: Module, part: Module, path: str, sizes: Sizes) -> Row:
        """A part of a layer of torch's that is made of layers in a row."""
        name = ".".join(part.path[len(stack.path) :])
        full = _joined(path, name)
        if part.flow is not None:
            use = Application(part, {}, part.flow.output, flow=part.flow)
            row = self._application(use, name, full, (), sizes)
            inner = {**sizes, **open_sizes(part.flow, sizes)}
            return replace(row, output=shapes_of(part.flow.output, inner))
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
        if module.flow is not None:
            inner = self._flow(module.flow, path, sizes)
            return replace(_summed(row, inner), mult_adds=0, rows=())
        children = [
            self._not_used(child, _joined(path, child.name), sizes) for child in module.children
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
            if _joined(path, state.name) not in self.tied:
                shape = state_shape(module, state)
                found[state.buffer] += math.prod(number(size, sizes) or 0 for size in shape)
        return found[0], found[1]

    def _state(self, built: Built, tensor: Tensor, path: str, sizes: Sizes) -> Row:
        """A Parameter or Buffer of the class itself."""
        full = _joined(path, built.name)
        shared = full in self.counted
        self.counted.add(full)
        (shape,) = shapes = shapes_of(tensor, sizes)
        count = 0 if shared or full in self.tied else math.prod(size or 0 for size in shape or ())
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


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


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
