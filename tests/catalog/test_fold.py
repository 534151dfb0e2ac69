"""Folding puts in what is known, takes the branches that it decides, and leaves the rest as code."""

from __future__ import annotations

import ast
import math
from typing import Any

import pytest

from nngen.catalog.fragments import fragment, statements
from nngen.catalog.partial_evaluation import Folder, literal, source, targets_bare
from nngen.errors import Fault
from nngen.symbolic.sizes import symbol
from nngen.symbolic.tensor import UNKNOWN

DIM = symbol("dim")
CODE = {
    "input": ast.Name("x", ast.Load()),
    "out": ast.Name("x", ast.Load()),
    "weight": ast.parse("self.conv1_weight", mode="eval").body,
    "training": ast.parse("self.training", mode="eval").body,
}


def folded(text: str, given: str = "", **known: Any) -> str:
    """The code of a fragment of statements."""
    folder = Folder(known, CODE, frozenset(given.split()))
    return "\n".join(map(source, folder.statements(statements(text))))


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (3, "3"),
        (-3, "-3"),
        (0.5, "0.5"),
        (-0.5, "-0.5"),
        (1e-05, "1e-05"),
        (True, "True"),
        (None, "None"),
        ("same", "'same'"),
        ("it's", '"it\'s"'),
        ((2, 3), "(2, 3)"),
        ((2,), "(2,)"),
        ((), "()"),
        ([1.0, -2.0], "[1.0, -2.0]"),
        (((1, 2), (3, 4)), "((1, 2), (3, 4))"),
        (math.inf, "float('inf')"),
        (-math.inf, "float('-inf')"),
        (math.nan, "float('nan')"),
        ((math.inf, 1), "(float('inf'), 1)"),
        (4 * DIM + 1, "4 * dim + 1"),
        ((DIM, 2), "(dim, 2)"),
    ],
    ids=str,
)
def test_literals(value: Any, code: str) -> None:
    assert source(literal(value)) == code
    if "dim" not in code:
        assert repr(eval(code)) == repr(value)


def test_a_literals_names_are_renamed() -> None:
    assert source(literal((2 * DIM, 1), lambda name: f"self.{name}")) == "(2 * self.dim, 1)"


@pytest.mark.parametrize(
    ("text", "known", "code"),
    [
        ("out = input * p", {"p": 2}, "x = x * 2"),
        ("out = input * (p + 1)", {"p": 2}, "x = x * 3"),
        ("out = F.relu(input)", {}, "x = F.relu(x)"),
        ("out = input.view(*size)", {"size": (2, 3)}, "x = x.view(2, 3)"),
        ("out = input.view(*size, n)", {"size": (), "n": DIM // 2}, "x = x.view(dim // 2)"),
        ("out = input[:, :n]", {"n": 3}, "x = x[:, :3]"),
        ("out = f(input, *input)", {}, "x = f(x, *x)"),
        ("out, state = f(input)", {}, "x, state = f(x)"),
        ("out = input.a if flag else input.b", {"flag": True}, "x = x.a"),
        ("out = input.a if flag else input.b", {"flag": False}, "x = x.b"),
        ("out = input.a if training else input.b", {}, "x = x.a if self.training else x.b"),
        ("out = input * prod(ntuple(k, 2))", {"k": 3}, "x = x * 9"),
        ("out = input * max(n, 4)", {"n": DIM}, "x = x * max(dim, 4)"),
        ("out = f(input, training=not training)", {}, "x = f(x, training=not self.training)"),
    ],
)
def test_values(text: str, known: dict[str, Any], code: str) -> None:
    assert folded(text, **known) == code


IF = """
    if {condition}:
        out = a(input)
    else:
        out = b(input)
"""
KEPT = "if {}:\n    x = a(x)\nelse:\n    x = b(x)"


@pytest.mark.parametrize(
    ("condition", "known", "code"),
    [
        ("flag", {"flag": True}, "x = a(x)"),
        ("flag", {"flag": None}, "x = b(x)"),
        ("not flag", {"flag": 0}, "x = a(x)"),
        ("mode == 'zeros'", {"mode": "zeros"}, "x = a(x)"),
        ("n > 3", {"n": 3}, "x = b(x)"),
        ("weight is None", {}, "x = b(x)"),
        ("weight is not None", {}, "x = a(x)"),
        ("weight is not None and input is not None", {}, "x = a(x)"),
        ("weight is None or input is None", {}, "x = b(x)"),
        ("not (weight is None or input is None)", {}, "x = a(x)"),
        ("bias is None", {"bias": None}, "x = a(x)"),
        ("training", {}, KEPT.format("self.training")),
        ("training and flag", {"flag": True}, KEPT.format("self.training")),
        ("training and flag", {"flag": False}, "x = b(x)"),
        ("training or flag", {"flag": True}, "x = a(x)"),
        ("training or not flag", {"flag": True}, KEPT.format("self.training")),
        ("not training and weight is not None", {}, KEPT.format("not self.training")),
        ("training and (flag or training)", {"flag": True}, KEPT.format("self.training")),
        ("input.shape[0] > n", {"n": 3}, KEPT.format("x.shape[0] > 3")),
        ("n == 4", {"n": symbol("dim", 4)}, "x = a(x)"),
    ],
)
def test_conditions(condition: str, known: dict[str, Any], code: str) -> None:
    assert folded(IF.format(condition=condition), **known) == code


def test_a_branch_of_several_statements_is_spliced_in() -> None:
    text = """
        if flag:
            if training:
                count += 1
            out = f(input)
            out = g(out)
    """
    expected = "if self.training:\n    count += 1\nx = f(x)\nx = g(x)"
    assert folded(text, flag=True) == expected
    assert folded(text, flag=False) == ""


@pytest.mark.parametrize(
    ("call", "given", "known", "code"),
    [
        ("F.dropout(input, p=p, training=training)", "", {"p": 0.5}, "training=self.training"),
        ("F.dropout(input, p=p)", "p", {"p": 0.5}, "p=0.5"),
        ("F.dropout(input, p=p)", "", {"p": 0.25}, "p=0.25"),
        ("F.dropout(input, inplace=inplace)", "", {"inplace": False}, ""),
        ("F.dropout(input, inplace=inplace)", "inplace", {"inplace": False}, "inplace=False"),
        ("F.dropout(input, p=p / 2)", "p", {"p": 1.0}, ""),
    ],
)
def test_defaults_are_left_out_unless_given(
    call: str, given: str, known: dict[str, Any], code: str
) -> None:
    expected = f"x = F.dropout(x, {code})" if code else "x = F.dropout(x)"
    assert folded(f"out = {call}", given, **known) == expected


def test_what_the_catalog_does_not_have_keeps_its_arguments() -> None:
    assert folded("out = f(input, p=p, q=None)", p=0.5) == "x = f(x, p=0.5, q=None)"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("input, weight, bias, stride=stride", "x, self.conv1_weight"),
        ("input, weight, bias, stride=2", "x, self.conv1_weight, stride=2"),
        ("input, None, weight", "x, None, self.conv1_weight"),
    ],
)
def test_a_trailing_none_is_left_out(arguments: str, code: str) -> None:
    assert folded(f"out = F.conv2d({arguments})", bias=None, stride=1) == f"x = F.conv2d({code})"


def test_fragments_are_left_as_they_were() -> None:
    text = "f(input, weight, p=p, *size)"
    tree = fragment(text)
    before = ast.dump(tree)
    Folder({"p": 1, "size": (1, 2)}, CODE).expression(tree)
    assert ast.dump(tree) == before
    assert ast.dump(CODE["input"]) == ast.dump(ast.Name("x", ast.Load()))


def test_values_of_fragments() -> None:
    folder = Folder({"n": 3, "flag": True}, CODE)
    assert folder.value(fragment("n + 1 if flag else 0")) == 4
    assert folder.value(fragment("input.shape")) is UNKNOWN
    assert folder.value(fragment("unheard_of + n")) is UNKNOWN
    with pytest.raises(Fault, match="division by zero"):
        folder.value(fragment("n // 0"))


def test_a_tree_that_is_too_deep_is_a_fault() -> None:
    tree: ast.expr = ast.Name("x", ast.Load())
    for _ in range(5_000):
        tree = ast.UnaryOp(ast.Not(), tree)
    with pytest.raises(Fault, match="nested too deeply"):
        source(tree)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("(a, b) = (c, d)", "a, b = (c, d)"),
        ("(_, (h, _)) = f((x, y))", "_, (h, _) = f((x, y))"),
        ("for (x, y) in z:\n    (x, y) = g(x, y)", "for x, y in z:\n    x, y = g(x, y)"),
        ("y = [a for (a, b) in c]", "y = [a for a, b in c]"),
        ("(a + b).view(c)", "(a + b).view(c)"),
        ("(a, b)", "(a, b)"),
    ],
)
def test_code_is_the_same_with_each_python(text: str, right: str) -> None:
    """With 3.10, brackets stand around what is bound."""
    assert targets_bare(text) == right
    assert source(ast.parse(right)) == right
