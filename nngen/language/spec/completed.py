"""What a step would be with the arguments that it lacks: a hint that keeps what was given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from nngen.errors import Missing, SpecError, listed
from nngen.language.spec.meant import named, yaml
from nngen.language.spec.model import Initializer, LayerStep
from nngen.symbolic.expressions import Expression

_LONGEST = 40
Given: TypeAlias = Expression | LayerStep | Initializer


def lacking(step: LayerStep, missing: Missing) -> SpecError:
    """The error of a step that lacks arguments."""
    label = f" as {step.label.text}" if step.label and step.label.text else ""
    missing.show(completed(f"{step.kind}{label}", given(step), missing.names))
    return SpecError(missing.message, step.mark, missing.hint)


def lacking_inputs(step: LayerStep, missing: Sequence[str]) -> SpecError:
    """The error of a step whose `from` names fewer values than it takes."""
    names = ", ".join([*(each.text for each in step.sources or ()), *("…" for _ in missing)])
    message = f"{step.kind} lacks its input{'s' * (len(missing) > 1)} {listed(missing)}"
    return SpecError(message, step.mark, f"`from: [{names}]` beside it")


def given(step: LayerStep) -> dict[str, Given]:
    """The arguments of a step."""
    return {**step.arguments, **step.layers}


def completed(head: str, arguments: Mapping[str, Given], missing: Iterable[str] = ()) -> str:
    """What stands in the spec, in one line, with a dot for each thing that is missing."""
    shown = {name: _shown(value) for name, value in arguments.items()}
    return f"{head}: {named({**shown, **dict.fromkeys(missing, '…')})}"


def as_item(value: LayerStep | Initializer) -> str:
    """A layer or an initializer as it stands in a list in one line."""
    if isinstance(value, LayerStep):
        head, inner = value.kind, given(value)
    else:
        head, inner = value.function, dict(value.arguments)
    return f"{{{completed(head, inner)}}}" if inner else head


def _shown(value: Given) -> str:
    if not isinstance(value, Expression):
        return as_item(value)
    text = yaml(value.tree)
    return text if len(text) <= _LONGEST else "…"
