"""Sizes compute as the numbers they stand for, print as Python, and know what is the same."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nngen.errors import Fault
from nngen.symbolic.evaluator import SIZE_FUNCTIONS, Evaluator
from nngen.symbolic.sizes import (
    Dim,
    OpenSize,
    Size,
    Term,
    product,
    symbol,
    symbols_of,
    to_text,
    value_of,
)
from nngen.symbolic.substitution import joined, maximum, minimum, same, substitute

NAMES = ("a", "b", "c")
VALUES = st.fixed_dictionaries({name: st.integers(1, 12) for name in NAMES})


def _grow(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(parts, parts)
    return st.one_of(
        st.builds("({0[0]} {1} {0[1]})".format, pairs, st.sampled_from("+-*")),
        st.builds("({0[0]} {1} {0[1]})".format, pairs, st.sampled_from(["//", "%"])),
        st.builds("({0} {2} {1})".format, parts, st.integers(1, 6), st.sampled_from(["//", "%"])),
        st.builds("{1}({0[0]}, {0[1]})".format, pairs, st.sampled_from(["max", "min"])),
        st.builds("({0} ** {1})".format, parts, st.integers(0, 2)),
        st.builds("({0} ** ({1} % 5))".format, st.integers(1, 3), parts),
        st.builds("(-{0})".format, parts),
    )


NUMBERS = st.integers(-6, 12).map(lambda number: f"({number})")
TEXTS = st.recursive(st.sampled_from(NAMES) | NUMBERS, _grow, max_leaves=8)


def evaluated(text: str, scope: dict[str, Any]) -> Dim:
    """What a spec's expression gives."""
    tree = ast.parse(text, mode="eval").body
    size: Dim = Evaluator({**SIZE_FUNCTIONS, **scope})(tree)
    return size


def number(text: str, values: dict[str, int]) -> int:
    """What Python gives; a case without a value is left out."""
    try:
        result = eval(text, {}, dict(values))
    except ZeroDivisionError:
        assume(False)
    assume(abs(result) < 2**40)
    return int(result)


def follow(text: str, values: dict[str, int] | None = None) -> Dim:
    try:
        return evaluated(text, {n: symbol(n, None if values is None else values[n]) for n in NAMES})
    except Exception as error:
        assume("zero" not in str(error) and "too large" not in str(error))
        raise


@given(TEXTS, VALUES)
def test_a_size_has_the_value_of_its_expression(text: str, values: dict[str, int]) -> None:
    expected = number(text, values)
    assert value_of(follow(text, values)) == expected


@given(TEXTS, VALUES)
def test_an_open_size_prints_what_it_stands_for(text: str, values: dict[str, int]) -> None:
    expected = number(text, values)
    assert number(to_text(follow(text)), values) == expected


@given(TEXTS)
def test_printing_and_reading_give_the_same_size(text: str) -> None:
    size = follow(text)
    assert follow(to_text(size)) == size


@given(TEXTS, TEXTS, VALUES)
def test_the_same_is_never_claimed_wrongly(left: str, right: str, values: dict[str, int]) -> None:
    equal = number(left, values) == number(right, values)
    assert same(follow(left, values), follow(right, values)) is equal
    assert same(follow(left), follow(right)) in (None, equal)


@given(TEXTS, VALUES)
def test_names_are_renamed_wherever_they_stand(text: str, values: dict[str, int]) -> None:
    expected = number(text, values)
    printed = to_text(follow(text), lambda name: f"self.{name}")
    assert (
        number(printed.replace("self.", "z"), {f"z{n}": v for n, v in values.items()}) == expected
    )


A, B = symbol("a"), symbol("b")


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (A, "a"),
        (4 * A, "4 * a"),
        (A * 4 + 1, "4 * a + 1"),
        (1 - A, "1 - a"),
        (-A, "-a"),
        (A * B - 2, "a * b - 2"),
        (A // 2, "a // 2"),
        ((A - 1) // 2 + 1, "(a + 1) // 2"),
        (2 * (A // 2), "2 * (a // 2)"),
        ((A + 1) * (B + 1), "a * b + a + b + 1"),
        (A % B, "a % b"),
        (maximum(A, 3), "max(a, 3)"),
        (minimum(A, B) * 2, "2 * min(a, b)"),
        ((maximum(A, B) + 1) // 2, "(max(a, b) + 1) // 2"),
        (A**2, "a * a"),
        (7 // A, "7 // a"),
        (7 % A, "7 % a"),
        (2**A, "2 ** a"),
        (3 * 2 ** (A % B) + 1, "3 * (2 ** (a % b)) + 1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_printing(size: Dim, text: str) -> None:
    assert to_text(size) == str(size) == text


@pytest.mark.parametrize(
    ("size", "simple"),
    [
        (A - A, 0),
        (A // A, 1),
        (2 * A // 2, A),
        ((4 * A + 6) // 2, 2 * A + 3),
        ((4 * A + 7) // 2, 2 * A + 3),
        (6 * A * B // (2 * B), 3 * A),
        (4 * A % 2, 0),
        ((A + 5) // 2, (A + 1) // 2 + 2),
        ((A + B) * 2 - 2 * B, 2 * A),
        (((A + 1) // 2 + 1) // 2, (A + 3) // 4),
        (A // 2 // 3 // 4, A // 24),
        (product((A, B, 3)), 3 * A * B),
        (product(()), 1),
        (A**0, 1),
        (maximum(2, 3), 3),
        (maximum(A, 2 * A), 2 * A),
        (minimum(A, A + B), A),
        (maximum(minimum(A, B), 0), minimum(A, B)),
        (maximum(A - 1, B), Size((((Term("max", A - 1, B),), 1),))),
        (2 * A // 4, A // 2),
        ((2 * A + 1) // 4, A // 2),
        ((6 * A + 5) // 4, 3 * A // 2 + 1),
        (0 * A, 0),
    ],
    ids=str,
)
def test_two_ways_to_one_size_are_one(size: Dim, simple: Dim) -> None:
    assert size == simple and type(size) is type(simple)
    if isinstance(size, Size):
        assert hash(size) == hash(simple)


@pytest.mark.parametrize(
    ("left", "right", "together"),
    [
        (A, A // 4, A),
        (A // 4, A, A),
        ((A + 3) // 4, A, A),
        (A, (A + 3) // 4, A),
        (A, 3, 3),
        (3, A, 3),
        (A, symbol("c", 3), symbol("c", 3)),
        (A, symbol("c", 1), A),
        (2 * symbol("c", 1), 2, 2 * symbol("c", 1)),
        (symbol("c", 2), 2, 2),
        (1, symbol("c", 1), symbol("c", 1)),
        (symbol("b", 2), symbol("c", 2), "max(b, c)"),
        (symbol("b", 1), symbol("c", 1), "max(b, c)"),
        (symbol("b", 4), symbol("c", 2) + 2, symbol("c", 2) + 2),
        (7, symbol("c", 6) + 1, 7),
        (symbol("c", 2) // 2, (symbol("c", 2) + 1) // 2, (symbol("c", 2) + 1) // 2),
        ((symbol("c", 4) + 1) // 2, symbol("c", 4) // 2, (symbol("c", 4) + 1) // 2),
        (2 * symbol("c", 2) // 4, symbol("c", 2) // 2, symbol("c", 2) // 2),
    ],
    ids=str,
)
def test_what_broadcasting_makes_of_two_sizes(left: Dim, right: Dim, together: Dim | str) -> None:
    found = joined(left, right)
    assert (to_text(found) if isinstance(together, str) else found) == together


def test_what_depends_on_an_open_size_is_not_decided() -> None:
    assert same(A, B) is None and same(A, A) is True and same(A, A + 1) is False
    assert same(symbol("a", 3), 3) is True and same(symbol("a", 3), 4) is False
    assert value_of(A) is None and value_of(A - A) == 0
    with pytest.raises(OpenSize, match="whether a is zero is not known"):
        bool(A)
    with pytest.raises(OpenSize, match="a is an expression"):
        range(A)  # type: ignore[call-overload]
    with pytest.raises(OpenSize, match="power from 0 to 8"):
        _ = A**9
    with pytest.raises(OpenSize, match="only numbers from 1"):
        _ = (-2) ** A
    for exponent in (-1, 63):
        with pytest.raises(OpenSize, match=f"a power from 0 to 62, not to {exponent}"):
            _ = 2 ** symbol("a", exponent)


def test_a_size_that_varies_equals_no_other() -> None:
    batch, width = symbol("N", varies=True), symbol("width", 6)
    for other in (1, 6, width, width // 4, symbol("T"), 2 * batch):
        assert same(batch, other) is False
    assert same(2 * batch // 2, batch) is True
    assert same(batch // 4, 1) is None and same(batch // 4 * 4, batch) is None  # for some of them
    assert same(batch // 4, batch) is False and same(batch // 4 * 64, 16 * batch) is None


@pytest.mark.parametrize("other", [1.5, "a", None, (1,)])
def test_only_sizes_and_whole_numbers_go_together(other: Any) -> None:
    for operation in (lambda: A + other, lambda: A * other, lambda: A - other, lambda: other - A):
        with pytest.raises((TypeError, OpenSize)):
            operation()


@pytest.mark.parametrize("other", [1.5, "a", None, (1,)])
def test_division_is_by_sizes_and_whole_numbers(other: Any) -> None:
    for operation in (lambda: A // other, lambda: other // A, lambda: A % other, lambda: other % A):
        if not isinstance(other, str):
            with pytest.raises(TypeError):
                operation()


def test_symbols_are_found_wherever_they_stand() -> None:
    size = maximum(A // 2, 3) + B % 2
    assert {s.name for s in symbols_of(size)} == {"a", "b"}
    assert symbols_of(4) == frozenset()


def test_what_came_of_two_sizes_stays_what_it_is_elsewhere() -> None:
    found = joined(symbol("b", 1), symbol("c", 1))
    assert to_text(substitute(found, {"b": A, "c": B})) == "max(a, b)"
    assert substitute(found, {"b": 4, "c": 1}) == substitute(found, {"b": 1, "c": 4}) == 4
    assert value_of(joined(symbol("b", 1), symbol("c", 0))) == 0


def test_a_size_that_would_be_divided_by_zero_is_a_fault() -> None:
    for size in (A // B, A % B, 7 // B, (A // B) // 2):
        with pytest.raises(Fault, match="division by zero"):
            substitute(size, {"a": 4, "b": 0})
