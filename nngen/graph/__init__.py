"""Spec and catalog to a Program: what is built, what flows, which sizes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nngen.errors import (
    BROKEN,
    Errors,
    Follows,
    LimitError,
    SpecError,
    did_you_mean,
    together,
)
from nngen.graph.inputs import whole
from nngen.graph.letters import usual_letters
from nngen.graph.losses import loss_step
from nngen.graph.modules import evaluate
from nngen.graph.program import ClassFlow, Program
from nngen.graph.recovery import look_at_the_rest
from nngen.graph.scope import Choices, Walkthrough
from nngen.graph.trials import explain_dimensions
from nngen.graph.uniting import complete
from nngen.graph.unreached import refuse_unreached
from nngen.graph.walker import walk
from nngen.graph.walks import walk_model
from nngen.language import document
from nngen.language import spec as specs
from nngen.language.document import Node
from nngen.language.spec import Option, Spec
from nngen.symbolic.sizes import value_of

__all__ = ["ClassFlow", "Program", "follow", "read_file", "read_spec"]

# Larger ones would only use up the memory of whoever verifies a stranger's spec.
LARGEST_CHECK = 100_000


def follow(spec: Spec, errors: Errors | None = None) -> Program:
    """Follow every step of a model.

    Args:
        spec: the model.
        errors: what is known to be wrong in it.

    Raises:
        SpecError: the spec is wrong; it tells of all errors.
    """
    errors = Errors() if errors is None else errors
    try:
        return _follow(spec, errors)
    except LimitError as error:
        raise together([*errors.found, error]) from None


def _follow(spec: Spec, errors: Errors) -> Program:
    arguments = _arguments(spec, errors)
    choices, letters = Choices(), usual_letters(spec)
    walkthrough = Walkthrough(spec.blocks, walk, letters, errors=errors)
    flow = walk_model(spec, arguments, choices, walkthrough)
    if not errors.found and errors.attempt(choices.settle):
        walkthrough = Walkthrough(spec.blocks, walk, letters, errors=errors)
        flow = walk_model(spec, arguments, choices, walkthrough)
    look_at_the_rest(spec, walkthrough, choices)
    walkthrough.refuse_misfits()
    criterion = None if spec.loss is None else errors.attempt(loss_step, spec.loss, flow)
    sizes = errors.attempt(_check_sizes, spec)
    if errors.found:

        def walk_other(other: Spec, found: Errors) -> None:
            trial = Walkthrough(spec.blocks, walk, letters, errors=found, trial=True)
            walk_model(other, arguments, Choices(), trial)

        explain_dimensions(spec, errors, walk_other)
    refuse_unreached(spec, errors)
    errors.refuse()
    for flows in walkthrough.flows.values():
        complete(flows)
    uses = {name: tuple(flows) for name, flows in walkthrough.flows.items()}
    return Program(spec, flow, uses, criterion, arguments, sizes or {}, choices)


def read_spec(node: Node, file: str) -> Spec:
    """Read a spec from a document's tree; where it cannot be read whole, what can be is followed, to tell of all errors.

    Raises:
        SpecError: it is not a spec, or it is wrong.
    """
    errors = Errors()
    spec = specs.partly(node, file, errors)
    if errors.found:
        follow(spec, errors)
    return spec


def read_file(path: Path) -> Spec:
    """Read a spec from a file, likewise.

    Raises:
        FileError: the file cannot be read.
        SpecError: it is not a spec, or it is wrong.
    """
    return read_spec(document.read(path), path.name)


def _arguments(spec: Spec, errors: Errors) -> dict[str, Any]:
    """The values of the model's constructor arguments in a check."""
    values = {}
    for option in spec.model.options:
        try:
            values[option.name] = _argument(option, spec)
        except SpecError as error:
            errors.add(error)
            values[option.name] = BROKEN
        except Follows:
            values[option.name] = BROKEN
    return values


def _argument(option: Option, spec: Spec) -> Any:
    if option.name in spec.check:
        return evaluate(spec.check[option.name], {})
    if option.default is not None:
        return evaluate(option.default, {})
    raise SpecError(
        f"{option.name} is required, so following the sizes needs a value for it",
        option.mark,
        f"add `check: {{{option.name}: …}}`; `verify --set {option.name}=…` gives another for one run",
    )


def _check_sizes(spec: Spec) -> dict[str, int]:
    options = {option.name for option in spec.model.options}
    open_sizes = set(spec.open_sizes)
    sizes = {}
    for name, expression in spec.check.items():
        if name in open_sizes:
            size = value_of(whole(expression, evaluate(expression, {}), name))
            assert size is not None
            if size > LARGEST_CHECK:
                raise SpecError(f"a check uses sizes up to {LARGEST_CHECK:,}", expression.mark)
            sizes[name] = size
        elif name not in options:
            hint = did_you_mean(name, sorted(options | open_sizes))
            raise SpecError(f"the spec leaves no {name!r} open", expression.mark, hint)
    return sizes
