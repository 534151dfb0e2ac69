"""Views and reshapes whose sizes fit, though it takes a definition or the numbers of the use to see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nngen import verify
from nngen.errors import SpecError
from nngen.proof.loading import load

By = Callable[..., Tensor]


def check(text: str, by_hand: By, *inputs: Tensor, **arguments: Any) -> None:
    """Both twins, built with these arguments, give what `by_hand` gives."""
    pair = load(text)
    for style in (pair.nn_style, pair.functional_style):
        output = getattr(style, pair.graph.model.name)(**arguments)(*inputs)
        wanted = by_hand(*inputs)
        assert output.shape == wanted.shape and torch.equal(output, wanted)


def nn_lines(text: str) -> list[str]:
    return [line.strip() for line in load(text).source_map.files["nn_style.py"].text.splitlines()]


WIDE = "name: M\nargs: {dim: 4}\nlet: {wide: 3 * dim}\ninput: [3, dim]\nlayers:\n"


@pytest.mark.parametrize("dim", [4, 5])
@pytest.mark.parametrize(
    "line", ["x.reshape(x.shape[0], wide)", "x.view(-1, wide)", "x.flatten(1).view(-1, wide)"]
)
def test_a_name_of_let_is_what_it_is_made_of(line: str, dim: int) -> None:
    x = torch.randn(2, 3, dim)
    check(f"{WIDE}  - y = {line}", lambda x: x.flatten(1), x, dim=dim)


def test_the_batch_is_found_behind_a_name_of_let() -> None:
    text = WIDE + "  - e = x.view(-1, wide)\n  - Linear: 1\nloss: MSELoss"
    lines = nn_lines(text)
    assert "e = x.view(-1, self.wide)  # (N, wide)" in lines
    assert "self.fc1 = nn.Linear(wide, 1)" in lines
    assert load(text).graph.targets[0].batch
    assert verify(text).equal


@pytest.mark.parametrize(
    "args, let",
    [
        ("dim: 4", "int(0.75 * dim)"),
        ("flag: true", "3 if flag else 4"),
        ("dim: 4", "max(dim - 1, 3)"),
    ],
)
def test_what_let_computes_otherwise_counts_with_its_number(args: str, let: str) -> None:
    text = (
        f"name: M\nargs: {{{args}}}\nlet: {{wide: '{let}'}}\ninput: [6, 4]\n"
        "layers:\n  - y = x.view(-1, wide)\n  - Linear: 2\nloss: MSELoss"
    )
    pair = load(text)
    assert pair.graph.targets[0].shape[1:] == (2,)
    assert verify(text).equal


def test_targets_are_drawn_with_the_values_of_the_arguments() -> None:
    text = "name: M\nargs: {dim: 4}\ninput: [3, dim]\nlayers:\n  - y = x.reshape(-1, 3)\n  - Linear: 2\nloss: MSELoss"
    assert load(text).graph.targets[0].shape == ("N * dim", 2)
    assert verify(text).equal


def test_a_size_of_one_in_one_use_keeps_its_names() -> None:
    text = """
name: M
input: [2, 4, 4]
blocks:
  B:
    layers:
      - t = x.flatten(2)
      - same = t * 2
      - u = same.view(x.shape)
layers:
  - B as first
  - MaxPool2d: 4
  - B as second
"""
    x = torch.randn(3, 2, 4, 4)
    check(text, lambda x: nn.functional.max_pool2d(x * 2, 4) * 2, x)


HEADS = """
name: M
args: {heads: 4}
input: [6, 16]
layers:
  - B, T, C = x.size()
  - q = x.view(B, T, heads, C // heads).transpose(1, 2)
  - y = q.transpose(1, 2).contiguous().view(B, T, C)
"""


@pytest.mark.parametrize("heads", [4, 2, 16])
def test_heads_by_an_argument(heads: int) -> None:
    check(HEADS, lambda x: x, torch.randn(2, 6, 16), heads=heads)


@pytest.mark.parametrize(
    "line, heads, message, hint",
    [
        (
            "x.view(B, T, heads, C // heads)",
            5,
            "(N, 6, 16) has 96 * N elements, (N, 6, heads, 16 // heads), here (N, 6, 5, 3), has 90 * N",
            "16 does not divide by 5",
        ),
        (
            "x.view(B, T, heads, 8)",
            4,
            "(N, 6, 16) has 96 * N elements, (N, 6, heads, 8), here (N, 6, 4, 8), has 192 * N",
            "write -1 for the last size, which takes what is left: 4",
        ),
        (
            "x.view(B, T, heads, -1)",
            5,
            "the 96 * N elements of (N, 6, 16) do not divide by 30 * N",
            "",
        ),
        ("x.view(-1, heads, 1)", 5, None, ""),
    ],
)
def test_what_does_not_fit_is_refused_with_its_numbers(
    line: str, heads: int, message: str | None, hint: str
) -> None:
    text = f"name: M\nargs: {{heads: 4}}\ninput: [6, 16]\nlayers:\n  - B, T, C = x.size()\n  - y = {line} * (B * T * C)\n"
    text += f"check: {{heads: {heads}}}"
    if message is None:  # some batches divide
        load(text)
        return
    with pytest.raises(SpecError) as caught:
        load(text)
    assert (caught.value.message, caught.value.hint) == (f"Tensor.view: {message}", hint)


def test_the_dimension_that_two_of_a_view_make_is_the_one_they_are_of() -> None:
    text = """
name: M
args: {heads: 4}
input: [6, 16]
layers:
  - B, T, C = x.shape
  - y = x.view(B, T, heads, C // heads).flatten(2)
  - Linear: 3
"""
    assert "self.fc1 = nn.Linear(16, 3)" in nn_lines(text)


GROUPED = """
name: M
args: {groups: 2}
input: [8, 4, 4]
blocks:
  B:
    args: {groups: }
    layers:
      - b, c, h, w = x.shape
      - y = LINE
layers:
  - {B as first: {groups: groups}}
  - Conv2d: {out_channels: 12, kernel_size: 3}
  - {B as second: {groups: 3}}
"""


@pytest.mark.parametrize("groups", [2, 4])
@pytest.mark.parametrize(
    "line, by_hand",
    [
        (
            "x.view(b, groups, c // groups, h, w).transpose(1, 2).reshape(b, c, h, w)",
            lambda x, g: x.unflatten(1, (g, -1)).transpose(1, 2).flatten(1, 2),
        ),
        ("torch.cat(x.chunk(groups, 1), 1).view(b, c, h, w)", lambda x, g: x),
        ("x.reshape(x.shape[0] * groups, c // groups, h, w).view(b, -1, h, w)", lambda x, g: x),
        ("x.view(b, groups, -1).mean(1).repeat(1, groups).view(b, c, h, w)", None),
    ],
)
def test_each_use_of_a_block_counts_with_its_numbers(line: str, by_hand: Any, groups: int) -> None:
    def wanted(x: Tensor, g: int) -> Tensor:
        if by_hand is not None:
            return by_hand(x, g)
        return x.reshape(len(x), g, -1).mean(1).repeat(1, g).view_as(x)

    torch.manual_seed(0)
    pair = load(GROUPED.replace("LINE", line))
    for style in (pair.nn_style, pair.functional_style):
        model = style.M(groups=groups)
        x = torch.randn(2, 8, 4, 4)
        weight, bias = model.parameters()
        inner = nn.functional.conv2d(wanted(x, groups), weight, bias)
        assert torch.equal(model(x), wanted(inner, 3))


def test_an_input_may_be_an_expression_over_open_sizes() -> None:
    text = """
name: M
inputs:
  x: {shape: [2 * B, 4], batch: false}
  y: {shape: [B, 4], batch: false}
layers:
  - a, b = x.chunk(2)
  - z = torch.cat([a + y, b - y]).view(x.shape)
  - {Linear: 3, from: z}
loss: MSELoss
check: {B: 3}
"""
    pair = load(text)
    assert [each.shape for each in pair.graph.inputs] == [("2 * B", 4), ("B", 4)]
    assert pair.graph.targets[0].shape == ("2 * B", 3)
    assert '"""Maps x (2 * B, 4) and y (B, 4) to (2 * B, 3)."""' in nn_lines(text)
    assert verify(text).equal
    with pytest.raises(SpecError, match="at least 1, not 0"):
        load(text.replace("B: 3", "B: 0"))


PARTS = """
name: M
args: {heads: 4}
input: [5, 16]
layers:
  - y = LINE
  - z = y.flatten(1)
  - Linear: 3
"""


@pytest.mark.parametrize("heads", [4, 2])
@pytest.mark.parametrize(
    "line",
    [
        "torch.stack(x.split(16 // heads, dim=-1), 1)",
        "torch.stack(x.chunk(heads, dim=2), dim=1)[:, :, :, 0]",
        "torch.cat(x.chunk(heads, -1), 1)[..., :1]",
        "torch.cat(torch.cat(x.chunk(heads, -1), 0).chunk(heads), -1)",
        "torch.stack(x.unflatten(2, (heads, -1)).unbind(2), 1).sum(-1)",
        "torch.cat(torch.cat(x.split(16 // heads, 2), 0).split(x.size(0)), 1)[:, :, 0]",
    ],
)
def test_how_many_parts_there_are_may_follow_from_an_argument(line: str, heads: int) -> None:
    pair = load(PARTS.replace("LINE", line))
    x = torch.randn(2, 5, 16)
    features = eval(line, {"torch": torch, "x": x, "heads": heads}).flatten(1)
    for style in (pair.nn_style, pair.functional_style):
        model = style.M(heads=heads)
        weight, bias = model.parameters()
        assert torch.equal(model(x), nn.functional.linear(features, weight, bias))


@pytest.mark.parametrize(
    "line",
    [
        "torch.cat([x[:, c // 2 :], x[:, : c // 2]], 1)",
        "torch.cat([*x.chunk(2, 1)], 1)",
        "torch.cat([x[:, ::3], x[:, 1::3], x[:, 2::3]], dim=1)",
    ],
)
def test_what_is_put_together_again_has_the_size_of_the_whole(line: str) -> None:
    text = f"""
name: M
input: [4, 3]
blocks:
  B: {{layers: ["c = x.shape[1]", "y = {line} * c", {{Conv1d: {{out_channels: 5, kernel_size: 1}}}}]}}
layers: [B as b1, B as b2]
"""
    assert "self.conv1 = nn.Conv1d(in_channels, 5, kernel_size=1)" in nn_lines(text)


@pytest.mark.parametrize(
    "expression, values", [("abs(a - b)", (3, 1)), ("round(a)", (4, 6)), ("abs(b - a) * 2", (6, 2))]
)
def test_functions_of_sizes_remember_what_they_are_of(
    expression: str, values: tuple[int, int]
) -> None:
    text = f"name: M\nargs: {{a: 4, b: 7}}\nlet: {{c: {expression}}}\ninput: [b]\nlayers:\n"
    text += f"  - Linear: {expression}\n  - y = fc1.view(-1, c)\n  - Linear: c\n"
    pair = load(text)
    for style in (pair.nn_style, pair.functional_style):
        for a, size in zip((4, 6), values):
            assert style.M(a=a)(torch.randn(2, 7)).shape == (2, size)


def test_what_is_no_number_to_python_is_told_so() -> None:
    with pytest.raises(SpecError) as caught:
        load("name: M\nargs: {a: 4}\nlet: {b: len(a)}\ninput: [a]\nlayers: [Linear: b]")
    assert caught.value.message == "'len(a)': object of type 'int' has no len()"


@pytest.mark.parametrize("k", [3, 5])
def test_parts_of_sizes_that_only_look_alike_stay_apart(k: int) -> None:
    text = """
name: M
args: {k: 3}
input: [2, 6, 6]
layers:
  - n, c, h, w = x.shape
  - y = F.unfold(x, k, padding=k // 2).view(n, c, k * k, h, w)
"""

    def by_hand(x: Tensor) -> Tensor:
        return nn.functional.unfold(x, k, padding=k // 2).view(2, 2, k * k, 6, 6)

    check(text, by_hand, torch.randn(2, 2, 6, 6), k=k)
