"""Uses of a block: its class walked with the sizes of one use, what comes out told in the user's sizes."""

from __future__ import annotations

import ast
from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from typing import Any

from nngen.catalog.partial_evaluation import free_names, literal, source
from nngen.errors import Fault, SpecError
from nngen.graph.alternatives import told_outside
from nngen.graph.flow import Application, Flow, Module
from nngen.graph.letters import Letters, letters_of
from nngen.graph.merging import resized
from nngen.graph.modules import check_given, computed, evaluate
from nngen.graph.scope import Choices, Scope
from nngen.graph.sized import given, outside
from nngen.graph.written import Given
from nngen.language.spec import INPUT_SIZES, Body, LayerStep
from nngen.language.spec.mentions import input_sizes, mentioned
from nngen.symbolic.expressions import Expression
from nngen.symbolic.named import named, sizes_in
from nngen.symbolic.sizes import Dim, Size, is_whole, value_of
from nngen.symbolic.substitution import same, substitute
from nngen.symbolic.tensor import Tensor

_IN_LINES = "in a line, `x.shape[i]` is a size of the input at hand"


def build_block(
    step: LayerStep,
    path: tuple[str, ...],
    scope: Scope,
    inputs: Mapping[str, Any],
    loop: ast.expr | None = None,
) -> Application:
    """Use a block.

    Raises:
        SpecError: its arguments are wrong, or what is in it does not fit.
    """
    body, errors = scope.walkthrough.blocks[step.kind], scope.walkthrough.errors
    values = _arguments(step, body, scope)
    before = len(errors.found)
    codes = {name: expression.tree for name, expression in step.arguments.items()}
    flow, substitution = walk_block(body, step, scope, values, inputs, codes)
    if len(errors.found) > before and not scope.walkthrough.trial:
        _refuse_list(step, body, path, scope, inputs, before)
    _refuse_needless_sizes(step, substitution)
    sizes = {
        name: _input_size(step, name, substitution[name], path, scope)
        for name in input_sizes(body)
        if name in substitution
    }
    values = {**sizes, **values}
    module = Module(
        step.kind,
        path,
        step.mark,
        values,
        frozenset(step.arguments),
        computed(step, scope),
        loop=loop,
        flow=flow,
        unsettled=scope.unsettled(path, step.mark),
    )
    return _used(module, inputs, flow)


def _refuse_list(
    step: LayerStep,
    body: Body,
    path: tuple[str, ...],
    scope: Scope,
    inputs: Mapping[str, Any],
    before: int,
) -> None:
    """Refuse a list of arguments without names, all taken for the first, where each taken for its own is right.

    Args:
        before: how many errors there were before the block was followed with the list.
    """
    name, given = next(iter(step.arguments.items()), ("", None))
    if given is None or given.mark.path.endswith(f".{name}"):
        return
    listed = given.tree.elts if isinstance(given.tree, ast.Tuple) else []
    names = [option.name for option in body.options][: len(listed)]
    if not len(names) == len(listed) > 1:
        return
    arguments = {key: Expression(tree, given.mark) for key, tree in zip(names, listed)}
    trial = scope.walkthrough.trial_of()
    inner = Scope(scope.owner, scope.values, Choices(), trial, scope.unrolled)
    trial.errors.attempt(build_block, replace(step, arguments=arguments), path, inner, inputs)
    if not trial.errors.found:
        del scope.walkthrough.errors.found[before:]
        shown = ", ".join(f"{key}: {source(each.tree)}" for key, each in arguments.items())
        message = f"the arguments of {step.kind} go by name"
        raise SpecError(message, given.mark, f"`{step.kind}: {{{shown}}}`")


def _refuse_needless_sizes(step: LayerStep, substitution: Mapping[str, Dim]) -> None:
    for name in INPUT_SIZES:
        if name in step.arguments and name not in substitution:
            raise SpecError(
                f"{step.kind} takes no {name} from this input",
                step.arguments[name].mark,
                "leave it out",
            )


def _input_size(step: LayerStep, name: str, found: Dim, path: tuple[str, ...], scope: Scope) -> Dim:
    """The size of a block's input: as the spec gives it, or as it is found."""
    if name not in step.arguments:
        settled: Dim = scope.settle(path, name, found, step)
        return settled
    expression = step.arguments[name]
    given: Dim = evaluate(expression, scope.values)
    if not isinstance(given, (int, Size)) or same(given, found) is False:
        raise SpecError(
            f"{name} of {step.kind} is {given}, but the input has {found}", expression.mark
        )
    return given


def apply_block(module: Module, inputs: Mapping[str, Any], scope: Scope) -> Application:
    """Use once more a block that is built already."""
    body = scope.walkthrough.blocks[module.kind]
    values = {name: module.values[name] for name in (option.name for option in body.options)}
    step = LayerStep(module.kind, None, {}, module.mark)
    flow, _ = walk_block(body, step, scope, values, inputs, module.code)
    assert module.flow is not None
    _refuse_resized(module.kind, module.flow, flow)
    return _used(module, inputs, flow)


def _used(module: Module, inputs: Mapping[str, Any], flow: Flow) -> Application:
    """A use of a block, with what it gives in the sizes of its user."""
    known = {**flow.substitution, **flow.others}
    output = resized(
        flow.output, lambda size: substitute(size, known), lambda why: outside(why, known)
    )
    told = told_outside(flow.result.all_told, known)
    return Application(module, inputs, output, flow=flow, told=told)


def _refuse_resized(kind: str, first: Flow, again: Flow) -> None:
    """Refuse a use of what is built already whose input asks for layers of other sizes.

    Raises:
        Fault: it does.
    """
    for built, other in zip(first.built, again.built):
        if built.module is not None and other.module is not None:
            _compare(kind, built.module, other.module)
        if built.value is not None:
            _require_same_sizes(kind, free_names(built.value.tree), first, again, built.name)
    for operation in first.operations:
        if operation.condition is not None:
            _require_same_sizes(kind, free_names(operation.condition.tree), first, again)
        if operation.line is not None:
            names, hint = free_names(operation.line.value.tree), _IN_LINES
            _require_same_sizes(kind, names, first, again, hint=hint)


def _require_same_sizes(
    kind: str,
    names: Iterable[str],
    first: Flow,
    again: Flow,
    what: str = "",
    hint: str = "",
) -> None:
    for name in sorted(names):
        one, its = (flow.scope.values.get(name) for flow in (first, again))
        _require_same(kind, what or name, one, its, hint)


def _compare(kind: str, module: Module, other: Module) -> None:
    for name, value in module.values.items():
        _require_same(kind, f"{name} of {module.kind}", value, other.values.get(name))
    for child, its in zip(module.children, other.children):
        _compare(kind, child, its)
    if module.flow is not None and other.flow is not None:
        _refuse_resized(kind, module.flow, other.flow)


def _require_same(kind: str, what: str, value: Any, other: Any, hint: str = "") -> None:
    if isinstance(value, tuple) and isinstance(other, tuple):
        for one, its in zip(value, other):
            _require_same(kind, what, one, its, hint)
    sizes = [value_of(v) for v in (value, other) if isinstance(v, (int, Size)) and v is not True]
    if len(sizes) == 2 and None not in sizes and sizes[0] != sizes[1]:
        raise Fault(
            f"{kind} was built with {what} {sizes[0]}, but this input asks for {sizes[1]}",
            hint or "a layer that is called again has the sizes of its first use",
        )


def _arguments(step: LayerStep, body: Body, scope: Scope) -> dict[str, Any]:
    check_given(step, scope)
    values = {}
    for option in body.options:
        if option.name in step.arguments:
            values[option.name] = evaluate(step.arguments[option.name], scope.values)
        elif option.default is not None:
            values[option.name] = evaluate(option.default, {})
    return values


def walk_block(
    body: Body,
    step: LayerStep,
    scope: Scope,
    values: Mapping[str, Any],
    inputs: Mapping[str, Any],
    codes: Mapping[str, ast.expr],
) -> tuple[Flow, dict[str, Dim]]:
    """Walk a class with the sizes of one use: the flow, and what its sizes mean to its user.

    Args:
        body: the class.
        step: its use.
        scope: the user's.
        values: its arguments.
        inputs: what goes in.
        codes: of its arguments those that the user gives, as expressions.

    Raises:
        SpecError: something in it does not fit.
    """
    walkthrough = scope.walkthrough
    if body.name in walkthrough.stack:
        raise SpecError(f"{body.name} is in itself", step.mark)
    substitution: dict[str, Dim] = {}
    others: dict[str, Given] = {}  # what its other names mean
    names: dict[str, Any] = {}
    for name, value in values.items():
        if not is_whole(value):
            code = codes.get(name)
            others[name] = Given(literal(value)) if code is None else given(code, scope.values)
        for place, size in sizes_in(name, value):
            if value_of(size) is None:
                mark = step.arguments[name].mark if name in step.arguments else step.mark
                raise SpecError(
                    f"{place} would be {size}, which is open until the model runs", mark
                )
            substitution[place] = size
        names[name] = named(name, value, defined=False)
    tensors = _named_inputs(
        body, inputs, substitution, letters_of(body, walkthrough.blocks, walkthrough.letters)
    )
    for name in input_sizes(body):
        if name in substitution:
            names[name] = named(name, substitution[name], defined=False)
    inner = Scope(body.name, names, scope.choices, walkthrough)
    for let, expression in body.let:
        value = evaluate(expression, inner.values)
        known = {**substitution, **others}
        for place, size in sizes_in(let.text, value):
            substitution[place] = substitute(size, known)
        if not is_whole(value):
            others[let.text] = given(expression.tree, inner.values).substituted(known)
        inner = inner.defined(let.text, value, expression.tree)
    walkthrough.stack.append(body.name)
    try:
        flow = walkthrough.walk(body, inner, tensors)
    finally:
        walkthrough.stack.pop()
    flow.substitution, flow.others = substitution, others
    walkthrough.flows.setdefault(body.name, []).append(flow)
    return flow, substitution


def _named_inputs(
    body: Body, inputs: Mapping[str, Any], substitution: dict[str, Dim], letters: Letters
) -> dict[str, Any]:
    """The inputs with the sizes that a use fixes under names; `substitution` tells what each stands for."""
    shapes = [value.shape or () for value in inputs.values() if isinstance(value, Tensor)]
    opened = {str(size) for shape in shapes for size in shape if value_of(size) is None}
    tensors = {}
    for number, (name, value) in enumerate(inputs.items()):
        if isinstance(value, Tensor) and value.shape is not None:
            shape = [
                (
                    _renamed(size, f"{name}.shape[{place}]", substitution)
                    if value_of(size) is None
                    else _named(
                        size,
                        _size_name(body, name, number, place, len(value.shape), opened, letters),
                        substitution,
                    )
                )
                for place, size in enumerate(value.shape)
            ]
            value = value.sized(*shape)
        elif isinstance(value, Tensor):
            value = Tensor(None, value.dtype, why=value.why)
        tensors[name] = value
    return tensors


def _size_name(
    body: Body,
    name: str,
    number: int,
    place: int,
    rank: int,
    opened: Container[str],
    letters: Letters,
) -> str:
    """What a size that a use fixes is called: by no name that an open size has there."""
    channels, features = (f"{name if number else 'in'}_{size}" for size in ("channels", "features"))
    last = place == rank - 1 and (place != 1 or channels not in mentioned(body))
    wanted = features if last else channels if place == 1 else ""
    if place and wanted in input_sizes(body):
        return wanted
    letter = letters[rank][place] if rank > 3 and rank in letters and place and not number else ""
    return letter if letter and letter not in opened else f"{name}.shape[{place}]"


def _named(size: Dim, name: str, substitution: dict[str, Dim]) -> Dim:
    substitution[name] = size
    found: Dim = named(name, size, defined=False)
    return found


def _renamed(size: Dim, name: str, substitution: dict[str, Dim]) -> Dim:
    """An open size; how its user computes it is nothing to the block, so it goes by one name."""
    if str(size).isidentifier():
        return size
    known = next((name for name, meaning in substitution.items() if meaning == size), name)
    return _named(size, known, substitution)
