"""Whether two ways to compute a number come to the same, as far as small values of what they are made of tell."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from nngen.errors import Fault
from nngen.sizes import Dim, Opaque, Symbol, rebuilt, value_of
from nngen.tensors import UNKNOWN

Values = Mapping[str, Any]
# As many assignments of values to names are tried.
_TRIED = 400


def alike(
    test: Callable[[Values], Any],
    left: Callable[[Values], int | None],
    right: Callable[[Values], int | None],
    domains: Mapping[str, Sequence[Any]],
) -> bool:
    """Whether two numbers are the same whatever the names are.

    Args:
        test: a condition, which must have held in some of the tries, and not in others.
        left, right: the numbers; None where there is none.
        domains: the values that each name may have.
    """
    seen = set()
    for names in _assignments(domains):
        holds = test(names)
        if holds is UNKNOWN:
            continue
        number = left(names)
        if number != right(names):
            return False
        if number is not None:
            seen.add(bool(holds))
    return len(seen) == 2


def _assignments(domains: Mapping[str, Sequence[Any]]) -> Iterator[Values]:
    """All combinations of values; some of them where there are many, the same in each build."""
    if math.prod(map(len, domains.values())) <= _TRIED:
        for values in itertools.product(*domains.values()):
            yield dict(zip(domains, values))
        return
    draw = random.Random(0)
    for _ in range(_TRIED):
        yield {name: draw.choice(domain) for name, domain in domains.items()}


def near(constants: set[int]) -> list[int]:
    """Small numbers, and those at which a comparison with one of these turns."""
    around = {number + step for number in constants for step in (-1, 0, 1)}
    return sorted({1, 2, 3} | {number for number in around if number >= 0})


def domain(value: Any, numbers: list[int]) -> list[Any]:
    """What an argument may be that has this value in the use at hand."""
    if isinstance(value, bool) or value is UNKNOWN:
        return [True, False]
    if value is None or isinstance(value, int):
        return [None, *numbers]
    if isinstance(value, float):
        return [0.0, 0.5, 1.0, value, 2 * value]
    if isinstance(value, (tuple, list)):
        return [[number] * len(value) for number in numbers] + [numbers[: len(value)]]
    return [value, ""]


class Assigned(Mapping[str, Any]):
    """The names of an expression with what values of others make of them, computed as they are asked for.

    Args:
        sizes: the names that stand for sizes.
        names: the values of what these are made of, and of all other names.
    """

    def __init__(self, sizes: Mapping[str, Dim], names: Values) -> None:
        self.sizes = sizes
        self.names = names

    def __getitem__(self, name: str) -> Any:
        if name not in self.sizes:
            return self.names[name]
        found = number(self.sizes[name], self.names)
        if found is None:
            raise Fault(f"{self.sizes[name]} is no number")
        return found

    def __iter__(self) -> Iterator[str]:
        return iter({**self.names, **self.sizes})

    def __len__(self) -> int:
        return len({**self.names, **self.sizes})


def number(size: Dim, names: Values) -> int | None:
    """A size for these values of its names; None where it has none."""

    def leaf(atom: Symbol | Opaque) -> Dim:
        found = names.get(atom.name) if isinstance(atom, Symbol) else atom.at(names)
        if not isinstance(found, int):
            raise Fault(f"{size} is no number")
        return int(found)

    try:
        return value_of(rebuilt(size, leaf))
    except (Fault, ArithmeticError):
        return None
