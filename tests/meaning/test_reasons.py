"""Errors name the argument that decides what cannot be told, and values where values were meant."""

from __future__ import annotations

import pytest

import nngen
from nngen import SpecError

RANK = "cannot be inferred: how many sizes the shape of its input has depends on"
CASES = {
    "a flag, through steps and lines": (
        "args: {flat: true}",
        "[{Flatten: , when: flat}, Tanh, y = torch.relu(tanh1 * 2 + 1), {Linear: 3}]",
        f"in_features of Linear {RANK} 'flat'",
        "give in_features, as an expression where it differs",
    ),
    "a flag in a line": (
        "args: {flat: true}",
        "[y = x.flatten(1) if flat else x, 'z = y.view(-1, y.shape[1])', {Linear: 3}]",
        f"in_features of Linear {RANK} 'flat'",
        "give in_features, as an expression where it differs",
    ),
    "a flag that a function is given": (
        "args: {flat: true}",
        "['y = x.mean(dim=1, keepdim=flat)', LayerNorm]",
        f"normalized_shape of LayerNorm {RANK} 'flat'",
        "give normalized_shape, as an expression where it differs",
    ),
    "a word": (
        "args: {how: \"'mean'\"}",
        "['y = F.mse_loss(x, x * 2, reduction=how)', {Linear: 3}]",
        f"in_features of Linear {RANK} 'how'",
        "give in_features, as an expression where it differs",
    ),
    "a flag of a block, as its user calls it": (
        """
args: {flat: true}
blocks: {B: {args: {f: true}, layers: ['y = x.mean(dim=1, keepdim=f)']}}
""",
        "[{B: flat}, BatchNorm1d]",
        f"num_features of BatchNorm1d {RANK} 'flat'",
        "give num_features, as an expression where it differs",
    ),
    "a condition of a block, as its user writes it": (
        "args: {n: 2}\nblocks: {B: {args: {m: 3}, layers: [{Flatten: , when: m > 2}]}}",
        "[{B: n + 1}, {Linear: 3}]",
        f"in_features of Linear {RANK} 'n + 1 > 2'",
        "give in_features, as an expression where it differs",
    ),
    "an open size of a block": (
        "blocks: {B: {layers: [y = x / in_features]}}",
        "['y = x[:, 0]', 'z = y[:, :x.shape[0]]', B]",
        "'in_features' is open in this use of B, or its input has none",
        "in a line, `x.shape[i]` is a size of the input at hand",
    ),
    "a name that is none": (
        "args: {width: 3}",
        "[{Linear: hidden + 1}, y = fc1 * width]",
        "there is no 'hidden' here",
        "known here: width",
    ),
    "a function that is none": (
        "args: {width: 3}",
        "[{Linear: 'maxx(width, 2)'}]",
        "there is no 'maxx' here",
        "did you mean 'max'?",
    ),
    "a name where there are none": ("doc: No names", "[{Linear: hidden + 1}]", "there is no 'hidden' here", ""),
}  # fmt: skip


@pytest.mark.parametrize(("above", "layers", "message", "hint"), CASES.values(), ids=CASES)
def test_an_error_names_what_decides(above: str, layers: str, message: str, hint: str) -> None:
    with pytest.raises(SpecError) as caught:
        nngen.load(f"name: M\n{above}\ninput: [4, 6]\nlayers: {layers}\n")
    assert (caught.value.message, caught.value.hint) == (message, hint)
