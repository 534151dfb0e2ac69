"""Walking the steps of a class in order: what each takes, builds and gives."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from nngen.errors import BROKEN, Fault, Follows, Mark, SpecError, did_you_mean
from nngen.graph.alternatives import either
from nngen.graph.automatic import automatic_names
from nngen.graph.branching import condition_of, of_state
from nngen.graph.calls import call_of_copy, called_each, check_plain
from nngen.graph.containers import Copy, build_uncalled, copies, inputs_of
from nngen.graph.flow import Above, Built, Condition, Flow, Operation, Value
from nngen.graph.lines import Layer, LineEvaluator
from nngen.graph.order import in_order
from nngen.graph.overwriting import refuse_overwritten
from nngen.graph.record import Record
from nngen.graph.recovery import PYTHON, recover
from nngen.graph.results import amount, applied, flows, outcome, unpacked
from nngen.graph.scope import Scope
from nngen.graph.sized import given
from nngen.graph.states import made_state
from nngen.graph.told import told_apart, told_by_line, told_by_step
from nngen.graph.trials import Sources
from nngen.graph.usage import refuse_unused
from nngen.language.naming import check_value_name
from nngen.language.spec import Body, LayerStep, LineStep, Name, Step
from nngen.language.spec.broken import ANY
from nngen.language.spec.completed import lacking_inputs
from nngen.language.spec.mentions import input_sizes
from nngen.symbolic.expressions import Line
from nngen.symbolic.identifiers import identifier

# A line counts as one more step for so many characters in it, or values that its calls or itself give.
WORK = 100


def walk(body: Body, scope: Scope, inputs: Mapping[str, Any], above: Above | None = None) -> Flow:
    """Follow all steps of a class in one use of it.

    Args:
        body: the class.
        scope: its sizes.
        inputs: the values of forward's arguments.
        above: of a loss, what it knows of its model.

    Raises:
        SpecError: a step does not fit.
    """
    return Walker(body, scope, inputs, above or Above()).walk()


class Walker:
    """Walks one class in one use of it.

    Args:
        body: the class.
        scope: its sizes.
        inputs: the values of forward's arguments.
        above: of a loss, what it knows of its model.
    """

    def __init__(self, body: Body, scope: Scope, inputs: Mapping[str, Any], above: Above) -> None:
        self.body = body
        self.scope = scope
        given = tuple(
            Value(inputs[name.text], name.text, name.mark, fixed=True) for name in body.inputs
        )
        self.flow = Flow(body, scope, given)
        self.values: dict[str, Value] = {value.name: value for value in given}
        self.bound: list[Value] = list(given)
        self.layers: dict[str, Layer] = {}
        self.places: set[tuple[str, ...]] = set()  # of the layers that the class builds
        self.containers: set[tuple[str, ...]] = set()  # what they stand in
        self.functions: set[str] = set()  # of Python's own, those that lines call
        self.above, self.inputs = above, inputs
        self.attributes = dict(above.attributes)
        self.running: Value | None = given[0] if len(given) == 1 else None
        self.automatic = automatic_names(body)
        self.assumed: dict[int, Step] = {}  # steps with the `from` that they lack
        self.name = ""  # of the layer that is followed
        self.vague = ""  # the names that a step with a mistake may give

    def walk(self) -> Flow:
        """Follow all steps.

        Raises:
            SpecError: a step does not fit.
        """
        errors = self.scope.walkthrough.errors
        # A class of the catalog has no place in the spec but that of its use.
        with errors.trying(bool(self.body.layer)):
            for number, step in enumerate(self.body.layers):
                self.scope.walkthrough.count(step.mark)
                self._step(step, number)
            self._output()
            self.flow.built = errors.attempt(in_order, self.flow.built, self.body) or []
            if self.vague != ANY:
                refuse_unused(self.flow, self.bound, self.above.outputs, errors, self._user_of)
            refuse_overwritten(self.flow, errors)
        return self.flow

    def _user_of(self, value: Value) -> str:
        """The step that should take a value which nothing uses, if trying it tells."""
        walkthrough = self.scope.walkthrough
        if walkthrough.trial or walkthrough.errors.strict:
            return ""
        sources = Sources(self.flow, self.inputs, self.above, self.assumed)
        return sources.user_of(value, walkthrough.errors.found)

    def _step(self, step: Step, number: int, output: ast.expr | None = None) -> None:
        """Follow a step; of one with a mistake, what it gives is unknown."""
        self.name = ""
        try:
            if isinstance(step, LineStep):
                self._line(step.line, number, step.mark, output=output)
            else:
                self._layer(step, number)
            return
        except Fault as fault:
            self.scope.walkthrough.errors.add(SpecError(fault.message, step.mark, fault.hint))
        except SpecError as error:
            self.scope.walkthrough.errors.add(error)
        except Follows:
            recover(self, step, number)
            return
        if isinstance(step, LineStep):
            self.use_all()
        recover(self, step, number)

    def named(self, name: str, sizes: Iterable[str] = ()) -> Value:
        """The value that a step names; `sizes` could have been meant too.

        Raises:
            Fault: there is none.
        """
        value = self.values.get(name)
        if value is None:
            if name in self.layers:
                raise Fault(f"{name!r} has given no value yet")
            self.missing(name)
            if name in input_sizes(self.body) and self.body.name in self.scope.walkthrough.blocks:
                message = f"{name!r} is open in this use of {self.body.name}, or its input has none"
                raise Fault(message, "in a line, `x.shape[i]` is a size of the input at hand")
            hint = PYTHON.get(name) or did_you_mean(name, [*self.values, *sizes])
            if (name,) in self.containers:
                inside = next(n for n, each in self.layers.items() if each.path[0] == name)
                hint = f"what is in {name!r} has names of its own in a line: {inside!r}"
            if name in self.attributes:
                hint = f"a loss sees what forward gives: put {name!r} among `outputs`"
            raise Fault(f"there is no {name!r} here", hint)
        if name == "self":
            raise Fault("what 'self' gives needs a name of its own", "`call: y = self(x)`")
        value.used = value.named = True
        return value

    def missing(self, name: str) -> None:
        """Note that a name is not there; any value may have been meant, so all count as used.

        Raises:
            Follows: a step with a mistake may give it.
        """
        if self.vague and re.search(self.vague, name):
            raise Follows
        self.use_all()

    def use_all(self) -> None:
        """Count all values as used: something with a mistake may be meant to use any."""
        for value in self.values.values():
            value.used = True

    def _layer(self, step: LayerStep, number: int) -> None:
        if step.broken is not None:
            raise Follows
        condition, holds = condition_of(step, self.scope)
        if condition is None and holds is False:
            return
        if step.kind in ("Parameter", "Buffer"):
            self._state(step, number, condition, holds)
            return
        names = list(copies(step, self.scope))
        if step.uncalled:
            self._uncalled(step, names, number)
            return
        if called_each(step):
            self._each(step, names, number, condition, holds)
            return
        if self.body.sequential or (step.label is not None and step.label.fixed is None):
            if any(loop is not None for _, _, loop in names):
                raise SpecError(
                    "in a block that is a Sequential, how many copies there are must be a number",
                    step.mark,
                    "make it a block with `layers`, and in it a Sequential of the copies",
                )
            step = replace(step, repeat=None)
        elif step.repeat is not None:
            names = [(None, self.scope, None)]
        for place, (copied, inner, _) in enumerate(names):
            text = copied or (step.label and step.label.text) or next(self.automatic[number])
            self.name = identifier(text)
            path = tuple(text.split("."))
            self._single(step, path, inner, number, place > 0, condition, holds)

    def _uncalled(self, step: LayerStep, made: Sequence[Copy], number: int) -> None:
        """Build a layer through which nothing flows where it stands."""
        if step.repeat is not None and step.label is not None and step.label.fixed is not None:
            raise SpecError(
                "copies that are only built need names of their own",
                step.repeat.mark,
                f"`{step.kind} as {step.label.text}.${{i}}`",
            )
        for text, scope, _ in made:
            key = text or next(self.automatic[number])
            self.name, path = identifier(key), tuple(key.split("."))
            self._check_free(self.name, step.mark)
            self._check_place(path, step.mark)
            layer = Layer(step, self.name, path, scope)
            layer.module = build_uncalled(step, path, scope)
            self.layers[self.name] = layer
            self.flow.built.append(Built(self.name, path, layer.module, number, None, step.init))

    def _each(
        self,
        step: LayerStep,
        made: Sequence[Copy],
        number: int,
        condition: Condition | None,
        holds: Any,
    ) -> None:
        """Follow the copies of a layer of which a line calls one after the other: `layers[i](x)`."""
        assert step.label is not None and step.label.text is not None
        text = step.label.text
        if any(loop is not None for _, _, loop in made):
            raise SpecError(
                f"how many copies of {step.kind} there are is open, so that no line is about each",
                step.mark,
                "make a block of the layer and the line, and repeat that; or give the count as a number",
            )
        self._check_free(identifier(text), step.mark)
        for place, (_, inner, _) in enumerate(made):
            key = f"{text}.{place}"
            self.name = identifier(key)
            one = replace(step, repeat=None, call=call_of_copy(step, self.name))
            self._single(one, tuple(key.split(".")), inner, number, False, condition, holds)

    def _single(
        self,
        step: LayerStep,
        path: tuple[str, ...],
        scope: Scope,
        number: int,
        again: bool,
        condition: Condition | None,
        holds: Any,
    ) -> None:
        name = self.name
        self._check_free(name, step.mark)
        self._check_place(path, step.mark)
        layer = Layer(step, name, path, scope)
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
            if step.repeat is not None:
                check_plain(step.call, name, self.flow.operations[-1])
        else:
            reads = self._sources(step, again, number)
            self.layers[name] = layer
            if any(value.abstract is BROKEN for value in reads):
                raise Follows
            application = applied(layer, step, reads, condition, holds, self.scope)
            result = outcome(application, reads, condition, self.scope)
            value = Value(result, name, step.mark)
            value.told = told_by_step(application, reads, condition, self.scope, result)
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
        self.flow.built.append(Built(name, path, layer.module, number, condition, step.init))

    def _check_free(self, name: str, mark: Mark) -> None:
        taken = (self.layers, self.values, self.scope.values, self.attributes)
        if any(name in names for names in taken):
            raise SpecError(f"the name {name!r} is taken already", mark, "choose another name")

    def _check_place(self, path: tuple[str, ...], mark: Mark) -> None:
        """Refuse a place in containers where something else is, or that is in something else."""
        if len(path) > 1 and path[0] in self.scope.values:
            raise SpecError(f"the name {path[0]!r} is taken already", mark, "choose another name")
        above = [path[:length] for length in range(1, len(path))]
        met = next((each for each in above if each in self.places), None)
        if met is not None or path in self.containers:
            message = f"{'.'.join(met or path)!r} is a layer and has layers in it"
            raise SpecError(message, mark, "choose another name for one of the two")
        self.places.add(path)
        self.containers.update(above)

    def _state(self, step: LayerStep, number: int, condition: Condition | None, holds: Any) -> None:
        if step.label is None:
            raise SpecError(f"a {step.kind} needs a name", step.mark, f"`{step.kind} as scale: …`")
        name = str(step.label.fixed)
        self._check_free(name, step.mark)
        self._check_place((name,), step.mark)
        condition = of_state(condition, step)
        evaluator = LineEvaluator(self)
        if condition is not None:
            evaluator.holds.append(ast.unparse(condition.tree))
        buffers = [each for each, kind in self.attributes.items() if kind == "Buffer"]
        module, abstract, content = made_state(
            step, name, self.scope, evaluator, buffers, holds is False
        )
        value = Value(abstract, name, step.mark, state=True, fixed=True)
        value.only_when = None if condition is None else condition.tree
        self._bind(name, value)
        self.attributes[name] = step.kind
        self.flow.built.append(Built(name, (name,), module, number, condition, step.init, content))

    def _sources(self, step: LayerStep, again: bool, number: int) -> tuple[Value, ...]:
        """The values that a layer takes; a copy of the layer above takes that one's value first."""
        wanted = inputs_of(step.kind, self.scope).required
        if not wanted:
            _refuse_needless(step)
            return ()
        if step.sources is not None:
            values = [self._source(name) for name in step.sources]
            if len(values) < len(wanted):
                self.use_all()
                raise lacking_inputs(step, wanted[len(values) :])
            if again and self.running is not None:
                self.running.used = True
                values[0] = self.running
            return tuple(values)
        if len(wanted) > 1 or self.running is None:
            return self._unsaid(step, wanted, number)
        self.running.used = True
        return (self.running,)

    def _unsaid(self, step: LayerStep, wanted: tuple[str, ...], number: int) -> tuple[Value, ...]:
        """Note that a step must say what it takes; where trying tells, that is what it does take."""
        errors, walkthrough = self.scope.walkthrough.errors, self.scope.walkthrough
        if len(wanted) > 1:
            self.use_all()
            names = ", ".join([*self.values, *("…" for _ in wanted)][: len(wanted)])
            message = f"{step.kind} takes {len(wanted)} inputs ({', '.join(wanted)})"
            raise SpecError(message, step.mark, f"add `from: [{names}]` beside it")
        message = "there are several inputs, so the first layer must say which it takes"
        fitting = []
        if not walkthrough.trial and not errors.strict:
            sources = Sources(self.flow, self.inputs, self.above, self.assumed)
            fitting = sources.fitting(number, step, self.values.values())
        value = next(iter(fitting or self.values.values()))
        error = SpecError(message, step.mark, f"add `from: {value.name}`")
        if len(fitting) != 1:
            self.use_all()
            raise error
        errors.add(error)
        self.assumed[number] = replace(step, sources=(Name(value.name, step.mark),))
        value.used = True
        return (value,)

    def _source(self, name: Name) -> Value:
        try:
            return self.named(name.text)
        except Fault as fault:
            raise SpecError(fault.message, name.mark, fault.hint) from None

    def _bind(self, name: str, value: Value) -> None:
        if name in self.functions:
            raise SpecError(
                f"a line above calls Python's own {name}, so that no value can be called {name!r}",
                value.mark,
                "choose another name",
            )
        self.values[name] = value
        self.bound.append(value)

    def _line(
        self,
        line: Line,
        number: int,
        mark: Mark,
        condition: Condition | None = None,
        layer: str = "",
        output: ast.expr | None = None,
    ) -> None:
        evaluator = LineEvaluator(self)
        try:
            result = evaluator(line.value.tree)
        except Fault as fault:
            raise line.value.fault(fault) from None
        length = line.value.tree.end_col_offset or 0
        self.scope.walkthrough.count(mark, (length + evaluator.parts + amount(result)) // WORK)
        self.scope.walkthrough.note_arms(evaluator.arms, line)
        if callable(result):
            raise SpecError(
                f"the line binds a function, {ast.unparse(line.value.tree)!r}, rather than a value",
                line.value.mark,
                "call it: add `()`",
            )
        writes: list[Value | None] = []
        told = told_apart(line.target, told_by_line(evaluator, line.value.tree))
        for (name, part), said in zip(unpacked(line.target, result, line.value.mark), told):
            if name == "_":
                writes.append(None)
                continue
            if output is None:
                check_value_name(name, mark)
                self._check_bindable(name, mark)
            value = Value(part, name, mark, fixed=True, told=said)
            if condition is not None:
                value.only_when = condition.tree
                value.told = either(given(condition.tree, self.scope.values), said, None)
            self._bind(name, value)
            writes.append(value)
        if writes[0] is not None and flows(writes[0].abstract):
            self.running = writes[0]
        reads = tuple(evaluator.reads.values())
        self.flow.operations.append(
            Operation(
                number,
                mark,
                reads,
                tuple(writes),
                line=line,
                calls=evaluator.calls,
                condition=condition,
                layer=layer,
                record=Record(evaluator.found),
            )
        )

    def _check_bindable(self, name: str, mark: Mark) -> None:
        """Refuse a line that binds what is not a value of forward's own."""
        kind = self.attributes.get(name)
        if kind in ("Parameter", "Buffer"):
            raise SpecError(
                f"{name!r} is a {kind}; a line that binds its name makes another value, and leaves it as it is",
                mark,
                "give the value another name",
            )
        if name in self.layers or name in self.scope.values:
            what = "a layer" if name in self.layers else "an argument"
            raise SpecError(
                f"{name!r} is {what}; a line cannot bind it", mark, "choose another name"
            )

    def _output(self) -> None:
        """End with the expression of `outputs`, or with the last step's value."""
        number, mark, outputs = len(self.body.layers), self.body.mark, self.body.outputs
        if outputs is not None:
            step = LineStep(Line("output", outputs), outputs.mark)
            self._step(step, number, outputs.tree)
            if self.flow.operations and self.flow.operations[-1].step == number:
                self.bound.pop().used = True
                return
        elif self.running is None:
            error = SpecError("nothing flows out", mark, "say what with `outputs`")
            self.scope.walkthrough.errors.add(error)
        last = self.running or Value(BROKEN, "", mark)
        last.used = True
        result = Value(last.abstract, "", mark, used=True, told=last.told)
        self.flow.operations.append(Operation(number, mark, (last,), (result,)))


def _refuse_needless(step: LayerStep) -> None:
    """Refuse what only makes sense beside a step that takes something.

    Raises:
        SpecError: there is such.
    """
    if step.sources is not None:
        raise SpecError(f"{step.kind} takes no input", step.sources[0].mark, "take out the `from`")
    if step.repeat is not None:
        raise SpecError(
            f"{step.kind} takes no input, so that no copy takes what another gives",
            step.repeat.mark,
            f"give the copies names: `{step.kind} as {step.kind.lower()}${{i}}`",
        )
    if step.when is not None and not step.otherwise_none:
        raise SpecError(
            f"{step.kind} takes no input that could pass through",
            step.when.mark,
            "add `otherwise: none`",
        )
