"""The traversal that lint, summary, diagram and lessons share: what it comes to, in which order, and what flows."""

from __future__ import annotations

import ast

from nngen.graph import follow
from nngen.graph.dataflow import Dataflow, Use, parts_of
from nngen.graph.flow import Flow, Value
from nngen.language import document
from nngen.language import spec as specs

SPEC = """\
name: Net
input: [4, 8, 8]
blocks:
  Twice:
    args: {scaled: false}
    layers:
      - Parameter as scale: {shape: [1], init: ones_}
      - Conv2d as conv: {out_channels: in_channels, kernel_size: 1}
      - BatchNorm2d as norm:
        when: scaled
      - y = F.relu(norm) * scale + x
  Pair:
    Sequential:
      - Conv2d as first: {out_channels: 4, kernel_size: 1}
      - ReLU
layers:
  - Twice as a
  - Twice as b: {scaled: true}
  - Sequential as both: [Pair, {Dropout: 0.5}]
  - Twice as stages:
    repeat: 2
  - Conv2d as last: {out_channels: 4, kernel_size: 1}
    call: y = torch.cat([last(stages + a), b * 2], 1)
outputs: y, stages
"""


class Paths(Dataflow[str]):
    """What stands for a value is where it comes from."""

    nothing = "nothing"

    def __init__(self, opened: bool = True) -> None:
        self.opened = opened
        self.seen: list[str] = []

    def opens(self, flow: Flow) -> bool:
        return self.opened

    def state(self, value: Value) -> str:
        return value.name

    def part(self, whole: str, place: int, value: Value) -> str:
        return f"{whole}[{place}]"

    def expression(self, node: ast.expr, whole: bool) -> str:
        parts = [self.of(part, whole=False) for part in parts_of(node)]
        return " & ".join(part for part in parts if part != self.nothing) or self.nothing

    def layer(self, use: Use[str]) -> str:
        self.seen.append(f"{use.path}({', '.join(use.given.values())})")
        return use.path


def seen(opened: bool) -> list[str]:
    flow = follow(specs.from_node(document.parse(SPEC, "net.yaml"), "net.yaml")).flow
    paths = Paths(opened)
    paths.through(flow, {value: value.name for value in flow.inputs})
    return paths.seen


def test_blocks_containers_and_lines_are_opened() -> None:
    a = "a.conv & scale & x"
    b = f"b.norm & scale & {a}"
    first = "stages.0.conv & scale & both.1"
    second = f"stages.1.conv & scale & {first}"
    assert seen(opened=True) == [
        "a.conv(x)",  # and no `a.norm`, which its condition leaves out
        f"b.conv({a})",
        "b.norm(b.conv)",
        f"both.0.first({b})",
        "both.0.1(both.0.first)",
        "both.1(both.0.1)",
        "stages.0.conv(both.1)",
        f"stages.1.conv({first})",
        f"last({second} & {a})",
    ]


def test_what_is_not_opened_is_a_layer() -> None:
    assert seen(opened=False) == [
        "a(x)",
        "b(a)",
        "both.0(b)",
        "both.1(both.0)",
        "stages.0(both.1)",
        "stages.1(stages.0)",
        "last(stages.1 & a)",
    ]
