"""Functions in place: they build where nothing else sees the change, and are refused where something does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch.nn.functional as F
from torch import Tensor, nn

import nngen
from nngen.errors import SpecError
from nngen.graph import follow
from nngen.language import document
from nngen.language import spec as specs
from nngen.lint import lint
from tests.meaning.by_hand import assert_as_by_hand
from tests.meaning.test_calls import lines, numbers


class After(nn.Module):
    """A Linear, and what comes after it."""

    def __init__(self, after: Callable[[After, Tensor], Any]) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.after = after

    def forward(self, x: Tensor) -> Any:
        return self.after(self, self.fc(x))


FINE: dict[str, tuple[list[str], Callable[[After, Tensor], Any]]] = {
    "the value is used nowhere else": (["y = F.relu(fc, inplace=True)"], lambda m, fc: F.relu(fc)),
    "by position": (["y = F.relu(fc, True)"], lambda m, fc: F.relu(fc)),
    "the name is bound anew": (
        ["y = fc * 2", "y = F.elu(y, inplace=True)"],
        lambda m, fc: F.elu(fc * 2),
    ),
    "twice": (
        ["y = F.dropout(fc, 0.5, training=training, inplace=True)", "z = F.relu(y, inplace=True)"],
        lambda m, fc: F.relu(F.dropout(fc, 0.5, training=m.training)),
    ),
    "the operand is computed in the call": (
        ["y = F.relu(fc + 1, inplace=True) + fc"],
        lambda m, fc: F.relu(fc + 1) + fc,
    ),
    "the shape alone is read later": (
        ["y = F.relu(fc, inplace=True)", "z = y.view(fc.shape[0], 2, fc.size(1) // 2)"],
        lambda m, fc: F.relu(fc).view(len(fc), 2, 2),
    ),
    "a copy is read later": (
        ["c = fc.clone()", "y = F.relu(fc, inplace=True)", "z = y + c"],
        lambda m, fc: F.relu(fc) + fc,
    ),
    "the value is read before": (
        ["s = fc.sum(dim=1, keepdim=True)", "y = F.relu(fc, inplace=True)", "z = y + s"],
        lambda m, fc: F.relu(fc) + fc.sum(dim=1, keepdim=True),
    ),
    "through a view that alone goes on": (
        ["v = fc.view(-1, 2, 2)", "y = F.relu(v, inplace=True)"],
        lambda m, fc: F.relu(fc.view(-1, 2, 2)),
    ),
    "windows are copied": (
        [
            "w = F.unfold(fc.view(1, 1, -1, 4), 1)",
            "y = F.relu(w, inplace=True)",
            "z = y.sum() + fc",
        ],
        lambda m, fc: F.relu(F.unfold(fc.view(1, 1, -1, 4), 1)).sum() + fc,
    ),
    "in one arm": (
        ["y = F.relu(fc, inplace=True) if training else fc"],
        lambda m, fc: F.relu(fc) if m.training else fc,
    ),
    "not in place": (["y = F.relu(fc, inplace=False) + fc"], lambda m, fc: F.relu(fc) + fc),
    "dropout": (
        ["y = F.dropout(fc, 0.5, training=training, inplace=True)"],
        lambda m, fc: F.dropout(fc, 0.5, training=m.training),
    ),
    "many": (
        [
            "a = F.hardtanh(fc, -1.0, 1.0, inplace=True)",
            "b = F.threshold(a + 1, 0.1, 0.2, inplace=True)",
            "c = F.silu(b * 1, inplace=True)",
            "d = F.mish(c * 1, inplace=True)",
        ],
        lambda m, fc: F.mish(F.silu(F.threshold(F.hardtanh(fc, -1.0, 1.0) + 1, 0.1, 0.2) * 1) * 1),
    ),
}


def spec_of(given: list[Any]) -> str:
    steps = "".join(f"  - {line}\n" for line in given)
    return f"name: A\ninput: [4]\nlayers:\n  - Linear as fc: 4\n{steps}"


@pytest.mark.parametrize(("given", "by_hand"), FINE.values(), ids=FINE)
def test_what_nothing_else_sees(given: list[str], by_hand: Callable[[After, Tensor], Any]) -> None:
    assert_as_by_hand(spec_of(given), lambda: After(by_hand), numbers(3, 4))
    assert [line for line in lines(spec_of(given)) if "inplace=" in line or ", True)" in line]


SEEN = {
    "later": (["y = F.relu(fc, inplace=True)", "z = y + fc"], "F.relu works in place on 'fc', which is used again"),
    "in the line": (["z = fc + F.relu(fc, inplace=True)"], "F.relu works in place on 'fc', which is used again"),
    "as the output": (
        ["y = F.relu(fc, inplace=True)", "z = y * 2", "w = torch.stack([z, fc])"],
        "F.relu works in place on 'fc', which is used again",
    ),
    "before, by a view": (
        ["y = fc.view(-1, 2, 2)", "z = F.relu(y, inplace=True)", "w = z.flatten(1) + fc"],
        "F.relu works in place on the memory of 'fc', which is used again",
    ),
    "a view of it": (
        ["y = fc.view(-1, 2, 2)", "z = F.relu(fc, inplace=True)", "w = z + y.flatten(1)"],
        "F.relu works in place on the memory of 'y', which is used again",
    ),
    "by a view in the call": (
        ["z = F.relu(fc.t(), inplace=True)", "w = z.sum() + fc"],
        "F.relu works in place on the memory of 'fc', which is used again",
    ),
    "by a part": (
        ["h = fc[:, :2]", "z = F.relu(h, inplace=True)", "w = z.sum() + fc"],
        "F.relu works in place on the memory of 'fc', which is used again",
    ),
    "by a split": (
        ["a, b = fc.split_with_sizes([2, 2], dim=1)", "z = F.relu(a, inplace=True)", "w = z.sum() + fc"],
        "F.relu works in place on the memory of 'fc', which is used again",
    ),
    "by what may be itself": (
        ["h = fc if training else fc * 2", "z = F.relu(h, inplace=True)", "w = z + fc"],
        "F.relu works in place on the memory of 'fc', which is used again",
    ),
    "by a layer that passes it on": (
        ["{Identity as i: {}}", "z = F.relu(i, inplace=True)", "w = z + fc"],
        "F.relu works in place on the memory of 'fc', which is used again",
    ),
    "by a Sequential that passes it on": (
        ["{Sequential as i: [Identity, {Dropout: 0.1}]}", "z = F.relu(i, inplace=True)", "w = z + fc"],
        "F.relu works in place on the memory of 'fc', which is used again",
    ),
    "by an empty Sequential": (
        ["{Sequential as i: []}", "z = F.relu(i, inplace=True)", "w = z + fc"],
        "F.relu works in place on the memory of 'fc', which is used again",
    ),
    "by a chain of views": (
        ["a = fc.view(-1, 2, 2)", "b = a.transpose(1, 2)", "c, d = b.unbind(1)", "z = F.relu(c, inplace=True) + d",
         "w = z.sum() + a"],
        "F.relu works in place on the memory of '(fc|a|b|d)', which is used again",
    ),
    "by a flag": (
        ["y = F.relu(fc, inplace=training)", "z = y + fc"],
        "F.relu works in place on 'fc', which is used again",
    ),
    "a buffer": (
        ["{Buffer as scale: {value: 'torch.ones(4)'}}", "y = F.relu(scale, inplace=True) * fc"],
        "F.relu works in place on 'scale', which keeps its values",
    ),
    "a buffer, by a view": (
        ["{Buffer as scale: {value: 'torch.ones(4)'}}", "y = F.relu(scale[None], inplace=True) * fc"],
        "F.relu works in place on the memory of 'scale', which keeps its values",
    ),
    "a layer that a line calls": (
        ["{ReLU as act: {inplace: true}, call: y = act(fc)}", "z = y + fc"],
        "act works in place on 'fc', which is used again",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("given", "message"), SEEN.values(), ids=SEEN)
@pytest.mark.parametrize("where", ["model", "block"])
def test_what_something_sees(given: list[str], message: str, where: str) -> None:
    text = spec_of(given)
    if where == "block":
        body = text.partition("layers:\n")[2].replace("  - ", "      - ")
        text = f"name: A\ninput: [4]\nblocks:\n  B:\n    layers:\n{body}layers: [B]\n"
    with pytest.raises(SpecError, match=message):
        nngen.load(text)


def test_a_block_that_passes_its_input_on() -> None:
    text = """
name: A
input: [4]
blocks:
  B: {layers: ["y = x.view(-1, 2, 2)", "z = y.flatten(1)"]}
  C: {layers: [B, "y = b1 * 1"]}
layers:
  - Linear as fc: 4
  - %s as b:
  - y = F.relu(b, inplace=True)
  - z = y + fc
"""
    nngen.load(text % "C")
    with pytest.raises(
        SpecError, match="F.relu works in place on the memory of 'fc', which is used"
    ):
        nngen.load(text % "B")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("y = F.relu(x, inplace=True)", "NN402"),
        ("y = F.dropout(x, inplace=True, training=training)", "NN402"),
    ],
)
def test_lint_tells_of_the_models_own_input(given: str, code: str) -> None:
    text = f"name: A\ninput: [4]\nlayers:\n  - {given}\n  - Linear: 2\n"
    found = lint(follow(specs.from_node(document.parse(text, "a.yaml"), "a.yaml")))
    assert code in str(found)
    report = nngen.verify(text)
    assert report.equal, report.as_text()
