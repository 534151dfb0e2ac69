"""Arguments that are not sizes and yet decide sizes: flags, fractions and words, given to layers and to functions."""

from __future__ import annotations

import textwrap

import pytest
import torch
from torch import nn

import nngen
from nngen.errors import SpecError
from tests.meaning.by_hand import assert_as_by_hand


def spec(args: str, *steps: str) -> str:
    text = f"name: M\nargs: {{{args}}}\ninput: [2, 9]\nlayers:\n"
    return text + textwrap.indent("\n".join(f"- {step}" for step in steps), "  ")


FLAGS = {
    "layer": spec(
        "up: true", "MaxPool1d as pool: {kernel_size: 2, ceil_mode: up}", "Linear as fc: 3"
    ),
    "function": spec("up: true", "pool = F.max_pool1d(x, 2, ceil_mode=up)", "Linear as fc: 3"),
    "not": spec("down: false", "pool = F.max_pool1d(x, 2, ceil_mode=not down)", "Linear as fc: 3"),
}


@pytest.mark.parametrize("name", FLAGS)
@pytest.mark.parametrize("up", [True, False])
def test_a_flag_decides_a_size(name: str, up: bool) -> None:
    pair = nngen.load(FLAGS[name])
    given = {"down": not up} if name == "not" else {"up": up}
    for style in (pair.nn_style, pair.functional_style):
        torch.manual_seed(0)
        model = style.M(**given)
        torch.manual_seed(0)
        by_hand = nn.Sequential(nn.MaxPool1d(2, ceil_mode=up), nn.Linear(5 if up else 4, 3))
        x = torch.randn(4, 2, 9)
        assert torch.equal(model(x), by_hand(x))
    report = nngen.verify(FLAGS[name])
    assert report.equal, report.as_text()
    assert any(row.group == "other arguments" for row in report.rows)


def test_two_flags_decide_one_size() -> None:
    text = spec(
        "up: true, pad: false",
        "MaxPool1d as pool: {kernel_size: 2, ceil_mode: up}",
        "AvgPool1d as mean: {kernel_size: 2, ceil_mode: pad}",
        "Linear as fc: 3",
    )
    for up in (True, False):
        for pad in (True, False):
            by_hand = nn.Sequential(nn.MaxPool1d(2, ceil_mode=up), nn.AvgPool1d(2, ceil_mode=pad))
            width = by_hand(torch.zeros(1, 2, 9)).shape[-1]
            model = nngen.load(text).nn_style.M(up=up, pad=pad)
            assert model.fc.in_features == width


def test_a_flag_in_a_block_decides_by_its_uses() -> None:
    text = """
        name: M
        input: [2, 9]
        blocks:
          Pool:
            args: {up: required}
            layers:
              - MaxPool1d as pool: {kernel_size: 2, ceil_mode: up}
              - Linear as fc: 9
        layers: [Pool as a: true, Pool as b: false]
        """

    def by_hand() -> nn.Module:
        model = nn.Module()
        for name, up in (("a", True), ("b", False)):
            block = nn.Module()
            block.pool = nn.MaxPool1d(2, ceil_mode=up)
            block.fc = nn.Linear(5 if up else 4, 9)
            model.add_module(name, block)
        model.forward = lambda x: model.b.fc(model.b.pool(model.a.fc(model.a.pool(x))))  # type: ignore
        return model

    assert_as_by_hand(textwrap.dedent(text), by_hand, torch.randn(3, 2, 9))


REFUSED = {
    "a fraction": (
        spec("s: 4", "Upsample: {scale_factor: s / 2}", "Linear: 3"),
        "in_features of Linear is 18 here only: it depends on 's / 2'",
    ),
    "a fraction in a line": (
        spec("s: 4", "y = F.interpolate(x, scale_factor=math.sqrt(s))", "Linear: 3"),
        "in_features of Linear is 18 here only: it depends on 'math.sqrt(s)'",
    ),
    "a fraction as an argument": (
        spec("s: 2.0", "Upsample: {scale_factor: s}", "Flatten", "Linear: 3"),
        "in_features of Linear is 36 here only: it depends on 's'",
    ),
    "a word": (
        spec(
            "pad: \"'same'\"",
            "Conv1d: {out_channels: 2, kernel_size: 3, padding: pad}",
            "Linear: 3",
        ),
        "in_features of Linear is 9 here only: it depends on 'pad'",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_expression_tells_is_asked_for(name: str) -> None:
    text, message = REFUSED[name]
    with pytest.raises(SpecError) as caught:
        nngen.load(text)
    assert caught.value.message == message
    assert "give in_features" in caught.value.hint


@pytest.mark.parametrize(
    "steps",
    [
        ("Upsample: {scale_factor: s / 2}", "Conv1d: {out_channels: 3, kernel_size: 1}"),
        ("y = F.interpolate(x, scale_factor=s / 2).mean(-1)", "Linear: 3"),
        ("Dropout: 1 / s", "Linear: 3"),
    ],
)
def test_a_fraction_may_decide_what_no_layer_infers(steps: tuple[str, ...]) -> None:
    report = nngen.verify(spec("s: 4", *steps))
    assert report.equal, report.as_text()


def test_a_list_of_fractions_decides_sizes() -> None:
    with pytest.raises(SpecError, match="depends on '\\[s, 1.0\\]'"):
        nngen.load("""
            name: M
            args: {s: 2.0}
            input: [2, 4, 4]
            layers:
              - y = F.interpolate(x, scale_factor=[s, 1.0])
              - Flatten
              - Linear: 3
            """)
