"""How much of a dimension a slice takes, or a part of a tensor is, whatever the arguments are that say so."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from nngen import SpecError, verify
from nngen.proof.loading import load
from tests.meaning.against import compare

Line = Callable[..., Tensor]


class Sliced(nn.Module):
    """A Linear behind a line."""

    def __init__(self, line: Line, w: int, **arguments: int) -> None:
        super().__init__()
        self.line = lambda x: line(x, w=w, **arguments)
        self.fc = nn.Linear(self.line(torch.zeros(1, w)).shape[1], 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.line(x))


def spec(line: str, width: str = "8") -> str:
    own = "" if width == "8" else ", w: 8"
    return f"""
name: M
args: {{h: 3{own}}}
input: [{width}]
layers:
  - y = {line}
  - Linear: 5
"""


# What the line is, what in_features then is, and the values of `h` to try: beyond the dimension, too.
LINES = {
    "to a bound": ("x[:, :h]", "min(h, 8)", lambda x, h, w: x[:, :h], (1, 3, 8, 9, 20)),
    "the last": ("x[:, -h:]", "min(h, 8)", lambda x, h, w: x[:, -h:], (1, 3, 8, 9, 20)),
    "from a bound": ("x[:, h:]", "8 - min(h, 8)", lambda x, h, w: x[:, h:], (0, 1, 3, 7)),
    "but the last": ("x[:, :-h]", "8 - min(h, 8)", lambda x, h, w: x[:, :-h], (1, 3, 7)),
    "in steps": ("x[:, ::h]", "7 // h + 1", lambda x, h, w: x[:, ::h], (1, 2, 3, 7, 8, 9)),
    "between": ("x[:, 1:h]", "min(h, 8) - 1", lambda x, h, w: x[:, 1:h], (2, 3, 8, 9)),
    "from 2 to a bound": (
        "torch.cat([x[:, 2:h], x], dim=1)",
        "max(min(h, 8) - 2, 0) + 8",
        lambda x, h, w: torch.cat([x[:, 2:h], x], dim=1),
        (1, 2, 3, 8, 9),
    ),
    "two bounds": (
        "x[:, h:2 * h]",
        "min(2 * h, 8) - min(h, 8)",
        lambda x, h, w: x[:, h : 2 * h],
        (1, 3, 4, 5, 7),
    ),
    "both halves": (
        "torch.cat([x[:, h:], x[:, :h]], dim=1)",
        "8",
        lambda x, h, w: torch.cat([x[:, h:], x[:, :h]], dim=1),
        (1, 3, 8, 9),
    ),
    "a part by its size": (
        "x.split(h, dim=1)[0]",
        "min(h, 8)",
        lambda x, h, w: x.split(h, dim=1)[0],
        (1, 3, 4, 8, 9),
    ),
    "the second part": (
        "x.split(h, dim=1)[1]",
        "min(h, 8 - h)",
        lambda x, h, w: x.split(h, dim=1)[1],
        (1, 3, 4, 5, 7),
    ),
    "two parts": (
        "torch.cat(x.split(h, dim=1)[:2], dim=1)",
        "min(2 * h, 8)",
        lambda x, h, w: torch.cat(x.split(h, dim=1)[:2], dim=1),
        (1, 3, 4, 8, 9),
    ),
    "all parts but one": (
        "torch.cat(x.split(h, dim=1)[1:], dim=1)",
        "8 - min(h, 8)",
        lambda x, h, w: torch.cat(x.split(h, dim=1)[1:], dim=1),
        (1, 2, 3, 7),
    ),
    "a part by their number": (
        "x.chunk(h, dim=1)[0]",
        "7 // h + 1",
        lambda x, h, w: x.chunk(h, dim=1)[0],
        (1, 2, 3, 4, 5, 8, 9),
    ),
    "a diagonal": (
        "x.unsqueeze(2).repeat(1, 1, 4).diagonal(h - 3, 1, 2)",
        "min(min(h - 3, 0) + 8, 4 - max(h - 3, 0))",
        lambda x, h, w: x.unsqueeze(2).repeat(1, 1, 4).diagonal(h - 3, 1, 2),
        (0, 1, 3, 4, 6),
    ),
}


@pytest.mark.parametrize(("line", "written", "right", "values"), LINES.values(), ids=LINES)
def test_a_part_is_no_larger_than_its_dimension(
    line: str, written: str, right: Line, values: tuple[int, ...]
) -> None:
    pair = load(spec(line))
    assert f"nn.Linear({written}, 5)" in pair.source_map.files["nn_style.py"].text
    for h in values:
        compare(pair, lambda h: Sliced(right, 8, h=h), (3, 8), h=h)


@pytest.mark.parametrize(
    ("line", "written"),
    [
        ("x[:, :6]", "min(6, w)"),
        ("x[:, :w // 2]", "w // 2"),
        ("x[:, w // 2:]", "w - w // 2"),
        ("x[:, :-1]", "w - 1"),
        ("x[:, 1:]", "w - 1"),
        ("x[:, ::2]", "(w + 1) // 2"),
        ("x[:, :1]", "1"),
        ("torch.cat([x, x], dim=1)[:, w:]", "w"),
        ("x.chunk(2, dim=1)[1]", "w // 2"),
    ],
)
def test_a_bound_that_always_lies_within_is_written_as_it_is(line: str, written: str) -> None:
    text = spec(line, "w").replace("h: 3, ", "")
    pair = load(text)
    assert f"nn.Linear({written}, 5)" in pair.source_map.files["nn_style.py"].text

    def right(x: Tensor, w: int) -> Tensor:
        found: Tensor = eval(line, {"x": x, "w": w, "torch": torch})
        return found

    for w in (2, 3, 8, 11):
        compare(pair, lambda w: Sliced(right, w), (3, w), w=w)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("x[:, :h - 2]", "is 1 here only: it depends on whether 'h - 2' is negative"),
        ("x.split(h, dim=1)[-1]", "is 2 here only: it depends on how many parts of h there are"),
        (
            "torch.cat(x.split(h, dim=1)[:-1], dim=1)",
            "is 6 here only: it depends on how many parts of h there are",
        ),
        ("x[:, :1] * torch.triu_indices(h, 4)[0]", "is 9 here only: it depends on 'h'"),
        ("x[:, :1] * torch.arange(0, h, 0.5)", "is 6 here only: it depends on 'h'"),
    ],
)
def test_what_no_expression_tells_is_asked_for(line: str, reason: str) -> None:
    with pytest.raises(SpecError, match="in_features of Linear") as caught:
        load(spec(line))
    assert reason in str(caught.value)


APART = """
name: M
args: {w: 10, t: 3}
input: [w]
layers:
  - a, b, c = x.chunk(t, dim=1)
  - Linear as one: 2
    from: a
  - Linear as two: 2
    from: c
  - d, e = x.chunk(2, dim=1)
  - Linear as three: 2
    from: d
  - f = x.chunk(2, dim=1)[-1]
  - Linear as four: 2
    from: f
  - y = one + two + three + four + b.mean() + e.mean()
"""


class Apart(nn.Module):
    def __init__(self, w: int, t: int) -> None:
        super().__init__()
        self.t = t
        parts = self.parts(torch.zeros(1, w))
        self.layers = nn.ModuleList(nn.Linear(each.shape[1], 2) for each in parts[:4])

    def parts(self, x: Tensor) -> list[Tensor]:
        (a, b, c), (d, e) = x.chunk(self.t, dim=1), x.chunk(2, dim=1)
        return [a, c, d, e, b]

    def forward(self, x: Tensor) -> Tensor:
        *parts, b = self.parts(x)
        one, two, three, four = (layer(part) for layer, part in zip(self.layers, parts))
        found: Tensor = one + two + three + four + b.mean() + parts[-1].mean()
        return found


def test_parts_that_a_line_takes_apart_are_so_many() -> None:
    pair = load(APART)
    for w, t in ((10, 3), (9, 3), (12, 3), (7, 3), (9, 4)):
        compare(pair, Apart, (2, w), w=w, t=t)
    files = {name: file.text for name, file in pair.source_map.files.items()}
    for w in (9, 11, 12):
        other = load(APART, {"w": w}).source_map.files
        assert {name: file.text for name, file in other.items()} == files


BLOCK = """
name: M
args: {h: 3, w: 8}
input: [w]
blocks:
  Half:
    args: {k: required}
    layers:
      - y = x[:, :k]
      - Linear as up: 6
      - z = up[:, :-k]
      - Linear as down: in_features
      - out = down + x
  Both:
    args: {k: required}
    layers:
      - Half as one: k
      - Half as two: {k: k + 1}
layers:
  - Half as first: h
  - Both as rest: h
    repeat: 2
"""


class Half(nn.Module):
    def __init__(self, features: int, k: int) -> None:
        super().__init__()
        self.k = k
        self.up = nn.Linear(min(features, k), 6)
        self.down = nn.Linear(6 - k, features)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(self.up(x[:, : self.k])[:, : -self.k]) + x


def test_slices_in_blocks() -> None:
    pair = load(BLOCK)
    for h, w in ((3, 8), (1, 8), (4, 8), (3, 2), (4, 1)):

        def by_hand(h: int, w: int) -> nn.Module:
            return nn.Sequential(Half(w, h), *(Half(w, k) for _ in range(2) for k in (h, h + 1)))

        compare(pair, by_hand, (5, w), h=h, w=w)


def test_a_target_of_sizes_that_no_expression_tells_is_drawn() -> None:
    # With 0 in the place of 2, `-times:` takes all.
    report = verify(
        "name: M\nargs: {times: 2}\ncheck: {H: 4}\ninput: [5, H]\n"
        "layers: ['part = x[:, -times:].flatten(1)']\nloss: MSELoss\n"
    )
    assert report.equal


def test_a_use_that_takes_nothing_is_refused_where_a_layer_needs_something() -> None:
    text = "name: M\nargs: {width: 2}\ninput: [2]\nlayers: ['part = x[:, 1:width]', Linear: 1]\n"
    report = verify(text)
    assert report.equal
    with pytest.raises(SpecError, match="in_features of Linear would be 0"):
        load(text.replace("width: 2", "width: 0"))


@pytest.mark.parametrize(
    ("line", "fits"),
    [
        ("y = x.split(depth, dim=1)[1]", [(6, 2), (5, 2), (6, 3), (9, 4), (8, 5)]),
        ("c, d = x.chunk(2, dim=1)\n  - y = torch.cat([d, c], 1)", [(6, 2), (5, 2), (7, 3)]),
        ("c, _ = x.chunk(2, dim=1)\n  - y = c", [(6, 2), (5, 2), (7, 3), (60, 2)]),
    ],
)
def test_parts_of_what_is_computed_from_an_argument(line: str, fits: list[tuple[int, int]]) -> None:
    given = "{width: 6, depth: 2}" if "depth" in line else "{width: 6}"
    text = f"name: M\nargs: {given}\ninput: [width - 2, 3]\nlayers:\n  - {line}\n  - z = y * 2\n"
    text += "  - Flatten\n  - Linear: 2\n"
    pair = load(text)
    for width, depth in fits:
        arguments = {"width": width} | ({"depth": depth} if "depth" in line else {})
        for style in (pair.nn_style, pair.functional_style):
            assert style.M(**arguments)(torch.randn(2, width - 2, 3)).shape == (2, 2)


def test_an_argument_with_which_a_block_has_no_size_is_not_tried() -> None:
    # With 0 in the place of 4, `-wide:` takes all, and no expression tells how many that are.
    report = verify(
        "name: M\nargs: {width: 2}\nlet: {wide: 2 * width}\ninput: [5, 4]\nlayers:\n"
        "  - part = x[:, -wide:]\n  - B\n"
        "blocks:\n  B:\n    layers:\n      - Buffer as scale: torch.ones(in_channels, 1)\n"
        "      - y = x * scale\n"
    )
    assert report.equal
