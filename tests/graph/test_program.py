"""A program is finished: whoever reads it finds the same, whatever was read of it before."""

from __future__ import annotations

from nngen.emit import build_graph
from nngen.emit.render import render
from nngen.graph import Program, follow
from nngen.language import document
from nngen.language import spec as specs
from nngen.lint import lint
from nngen.views import diagram, summary

# The first use of the block skips a layer that its input does not fit.
SPEC = """\
name: Net
input: [3, 8, 8]
blocks:
  Stage:
    args: {grouped: required}
    layers:
      - Conv2d as split: {out_channels: in_channels, kernel_size: 1, groups: 4}
        when: grouped
layers:
  - Stage as first: {grouped: false}
  - Conv2d as between: {out_channels: 4, kernel_size: 1}
  - Stage as second: {grouped: true}
loss: MSELoss
"""


def program() -> Program:
    return follow(specs.from_node(document.parse(SPEC, "net.yaml"), "net.yaml"))


def shown(of: Program) -> tuple[object, ...]:
    """What all its readers say of a program."""
    drawn = diagram.draw(of, unfold=True).as_mermaid()
    return lint(of), summary.summarize(of), drawn


def written(of: Program) -> dict[str, str]:
    return dict(render(build_graph(of)))


def test_no_reader_must_come_before_another() -> None:
    one, other = program(), program()
    before, after = shown(one), written(one)
    assert written(other) == after
    assert str(shown(other)) == str(before) == str(shown(one))
    assert written(one) == after


def test_what_is_derived_is_made_once() -> None:
    found = program()
    assert found.classes is found.classes
    assert found.losses is found.losses


def test_a_use_keeps_its_steps_and_its_class_has_those_of_all() -> None:
    found = program()
    first, second = found.uses["Stage"]
    stage, _ = found.classes
    assert [each.application is None for each in first.operations[:-1]] == [True]
    assert [each.application is None for each in second.operations[:-1]] == [False]
    assert [each.application is None for each in stage.flow.operations[:-1]] == [False]
    assert stage.flow is not first
    assert stage.known[:2] == (first, second)


def test_the_keys_of_a_class_are_those_of_each_use() -> None:
    keys = dict(build_graph(program()).keys)
    assert [key for key in keys if key.endswith("split.weight")] == [
        "first.split.weight",
        "second.split.weight",
    ]
