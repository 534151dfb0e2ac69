"""Random expressions over None, flags, numbers and lists: what is written gives what Python's eval gives."""

from __future__ import annotations

import random
from itertools import product
from typing import Any

import pytest
import torch

from nngen.proof.loading import load

ARGUMENTS: dict[str, list[Any]] = {
    "a": [None, 0, 2],
    "b": [True, False],
    "c": [3, 1],
    "d": [0.5, 2.0],
    "e": [(2, 5), (1, 1)],
}


class Draw:
    """Draws expressions that have a value for all arguments."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def number(self, depth: int) -> str:
        if depth == 0:
            return self.random.choice(
                ["c", "d", "2", "5", "0.25", "e[0]", "e[1]", "(a or 1)", "len(e)"]
            )
        left, right = self.number(depth - 1), self.number(depth - 1)
        test = self.flag(depth - 1)
        return self.random.choice(
            [
                f"({left} + {right})",
                f"({left} - {right})",
                f"({left} * {right})",
                f"max({left}, {right})",
                f"min({left}, {right})",
                f"int({left})",
                f"abs({left})",
                f"({left} if {test} else {right})",
                f"({left} or {right})",
                f"({left} and {right})",
                f"({test}) * {left}",
                f"-{left}",
                f"{left} // 2",
                f"{left} / 4",
            ]
        )

    def flag(self, depth: int) -> str:
        if depth == 0:
            return self.random.choice(
                ["b", "a is None", "a is not None", "c > 2", "d == 0.5", "not b"]
            )
        left, right = self.flag(depth - 1), self.flag(depth - 1)
        one, two = self.number(depth - 1), self.number(depth - 1)
        return self.random.choice(
            [
                f"({left} and {right})",
                f"({left} or {right})",
                f"not ({left})",
                f"({one} < {two})",
                f"({one} <= {two} < 9)",
                f"({one} == {two})",
                f"({one} != {two})",
                f"({self.anything(depth - 1)}) is None",
            ]
        )

    def anything(self, depth: int) -> str:
        if depth == 0:
            return self.random.choice(["a", "None", "b", "c"])
        test, one, other = self.flag(depth - 1), self.anything(depth - 1), self.number(depth - 1)
        return self.random.choice(
            [
                f"({one} if {test} else {other})",
                f"({one} or {other})",
                f"({one} and {other})",
                f"({test} or {one})",
                f"(None if {test} else {one})",
            ]
        )


# All are drawn alike: further ones are for `make test-long`.
@pytest.mark.parametrize(
    "seed", [*range(6), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(6, 32))]
)
def test_an_expression_is_what_python_says(seed: int) -> None:
    text = Draw(seed).anything(3)
    number = f"-1 if ({text}) is None else ({text}) * 1"
    pair = load(f"""
name: M
args: {{a: null, b: true, c: 3, d: 0.5, e: [2, 5]}}
let:
  used: (a or 0) + b * c + d + e[0]
  value: "{text}"
  number: "{number}"
  size: 1 + int(abs(number)) % 4
input: [2]
layers:
  - Parameter as p: {{shape: [size], init: zeros_}}
  - Linear as fc: "1 + int(abs({number})) % 3"
    call: f = fc(x)
  - LayerNorm as norm: "1 + int(abs({number})) % 3"
    from: f
  - y = x * (0 if value is None else 1) + number
  - z = y * 0 + ({number})
outputs: y, z, norm, p, x * used
""")
    for values in product(*ARGUMENTS.values()):
        names = dict(zip(ARGUMENTS, values))
        wanted, right = eval(text, {}, names), eval(number, {}, names)
        for twin in (pair.nn_style, pair.functional_style):
            y, z, norm, p, _ = twin.M(**names)(torch.ones(1, 2))
            assert torch.equal(y, torch.ones(1, 2) * (0 if wanted is None else 1) + right), text
            assert torch.equal(z, torch.zeros(1, 2) + right), text
            assert norm.shape == (1, 1 + int(abs(right)) % 3), text
            assert p.shape == (1 + int(abs(right)) % 4,), text
