"""Arguments with a default of None, and what expressions make of them."""

from __future__ import annotations

import ast
from itertools import product
from typing import Any

import pytest
from torch import nn

from nngen.catalog.partial_evaluation import Folder, renamed, source
from nngen.proof.loading import load
from tests.meaning.against import check, compare


def test_a_default_of_none_is_asked_for_in_let() -> None:
    spec = """
        name: M
        input: [4]
        blocks:
          B:
            args: {mid: null}
            let: {width: 8 if mid is None else mid}
            layers: [{Linear as fc: width}, ReLU]
        layers: [B as a, {B as b: {mid: 6}}]
        """
    pair = check(
        spec, lambda: nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 6), nn.ReLU()), (3, 4)
    )
    for name in ("nn_style.py", "functional_style.py"):
        text = pair.source_map.files[name].text
        assert "width = 8 if mid is None else mid" in text
        assert "def __init__(self, in_features: int, mid: int | None = None)" in text


def test_a_stride_of_none_is_not_taken_for_one_that_is_given() -> None:
    spec = """
        name: M
        input: [2, 8]
        blocks:
          B:
            args: {stride: null}
            let: {step: 1 if stride is None else stride}
            layers: [{MaxPool1d: {kernel_size: 2, stride: step}}]
        layers: [B as a, {B as b: {stride: 3}}]
        """
    check(spec, lambda: nn.Sequential(nn.MaxPool1d(2, 1), nn.MaxPool1d(2, 3)), (3, 2, 8))


@pytest.mark.parametrize("checked", ["", "check: {mid: 4}"])
@pytest.mark.parametrize("mid", [None, 3, 4])
def test_the_model_asks_for_none_itself(checked: str, mid: int | None) -> None:
    spec = f"""
        name: M
        input: [2, 8]
        args: {{mid: null}}
        let: {{width: 5 if mid is None else mid}}
        layers: [{{Conv1d: {{out_channels: width, kernel_size: 1}}}}]
        {checked}
        """
    pair = load(spec)
    assert "mid: int | None = None" in pair.source_map.files["nn_style.py"].text
    compare(pair, lambda mid: nn.Conv1d(2, mid or 5, 1), (3, 2, 8), mid=mid)


def test_the_type_of_an_argument_is_made_of_all_uses() -> None:
    spec = """
        name: M
        input: [4]
        blocks:
          B:
            args: {mid: null, rate: 0, slope: required}
            layers:
              - Linear as fc: 4
              - Linear as more: mid
                when: mid is not None
              - Dropout: rate
              - LeakyReLU: slope
        layers:
          - B as a: {slope: 1}
          - B as b: {mid: 6, rate: 0.5, slope: 0.5}
        """
    text = load(spec).source_map.files["nn_style.py"].text
    assert "slope: float | int" in text
    assert "mid: int | None = None" in text
    assert "rate: float | int = 0" in text


EXPRESSIONS = (
    "1 if a is None else a",
    "a or b",
    "a and b",
    "a or 8",
    "not a or b",
    "None or a",
    "a if a is not None and b else 3",
    "b if not (a is None) else (a or 2)",
    "a is None or b is None",
    "(a or 1) + (b or 2)",
    "max(a or 1, b or 2)",
    "8 if 1 < 2 else a",
    "a or True",
    "False or a or 5",
    "a and 0 or b",
    "a == b or a is b",
    "[a, 1][0]",
    "1 < (a or 0) < 3",
)


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_printed_expressions_mean_what_they_say(text: str) -> None:
    tree = ast.parse(text, mode="eval").body
    printed = [
        source(renamed(tree, lambda name: name)),
        source(renamed(tree, lambda name: f"s['{name}']")),
        source(Folder({}).expression(tree)),
    ]
    for a, b in product((None, 0, 1, 2, True, False), repeat=2):
        names: dict[str, Any] = {"a": a, "b": b, "s": {"a": a, "b": b}}
        wanted = eval(text, {}, names)
        for each in (*printed, source(Folder({"a": a}).expression(tree))):
            found = eval(each, {}, names)
            assert (type(found), found) == (type(wanted), wanted), each
