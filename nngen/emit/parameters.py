"""The parameters below a class, as rules of `init` find them: by key, by kind of layer, and where they stand."""

from __future__ import annotations

import ast
import fnmatch
from collections.abc import Iterator
from dataclasses import dataclass

from nngen.catalog.entry import State
from nngen.catalog.fragments import fragment
from nngen.emit.constructor import built_flag, is_block_list
from nngen.graph.flow import Flow, Module
from nngen.graph.loops import place_in, position
from nngen.language.spec.model import Rule
from nngen.symbolic.expressions import dotted
from nngen.symbolic.sizes import Dim


@dataclass(frozen=True, eq=False)
class Leaf:
    """A parameter below a class that has rules.

    Attributes:
        key: its key in the nn twin's state_dict, `*` for a position in a list.
        kind: the class of the module that owns it; empty for a Parameter of the spec's own.
        parameter: its name there.
        owner: the class that it stands in, the model's own or a block's.
        attribute: its name in the functional twin's class.
        module: the layer.
        flags: what asks whether it is there, in the class that has rules, in its block, and so on; empty if nothing does.
        optional: torch annotates it as what may be None.
    """

    key: str
    kind: str
    parameter: str
    owner: Flow
    attribute: str
    module: Module
    shape: tuple[Dim, ...]
    flags: tuple[str, ...]
    optional: bool = False

    @property
    def owning_class(self) -> ast.expr:
        """That class, as code names it."""
        return dotted("nn", *self.kind.split(".")) if self.kind else dotted(self.owner.body.name)


def parameter_shapes(flow: Flow) -> dict[str, tuple[Dim, ...]]:
    """The shapes of all parameters below a class, by their keys in the nn twin."""
    return {leaf.key: leaf.shape for leaf in leaves_of(flow)}


def leaves_of(flow: Flow, prefix: str = "", above: tuple[str, ...] = ()) -> Iterator[Leaf]:
    """A class's own Parameters and then its layers', as modules() comes to them."""
    there = [(place, each, each.module) for place, each in enumerate(flow.built) if each.module]
    for _, built, module in there:
        if module.kind == "Parameter":
            key, flags = prefix + built.name, (*above, built_flag(built))
            shape = module.values["shape"]
            yield Leaf(key, "", built.name, flow, built.name, module, shape, flags)
    for place, built, module in there:
        if module.kind not in ("Parameter", "Buffer"):
            first = position(flow, place) if flow.body.sequential else module.path[0]
            yield from _of_module(module, flow, prefix, first, (*above, built_flag(built)))


def matches(rule: Rule, leaf: Leaf) -> bool:
    """Whether a rule of the class that leaves are counted from is about one of them."""
    return is_kind(rule, leaf) or fnmatch.fnmatchcase(leaf.key, rule.pattern)


def is_kind(rule: Rule, leaf: Leaf) -> bool:
    """Whether a rule is about the leaf's kind of layer: `Linear.weight`."""
    return rule.pattern == f"{leaf.kind}.{leaf.parameter}"


def flows_below(flow: Flow, prefix: str = "") -> Iterator[tuple[Flow, str]]:
    """The blocks in a class, each with what is in front of its keys; of copies in a list one."""
    for place, built in enumerate(flow.built):
        if built.module is not None:
            first = position(flow, place) if flow.body.sequential else built.module.path[0]
            yield from _flows_in(built.module, prefix, first)


def _flows_in(module: Module, prefix: str, first: str) -> Iterator[tuple[Flow, str]]:
    path = prefix + ".".join((first, *module.path[1:]))
    if module.flow is not None:
        yield module.flow, f"{path}."
    elif is_block_list(module):
        for place, inner in _in_list(module):
            yield inner, f"{path}.{place}."
    else:
        for child in module.children:
            yield from _flows_in(child, prefix, first)


def modules_below(flow: Flow) -> Iterator[Module]:
    """The layers below a class, those without parameters among them."""
    pending = [built.module for built in flow.built if built.module is not None]
    while pending:
        module = pending.pop()
        yield module
        pending += module.children
        if module.flow is not None:
            pending += [each.module for each in module.flow.built if each.module is not None]


def _of_module(
    module: Module, flow: Flow, prefix: str, first: str, flags: tuple[str, ...]
) -> Iterator[Leaf]:
    path = ".".join((first, *module.path[1:]))
    if module.flow is not None:
        yield from leaves_of(module.flow, f"{prefix}{path}.", flags)
    elif is_block_list(module):
        for place, inner in _in_list(module):
            yield from leaves_of(inner, f"{prefix}{path}.{place}.", flags)
    else:
        for child in module.children:
            yield from _of_module(child, flow, prefix, first, flags)
        for state in module.state:
            if not state.buffer:
                folder = module.folder({})
                shape = folder.value(shape_of(state.value))
                _, _, parameter = state.name.rpartition(".")
                yield Leaf(
                    f"{prefix}{path}.{state.name}",
                    owner_kind(module, state),
                    parameter,
                    flow,
                    module.attribute(state),
                    module,
                    shape if isinstance(shape, tuple) else (),
                    flags,
                    state.optional,
                )


def _in_list(module: Module) -> Iterator[tuple[str, Flow]]:
    """The blocks in a list with their places; of copies one."""
    found: dict[tuple[str, str], Flow] = {}
    for child in module.children:
        assert child.flow is not None
        found.setdefault((place_in(module, child), child.flow.body.name), child.flow)
    return ((place, flow) for (place, _), flow in found.items())


def owner_kind(module: Module, state: State) -> str:
    """The class of the part of a layer that has this parameter, as isinstance finds it."""
    part, _, _ = state.name.rpartition(".")
    if part.startswith("parametrizations."):
        return "utils.parametrize.ParametrizationList"
    return "Linear" if part else module.kind  # the parts of such layers are linear


def shape_of(text: str) -> ast.expr:
    """The sizes that a state's value is made with, as a tuple."""
    call = fragment(text)
    assert isinstance(call, ast.Call)
    return ast.Tuple(list(call.args), ast.Load())


def path_of(key: str, start: ast.expr | None = None) -> ast.expr:
    """`layers.0.weight` as attributes, of self or of what is given: `self.layers[0].weight`."""
    tree = start or dotted("self")
    for part in key.split(".") if key else ():
        if part.isdigit():
            tree = ast.Subscript(tree, ast.Constant(int(part)), ast.Load())
        else:
            tree = ast.Attribute(tree, part, ast.Load())
    return tree


def parameter_at(key: str) -> ast.expr:
    """A parameter of the nn twin; one below a container is got by its key, for only that has a type."""
    if not _is_plain(key):
        return ast.Call(dotted("self", "get_parameter"), [ast.Constant(key)], [])
    return path_of(key)


def _is_plain(key: str) -> bool:
    """Whether it is a parameter of the class itself, or of an attribute of it."""
    return key.count(".") < 2 and key.partition(".")[0].isidentifier()


def where_there(optional: bool, key: str, call: ast.stmt) -> ast.stmt:
    """A call on a parameter under the question whether there is one, where torch annotates it so."""
    if optional and _is_plain(key) and "." in key:
        return ast.If(is_not_none(path_of(key)), [call], [])
    return call


def is_not_none(tree: ast.expr) -> ast.expr:
    """The question whether something is there."""
    return ast.Compare(tree, [ast.IsNot()], [ast.Constant(None)])
