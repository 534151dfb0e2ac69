"""What a layer or a function gives where an argument that is not a size decides its shape: a flag, a fraction, a word."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from nngen.catalog.partial_evaluation import source
from nngen.errors import Fault
from nngen.graph.merging import merged, resized
from nngen.graph.scope import Scope
from nngen.graph.sized import given
from nngen.symbolic.sizes import Dim, is_whole, value_of
from nngen.symbolic.tensor import UNKNOWN, Tensor, in_this_use
from nngen.symbolic.untold import untold

# So many flags of one call are told in expressions: with each, the result is computed twice.
_MOST_FLAGS = 4

Compute = Callable[[Mapping[str, Any]], Any]
Deciding = tuple[
    str, ast.expr, tuple[Any, ...]
]  # a value's name, its code, and what else it may be


def decided(
    values: Mapping[str, Any],
    trees: Mapping[str, ast.expr],
    compute: Compute,
    scope: Scope,
    words: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
) -> Any:
    """What comes of values; no number in it is right for one value of an argument of the class alone.

    A size that a flag decides is `a if flag else b`. How a fraction or a word decides one, no expression tells.

    Args:
        values: what goes in, by name.
        trees: what of it names arguments of the class, as the spec writes it.
        compute: gives the result.
        scope: the names of the class.
        words: the words that values may be, by name.

    Raises:
        Fault: nothing comes of them.
    """
    texts = [name for name in trees if isinstance(values[name], str) and not words.get(name)]
    if texts:  # an equation for one: nobody can say what else it may be
        others = {name: tree for name, tree in trees.items() if name not in texts}
        found = decided(values, others, compute, scope, words)
        why = " and ".join(source(trees[name]) for name in texts)
        return resized(found, lambda size: _of_this_use(size, None, why))
    tried = {name: _other_values(values[name], words.get(name, ())) for name in trees}
    deciding = [(name, trees[name], others) for name, others in tried.items() if others]
    if len(deciding) <= _MOST_FLAGS:
        return _decided(values, deciding, compute, scope)
    here = compute(values)
    # What changes something by itself comes first; the sizes that the rest changes are not told.
    deciding.sort(
        key=lambda each: all(
            _gives(compute, values, each, other) in (None, here) for other in each[2]
        )
    )
    told, rest = deciding[:_MOST_FLAGS], deciding[_MOST_FLAGS:]
    return _decided(values, told, lambda inner: _marked(inner, rest, compute), scope)


def _gives(compute: Compute, values: Mapping[str, Any], deciding: Deciding, other: Any) -> Any:
    """What comes of another value; None where nothing does."""
    try:
        return compute({**values, deciding[0]: other})
    except Fault:
        return None


def _marked(values: Mapping[str, Any], rest: Sequence[Deciding], compute: Compute) -> Any:
    """What comes of values, with the sizes marked that are others with other values of the rest."""
    here = compute(values)
    every = {name: others[0] for name, _, others in rest}
    for name, tree, others in rest:
        for other in others:
            for further in ({}, every):
                found = _gives(compute, {**values, **further}, (name, tree, others), other)
                if found is not None and found != here:
                    here = _untold(here, found, source(tree))
    return here


def _decided(
    values: Mapping[str, Any],
    deciding: Sequence[Deciding],
    compute: Compute,
    scope: Scope,
) -> Any:
    if not deciding:
        return compute(values)
    (name, tree, tried), *rest = deciding

    def result(value: Any) -> Any:
        return _decided({**values, name: value}, rest, compute, scope)

    here = result(values[name])
    for value in tried:
        try:
            other = result(value)
        except Fault:
            continue
        if other == here:
            continue
        if isinstance(value, bool):
            first, second = (other, here) if value else (here, other)
            found = merged(given(tree, scope.values), first, second, scope.lets)
            return here if found is UNKNOWN else found
        here = _untold(here, other, source(tree))
    return here


def _other_values(value: Any, words: tuple[str, ...] = ()) -> tuple[Any, ...]:
    if isinstance(value, str):
        return tuple(word for word in words if word != value)
    if isinstance(value, bool):
        return (not value,)
    if isinstance(value, float):
        return (2 * value, value / 2)
    if type(value) in (tuple, list):
        others = [_other_values(item) for item in value]
        if any(others):
            pairs = [(each or (item,)) * 2 for each, item in zip(others, value)]
            return tuple(type(value)(items) for items in zip(*pairs))
    return ()


def _untold(here: Any, other: Any, why: str) -> Any:
    """A value of which the sizes that differ from another's are known in this use alone."""
    if isinstance(here, Tensor) and isinstance(other, Tensor):
        if here.shape is None or other.shape is None or len(here.shape) != len(other.shape):
            return Tensor(None, here.dtype, in_this_use(here).shape, why=here.why or why)
        pairs = zip(here.shape, other.shape)
        return here.sized(*(_of_this_use(*pair, why) for pair in pairs))
    both = isinstance(here, (tuple, list)) and isinstance(other, (tuple, list))
    if both and len(here) == len(other):
        return type(here)(_untold(*pair, why) for pair in zip(here, other))
    return _of_this_use(here, other, why) if is_whole(here) and is_whole(other) else here


def _of_this_use(size: Dim, other: Dim | None, why: str) -> Dim:
    value = value_of(size)
    return size if size == other or value is None else untold(value, f"it depends on {why!r}")
