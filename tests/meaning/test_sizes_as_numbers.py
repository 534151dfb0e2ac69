"""A size where a layer takes a number of another range is held to that range."""

from __future__ import annotations

import pytest

import nngen
from nngen.errors import SpecError


@pytest.mark.parametrize(
    ("layer", "message"),
    (
        ("Dropout: n", "p of Dropout cannot be n, which is 5\n"),
        ("Dropout: 1 - n", "p of Dropout cannot be 1 - n, which is -4\n"),
        ("Softplus: {beta: n - 5}", None),
        ("LayerNorm: {eps: n}", None),
    ),
)
def test_a_size_is_within_its_bounds(layer: str, message: str | None) -> None:
    text = f"name: Net\nargs: {{n: 5}}\ninput: [n]\nlayers: [{{{layer}}}]\n"
    if message is None:
        nngen.load(text)
        return
    with pytest.raises(SpecError) as caught:
        nngen.load(text)
    assert message.strip() in str(caught.value)


def test_a_division_by_an_argument_that_is_0() -> None:
    text = "name: Net\nargs: {n: 4}\nlet: {m: 12 // n}\ninput: [6]\nlayers: [Linear: m]\n"
    nngen.load(text)
    for divided in ("12 // n", "12 % n", "3 * (12 // n)"):
        with pytest.raises(SpecError, match="division by zero"):
            nngen.load(text.replace("n: 4", "n: 0").replace("12 // n", divided))
