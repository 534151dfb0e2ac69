"""Arithmetic, comparison and indexing of tensors: nngen's inference against torch itself."""

from __future__ import annotations

import ast
import itertools
import operator
from collections.abc import Callable
from typing import Any

import pytest
import torch

from nngen.emit.forward import shape_comment
from nngen.errors import Fault
from nngen.graph.functions import NAMESPACES, attribute
from nngen.symbolic import tensor as tensors
from nngen.symbolic.dtypes import DTYPES
from nngen.symbolic.evaluator import Evaluator
from nngen.symbolic.sizes import symbol, to_text, value_of
from nngen.symbolic.tensor import UNKNOWN, Tensor

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "@": operator.matmul,
}
REAL = DTYPES[:-2]
SHAPES: list[tuple[int, ...]] = [(2, 2), ()]


def real(tensor: Tensor) -> torch.Tensor:
    shape = tuple(value_of(size) for size in tensor.shape or ())
    return torch.ones(shape).to(getattr(torch, tensor.dtype))  # type: ignore[arg-type]


def infer(text: str, scope: dict[str, Any]) -> Any:
    return Evaluator({**scope, **NAMESPACES}, attribute)(ast.parse(text, mode="eval").body)


def evaluated(text: str, **scope: Any) -> tuple[Any, Any]:
    """What nngen and torch make of an expression; an exception where they refuse it."""
    given = {k: real(v) if isinstance(v, Tensor) else v for k, v in scope.items()}
    results: list[Any] = []
    for run in (lambda: infer(text, scope), lambda: eval(text, {"torch": torch, **given})):
        try:
            results.append(run())
        except (Fault, RuntimeError, TypeError, ValueError, IndexError) as error:
            results.append(error)
    return results[0], results[1]


def assert_agree(text: str, **scope: Any) -> None:
    ours, theirs = evaluated(text, **scope)
    if isinstance(ours, Exception) or isinstance(theirs, Exception):
        assert isinstance(ours, Fault) and isinstance(theirs, Exception), (text, ours, theirs)
        return
    assert f"torch.{ours.dtype}" == str(theirs.dtype), (text, scope)
    if ours.shape is not None:
        assert tuple(map(value_of, ours.shape)) == tuple(theirs.shape), (text, scope)


@pytest.mark.parametrize("symbol", OPERATORS)
def test_operators_take_and_give_torchs_dtypes(symbol: str) -> None:
    everything = [Tensor(shape, dtype) for dtype in REAL for shape in SHAPES]
    for left, right in itertools.product(everything, [*everything, 2, 2.5, True]):
        assert_agree(f"left {symbol} right", left=left, right=right)
        if not isinstance(right, Tensor):
            assert_agree(f"right {symbol} left", left=left, right=right)


@pytest.mark.parametrize("symbol", ["+", "-", "*", "/", "//", "%", "**", "@"])
def test_operators_on_complex_numbers(symbol: str) -> None:
    for shape, other in itertools.product(SHAPES, SHAPES):
        for dtype in ("int64", "float32", "float64", "complex64", "complex128"):
            left, right = Tensor(shape, "complex64"), Tensor(other, dtype)
            assert_agree(f"left {symbol} right", left=left, right=right)
            assert_agree(f"right {symbol} left", left=left, right=right)


@pytest.mark.parametrize("symbol", ["-", "+", "~"])
def test_signs(symbol: str) -> None:
    for dtype in DTYPES:
        assert_agree(f"{symbol}x", x=Tensor((2,), dtype))


@pytest.mark.parametrize("symbol", ["<", ">=", "==", "!="])
def test_comparisons_give_bool(symbol: str) -> None:
    for dtype, other in itertools.product(REAL, [*REAL, 1, 1.5]):
        right = Tensor((2,), other) if isinstance(other, str) else other
        assert_agree(f"left {symbol} right", left=Tensor((3, 2), dtype), right=right)


@pytest.mark.parametrize("other", [(3,), (2, 1), (2, 3), (1,), (), (4, 1, 3), (2,), (3, 2)])
def test_shapes_broadcast(other: tuple[int, ...]) -> None:
    assert_agree("x + y", x=Tensor((2, 3)), y=Tensor(other))


@pytest.mark.parametrize("left", [(3,), (2, 3), (5, 2, 3), (1, 4, 2, 3), ()])
@pytest.mark.parametrize("right", [(3,), (3, 4), (5, 3, 4), (6, 1, 3, 4), (2, 4), (4,), ()])
def test_matrix_products(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    assert_agree("x @ y", x=Tensor(left), y=Tensor(right))


# Indexing

SCOPE = {
    "x": Tensor((4, 5, 6)),
    "rows": Tensor((3,), "int64"),
    "grid": Tensor((2, 3), "int64"),
    "column": Tensor((2, 1), "int64"),
    "one": Tensor((), "int64"),
    "small": Tensor((3,), "int32"),
    "short": Tensor((3,), "int16"),
    "floats": Tensor((3,)),
    "mask": Tensor((4,), "bool"),
    "mask2": Tensor((4, 5), "bool"),
    "bytes": Tensor((4,), "uint8"),
    "wrong": Tensor((3,), "bool"),
    "yes": Tensor((), "bool"),
    "s": Tensor(()),
}
INDICES = [
    "0",
    "-1",
    "3",
    "4",
    "-5",
    "0, 1",
    "0, 1, 2",
    "0, 1, 2, 3",
    "...",
    "..., 0",
    "0, ...",
    "..., None",
    "None",
    "None, 0",
    ":, None",
    "..., None, :",
    ":",
    "1:",
    ":2",
    "-2:",
    ":-1",
    "1:-1",
    "::2",
    "1::3",
    "3:1",
    "9:",
    ":9",
    "-9:",
    ":-9",
    "-9:2",
    "::9",
    ":, 1:3, ::2",
    "0, 1:",
    "1:, 0",
    "1.5",
    "'a'",
    "rows",
    ":, rows",
    "..., rows",
    "rows, rows",
    "rows, :, rows",
    ":, rows, rows",
    "0, :, rows",
    "rows, 0",
    "rows, None, rows",
    ":, rows, None, rows",
    "rows, ..., rows",
    "0, rows",
    ":, 0, rows",
    "rows, :, 0",
    "None, rows",
    ":, None, rows",
    "grid",
    ":, grid",
    "grid, column",
    "grid, rows",
    "column, rows",
    "grid, :, rows",
    "one",
    ":, one",
    "one, rows",
    "rows, :, one",
    "small",
    "short",
    "floats",
    "[0, 1]",
    "[0, 1], [1, 2]",
    ":, [0, -1]",
    "[0, 1], rows",
    "[0], rows",
    "[True, False, True, False]",
    "[True, False]",
    "[]",
    "mask",
    "mask2",
    "bytes",
    "wrong",
    ":, mask",
    "mask, 0",
    "mask, :, 0",
    "0, mask2",
    "yes",
    "rows, mask",
    "[0, 1], :, [1, 2]",
    "[0, 1], None",
    "..., [0], [1]",
    "::-1",
    ":0",
    "::0",
    "rows, rows, rows, rows",
]


@pytest.mark.parametrize("index", INDICES)
def test_indices(index: str) -> None:
    assert_agree(f"x[{index}]", **SCOPE)


@pytest.mark.parametrize("index", ["..., 0, ...", "True", "[[0, 1], [2, 3]]", "[0.5]"])
def test_odd_indices_are_refused(index: str) -> None:
    """torch takes them, but hardly as they are meant."""
    with pytest.raises(Fault):
        infer(f"x[{index}]", SCOPE)


@pytest.mark.parametrize("index", ["0", ":", "...", "None", "..., None", "one", "yes"])
def test_indices_of_a_scalar(index: str) -> None:
    assert_agree(f"s[{index}]", **SCOPE)


@pytest.mark.parametrize("index", [i for i in INDICES if "mask" not in i and "[True" not in i])
def test_slices_of_named_sizes(index: str) -> None:
    """With names the same sizes come out."""
    shape = (symbol("A", 4), symbol("B", 5), symbol("C", 6))
    named, plain = ({**SCOPE, "x": Tensor(given)} for given in (shape, (4, 5, 6)))
    ours, theirs = evaluated(f"x[{index}]", **named)[0], evaluated(f"x[{index}]", **plain)[0]
    if isinstance(theirs, Fault):
        assert isinstance(ours, Fault)
        return
    if ours.shape is not None:
        assert tuple(map(value_of, ours.shape)) == theirs.shape


OPEN = {
    ":-1": "T - 1",
    "1:": "T - 1",
    "1:-1": "T - 2",
    "-1:": "1",
    "-3:": "3",
    ":5": "5",
    "::2": "(T + 1) // 2",
    ":T": "T",
    ":T - 1": "T - 1",
    "T // 2:": "T - T // 2",
    ":T // 2": "T // 2",
    "-T:": "T",
    ":T + 3": "T",
    ":k": "k",
    "k:": "T - k",
    "-k:": "k",
    "2:2": "0",
    "T:": "0",
    "None": "1",
}


@pytest.mark.parametrize("index", OPEN)
def test_slices_of_open_sizes(index: str) -> None:
    open_size, other = symbol("T"), symbol("k")
    result = infer(f"x[{index}]", {"x": Tensor((open_size,)), "T": open_size, "k": other})
    assert to_text(result.shape[0]) == OPEN[index]
    for count in (6, 7, 12):
        names = {"T": count, "k": 2}
        wanted = eval(f"x[{index}]", {"x": torch.ones(count), **names}).shape[0]
        assert eval(OPEN[index], dict(names)) == wanted


def test_what_is_rounded_may_agree() -> None:
    size = symbol("H")
    halved = Tensor((2, 2 * (size // 2)))
    assert tensors.combined(halved, Tensor((2, size))).shape is not None
    with pytest.raises(Fault, match="T against S"):
        tensors.combined(Tensor((symbol("T"),)), Tensor((symbol("S"),)))


def test_a_tensor_is_no_condition() -> None:
    for text in ("x if x > 0 else y", "x and y", "not x", "[*y]"):
        with pytest.raises(Fault):
            infer(text, {"x": Tensor((2,)), "y": Tensor((symbol("T"),))})


def test_a_line_cannot_fill_the_memory() -> None:
    for text in ("x.unbind(0)", "x.split(1)", "x.chunk(100000000)", "[*x]"):
        with pytest.raises(Fault, match="100000000 parts"):
            infer(text, {"x": Tensor((10**8,))})


def test_what_is_unknown_stays_unknown() -> None:
    """A value of unknown shape can be used on; what depends on its sizes is unknown too."""
    scope = {"x": Tensor((2, 3)), "m": Tensor((2, 3), "bool")}
    for text in ("x[m]", "x[m].view(-1, 3)", "x[m] + x", "x.view(x[m].size(0), -1)", "x[m][0].T"):
        assert infer(text, scope).shape is None, text
    for text in ("x[m].shape[0]", "x[m].size(0)", "x[m].numel() * 2", "x[m].ndim", "x[m].size()"):
        assert infer(text, scope) is UNKNOWN, text


def test_a_shape_that_no_glance_can_read_is_no_comment() -> None:
    width, input = symbol("width", 6), Tensor((symbol("N", varies=True), 4))
    assert shape_comment(input.sized(width), input) == "(width,)"
    long = sum((symbol(f"width{place}", 2) for place in range(12)), 0)
    assert shape_comment(input.sized(long), input) == ""
