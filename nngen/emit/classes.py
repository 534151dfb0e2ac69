"""From the flow of a class to the class, in both styles."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from nngen.catalog import LAYERS
from nngen.catalog.entry import Layer
from nngen.catalog.partial_evaluation import keep_name, renamed, source
from nngen.emit.constructor import (
    Constructor,
    becomes_identity,
    build_condition,
    built_flag,
    leading_sizes,
)
from nngen.emit.loss import loss_statements
from nngen.emit.model import Item, Loss, Method, ModelClass, Redraw, Style
from nngen.emit.state_keys import class_keys
from nngen.emit.step_init import step_redraws
from nngen.emit.styles.functional import FunctionalLowering
from nngen.emit.styles.nn import NNLowering
from nngen.emit.ties import refuse_wrong, ties
from nngen.emit.variables import Variables
from nngen.emit.weight_init import Redraws
from nngen.errors import Errors, Mark
from nngen.graph.annotations import argument, returns
from nngen.graph.claims import Claims
from nngen.graph.flow import Built, Flow
from nngen.graph.losses import Criterion
from nngen.language.spec.mentions import input_sizes


class ClassWriter:
    """Writes the classes of a model, blocks before those that use them.

    Raises:
        SpecError: rules match nothing, or ties are wrong; it tells of all.
    """

    def __init__(self, flows: Iterable[tuple[Flow, tuple[Built, ...]]]) -> None:
        self.leading: dict[str, tuple[str, ...]] = {}
        errors, found = Errors(), []
        for flow, loss in flows:
            found.append(errors.attempt(Redraws, flow, loss) if flow.body.init else None)
            errors.attempt(refuse_wrong, flow, class_keys(flow))
            for built in flow.built:
                errors.attempt(step_redraws, built, flow.scope)
        errors.refuse()
        self.redraws = [each for each in found if each is not None]

    def block(self, flow: Flow, known: Sequence[Flow]) -> ModelClass:
        """The class of a block, from all its uses as one flow, and all that is known of it."""
        return self._class(flow, known, None, None, is_block=True)

    def model(
        self,
        flow: Flow,
        known: Sequence[Flow],
        criterion: Criterion | None,
        loss: Loss | None,
    ) -> ModelClass:
        """The model's own class."""
        return self._class(flow, known, criterion, loss, is_block=False)

    def _class(
        self,
        flow: Flow,
        known: Sequence[Flow],
        criterion: Criterion | None,
        loss: Loss | None,
        is_block: bool,
    ) -> ModelClass:
        body = flow.body
        constructor = Constructor(self.leading)
        variables = Variables(flow)
        tied = ties(flow, class_keys(flow))
        ends = self._redraws(flow)
        layer = LAYERS.get(body.layer)
        nn = Style(
            (),
            (
                ()
                if layer
                else (
                    *_redrawn(flow, constructor.nn_items(flow), 0),
                    *_criterion_attribute(constructor, criterion),
                    *(each for each in (tied[0], ends[0]) if each),
                )
            ),
            () if body.sequential or layer else NNLowering(flow, variables, not is_block).run(),
            loss_statements(criterion, nn=True),
        )
        functional = Style(
            (),
            (
                *_redrawn(flow, constructor.functional_items(flow), 1),
                *_criterion_state(constructor, criterion),
                *(each for each in (tied[1], ends[1]) if each),
            ),
            FunctionalLowering(flow, variables, not is_block).run(),
            loss_statements(criterion, nn=False),
            self._methods(flow),
        )
        lets = tuple(
            (name.text, source(renamed(expression.tree, keep_name)))
            for name, expression in body.let
        )
        codes = [*nn.codes(), *functional.codes(), *(code for _, code in lets)]
        codes += [build_condition(built.condition) for built in flow.built]
        leading = leading_sizes(body, [code for code in codes if code])
        leading = leading if is_block else ()
        self.leading[body.name] = leading
        return ModelClass(
            body.name,
            _doc(body.doc, Claims(known, leading, is_block).maps()) if layer is None else layer.doc,
            (*(f"{name}: int" for name in leading), *_parameters(flow)),
            _taken(known) if layer is None else _arguments(layer),
            returns(known),
            body.sequential,
            body.mark,
            _marks(flow),
            _stored(nn, flow, lets, nn=True),
            _stored(functional, flow, lets, nn=False),
            loss,
            body.layer,
        )

    def _redraws(self, flow: Flow) -> tuple[Redraw | None, Redraw | None]:
        """What a class with rules of its own does at the end of its constructor."""
        number = len(flow.body.layers)
        for redraws in self.redraws:
            if redraws.flow.body.name == flow.body.name:
                method = self._method(redraws)
                functional = redraws.functional(flow, _called(method, redraws))
                mark = flow.body.init[0].mark
                return Redraw(redraws.nn(), number, mark), Redraw(functional, number, mark)
        return None, None

    def _methods(self, flow: Flow) -> tuple[Method, ...]:
        """The methods by which those with rules reach the parameters of a block of the functional twin."""
        return tuple(
            Method(
                self._method(redraws),
                tuple(f"{name}: {kind}" for name, kind in redraws.parameters),
                redraws.functional(flow, _called(self._method(redraws), redraws)),
                redraws.flow.body.init[0].mark,
            )
            for redraws in self.redraws
            if redraws.flow.body.name != flow.body.name and redraws.reaches(flow)
        )

    def _method(self, redraws: Redraws) -> str:
        if len(self.redraws) == 1:
            return "init_weights"
        return f"init_weights_of_{redraws.flow.body.name.lower()}"


def _marks(flow: Flow) -> dict[str, Mark]:
    """Where the spec gives the names of a class."""
    body = flow.body
    flags = ((built_flag(built).removeprefix("self."), built.module) for built in flow.built)
    return {
        **{flag: module.mark for flag, module in flags if module},
        **{option.name: option.mark for option in body.options},
        **{name.text: name.mark for name, _ in body.let},
        **{value.name: value.mark for value in flow.inputs},
    }


def _taken(known: Sequence[Flow]) -> tuple[str, ...]:
    """Forward's arguments, each with its type where it is not a tensor."""
    inputs = zip(*(flow.inputs for flow in known))
    return tuple(argument([value.abstract for value in v], v[0].name) for v in inputs)


def _arguments(layer: Layer) -> tuple[str, ...]:
    """Forward's arguments as torch's own layer has them."""
    return tuple(part.strip() for part in layer.forward.split(","))


def _called(method: str, redraws: Redraws) -> str:
    """The call of a method that draws a block's parameters anew."""
    return f"{method}({', '.join(name for name, _ in redraws.parameters)})"


def _criterion_attribute(constructor: Constructor, criterion: Criterion | None) -> Iterable[Any]:
    if criterion is not None:
        yield from constructor.nn_items(criterion.flow)


def _criterion_state(constructor: Constructor, criterion: Criterion | None) -> Iterable[Any]:
    if criterion is not None:
        yield from constructor.functional_items(criterion.flow)


def _redrawn(flow: Flow, items: Iterable[Item], style: int) -> list[Item]:
    """A constructor's items, each step's redraws right after it."""
    redraws = {}
    for built in flow.built:
        found = step_redraws(built, flow.scope)[style]
        if found is not None:
            redraws[built.step] = found
    listed = list(items)
    last = {item.step: place for place, item in enumerate(listed)}
    result: list[Item] = []
    for place, item in enumerate(listed):
        result.append(item)
        if item.step in redraws and last[item.step] == place:
            result.append(replace(redraws[item.step], condition=item.condition))
    return result


def _stored(style: Style, flow: Flow, lets: tuple[tuple[str, str], ...], nn: bool) -> Style:
    """The style with what its constructor keeps for forward, and its local variables."""
    attributes = {
        node.attr
        for code in style.run_codes()
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    }
    flags = []
    for built in flow.built:
        condition = build_condition(built.condition)
        if condition and not (nn and becomes_identity(flow, built)):
            flags.append((built_flag(built).removeprefix("self."), condition))
    wanted = _names_in(*style.built_codes(), *(code for _, code in flags))
    local: list[tuple[str, str]] = []
    for name, code in reversed(lets):
        if name in wanted:
            local.insert(0, (name, code))
        if name in wanted | attributes:
            wanted |= _names_in(code)
    expressions = dict(lets)
    kept = [
        (name, name if name in wanted else expressions.get(name, name))
        for name in _ordered(flow)
        if name in attributes
    ]
    names = {name for name, _ in kept}
    flags = [(name, code) for name, code in dict.fromkeys(flags) if name not in names]
    return replace(style, stored=(*kept, *flags), lets=tuple(local))


def _names_in(*codes: str) -> set[str]:
    return {
        node.id
        for code in codes
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Name)
    }


def _ordered(flow: Flow) -> list[str]:
    """The names of the scope as the constructor has them."""
    names = [*input_sizes(flow.body), *(option.name for option in flow.body.options)]
    return [*names, *(name.text for name, _ in flow.body.let)]


def _parameters(flow: Flow) -> Iterable[str]:
    for option in flow.body.options:
        values = [scope.values[option.name] for scope in flow.uses]
        if option.default is None:
            yield f"{option.name}: {_annotated(values)}"
        else:
            default = option.default.tree
            kind = _annotated([*values, ast.literal_eval(default)])
            yield f"{option.name}: {kind} = {source(default)}"


def _annotated(values: Iterable[Any]) -> str:
    """The type of an argument that takes these values; of one that is None in all of them, most likely a size."""
    kinds = {_type(value) for value in values}
    none = kinds & {"None"}
    return " | ".join([*sorted(kinds - none or {"int"}), *none])


def _type(value: Any) -> str:
    if value is None:
        return "None"
    if isinstance(value, (tuple, list)):
        return f"tuple[{_annotated(value) if value else 'int'}, ...]"
    return type(value).__name__ if isinstance(value, (bool, float, str)) else "int"


def _doc(doc: str, maps: str) -> str:
    """A class's docstring: what the spec says, and what forward does."""
    return f"{doc}\n\n{maps}" if doc else maps
