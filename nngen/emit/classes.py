"""From the flow of a class to the class, in all styles."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from nngen.catalog import LAYERS
from nngen.catalog.entry import Layer
from nngen.catalog.partial_evaluation import keep_name, renamed, source
from nngen.emit.constructor import (
    Constructor,
    build_condition,
    built_flag,
    leading_sizes,
)
from nngen.emit.joining import joined
from nngen.emit.model import ClassCode, Loss, ModelClass
from nngen.emit.state_keys import class_keys
from nngen.emit.step_init import drawn
from nngen.emit.style import Parts, Style
from nngen.emit.ties import refuse_wrong
from nngen.emit.variables import Variables
from nngen.emit.weight_init import Redraws
from nngen.errors import Errors, Mark
from nngen.graph import ClassFlow
from nngen.graph.annotations import argument, returns
from nngen.graph.claims import Claims
from nngen.graph.flow import Built, Flow
from nngen.graph.losses import Criterion


class ClassWriter:
    """Writes the classes of a model, blocks before those that use them.

    Args:
        flows: the classes, the model's last.
        loss: what the model's loss builds.
        styles: the styles to write them in.

    Raises:
        SpecError: rules match nothing, or ties are wrong; it tells of all.
    """

    def __init__(
        self, flows: Sequence[Flow], loss: tuple[Built, ...], styles: Sequence[Style]
    ) -> None:
        self.styles = styles
        self.leading: dict[str, tuple[str, ...]] = {}
        errors, found = Errors(), []
        for flow in flows:
            built = loss if flow is flows[-1] else ()
            found.append(errors.attempt(Redraws, flow, built) if flow.body.init else None)
            errors.attempt(refuse_wrong, flow, class_keys(flow))
            for each in flow.built:
                errors.attempt(drawn, each, flow.scope)
        errors.refuse()
        self.redraws = [rules for rules in found if rules is not None]

    def block(self, block: ClassFlow) -> ModelClass:
        """The class of a block."""
        return self._class(block, None, None, is_block=True)

    def model(self, model: ClassFlow, criterion: Criterion | None, loss: Loss | None) -> ModelClass:
        """The model's own class."""
        return self._class(model, criterion, loss, is_block=False)

    def _class(
        self, whole: ClassFlow, criterion: Criterion | None, loss: Loss | None, is_block: bool
    ) -> ModelClass:
        flow, known, body = whole.flow, whole.known, whole.flow.body
        lets = tuple(
            (name.text, renamed(expression.tree, keep_name)) for name, expression in body.let
        )
        parts = Parts(
            flow,
            is_block,
            Constructor(self.leading),
            Variables(flow),
            criterion,
            class_keys(flow),
            self.redraws,
            lets,
        )
        written = {style.form.style: style.write(parts) for style in self.styles}
        code = {name: each for name, each in written.items() if each is not None}
        code = self._joined(code, flow, criterion)
        layer = LAYERS.get(body.layer)
        trees = [tree for each in code.values() for tree in each.trees()]
        trees += [tree for _, tree in lets]
        conditions = (build_condition(built.condition) for built in flow.built)
        trees += [tree for tree in conditions if tree is not None]
        leading = leading_sizes(body, trees)
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
            code,
            loss,
            body.layer,
        )

    def _joined(
        self, code: Mapping[str, ClassCode], flow: Flow, criterion: Criterion | None
    ) -> dict[str, ClassCode]:
        """A class with the lines of its forward and its loss joined."""
        forwards = joined(flow, {name: each.forward for name, each in code.items()})
        losses = {name: each.loss for name, each in code.items()}
        if criterion is not None:
            losses = joined(criterion.flow, losses)
        return {
            name: replace(each, forward=forwards[name], loss=losses[name])
            for name, each in code.items()
        }


def _marks(flow: Flow) -> dict[str, Mark]:
    """Where the spec gives the names of a class."""
    body = flow.body
    flags = ((built_flag(built), built.module) for built in flow.built)
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
