"""Sizes that remember how they were made: whole-number expressions over named, perhaps open, sizes.

A size without names is a plain `int`. A `Size` is a polynomial over symbols and opaque terms (a floor division that
does not come out even, a maximum), kept in normal form, so that two ways to one size compare equal: `(2 * d) // 2`
is `d`. A symbol may carry the value that it has in the use at hand; a batch size or a sequence length carries none.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Union

from nngen.errors import Fault

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
        return f"{_atomic(left)} {operator} {_atomic(right)}"

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

    def substituted(self, meanings: Mapping[str, Any]) -> Dim:
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
            _reduced((*m1, *m2), f1 * f2) for m1, f1 in _terms(self) for m2, f2 in _terms(other)
        ]
        return _collect(term for product in products for term in _terms(product))

    __rmul__ = __mul__

    def __pow__(self, exponent: int) -> Dim:
        if not isinstance(exponent, int) or not 0 <= exponent <= 8:
            raise OpenSize("a size can be raised to a power from 0 to 8")
        result: Dim = 1
        for _ in range(exponent):
            result = result * self
        return result

    def __rpow__(self, base: int) -> Dim:
        return _power(base, self) if isinstance(base, int) else NotImplemented

    def __floordiv__(self, other: Dim) -> Dim:
        return _divide(self, other) if isinstance(other, (int, Size)) else NotImplemented

    def __rfloordiv__(self, other: Dim) -> Dim:
        return _divide(other, self) if isinstance(other, int) else NotImplemented

    def __mod__(self, other: Dim) -> Dim:
        if not isinstance(other, (int, Size)):
            return NotImplemented
        return 0 if _even(self, other) else _term("%", self, other)

    def __rmod__(self, other: Dim) -> Dim:
        return _term("%", other, self) if isinstance(other, int) else NotImplemented

    def __bool__(self) -> bool:
        raise OpenSize(f"whether {self} is zero is not known")

    def __index__(self) -> int:
        raise OpenSize(f"{self} is an expression")

    def __str__(self) -> str:
        return to_text(self)


def symbol(name: str, value: int | None = None, varies: bool = False) -> Size:
    """The size called `name`, with its value in this use where it has one, or one that varies between calls."""
    return alone(Symbol(name, value, varies))


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


def alone(atom: Atom) -> Size:
    """The size that is this alone."""
    return Size((((atom,), 1),))


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
    atoms = [atom for monomial, _ in _terms(size) for atom in monomial]
    if not any(not isinstance(atom, Symbol) and atom.value is None for atom in atoms):
        return True
    # What is rounded may come out equal for some: `N // 4 * 4` and `N`, but not `N // 4` and `N`.
    return all(value not in (None, 0) for value in _tried(size, varying))


def _tried(size: Dim, names: Iterable[str]) -> Iterator[int | None]:
    """The numbers that a size is for some values of its names; None where it is not one."""
    for number in range(1, 65):
        try:
            yield value_of(substitute(size, dict.fromkeys(names, number)))
        except (ArithmeticError, OpenSize):
            yield None


def _never_zero(size: Dim, smallest: int = 1) -> bool:
    """Whether a size cannot be 0, whatever its symbols are, which are at least `smallest`."""
    if isinstance(size, int):
        return size != 0
    terms = dict(_terms(size))
    constant = terms.pop((), 0)
    if any(not isinstance(atom, Symbol) for atoms in terms for atom in atoms):
        return False
    if constant % math.gcd(*terms.values()):
        return True
    nearest = sum(terms.values()) * smallest + constant
    return (min(terms.values()) > 0 and nearest > 0) or (max(terms.values()) < 0 and nearest < 0)


def maximum(left: Dim, right: Dim) -> Dim:
    if _reaches(left, right):
        return left
    return right if _reaches(right, left) else _term("max", left, right)


def minimum(left: Dim, right: Dim) -> Dim:
    if _reaches(left, right):
        return right
    return left if _reaches(right, left) else _term("min", left, right)


def _reaches(left: Dim, right: Dim) -> bool:
    """Whether a size is at least as large as another, whatever their names are."""
    return left == right or _never_negative(written_out(left) - written_out(right))


def _never_negative(size: Dim) -> bool:
    """Whether a size is at least 0, as its names are."""

    def holds(atom: Atom) -> bool:
        if isinstance(atom, Term):
            return _never_negative(atom.left) and _never_negative(atom.right)
        return isinstance(atom, Symbol) and (atom.value is None or atom.value >= 0)

    return all(factor >= 0 and all(map(holds, atoms)) for atoms, factor in _terms(size))


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
    if 0 in (value, other):
        return left if value == 0 else right
    first, last = sorted((left, right), key=_openness)
    large = [each for each in (last, first) if (value_of(each) or 0) > 1]
    telling = [each for each in large if is_fixed(each) or _never_zero(each - 1, smallest=0)]
    if telling:
        return telling[0]
    # Of a block's inputs each use tells anew whether they agree.
    if large and any(each.meaning is not None for each in symbols_of(large[-1])):
        return large[-1]
    if is_fixed(first):
        return last
    larger = [each for each in (left, right) if _never_less(each, left + right - each)]
    return [*larger, _term("1", left, right)][0]


def _never_less(one: Dim, other: Dim) -> bool:
    """Whether a size is at least as large as another that is made of the same name: `(n + 1) // 2` beside `n // 2`."""
    names = {each.name for each in symbols_of(one) | symbols_of(other)}
    return len(names) == 1 and all(
        value is not None and value >= 0 for value in _tried(one - other, names)
    )


def _larger(left: Dim, right: Dim) -> Dim:
    """Of two open sizes the one that is 1 at most where the other is: `H` beside `H // 4`."""
    tried = [*_tried(left - right, {each.name for each in symbols_of(left - right)})]
    return right if all(value is not None and value < 0 for value in tried) else left


def _openness(size: Dim) -> int:
    """How much may decide what a size is: nothing, an argument of a block, an argument of the model."""
    return 0 if isinstance(size, int) else 1 if is_fixed(size) else 2


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
        return _bare(size.terms[0][0][0].text(rename))
    text = ""
    # `8 - dim`, but `dim - k + 8`.
    first = any(monomial and factor > 0 for monomial, factor in size.terms)
    for monomial, factor in sorted(size.terms, key=lambda t: (first and not t[0], t[1] < 0)):
        names = [atom.text(rename) for atom in monomial]
        if len(names) + (abs(factor) != 1) > 1 or (factor < 0 and not text):
            names = _powers([_atomic(name) for name in names])
        if abs(factor) != 1 or not names:
            names.insert(0, str(abs(factor)))
        sign = ("-" if factor < 0 else "") if not text else (" - " if factor < 0 else " + ")
        text += sign + " * ".join(names)
    return text


def _powers(names: list[str]) -> list[str]:
    """The factors of a product; one in brackets that comes several times is written once, as a power."""
    counts = {name: names.count(name) for name in names}
    return [
        each
        for name, count in counts.items()
        for each in ([f"{name} ** {count}"] if count > 1 and "(" in name else [name] * count)
    ]


def _atomic(text: str) -> str:
    """The text in brackets where it is more than a name, a number or one call."""
    depth = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if character == " " and not depth:
            return f"({text})"
    return text


def _bare(text: str) -> str:
    """The text without the brackets that are around all of it."""
    inner = text[1:-1]
    depth = 0
    for character in inner:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return text
    return inner if text.startswith("(") else text


def _order(atom: Atom) -> str:
    return atom.text(lambda name: name)


def _terms(size: Dim) -> tuple[tuple[Monomial, int], ...]:
    return size.terms if isinstance(size, Size) else (((), size),)


def _collect(terms: Iterable[tuple[Monomial, int]]) -> Dim:
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
                size = atom.left - dict(_terms(atom.left)).get((), 0)
                rest = monomial[:place] + monomial[place + 1 :]
                parts.setdefault((rest, size, atom.right, factor), set()).add(monomial)
    for (rest, size, count, factor), monomials in parts.items():
        if len(monomials) == count:
            others = ((m, f) for m, f in found.items() if m not in monomials)
            return _collect(others) + factor * size * product(map(alone, rest))
    return None


def _sum(left: Dim, right: Dim) -> Dim:
    return _collect((*_terms(left), *_terms(right)))


def _reduced(atoms: Monomial, factor: int) -> Dim:
    """A product in which a quotient that comes out even meets its divisor: `(a / b) * b` is `a`."""
    for place, atom in enumerate(atoms):
        if not isinstance(atom, Term) or atom.operator != "/":
            continue
        rest = atoms[:place] + atoms[place + 1 :]
        terms = _terms(atom.right)
        left = _cancel(Size(((rest, factor),)), *terms[0]) if len(terms) == 1 else None
        if left is not None:
            return left * atom.left
    return _collect([(tuple(sorted(atoms, key=_order)), factor)])


def quotient(size: Dim, divisor: Dim) -> Dim:
    """`size / divisor`, where it is known that this comes out even."""
    left, right = _shortened(size, divisor)
    if _is_one(right):
        return left
    shorter = _shortened(written_out(size), written_out(divisor))
    return shorter[0] if _is_one(shorter[1]) else _term("/", left, right)


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
    common = math.gcd(*(factor for part in (size, divisor) for _, factor in _terms(part)))
    if common > 1:
        size, divisor = _divide(size, common), _divide(divisor, common)
    for atom in {atom for atoms, _ in _terms(divisor) for atom in atoms}:
        shorter = _cancel(size, (atom,), 1), _cancel(divisor, (atom,), 1)
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
    for atom in (atom for atoms, _ in _terms(size) for atom in atoms):
        if isinstance(atom, Term):
            if atom.operator == "//" and divides(atom.left, atom.right) is False:
                return atom
            found = uneven(atom.left) or uneven(atom.right)
            if found is not None:
                return found
    return None


def _even(size: Dim, divisor: Dim) -> bool:
    return (
        isinstance(divisor, int) and divisor != 0 and all(f % divisor == 0 for _, f in _terms(size))
    )


def _divide(size: Dim, divisor: Dim) -> Dim:
    """Floor division: what divides evenly leaves the floor, as floor((k * a + b) / k) = a + floor(b / k)."""
    if isinstance(divisor, int) and divisor > 0:
        nested = _nested(size)
        if nested is not None:
            return _divide(nested[0], nested[1] * divisor)
        whole = _collect((m, f // divisor) for m, f in _terms(size) if f % divisor == 0)
        rest = _collect((m, f) for m, f in _terms(size) if f % divisor)
        if isinstance(rest, int):
            return whole + rest // divisor
        constant = dict(rest.terms).get((), 0)
        carried = constant - constant % divisor
        left = rest - carried
        # floor((k * a + b) / (k * c)) = floor((a + floor(b / k)) / c)
        common = math.gcd(divisor, *(factor for atoms, factor in _terms(left) if atoms))
        left = _collect((atoms, factor // common) for atoms, factor in _terms(left))
        return whole + carried // divisor + _term("//", left, divisor // common)
    if isinstance(divisor, Size) and len(divisor.terms) == 1:
        parts = [
            (_collect([term]), _cancel(_collect([term]), *divisor.terms[0]))
            for term in _terms(size)
        ]
        whole = sum((count for _, count in parts if count is not None), 0)
        rest = sum((part for part, count in parts if count is None), 0)
        return whole if isinstance(rest, int) and rest == 0 else whole + _term("//", rest, divisor)
    return _term("//", size, divisor)


def _nested(size: Dim) -> tuple[Dim, int] | None:
    """A quotient by a number, and a constant, as one quotient: a // b + c is (a + b * c) // b."""
    atoms = [(atoms, factor) for atoms, factor in _terms(size) if atoms]
    if len(atoms) != 1 or atoms[0][1] != 1 or len(atoms[0][0]) != 1:
        return None
    (atom,) = atoms[0][0]
    if not isinstance(atom, Term) or atom.operator != "//":
        return None
    if not isinstance(atom.right, int) or atom.right <= 0:
        return None
    return atom.left + dict(_terms(size)).get((), 0) * atom.right, atom.right


def _cancel(size: Dim, monomial: Monomial, factor: int) -> Dim | None:
    left = []
    for atoms, count in _terms(size):
        remaining = list(atoms)
        for atom in monomial:
            if atom not in remaining:
                return None
            remaining.remove(atom)
        if count % factor:
            return None
        left.append((tuple(remaining), count // factor))
    return _collect(left)


def _power(base: int, exponent: Dim) -> Dim:
    """`2 ** i`: what doubles from layer to layer."""
    value = value_of(exponent)
    if base < 1:
        raise OpenSize(f"{base} cannot be raised to {exponent}, only numbers from 1")
    if value is not None and not 0 <= value < 63:
        raise OpenSize(f"a number can be raised to a power from 0 to 62, not to {value}")
    return _term("**", base, exponent)


def _term(operator: str, left: Dim, right: Dim) -> Dim:
    if operator in ("//", "%") and value_of(right) == 0:
        raise ZeroDivisionError
    if isinstance(left, int) and isinstance(right, int):
        return _apply(operator, left, right)
    return Size((((Term(operator, left, right),), 1),))


def _apply(operator: str, left: int, right: int) -> int:
    if operator in ("max", "1"):
        return max(left, right)
    if operator == "min":
        return min(left, right)
    if operator == "**":
        return int(left**right)
    return left % right if operator == "%" else left // right


def substitute(size: Dim, meanings: Mapping[str, Any]) -> Dim:
    """The size with each symbol replaced by what it means elsewhere; a symbol without a meaning stays.

    What an opaque term names beside sizes, a flag for one, may have a meaning, too.
    """

    def leaf(atom: Symbol | Opaque) -> Dim:
        if isinstance(atom, Opaque):
            return atom.substituted(meanings)
        meaning = meanings.get(atom.name, alone(atom))
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
    """The size with each symbol and opaque term replaced."""
    if isinstance(size, int):
        return size
    total: Dim = 0
    for monomial, factor in size.terms:
        total = total + factor * product(_rebuilt(atom, leaf) for atom in monomial)
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
        return _power(left, right)
    if atom.operator == "1":
        apart = value_of(left) is None and value_of(right) is None and left != right
        return _term("1", left, right) if apart else joined(left, right)
    return maximum(left, right) if atom.operator == "max" else minimum(left, right)
