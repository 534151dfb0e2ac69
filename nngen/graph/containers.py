"""Building and applying whole steps: layers, Sequentials, and repeated layers."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from nngen.catalog import LAYERS
from nngen.catalog.argument_types import kind
from nngen.catalog.partial_evaluation import free_names, source
from nngen.catalog.signature import Argument, Signature, signature
from nngen.errors import BROKEN, Fault, Follows, SpecError
from nngen.graph.blocks import apply_block, build_block
from nngen.graph.composites import check_composed, composed
from nngen.graph.counts import FEWEST, after, before
from nngen.graph.flow import Application, Module
from nngen.graph.modules import apply_layer, build_layer, evaluate
from nngen.graph.scope import Scope
from nngen.graph.sized import given
from nngen.language.naming import check_child_name, check_label
from nngen.language.spec import Label, LayerStep
from nngen.language.spec.completed import as_item
from nngen.symbolic.sizes import Size, symbol, value_of

MAX_REPEAT = 10_000
CONTAINERS = ("Sequential", "ModuleList", "ModuleDict")
_ONE_INPUT = signature("input: Tensor")


def inputs_of(kind_name: str, scope: Scope) -> Signature:
    """The signature of a module's forward."""
    if kind_name in CONTAINERS:
        return _ONE_INPUT
    if kind_name in scope.walkthrough.blocks:
        names = scope.walkthrough.blocks[kind_name].inputs
        return Signature(tuple(Argument(name.text, kind("any")) for name in names))
    return LAYERS[kind_name].inputs


Copy = tuple[str | None, Scope, ast.expr | None]


def copies(step: LayerStep, scope: Scope) -> Iterator[Copy]:
    """For each copy of a step its name where it has one, its scope, and where that is open, how many there are."""
    if step.repeat is None:
        yield _name(step.label, scope), scope, None
        return
    count = evaluate(step.repeat, scope.values)
    number = (
        None if isinstance(count, bool) or not isinstance(count, (int, Size)) else value_of(count)
    )
    if number is None or not 1 <= number <= MAX_REPEAT:
        shown = repr(count) if number is None else number
        raise SpecError(
            f"repeat takes a whole number from 1 to {MAX_REPEAT}, not {shown}", step.repeat.mark
        )
    loop = _open_count(step, scope)
    for i in range(number):
        inner = scope.inner("i", symbol("i", i) if loop else i)
        yield _name(step.label, inner), inner, loop


def _open_count(step: LayerStep, scope: Scope) -> ast.expr | None:
    """How many copies there are, where that has names in it."""
    assert step.repeat is not None
    if not free_names(step.repeat.tree) & scope.names:
        return None
    if step.label is not None and step.label.fixed is None:
        raise SpecError(
            "a repeat whose count is open makes a list, so its copies have no names of their own",
            step.mark,
            "leave `${…}` out of the name",
        )
    return scope.printable(step.repeat.tree)


def _name(label: Label | None, scope: Scope) -> str | None:
    if label is None:
        return None
    if label.text is not None:
        return label.text
    for part in label.parts:
        others = frozenset() if isinstance(part, str) else free_names(part.tree) - scope.unrolled
        for other in sorted(others & scope.names):
            raise SpecError(
                f"a name is the same in every model of the class, so {other!r} cannot be in it",
                label.mark,
                "`${i}` counts the copies of a `repeat`",
            )
    parts = (p if isinstance(p, str) else str(evaluate(p, scope.values)) for p in label.parts)
    name = "".join(parts)
    check_label(name, label.mark)
    return name


def build(
    step: LayerStep,
    path: tuple[str, ...],
    scope: Scope,
    inputs: Mapping[str, Any],
    loop: ast.expr | None = None,
) -> Application:
    """Build a layer, block or Sequential, and apply it to the inputs that decide its sizes.

    Raises:
        SpecError: it cannot be built, or does not fit its inputs.
    """
    scope.walkthrough.count(step.mark)
    _refuse_unknown(inputs)
    if step.kind in scope.walkthrough.blocks:
        return build_block(step, path, scope, inputs, loop)
    if loop is not None:
        body = f"`{{Layer: {{layers: [{as_item(step)}]}}}}` under `blocks`"
        if step.kind == "Sequential":
            body = "`Sequential:` for `layers:`"
        raise SpecError(
            f"how many copies of {step.kind} there are is open, so they must be blocks",
            step.mark if step.repeat is None else step.repeat.mark,
            f"make a block of it, with {body}; or give the count as a number",
        )
    if step.kind == "Sequential":
        return _build_sequential(step, path, scope, inputs)
    module = composed(build_layer(step, path, scope, inputs), scope, inputs)
    try:
        return apply_layer(module, inputs, scope)
    except Fault as fault:
        raise SpecError(fault.message, step.mark, fault.hint) from None


def build_uncalled(step: LayerStep, path: tuple[str, ...], scope: Scope) -> Module:
    """Build a layer of torch.nn whose sizes are all given, for nothing flows into it.

    Raises:
        SpecError: one is missing, or it is more than a layer.
    """
    entry = LAYERS.get(step.kind)
    if entry is None or entry.block is not None or entry.parts is not None:
        raise SpecError(
            f"what a {step.kind} is made of is decided by what flows into it, so that it must be called",
            step.mark,
            "`call: none` is for layers whose sizes are all given",
        )
    missing = [name for name in entry.infer if name not in step.arguments]
    if missing:
        raise SpecError(
            f"nothing flows into this {step.kind}, so that {missing[0]} is not known",
            step.mark,
            f"give {missing[0]}",
        )
    return build_layer(step, path, scope, {})


def _refuse_unknown(inputs: Mapping[str, Any]) -> None:
    if any(value is BROKEN for value in inputs.values()):
        raise Follows


def build_list(
    step: LayerStep, path: tuple[str, ...], scope: Scope, inputs: Mapping[str, Any]
) -> Application:
    """Build the copies of a repeated layer as a ModuleList through which the value runs.

    Raises:
        SpecError: they cannot be built, or do not fit.
    """
    applications: list[Application] = []
    values = tuple(inputs.values())
    made = list(copies(step, scope))
    if made[0][2]:
        applications, values = _build_loop(step, (*path, "*"), scope, values, made)
    else:
        for place, (_, inner, _) in enumerate(made):
            applications.append(_build_child(step, (*path, str(place)), inner, values, None))
            values = _run_on(applications[-1], values)
    return _contained("ModuleList", path, step, inputs, applications, values)


def _build_loop(
    step: LayerStep,
    path: tuple[str, ...],
    scope: Scope,
    values: tuple[Any, ...],
    made: Sequence[Copy],
) -> tuple[list[Application], tuple[Any, ...]]:
    """Build the copies of a repeat whose count is open, and what flows after them.

    Where sizes grow from copy to copy, each copy is followed once more with these as expressions of its place.
    """
    assert step.repeat is not None
    loop, number = made[0][2], len(made)
    assert loop is not None
    scopes = [inner for _, inner, _ in made]
    scopes += [scope.inner("i", symbol("i", place)) for place in range(number, FEWEST)]

    def run(start: Callable[[int], tuple[Any, ...]]) -> list[Application]:
        applications: list[Application] = []
        for place, inner in enumerate(scopes):
            further = place >= number
            try:
                with scope.walkthrough.errors.trying(further):
                    applications.append(_build_child(step, path, inner, start(place), loop))
                    passed.append(_run_on(applications[-1], passed[-1]))
            except (SpecError, Follows):
                if not further:
                    raise
                break  # there cannot be as many copies as that
        return applications[:number]

    passed = [values]
    applications = run(lambda place: passed[place])
    _refuse_misfit(applications[-1])
    flowed, starts = passed, [before(passed, place) for place in range(len(passed))]
    if starts[:number] != flowed[:number]:
        passed = [values]
        applications = run(lambda place: starts[place])
    return applications, _after(flowed, number, loop, scope)


def _refuse_misfit(copy: Application) -> None:
    """Refuse copies of which there may be as many as one likes, where none can take what another gives.

    Raises:
        SpecError: they give more values than they take.
    """
    given = len(copy.output) if isinstance(copy.output, tuple) else 1
    if given > len(copy.inputs):
        raise _gives_more(copy.module, given, len(copy.inputs))


def _gives_more(module: Module, given: int, taken: int) -> SpecError:
    message = f"{module.kind} gives {given} values, but takes only {taken}"
    return SpecError(message, module.mark, "a repeated block gives what the next copy takes")


def _after(
    passed: list[tuple[Any, ...]], number: int, loop: ast.expr, scope: Scope
) -> tuple[Any, ...]:
    """What flows after the copies of a loop."""
    count = given(loop, scope.values).dim()
    why = f"it depends on how many copies there are, {source(loop)!r}"
    return tuple(after(passed, number, count, why))


def _build_sequential(
    step: LayerStep, path: tuple[str, ...], scope: Scope, inputs: Mapping[str, Any]
) -> Application:
    applications: list[Application] = []
    names: set[str] = set()
    value = next(iter(inputs.values()))
    for child in step.children:
        made = list(copies(child, scope))
        if made[0][2]:
            built, (value,) = _build_loop(child, (*path, "*"), scope, (value,), made)
            applications += built
            continue
        for named, inner, _ in made:
            name = named or str(len(applications))
            if name in names:
                hint = f"name the copies apart: `as {name}${{i}}`" if child.repeat else ""
                raise SpecError(
                    f"the Sequential has two children called {name!r}",
                    child.mark,
                    hint or "choose another name",
                )
            check_child_name(name, child.mark)
            names.add(name)
            applications.append(_build_child(child, (*path, name), inner, (value,), None))
            value = applications[-1].output
    modules = [application.module for application in applications]
    looped = next((module for module in modules if module.loop is not None), None)
    if looped is not None and any(module.flow is None for module in modules):
        raise SpecError(
            f"how many copies of {looped.kind} there are is open, so what stands beside them must be blocks, too",
            looped.mark,
            "give them a step of their own, or make blocks of the others",
        )
    return _contained("Sequential", path, step, inputs, applications, (value,))


def _build_child(
    step: LayerStep,
    path: tuple[str, ...],
    scope: Scope,
    values: tuple[Any, ...],
    loop: ast.expr | None,
) -> Application:
    signature = inputs_of(step.kind, scope)
    if len(signature.required) > len(values):
        raise SpecError(
            f"{step.kind} takes {len(signature.required)} inputs, but only one value runs here",
            step.mark,
            "give it a step of its own, with `from`",
        )
    if isinstance(values[0], tuple):
        raise SpecError(
            f"{step.kind} is given {len(values[0])} values at once",
            step.mark,
            "the layer above gives more than one",
        )
    application = build(step, path, scope, signature.bind(step.kind, values, {}), loop)
    if len(values) > 1 and application.module.flow is None:
        raise SpecError(
            f"{step.kind} takes {len(values)} inputs, so it cannot be repeated as it is",
            step.mark,
            "make a block of it, and repeat that",
        )
    return application


def _run_on(application: Application, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """What the next copy of a repeated layer takes: what this one gives, in the place of the first inputs."""
    output = application.output
    given = output if isinstance(output, tuple) and len(values) > 1 else (output,)
    if len(given) > len(values):
        raise _gives_more(application.module, len(given), len(values))
    return (*given, *values[len(given) :])


def _contained(
    kind_name: str,
    path: tuple[str, ...],
    step: LayerStep,
    inputs: Mapping[str, Any],
    applications: list[Application],
    values: tuple[Any, ...],
) -> Application:
    children = tuple(application.module for application in applications)
    module = Module(kind_name, path, step.mark, children=children)
    output = _given(applications, values)
    return Application(module, inputs, output, tuple(applications))


def _given(applications: Sequence[Application], values: tuple[Any, ...]) -> Any:
    """What a container gives, of all that flows after its last member; an empty one passes its input on."""
    last = applications[-1].output if applications else None
    return values[: len(last)] if isinstance(last, tuple) and len(values) > 1 else values[0]


def apply(module: Module, inputs: Mapping[str, Any], scope: Scope) -> Application:
    """Apply a module that is built already.

    Raises:
        Fault: the inputs do not fit.
    """
    _refuse_unknown(inputs)
    if module.flow is not None and not module.flow.body.layer:
        return apply_block(module, inputs, scope)
    check_composed(module, scope, inputs)
    if module.kind not in CONTAINERS:
        return apply_layer(module, inputs, scope)
    values = tuple(inputs.values())
    applications: list[Application] = []
    for _, members in groupby(module.children, lambda child: child.loop and source(child.loop)):
        passed = [values]
        for child in members:
            bound = inputs_of(child.kind, scope).bind(child.kind, passed[-1], {})
            applications.append(apply(child, bound, scope))
            passed.append(_run_on(applications[-1], passed[-1]))
        loop = applications[-1].module.loop
        values = passed[-1] if loop is None else _after(passed, len(passed) - 1, loop, scope)
    output = _given(applications, values)
    return Application(module, inputs, output, tuple(applications))
