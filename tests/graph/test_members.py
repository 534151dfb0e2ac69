"""Members of containers that are made in a loop, keep their names, or are built out of turn."""

from __future__ import annotations

import linecache
from typing import Any

import pytest

import nngen
from nngen.errors import SpecError

GROWING = {
    "args": {"growth": "required"},
    "layers": [
        {"Conv2d as conv": {"out_channels": "growth", "kernel_size": 1}},
        "out = torch.cat((x, conv), 1)",
    ],
}


def spec(blocks: dict[str, Any], *layers: Any, **more: Any) -> dict[str, Any]:
    return {"name": "M", "input": [3, 8, 8], "blocks": blocks, "layers": list(layers), **more}


def twins(given: dict[str, Any]) -> tuple[str, str, list[str]]:
    """The source of both twins, equal bit for bit, and the nn twin's parameters."""
    report = nngen.verify(given)
    assert report.equal, report.as_text()
    pair = nngen.load(given)
    sources = [
        "".join(linecache.getlines(str(module.__file__)))
        for module in (pair.nn_style, pair.functional_style)
    ]
    return sources[0], sources[1], [name for name, _ in pair.nn_style.M().named_parameters()]


def test_sizes_that_grow_with_the_position_make_a_loop() -> None:
    repeated = {"Growing as layer${i + 1}": "2", "repeat": 4}
    nn, functional, names = twins(spec({"Growing": GROWING}, {"Sequential as dense": [repeated]}))
    assert '(f"layer{i + 1}", Growing(2 * i + 3, 2)) for i in range(4)' in " ".join(nn.split())
    assert 'f"layer{i + 1}": Growing(2 * i + 3, 2) for i in range(4)' in " ".join(
        functional.split()
    )
    assert names[::2] == [f"dense.layer{i}.conv.weight" for i in range(1, 5)]


def test_three_members_are_written_one_by_one() -> None:
    repeated = {"Growing": "2", "repeat": 3}
    nn, _, _ = twins(spec({"Growing": GROWING}, {"Sequential as dense": [repeated]}))
    assert "nn.Sequential(Growing(3, 2), Growing(5, 2), Growing(7, 2))" in nn


def test_unnamed_members_that_grow_make_a_loop() -> None:
    repeated = {"Growing": "2", "repeat": 4}
    nn, functional, names = twins(spec({"Growing": GROWING}, {"Sequential as dense": [repeated]}))
    assert "nn.Sequential(*(Growing(2 * i + 3, 2) for i in range(4)))" in nn
    assert "Growing(2 * i + 3, 2) for i in range(4)" in functional
    assert names[::2] == [f"dense.{i}.conv.weight" for i in range(4)]


def test_a_block_that_is_a_sequential_keeps_the_names_of_its_children() -> None:
    block = {
        "Sequential": [
            "BatchNorm2d as norm",
            {"Conv2d as conv": {"out_channels": 4, "kernel_size": 1}},
        ]
    }
    nn, _, names = twins(
        spec({"Transition": block}, "Transition as down", init={"down.conv.weight": "zeros_"})
    )
    assert '("norm", nn.BatchNorm2d(in_channels))' in nn
    assert names == ["down.norm.weight", "down.norm.bias", "down.conv.weight", "down.conv.bias"]


def test_a_layer_can_be_built_behind_a_later_one() -> None:
    layers = ({"Linear as a": 4, "built_after": "b"}, {"Linear as b": 5})
    _, _, names = twins(_plain(*layers))
    assert names == ["b.weight", "b.bias", "a.weight", "a.bias"]


def _plain(*layers: Any) -> dict[str, Any]:
    return {"name": "M", "input": [3], "layers": list(layers)}


def test_what_it_is_built_after_must_be_there() -> None:
    with pytest.raises(SpecError, match="there is no layer 'bb' here") as caught:
        nngen.load(_plain({"Linear as a": 4, "built_after": "bb"}, {"Linear as b": 5}))
    assert "known here: b" in str(caught.value)


def test_an_argument_that_alone_decides_is_the_flag() -> None:
    layers = (
        {"Linear as a": 4},
        {"Linear as aux": 2, "when": "training and helped", "otherwise": "none"},
        {"Linear as b": 5, "from": "a"},
    )
    given = {**_plain(*layers), "args": {"helped": True}}
    given["outputs"] = "(b, aux) if training and helped else b"
    nn, _, _ = twins(given)
    assert "self.helped = helped" in nn and "has_aux" not in nn
    assert "if self.training and self.helped:" in nn
    assert "-> Tensor | tuple[Tensor, Tensor | None]:" in nn
