"""The parameters of layers made of layers, from the entries of what is inside."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nngen.catalog.entry import Layer, Part, State, parameter
from nngen.catalog.fragments import HELPERS, fragment
from nngen.catalog.layers import attention, linear, norm
from nngen.catalog.signature import REQUIRED
from nngen.symbolic.evaluator import SIZE_FUNCTIONS, Evaluator
from nngen.symbolic.sizes import value_of
from nngen.symbolic.tensor import Tensor

Values = Mapping[str, Any]
Block = Callable[[Values], Mapping[str, Any]]

ENTRIES = {layer.name: layer for layer in (*attention.LAYERS, *linear.LAYERS, *norm.LAYERS)}


def block_state(
    block: Block, order: tuple[str, ...], inputs: tuple[str, ...], values: Values
) -> tuple[State, ...]:
    """The parameters of a layer that is a block, by torch's names and in torch's order."""
    steps = block({**values, **{name: Tensor((1, 1)) for name in inputs}})["layers"]
    heads = [next(iter(step.items())) for step in steps if isinstance(step, dict)]
    parts = {head.split()[-1]: (ENTRIES[head.split()[0]], given) for head, given in heads}
    found: list[State] = []
    for name in order:
        entry, given = parts[name]
        arguments = {
            key: _evaluated(value, values) if isinstance(value, str) else value
            for key, value in given.items()
        }
        found += _state_of(entry, name, {**defaults(entry), **arguments})
    return tuple(found)


def parts_state(
    parts: Iterator[Part], layers: Mapping[str, Layer], values: Values
) -> tuple[State, ...]:
    """The parameters of a stack of such layers."""
    found: list[State] = []
    for part in parts:
        inner = part.inner
        if part.count is None:
            found += _state_of(ENTRIES[inner.kind], part.name, inner.values)
            continue
        for number in range(value_of(values[part.count]) or 0):
            found += (
                parameter(f"{part.name}.{number}.{state.name}", state.value)
                for state in layers[inner.kind].all_state_of(inner.values)
            )
    return tuple(found)


def defaults(entry: Layer) -> dict[str, Any]:
    """The arguments of a layer that have a default."""
    return {a.name: a.default for a in entry.signature if a.default is not REQUIRED}


def _evaluated(text: str, values: Values) -> Any:
    return Evaluator({**SIZE_FUNCTIONS, **HELPERS, **values})(fragment(text))


def _state_of(entry: Layer, prefix: str, values: Values) -> Iterator[State]:
    """The parameters of one layer inside, its arguments put in."""
    scope = dict(values)
    for name, text in entry.let.items():
        scope[name] = _evaluated(text, scope)
    for state in entry.state_of(values):
        if _evaluated(state.when, scope):
            tree = _PutIn(scope).visit(ast.parse(state.value.strip(), mode="eval"))
            yield parameter(f"{prefix}.{state.name}", ast.unparse(tree))


class _PutIn(ast.NodeTransformer):
    def __init__(self, values: Values) -> None:
        self.values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id not in self.values:
            return node
        return ast.parse(repr(self.values[node.id]), mode="eval").body
