"""NN5xx: the arguments of blocks."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from nngen.catalog import LAYERS, traits_of
from nngen.graph.flow import Application, Flow, Operation
from nngen.language.spec import LayerStep, Option
from nngen.lint.rule import KEEPS, Hit, Rule, known
from nngen.lint.trace import Trace
from nngen.symbolic.sizes import Size


def _given_by_input(trace: Trace) -> Iterator[Hit]:
    uses: dict[str, list[Application]] = defaultdict(list)
    for use in trace.blocks:
        uses[use.module.kind].append(use)
    for kind, applications in uses.items():
        flow = applications[0].flow
        assert flow is not None
        for option in flow.body.options:
            name = _name_of_same(option, applications)
            if name and (_is_named(applications, option) or _restates(flow, option)):
                yield Hit(
                    option.mark,
                    f"{option.name} of {kind} is what its input has anyway",
                    f"take the argument out; in the block, `{name}` is that size",
                )


def _name_of_same(option: Option, applications: list[Application]) -> str:
    """`in_features` or `in_channels`, whichever the argument is in every use; empty where it is neither."""
    for name, place in (("in_features", -1), ("in_channels", 1)):
        if all(_is_same(use, option, place) for use in applications):
            return name
    return ""


def _is_same(use: Application, option: Option, place: int) -> bool:
    value, size = use.module.values.get(option.name), _size(use, place)
    if isinstance(value, bool) or not isinstance(value, (int, Size)) or size is None:
        return False
    return option.name in use.module.given and known(value) == known(size) is not None


def _size(use: Application, place: int) -> Any:
    """A dimension of what a block is given first."""
    shape = getattr(next(iter(use.inputs.values()), None), "shape", None)
    return shape[place] if shape is not None and len(shape) > 1 else None


def _is_named(applications: list[Application], option: Option) -> bool:
    """Whether the uses differ, so that it is no chance that the argument is the input's size in each."""
    return len({known(use.module.values[option.name]) for use in applications}) > 1


def _restates(flow: Flow, option: Option) -> bool:
    """Whether a layer of the block takes the argument for what its input, which is the block's own, decides."""
    same = {value.name for value in flow.inputs[:1]}
    steps = {each.name: flow.body.layers[each.step] for each in flow.built}
    for operation in flow.operations:
        for name, application, taken in _applied(operation):
            if taken not in same:
                continue
            kind = application.module.kind
            if kind in LAYERS and traits_of(kind) & KEEPS:
                same.update(value.name for value in operation.writes if value is not None)
            step = steps.get(name)
            inferred = LAYERS[kind].infer if kind in LAYERS else ()
            if isinstance(step, LayerStep) and any(
                isinstance(given.tree, ast.Name) and given.tree.id == option.name
                for argument, given in step.arguments.items()
                if argument in inferred
            ):
                return True
    return False


def _applied(operation: Operation) -> Iterator[tuple[str, Application, str]]:
    """The layers that a step applies, each with its name, and the name of the value that it takes first."""
    if operation.application is not None:
        yield operation.layer, operation.application, operation.reads[0].name
    for call, application in operation.calls.items():
        if call.args and isinstance(call.args[0], ast.Name):
            yield ast.unparse(call.func), application, call.args[0].id


RULES = (
    Rule(
        "NN501",
        "an argument of a block that its input gives",
        _given_by_input,
        "In each use, the argument is the number of channels or features of what the block is given. Written a second "
        "time it can only be wrong: a use that is changed in one place is an error in the other.",
        "the block is a published one, with that signature.",
        """\
input: [5, 8]
blocks:
  Feed:
    args: {dim: required}
    layers:
      - LayerNorm as norm: dim
      - Linear as up: 4 * dim
      - GELU
      - Linear as down: dim
      - y = x + down
layers:
  - Feed: 8
""",
        """\
input: [5, 8]
blocks:
  Feed:
    layers:
      - LayerNorm as norm
      - Linear as up: 4 * in_features
      - GELU
      - Linear as down: in_features
      - y = x + down
layers:
  - Feed
""",
    ),
)
