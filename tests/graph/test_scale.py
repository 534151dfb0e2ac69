"""Long flat specs: they are read, and the work grows with their length and no faster."""

from __future__ import annotations

import cProfile
import pstats
from collections.abc import Iterator
from typing import Any

import pytest

from nngen import limits
from nngen.emit import build_graph
from nngen.graph import follow
from nngen.language import document
from nngen.language import spec as specs

CONVOLUTION = {"out_channels": 8, "kernel_size": 3, "padding": 1, "bias": False}


@pytest.fixture(autouse=True)
def large() -> Iterator[None]:
    with limits.large():
        yield


def chain(layers: int) -> specs.Spec:
    kinds: list[Any] = [{"Linear": 16}, "ReLU", "LayerNorm", "y = {} + {}"]
    steps: list[Any] = []
    for number in range(layers):
        kind = kinds[number % 4]
        if isinstance(kind, dict):
            steps.append({f"Linear as layer{number}": 16})
        elif " " in kind:
            steps.append(f"x{number} = layer{number - 1} + layer{number - 2}")
        else:
            steps.append(f"{kind} as layer{number}")
    data = {"name": "Deep", "input": [16], "layers": steps}
    return specs.from_node(document.of(data), "a dict")


def calls(layers: int) -> int:
    """How many functions are called to decide on a chain of so many layers."""
    spec = chain(layers)
    profile = cProfile.Profile()
    profile.runcall(lambda: build_graph(follow(spec)))
    statistics: Any = pstats.Stats(profile)
    return int(statistics.total_calls)


@pytest.mark.heavy
def test_ten_thousand_layers_are_read() -> None:
    text = "\n".join(f"  - Conv2d as c{i}: {CONVOLUTION}" for i in range(10_000))
    text = text.replace("'", "").replace("False", "false")
    node = document.parse(f"name: Deep\ninput: [8, 9, 9]\nlayers:\n{text}\n", "deep.yaml")
    assert len(specs.from_node(node, "deep.yaml").model.layers) == 10_000


@pytest.mark.heavy
def test_the_work_grows_with_the_length() -> None:
    calls(40)  # what is cached once
    assert calls(800) < 4.2 * calls(200)


def test_each_step_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No step goes through all the others: the flow's list of steps is walked a fixed number of times."""
    from nngen.graph import flow

    walks = []

    class Counted(list[Any]):
        def __iter__(self) -> Any:
            walks.append(len(self))
            return super().__iter__()

    plain = flow.Flow.__init__

    def counting(self: flow.Flow, *arguments: Any, **keywords: Any) -> None:
        plain(self, *arguments, **keywords)
        if not isinstance(self.operations, Counted):  # a flow's copy has the very same list
            self.operations = Counted(self.operations)

    monkeypatch.setattr(flow.Flow, "__init__", counting)
    found = []
    for layers in (40, 160):
        walks.clear()
        build_graph(follow(chain(layers)))
        found.append(len(walks))
    assert found[0] == found[1]
