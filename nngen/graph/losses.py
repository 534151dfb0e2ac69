"""The loss: one layer on the outputs and its targets, or steps of their own."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from nngen.catalog import FUNCTIONS, LAYERS, Trait, traits_of
from nngen.catalog.entry import Layer, Target, tensors_in
from nngen.catalog.fragments import fragment
from nngen.errors import BROKEN, Fault, Follows, Mark, SpecError
from nngen.graph.flow import Above, Application, Built, Flow, Module, Operation
from nngen.graph.functional_form import form
from nngen.graph.inputs import BATCH, drawn_size, tensor, tensor_spec
from nngen.graph.modules import apply_layer, build_layer, shape_attribute
from nngen.graph.recovery import check_arguments
from nngen.graph.scope import Choices, Scope
from nngen.graph.tensor_spec import TensorSpec
from nngen.graph.walker import walk
from nngen.language.naming import check_beside_loss
from nngen.language.spec import LayerStep, Name, Step
from nngen.language.spec.model import LossSteps
from nngen.symbolic.evaluator import SIZE_FUNCTIONS, Evaluator
from nngen.symbolic.expressions import name
from nngen.symbolic.sizes import value_of
from nngen.symbolic.tensor import Tensor, in_this_use


@dataclass(frozen=True, eq=False)
class Criterion:
    """A loss, decided.

    Attributes:
        flow: what the constructor builds for it.
        arguments: the method's arguments.
        doc: its docstring, with the names in `shapes` for their shapes.
        targets: what verification gives it beside the outputs.
        mark: where the spec has it.
        shapes: what goes in, where the docstring tells of it.
        application: the layer, where it is one.
        form: that layer's functional form; the last statement assigns what comes out.
    """

    flow: Flow
    arguments: tuple[str, ...]
    doc: str
    targets: tuple[TensorSpec, ...]
    mark: Mark
    shapes: Mapping[str, Any] = field(default_factory=dict)
    application: Application | None = None
    form: tuple[ast.stmt, ...] = ()

    @property
    def gives_output(self) -> bool:
        """Whether the layer gives its output and then the loss, as torch's AdaptiveLogSoftmaxWithLoss does."""
        return self.application is not None and isinstance(self.application.output, tuple)


def loss_step(loss: LayerStep | LossSteps, flow: Flow) -> Criterion:
    """Fit a loss to what the model gives.

    Raises:
        SpecError: it does not fit.
    """
    marks = {each.path[0]: flow.body.layers[each.step].mark for each in flow.built}
    check_beside_loss(marks, isinstance(loss, LayerStep))
    if isinstance(loss, LayerStep) and flow.output is BROKEN:
        _tell_twice(loss, flow)
        check_arguments(loss, flow.scope, flow.scope.walkthrough.errors)
        raise Follows
    choices = Choices()  # what the model's own layers infer is settled already
    flow = replace(flow, scope=replace(flow.scope, choices=choices))
    found = _single(loss, flow) if isinstance(loss, LayerStep) else _several(loss, flow)
    choices.settle()
    return found


def _tell_twice(loss: LayerStep, flow: Flow) -> None:
    """Say beside a softmax with a mistake that the loss takes one itself: lint only sees specs without."""
    last = flow.body.layers[-1]
    function = FUNCTIONS.get(LAYERS[loss.kind].function)
    if function is None or function.takes != "softmax" or not _is_softmax(last):
        return
    for error in flow.scope.walkthrough.errors.found:
        if error.mark.path.startswith(last.mark.path):
            error.hint += f"; but {loss.kind} takes the softmax itself: leave it out"


def _is_softmax(step: Step) -> bool:
    if isinstance(step, LayerStep):
        return step.kind in LAYERS and Trait.SOFTMAX in traits_of(step.kind)
    tree = step.line.value.tree
    return isinstance(tree, ast.Call) and ast.unparse(tree.func).endswith("softmax")


def _single(step: LayerStep, flow: Flow) -> Criterion:
    entry = LAYERS[step.kind]
    application = _applied(step, entry, flow)
    module = application.module
    outputs = entry.outputs
    names = [entry.output_name if len(outputs) == 1 or key == "input" else key for key in outputs]
    operands = {**dict(zip(outputs, names)), **{key: _plain(key) for key in entry.targets}}
    code = {key: name(text) for key, text in operands.items()}
    number = len(flow.body.layers) + 1
    return Criterion(
        Flow(flow.body, flow.scope, (), [Built("criterion", ("criterion",), module, number)]),
        tuple(operands.values()),
        entry.doc,
        tuple(
            _target_spec(target, rule, module, application.inputs)
            for target, rule in entry.targets.items()
        ),
        step.mark,
        {key: application.inputs[key] for key in operands},
        application,
        tuple(form(application, code, "out")),
    )


def _plain(target: str) -> str:
    """A target's name as `loss` has it: without the underscore that some of torch's end in."""
    return target.rstrip("_")


def _applied(step: LayerStep, entry: Layer, flow: Flow) -> Application:
    """The loss, applied to the model's outputs and to targets that fit them."""
    wanted = entry.outputs
    tensors = tensors_in(in_this_use(flow.output))
    if len(tensors) != len(wanted):
        count = f"{len(wanted)} outputs ({', '.join(wanted)})" if len(wanted) > 1 else "1 output"
        raise SpecError(
            f"{step.kind} takes {count}, but the model gives {len(tensors)}",
            step.mark,
            _loss_of_several(step, entry, flow) or "choose what the model gives with `outputs`",
        )
    inputs: dict[str, Any] = dict(zip(wanted, tensors))
    module = build_layer(step, ("criterion",), flow.scope, inputs)
    try:
        for target, rule in entry.targets.items():
            inputs[target] = Tensor(_of_target(rule.shape, module, inputs), rule.dtype)
    except Fault as fault:
        shown = " and ".join(map(str, tensors))
        raise SpecError(
            f"{step.kind} does not go with the model's output {shown}: {fault.message}",
            step.mark,
            fault.hint,
        ) from None
    try:
        given = tuple(inputs[argument] for argument in entry.inputs.names)
        return apply_layer(module, entry.inputs.bind(step.kind, given, {}), flow.scope)
    except Fault as fault:
        raise SpecError(fault.message, step.mark, fault.hint) from None


def _loss_of_several(step: LayerStep, entry: Layer, flow: Flow) -> str:
    """How a loss is written that is one of several outputs."""
    given = _named_outputs(flow)
    if len(entry.targets) != 1 or len(given) < 2:
        return ""
    shown = " and ".join(given)
    form = f"{{inputs: [target], layers: [{{{step.kind}: {{}}, from: [{next(iter(given))}, target]}}]}}"
    return f"a loss with `inputs` and `layers` sees {shown} by their names: `loss: {form}`"


def _of_target(text: str, module: Module, inputs: Mapping[str, Any]) -> Any:
    """The value of a fragment that describes a target."""
    return Evaluator({**SIZE_FUNCTIONS, **module.values, **inputs}, shape_attribute)(fragment(text))


def _target_spec(
    target: str, rule: Target, module: Module, inputs: Mapping[str, Any]
) -> TensorSpec:
    """A target as verification draws it."""
    shape = inputs[target].shape
    batch = bool(shape) and shape[0] == BATCH
    below = value_of(_of_target(rule.below, module, inputs)) if rule.below else None
    low = value_of(_of_target(rule.low, module, inputs)) or 0
    if below is not None and below <= low:
        raise SpecError(
            f"{module.kind} takes at least one class, but what it is given has none", module.mark
        )
    try:
        sizes = tuple(map(drawn_size, shape[batch:]))
    except Fault as fault:
        raise SpecError(f"{module.kind}: {fault.message}", module.mark, fault.hint) from None
    return TensorSpec(_plain(target), sizes, rule.dtype, batch, below, rule.kind, low)


def _several(loss: LossSteps, flow: Flow) -> Criterion:
    """A loss of several steps, which sees forward's outputs by their names."""
    outputs = _named_outputs(flow)
    body = loss.body
    targets = [each for each in body.inputs if each.text not in outputs]
    inputs = tuple(Name(each, body.mark) for each in outputs) + tuple(targets)
    given = {**outputs, **{each.text: _given(loss, each.text, flow.scope) for each in targets}}
    body = replace(body, inputs=inputs)
    kinds = {each.name: each.module.kind for each in flow.built if each.module}
    walked = walk(body, flow.scope, given, Above(kinds, frozenset(outputs)))
    if flow.scope.walkthrough.errors.found:
        raise Follows
    return Criterion(
        walked,
        tuple(value.name for value in walked.inputs),
        f"The loss of {' and '.join(value.name for value in walked.inputs if value.used)}.",
        tuple(_target_of(each, loss, walked) for each in targets),
        body.mark,
    )


def _given(loss: LossSteps, target: str, scope: Scope) -> Tensor:
    """A target as the spec describes it, or of a shape still to be told."""
    given = loss.tensors.get(target)
    if given is None:
        return Tensor(None)
    return tensor(given, scope)


def _named_outputs(flow: Flow) -> dict[str, Any]:
    """What forward returns, by the names that the spec has for it."""
    last, outputs = flow.operations[-1], flow.body.outputs
    if flow.output is BROKEN and outputs is not None:
        return dict.fromkeys(_names_of(outputs.tree), BROKEN)
    if last.line is None:
        return {last.reads[0].name: last.reads[0].abstract}
    tree = last.line.value.tree
    value = flow.output
    if isinstance(tree, ast.Dict):
        return dict(value)
    if isinstance(tree, ast.Name):
        return {tree.id: value}
    if isinstance(tree, ast.Tuple) and all(isinstance(part, ast.Name) for part in tree.elts):
        return {part.id: item for part, item in zip(tree.elts, value) if isinstance(part, ast.Name)}
    return {"output": value}


def _names_of(tree: ast.expr) -> list[str]:
    """The names in outputs of which no more is known."""
    nodes = [node for node in ast.walk(tree) if isinstance(node, (ast.Name, ast.Constant))]
    return [node.id if isinstance(node, ast.Name) else str(node.value) for node in nodes]


def _target_of(target: Name, loss: LossSteps, flow: Flow) -> TensorSpec:
    """A target's shape: as the spec says it, or as a loss that takes it wants it."""
    given = loss.tensors.get(target.text)
    if given is not None:
        return tensor_spec(given, flow.scope)
    for operation in flow.operations:
        for application in _applications(operation):
            entry = LAYERS.get(application.module.kind)
            for key, rule in (entry.targets if entry else {}).items():
                if _is_read(operation, application, key, target.text):
                    found = _target_spec_of(key, rule, application)
                    if found is not None:
                        return TensorSpec(target.text, *found)
    raise SpecError(
        f"the shape of {target.text!r} is not known",
        target.mark,
        f"`inputs: {{{target.text}: [10]}}`, the shape of one sample",
    )


def _applications(operation: Operation) -> list[Application]:
    own = [] if operation.application is None else [operation.application]
    return own + list(operation.calls.values())


def _is_read(operation: Operation, application: Application, key: str, target: str) -> bool:
    if operation.application is None:
        return False
    place = list(application.inputs).index(key)
    return place < len(operation.reads) and operation.reads[place].name == target


def _target_spec_of(key: str, rule: Target, application: Application) -> tuple[Any, ...] | None:
    try:
        shape = _of_target(rule.shape, application.module, application.inputs)
        inputs = {**application.inputs, key: Tensor(shape, rule.dtype)}
        found = _target_spec(key, rule, application.module, inputs)
    except (Fault, SpecError):
        return None
    return found.shape, found.dtype, found.batch, found.below, found.kind, found.low
