"""All uses of a block as one flow: its class must do for each of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from functools import partial
from itertools import combinations
from typing import Any

from nngen.catalog.fragments import fragment
from nngen.catalog.partial_evaluation import source
from nngen.errors import Fault, SpecError
from nngen.graph.composites import classes_of
from nngen.graph.containers import CONTAINERS
from nngen.graph.flow import Application, Flow, Module, Operation
from nngen.graph.functional_form import form, form_error
from nngen.symbolic.expressions import name
from nngen.symbolic.tensor import Tensor


def complete(flows: Sequence[Flow]) -> None:
    """Give each use of a block the layers that it skips, as another use has them: its class builds them."""
    for place, built in enumerate(flows[0].built):
        there = next((flow.built[place] for flow in flows if flow.built[place].module), built)
        for flow in flows:
            if flow.built[place].module is None:
                flow.built[place] = there


def unite(flows: Sequence[Flow]) -> Flow:
    """One flow for all uses of a block, which are complete: steps that some skip are taken from those that do not.

    Raises:
        SpecError: one class cannot do for all of them.
    """
    first = flows[0]
    block = first.body.name
    for place, built in enumerate(first.built):
        modules = [module for flow in flows if (module := flow.built[place].module) is not None]
        if not modules:
            raise SpecError(
                f"{built.name!r} does not fit what it is given in any use",
                first.body.layers[built.step].mark,
                "its condition holds in none of them either: take it out, mend its sizes, or give values under `check` "
                "with which it holds",
            )
        _require_one_class(block, modules)
        for layers in zip(*(module.layers() for module in modules)):
            _require_one_code(block, layers, partial(_state_of, layers))
    operations = [_one_step(block, each) for each in zip(*(flow.operations for flow in flows))]
    return replace(first, operations=operations, uses=tuple(flow.scope for flow in flows))


def _one_step(block: str, operations: Sequence[Operation]) -> Operation:
    uses = [each.application for each in operations if each.application is not None]
    calls = {call: None for operation in operations for call in operation.calls}
    return replace(
        operations[0],
        application=_one_use(block, uses) if uses else None,
        calls={
            call: _one_use(block, [each.calls[call] for each in operations if call in each.calls])
            for call in calls
        },
    )


def _one_use(block: str, uses: Sequence[Application]) -> Application:
    """One use of a layer for all of them.

    Raises:
        SpecError: they take different code.
    """
    first = uses[0]
    if len(uses) == 1:
        return first
    if first.children:
        members = zip(*(use.children for use in uses))
        return replace(first, children=tuple(_one_use(block, each) for each in members))
    module = first.module
    if module.flow is not None or module.kind in CONTAINERS:
        return first
    if len({_code(use) for use in uses}) > 1:
        raise SpecError(
            f"the uses of {block} ask for different code for {module.kind}: "
            "what goes in differs in the number of dimensions, or is packed in one of them",
            module.mark,
            "make two blocks, one for each; or give all the same number: `x.unsqueeze(0)`",
        )
    _require_one_code(block, [use.module for use in uses], partial(_form_of, uses))
    return replace(first, others=tuple(use.inputs for use in uses[1:]))


def _form_of(uses: Sequence[Application], place: int) -> str:
    """A layer's functional form in one use, with names for what goes in."""
    use = uses[place]
    operands = {key: name(key) for key, value in use.inputs.items() if isinstance(value, Tensor)}
    try:
        return "\n".join(map(source, form(use, operands, "out")))
    except SpecError as error:
        return error.message


def _state_of(modules: Sequence[Module], place: int) -> str:
    """What the functional twin makes of a layer's parameters and buffers in one use."""
    module = modules[place]
    folder = module.folder({})
    return "\n".join(source(folder.expression(fragment(each.value))) for each in module.state)


def _require_one_code(block: str, modules: Sequence[Module], code: Callable[[int], str]) -> None:
    """Refuse an argument that is a number in one use and a list in another, for one, where the code depends on that.

    Raises:
        SpecError: it does.
    """
    first = modules[0]
    for place, module in enumerate(modules):
        for argument in module.code:
            kinds = [_kind(each.values.get(argument)) for each in (first, module)]
            if kinds[0] != kinds[1] and code(0) != code(place):
                raise SpecError(
                    f"{argument} of {module.kind} is {kinds[0]} in one use of {block}, and {kinds[1]} in another, "
                    "but its class has one code for both",
                    module.mark,
                    "give the same kind of value in all uses, or make two blocks",
                )


def _kind(value: Any) -> str:
    """What kind of value an argument is, in words."""
    if isinstance(value, (tuple, list)):
        return f"a list of {len(value)}"
    words = {bool: "true or false", str: "a word", float: "a fraction", type(None): "null"}
    return words.get(type(value), "a number")


def _code(use: Application) -> str:
    """The form of a layer but for what of its inputs is one tensor."""
    inputs = {name: copy(value) for name, value in use.inputs.items()}
    apart = set(map(frozenset, combinations(inputs, 2)))
    try:
        return use.module.entry.form_of(use.module.settled({**inputs, "apart": apart}))
    except Fault as fault:
        raise form_error(use.module, fault) from None


def _require_one_class(block: str, modules: list[Module]) -> None:
    """Refuse uses of a block that would want the functional twin to have two classes for one layer in it."""
    for module in modules:
        if classes_of(module) != classes_of(modules[0]):
            raise SpecError(
                f"the uses of {block} ask for two classes of {module.kind}: they differ in an argument "
                "that decides its code, or in the number of dimensions",
                module.mark,
                "make two blocks, one for each",
            )
