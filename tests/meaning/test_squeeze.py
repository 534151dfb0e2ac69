"""Squeezing a dimension whose size an argument gives: whether it goes, the argument decides."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import nngen
from nngen.errors import SpecError
from tests.claims import claims_hold
from tests.meaning.against import compare

Step = Callable[[Tensor], Tensor]

TEXT = """
name: M
args: {k: K}
input: [4, 8]
layers:
  - Conv1d as c: {out_channels: k, kernel_size: 1}
  - STEPS
"""


def text(k: int, *steps: str) -> str:
    """A spec whose argument has this value by default."""
    return TEXT.replace("K", str(k)).replace("STEPS", "\n  - ".join(steps))


class ByHand(nn.Module):
    """What the spec says, with a layer at the end."""

    def __init__(self, k: int, step: Step, layer: bool) -> None:
        super().__init__()
        self.c = nn.Conv1d(4, k, 1)
        self.step = step
        self.head = nn.Linear(8, 3) if layer else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.head(self.step(self.c(x)))
        return result


@pytest.mark.parametrize(
    ("steps", "step", "claim"),
    [
        (["y = c.squeeze(1)"], lambda c: c.squeeze(1), "(N, k, 8), or (N, 8)"),
        (["y = c.squeeze(1) * 2"], lambda c: c.squeeze(1) * 2, "(N, k, 8), or (N, 8)"),
        (["y = c.squeeze((1, 2))"], lambda c: c.squeeze((1, 2)), "(N, k, 8), or (N, 8)"),
        (["y = torch.sigmoid(c.squeeze(1))"], lambda c: torch.sigmoid(c.squeeze(1)), "(N, k, 8), or (N, 8)"),
        (["y = c.squeeze(1).mean(1)"], lambda c: c.squeeze(1).mean(1), "(N, 8), or (N,)"),
        (["y = c.squeeze(1)", "Linear as head: 3"], lambda c: c.squeeze(1), "(N, k, 3), or (N, 3)"),
    ],
)  # fmt: skip
def test_an_argument_decides_whether_a_dimension_goes(
    steps: list[str], step: Step, claim: str
) -> None:
    for default in (1, 2):
        pair = nngen.load(text(default, *steps))
        assert pair.graph.model.doc == f"Maps (N, 4, 8) to {claim}."
        claims_hold(pair)
        for k in (1, 2, 5):
            compare(pair, lambda k: ByHand(k, step, len(steps) > 1), (3, 4, 8), k=k)


def test_a_loss_takes_either() -> None:
    pair = nngen.load(text(1, "y = c.squeeze(1)") + "loss: MSELoss\n")
    assert pair.graph.model.loss is not None
    assert pair.graph.model.loss.doc == (
        "Mean squared error of (N, k, 8) or (N, 8) and targets (N, k, 8) or (N, 8)."
    )
    claims_hold(pair)


@pytest.mark.parametrize("k", [1, 2])
def test_a_layer_has_one_size(k: int) -> None:
    with pytest.raises(SpecError) as raised:
        nngen.load(text(k, "y = c.squeeze(1).sum(-1)", "Linear: 3"))
    assert raised.value.message == (
        "in_features of Linear cannot be inferred: the shape of (N,) or (N, k) is not known before the model runs"
    )


def test_a_number_decides_it_for_good() -> None:
    pair = nngen.load(text(2, "y = c.mean(1, keepdim=True).squeeze(1) * k"))
    assert pair.graph.model.doc == "Maps (N, 4, 8) to (N, 8)."
    compare(pair, lambda k: ByHand(k, lambda c: c.mean(1) * k, False), (3, 4, 8), k=3)
