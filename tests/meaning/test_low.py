"""`low` beside `below`: from which number on the values of an input are drawn."""

from __future__ import annotations

import pytest
import torch

import nngen
from nngen.errors import SpecError
from nngen.proof import loading
from nngen.proof.feed import draw_feed

PACKED = """
name: M
inputs:
  tokens: {shape: [T], dtype: int64, below: 50}
  lengths: {shape: [], dtype: int64, low: 1, below: 8}
layers:
  - Embedding as embed: {num_embeddings: 50, embedding_dim: 6}
    from: tokens
  - packed = nn.utils.rnn.pack_padded_sequence(embed, lengths, batch_first=True, enforce_sorted=False)
  - GRU as gru: {hidden_size: 5, batch_first: true}
    call: _, h = gru(packed)
  - Linear: 4
    from: h
check: {T: 8}
"""
ONE = "name: M\nargs: {{n: 5}}\ninput: {{shape: [400], {0}}}\nlayers: [y = x + n]\n"


def test_lengths_from_one_are_verified() -> None:
    assert nngen.verify(PACKED).equal


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("dtype: int64, low: 1, below: 8", {1, 2, 3, 4, 5, 6, 7}),
        ("dtype: int32, low: -2, below: 1", {-2, -1, 0}),
        ("dtype: int64, low: n - 2, below: 2 * n - 5", {3, 4}),
        ("dtype: uint8, low: 3, below: n", {3, 4}),
        ("dtype: int64, below: 2", {0, 1}),
        ("dtype: int64, low: -5, below: -3", {-5, -4}),
    ],
)
def test_integers_from_low_on(given: str, expected: set[int]) -> None:
    subject = loading.load(ONE.format(given)).subject()
    feed = draw_feed(subject, 4, 0)
    assert set(feed.inputs["x"].flatten().tolist()) == expected


@pytest.mark.parametrize(("low", "below"), [(-1, 1), (2, 3), (0, 4)])
def test_floats_from_low_on(low: int, below: int) -> None:
    subject = loading.load(ONE.format(f"low: {low}, below: {below}")).subject()
    drawn = draw_feed(subject, 4, 0).inputs["x"]
    assert drawn.dtype == torch.float32
    width = below - low
    assert low <= drawn.min() < low + width / 100 and below - width / 100 < drawn.max() < below


def test_inputs_of_a_loss() -> None:
    text = """
name: M
input: [4]
layers: [Linear: 3]
loss:
  inputs: {target: {shape: [3], low: 1, below: 2}}
  layers: [loss = (output - target).abs().mean()]
"""
    subject = loading.load(text.replace("Linear: 3]", "Linear as output: 3]")).subject()
    target = draw_feed(subject, 4, 0).targets["target"]
    assert 1 <= target.min() and target.max() < 2


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            "dtype: int64, low: 1",
            "3:42: input.low: `low` lacks its `below`\n  hint: `{shape: [], dtype: int64, low: 1, below: 8}` draws from 1 to 7",
        ),
        (
            "dtype: int64, low: 4, below: 4",
            "3:52: input.below: nothing is from 4 on and below 4\n  hint: `below` is greater than `low`",
        ),
        (
            "low: n, below: 3",
            "3:38: input.below: nothing is from 5 on and below 3\n  hint: `below` is greater than `low`",
        ),
        ("low: 0.5, below: 3", "3:28: input.low: `low` is a whole number, not 0.5"),
        ("low: true, below: 3", "3:28: input.low: `low` is a whole number, not true"),
        ("low: 1, below: 2.5", "3:38: input.below: `below` is a whole number, not 2.5"),
        (
            "dtype: uint8, low: -1, below: 3",
            "3:42: input.low: uint8 has no values below 0, so `low` cannot be -1",
        ),
        (
            "dtype: int64, low: 1, below: 99999999999999",
            "3:52: input.below: `below` is a whole number between -2**40 and 2**40, not 99999999999999",
        ),
    ],
)
def test_what_cannot_be_drawn(given: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        nngen.load(ONE.format(given))
    error = caught.value
    hint = f"\n  hint: {error.hint}" if error.hint else ""
    assert f"{error.mark}: {error.mark.path}: {error.message}{hint}" == f"<text>:{message}"


def test_the_place_of_an_error_in_a_report() -> None:
    report = nngen.verify(PACKED.replace("low: 1, ", ""))
    assert not report.equal
    assert ">:" not in report.as_text().replace("<text>:", "")
