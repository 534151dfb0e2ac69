"""Walks through a whole model: with the arguments of its check, and with others, which what its text says must fit, too."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from nngen.catalog import LAYERS
from nngen.catalog.partial_evaluation import free_names
from nngen.errors import BROKEN, Errors, Fault, Follows, SpecError
from nngen.graph.blocks import walk_block
from nngen.graph.flow import Flow
from nngen.graph.inputs import tensor
from nngen.graph.letters import usual_letters
from nngen.graph.modules import evaluate
from nngen.graph.scope import Choices, Scope, Walkthrough
from nngen.graph.walker import walk
from nngen.language.spec import Body, LayerStep, LineStep, Spec, Step
from nngen.limits import limits
from nngen.symbolic.expressions import Expression
from nngen.symbolic.named import named
from nngen.symbolic.sizes import Size, value_of
from nngen.symbolic.tensor import Tensor

# So many steps are followed with other arguments, in all walks together.
MOST_STEPS = 3_000
# So many other values are tried of an argument that is a number.
MOST_NUMBERS = 6


def walk_model(
    spec: Spec, arguments: Mapping[str, Any], choices: Choices, walkthrough: Walkthrough
) -> Flow:
    """Follow every step of a model, with values for its arguments.

    Raises:
        SpecError: a step does not fit.
    """
    errors = walkthrough.errors
    walkthrough.composites[spec.model.name] = ("", "")
    names = {name: named(name, value) for name, value in arguments.items()}
    scope = Scope(spec.model.name, names, choices, walkthrough)
    for name, expression in spec.model.let:
        scope = _let(name.text, expression, scope)
    inputs = {}
    for each in spec.inputs:
        found = errors.attempt(tensor, each, scope)
        inputs[each.name] = BROKEN if found is None else found
    flow: Flow = walkthrough.walk(spec.model, scope, inputs)
    return flow


def _let(name: str, expression: Expression, scope: Scope) -> Scope:
    """The scope with a name of `let`, which an error may leave unknown."""
    value = BROKEN
    try:
        value = evaluate(expression, scope.values)
    except SpecError as error:
        scope.walkthrough.errors.add(error)
    except Follows:
        pass
    return scope.defined(name, value, expression.tree)


class OtherWalks:
    """Flows of a model's classes with other arguments than those of its check.

    Only arguments on which more depends than sizes are changed: what conditions ask for, counts, flags. What depends
    on the others, the sizes' own expressions tell. Blocks come first: where what a block gives is told by the same
    expressions whatever an argument is, nothing outside it depends on that.

    Args:
        spec: the model.
        choices: how its inferred sizes were settled.
        arguments: the model's arguments in its check.
        uses: of each block the flows of all its uses.

    Attributes:
        models: of the model.
        blocks: of each block.
    """

    def __init__(
        self,
        spec: Spec,
        choices: Choices,
        arguments: Mapping[str, Any],
        uses: Mapping[str, Sequence[Flow]],
    ) -> None:
        self.spec = spec
        self.choices = choices
        self.uses = uses
        self.models: list[Flow] = []
        self.blocks: dict[str, list[Flow]] = {}
        self.decide: dict[str, set[str]] = (
            {}
        )  # of each block, the arguments that decide what it gives
        self.left = MOST_STEPS
        for body in spec.blocks.values():
            self._block(body)
        for values in _others(spec.model, arguments, self._deciding(spec.model)):
            with self._walkthrough() as walkthrough:
                self.models.append(walk_model(spec, values, self._choices(), walkthrough))

    def _block(self, body: Body) -> set[str]:
        """Walk a block with other arguments than its first use has: those that decide what it gives."""
        if body.name not in self.decide:
            self.decide[body.name] = set()  # of a block that is in itself
            first, *others = self.uses[body.name]
            given = {each.name: _plain(first.scope.values[each.name]) for each in body.options}
            deciding = self._deciding(body)
            found = deciding if any(_gives(each) != _gives(first) for each in others) else set()
            for values in _others(body, given, deciding):
                with self._walkthrough() as walkthrough:
                    if _gives(self._walk(body, first, values, walkthrough)) != _gives(first):
                        found |= {name for name in given if values[name] != given[name]}
            self.decide[body.name] = found
        return self.decide[body.name]

    def _walk(
        self, body: Body, use: Flow, values: Mapping[str, Any], walkthrough: Walkthrough
    ) -> Flow:
        scope = Scope("", {}, self._choices(), walkthrough)
        inputs = {value.name: _plain(value.abstract) for value in use.inputs}
        step = LayerStep(body.name, None, {}, body.mark)
        flow, _ = walk_block(body, step, scope, values, inputs, {})
        return flow

    def _choices(self) -> Choices:
        return Choices(chosen=self.choices.chosen, failed=self.choices.failed)

    @contextmanager
    def _walkthrough(self) -> Iterator[Walkthrough]:
        """What a walk counts its steps in; one that does not fit, or is too long, is not a walk."""
        start = limits().steps - self.left
        walkthrough = Walkthrough(
            self.spec.blocks,
            walk,
            usual_letters(self.spec),
            counted=start,
            errors=Errors(strict=True),
        )
        with suppress(Fault, SpecError):
            yield walkthrough
            for name, flows in walkthrough.flows.items():
                self.blocks.setdefault(name, []).extend(flows)
        self.left -= walkthrough.counted - start

    def _deciding(self, body: Body) -> set[str]:
        """The names that conditions, counts, indices and arguments that are no sizes are made of."""
        names = {name for step in _steps(body.layers) for name in self._in_step(step)}
        names |= set() if body.outputs is None else _asked(body.outputs.tree, line=True)
        for name, expression in reversed(body.let):
            names |= _asked(expression.tree)
            names |= free_names(expression.tree) if name.text in names else set()
        return names

    def _in_step(self, step: Step) -> Iterator[str]:
        if isinstance(step, LineStep):
            yield from _asked(step.line.value.tree, line=True)
            return
        for each in (step.when, step.repeat):
            yield from () if each is None else free_names(each.tree)
        yield from () if step.call is None else _asked(step.call.value.tree, line=True)
        for name, expression in step.arguments.items():
            yield from _asked(expression.tree)
            if self._decides(step.kind, name):
                yield from free_names(expression.tree)

    def _decides(self, kind: str, argument: str) -> bool:
        """Whether an argument of a step is more than a size."""
        if kind in self.spec.blocks:
            return argument in self._block(self.spec.blocks[kind])
        return kind in LAYERS and LAYERS[kind].signature[argument].kind.takes(-1)


def _gives(flow: Flow) -> str:
    """What a flow gives, in the names of its class."""
    return _told(flow.output)


def _told(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_told(item)}" for key, item in value.items())
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(map(_told, value))}]"
    return str(value)


def _steps(steps: Iterable[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        if isinstance(step, LayerStep):
            yield from _steps((*step.children, *step.layers.values()))


def _asked(tree: ast.expr, line: bool = False) -> set[str]:
    """The names in an expression's conditions; of a line, those that a function is given, or that index, too."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.IfExp):
            names |= free_names(node.test)
        elif isinstance(node, (ast.BoolOp, ast.Compare)) or _negates(node):
            names |= free_names(node)
        elif line and isinstance(node, ast.Subscript):
            names |= free_names(node.slice)
        elif line and isinstance(node, ast.Call):
            for part in (*node.args, *(keyword.value for keyword in node.keywords)):
                names |= free_names(part)
    return names


def _negates(node: ast.AST) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)


def _others(body: Body, values: Mapping[str, Any], deciding: set[str]) -> Iterator[dict[str, Any]]:
    """A class's arguments with one changed; and with all flags the other way."""
    marks = _landmarks(body)
    flags = {name: not value for name, value in values.items() if isinstance(value, bool)}
    for option in body.options:
        value = values[option.name]
        if option.name in deciding or isinstance(value, (bool, type(None))):
            others = list(_other_values(value, sorted(marks.get(option.name, ()))))
            if value is not None and option.default is not None and _is_none(option.default):
                others.append(None)
            yield from ({**values, option.name: other} for other in others)
    if len(flags) > 1:
        yield {**values, **flags}


def _is_none(expression: Expression) -> bool:
    return isinstance(expression.tree, ast.Constant) and expression.tree.value is None


def _other_values(value: Any, marks: list[int]) -> Iterator[Any]:
    """Values to try beside one; of numbers those near it, and near the `marks`.

    A size of 1 is tried only where it is one of these: it would make tensors broadcast that else would not.
    """
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, (tuple, list)):
        whole = all(isinstance(item, int) and not isinstance(item, bool) for item in value)
        yield from [type(value)(item + 1 for item in value)] if whole else []
    elif value is None or isinstance(value, int):
        # Twice as much, too: of what it is divided by there may be no other near.
        near = [2, 8] if value is None else [value + 1, max(value - 1, 2), 2 * value]
        beside = [other for mark in marks for other in (mark, mark + 1, mark - 1)]
        found = [n for n in dict.fromkeys((*near, *beside)) if n != value and n >= 0]
        yield from found[:MOST_NUMBERS]


def _landmarks(body: Body) -> dict[str, set[int]]:
    """For each name the whole numbers that it is compared with; for one that counts copies, 1."""
    found: dict[str, set[int]] = {}
    for tree, counts in _trees(body):
        for name in free_names(tree) if counts else ():
            found.setdefault(name, set()).add(1)
        for node in ast.walk(tree):
            parts = [node.left, *node.comparators] if isinstance(node, ast.Compare) else []
            numbers = {part.value for part in parts if isinstance(part, ast.Constant)}
            for name in free_names(node) if parts else ():
                found.setdefault(name, set()).update(n for n in numbers if type(n) is int)
    return found


def _trees(body: Body) -> Iterator[tuple[ast.expr, bool]]:
    """The expressions of a class, each with whether it counts copies."""
    yield from ((expression.tree, False) for _, expression in body.let)
    yield from () if body.outputs is None else ((body.outputs.tree, False),)
    for step in _steps(body.layers):
        if isinstance(step, LineStep):
            yield step.line.value.tree, False
            continue
        yield from ((each.tree, False) for each in (step.when, *step.arguments.values()) if each)
        yield from () if step.repeat is None else ((step.repeat.tree, True),)
        yield from () if step.call is None else ((step.call.value.tree, False),)


def _plain(value: Any) -> Any:
    """A value with its sizes as numbers, where they are no open ones."""
    if isinstance(value, (tuple, list)):
        return type(value)(_plain(item) for item in value)
    if isinstance(value, Tensor) and value.shape is not None:
        return value.sized(*(_plain(size) for size in value.shape))
    if isinstance(value, Size):
        number = value_of(value)
        return value if number is None else number
    return value
