"""The flow of a model: which values each step takes and gives, followed with their shapes."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from nngen.catalog import LAYERS
from nngen.errors import Fault, Mark, SpecError, did_you_mean
from nngen.expressions import Evaluator, Line, Target
from nngen.graph.containers import apply, build, build_list, copies, inputs_of
from nngen.graph.functions import NAMESPACES, attribute
from nngen.graph.modules import Application, Module
from nngen.names import check_value_name
from nngen.sizes import symbol
from nngen.spec import Input, LayerStep, LineStep, Name, Spec
from nngen.tensors import UNKNOWN, Shape, Tensor

BATCH = symbol("N")


@dataclass(eq=False)
class Value:
    """One binding of a value in `forward`.

    Attributes:
        abstract: the Tensor, or whatever a line computes.
        name: how later steps name it; a layer's value has the layer's name.
        mark: where it is bound.
        fixed: the name is a variable of the spec's own: an input, or bound by a line.
        used: some step or the output takes it.
        named: some step names it.
    """

    abstract: Any
    name: str
    mark: Mark
    fixed: bool = False
    used: bool = False
    named: bool = False


@dataclass(eq=False)
class Operation:
    """One step of `forward`: the use of a module, or a line.

    Attributes:
        step: its number in the spec.
        reads: the values that it takes, in order.
        writes: the values that it gives, None for one that is dropped (`_`).
        application: the use of a module.
        line: the line, and in `calls` the uses of modules in it.
    """

    step: int
    mark: Mark
    reads: tuple[Value, ...]
    writes: tuple[Value | None, ...]
    application: Application | None = None
    line: Line | None = None
    calls: dict[ast.Call, Application] = field(default_factory=dict)


@dataclass(eq=False)
class Flow:
    """A model's constructor and forward, before either style gives them form.

    Attributes:
        inputs: forward's arguments.
        modules: what the constructor builds, with the number of the step.
        operations: forward's steps; the last one gives the output.
    """

    inputs: tuple[Value, ...]
    modules: list[tuple[Module, int]]
    operations: list[Operation]

    @property
    def output(self) -> Any:
        """The output's abstract value."""
        result = self.operations[-1].writes[0]
        assert result is not None
        return result.abstract


class Layer:
    """A layer that later lines can call; built when it is first called, since only then its inputs are known."""

    def __init__(self, step: LayerStep, name: str, scope: dict[str, Any]) -> None:
        self.step = step
        self.name = name
        self.scope = scope
        self.module: Module | None = None

    def __call__(self, *arguments: Any, **keywords: Any) -> Application:
        """Apply the layer.

        Raises:
            Fault: it does not fit what it is given.
        """
        try:
            inputs = inputs_of(self.step.kind).bind(self.step.kind, arguments, keywords)
        except Fault:
            for value in (*arguments, *keywords.values()):
                if isinstance(value, tuple) and value and isinstance(value[0], Tensor):
                    raise Fault(
                        f"{self.step.kind} is given {len(value)} values at once",
                        "take them apart: `call: y, indices = pool(x)` beside the layer that gives them",
                    ) from None
            raise
        if self.module is not None:
            return apply(self.module, inputs)
        make = build if self.step.repeat is None or "i" in self.scope else build_list
        application = make(self.step, (self.name,), self.scope, inputs)
        self.module = application.module
        return application


class _LineEvaluator(Evaluator):
    """Evaluates a line of Python, noting what it reads and calls."""

    def __init__(self, walker: Walker) -> None:
        super().__init__({"training": UNKNOWN, **NAMESPACES}, attribute)
        self.walker = walker
        self.reads: dict[str, Value] = {}
        self.calls: dict[ast.Call, Application] = {}

    def _name(self, node: ast.Name) -> Any:
        if node.id in self.scope:
            return self.scope[node.id]
        value = self.walker.named(node.id)
        self.reads[node.id] = value
        return value.abstract

    def _call(self, node: ast.Call) -> Any:
        if not isinstance(node.func, ast.Name):
            return super()._call(node)
        layer = self.walker.layers.get(node.func.id)
        if layer is None:
            raise Fault(
                f"there is no layer {node.func.id!r} here",
                did_you_mean(node.func.id, self.walker.layers),
            )
        keywords = {str(keyword.arg): self(keyword.value) for keyword in node.keywords}
        application = layer(*self._items(node.args), **keywords)
        self.calls[node] = application
        return application.output


class Walker:
    """Walks the steps of a spec in order."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.flow = Flow(tuple(map(_input, spec.inputs)), [], [])
        self.values: dict[str, Value] = {value.name: value for value in self.flow.inputs}
        self.bound: list[Value] = list(self.flow.inputs)
        self.layers: dict[str, Layer] = {}
        self.running: Value | None = self.flow.inputs[0] if len(self.flow.inputs) == 1 else None
        self.automatic = _automatic_names(spec)

    def walk(self) -> Flow:
        """Follow all steps.

        Raises:
            SpecError: a step does not fit.
        """
        for number, step in enumerate(self.spec.layers):
            if isinstance(step, LineStep):
                self._line(step.line, number, step.mark)
            else:
                self._layer(step, number)
        self._output()
        self._refuse_unused()
        self._refuse_overwritten()
        return self.flow

    def named(self, name: str) -> Value:
        """The value that a step names.

        Raises:
            Fault: there is none.
        """
        value = self.values.get(name)
        if value is None:
            if name in self.layers:
                raise Fault(f"{name!r} has given no value yet")
            raise Fault(
                f"there is no {name!r} here",
                did_you_mean(name, [*self.values, *self.layers]),
            )
        value.used = value.named = True
        return value

    def _layer(self, step: LayerStep, number: int) -> None:
        if step.repeat is None or step.label is None or step.label.fixed is not None:
            name = self.automatic[number] if step.label is None else step.label.fixed
            scope: dict[str, Any] = {}
            if step.label is not None and name is None:
                name = next(given for given, _ in copies(step, scope))
            self._single(step, str(name), scope, number, step.sources)
            return
        sources = step.sources
        for copied, inner in copies(step, {}):
            self._single(step, str(copied), inner, number, sources)
            sources = None

    def _single(
        self,
        step: LayerStep,
        name: str,
        scope: dict[str, Any],
        number: int,
        sources: tuple[Name, ...] | None,
    ) -> None:
        if name in self.layers or name in self.values:
            raise SpecError(f"the name {name!r} is taken already", step.mark, "choose another name")
        layer = self.layers[name] = Layer(step, name, scope)
        if step.call is not None:
            self._line(step.call, number, step.call.value.mark)
            if layer.module is None:
                raise SpecError(
                    f"the `call` line does not call {name!r}",
                    step.call.value.mark,
                    f"`y = {name}(x)`",
                )
        else:
            reads = self._sources(step, sources)
            try:
                application = layer(*(value.abstract for value in reads))
            except Fault as fault:
                raise SpecError(fault.message, step.mark, _apart(reads) or fault.hint) from None
            value = Value(application.output, name, step.mark)
            self._bind(name, value)
            self.running = value
            self.flow.operations.append(Operation(number, step.mark, reads, (value,), application))
        assert layer.module is not None
        self.flow.modules.append((layer.module, number))

    def _sources(self, step: LayerStep, sources: tuple[Name, ...] | None) -> tuple[Value, ...]:
        if sources is not None:
            return tuple(self._source(name) for name in sources)
        wanted = inputs_of(step.kind).required
        if len(wanted) > 1 or self.running is None:
            raise SpecError(
                (
                    f"{step.kind} takes {len(wanted)} inputs ({', '.join(wanted)})"
                    if len(wanted) > 1
                    else "the model has several inputs, so its first layer must say which it takes"
                ),
                step.mark,
                f"add `from: [{', '.join(list(self.values)[: len(wanted)])}]`",
            )
        self.running.used = True
        return (self.running,)

    def _source(self, name: Name) -> Value:
        try:
            return self.named(name.text)
        except Fault as fault:
            raise SpecError(fault.message, name.mark, fault.hint) from None

    def _bind(self, name: str, value: Value) -> None:
        self.values[name] = value
        self.bound.append(value)

    def _line(self, line: Line, number: int, mark: Mark) -> None:
        evaluator = _LineEvaluator(self)
        try:
            result = evaluator(line.value.tree)
        except Fault as fault:
            raise line.value.fault(fault) from None
        writes: list[Value | None] = []
        for name, part in _unpacked(line.target, result, line.value.mark):
            if name == "_":
                writes.append(None)
                continue
            check_value_name(name, mark)
            if name in self.layers:
                raise SpecError(
                    f"{name!r} is a layer; a line cannot bind it",
                    mark,
                    "choose another name",
                )
            value = Value(part, name, mark, fixed=True)
            self._bind(name, value)
            writes.append(value)
        if writes[0] is not None:
            self.running = writes[0]
        reads = tuple(evaluator.reads.values())
        self.flow.operations.append(
            Operation(number, mark, reads, tuple(writes), None, line, evaluator.calls)
        )

    def _output(self) -> None:
        """End with the expression of `outputs`, or with the last step's value."""
        number, mark = len(self.spec.layers), self.spec.mark
        if self.spec.outputs is None:
            assert self.running is not None
            self.running.used = True
            result = Value(self.running.abstract, "", mark, used=True)
            self.flow.operations.append(Operation(number, mark, (self.running,), (result,)))
            return
        self._line(Line("output", self.spec.outputs), number, self.spec.outputs.mark)
        self.bound.pop().used = True

    def _refuse_unused(self) -> None:
        for value in self.bound:
            if not value.used:
                what = f"the value {value.name!r}" if value.fixed else f"what {value.name!r} gives"
                raise SpecError(
                    f"nothing uses {what}",
                    value.mark,
                    "use it, take it out, or bind it to `_` to drop it",
                )

    def _refuse_overwritten(self) -> None:
        """Refuse a step in place on a value that is used again: the later use would see the change."""
        last_read = {
            value: position
            for position, op in enumerate(self.flow.operations)
            for value in op.reads
        }
        for position, operation in enumerate(self.flow.operations):
            if operation.application is None or not _in_place(operation.application):
                continue
            if last_read[operation.reads[0]] > position:
                raise SpecError(
                    f"this step works in place on {operation.reads[0].name!r}, which is used again below",
                    operation.mark,
                    "leave out `inplace: true`",
                )


def _apart(reads: Sequence[Value]) -> str:
    """How to take apart the values that one layer gives at once, if that is what a step is given."""
    for value in reads:
        if isinstance(value.abstract, tuple) and not value.fixed:
            rest = ", _" * (len(value.abstract) - 1)
            line = f"y{rest} = {value.name}(…)"
            return f"take them apart beside {value.name!r}: `call: {line}`"
    return ""


def _in_place(application: Application) -> bool:
    while application.children:
        application = application.children[0]
    return application.module.values.get("inplace") is True


def _input(given: Input) -> Value:
    shape: Shape = (BATCH, *given.shape) if given.batch else given.shape
    return Value(Tensor(shape, given.dtype), given.name, given.mark, fixed=True)


def _unpacked(target: Target, result: Any, mark: Mark) -> list[tuple[str, Any]]:
    """Each name of a line's target with its part of the result."""
    if isinstance(target, str):
        return [(target, result)]
    count = len(target)
    parts: Sequence[Any]
    if result is UNKNOWN or (isinstance(result, Tensor) and result.shape is None):
        parts = [Tensor(None)] * count
    elif not isinstance(result, (tuple, list)):
        raise SpecError(f"the line unpacks {count} values, but there is one", mark)
    elif len(result) != count:
        raise SpecError(f"the line unpacks {count} values, but there are {len(result)}", mark)
    else:
        parts = result
    return [pair for inner, part in zip(target, parts) for pair in _unpacked(inner, part, mark)]


def _automatic_names(spec: Spec) -> dict[int, str]:
    """Names for the layers that the spec leaves unnamed, `conv1`, `conv2`, past those that it gives."""
    taken = {
        step.label.fixed
        for step in spec.layers
        if isinstance(step, LayerStep) and step.label is not None
    }
    taken |= {value.name for value in spec.inputs} | set(_targets(spec))
    names: dict[int, str] = {}
    counts: dict[str, int] = {}
    for number, step in enumerate(spec.layers):
        if isinstance(step, LayerStep) and step.label is None:
            stem = LAYERS[step.kind].prefix if step.kind in LAYERS else step.kind.lower()
            count = counts.get(stem, 0) + 1
            while f"{stem}{count}" in taken:
                count += 1
            counts[stem] = count
            names[number] = f"{stem}{count}"
    return names


def _targets(spec: Spec) -> Iterator[str]:
    for step in spec.layers:
        line = step.line if isinstance(step, LineStep) else step.call
        if line is not None:
            yield from line.names
