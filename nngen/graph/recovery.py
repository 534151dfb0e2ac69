"""What becomes of a step with a mistake: what it would give is unknown, and the steps below it are followed all the same."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from nngen.catalog import LAYERS
from nngen.catalog.partial_evaluation import free_names
from nngen.errors import BROKEN, Errors, Fault, Follows, SpecError, nearest
from nngen.graph.calls import called_each
from nngen.graph.flow import Value
from nngen.graph.lines import Layer, LineEvaluator
from nngen.graph.modules import (
    apply_layer,
    check_agreement,
    check_argument,
    check_given,
    check_together,
    evaluate,
    shape_of,
)
from nngen.graph.scope import Choices, Scope, Walkthrough
from nngen.language.spec import Body, LayerStep, LineStep, Spec, Step
from nngen.language.spec.broken import NUMBERED
from nngen.language.spec.mentions import input_sizes, unused
from nngen.language.spec.steps import STATE_KINDS
from nngen.symbolic.evaluator import Evaluator
from nngen.symbolic.expressions import Expression
from nngen.symbolic.tensor import Tensor

# Hints for names that Python programs have, and specs do not.
PYTHON = {
    "self": "a line calls a layer by its name alone: `y = fc(x)`",
    **dict.fromkeys(
        ("np", "numpy", "tf", "jnp"), "a line calls functions of torch: `torch.sqrt(x)`"
    ),
}


class Recovering(Protocol):
    """What a step leaves its traces in: a walker."""

    body: Body
    scope: Scope
    values: dict[str, Value]
    bound: list[Value]
    layers: dict[str, Layer]
    functions: set[str]
    running: Value | None
    name: str
    vague: str
    automatic: dict[int, Iterator[str]]

    def named(self, name: str, sizes: Iterable[str] = ()) -> Value:
        """The value of a name."""

    def missing(self, name: str) -> None:
        """Note that a name is not there."""


def recover(walker: Recovering, step: Step, number: int) -> None:
    """Leave behind what a step would, its values unknown, and note what else is wrong in it.

    Args:
        walker: follows the class.
        step: cannot be followed.
        number: its number.
    """
    errors = walker.scope.walkthrough.errors
    if isinstance(step, LineStep):
        examine(walker, step.line.value)
        _mention(walker, free_names(step.line.value.tree))
        _leave(walker, step, step.line.names)
        return
    if step.kind == "Buffer" and "value" in step.arguments:
        examine(walker, step.arguments["value"])
    check_arguments(step, walker.scope, errors)
    _tell_apart(step, _given(walker, step))
    name = walker.name or (step.label and step.label.fixed)
    if step.label is None and step.kind:
        name = name or next(walker.automatic[number])
    if name:
        walker.layers.setdefault(name, Layer(step, name, (name,), walker.scope)).broken = True
    else:
        walker.vague = walker.vague or NUMBERED
    given: tuple[str, ...] = ()
    if step.broken is not None:
        _mention(walker, step.broken.words)
        given = step.broken.gives
        walker.vague = max(walker.vague, step.broken.vague)
    if step.call is not None:
        if not called_each(step):
            examine(walker, step.call.value)
        given = step.call.names
    elif step.sources is None and walker.running is not None:
        walker.running.used = True
    call = set() if step.call is None else free_names(step.call.value.tree)
    _mention(walker, [*call, *(each.text for each in step.sources or ())])
    running = walker.running
    _leave(walker, step, given or (name or "",), _would_give(walker, step))
    if step.kind in STATE_KINDS:
        walker.running = running


def _given(walker: Recovering, step: LayerStep) -> Any:
    """What flows into a step, as far as that is known."""
    named = [walker.values[each.text] for each in step.sources or () if each.text in walker.values]
    value = next(iter(named), walker.running)
    return None if value is None else value.abstract


def _tell_apart(step: LayerStep, given: Any) -> None:
    """Of layers that differ in the number of dimensions, name the one that fits what flows in."""
    for child in step.children:
        _tell_apart(child, given)
    rank = len(given.shape) if isinstance(given, Tensor) and given.shape is not None else 0
    for kind in step.broken.kinds if step.broken else ():
        if step.broken and f"{max(rank - 2, 1)}d" in kind and rank > 1:
            dimensions = f"the input has {rank} dimensions with the batch, {given}"
            step.broken.error.hint = f"did you mean {kind!r}? {dimensions}"


def _mention(walker: Recovering, names: Iterable[str]) -> None:
    for name in names:
        if name in walker.values:
            walker.values[name].used = True


def _would_give(walker: Recovering, step: LayerStep) -> Any:
    """What a layer would give if only arguments are wrong that do not decide it; else it is unknown."""
    beside = (step.call, step.repeat, step.when)
    if step.kind not in LAYERS or beside != (None,) * 3 or not _is_whole(step):
        return BROKEN
    if step.sources is None:
        values = [] if walker.running is None else [walker.running]
    else:
        values = [walker.values[each.text] for each in step.sources if each.text in walker.values]
    given = tuple(value.abstract for value in values)
    if any(value is BROKEN for value in given):
        return BROKEN
    errors, entry = walker.scope.walkthrough.errors, LAYERS[step.kind]
    try:
        inputs = entry.inputs.bind(step.kind, given, {})
    except Fault:
        return BROKEN
    for name in [each for each in entry.infer if each in step.arguments]:
        errors.attempt(check_agreement, step, name, walker.scope, inputs)
    try:
        with errors.trying():
            return apply_layer(shape_of(step, walker.scope, inputs), inputs, walker.scope).output
    except (SpecError, Fault, Follows):
        return BROKEN


def _leave(walker: Recovering, step: Step, names: Iterable[str], result: Any = BROKEN) -> None:
    for place, name in enumerate(names):
        value = Value(result if place == 0 else BROKEN, name, step.mark, used=True)
        if name and name not in walker.scope.values:
            walker.values[name] = value
        if place == 0 and name != "_":
            walker.running = value


def examine(walker: Recovering, expression: Expression) -> None:
    """Note what is wrong in those parts of a line that do not depend on what is unknown."""
    evaluator = LineEvaluator(walker)
    for fault in _faults(evaluator, expression.tree):
        walker.scope.walkthrough.errors.add(expression.fault(fault))


def _faults(evaluator: Evaluator, node: ast.AST) -> Iterator[Fault]:
    try:
        if isinstance(node, ast.expr) and not isinstance(node, (ast.Starred, ast.Slice)):
            evaluator(node)
            return
    except Fault as fault:
        yield fault
        return
    except Follows:
        pass
    for child in ast.iter_child_nodes(node):
        if not (isinstance(node, ast.Call) and child is node.func and isinstance(child, ast.Name)):
            yield from _faults(evaluator, child)


def check_arguments(step: LayerStep, scope: Scope, errors: Errors) -> None:
    """Note what is wrong with a layer's arguments, whatever its input is."""
    for each in (*step.children, *step.layers.values()):
        check_arguments(each, scope, errors)
    for name in step.arguments:
        if step.kind in LAYERS:
            errors.attempt(check_argument, step, name, scope)
        elif (step.kind, name) != ("Buffer", "value"):  # that is made of tensors
            errors.attempt(evaluate, step.arguments[name], scope.values)
    if _is_whole(step):
        errors.attempt(check_given, step, scope)
        below = f"{step.mark.path}."
        if not any(f"{each.mark.path}.".startswith(below) for each in errors.found):
            errors.attempt(check_together, step, scope)


def _is_whole(step: LayerStep) -> bool:
    """Whether all arguments of a step are known."""
    return step.broken is None or step.broken.amended


def look_at_the_rest(spec: Spec, walkthrough: Walkthrough, choices: Choices) -> None:
    """Note the blocks that nothing uses, and the errors in those to which other errors have kept the walk from coming."""
    kinds = set(
        _kinds(each for body in (spec.model, *spec.blocks.values()) for each in body.layers)
    )
    errors = walkthrough.errors
    for name, body in spec.blocks.items():
        if name in walkthrough.flows:
            continue
        if not errors.found or not kinds & {name, ""}:
            hint = "use it, or take it out"
            errors.add(SpecError(f"nothing uses the block {name!r}", body.mark, hint))
        names = [*(each.name for each in body.options), *(each.text for each, _ in body.let)]
        unknown = dict.fromkeys((*names, *input_sizes(body)), BROKEN)
        inputs = dict.fromkeys((each.text for each in body.inputs), BROKEN)
        walkthrough.walk(body, Scope(name, unknown, choices, walkthrough), inputs)
    meant = {word for error in errors.found for word in _words(error)}
    for what, name, mark in unused(spec):
        if not any(nearest(word, [name]) for word in meant):
            errors.add(SpecError(f"nothing uses {what}", mark, "use it, or take it out"))


def _words(error: SpecError) -> list[str]:
    """The words that an error is about, and those beside them."""
    return re.findall(r"\w+", f"{error.message} {error.mark.excerpt()}")


def _kinds(steps: Iterable[Step]) -> Iterator[str]:
    for step in steps:
        if isinstance(step, LayerStep):
            yield step.kind
            yield from _kinds((*step.children, *step.layers.values()))
