"""Sizes in other uses: with other meanings of their names, compared, and as what operations make of two of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from nngen.errors import Fault
from nngen.symbolic.sizes import (
    Atom,
    Dim,
    Opaque,
    Size,
    Symbol,
    Term,
    alone,
    cancelled,
    divided,
    operation,
    power,
    product,
    symbols_of,
    terms_of,
    value_of,
)


def opaque_in(size: Dim) -> Iterator[Opaque]:
    """The opaque terms in a size, and those in what they are made of."""
    for monomial, _ in size.terms if isinstance(size, Size) else ():
        for atom in monomial:
            if isinstance(atom, Term):
                yield from opaque_in(atom.left)
                yield from opaque_in(atom.right)
            elif isinstance(atom, Opaque):
                yield atom
                for inner in atom.parts():
                    yield from opaque_in(inner)


def substitute(size: Dim, substitution: Mapping[str, Any]) -> Dim:
    """The size with each symbol replaced by what it means elsewhere; a symbol without a meaning stays.

    What an opaque term names beside sizes, a flag for one, may have a meaning, too.
    """

    def leaf(atom: Symbol | Opaque) -> Dim:
        if isinstance(atom, Opaque):
            return atom.substituted(substitution)
        meaning = substitution.get(atom.name, alone(atom))
        found: Dim = meaning if isinstance(meaning, (int, Size)) else meaning.dim()
        return found

    return rebuilt(size, leaf)


def written_out(size: Dim, here: bool = False) -> Dim:
    """The size with each name replaced by its definition, where it has one; or by what it means `here`."""

    def meaning(each: Symbol) -> Dim | None:
        found = each.meaning if here and each.definition is None else each.definition
        return None if found is None else written_out(found, here)

    return _replaced(size, meaning)


def is_fixed(size: Dim) -> bool:
    """Whether a size is one number, whatever the arguments of the model are."""
    written = written_out(size, here=True)
    return not symbols_of(written) and not any(each.others() for each in opaque_in(written))


def with_numbers(size: Dim) -> Dim:
    """The size as it is in this use: only what is open has a name still."""
    return _replaced(size, _number)


def _number(each: Symbol) -> Dim | None:
    if each.value is not None:
        return each.value
    return None if each.meaning is None else with_numbers(each.meaning)


def _replaced(size: Dim, meaning: Callable[[Symbol], Dim | None]) -> Dim:
    """The size with each symbol replaced by what it means; one that means nothing stays."""

    def leaf(atom: Symbol | Opaque) -> Dim:
        if isinstance(atom, Opaque):
            pairs = ((each.name, meaning(each)) for each in atom.symbols())
            found = {name: size for name, size in pairs if size is not None}
            return atom.substituted(found) if found else alone(atom)
        known = meaning(atom)
        return alone(atom) if known is None else known

    return rebuilt(size, leaf)


def rebuilt(size: Dim, leaf: Callable[[Symbol | Opaque], Dim]) -> Dim:
    """The size with each symbol and opaque term replaced.

    Raises:
        Fault: it would be divided by zero, or have too many parts.
    """
    if isinstance(size, int):
        return size
    total: Dim = 0
    try:
        for monomial, factor in size.terms:
            total = total + factor * product(_rebuilt(atom, leaf) for atom in monomial)
    except ZeroDivisionError:
        raise Fault("division by zero") from None
    return total


def _rebuilt(atom: Atom, leaf: Callable[[Symbol | Opaque], Dim]) -> Dim:
    if not isinstance(atom, Term):
        return leaf(atom)
    left, right = rebuilt(atom.left, leaf), rebuilt(atom.right, leaf)
    if atom.operator == "//":
        return left // right
    if atom.operator == "/":
        return quotient(left, right)
    if atom.operator == "%":
        return left % right
    if atom.operator == "**" and isinstance(left, int):
        return power(left, right)
    if atom.operator == "1":
        apart = value_of(left) is None and value_of(right) is None and left != right
        return operation("1", left, right) if apart else joined(left, right)
    return maximum(left, right) if atom.operator == "max" else minimum(left, right)


def same(left: Dim, right: Dim) -> bool | None:
    """Whether two sizes are equal in this use; None where that depends on an open size."""
    difference = left - right
    value = value_of(difference)
    if value is None:
        difference = with_numbers(difference)
        value = value_of(difference)
    if value is not None:
        return value == 0
    return False if _varies(difference) or _never_zero(difference) else None


def _varies(size: Dim) -> bool:
    """Whether a size is another one in each call, so that it equals no other for good."""
    varying = [each.name for each in symbols_of(size) if each.varies]
    if not varying:
        return False
    atoms = [atom for monomial, _ in terms_of(size) for atom in monomial]
    if not any(not isinstance(atom, Symbol) and atom.value is None for atom in atoms):
        return True
    # What is rounded may come out equal for some: `N // 4 * 4` and `N`, but not `N // 4` and `N`.
    return all(value not in (None, 0) for value in _tried(size, varying))


def _tried(size: Dim, names: Iterable[str]) -> Iterator[int | None]:
    """The numbers that a size is for some values of its names; None where it is not one."""
    for number in range(1, 65):
        try:
            yield value_of(substitute(size, dict.fromkeys(names, number)))
        except Fault:
            yield None


def _never_zero(size: Dim, smallest: int = 1) -> bool:
    """Whether a size cannot be 0, whatever its symbols are, which are at least `smallest`."""
    if isinstance(size, int):
        return size != 0
    terms = dict(terms_of(size))
    constant = terms.pop((), 0)
    if any(not isinstance(atom, Symbol) for atoms in terms for atom in atoms):
        return False
    if constant % math.gcd(*terms.values()):
        return True
    nearest = sum(terms.values()) * smallest + constant
    return (min(terms.values()) > 0 and nearest > 0) or (max(terms.values()) < 0 and nearest < 0)


def quotient(size: Dim, divisor: Dim) -> Dim:
    """`size / divisor`, where it is known that this comes out even."""
    left, right = _shortened(size, divisor)
    if _is_one(right):
        return left
    shorter = _shortened(written_out(size), written_out(divisor))
    return shorter[0] if _is_one(shorter[1]) else operation("/", left, right)


def divides(size: Dim, divisor: Dim) -> bool | None:
    """Whether a size divides by another in this use; None where that depends on an open size."""
    left, right = _shortened(with_numbers(size), with_numbers(divisor))
    if _is_one(right):
        return True
    return False if isinstance(left, int) and isinstance(right, int) else None


def _is_one(size: Dim) -> bool:
    return isinstance(size, int) and size == 1


def _shortened(size: Dim, divisor: Dim) -> tuple[Dim, Dim]:
    """A fraction without what both its parts have in common."""
    common = math.gcd(*(factor for part in (size, divisor) for _, factor in terms_of(part)))
    if common > 1:
        size, divisor = divided(size, common), divided(divisor, common)
    for atom in {atom for atoms, _ in terms_of(divisor) for atom in atoms}:
        shorter = cancelled(size, (atom,), 1), cancelled(divisor, (atom,), 1)
        if shorter[0] is not None and shorter[1] is not None:
            return _shortened(shorter[0], shorter[1])
    return size, divisor


def even(size: Dim) -> Dim | None:
    """A product in which each floor division is known to come out even; None for what is not a product."""
    if isinstance(size, int):
        return size
    if len(size.terms) > 1:
        return None
    ((atoms, factor),) = size.terms
    return factor * product(
        (
            quotient(atom.left, atom.right)
            if isinstance(atom, Term) and atom.operator == "//"
            else alone(atom)
        )
        for atom in atoms
    )


def uneven(size: Dim) -> Term | None:
    """A floor division in a size that leaves a rest in this use."""
    for atom in (atom for atoms, _ in terms_of(size) for atom in atoms):
        if isinstance(atom, Term):
            if atom.operator == "//" and divides(atom.left, atom.right) is False:
                return atom
            found = uneven(atom.left) or uneven(atom.right)
            if found is not None:
                return found
    return None


def maximum(left: Dim, right: Dim) -> Dim:
    if _reaches(left, right):
        return left
    return right if _reaches(right, left) else operation("max", left, right)


def minimum(left: Dim, right: Dim) -> Dim:
    if _reaches(left, right):
        return right
    return left if _reaches(right, left) else operation("min", left, right)


def _reaches(left: Dim, right: Dim) -> bool:
    """Whether a size is at least as large as another, whatever their names are."""
    return left == right or _never_negative(written_out(left) - written_out(right))


def _never_negative(size: Dim) -> bool:
    """Whether a size is at least 0, as its names are."""

    def holds(atom: Atom) -> bool:
        if isinstance(atom, Term):
            return _never_negative(atom.left) and _never_negative(atom.right)
        return isinstance(atom, Symbol) and (atom.value is None or atom.value >= 0)

    return all(factor >= 0 and all(map(holds, atoms)) for atoms, factor in terms_of(size))


def joined(left: Dim, right: Dim) -> Dim:
    """What broadcasting makes of two sizes that it takes together in this use.

    Where they are equal in it, one that can never be 1 tells what comes of them in others, too. Of 1 the other one tells,
    which may be more.
    """
    value, other = value_of(left), value_of(right)
    if written_out(left, here=True) == written_out(right, here=True):
        return left
    if value is None and other is None:
        return _larger(left, right)
    if value is None:
        assert other is not None
        return right if other > 1 else left  # of what is open, the mode may make 1
    if other is None:
        return left if value > 1 else right
    first, last = sorted((left, right), key=_openness)
    large = [each for each in (last, first) if (value_of(each) or 0) > 1]
    telling = [each for each in large if is_fixed(each) or _never_zero(each - 1, smallest=0)]
    if telling:
        return telling[0]
    # Of a block's inputs each use tells anew whether they agree.
    if large and any(each.meaning is not None for each in symbols_of(large[-1])):
        return large[-1]
    if is_fixed(first):
        return last if value_of(first) == 1 else first
    larger = [each for each in (left, right) if _never_less(each, left + right - each)]
    found: Dim = operation("1", left, right)
    return larger[0] if larger and value_of(larger[0]) == value_of(found) else found


def _never_less(one: Dim, other: Dim) -> bool:
    """Whether a size is at least as large as another that is made of the same name: `(n + 1) // 2` beside `n // 2`."""
    names = {each.name for each in symbols_of(one) | symbols_of(other)}
    return len(names) == 1 and all(
        value is not None and value >= 0 for value in _tried(one - other, names)
    )


def _larger(left: Dim, right: Dim) -> Dim:
    """Of two open sizes the one that is 1 at most where the other is: `H` beside `H // 4`."""
    tried = [*_tried(left - right, {each.name for each in symbols_of(left - right)})]
    never_less = all(value is not None and value <= 0 for value in tried)
    return right if never_less and any(tried) else left


def _openness(size: Dim) -> int:
    """How much may decide what a size is: nothing, an argument of a block, an argument of the model."""
    return 0 if isinstance(size, int) else 1 if is_fixed(size) else 2
