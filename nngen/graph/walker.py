"""Walking the steps of a class in order: what each takes, builds and gives."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from nngen.errors import Fault, Mark, SpecError, did_you_mean
from nngen.expressions import Line, Target
from nngen.fold import Folder, free_names
from nngen.graph.automatic import automatic_names
from nngen.graph.containers import copies, inputs_of
from nngen.graph.flow import Application, Built, Condition, Flow, Operation, Value
from nngen.graph.lines import Layer, LineEvaluator
from nngen.graph.modules import evaluate
from nngen.graph.scope import Scope
from nngen.graph.states import build_state
from nngen.names import check_value_name
from nngen.sizes import value_of
from nngen.spec import Body, LayerStep, LineStep, Name
from nngen.tensors import UNKNOWN, Tensor

# A line counts as one more step for so many characters in it, or values that its calls give.
WORK = 100


def walk(body: Body, scope: Scope, inputs: Mapping[str, Any]) -> Flow:
    """Follow all steps of a class in one use of it.

    Args:
        body: the class.
        scope: its sizes.
        inputs: the values of forward's arguments.

    Raises:
        SpecError: a step does not fit.
    """
    return Walker(body, scope, inputs).walk()


class Walker:
    """Walks one class in one use of it.

    Args:
        body: the class.
        scope: its sizes.
        inputs: the values of forward's arguments.
    """

    def __init__(self, body: Body, scope: Scope, inputs: Mapping[str, Any]) -> None:
        self.body = body
        self.scope = scope
        given = tuple(
            Value(inputs[name.text], name.text, name.mark, fixed=True) for name in body.inputs
        )
        self.flow = Flow(body, scope, given)
        self.values: dict[str, Value] = {value.name: value for value in given}
        self.bound: list[Value] = list(given)
        self.layers: dict[str, Layer] = {}
        self.running: Value | None = given[0] if len(given) == 1 else None
        self.automatic = automatic_names(body)

    def walk(self) -> Flow:
        """Follow all steps.

        Raises:
            SpecError: a step does not fit.
        """
        for number, step in enumerate(self.body.layers):
            self.scope.program.count(step.mark)
            try:
                if isinstance(step, LineStep):
                    self._line(step.line, number, step.mark)
                else:
                    self._layer(step, number)
            except Fault as fault:
                raise SpecError(fault.message, step.mark, fault.hint) from None
        self._output()
        self._move_built()
        self._refuse_unused()
        self._refuse_overwritten()
        return self.flow

    def _move_built(self) -> None:
        """Put the layers that are built behind a later one there."""
        built = self.flow.built
        for each in reversed(built.copy()):
            step = self.body.layers[each.step]
            if not isinstance(step, LayerStep) or step.built_after is None:
                continue
            names = [other.name for other in built if other is not each]
            if step.built_after.text not in names:
                name = step.built_after
                hint = did_you_mean(name.text, names)
                raise SpecError(f"there is no layer {name.text!r} here", name.mark, hint)
            built.remove(each)
            built.insert(names.index(step.built_after.text) + 1, each)

    def named(self, name: str, sizes: Iterable[str] = ()) -> Value:
        """The value that a step names; `sizes` could have been meant too.

        Raises:
            Fault: there is none.
        """
        value = self.values.get(name)
        if value is None:
            if name in self.layers:
                raise Fault(f"{name!r} has given no value yet")
            raise Fault(
                f"there is no {name!r} here",
                did_you_mean(name, [*self.values, *sizes]),
            )
        if name == "self":
            raise Fault("what 'self' gives needs a name of its own", "`call: y = self(x)`")
        value.used = value.named = True
        return value

    def _layer(self, step: LayerStep, number: int) -> None:
        condition, holds = self._condition(step)
        if condition is None and holds is False:
            return
        if step.kind in ("Parameter", "Buffer"):
            self._state(step, number)
            return
        names = list(copies(step, self.scope))
        if self.body.sequential or (step.label is not None and step.label.fixed is None):
            if any(loop for _, _, loop in names):
                raise SpecError(
                    "in a block that is a Sequential, how many copies there are must be a number",
                    step.mark,
                    "make it a block with `layers`, and in it a Sequential of the copies",
                )
            step = replace(step, repeat=None)
        elif step.repeat is not None:
            names = [(None, self.scope, "")]
        for place, (copied, inner, _) in enumerate(names):
            name = copied or (step.label and step.label.fixed) or next(self.automatic[number])
            self._single(step, str(name), inner, number, place > 0, condition, holds)

    def _condition(self, step: LayerStep) -> tuple[Condition | None, Any]:
        """A step's condition where it has names in it, and whether it holds in this use."""
        if step.when is None:
            return None, True
        scope = {**self.scope.values, "training": UNKNOWN}
        holds = evaluate(step.when, scope)
        tree = self.scope.printable(step.when.tree)
        names = free_names(tree)
        if not names & scope.keys():
            return None, bool(holds)
        training = "training" in names
        others = {n: _name_node(n) for n in names - {"training"}}
        modes = [Folder({"training": mode}, others).expression(tree) for mode in (True, False)]
        build_tree = _either(*modes) if training else tree
        if isinstance(build_tree, ast.Constant):
            if not build_tree.value:
                return None, False
            return Condition(tree, None, training, not step.otherwise_none), holds
        return Condition(tree, build_tree, training, not step.otherwise_none), holds

    def _single(
        self,
        step: LayerStep,
        name: str,
        scope: Scope,
        number: int,
        again: bool,
        condition: Condition | None,
        holds: Any,
    ) -> None:
        self._check_free(name, step.mark)
        layer = Layer(step, name, scope)
        if condition is not None and condition.build is not None:
            layer.only_when = ast.unparse(condition.tree)
        if step.call is not None:
            self.layers[name] = layer
            self._line(step.call, number, step.call.value.mark, condition, name)
            if layer.module is None:
                raise SpecError(
                    f"the `call` line does not call {name!r}",
                    step.call.value.mark,
                    f"`y = {name}(x)`",
                )
        else:
            reads = self._sources(step, again)
            self.layers[name] = layer
            application = self._applied(layer, step, reads, holds)
            value = Value(_merged(application, reads, condition, holds), name, step.mark)
            if condition is not None and not condition.passes:
                value.only_when = condition.tree
            self._bind(name, value)
            self.running = value
            self.flow.operations.append(
                Operation(
                    number,
                    step.mark,
                    reads,
                    (value,),
                    application,
                    condition=condition,
                    layer=name,
                )
            )
        self.flow.built.append(Built(name, layer.module, number, condition, step.init))

    def _applied(
        self, layer: Layer, step: LayerStep, reads: tuple[Value, ...], holds: Any
    ) -> Application | None:
        """The layer applied; where its condition does not hold in this use, if that can be told at all."""
        try:
            return layer(*(value.abstract for value in reads))
        except Fault as fault:
            error = SpecError(fault.message, step.mark, _apart(reads) or fault.hint)
        except SpecError as fault:
            error = fault
        if holds is False:
            return None
        raise error

    def _check_free(self, name: str, mark: Mark) -> None:
        if name in self.layers or name in self.values or name in self.scope.values:
            raise SpecError(f"the name {name!r} is taken already", mark, "choose another name")

    def _state(self, step: LayerStep, number: int) -> None:
        if step.label is None:
            raise SpecError(f"a {step.kind} needs a name", step.mark, f"`{step.kind} as scale: …`")
        name = str(step.label.fixed)
        self._check_free(name, step.mark)
        module, abstract = build_state(step, name, self.scope, LineEvaluator(self))
        value = Value(abstract, name, step.mark, state=True, fixed=True)
        self._bind(name, value)
        expression = step.arguments.get("value")
        self.flow.built.append(Built(name, module, number, None, step.init, expression))

    def _sources(self, step: LayerStep, again: bool) -> tuple[Value, ...]:
        """The values that a layer takes; a copy of the layer above takes that one's value first."""
        if step.sources is not None:
            values = [self._source(name) for name in step.sources]
            if again and self.running is not None:
                self.running.used = True
                values[0] = self.running
            return tuple(values)
        wanted = inputs_of(step.kind, self.scope).required
        if len(wanted) > 1 or self.running is None:
            raise SpecError(
                (
                    f"{step.kind} takes {len(wanted)} inputs ({', '.join(wanted)})"
                    if len(wanted) > 1
                    else "there are several inputs, so the first layer must say which it takes"
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

    def _line(
        self,
        line: Line,
        number: int,
        mark: Mark,
        condition: Condition | None = None,
        layer: str = "",
        result: ast.expr | None = None,
    ) -> None:
        evaluator = LineEvaluator(self, result)
        try:
            result = evaluator(line.value.tree)
        except Fault as fault:
            raise line.value.fault(fault) from None
        length = line.value.tree.end_col_offset or 0
        self.scope.program.count(mark, (length + evaluator.parts) // WORK)
        self.scope.program.note_arms(evaluator.arms, line)
        if callable(result):
            raise SpecError(
                f"the line binds a function, {ast.unparse(line.value.tree)!r}, rather than a value",
                line.value.mark,
                "call it: add `()`",
            )
        writes: list[Value | None] = []
        for name, part in _unpacked(line.target, result, line.value.mark):
            if name == "_":
                writes.append(None)
                continue
            check_value_name(name, mark)
            if name in self.layers or name in self.scope.values:
                what = "a layer" if name in self.layers else "an argument"
                raise SpecError(
                    f"{name!r} is {what}; a line cannot bind it",
                    mark,
                    "choose another name",
                )
            value = Value(part, name, mark, fixed=True)
            if condition is not None:
                value.only_when = condition.tree
            self._bind(name, value)
            writes.append(value)
        if writes[0] is not None:
            self.running = writes[0]
        reads = tuple(evaluator.reads.values())
        self.flow.operations.append(
            Operation(
                number, mark, reads, tuple(writes), None, line, evaluator.calls, condition, layer
            )
        )

    def _output(self) -> None:
        """End with the expression of `outputs`, or with the last step's value."""
        number, mark = len(self.body.layers), self.body.mark
        if self.body.outputs is None:
            if self.running is None:
                raise SpecError("nothing flows out", mark, "say what with `outputs`")
            self.running.used = True
            result = Value(self.running.abstract, "", mark, used=True)
            self.flow.operations.append(Operation(number, mark, (self.running,), (result,)))
            return
        outputs = self.body.outputs
        self._line(Line("output", outputs), number, outputs.mark, result=outputs.tree)
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


def _either(left: ast.expr, right: ast.expr) -> ast.expr:
    """What holds where one of two conditions does, each of which may be a constant."""
    for one, other in ((left, right), (right, left)):
        if isinstance(one, ast.Constant):
            return one if one.value else other
    return left if ast.dump(left) == ast.dump(right) else ast.BoolOp(ast.Or(), [left, right])


def _name_node(name: str) -> ast.expr:
    return ast.Name(name, ast.Load())


def _merged(
    application: Application | None,
    reads: tuple[Value, ...],
    condition: Condition | None,
    holds: Any,
) -> Any:
    """What a step gives, given that its condition may not hold."""
    if holds is False:
        return reads[0].abstract if condition is None or condition.passes else None
    assert application is not None
    if holds is True or condition is None or not condition.passes:
        return application.output
    before = reads[0].abstract
    if application.output == before:
        return before
    return Tensor(None, before.dtype) if isinstance(before, Tensor) else UNKNOWN


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


def _unpacked(target: Target, result: Any, mark: Mark) -> list[tuple[str, Any]]:
    """Each name of a line's target with its part of the result."""
    if isinstance(target, str):
        return [(target, result)]
    count = len(target)
    parts: Sequence[Any]
    if result is UNKNOWN or (isinstance(result, Tensor) and result.shape is None):
        parts = [Tensor(None)] * count
    elif isinstance(result, Tensor) and result.shape and value_of(result.shape[0]) == count:
        parts = [result.sized(*result.shape[1:])] * count
    elif not isinstance(result, (tuple, list)):
        raise SpecError(f"the line unpacks {count} values, but there is one", mark)
    elif len(result) != count:
        raise SpecError(f"the line unpacks {count} values, but there are {len(result)}", mark)
    else:
        parts = result
    return [pair for inner, part in zip(target, parts) for pair in _unpacked(inner, part, mark)]
