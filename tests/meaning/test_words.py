"""Words, and many flags of one call, that are arguments: what they decide is not a number of the check's alone."""

from __future__ import annotations

import ast

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nngen import SpecError, verify
from nngen.graph.deciding import decided
from nngen.graph.scope import Choices, Scope, Walkthrough
from nngen.graph.written import Given
from nngen.proof.loading import load
from nngen.symbolic.sizes import value_of
from nngen.symbolic.substitution import opaque_in, substitute
from nngen.symbolic.tensor import Tensor as Shaped
from nngen.symbolic.untold import Untold, untold_reason
from tests.meaning.against import compare


def spec(arguments: str, *steps: str, shape: str = "[3, 9]") -> str:
    lines = "\n".join(f"  - {step}" for step in steps)
    return f"name: M\nargs: {{{arguments}}}\ninput: {shape}\nlayers:\n{lines}\n"


WEIGHT = "Parameter as w: {shape: [5, 3, 3], init: normal_}"
UNTOLD = {
    "a padding by name": (
        spec("pad: \"'same'\"", WEIGHT, "y = F.conv1d(x, w, padding=pad)", "Linear: 2"),
        "is 9 here only: it depends on 'pad'",
    ),
    "a padding by its place": (
        spec("pad: \"'valid'\"", WEIGHT, "y = F.conv1d(x, w, None, 1, pad)", "Linear: 2"),
        "is 7 here only: it depends on 'pad'",
    ),
    "an equation": (
        spec("eq: \"'bij->bji'\"", "y = torch.einsum(eq, x)", "Linear: 2"),
        "is 3 here only: it depends on 'eq'",
    ),
    "the order of a grid": (
        spec(
            "how: \"'ij'\"",
            "i, _ = torch.meshgrid(torch.arange(3), torch.arange(9), indexing=how)",
            "y = x.mean() * i.float()",
            "Linear: 2",
        ),
        "is 9 here only: it depends on 'how'",
    ),
}


@pytest.mark.parametrize(("text", "reason"), UNTOLD.values(), ids=UNTOLD)
def test_a_size_that_a_word_decides_is_asked_for(text: str, reason: str) -> None:
    with pytest.raises(SpecError) as caught:
        load(text)
    assert reason in str(caught.value)


def test_what_a_word_decides_need_not_be_known_where_nothing_asks() -> None:
    pair = load(
        spec(
            "pad: \"'same'\"",
            WEIGHT,
            "y = F.conv1d(x, w, padding=pad)",
            "AdaptiveAvgPool1d: 1",
            "Flatten",
            "Linear: 2",
        )
    )

    class Model(nn.Module):
        def __init__(self, pad: str) -> None:
            super().__init__()
            self.pad = pad
            self.w = nn.Parameter(torch.empty(5, 3, 3).normal_())
            self.fc = nn.Linear(5, 2)

        def forward(self, x: Tensor) -> Tensor:
            y = F.conv1d(x, self.w, padding=self.pad)
            y = self.fc(F.adaptive_avg_pool1d(y, 1).flatten(1))
            return y

    for pad in ("same", "valid"):
        compare(pair, Model, (2, 3, 9), pad=pad)


def test_a_word_may_decide_how_many_dimensions_there_are() -> None:
    how = "how: \"'mean'\""
    line = "y = F.mse_loss(x, x * 2, reduction=how)"
    with pytest.raises(SpecError, match="cannot be inferred"):
        load(spec(how, line, "Linear: 2"))
    pair = load(spec(how, line, "z = y.sum()"))

    class Model(nn.Module):
        def __init__(self, how: str) -> None:
            super().__init__()
            self.how = how

        def forward(self, x: Tensor) -> Tensor:
            return F.mse_loss(x, x * 2, reduction=self.how).sum()

    for word in ("mean", "sum", "none"):
        compare(pair, Model, (4, 3, 9), how=word)


def test_verify_tries_the_words_that_torch_knows() -> None:
    report = verify(
        spec(
            "pad: \"'same'\", up: \"'nearest'\", edge: \"'reflect'\"",
            "Conv2d as conv: {out_channels: 2, kernel_size: 3, padding: pad}",
            "Upsample as larger: {scale_factor: 2, mode: up}",
            "y = F.pad(larger, (1, 1, 1, 1), mode=edge)",
            shape="[3, 6, 6]",
        )
    )
    assert report.equal, report.as_text()
    tried = {row.where.partition(", ")[2] for row in report.rows if row.group == "other arguments"}
    words = {"pad='valid'", "up='bilinear'", "up='bicubic'", "up='area'", "edge='replicate'"}
    assert words <= tried
    assert not report.skipped


BAG = """
name: M
args: {norm: 2.0, most: 3.0, scaled: false, how: "'mean'", thin: false, last: false}
inputs:
  ids: {shape: [7], dtype: int64, below: 9, batch: false}
  at: {shape: [3], dtype: int64, below: 1, batch: false}
layers:
  - Parameter as w: {shape: [9, 5], init: normal_}
  - y = F.embedding_bag(ids, w, at, most, norm, scaled, how, thin, None, last)
  - z = y.transpose(0, 1)
  - Linear as fc: 2
"""


def test_the_sixth_argument_of_a_call_decides() -> None:
    pair = load(BAG)
    for twin in (pair.nn_style, pair.functional_style):
        for last in (False, True):
            model = twin.M(last=last)
            output = model(torch.arange(7), torch.tensor([0, 0, 7]))
            assert output.shape == (5, 2)


@pytest.mark.parametrize("count", [4, 5, 6])
def test_no_flag_beyond_those_that_are_told_is_forgotten(count: int) -> None:
    flags = {f"f{place}": place % 2 == 0 for place in range(count)}
    trees = {name: ast.parse(name, mode="eval").body for name in flags}
    scope = Scope("M", flags, Choices(), Walkthrough({}, lambda: None, {}))

    def compute(values: dict[str, bool]) -> Shaped:
        return Shaped((1 + sum(value << place for place, value in enumerate(values.values())),))

    found = decided(flags, trees, compute, scope)
    assert found.shape is not None
    (size,) = found.shape
    assert value_of(size) == compute(flags).shape[0]
    vague = any(isinstance(each, Untold) for each in opaque_in(size))
    assert vague is (count > 4)
    assert bool(untold_reason(size)) is (count > 4)
    if count == 4:
        for changed in ({**flags, "f3": True}, dict.fromkeys(flags, True)):
            assert value_of(substitute(size, _meant(changed))) == compute(changed).shape[0]


def _meant(flags: dict[str, bool]) -> dict[str, Given]:
    return {name: Given(ast.Constant(value)) for name, value in flags.items()}


def test_flags_that_decide_nothing_are_no_hindrance() -> None:
    flags = dict.fromkeys(("a", "b", "c", "d", "e", "f"), True)
    trees = {name: ast.parse(name, mode="eval").body for name in flags}
    scope = Scope("M", flags, Choices(), Walkthrough({}, lambda: None, {}))
    found = decided(flags, trees, lambda values: Shaped((2 + values["f"],)), scope)
    assert str(found) == "(3 if f else 2,)"


def test_flags_that_decide_together() -> None:
    flags = dict.fromkeys(("a", "b", "c", "d", "e", "f"), False)
    trees = {name: ast.parse(name, mode="eval").body for name in flags}
    scope = Scope("M", flags, Choices(), Walkthrough({}, lambda: None, {}))

    def compute(values: dict[str, bool]) -> Shaped:
        return Shaped((sum(values[name] for name in "abcd") + 1 + (values["e"] and values["f"]),))

    found = decided(flags, trees, compute, scope)
    assert found.shape is not None
    assert "it depends on" in untold_reason(found.shape[0])
