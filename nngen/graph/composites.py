"""Layers of torch.nn that are made of layers: a class of the functional twin's own, or such classes in a row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from nngen.catalog.entry import Part
from nngen.catalog.fragments import fragment
from nngen.catalog.partial_evaluation import literal
from nngen.errors import SpecError
from nngen.graph.blocks import walk_block
from nngen.graph.flow import Flow, Module
from nngen.graph.scope import Scope, Walkthrough
from nngen.language.spec import LayerStep, block
from nngen.symbolic.sizes import value_of
from nngen.symbolic.tensor import UNKNOWN, Tensor


def composed(module: Module, scope: Scope, inputs: Mapping[str, Any]) -> Module:
    """A layer with what is inside it, if it is made of layers; any other as it is.

    Raises:
        SpecError: what is inside does not fit.
    """
    if module.entry.block is not None:
        return replace(module, flow=_class_flow(module, scope, inputs))
    if module.entry.parts is not None:
        return replace(module, children=tuple(_parts(module, scope, inputs)))
    return module


def check_composed(module: Module, scope: Scope, inputs: Mapping[str, Any]) -> None:
    """Refuse to apply a layer once more where that would take another class.

    Raises:
        SpecError: it has been applied with a batch dimension, and is now applied without, or the other way round.
    """
    again = composed(replace(module, children=()), scope, inputs) if _is_made(module) else module
    if classes_of(again) != classes_of(module):
        raise SpecError(
            f"{module.kind} is called with a batch dimension and without",
            module.mark,
            "give it a batch dimension in both calls: `x.unsqueeze(0)`",
        )


def _is_made(module: Module) -> bool:
    return module.is_stack or module.flow is not None


def classes_of(module: Module) -> frozenset[str]:
    """The classes that the functional twin has for a layer and what is in it."""
    if module.flow is not None:
        return frozenset((module.flow.body.name,))
    return frozenset(name for child in module.children for name in classes_of(child))


def _class_flow(module: Module, scope: Scope, inputs: Mapping[str, Any]) -> Flow:
    """What happens in the class that the functional twin has for a layer."""
    entry = module.entry
    assert entry.block is not None
    data = entry.block(module.settled(inputs))
    body = block(_class_name(scope.walkthrough, module.kind, repr(data)), module.kind, data)
    body = replace(body, mark=module.mark)
    values = {option.name: module.values[option.name] for option in body.options}
    # Masks may be given in one use and not in another: the class passes on whatever it is given.
    tensors = {name: inputs.get(name, UNKNOWN) for name in entry.inputs.required}
    given = {name: tensors.get(name, UNKNOWN) for name in entry.inputs.names}
    step = LayerStep(module.kind, None, {}, module.mark)
    flow, _ = walk_block(body, step, scope, values, given, module.code)
    flow.built.sort(key=lambda built: entry.order.index(built.name))
    return flow


def _class_name(walkthrough: Walkthrough, kind: str, content: str) -> str:
    """The name of the class for a layer: the layer's own, with a number where several differ."""
    number = 1
    while True:
        name = kind if number == 1 else f"{kind}{number}"
        if name not in walkthrough.blocks and walkthrough.composites.setdefault(
            name, (kind, content)
        ) == (
            kind,
            content,
        ):
            return name
        number += 1


def _parts(module: Module, scope: Scope, inputs: Mapping[str, Any]) -> Iterator[Module]:
    assert module.entry.parts is not None
    for part in module.entry.parts(module.values, module.given, module.code):
        yield _part(module, part, scope, inputs)


def _part(module: Module, part: Part, scope: Scope, inputs: Mapping[str, Any]) -> Module:
    path = (*module.path, *part.name.split("."))
    inner = part.inner
    one = Module(inner.kind, path, module.mark, inner.values, inner.given, inner.code)
    folder = one.folder({})
    states = one.entry.state_of(one.settled())
    one = replace(one, state=tuple(s for s in states if folder.value(fragment(s.when))))
    if part.count is None:
        return one
    # A part sees what is like its own inputs, of the sizes that matter to it.
    seen = {own: _as_input(inputs[outer]) for own, outer in part.inputs.items()}
    member = composed(one, scope, seen)
    count = value_of(module.values[part.count]) or 0
    children = tuple(replace(member, path=(*path, str(i))) for i in range(count))
    copies = module.code.get(part.count) or literal(module.values[part.count])
    return Module("ModuleList", path, module.mark, children=children, copies=copies)


def _as_input(value: Any) -> Any:
    return value if isinstance(value, Tensor) else UNKNOWN
