"""Spec and catalog to a Graph: names, wiring, sizes, keys. Every decision is taken here."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from nngen.catalog import LAYERS
from nngen.catalog.entry import fragment, tensors_in
from nngen.errors import Fault, Mark, SpecError
from nngen.expressions import SIZE_FUNCTIONS, Evaluator
from nngen.fold import source
from nngen.graph.flow import BATCH, Flow, Walker
from nngen.graph.functional_style import FunctionalLowering, form, layer_states
from nngen.graph.lowering import construction, leaves, name
from nngen.graph.model import Attribute, Graph, LayerState, Loss, ModelClass
from nngen.graph.modules import (
    Application,
    Module,
    apply_layer,
    build_layer,
    self_attribute,
    shape_attribute,
)
from nngen.graph.nn_style import NNLowering
from nngen.graph.variables import Variables
from nngen.sizes import value_of
from nngen.spec import LayerStep, Spec
from nngen.subject import TensorSpec
from nngen.tensors import Tensor

__all__ = ["Graph", "build_graph"]


def build_graph(spec: Spec) -> Graph:
    """Take every decision about a model.

    Raises:
        SpecError: the spec is wrong.
    """
    flow = Walker(spec).walk()
    outputs = flow.output
    criterion = None if spec.loss is None else _criterion(spec.loss, outputs)
    modules = [module for module, _ in flow.modules] + (
        [] if criterion is None else [criterion.module]
    )
    model = _model(spec, flow, criterion)
    keys = _keys(modules)
    return Graph(
        spec.file,
        model,
        _names_used(model, nn=True),
        _names_used(model, nn=False),
        keys,
        tuple(TensorSpec(i.name, i.shape, i.dtype, i.batch, i.below) for i in spec.inputs),
        None if criterion is None else _targets(criterion, spec.mark),
    )


def _model(spec: Spec, flow: Flow, criterion: Application | None) -> ModelClass:
    variables = Variables(flow)
    return ModelClass(
        spec.name,
        _doc(spec.doc, flow),
        tuple(value.name for value in flow.inputs),
        _annotation(flow.output),
        tuple(Attribute(module.name, construction(module), step) for module, step in flow.modules),
        tuple(state for module, step in flow.modules for state in layer_states(module, step)),
        NNLowering(flow, variables).run(),
        FunctionalLowering(flow, variables).run(),
        None if criterion is None else _loss(criterion, len(spec.layers) + 1),
    )


def _doc(doc: str, flow: Flow) -> str:
    inputs = flow.inputs
    given = (
        " and ".join(f"{value.name} {value.abstract}" for value in inputs)
        if len(inputs) > 1
        else inputs[0].abstract
    )
    maps = f"Maps {given} to {_shown(flow.output)}."
    return f"{doc}\n\n{maps}" if doc else maps


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(item)}" for key, item in value.items())
    if isinstance(value, (tuple, list)):
        return " and ".join(map(_shown, value))
    return str(value)


def _annotation(value: Any) -> str:
    if isinstance(value, tuple):
        return f"tuple[{', '.join(map(_annotation, value))}]"
    if isinstance(value, list):
        return "list[Tensor]"
    return "dict[str, Tensor]" if isinstance(value, dict) else "Tensor"


def _criterion(step: LayerStep, outputs: Any) -> Application:
    """The loss, applied to the model's outputs and to targets that fit them."""
    entry = LAYERS[step.kind]
    wanted = entry.outputs
    tensors = tensors_in(outputs)
    if len(tensors) != len(wanted):
        raise SpecError(
            f"{step.kind} takes {_count(wanted)}, but the model gives {len(tensors)}",
            step.mark,
            "choose what the model gives with `outputs`",
        )
    inputs: dict[str, Any] = dict(zip(wanted, tensors))
    module = build_layer(step, ("criterion",), {}, inputs)
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
        return apply_layer(module, entry.inputs.bind(step.kind, given, {}))
    except Fault as fault:
        raise SpecError(fault.message, step.mark, fault.hint) from None


def _count(names: tuple[str, ...]) -> str:
    return f"{len(names)} outputs ({', '.join(names)})" if len(names) > 1 else "1 output"


def _of_target(text: str, module: Module, inputs: Mapping[str, Any]) -> Any:
    """The value of a fragment that describes a target."""
    return Evaluator({**SIZE_FUNCTIONS, **module.values, **inputs}, shape_attribute)(fragment(text))


def _loss(criterion: Application, step: int) -> Loss:
    entry = criterion.module.entry
    outputs = entry.outputs
    names = ["output" if len(outputs) == 1 or key == "input" else key for key in outputs]
    operands = {
        **dict(zip(outputs, names)),
        **{target: _plain(target) for target in entry.targets},
    }
    shapes = {key: str(criterion.inputs[key]) for key in operands}
    state = layer_states(criterion.module, step)
    code = {key: name(text) for key, text in operands.items()}
    arguments = [code[key] for key in entry.inputs.names]
    call: ast.expr = ast.Call(self_attribute("criterion"), arguments, [])
    if isinstance(criterion.output, tuple):
        call = ast.Attribute(call, "loss", ast.Load())
    return Loss(
        tuple(operands.values()),
        entry.doc.format(**shapes),
        construction(criterion.module),
        state[0] if state else LayerState((), (), step),
        (source(ast.Return(call)),),
        _functional_loss(criterion, code),
    )


def _plain(target: str) -> str:
    """A target's name as `loss` has it: without the underscore that some of torch's end in."""
    return target.rstrip("_")


def _functional_loss(criterion: Application, operands: dict[str, ast.expr]) -> tuple[str, ...]:
    *before, last = form(criterion, operands, "out")
    assert isinstance(last, ast.Assign)
    value = last.value
    if isinstance(criterion.output, tuple):
        # As torch's AdaptiveLogSoftmaxWithLoss does, it gives its output and then the loss.
        assert isinstance(value, ast.Tuple)
        value = value.elts[-1]
    return (*map(source, before), source(ast.Return(value)))


def _targets(criterion: Application, mark: Mark) -> tuple[TensorSpec, ...]:
    """The targets as verification draws them."""
    specs = []
    module, inputs = criterion.module, criterion.inputs
    for target, rule in module.entry.targets.items():
        shape = inputs[target].shape
        batch = bool(shape) and shape[0] == BATCH
        below = value_of(_of_target(rule.below, module, inputs)) if rule.below else None
        low = value_of(_of_target(rule.low, module, inputs)) or 0
        sizes = tuple(size if isinstance(size, int) else str(size) for size in shape[batch:])
        specs.append(TensorSpec(_plain(target), sizes, rule.dtype, batch, below, rule.kind, low))
    return tuple(specs)


def _keys(modules: list[Module]) -> tuple[tuple[str, str], ...]:
    """The state_dict keys of both twins; two that would meet are refused."""
    pairs: list[tuple[str, str]] = []
    owners: dict[str, Module] = {}
    for module in modules:
        for leaf, state in leaves(module):
            flat = leaf.attribute(state)
            if flat in owners:
                raise SpecError(
                    f"in the functional twin {leaf.key(state)!r} and a parameter of {owners[flat].name!r} "
                    f"would both be called {flat!r}",
                    leaf.mark,
                    "rename one of the two layers",
                )
            owners[flat] = leaf
            pairs.append((leaf.key(state), flat))
    return tuple(pairs)


def _names_used(model: ModelClass, nn: bool) -> frozenset[str]:
    """The names from outside that one of the files uses."""
    codes = [statement.code for statement in (model.nn if nn else model.functional)]
    loss = model.loss
    states = model.states + ((loss.state,) if loss else ())
    if nn:
        constructions = [attribute.construction for attribute in model.attributes] + (
            [loss.construction] if loss else []
        )
        codes += [code for made in constructions for code in made.codes()]
    else:
        codes += [
            code
            for state in states
            for code in (*state.draws, *(line.value for line in state.lines))
        ]
        codes += loss.functional if loss else ()
    found: set[str] = set()
    for code in codes:
        found.update(node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name))
    if nn and any(attribute.construction.any_named() for attribute in model.attributes):
        found.add("OrderedDict")
    return frozenset(found & {"F", "math", "torch", "OrderedDict"})
