"""What would be right where an error does not tell: it is tried whether a spec with one change is without the error."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from nngen.catalog import LAYERS
from nngen.errors import Errors, SpecError
from nngen.graph.flow import Above, Flow, Value
from nngen.graph.scope import Choices, Scope
from nngen.language.spec import Body, Input, LayerStep, Name, Spec, Step

MOST = 30  # tries for one error


def explain_dimensions(spec: Spec, errors: Errors, walk: Callable[[Spec, Errors], object]) -> None:
    """Say of a wrong number of dimensions what may be right: an input without its batch, or a layer for so many.

    Args:
        spec: what is wrong.
        errors: what is wrong with it.
        walk: follows a spec's steps.
    """
    wrong = [each for each in errors.found if " dimensions" in each.message]
    hints = dict(_without_batch(spec, errors, wrong, walk) if wrong else ())
    for error in wrong:
        layer = _for_dimensions(error.message)
        also = hints.get(error)
        if also:
            error.hint = also + (f"; or is it {layer}?" if layer else "")
        elif layer and not error.hint:
            error.hint = f"did you mean {layer}?"


def _for_dimensions(message: str) -> str:
    """The layer of the same kind that takes as many dimensions as a message says there are, or nothing."""
    found = re.match(r"(\w+)[123]d: .* dimensions.*, not (\d+): ", message)
    name = f"{found[1]}{int(found[2]) - 2}d" if found else ""
    return f"{name!r}, for {found[2]} dimensions" if found and name in LAYERS else ""


def _without_batch(
    spec: Spec, errors: Errors, wrong: list[SpecError], walk: Callable[[Spec, Errors], object]
) -> Iterator[tuple[SpecError, str]]:
    """The errors that there are not if the first size of an input is left out."""
    for given in spec.inputs:
        if len(given.shape) < 2 or not given.batch:
            continue
        rest = replace(given, shape=given.shape[1:])
        others = tuple(rest if each is given else each for each in spec.inputs)
        left = _errors_of(partial(walk, replace(spec, inputs=others)))
        if left is None or len(left) >= len(errors.found):
            continue
        for error in wrong:
            if error.mark not in [each.mark for each in left]:
                hint = f"the batch dimension is put in front by itself: `{_shown(rest, spec)}`"
                yield error, hint


def _shown(given: Input, spec: Spec) -> str:
    shape = f"[{', '.join(ast.unparse(size.tree) for size in given.shape)}]"
    return f"input: {shape}" if len(spec.inputs) == 1 else f"{given.name}: {shape}"


def _errors_of(walk: Callable[[Errors], object]) -> list[SpecError] | None:
    """The errors that a walk finds; None where it does not come to its end."""
    errors = Errors()
    try:
        walk(errors)
    except SpecError:
        return None
    return errors.found


class Sources:
    """Finds the step that should say `from`.

    Args:
        flow: a class with a value that nothing uses, or with a step that does not say what it takes.
        inputs: the values of forward's arguments.
        above: of a loss, what it knows of its model.
        assumed: steps as they are taken to be meant, by their numbers.
    """

    def __init__(
        self, flow: Flow, inputs: Mapping[str, Any], above: Above, assumed: Mapping[int, Step]
    ) -> None:
        layers = tuple(assumed.get(number, step) for number, step in enumerate(flow.body.layers))
        self.body, self.scope = replace(flow.body, layers=layers), flow.scope
        self.inputs, self.above = inputs, above

    def user_of(self, value: Value, known: Iterable[SpecError]) -> str:
        """The step that should take a value which nothing uses, or nothing."""
        told = {(each.mark, each.message) for each in known if each.mark != value.mark}
        for number, step in self._candidates(value):
            changed = replace(step, sources=(Name(value.name, step.mark),))
            left = self._errors(number, changed)
            if left is not None and {(each.mark, each.message) for each in left} <= told:
                label = step.label.fixed if step.label else None
                line = f" in line {step.mark.line}" if step.mark.line else ""
                return f"{step.kind} as {label}{line}" if label else f"{step.kind}{line}"
        return ""

    def fitting(self, number: int, step: LayerStep, values: Iterable[Value]) -> list[Value]:
        """The values that a step takes without an error, where it does not say which."""
        found = []
        for value in list(values)[:MOST]:
            changed = replace(step, sources=(Name(value.name, step.mark),))
            body = replace(self.body, layers=(*self.body.layers[:number], changed))
            left = self._errors_in(replace(body, outputs=None))
            if left is not None and step.mark not in [each.mark for each in left]:
                found.append(value)
        return found

    def _candidates(self, value: Value) -> Iterator[tuple[int, LayerStep]]:
        steps = [
            (number, step)
            for number, step in enumerate(self.body.layers)
            if isinstance(step, LayerStep) and not step.broken and step.kind not in _STATE
            if step.sources is None and step.call is None and _behind(step, value)
        ]
        yield from steps[:MOST]

    def _errors(self, number: int, changed: LayerStep) -> list[SpecError] | None:
        layers = (*self.body.layers[:number], changed, *self.body.layers[number + 1 :])
        return self._errors_in(replace(self.body, layers=layers))

    def _errors_in(self, body: Body) -> list[SpecError] | None:
        given = self.scope
        walkthrough = given.walkthrough

        def walk(errors: Errors) -> None:
            trial = replace(walkthrough.trial_of(), errors=errors)
            scope = Scope(given.owner, given.values, Choices(), trial, given.unrolled)
            walkthrough.walk(body, scope, self.inputs, self.above)

        return _errors_of(walk)


_STATE = ("Parameter", "Buffer")


def _behind(step: LayerStep, value: Value) -> bool:
    """Whether a step stands below what gives a value; an input stands above all."""
    return (
        not value.mark.line
        or ".layers[" not in f".{value.mark.path}"
        or ((step.mark.line, step.mark.column) > (value.mark.line, value.mark.column))
    )
