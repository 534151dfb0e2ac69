"""Which names the expressions of a class mention, and which of its arguments nothing does."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from nngen.errors import Mark
from nngen.language.spec.model import (
    INPUT_SIZES,
    Body,
    LayerStep,
    LineStep,
    LossSteps,
    Rule,
    Spec,
    Step,
)
from nngen.symbolic.expressions import Expression


def mentioned(body: Body) -> set[str]:
    """The names in a class's expressions."""
    return _names([*(each.tree for _, each in body.let), *_in_body(body)])


def mentions(body: Body, name: str) -> int:
    """How often the expressions of a class name something."""
    trees = [*(each.tree for _, each in body.let), *_in_body(body)]
    nodes = (node for tree in trees for node in ast.walk(tree))
    return sum(isinstance(node, ast.Name) and node.id == name for node in nodes)


def input_sizes(body: Body) -> tuple[str, ...]:
    """What a block calls the sizes of its inputs: `in_channels`, of a further input z `z_channels`."""
    further = [
        f"{name.text}_{size}" for name in body.inputs[1:] for size in ("channels", "features")
    ]
    return (*INPUT_SIZES, *(name for name in further if name not in _bound(body)))


def _bound(body: Body) -> set[str]:
    """The names that a class gives to what is its own."""
    names = {option.name for option in body.options} | {name.text for name, _ in body.let}
    names |= {name.text for name in body.inputs}
    for step in body.layers:
        if isinstance(step, LineStep):
            names |= set(step.line.names)
        else:
            names |= set() if step.label is None else {str(step.label.fixed)}
            names |= set() if step.call is None else set(step.call.names)
    return names


def unused(spec: Spec) -> Iterator[tuple[str, str, Mark]]:
    """The arguments of classes, and names under `let`, that nothing uses: what each is, its name and its place."""
    yield from _unused(spec.model, _names(_around(spec)))
    for body in spec.blocks.values():
        yield from _unused(body, set())


def _unused(body: Body, others: set[str]) -> Iterator[tuple[str, str, Mark]]:
    names = mentioned(body) | others
    for option in body.options:
        if option.name not in names:
            yield f"the argument {option.name!r} of {body.name}", option.name, option.mark
    for name, _ in body.let:
        if name.text not in names:
            yield f"{name.text!r} under `let`", name.text, name.mark


def _around(spec: Spec) -> Iterator[ast.expr]:
    """The expressions of a spec that are no class's: shapes, and the loss."""
    inputs = list(spec.inputs)
    if isinstance(spec.loss, LayerStep):
        yield from _in_step(spec.loss)
    elif isinstance(spec.loss, LossSteps):
        yield from _in_body(spec.loss.body)
        inputs += spec.loss.tensors.values()
    for each in inputs:
        yield from (size.tree for size in each.shape)
        if each.below is not None:
            yield each.below.tree


def _in_body(body: Body) -> Iterator[ast.expr]:
    for step in body.layers:
        yield from _in_step(step)
    if body.outputs is not None:
        yield body.outputs.tree
    yield from _in_rules(body.init)


def _in_step(step: Step) -> Iterator[ast.expr]:
    if isinstance(step, LineStep):
        yield step.line.value.tree
        return
    given = [*step.arguments.values(), step.repeat, step.when]
    given += [
        part for part in (step.label.parts if step.label else ()) if not isinstance(part, str)
    ]
    given += [each for arguments in step.modifiers.values() for each in arguments.values()]
    yield from (each.tree for each in given if isinstance(each, Expression))
    if step.call is not None:
        yield step.call.value.tree
    for child in (*step.children, *step.layers.values()):
        yield from _in_step(child)
    yield from _in_rules(step.init)
    if step.broken is not None:
        yield from map(ast.Name, step.broken.words)


def _in_rules(rules: Iterable[Rule]) -> Iterator[ast.expr]:
    for rule in rules:
        yield from (each.tree for each in rule.initializer.arguments.values())


def _names(trees: Iterable[ast.expr]) -> set[str]:
    nodes = (node for tree in trees for node in ast.walk(tree))
    return {node.id for node in nodes if isinstance(node, ast.Name)}
