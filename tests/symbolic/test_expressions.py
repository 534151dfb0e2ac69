"""Expressions of a spec: what is accepted, what it gives, and where an error points."""

from __future__ import annotations

import ast
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nngen.errors import Fault, Mark, SpecError
from nngen.places import Source
from nngen.symbolic.evaluator import SIZE_FUNCTIONS, Evaluator
from nngen.symbolic.expressions import parse, parse_line
from nngen.symbolic.sizes import Size, symbol
from nngen.symbolic.tensor import UNKNOWN, Tensor

MARK = Mark("model.yaml", 3, 7, "layers[0]")


def in_a_spec(text: str) -> Mark:
    """The place of a value in quotes, the first character of which stands in column 7."""
    return Mark("model.yaml", 3, 6, "layers[0]", Source(f"\n\n     {json.dumps(text)}"))


DIM = symbol("dim", 8)
SCOPE: dict[str, Any] = {
    "n": 6,
    "dim": DIM,
    "T": symbol("T"),
    "flag": True,
    "training": UNKNOWN,
    "x": Tensor((symbol("N"), 4)),
    "size": (2, 3),
}


def evaluate(text: str) -> Any:
    return Evaluator({**SIZE_FUNCTIONS, **SCOPE})(parse(text, MARK).tree)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2 * n + 1", 13),
        ("n // 4", 1),
        ("n / 4", 1.5),
        ("-n % 4", 2),
        ("2 ** 10", 1024),
        ("1e-5", 1e-05),
        ("sqrt(n + 3)", 3.0),
        ("max(n, 8) + min(1, 2, 3)", 9),
        ("prod(size) * len(size)", 12),
        ("round(n * 0.6)", 4),
        ("int(n * 0.6)", 3),
        ("abs(-n)", 6),
        ("(n, *size)", (6, 2, 3)),
        ("[n, 1][0]", 6),
        ("size[-1]", 3),
        ("size[:1] + (7,)", (2, 7)),
        ("n if flag else 0", 6),
        ("n if not flag else 0", 0),
        ("1 < n <= 6", True),
        ("n == 6 and flag", True),
        ("n > 6 or n is None", False),
        ("None", None),
        ("'words'", "words"),
        ("{'a': n}", {"a": 6}),
        ("4 * dim", 4 * DIM),
        ("dim > 7", True),
        ("T > 7", UNKNOWN),
        ("training", UNKNOWN),
        ("not training", UNKNOWN),
        ("training and n < 3", False),
        ("training or n > 3", True),
        ("n if training else n", 6),
        ("n if training else 0", UNKNOWN),
        ("x + 1", Tensor((symbol("N"), 4))),
        ("x > 1", Tensor((symbol("N"), 4), "bool")),
        ("max(T, 3)", None),
    ],
)
def test_values(text: str, value: Any) -> None:
    found = evaluate(text)
    if value is None and text != "None":
        assert isinstance(found, Size)
    else:
        assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "column", "message", "hint"),
    [
        ("1 +", 7, "'1 +' is not valid Python: invalid syntax", ""),
        ("n * ]", 11, "'n * ]' is not valid Python: unmatched ']'", ""),
        ("n + wdith", 11, "there is no 'wdith' here", ""),
        ("lambda: 1", 7, "a lambda cannot stand in a spec's expression", ""),
        ("(y := 2)", 8, "`:=` cannot stand in a spec's expression", ""),
        ("f'{n}'", 7, "an f-string cannot stand in a spec's expression", ""),
        ("[i for i in size]", 7, "a comprehension cannot stand in a spec's expression", ""),
        ("{1, 2}", 7, "a set cannot stand in a spec's expression", ""),
        ("1 in size", 7, "`in` cannot stand in a spec's expression", ""),
        ("n.__class__", 7, "'__class__' is a private attribute; a spec cannot use it", ""),
        ("n + _hidden", 11, "'_hidden' is a private name; a spec cannot use it", ""),
        ("max(**size)", 11, "`**` cannot stand", "write each argument by its name"),
        ("{1: 2}", 7, "the keys of a dict must be strings", ""),
        ("{**size}", 7, "the keys of a dict must be strings", ""),
        ("n + b'x'", 11, "a bytes literal cannot stand in a spec's expression", ""),
        ("n + 2j", 11, "a complex literal cannot stand in a spec's expression", ""),
        ("99999999999999999999", 7, "the number is too large", ""),
        ("10 ** 30", 7, "the number is too large", ""),
        ("2 ** 2000", 7, "the number is too large", ""),
        ("(-1) ** 0.5", 7, "the number is not real", ""),
        ("n // (3 - 3)", 7, "division by zero", ""),
        ("n + 'a'", 7, "'+' does not go with these values", ""),
        ("size * 3", 7, "'*' does not go with these values", ""),
        ("-size", 7, "size is not a number", ""),
        ("n(3)", 7, "n is not a layer or function, it cannot be called", ""),
        ("n[0]", 7, "n cannot be indexed", ""),
        ("n.shape", 7, "a size has no attribute 'shape'", ""),
        ("1 if T else 2", 7, "whether T is zero is not known", ""),
    ],
)
def test_refusals(text: str, column: int, message: str, hint: str) -> None:
    expression = None
    with pytest.raises(SpecError) as caught:
        try:
            expression = parse(text, in_a_spec(text))
            Evaluator({**SIZE_FUNCTIONS, **SCOPE})(expression.tree)
        except Fault as fault:
            assert expression is not None
            raise expression.fault(fault) from None
    error = caught.value
    assert error.message.startswith(message)
    assert (error.mark.line, max(error.mark.column, 7), error.mark.path) == (3, column, "layers[0]")
    assert error.hint.startswith(hint) and bool(error.hint) >= bool(hint)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("y = x + 1", "y"),
        ("a, b = f(x)", ("a", "b")),
        ("(a, b) = f(x)", ("a", "b")),
        ("[a, b] = f(x)", ("a", "b")),
        ("a, = f(x)", ("a",)),
        ("y, (h, c) = f(x)", ("y", ("h", "c"))),
        ("_ = f(x)", "_"),
    ],
)
def test_lines(text: str, target: Any) -> None:
    tree = ast.parse(text).body[0]
    assert isinstance(tree, ast.Assign)
    line = parse_line(text, MARK)
    assert line.target == target
    assert ast.dump(line.value.tree) == ast.dump(tree.value)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("x +", "'x +' is not valid Python: invalid syntax", ""),
        ("f(x)", "'f(x)' is neither a layer nor a line", "write a step as a layer"),
        ("x += y", "'x += y' is neither a layer nor a line", "write `x = x + y`"),
        ("a = b = x", "'a = b = x' is neither a layer nor a line", "write a step"),
        ("y = x; z = y", "'y = x; z = y' is neither a layer nor a line", "write a step"),
        ("y: int = x", "'y: int = x' is neither a layer nor a line", "write a step"),
        ("import os", "'import os' is neither a layer nor a line", "write a step"),
        ("x[0] = y", "a line can bind names only, not 'x[0]'", "write `y = …`"),
        ("x.data = y", "a line can bind names only, not 'x.data'", "write `y = …`"),
        ("y = exec", "", ""),
    ],
)
def test_lines_that_are_none(text: str, message: str, hint: str) -> None:
    if not message:
        parse_line(text, MARK)
        return
    with pytest.raises(SpecError) as caught:
        parse_line(text, MARK)
    assert caught.value.message.startswith(message)
    assert caught.value.hint.startswith(hint)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 900 + "1" + ")" * 900,
        "-" * 1_900 + "1",
        "1" + "+1" * 990,
        "[" * 300 + "]" * 300,
        "x" * 2_001,
        "x\0y",
        "\udc80",
        "'" + "a" * 500 + "'",
        "9" * 1_900,
        "1" + "0" * 400 + ".0e10",
        "1e999",
    ],
    ids=lambda text: text[:8],
)
def test_what_is_too_much_ends_in_an_error(text: str) -> None:
    try:
        evaluate(text)
    except (SpecError, Fault) as error:
        assert len(error.message) < 200


@given(st.text(max_size=30) | st.text("xn+-*/()[]{}.,:=<>'\"_ 0123456789e", max_size=30))
def test_no_text_escapes(text: str) -> None:
    try:
        evaluate(text)
    except (SpecError, Fault):
        pass
