"""Layers with all their arguments known: what the constructor of a twin builds."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from nngen.catalog import LAYERS, outputs
from nngen.catalog.argument_types import kind
from nngen.catalog.entry import State, tensors_in
from nngen.catalog.fragments import fragment
from nngen.catalog.parametrizations import MODIFIERS
from nngen.catalog.partial_evaluation import free_names
from nngen.catalog.signature import REQUIRED, Argument, checked
from nngen.errors import Fault, Missing, SpecError, did_you_mean
from nngen.graph.deciding import decided
from nngen.graph.flow import Application, Module
from nngen.graph.scope import Scope
from nngen.graph.sized import sized
from nngen.language.spec import LayerStep
from nngen.language.spec.completed import lacking
from nngen.symbolic.evaluator import Evaluator
from nngen.symbolic.expressions import MAX_NUMBER, Expression
from nngen.symbolic.mathematics import NUMBERS, attribute_of_number
from nngen.symbolic.sizes import Size, is_whole, value_of
from nngen.symbolic.substitution import same
from nngen.symbolic.tensor import UNKNOWN, Packed, Tensor, unsized, wherever


def shape_attribute(value: Any, name: str) -> Any:
    """The attributes that fragments use."""
    if isinstance(value, Tensor) and name == "shape" and value.shape is not None:
        return value.shape
    if isinstance(value, Packed) and name == "shape":
        return (value.features,)
    if isinstance(value, Tensor) and value.why:
        raise Fault(f"how many sizes the shape of its input has depends on {value.why!r}")
    raise Fault(f"the {name} of {value} is not known before the model runs")


def build_layer(
    step: LayerStep, path: tuple[str, ...], scope: Scope, inputs: Mapping[str, Any]
) -> Module:
    """A layer with its arguments evaluated, completed from its inputs, and checked.

    Args:
        step: the layer as the spec has it.
        path: its place.
        scope: the sizes that its arguments may name.
        inputs: the values of forward's arguments; none where nothing flows into it.

    Raises:
        SpecError: an argument is wrong, missing, or contradicts the input.
    """
    entry = LAYERS[step.kind]
    values: dict[str, Any] = {}
    for argument in entry.signature:
        if argument.name in step.layers:
            values[argument.name] = _inner_layer(step, argument, path, scope, inputs)
        elif argument.name in step.arguments:
            values[argument.name] = check_argument(step, argument.name, scope)
        elif argument.name in entry.infer:
            found = _inferred(step, argument.name, inputs)
            values[argument.name] = scope.settle(path, argument.name, found, step)
        else:
            check_given(step, scope)
            values[argument.name] = argument.default
    for name in entry.infer if inputs else ():
        if name in step.arguments:
            _agree(step, name, values[name], inputs)
    code = computed(step, scope)
    given = frozenset((*step.arguments, *step.layers))
    module = Module(
        step.kind, path, step.mark, values, given, code, modifiers=_modifiers(step, scope)
    )
    _check(step, module)
    state = tuple(s for s in module.entry.state_of(module.settled()) if _is_there(step, module, s))
    return replace(module, state=state)


def shape_of(step: LayerStep, scope: Scope, inputs: Mapping[str, Any]) -> Module:
    """A layer with an argument that is wrong, as far as it decides what the layer gives.

    Sizes that the input decides are as if they were right.

    Raises:
        SpecError, Fault: one that is wrong, or missing, decides it.
    """
    entry = LAYERS[step.kind]
    deciding = outputs.deciding(entry)
    values: dict[str, Any] = {}
    for argument in entry.signature:
        name = argument.name
        if name in entry.infer:
            values[name] = _inferred(step, name, inputs)
        elif name not in deciding:
            values[name] = UNKNOWN
        elif name in step.arguments:
            values[name] = check_argument(step, name, scope)
        elif argument.default is REQUIRED:
            raise Fault(f"{name} is missing")
        else:
            values[name] = argument.default
    code = {name: tree for name, tree in computed(step, scope).items() if name in deciding}
    return Module(step.kind, (), step.mark, values, code=code)


def _modifiers(step: LayerStep, scope: Scope) -> dict[str, dict[str, Any]]:
    """The modifiers beside a step with all their arguments."""
    found = {}
    for name, arguments in step.modifiers.items():
        for key, given in arguments.items():
            if free_names(given.tree) & scope.values.keys():
                raise SpecError(
                    f"{key} of {name} decides how the weight is computed, so it cannot be an argument",
                    given.mark,
                    "write it out; two blocks may differ in it",
                )
        values = {key: evaluate(given, scope.values) for key, given in arguments.items()}
        try:
            found[name] = MODIFIERS[name].signature.bind(name, (), values)
            MODIFIERS[name].apply(LAYERS[step.kind], found[name])
        except Fault as fault:
            raise SpecError(fault.message, step.mark, fault.hint) from None
    return found


def _inner_layer(
    step: LayerStep,
    argument: Argument,
    path: tuple[str, ...],
    scope: Scope,
    inputs: Mapping[str, Any],
) -> Module:
    """A layer that is an argument; what the outer layer takes decides its sizes."""
    inner = step.layers[argument.name]
    if inner.kind not in argument.kind.layer:
        raise SpecError(
            f"{argument.name} of {step.kind} takes {argument.kind.description}, not {inner.kind}",
            inner.mark,
        )
    if (inner.label, inner.sources, inner.call, inner.repeat, inner.when) != (
        None,
    ) * 5 or inner.init:
        raise SpecError("a layer that is an argument has arguments only", inner.mark)
    first = next(iter(inputs.values()))
    names = LAYERS[inner.kind].inputs.required
    given = {name: inputs.get(name, first) for name in names}
    return build_layer(inner, (*path, argument.name), scope, given)


def _is_there(step: LayerStep, module: Module, state: State) -> bool:
    tree = fragment(state.when)
    there = module.folder({}).value(tree)
    if there is UNKNOWN:
        argument = next(name for name in free_names(tree) if name in module.code)
        raise SpecError(
            f"{argument} of {step.kind} decides which parameters there are, so it cannot be an argument",
            step.arguments[argument].mark,
            "write it out; two blocks may differ in it",
        )
    return bool(there)


def computed(step: LayerStep, scope: Scope) -> dict[str, ast.expr]:
    """The arguments that name what is in the scope, as the spec writes them."""
    return {
        name: scope.printable(expression.tree)
        for name, expression in step.arguments.items()
        if free_names(expression.tree) & scope.names
    }


def evaluate(expression: Expression, scope: Mapping[str, Any]) -> Any:
    """The value of an expression over sizes.

    Raises:
        SpecError: it has none.
    """
    try:
        value = Evaluator({**NUMBERS, **scope}, attribute_of_number)(expression.tree)
        value = sized(expression.tree, value, scope)
        if isinstance(value, (int, Size)) and abs(value_of(value) or 0) >= MAX_NUMBER:
            raise Fault("the number is too large")
        return value
    except Fault as fault:
        raise expression.fault(fault) from None


def check_given(step: LayerStep, scope: Scope) -> None:
    """Refuse to do without arguments that the layer or block needs.

    Raises:
        SpecError: some have no default, and cannot be inferred.
    """
    given = {*step.arguments, *step.layers}
    if step.kind in scope.walkthrough.blocks:
        options = scope.walkthrough.blocks[step.kind].options
        missing = [o.name for o in options if o.default is None and o.name not in given]
        if missing:
            raise lacking(step, Missing(step.kind, missing))
    elif step.kind in LAYERS:
        signature, infer = LAYERS[step.kind].signature, LAYERS[step.kind].infer
        missing = [name for name in signature.required if name not in {*given, *infer}]
        if missing:
            raise lacking(step, signature.missing(step.kind, missing))


def check_argument(step: LayerStep, name: str, scope: Scope) -> Any:
    """The value of an argument.

    Raises:
        SpecError: it has none, or one that the layer does not take.
    """
    argument = LAYERS[step.kind].signature[name]
    expression = step.arguments[name]
    tree = expression.tree
    if isinstance(tree, ast.Name) and tree.id not in scope.values:
        raise SpecError(
            f"{name} of {step.kind} takes {argument.kind.description}, not {tree.id!r}",
            expression.mark,
            _word_hint(tree.id, argument, scope),
        )
    value = evaluate(expression, scope.values)
    try:
        return checked(argument, step.kind, value)
    except Fault as fault:
        raise expression.fault(fault) from None


def _word_hint(word: str, argument: Argument, scope: Scope) -> str:
    """What a word may have been meant to be that is neither a size nor one of the argument's words."""
    if argument.kind.takes(True) and word.lower() in _FLAGS:
        return f"write {_FLAGS[word.lower()]}, without quotes"
    hint = did_you_mean(word, [*argument.kind.words, *scope.values])
    return hint or f"a word stands for one of the `args` or `let`, and none is called {word!r}"


_DIFFERS = ", as an expression where it differs"
_FLAGS = {
    **dict.fromkeys(("false", "no", "off"), "false"),
    **dict.fromkeys(("true", "yes", "on"), "true"),
}


def _inferred(step: LayerStep, name: str, inputs: Mapping[str, Any]) -> Any:
    text = LAYERS[step.kind].infer[name]

    def found(values: Mapping[str, Any]) -> Any:
        return Evaluator(values, shape_attribute)(fragment(text))

    try:
        value = wherever(inputs, found)
        value = found(inputs) if value is UNKNOWN else value
    except Fault as fault:
        _refuse_rank(step, inputs)
        reason = fault.message if tensors_in(inputs) else "the layer's input is not a tensor"
        raise SpecError(
            f"{name} of {step.kind} cannot be inferred: {reason}",
            step.mark,
            f"give {name}" + (_DIFFERS if any(t.why for t in tensors_in(inputs)) else ""),
        ) from None
    if isinstance(value, Size) and value.value is None:
        raise SpecError(
            f"{name} of {step.kind} would be {value}, which is open until the model runs",
            step.mark,
            f"give {name}, or put the layer where this size is fixed",
        )
    if is_whole(value) and value_of(value) == 0:
        raise SpecError(
            f"{name} of {step.kind} would be 0: the input is empty",
            step.mark,
            "leave at least one value in each dimension",
        )
    return value


def _refuse_rank(step: LayerStep, inputs: Mapping[str, Any]) -> None:
    """Say of inputs with too few dimensions what the layer's own rule says: it looks at those first."""
    tensors = tensors_in(inputs)
    if not tensors or any(tensor.shape is None for tensor in tensors):
        return
    entry = LAYERS[step.kind]
    try:
        outputs.output(entry, {**dict.fromkeys(entry.signature.names, UNKNOWN), **inputs})
    except Fault as fault:
        raise SpecError(f"{step.kind}: {fault.message}", step.mark, fault.hint) from None


def check_agreement(step: LayerStep, name: str, scope: Scope, inputs: Mapping[str, Any]) -> None:
    """Refuse a given size that contradicts the input.

    Raises:
        SpecError: it does, or is none.
    """
    _agree(step, name, check_argument(step, name, scope), inputs)


def _agree(step: LayerStep, name: str, value: Any, inputs: Mapping[str, Any]) -> None:
    try:
        found = Evaluator(inputs, shape_attribute)(fragment(LAYERS[step.kind].infer[name]))
    except Fault:
        return
    sizes = isinstance(value, (int, Size)) and isinstance(found, (int, Size))
    # Of an open size the layer's rule tells more.
    if sizes and value_of(found) is not None and same(value, found) is False:
        raise SpecError(
            f"{name} of {step.kind} is {value}, but the input has {found}",
            step.arguments[name].mark,
            f"write {found}, or leave {name} out: it is inferred",
        )


def check_together(step: LayerStep, scope: Scope) -> None:
    """Refuse arguments that do not go together, as far as no input is needed to tell.

    Raises:
        SpecError: they do not.
    """
    if step.kind not in LAYERS:
        return
    entry = LAYERS[step.kind]
    values = {a.name: UNKNOWN if a.name in entry.infer else a.default for a in entry.signature}
    values |= dict.fromkeys(entry.signature.required, UNKNOWN)
    values |= dict.fromkeys(step.layers, UNKNOWN)
    values |= {name: check_argument(step, name, scope) for name in step.arguments}
    with suppress(Fault):  # it counts with what only the input tells
        _check(step, Module(step.kind, (), step.mark, values))


def _check(step: LayerStep, module: Module) -> None:
    folder = module.folder({})
    for check in module.entry.checks:
        if folder.value(fragment(check.condition)) is False:
            blamed = step.arguments.get(check.argument)
            shown = {name: _plain(value) for name, value in module.values.items()}
            raise SpecError(
                f"{step.kind}: {check.message.format(**shown)}",
                step.mark if blamed is None else blamed.mark,
                check.hint,
            )


def _plain(value: Any) -> Any:
    return value_of(value) if isinstance(value, Size) else value


def apply_layer(module: Module, inputs: Mapping[str, Any], scope: Scope) -> Application:
    """What a layer makes of its inputs.

    Args:
        module: the layer.
        inputs: what goes in, by the names of forward's arguments.
        scope: the names of the class that it is in.

    Raises:
        Fault: torch would refuse them.
    """
    for argument in module.entry.inputs:
        if inputs.get(argument.name) is UNKNOWN and argument.kind is kind("Tensor"):
            message = f"{module.kind}: {argument.name} is known only at run time"
            raise Fault(message, "`from` beside the layer names another value")
    tensors = tensors_in(inputs)

    def output(given: Mapping[str, Any]) -> Any:
        return decided(
            {**module.values, **given},
            module.code,
            partial(outputs.output, module.entry),
            scope,
            {argument.name: argument.kind.words for argument in module.entry.signature},
        )

    try:
        if any(tensor.shape is None for tensor in tensors):
            known = wherever(inputs, output)
            known = unsized(tensors[0].dtype, *tensors) if known is UNKNOWN else known
        else:
            known = output(inputs)
    except Fault as fault:
        raise Fault(f"{module.kind}: {fault.message}", fault.hint) from None
    return Application(module, inputs, known)
