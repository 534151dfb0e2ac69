"""Sizes that remember how they were made: whole-number expressions over named, perhaps open, sizes.

A size without names is a plain `int`. A `Size` is a polynomial over symbols and opaque terms (a floor division that
does not come out even, a maximum), kept in normal form, so that two ways to one size compare equal: `(2 * d) // 2`
is `d`. A symbol may carry the value that it has in the use at hand; a batch size or a sequence length carries none.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Union

from nngen.errors import Fault
from nngen.symbolic.brackets import atomic, bare, factors

Dim = Union[int, "Size"]


# How many names, numbers and operations a size may be made of: one that squares itself again and again fills the memory.
LONGEST = 500
HUGE = 2**4096  # a factor; sizes themselves are bounded where they are given


class OpenSize(Fault):
    """A question whose answer depends on a size that is open."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """A named size: a constructor argument, an inferred size, or a batch size, which is not a number but any.

    Attributes:
        name: what it is called.
        value: the number that it is in this use.
        varies: it is another in each call.
        definition: what it is made of in every use.
        meaning: what it is made of in this use alone.
    """

    name: str
    value: int | None = None
    varies: bool = False
    definition: Dim | None = field(default=None, compare=False, repr=False)
    meaning: Dim | None = field(default=None, compare=False, repr=False)
    weight: ClassVar[int] = 1

    def text(self, rename: Callable[[str], str]) -> str:
        return rename(self.name)

    def symbols(self) -> frozenset[Symbol]:
        return frozenset((self,))


@dataclass(frozen=True, slots=True)
class Term:
    """An operation that polynomials cannot hold: `//`, `%`, `max` or `min` of two sizes, a number `**` a size.

    A division that is known to come out even is `/`; written, it is `//`. What broadcasting makes of two sizes that
    are 1 in this use is `1`; written, it is their `max`.
    """

    operator: str
    left: Dim
    right: Dim
    weight: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", 1 + _weight(self.left) + _weight(self.right))

    @property
    def value(self) -> int | None:
        left, right = value_of(self.left), value_of(self.right)
        return None if left is None or right is None else _apply(self.operator, left, right)

    def text(self, rename: Callable[[str], str]) -> str:
        left, right = to_text(self.left, rename), to_text(self.right, rename)
        if self.operator in ("max", "min", "1"):
            operator = "max" if self.operator == "1" else self.operator
            return f"{operator}({left}, {right})"
        operator = "//" if self.operator == "/" else self.operator
        return f"{atomic(left)} {operator} {atomic(right)}"

    def symbols(self) -> frozenset[Symbol]:
        return symbols_of(self.left) | symbols_of(self.right)


class Opaque:  # not an ABC: whether something is one is asked all the time, and of an ABC that takes far longer
    """What polynomials and terms cannot hold; `nngen.graph.written` says what there is.

    Attributes:
        value: the number that it is in this use, None where that is open.
        weight: of how many parts it is made.
    """

    value: int | None
    weight: int

    def text(self, rename: Callable[[str], str]) -> str:
        """It as Python."""
        raise NotImplementedError

    def symbols(self) -> frozenset[Symbol]:
        """The symbols in it."""
        raise NotImplementedError

    def substituted(self, substitution: Mapping[str, Any]) -> Dim:
        """It with each name replaced by what that means elsewhere."""
        raise NotImplementedError

    def parts(self) -> Iterable[Dim]:
        """The sizes that it is made of."""
        return ()

    def others(self) -> Mapping[str, Any]:
        """The names in it that are no sizes, with values of their kind."""
        return {}

    def at(self, names: Mapping[str, Any]) -> Any:
        """Its number for these values of the names; anything else where it has none."""
        return None


Atom = Symbol | Term | Opaque
Monomial = tuple[Atom, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Size:
    """A whole number that depends on names.

    Compare with `same`, never with `==` between sizes of different uses: `==` asks for the same expression.
    """

    terms: tuple[tuple[Monomial, int], ...]

    def __post_init__(self) -> None:
        if _weight(self) > LONGEST:
            raise OpenSize(f"the size is made of more than {LONGEST} parts")
        if any(abs(factor) >= HUGE for _, factor in self.terms):
            raise OpenSize("the size has a number in it that is too large")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Size) and dict(self.terms) == dict(other.terms)

    def __hash__(self) -> int:
        return hash(frozenset(self.terms))

    @property
    def value(self) -> int | None:
        total = 0
        for monomial, factor in self.terms:
            for atom in monomial:
                if atom.value is None:
                    return None
                factor *= atom.value
            total += factor
        return total

    def __add__(self, other: Dim) -> Dim:
        return _sum(self, other) if isinstance(other, (int, Size)) else NotImplemented

    __radd__ = __add__

    def __neg__(self) -> Dim:
        return self * -1

    def __sub__(self, other: Dim) -> Dim:
        return self + -other if isinstance(other, (int, Size)) else NotImplemented

    def __rsub__(self, other: Dim) -> Dim:
        return -self + other

    def __mul__(self, other: Dim) -> Dim:
        if not isinstance(other, (int, Size)):
            return NotImplemented
        products = [
            _reduced((*m1, *m2), f1 * f2) for m1, f1 in terms_of(self) for m2, f2 in terms_of(other)
        ]
        return collected(term for product in products for term in terms_of(product))

    __rmul__ = __mul__

    def __pow__(self, exponent: int) -> Dim:
        if not isinstance(exponent, int) or not 0 <= exponent <= 8:
            raise OpenSize("a size can be raised to a power from 0 to 8")
        result: Dim = 1
        for _ in range(exponent):
            result = result * self
        return result

    def __rpow__(self, base: int) -> Dim:
        return power(base, self) if isinstance(base, int) else NotImplemented

    def __floordiv__(self, other: Dim) -> Dim:
        return divided(self, other) if isinstance(other, (int, Size)) else NotImplemented

    def __rfloordiv__(self, other: Dim) -> Dim:
        return divided(other, self) if isinstance(other, int) else NotImplemented

    def __mod__(self, other: Dim) -> Dim:
        if not isinstance(other, (int, Size)):
            return NotImplemented
        return 0 if _even(self, other) else operation("%", self, other)

    def __rmod__(self, other: Dim) -> Dim:
        return operation("%", other, self) if isinstance(other, int) else NotImplemented

    def __bool__(self) -> bool:
        raise OpenSize(f"whether {self} is zero is not known")

    def __index__(self) -> int:
        raise OpenSize(f"{self} is an expression")

    def __str__(self) -> str:
        return to_text(self)


def symbol(name: str, value: int | None = None, varies: bool = False) -> Size:
    """The size called `name`, with its value in this use where it has one, or one that varies between calls."""
    return alone(Symbol(name, value, varies))


def alone(atom: Atom) -> Size:
    """The size that is this alone."""
    return Size((((atom,), 1),))


def is_whole(value: Any) -> bool:
    """Whether a value is a size."""
    return isinstance(value, (int, Size)) and not isinstance(value, bool)


def _weight(size: Dim) -> int:
    """Of how many parts a size is made."""
    if isinstance(size, int):
        return 1
    return sum(1 + sum(atom.weight for atom in atoms) for atoms, _ in size.terms)


def value_of(size: Dim) -> int | None:
    """The size as a number, or None where it is open."""
    return size if isinstance(size, int) else size.value


def product(sizes: Iterable[Dim]) -> Dim:
    result: Dim = 1
    for size in sizes:
        result = result * size
    return result


def symbols_of(size: Dim) -> frozenset[Symbol]:
    if isinstance(size, int):
        return frozenset()
    return frozenset(s for monomial, _ in size.terms for atom in monomial for s in atom.symbols())


def to_text(size: Dim, rename: Callable[[str], str] = lambda name: name) -> str:
    """The size as Python, its names passed through `rename`; `4 * dim + 1`."""
    if isinstance(size, int):
        return str(size)
    if len(size.terms) == 1 and size.terms[0][1] == len(size.terms[0][0]) == 1:
        return bare(size.terms[0][0][0].text(rename))
    text = ""
    # `8 - dim`, but `dim - k + 8`.
    first = any(monomial and factor > 0 for monomial, factor in size.terms)
    for monomial, factor in sorted(size.terms, key=lambda t: (first and not t[0], t[1] < 0)):
        names = [atom.text(rename) for atom in monomial]
        if len(names) + (abs(factor) != 1) > 1 or (factor < 0 and not text):
            names = factors([atomic(name) for name in names])
        if abs(factor) != 1 or not names:
            names.insert(0, str(abs(factor)))
        sign = ("-" if factor < 0 else "") if not text else (" - " if factor < 0 else " + ")
        text += sign + " * ".join(names)
    return text


def _order(atom: Atom) -> str:
    return atom.text(lambda name: name)


def terms_of(size: Dim) -> tuple[tuple[Monomial, int], ...]:
    return size.terms if isinstance(size, Size) else (((), size),)


def collected(terms: Iterable[tuple[Monomial, int]]) -> Dim:
    found: dict[Monomial, int] = {}
    for monomial, factor in terms:
        found[monomial] = found.get(monomial, 0) + factor
    found = {monomial: factor for monomial, factor in found.items() if factor}
    if not any(found):
        return found.get((), 0)
    rejoined = _rejoined(found)
    return Size(tuple(found.items())) if rejoined is None else rejoined


def _rejoined(found: Mapping[Monomial, int]) -> Dim | None:
    """A sum with all parts of one size, which are that size: a // 2 + (a + 1) // 2 is a."""
    parts: dict[tuple[Monomial, Dim, int, int], set[Monomial]] = {}
    for monomial, factor in found.items():
        for place, atom in enumerate(monomial):
            if isinstance(atom, Term) and atom.operator == "//" and isinstance(atom.right, int):
                size = atom.left - dict(terms_of(atom.left)).get((), 0)
                rest = monomial[:place] + monomial[place + 1 :]
                parts.setdefault((rest, size, atom.right, factor), set()).add(monomial)
    for (rest, size, count, factor), monomials in parts.items():
        if len(monomials) == count:
            others = ((m, f) for m, f in found.items() if m not in monomials)
            return collected(others) + factor * size * product(map(alone, rest))
    return None


def _sum(left: Dim, right: Dim) -> Dim:
    return collected((*terms_of(left), *terms_of(right)))


def _reduced(atoms: Monomial, factor: int) -> Dim:
    """A product in which a quotient that comes out even meets its divisor: `(a / b) * b` is `a`."""
    for place, atom in enumerate(atoms):
        if not isinstance(atom, Term) or atom.operator != "/":
            continue
        rest = atoms[:place] + atoms[place + 1 :]
        terms = terms_of(atom.right)
        left = cancelled(Size(((rest, factor),)), *terms[0]) if len(terms) == 1 else None
        if left is not None:
            return left * atom.left
    return collected([(tuple(sorted(atoms, key=_order)), factor)])


def _even(size: Dim, divisor: Dim) -> bool:
    return (
        isinstance(divisor, int)
        and divisor != 0
        and all(f % divisor == 0 for _, f in terms_of(size))
    )


def divided(size: Dim, divisor: Dim) -> Dim:
    """Floor division: what divides evenly leaves the floor, as floor((k * a + b) / k) = a + floor(b / k)."""
    if isinstance(divisor, int) and divisor > 0:
        nested = _nested(size)
        if nested is not None:
            return divided(nested[0], nested[1] * divisor)
        whole = collected((m, f // divisor) for m, f in terms_of(size) if f % divisor == 0)
        rest = collected((m, f) for m, f in terms_of(size) if f % divisor)
        if isinstance(rest, int):
            return whole + rest // divisor
        constant = dict(rest.terms).get((), 0)
        carried = constant - constant % divisor
        left = rest - carried
        # floor((k * a + b) / (k * c)) = floor((a + floor(b / k)) / c)
        common = math.gcd(divisor, *(factor for atoms, factor in terms_of(left) if atoms))
        left = collected((atoms, factor // common) for atoms, factor in terms_of(left))
        return whole + carried // divisor + operation("//", left, divisor // common)
    if isinstance(divisor, Size) and len(divisor.terms) == 1:
        parts = [
            (collected([term]), cancelled(collected([term]), *divisor.terms[0]))
            for term in terms_of(size)
        ]
        whole = sum((count for _, count in parts if count is not None), 0)
        rest = sum((part for part, count in parts if count is None), 0)
        return (
            whole if isinstance(rest, int) and rest == 0 else whole + operation("//", rest, divisor)
        )
    return operation("//", size, divisor)


def _nested(size: Dim) -> tuple[Dim, int] | None:
    """A quotient by a number, and a constant, as one quotient: a // b + c is (a + b * c) // b."""
    atoms = [(atoms, factor) for atoms, factor in terms_of(size) if atoms]
    if len(atoms) != 1 or atoms[0][1] != 1 or len(atoms[0][0]) != 1:
        return None
    (atom,) = atoms[0][0]
    if not isinstance(atom, Term) or atom.operator != "//":
        return None
    if not isinstance(atom.right, int) or atom.right <= 0:
        return None
    return atom.left + dict(terms_of(size)).get((), 0) * atom.right, atom.right


def cancelled(size: Dim, monomial: Monomial, factor: int) -> Dim | None:
    left = []
    for atoms, count in terms_of(size):
        remaining = list(atoms)
        for atom in monomial:
            if atom not in remaining:
                return None
            remaining.remove(atom)
        if count % factor:
            return None
        left.append((tuple(remaining), count // factor))
    return collected(left)


def power(base: int, exponent: Dim) -> Dim:
    """`2 ** i`: what doubles from layer to layer."""
    value = value_of(exponent)
    if base < 1:
        raise OpenSize(f"{base} cannot be raised to {exponent}, only numbers from 1")
    if value is not None and not 0 <= value < 63:
        raise OpenSize(f"a number can be raised to a power from 0 to 62, not to {value}")
    return operation("**", base, exponent)


def operation(operator: str, left: Dim, right: Dim) -> Dim:
    if operator in ("//", "%") and value_of(right) == 0:
        raise ZeroDivisionError
    if isinstance(left, int) and isinstance(right, int):
        return _apply(operator, left, right)
    return Size((((Term(operator, left, right),), 1),))


def _apply(operator: str, left: int, right: int) -> int:
    if operator == "1" and 1 in (left, right):
        return left * right
    if operator in ("max", "1"):
        return max(left, right)
    if operator == "min":
        return min(left, right)
    if operator == "**":
        return int(left**right)
    return left % right if operator == "%" else left // right
