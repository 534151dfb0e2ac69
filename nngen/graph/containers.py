"""Building and applying whole steps: layers, Sequentials, and repeated layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nngen.catalog import LAYERS
from nngen.catalog.entry import Signature, signature
from nngen.errors import Fault, SpecError
from nngen.graph.modules import Application, Module, apply_layer, build_layer, evaluate
from nngen.names import check_child_name, check_layer_name
from nngen.spec import Label, LayerStep
from nngen.tensors import Tensor

MAX_REPEAT = 10_000
CONTAINERS = ("Sequential", "ModuleList")
_ONE_INPUT = signature("input: Tensor")


def inputs_of(kind: str) -> Signature:
    """The signature of a module's forward."""
    return _ONE_INPUT if kind in CONTAINERS else LAYERS[kind].inputs


def copies(
    step: LayerStep, scope: Mapping[str, Any]
) -> Iterator[tuple[str | None, dict[str, Any]]]:
    """For each copy of a step, its name where it has one, and the scope of its arguments (`i` in a repeat)."""
    if step.repeat is None:
        yield _name(step.label, scope), dict(scope)
        return
    count = evaluate(step.repeat, scope)
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MAX_REPEAT:
        raise SpecError(
            f"repeat takes a whole number from 1 to {MAX_REPEAT}, not {count!r}",
            step.repeat.mark,
        )
    for i in range(count):
        inner = {**scope, "i": i}
        yield _name(step.label, inner), inner


def _name(label: Label | None, scope: Mapping[str, Any]) -> str | None:
    if label is None:
        return None
    if label.fixed is not None:
        return label.fixed
    name = "".join(
        part if isinstance(part, str) else str(evaluate(part, scope)) for part in label.parts
    )
    check_layer_name(name, label.mark)
    return name


def build(
    step: LayerStep,
    path: tuple[str, ...],
    scope: Mapping[str, Any],
    inputs: Mapping[str, Any],
) -> Application:
    """Build a layer or Sequential, and apply it to the inputs that decide its sizes.

    Raises:
        SpecError: it cannot be built, or does not fit its inputs.
    """
    if step.kind == "Sequential":
        return _build_sequential(step, path, scope, inputs)
    module = build_layer(step, path, scope, inputs)
    try:
        return apply_layer(module, inputs)
    except Fault as fault:
        raise SpecError(fault.message, step.mark, fault.hint) from None


def build_list(
    step: LayerStep,
    path: tuple[str, ...],
    scope: Mapping[str, Any],
    inputs: Mapping[str, Any],
) -> Application:
    """Build the copies of a repeated layer as a ModuleList through which the value runs.

    Raises:
        SpecError: they cannot be built, or do not fit.
    """
    applications: list[Application] = []
    value = inputs["input"]
    for _, inner in copies(step, scope):
        applications.append(_build_child(step, (*path, str(len(applications))), inner, value))
        value = applications[-1].output
    return _contained("ModuleList", path, step, inputs, applications)


def _build_sequential(
    step: LayerStep,
    path: tuple[str, ...],
    scope: Mapping[str, Any],
    inputs: Mapping[str, Any],
) -> Application:
    applications: dict[str, Application] = {}
    value = inputs["input"]
    for child in step.children:
        for given, inner in copies(child, scope):
            name = given or str(len(applications))
            if name in applications:
                hint = (
                    f"name the copies apart: `as {name}${{i}}`"
                    if child.repeat
                    else "choose another name"
                )
                raise SpecError(
                    f"the Sequential has two children called {name!r}", child.mark, hint
                )
            check_child_name(name, child.mark)
            applications[name] = _build_child(child, (*path, name), inner, value)
            value = applications[name].output
    return _contained("Sequential", path, step, inputs, list(applications.values()))


def _build_child(
    step: LayerStep, path: tuple[str, ...], scope: Mapping[str, Any], value: Any
) -> Application:
    names = inputs_of(step.kind)
    if len(names.required) > 1:
        raise SpecError(
            f"{step.kind} takes {len(names.required)} inputs, but only one value runs here",
            step.mark,
            "give it a step of its own, with `from`",
        )
    if not isinstance(value, Tensor):
        raise SpecError(
            f"{step.kind} is given {len(value)} values at once",
            step.mark,
            "the layer above gives more than one",
        )
    return build(step, path, scope, names.bind(step.kind, (value,), {}))


def _contained(
    kind: str,
    path: tuple[str, ...],
    step: LayerStep,
    inputs: Mapping[str, Any],
    applications: list[Application],
) -> Application:
    module = Module(
        kind,
        path,
        step.mark,
        children=tuple(application.module for application in applications),
    )
    return Application(module, inputs, applications[-1].output, tuple(applications))


def apply(module: Module, inputs: Mapping[str, Any]) -> Application:
    """Apply a module that is built already.

    Raises:
        Fault: the inputs do not fit.
    """
    if module.kind not in CONTAINERS:
        return apply_layer(module, inputs)
    value = inputs["input"]
    applications = []
    for child in module.children:
        applications.append(apply(child, inputs_of(child.kind).bind(child.kind, (value,), {})))
        value = applications[-1].output
    return Application(module, inputs, value, tuple(applications))
