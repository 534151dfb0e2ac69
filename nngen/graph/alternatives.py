"""Values that have nothing in common, of which a condition decides for one: docstrings and annotations tell of each."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from nngen.graph.merging import resized
from nngen.graph.written import Given
from nngen.symbolic.evaluator import truth
from nngen.symbolic.substitution import substitute
from nngen.symbolic.tensor import UNKNOWN, Tensor

# More are no help to a reader, and conditions within conditions multiply.
MOST = 16


@dataclass(frozen=True)
class Under:
    """Conditions that decide what a value is.

    Attributes:
        holds: whether they hold, by their text.
        here: whether they may all be so in the use at hand.
    """

    holds: Mapping[str, bool]
    here: bool


EVER = Under({}, True)


class _Absent:
    """A value that does not come about with the numbers of this use: of it, other flows tell."""


ABSENT = _Absent()


@dataclass(frozen=True)
class Either:
    """`first if test else second`."""

    test: Given
    first: Any
    second: Any


def either(test: Given, first: Any, second: Any) -> Any:
    """What a condition decides; opposite conditions count as one."""
    tree = test.tree
    if isinstance(tree, ast.Constant):
        return first if tree.value else second
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Not):
        return either(replace(test, tree=tree.operand), second, first)
    if isinstance(tree, ast.Compare) and len(tree.ops) == 1:
        opposite = {ast.IsNot: ast.Is, ast.NotEq: ast.Eq}.get(type(tree.ops[0]))
        if opposite is not None:
            turned = ast.Compare(tree.left, [opposite()], tree.comparators)
            return Either(replace(test, tree=turned), second, first)
    return Either(test, first, second)


def is_apart(value: Any) -> bool:
    """Whether a value that a condition decided is unknown, in whole or in part, or of unknown shape."""
    if isinstance(value, (tuple, list)):
        return any(map(is_apart, value))
    return value is UNKNOWN or isinstance(value, Tensor) and value.shape is None


def told_outside(value: Any, substitution: Mapping[str, Any]) -> Any:
    """What a block gives in the sizes of its user, who may have decided a condition."""
    if isinstance(value, Either):
        arms = (told_outside(arm, substitution) for arm in (value.first, value.second))
        return either(value.test.substituted(substitution), *arms)
    if isinstance(value, (tuple, list)):
        return type(value)(told_outside(item, substitution) for item in value)
    if isinstance(value, dict):
        return {key: told_outside(item, substitution) for key, item in value.items()}
    return resized(value, lambda size: substitute(size, substitution))


def arms(value: Any, under: Under = EVER) -> Iterator[tuple[Any, Under]]:
    """The values that one may be, each with the conditions under which it is; what is in lists is left as it is."""
    if isinstance(value, Either):
        text, known = value.test.text, value.test.value()
        for holds in (True, False) if text not in under.holds else (under.holds[text],):
            here = under.here and (known is UNKNOWN or truth(known) is holds)
            arm = value.first if holds else value.second
            yield from arms(arm, Under({**under.holds, text: holds}, here))
    elif value is not ABSENT:
        yield value, under


def alternatives(value: Any) -> list[tuple[Any, bool]] | None:
    """All that a value may be, each with whether it may be that in this use; None where there are too many."""
    found = [(each, under.here) for each, under in islice(_whole(value, EVER), MOST + 1)]
    return found if len(found) <= MOST else None


def _whole(value: Any, under: Under) -> Iterator[tuple[Any, Under]]:
    """`arms`, with those of what is in lists, too."""
    for arm, after in arms(value, under):
        if isinstance(arm, (tuple, list)):
            yield from ((type(arm)(items), last) for items, last in _items([*arm], after))
        elif isinstance(arm, dict):
            for items, last in _items([*arm.values()], after):
                yield dict(zip(arm, items)), last
        elif isinstance(arm, Tensor) and arm.elsewhere:
            yield arm, after
            for shape in arm.elsewhere:
                yield arm.sized(*shape), Under(after.holds, False)
        else:
            yield arm, after


def _items(items: Sequence[Any], under: Under) -> Iterator[tuple[list[Any], Under]]:
    if not items:
        yield [], under
        return
    for first, after in _whole(items[0], under):
        for rest, last in _items(items[1:], after):
            yield [first, *rest], last
