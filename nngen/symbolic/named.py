"""Sizes that go by names: arguments, what `let` defines, and what is in lists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nngen.symbolic.sizes import Dim, Symbol, alone, is_whole, value_of


def named(name: str, value: Any, defined: bool | None = None) -> Any:
    """What goes by a name: a whole number as a size of that name, those in a list by their places, all else as it is.

    Args:
        name: what it is called.
        value: what it is in this use.
        defined: the name stands for an expression, and the value is what that gives in every use, or in this use alone.
    """
    if isinstance(value, (tuple, list)):
        items = (named(f"{name}[{i}]", item, defined) for i, item in enumerate(value))
        return type(value)(items)
    if not is_whole(value):
        return value
    definition, meaning = value if defined else None, value if defined is False else None
    return alone(Symbol(name, value_of(value), definition=definition, meaning=meaning))


def sizes_in(name: str, value: Any) -> Iterator[tuple[str, Dim]]:
    """The sizes of what goes by a name, with the names that `named` gives them."""
    if isinstance(value, (tuple, list)):
        for place, item in enumerate(value):
            yield from sizes_in(f"{name}[{place}]", item)
    elif is_whole(value):
        yield name, value
