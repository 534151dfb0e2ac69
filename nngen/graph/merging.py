"""What flows where a condition decides between two values: one whose sizes say on what they depend."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

from nngen.graph.written import Given, Written, assumed, chosen
from nngen.symbolic.sizes import Dim, Opaque, Symbol, alone, is_whole, symbols_of
from nngen.symbolic.substitution import rebuilt
from nngen.symbolic.tensor import UNKNOWN, Tensor, in_this_use
from nngen.symbolic.untold import is_misfit, untold


def merged(test: Given, first: Any, second: Any, lets: Mapping[str, Given]) -> Any:
    """`first if test else second`; UNKNOWN where the two have nothing in common.

    Tensors of different numbers of dimensions give one of unknown shape.
    """
    if isinstance(first, Tensor) and isinstance(second, Tensor):
        if first == second:
            return first
        taken = second if test.value() is False else first
        if first.shape is None or second.shape is None or len(first.shape) != len(second.shape):
            why = first.why or second.why or test.text
            return Tensor(None, taken.dtype, in_this_use(taken).shape, why=why)
        return taken.sized(
            *(chosen(test, *sizes, lets) for sizes in zip(first.shape, second.shape))
        )
    if is_whole(first) and is_whole(second):
        return chosen(test, first, second, lets)
    if isinstance(first, (tuple, list)) and isinstance(second, (tuple, list)):
        if len(first) != len(second):
            return UNKNOWN
        kind = list if isinstance(first, list) else tuple
        return kind(merged(test, *pair, lets) for pair in zip(first, second))
    return first if type(first) is type(second) and first == second else UNKNOWN


def misfit(value: Any, reason: str) -> Any:
    """What stands for a value that does not come about with the numbers of this use, beside one that does."""

    def unknown(size: Dim) -> Dim:
        return size if any(each.varies for each in symbols_of(size)) else untold(None, reason, True)

    return resized(value, unknown)


def fitting(size: Dim) -> Dim:
    """A size without the sides of its conditions that do not come about in this use."""

    def leaf(atom: Symbol | Opaque) -> Dim:
        if not isinstance(atom, Written) or not isinstance(atom.given.tree, ast.IfExp):
            return alone(atom)
        whole, tree = atom.given, atom.given.tree
        first, second = (fitting(whole.part(arm).dim()) for arm in (tree.body, tree.orelse))
        if is_misfit(first) is is_misfit(second):
            return alone(atom)
        return second if is_misfit(first) else first

    return rebuilt(size, leaf) if is_misfit(size) else size


def under(test: Given, value: Any) -> Any:
    """A value where a condition is known to hold."""
    return resized(value, lambda size: assumed(size, test, True))


def resized(
    value: Any, change: Callable[[Dim], Dim], rename: Callable[[str], str] = lambda why: why
) -> Any:
    """A value with each of its sizes changed, and what decides how many there are as `rename` has it."""
    if isinstance(value, Tensor):
        if value.shape is not None:
            return value.sized(*map(change, value.shape))
        here = None if value.here is None else tuple(map(change, value.here))
        elsewhere = tuple(tuple(map(change, shape)) for shape in value.elsewhere)
        return Tensor(None, value.dtype, here, elsewhere, rename(value.why))
    if isinstance(value, (tuple, list)):
        return type(value)(resized(item, change, rename) for item in value)
    if isinstance(value, dict):
        return {key: resized(item, change, rename) for key, item in value.items()}
    return change(value) if is_whole(value) else value
