"""Sizes that a flag, None or a count decides: layers after them take them as expressions, or are refused in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nngen import verify
from nngen.errors import SpecError
from nngen.proof.loading import load
from tests.meaning.against import compare

Case = tuple[str, Callable[..., nn.Module], tuple[tuple[int, ...], ...], list[dict[str, Any]]]


class Flow(nn.Module):
    """A module of some layers, and of a function of them and of the input."""

    def __init__(self, forward: Callable[..., Tensor], *layers: nn.Module | None) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layer for layer in layers if layer is not None)
        self.run = forward

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.run(*self.layers, *inputs)


def line(*layers: nn.Module | None) -> nn.Module:
    return nn.Sequential(*(layer for layer in layers if layer is not None))


CASES: dict[str, Case] = {}


def case(
    name: str, spec: str, shapes: Any, arguments: Any, by_hand: Callable[..., nn.Module]
) -> None:
    CASES[name] = (spec, by_hand, shapes, arguments)


FLAGS = [{}, {"deep": True}, {"deep": False}]

case(
    "when before a Linear",
    """
    name: M
    args: {deep: true}
    input: [4]
    layers:
      - Linear as a: 8
        when: deep
      - ReLU
      - Linear as b: 2
    """,
    [(3, 4)],
    FLAGS,
    lambda deep=True: line(
        nn.Linear(4, 8) if deep else None, nn.ReLU(), nn.Linear(8 if deep else 4, 2)
    ),
)
case(
    "when not, before a BatchNorm and a convolution",
    """
    name: M
    args: {deep: false}
    input: [2, 9]
    layers:
      - Conv1d as a: {out_channels: 6, kernel_size: 3, padding: 1}
        when: not deep
      - BatchNorm1d
      - Conv1d as b: {out_channels: 3, kernel_size: 1}
    """,
    [(3, 2, 9)],
    FLAGS,
    lambda deep=False: line(
        None if deep else nn.Conv1d(2, 6, 3, padding=1),
        nn.BatchNorm1d(2 if deep else 6),
        nn.Conv1d(2 if deep else 6, 3, 1),
    ),
)
case(
    "two flags, one within the reach of the other",
    """
    name: M
    args: {deep: true, wide: false}
    input: [4]
    layers:
      - Linear as a: 8
        when: deep
      - Linear as b: 16
        when: wide
      - Linear as c: 5
        when: deep and not wide
      - LayerNorm: {normalized_shape: 5}
        when: deep and not wide
      - Linear as d: 2
    """,
    [(3, 4)],
    [{}, *({"deep": d, "wide": w} for d in (True, False) for w in (True, False))],
    lambda deep=True, wide=False: line(
        nn.Linear(4, 8) if deep else None,
        nn.Linear(8 if deep else 4, 16) if wide else None,
        nn.Linear(8, 5) if deep and not wide else None,
        nn.LayerNorm(5) if deep and not wide else None,
        nn.Linear(16 if wide else 5 if deep else 4, 2),
    ),
)
case(
    "the same flag twice",
    """
    name: M
    args: {deep: true}
    input: [4]
    layers:
      - Linear as a: 8
        when: deep
      - Linear as b: 6
        when: deep
      - Linear as c: 2
    """,
    [(3, 4)],
    FLAGS,
    lambda deep=True: line(
        nn.Linear(4, 8) if deep else None,
        nn.Linear(8, 6) if deep else None,
        nn.Linear(6 if deep else 4, 2),
    ),
)
case(
    "a pool under a flag before what is flattened",
    """
    name: M
    args: {deep: true}
    input: [2, 8, 6]
    layers:
      - MaxPool2d: 2
        when: deep
      - Flatten
      - Linear: 3
    """,
    [(3, 2, 8, 6)],
    FLAGS,
    lambda deep=True: line(
        nn.MaxPool2d(2) if deep else None, nn.Flatten(), nn.Linear(24 if deep else 96, 3)
    ),
)
case(
    "a block whose argument is the model's",
    """
    name: M
    args: {deep: true}
    input: [4]
    blocks:
      B:
        args: {extra: false}
        layers:
          - Linear as fc: 6
          - Linear as more: 9
            when: extra
    layers:
      - B as a: {extra: deep}
      - B as b
      - B as c: {extra: not deep}
      - Linear as d: 2
    """,
    [(3, 4)],
    FLAGS,
    lambda deep=True: line(
        nn.Linear(4, 6),
        nn.Linear(6, 9) if deep else None,
        nn.Linear(9 if deep else 6, 6),
        nn.Linear(6, 6),
        None if deep else nn.Linear(6, 9),
        nn.Linear(6 if deep else 9, 2),
    ),
)
case(
    "a block in a block, a flag under let, None on the way",
    """
    name: M
    args: {width: 6}
    input: [4]
    blocks:
      Inner:
        args: {mid: null}
        let: {wide: 5 if mid is None else 2 * mid}
        layers: [{Linear as fc: wide}]
      Outer:
        args: {mid: null}
        let: {has: mid is not None}
        layers:
          - Inner as a: mid
          - Linear as b: 7
            when: has
    layers:
      - Outer as p
      - Outer as q: width
      - Linear as r: 2
      - Inner as s: width
      - GroupNorm: {num_groups: 2}
    """,
    [(3, 4)],
    [{}, {"width": 3}, {"width": 1}],
    lambda width=6: line(
        nn.Linear(4, 5),
        nn.Linear(5, 2 * width),
        nn.Linear(2 * width, 7),
        nn.Linear(7, 2),
        nn.Linear(2, 2 * width),
        nn.GroupNorm(2, 2 * width),
    ),
)
case(
    "a block that gives what let decides",
    """
    name: M
    args: {deep: true}
    input: [2, 7]
    blocks:
      B:
        args: {deep: required}
        let: {width: 8 if deep else 4}
        layers: [{Conv1d: {out_channels: width, kernel_size: 1}}, {PReLU: {num_parameters: width}}]
    layers:
      - B: deep
      - Conv1d: {out_channels: 3, kernel_size: 1}
      - Bilinear as mix: {out_features: 2}
        from: [conv1, conv1]
    """,
    [(3, 2, 7)],
    FLAGS,
    lambda deep=True: Flow(
        lambda a, p, b, mix, x: mix(y := b(p(a(x))), y),
        nn.Conv1d(2, 8 if deep else 4, 1),
        nn.PReLU(8 if deep else 4),
        nn.Conv1d(8 if deep else 4, 3, 1),
        nn.Bilinear(7, 7, 2),
    ),
)
case(
    "a size in an argument, decided by a flag, and sums of it",
    """
    name: M
    args: {deep: true}
    input: [4]
    layers:
      - Linear as a: 8 if deep else 4
      - y = torch.cat([a, a], 1)
      - Linear as b: 2
    """,
    [(3, 4)],
    FLAGS,
    lambda deep=True: Flow(
        lambda a, b, x: b(torch.cat([y := a(x), y], 1)),
        nn.Linear(4, 8 if deep else 4),
        nn.Linear(16 if deep else 8, 2),
    ),
)
case(
    "or, and, and arithmetic of None, flags and fractions",
    """
    name: M
    args: {mid: null, top: 6, ratio: 0.5, deep: false}
    input: [4]
    layers:
      - Linear as a: mid or top
      - Linear as b: int(top * ratio)
      - Linear as c: top + 2 * deep
      - Linear as d: top if mid is not None and mid > 3 else 5
      - Linear as e: 2
    """,
    [(3, 4)],
    [{}, {"mid": 3}, {"mid": 5, "deep": True}, {"ratio": 0.34, "top": 9}, {"mid": 0}],
    lambda mid=None, top=6, ratio=0.5, deep=False: line(
        nn.Linear(4, mid or top),
        nn.Linear(mid or top, int(top * ratio)),
        nn.Linear(int(top * ratio), top + 2 * deep),
        nn.Linear(top + 2 * deep, (n := top if mid is not None and mid > 3 else 5)),
        nn.Linear(n, 2),
    ),
)
case(
    "arms of a line",
    """
    name: M
    args: {deep: true}
    input: [4]
    layers:
      - Linear as a: 8
        when: deep
        otherwise: none
      - y = a if deep else x
      - z = torch.cat([y, y], 1) if not deep else y.view(-1, 2, 8 if deep else 4)[:, 0]
      - Linear as b: 2
    """,
    [(4, 4)],
    [{}, {"deep": True}],
    lambda deep=True: Flow(
        lambda a, b, x: b(a(x).view(-1, 2, 8)[:, 0]), nn.Linear(4, 8), nn.Linear(8, 2)
    ),
)
case(
    "an arm that concatenates",
    """
    name: M
    args: {deep: true}
    inputs: {a: [4], b: [3]}
    layers:
      - y = torch.cat([a, b], 1) if deep else a
      - LayerNorm: {normalized_shape: 7 if deep else 4}
      - Linear: 2
    """,
    [(4, 4), (4, 3)],
    FLAGS,
    lambda deep=True: Flow(
        lambda n, f, a, b: f(n(torch.cat([a, b], 1) if deep else a)),
        nn.LayerNorm(7 if deep else 4),
        nn.Linear(7 if deep else 4, 2),
    ),
)
case(
    "a recurrent layer after a flag",
    """
    name: M
    args: {deep: true}
    input: [5, 4]
    layers:
      - Linear as a: 6
        when: deep
      - GRU as gru: {hidden_size: 3, batch_first: true}
        call: y, _ = gru(a)
      - Linear as b: 2
    """,
    [(2, 5, 4)],
    FLAGS,
    lambda deep=True: Flow(
        (lambda a, gru, b, x: b(gru(a(x))[0])) if deep else (lambda gru, b, x: b(gru(x)[0])),
        nn.Linear(4, 6) if deep else None,
        nn.GRU(6 if deep else 4, 3, batch_first=True),
        nn.Linear(3, 2),
    ),
)
case(
    "the usual downsample, by arguments of the model",
    """
    name: M
    args: {planes: 6, stride: 2}
    input: [4, 9]
    blocks:
      Basic:
        args: {planes: required, stride: 1}
        layers:
          - Conv1d as conv: {out_channels: planes, kernel_size: 3, stride: stride, padding: 1}
          - Conv1d as down: {out_channels: planes, kernel_size: 1, stride: stride}
            from: x
            when: stride != 1 or in_channels != planes
          - out = conv + down
    layers:
      - Basic as a: planes
      - Basic as b: {planes: planes, stride: stride}
      - Basic as c: {planes: 4, stride: 1}
      - Flatten
      - Linear: 2
    """,
    [(3, 4, 9)],
    [{}, {"planes": 4, "stride": 1}, {"planes": 4}, {"stride": 3}, {"stride": 1}],
    lambda planes=6, stride=2: line(
        Basic(4, planes, 1),
        Basic(planes, planes, stride),
        Basic(planes, 4, 1),
        nn.Flatten(),
        nn.Linear(4 * (8 // stride + 1), 2),
    ),
)


class Basic(nn.Module):
    def __init__(self, inside: int, planes: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(inside, planes, 3, stride, 1)
        self.down: nn.Module = nn.Identity()
        if stride != 1 or inside != planes:
            self.down = nn.Conv1d(inside, planes, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(x) + self.down(x)
        return out


COUNTS = [{}, {"K": 1}, {"K": 2}, {"K": 5}]


class Grow(nn.Module):
    def __init__(self, inside: int, growth: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(inside)
        self.conv = nn.Conv1d(inside, growth, 1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.conv(self.norm(x))], 1)


DENSE = """blocks:
      Grow:
        args: {growth: required}
        layers:
          - BatchNorm1d as norm
          - Conv1d as conv: {out_channels: growth, kernel_size: 1}
          - y = torch.cat([x, conv], 1)
    """
for default in (1, 2, 3):
    case(
        f"copies that grow, {default} of them",
        f"""
    name: M
    args: {{K: {default}, growth: 3}}
    input: [2, 9]
    {DENSE.strip()}
    layers:
      - Grow as grow: growth
        repeat: K
      - Conv1d as last: {{out_channels: 1, kernel_size: 1}}
    """,
        [(3, 2, 9)],
        [*COUNTS, {"K": 3, "growth": 1}],
        lambda K=default, growth=3: line(
            *(Grow(2 + i * growth, growth) for i in range(K)), nn.Conv1d(2 + K * growth, 1, 1)
        ),
    )
case(
    "copies that grow in a Sequential, and twice so many",
    f"""
    name: M
    args: {{K: 2}}
    input: [2, 9]
    {DENSE.strip()}
      Conv:
        args: {{planes: required}}
        layers: [{{Conv1d as conv: {{out_channels: planes, kernel_size: 1}}}}]
    layers:
      - Sequential as features:
          - Conv: 4
          - Grow: 3
            repeat: K
          - Conv: 6
          - Grow: 2
            repeat: 2 * K
      - Conv1d as last: {{out_channels: 1, kernel_size: 1}}
    """,
    [(3, 2, 9)],
    COUNTS,
    lambda K=2: line(
        nn.Conv1d(2, 4, 1),
        *(Grow(4 + i * 3, 3) for i in range(K)),
        nn.Conv1d(4 + 3 * K, 6, 1),
        *(Grow(6 + i * 2, 2) for i in range(2 * K)),
        nn.Conv1d(6 + 4 * K, 1, 1),
    ),
)
case(
    "copies that double, by their place",
    """
    name: M
    args: {K: 2}
    input: [2, 9]
    blocks:
      Down:
        args: {planes: required}
        layers: [{Conv1d: {out_channels: planes, kernel_size: 1}}]
    layers:
      - Down as down: 4 * 2 ** i
        repeat: K
      - Conv1d as last: {out_channels: 1, kernel_size: 1}
    """,
    [(3, 2, 9)],
    COUNTS,
    lambda K=2: line(
        *(nn.Conv1d(2 if i == 0 else 2 * 2**i, 4 * 2**i, 1) for i in range(K)),
        nn.Conv1d(2 * 2**K, 1, 1),
    ),
)
case(
    "an argument that the first copy alone has otherwise",
    """
    name: M
    input: [2, 9]
    args: {planes: 5}
    blocks:
      B:
        args: {inside: required, planes: required}
        layers: [{Conv1d: {in_channels: inside, out_channels: planes, kernel_size: 1}}]
    layers:
      - B as b${i}: {inside: 2 if i == 0 else planes, planes: planes}
        repeat: 3
      - Linear: 2
    """,
    [(3, 2, 9)],
    [{}, {"planes": 2}],
    lambda planes=5: line(
        nn.Conv1d(2, planes, 1),
        nn.Conv1d(planes, planes, 1),
        nn.Conv1d(planes, planes, 1),
        nn.Linear(9, 2),
    ),
)
case(
    "the first copy of an open count",
    """
    name: M
    input: [2, 9]
    args: {planes: 5, K: 2}
    blocks:
      B:
        args: {inside: required, planes: required}
        layers: [{Conv1d: {in_channels: inside, out_channels: planes, kernel_size: 1}}]
    layers:
      - B as b: {inside: 2 if i == 0 else planes, planes: planes}
        repeat: K
      - Conv1d: {out_channels: 2, kernel_size: 1}
    """,
    [(3, 2, 9)],
    [*COUNTS, {"planes": 2}],
    lambda planes=5, K=2: line(
        nn.Conv1d(2, planes, 1),
        *(nn.Conv1d(planes, planes, 1) for _ in range(K - 1)),
        nn.Conv1d(planes, 2, 1),
    ),
)


case(
    "a stage whose first copy takes other channels",
    """
    name: M
    input: [2, 9]
    args: {planes: 5, K: 2}
    blocks:
      B:
        args: {planes: required}
        layers:
          - Conv1d as conv: {out_channels: planes, kernel_size: 1}
          - Conv1d as down: {out_channels: planes, kernel_size: 1}
            from: x
            when: in_channels != planes
          - y = conv + down
    layers:
      - B as b: planes
        repeat: K
      - Conv1d: {out_channels: 2, kernel_size: 1}
    """,
    [(3, 2, 9)],
    [*COUNTS, {"planes": 2}],
    lambda planes=5, K=2: line(
        *(Basic1(planes if i else 2, planes) for i in range(K)), nn.Conv1d(planes, 2, 1)
    ),
)


class Basic1(nn.Module):
    def __init__(self, inside: int, planes: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(inside, planes, 1)
        self.down = nn.Identity() if inside == planes else nn.Conv1d(inside, planes, 1)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv(x) + self.down(x)
        return y


@pytest.mark.parametrize("name", CASES)
def test_sizes_follow_the_arguments(name: str) -> None:
    spec, by_hand, shapes, arguments = CASES[name]
    pair = load(spec)
    for each in arguments:
        compare(pair, by_hand, *shapes, **each)


REFUSED = {
    "a length that each copy halves": (
        """
        name: M
        args: {K: 2}
        input: [2, 32]
        blocks:
          Down:
            layers: [{Conv1d: {out_channels: 2, kernel_size: 3, stride: 2, padding: 1}}]
        layers:
          - Down as down:
            repeat: K
          - Flatten
          - Linear: 3
        """,
        "in_features of Linear is 16 here only: it depends on how many copies there are, 'K'",
        "give in_features, from an argument of M",
    ),
    "copies that grow unevenly": (
        """
        name: M
        args: {K: 2}
        input: [2]
        blocks: {B: {layers: ["y = torch.cat([x, x, x[:, :1]], 1)"]}}
        layers:
          - B as b:
            repeat: K
          - Linear: 3
        """,
        "in_features of Linear is 11 here only: it depends on how many copies there are, 'K'",
        "give in_features, from an argument of M",
    ),
    "a number of dimensions that a flag decides": (
        """
        name: M
        args: {flat: true}
        input: [2, 3]
        layers:
          - Flatten:
            when: flat
          - Linear: 3
        """,
        (
            "in_features of Linear cannot be inferred: how many sizes the shape of its input has depends on "
            "'flat'"
        ),
        "give in_features, as an expression where it differs",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_sizes_that_no_expression_tells_are_asked_for(name: str) -> None:
    spec, message, hint = REFUSED[name]
    with pytest.raises(SpecError) as caught:
        load(spec)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_a_size_that_is_asked_for_may_be_given() -> None:
    spec, _, _ = REFUSED["a length that each copy halves"]
    spec = spec.replace("{K: 2}", "{K: 2, features: required}") + "check: {features: 16}"
    spec = spec.replace("Linear: 3", "Linear: {in_features: features, out_features: 3}")
    compare(
        load(spec.replace("\n        ", "\n")),
        lambda K, features: line(
            *(nn.Conv1d(2, 2, 3, 2, 1) for _ in range(K)), nn.Flatten(), nn.Linear(features, 3)
        ),
        (3, 2, 32),
        K=3,
        features=8,
    )


def test_a_size_that_an_argument_of_none_decides_is_not_one_number() -> None:
    text = (
        "name: M\nargs: {mid: null}\nlet: {inner: 5 if mid is None else mid}\ninput: [2, 4]\nlayers:\n"
        "  - part = x.mean(1)[:, :inner]\n  - Buffer as scale: torch.ones(inner - 1)\n"
        "  - y = part * scale\n  - Linear: 1\n"
    )
    pair = load(text)
    for style in (pair.nn_style, pair.functional_style):
        for mid in (None, 2):
            assert style.M(mid=mid)(torch.randn(3, 2, 4)).shape == (3, 1)


def test_the_size_of_a_target_is_told_by_the_steps_that_are_there() -> None:
    # With a number as `mid` the Linear is there in neither mode.
    text = (
        "name: M\nargs: {times: 1, mid: null}\ncheck: {mid: 2}\ninput: [3]\nlayers:\n"
        "  - part = x[:, :-times]\n  - Linear: 1\n    when: training and mid is None\n"
        "loss: HingeEmbeddingLoss\n"
    )
    assert verify(text).equal


def test_a_size_is_not_divided_by_what_is_0_where_its_layer_is_not_built() -> None:
    text = (
        "name: M\nargs: {mid: null}\nlet: {inner: 3 if mid is None else mid}\ninput: [2, 4]\nlayers:\n"
        "  - Conv1d: {out_channels: 2, kernel_size: 1, stride: inner // 3}\n    when: inner > 3\n"
        "  - y = conv1 * x[:, :1, :1]\n"
    )
    pair = load(text)
    for mid, length in ((None, 4), (2, 4), (7, 2)):
        for style in (pair.nn_style, pair.functional_style):
            assert style.M(mid=mid)(torch.randn(3, 2, 4)).shape == (3, 2, length)
