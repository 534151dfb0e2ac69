"""Whether two ways to compute a number come to the same, as far as small values of what they are made of tell."""

from __future__ import annotations

import itertools
import math
import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from nngen.errors import Fault
from nngen.symbolic.sizes import Atom, Dim, Symbol, Term, symbols_of, to_text
from nngen.symbolic.substitution import opaque_in, written_out

Values = Mapping[str, Any]
# As many assignments of values to names are tried.
_TRIED = 400
# Numbers beside small ones at which a formula may be wrong, some of which outgrow what is divided.
_FURTHER = (4, 5, 6, 7, 60, 61, 1_000)
_LARGEST_POWER = 64


def alike(
    test: Callable[[Values], bool | None],
    left: Callable[[Values], int | None],
    right: Callable[[Values], int | None],
    domains: Mapping[str, Sequence[Any]],
) -> bool:
    """Whether two numbers are the same whatever the names are.

    Args:
        test: a condition, which must have held in some of the tries, and not in others; None where it has no value.
        left, right: the numbers; None where there is none.
        domains: the values that each name may have.
    """
    seen = set()
    for names in _assignments(domains):
        holds = test(names)
        if holds is None:
            continue
        number = left(names)
        if number != right(names):
            return False
        if number is not None:
            seen.add(holds)
    return len(seen) == 2


def first_right(
    exact: Callable[..., int | None], parts: Sequence[Dim], candidates: Sequence[Dim]
) -> Dim | None:
    """The first of some sizes that is right whatever the names in them are; None where that is none of them.

    Args:
        exact: gives the right number for numbers in the place of `parts`; None where these do not count.
        parts: what decides it.
        candidates: the sizes; where no number can be told, the last is taken.
    """
    parts = [written_out(part) for part in parts]
    opened = [written_out(candidate) for candidate in candidates]
    domains = domains_of((*parts, *opened), further=_FURTHER, least=1)
    left, tried = list(range(len(candidates))), False
    for names in _assignments(domains):
        numbers = [number(part, names) for part in parts]
        if None in numbers:
            continue
        wanted = exact(*numbers)
        if wanted is not None:
            tried = True
            left = [place for place in left if number(opened[place], names) == wanted]
    if not tried:
        return candidates[-1]
    return candidates[left[0]] if left else None


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


def domains_of(
    sizes: Iterable[Dim], further: Iterable[int] = (), least: int = 0
) -> dict[str, list[Any]]:
    """For the names that sizes are made of, the values to try.

    Args:
        sizes: the sizes.
        further: numbers to try beside small ones.
        least: the smallest number to try.
    """
    sizes = tuple(sizes)
    digits = {int(d) for size in sizes for d in re.findall(r"\b\d{1,9}\b", to_text(size))}
    numbers = [each for each in (*near(digits), *further) if each >= least]
    found: dict[str, list[Any]] = {}
    for size in sizes:
        found |= {each.name: numbers for each in symbols_of(size)}
    for size in sizes:
        for each in opaque_in(size):
            for name, value in each.others().items():
                found.setdefault(name, domain(value, numbers))
    return found


def domain(value: Any, numbers: list[int]) -> list[Any]:
    """What an argument may be that has this value in the use at hand."""
    if isinstance(value, bool):
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
            raise Fault("no number")
        return found

    def __iter__(self) -> Iterator[str]:
        return iter({**self.names, **self.sizes})

    def __len__(self) -> int:
        return len({**self.names, **self.sizes})


def number(size: Dim, names: Values) -> int | None:
    """A size for these values of its names; None where it has none."""
    if isinstance(size, int):
        return size
    total = 0
    for monomial, factor in size.terms:
        for atom in monomial:
            found = _of_atom(atom, names)
            if found is None:
                return None
            factor *= found
        total += factor
    return total


def _of_atom(atom: Atom, names: Values) -> int | None:
    if isinstance(atom, Term):
        left, right = number(atom.left, names), number(atom.right, names)
        if left is None or right is None or (atom.operator == "**" and right > _LARGEST_POWER):
            return None
        try:
            return Term(atom.operator, left, right).value
        except ArithmeticError:
            return None
    found = names.get(atom.name) if isinstance(atom, Symbol) else atom.at(names)
    return int(found) if isinstance(found, int) else None
