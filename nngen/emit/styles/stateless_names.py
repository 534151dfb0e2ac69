"""Layers whose function takes all their weights as one list, in stateless style: the class keeps the weights' keys."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from nngen.emit.model import ClassCode, Lines
from nngen.emit.styles.functional_names import (
    FEWEST,
    Listed,
    free_attribute,
    layers_of,
    prefix_of,
)
from nngen.emit.styles.reaching import Keys, joined
from nngen.graph.flow import Flow, Module, self_attribute
from nngen.symbolic.expressions import name

# As torch names the weights of recurrent layers.
_RECURRENT = re.compile(r"(?P<kind>\w+)_l(?P<layer>[0-9]+)(?P<way>|_reverse)")


def with_keys(code: ClassCode, flow: Flow, one_key: Mapping[str, str], keys: Keys) -> ClassCode:
    """A class with the keys of such layers' weights kept.

    Args:
        code: the class.
        flow: what it builds.
        one_key: the key under which each parameter is found, by its own.
        keys: where the class finds it.
    """
    for step, module in layers_of(flow):
        states = [state for state in module.state if not state.buffer]
        own = [module.key(state) for state in states]
        if len(own) >= FEWEST and all(one_key.get(key, key) == key for key in own):
            code = _with_keys(code, module, step, keys)
    return code


def _with_keys(code: ClassCode, module: Module, step: int, keys: Keys) -> ClassCode:
    states = [state for state in module.state if not state.buffer]
    weights = [keys.parameter(module.key(state)) for state in states]
    names = self_attribute(free_attribute(code, f"{prefix_of(module)}names"))
    weight = ast.Subscript(name(keys.given.params), name("name"), ast.Load())
    change = Listed(weights, names, weight)
    forward = tuple(map(change.statement, code.forward))
    if not change.found:
        return code
    init = tuple(replace(each, tree=change.drawn(each.tree)) for each in code.init)
    kept = _kept(module, [state.name for state in states], keys)
    line = Lines((ast.Assign([names], kept),), step, module.mark)
    return replace(code, items=(*code.items, line), forward=forward, init=init)


def _kept(module: Module, names: Sequence[str], keys: Keys) -> ast.expr:
    """The keys of a layer's weights: of a recurrent one by layers, directions and kinds."""
    before = ".".join((*module.path, ""))
    found = [_RECURRENT.fullmatch(each) for each in names]
    parts = [(each["kind"], each["layer"], each["way"]) for each in found if each]
    kinds, layers, ways = (
        (list(dict.fromkeys(part)) for part in zip(*parts)) if parts else ([],) * 3
    )
    if names != [f"{kind}_l{layer}{way}" for layer in layers for way in ways for kind in kinds]:
        return ast.List([keys.key(before + each) for each in names], ast.Load())
    loops = [_loop("kind", kinds)]
    text: list[ast.expr | str] = [name("kind"), "_l0"]
    if len(ways) > 1:
        loops.insert(0, _loop("way", ways))
        text.append(name("way"))
    if len(layers) > 1:
        loops.insert(0, _loop("layer", range(len(layers))))
        text[1:2] = ["_l", name("layer")]
    prefix = keys.given.prefix
    key = joined(*([self_attribute(prefix)] if prefix else []), before, *text)
    return ast.ListComp(key, loops)


def _loop(variable: str, values: Sequence[str] | range) -> ast.comprehension:
    over = f"range({len(values)})" if isinstance(values, range) else repr(tuple(values))
    iterated = ast.parse(over, mode="eval").body
    return ast.comprehension(ast.Name(variable, ast.Store()), iterated, [], 0)
