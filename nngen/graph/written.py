"""Sizes that an expression gives which polynomials cannot hold: `8 if deep else 4`, `mid or out`, `int(dim * ratio)`.

They stay expressions, so that no number which is right for one value of an argument alone gets into the code.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from nngen.catalog.partial_evaluation import Folder, free_names, literal, renamed, replaced, source
from nngen.errors import Fault
from nngen.symbolic.agreement import Assigned, alike, domains_of, number
from nngen.symbolic.evaluator import compare
from nngen.symbolic.mathematics import value_in
from nngen.symbolic.sizes import (
    Dim,
    Opaque,
    OpenSize,
    Size,
    Symbol,
    alone,
    is_whole,
    symbol,
    symbols_of,
    to_text,
    value_of,
)
from nngen.symbolic.substitution import opaque_in, rebuilt, substitute
from nngen.symbolic.tensor import UNKNOWN
from nngen.symbolic.untold import Untold, untold, untold_reason

# Functions of sizes that give sizes.
EXACT = ("max", "min", "abs", "round", "int", "prod", "math.prod")
# Functions that give whole numbers of any numbers.
WHOLE = ("int", "len", "math.ceil", "math.floor", "math.gcd")
MOST_NODES = 2_000  # in the tree of one size
# Where a size is held against another, numbers that are tried beside small ones: `n // 3` is 1 of all of these.
_LARGER = (6, 12)
_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.FloorDiv, ast.Mod, ast.Pow)


@dataclass(frozen=True)
class Given:
    """An expression over the names of a class.

    Attributes:
        tree: the expression; a name `<…>` in it stands for a size.
        sizes: what those stand for.
        others: its other names, with their values in this use.
    """

    tree: ast.expr
    sizes: Mapping[str, Dim] = field(default_factory=dict)
    others: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The expression as its class has it, by which two are told apart."""
        return source(self.code(lambda name: name))

    def code(self, rename: Callable[[str], str]) -> ast.expr:
        """The expression, its names passed through `rename`."""

        def written(name: str) -> str:
            size = self.sizes.get(name)
            return rename(name) if size is None else to_text(size, rename)

        return renamed(self.tree, written)

    def value(self) -> Any:
        """What it is in this use; UNKNOWN where that is open."""
        return value_in(self.tree, {**self.sizes, **self.others})

    def part(self, tree: ast.expr) -> Given:
        """Another expression over its names."""
        names = free_names(tree)
        sizes = {name: size for name, size in self.sizes.items() if name in names}
        others = {name: value for name, value in self.others.items() if name in names}
        return Given(tree, sizes, others)

    def substituted(self, substitution: Mapping[str, Any]) -> Given:
        """The expression with each name replaced by what that means elsewhere."""
        put_in: dict[str, Given] = {}
        for name, size in self.sizes.items():
            put_in[name] = _given(_meant(size, substitution))
        for name in self.others:
            if name in substitution:
                meaning = substitution[name]
                put_in[name] = meaning if isinstance(meaning, Given) else _given(meaning)
        return decided(_put_in(self, put_in))

    def dim(self) -> Dim:
        """It as a size, of which as much as can be is a polynomial."""
        return _Sizing(self)(self.tree)


@dataclass(frozen=True, eq=False, slots=True)
class Written(Opaque):
    """The size that an expression gives."""

    given: Given
    key: str = field(init=False)
    value: int | None = field(init=False)
    weight: int = field(init=False)

    def __post_init__(self) -> None:
        # What the mode decides may be another in the next call, whatever the arguments are in this use.
        found = UNKNOWN if UNKNOWN in self.given.others.values() else self.given.value()
        object.__setattr__(self, "key", self.given.text)
        object.__setattr__(
            self, "value", value_of(found) if isinstance(found, (int, Size)) else None
        )
        object.__setattr__(self, "weight", 1 + len(self.key) // 4)

    def __eq__(self, other: object) -> bool:
        alike = isinstance(other, Written) and self.key == other.key and self.value == other.value
        return self is other or (alike and not untold_reason(alone(self)))

    def __hash__(self) -> int:
        return hash((self.key, self.value))

    def text(self, rename: Callable[[str], str]) -> str:
        text = source(self.given.code(rename))
        return text if isinstance(self.given.tree, (ast.Name, ast.Call)) else f"({text})"

    def symbols(self) -> frozenset[Symbol]:
        return frozenset(s for size in self.given.sizes.values() for s in symbols_of(size))

    def substituted(self, substitution: Mapping[str, Any]) -> Dim:
        return self.given.substituted(substitution).dim()

    def parts(self) -> Iterable[Dim]:
        return self.given.sizes.values()

    def others(self) -> Mapping[str, Any]:
        return {n: value is UNKNOWN or value for n, value in self.given.others.items()}

    def at(self, names: Mapping[str, Any]) -> Any:
        return value_in(self.given.tree, Assigned(self.given.sizes, names))


def chosen(
    test: Given, first: Dim, second: Dim, lets: Mapping[str, Given] = MappingProxyType({})
) -> Dim:
    """`first if test else second`; where one of them is right in both cases, that one.

    Args:
        test: the condition.
        first, second: the sizes.
        lets: what names that the class defines are made of.
    """
    if isinstance(test.tree, ast.Constant):
        return first if test.tree.value else second
    first, second = assumed(first, test, True), assumed(second, test, False)
    if first == second:
        return first
    sides = {"<first>": _given(first), "<second>": _given(second)}
    whole = Given(
        ast.IfExp(test.tree, *(ast.Name(name, ast.Load()) for name in sides)),
        {**test.sizes, **{name: 0 for name in sides}},
        test.others,
    )
    try:
        result = alone(Written(_put_in(whole, sides)))
        if not untold_reason(result):
            opened = substitute(result, lets) if lets else result
            asked = test.substituted(lets) if lets else test
            for side in (first, second):
                if _always(asked, opened, substitute(side, lets)):
                    return side
        return result
    except OpenSize as fault:
        taken = test.value()
        value = None if taken is UNKNOWN else value_of(first if taken else second)
        return untold(value, f"{test.text}: {fault.message}")


def assumed(size: Dim, test: Given, holds: bool) -> Dim:
    """A size where it is known whether a condition holds."""
    if not any(isinstance(atom, Written) for atom in opaque_in(size)):
        return size

    def leaf(atom: Symbol | Opaque) -> Dim:
        if not isinstance(atom, Written) or not isinstance(atom.given.tree, ast.IfExp):
            return alone(atom)
        whole, tree = atom.given, atom.given.tree
        if whole.part(tree.test).text != test.text:
            return alone(atom)
        return assumed(whole.part(tree.body if holds else tree.orelse).dim(), test, holds)

    return rebuilt(size, leaf)


class _Sizing:
    """An expression as a size: arithmetic of sizes stays such, all else is written."""

    def __init__(self, given: Given) -> None:
        self.given = given

    def __call__(self, node: ast.expr) -> Dim:
        if isinstance(node, ast.Constant) and isinstance(node.value, int):
            return int(node.value)
        if isinstance(node, ast.Name) and node.id in self.given.sizes:
            return self.given.sizes[node.id]
        if isinstance(node, ast.IfExp):
            return chosen(self.given.part(node.test), self(node.body), self(node.orelse))
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            opened = self._opened(node.value, node.slice)
            if opened is not None:
                return self(opened)
        try:
            found = self._computed(node)
        except Fault:
            found = None
        return self._written(node) if found is None else found

    def _computed(self, node: ast.expr) -> Dim | None:
        """Arithmetic of sizes."""
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -self(node.operand) if self._is_whole(node.operand) else None
        if isinstance(node, ast.BinOp) and isinstance(node.op, _OPERATORS):
            parts, rebuild = [node.left, node.right], self._binary(node)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in EXACT and not node.keywords:
            parts, rebuild = node.args, self._called(node)
        else:
            return None
        if not all(map(self._is_whole, parts)):
            return None
        names = [f"<{place}>" for place in range(len(parts))]
        found = value_in(rebuild(names), dict(zip(names, map(self, parts))))
        return found if is_whole(found) else None

    def _binary(self, node: ast.BinOp) -> Callable[[list[str]], ast.expr]:
        return lambda names: ast.BinOp(_name(names[0]), node.op, _name(names[1]))

    def _called(self, node: ast.Call) -> Callable[[list[str]], ast.expr]:
        return lambda names: ast.Call(node.func, [_name(name) for name in names], [])

    def _is_whole(self, node: ast.expr) -> bool:
        """Whether an expression gives a whole number whatever its names are; what is None here may be one."""
        if isinstance(node, ast.Constant):
            return isinstance(node.value, int)
        if isinstance(node, ast.Name):
            value = self.given.others.get(node.id)
            return node.id in self.given.sizes or value is None or isinstance(value, bool)
        if isinstance(node, ast.IfExp):
            return self._is_whole(node.body) and self._is_whole(node.orelse)
        if isinstance(node, ast.BoolOp):
            return all(map(self._is_whole, node.values))
        if isinstance(node, ast.BinOp):
            whole = self._is_whole(node.left) and self._is_whole(node.right)
            return whole and not isinstance(node.op, ast.Div)
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            return name in WHOLE or (name in EXACT and all(map(self._is_whole, node.args)))
        if isinstance(node, ast.UnaryOp):
            return isinstance(node.op, ast.Not) or self._is_whole(node.operand)
        if isinstance(node, ast.Subscript):
            return is_whole(self.given.part(node).value())
        return isinstance(node, ast.Compare)

    def _opened(self, value: ast.expr, index: ast.Constant) -> ast.expr | None:
        """`(a if c else b)[0]` as `a[0] if c else b[0]`, and `(a, b)[0]` as `a`."""
        if isinstance(value, (ast.Tuple, ast.List)) and isinstance(index.value, int):
            plain = not any(isinstance(part, ast.Starred) for part in value.elts)
            return value.elts[index.value] if plain else None
        if isinstance(value, ast.IfExp):
            body, orelse = (
                ast.Subscript(arm, index, ast.Load()) for arm in (value.body, value.orelse)
            )
            return ast.IfExp(value.test, body, orelse)
        return None

    def _written(self, node: ast.expr) -> Dim:
        part = self.given.part(node)
        try:
            return alone(Written(part))
        except OpenSize as fault:
            found = part.value()
            return untold(value_of(found) if is_whole(found) else None, fault.message)


def _name(name: str) -> ast.expr:
    return ast.Name(name, ast.Load())


def placed(size: Dim, sizes: dict[str, Dim]) -> str:
    """The name that stands for a size in a tree; of those that are not told, each has its own."""
    apart = [id(each) for each in opaque_in(size) if isinstance(each, Untold)]
    name = f"<{to_text(size)}{apart or ''}>"
    sizes[name] = size
    return name


def _given(size: Dim) -> Given:
    """A size as an expression."""
    if isinstance(size, int):
        return Given(literal(size))
    if len(size.terms) == 1 and size.terms[0][1] == len(size.terms[0][0]) == 1:
        atom = size.terms[0][0][0]
        if isinstance(atom, Written):
            return atom.given
    sizes: dict[str, Dim] = {}
    return Given(_name(placed(size, sizes)), sizes)


def _meant(size: Dim, substitution: Mapping[str, Any]) -> Dim:
    """What a part of an expression means elsewhere; it need not have a value where the rest decides."""
    try:
        return substitute(size, substitution)
    except Fault as fault:
        opened = {n: rebuilt(m, _unvalued) if is_whole(m) else m for n, m in substitution.items()}
        try:
            return substitute(size, opened)
        except Fault:
            return untold(None, fault.message)


def _unvalued(atom: Symbol | Opaque) -> Dim:
    return symbol(atom.name) if isinstance(atom, Symbol) else alone(atom)


def _put_in(whole: Given, put_in: Mapping[str, Given]) -> Given:
    """An expression with others in the place of its names.

    Raises:
        OpenSize: it is too long: definitions of definitions may double it again and again.
    """
    sizes = {name: size for name, size in whole.sizes.items() if name not in put_in}
    others = {name: value for name, value in whole.others.items() if name not in put_in}
    for part in put_in.values():
        sizes |= part.sizes
        others |= part.others

    def change(node: ast.expr) -> ast.expr | None:
        return put_in[node.id].tree if isinstance(node, ast.Name) and node.id in put_in else None

    tree = replaced(whole.tree, change)
    if sum(1 for _ in ast.walk(tree)) > MOST_NODES:
        raise OpenSize(f"the size is made of more than {MOST_NODES:,} parts")
    return Given(tree, sizes, others)


def decided(whole: Given) -> Given:
    """An expression without the conditions in it that are decided whatever its names are."""
    tests: dict[str, bool] = {}
    for node in ast.walk(whole.tree):
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            difference = _difference(
                whole.part(node.left), node.ops[0], whole.part(node.comparators[0])
            )
            if difference is not None:
                holds = compare(node.ops[0], difference, 0)
                tests[ast.unparse(node)] = bool(holds)

    def change(node: ast.expr) -> ast.expr | None:
        found = tests.get(ast.unparse(node)) if isinstance(node, ast.Compare) else None
        return None if found is None else ast.Constant(found)

    tree = replaced(whole.tree, change) if tests else whole.tree
    try:
        return whole.part(Folder({}).expression(tree))
    except (Fault, LookupError):  # what is wrong in it is told where it is evaluated
        return whole


def _difference(left: Given, op: ast.cmpop, right: Given) -> int | None:
    """By how much two sizes differ, where that is so whatever their names are."""
    if isinstance(op, (ast.Is, ast.IsNot)) or left.others or right.others:
        return None
    if not (is_whole(left.value()) and is_whole(right.value())):
        return None
    difference = left.dim() - right.dim()
    return difference if isinstance(difference, int) else None


def _always(test: Given, whole: Dim, side: Dim) -> bool:
    """Whether a size that depends on a condition is one of its sides in any case."""
    # What the size is, it may be without a word of the condition.
    sizes = (whole, alone(Written(test)), *test.sizes.values())
    domains = domains_of(sizes, further=_LARGER)
    key = (test.text, to_text(whole), to_text(side), repr(domains))
    if key not in _FOUND:
        _FOUND[key] = alike(
            lambda names: _holds(value_in(test.tree, Assigned(test.sizes, names))),
            lambda names: number(whole, names),
            lambda names: number(side, names),
            domains,
        )
    return _FOUND[key]


def _holds(value: Any) -> bool | None:
    return None if value is UNKNOWN else bool(value)


# What is found does not depend on the spec, and blocks ask the same in each use.
_FOUND: dict[tuple[str, str, str, str], bool] = {}
