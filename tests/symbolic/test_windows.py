"""Convolutions and poolings: the shape rules of the layers beside torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.symbolic.rules_beside_torch import (
    REFUSED,
    averages_any_rank,
    compare_open,
    floats,
    many,
    shape_of_input,
    some,
    spread,
    torch_layer,
    whole,
)

DIMS = pytest.mark.parametrize("dims", [1, 2, 3])


@DIMS
@many
@given(st.data())
def test_convolution(dims: int, data: st.DataObject) -> None:
    draw = data.draw
    groups = draw(whole(1, 3))
    channels = draw(st.sampled_from([groups, 2 * groups, 3]))
    arguments = {
        "in_channels": channels,
        "out_channels": draw(st.sampled_from([groups, 2 * groups, 4])),
        "kernel_size": draw(spread(dims, whole(1, 4))),
        "groups": groups,
        **some(
            draw,
            stride=spread(dims, whole(1, 3)),
            padding=st.one_of(spread(dims, whole(0, 4)), st.sampled_from(["same", "valid"])),
            dilation=spread(dims, whole(1, 3)),
            bias=st.booleans(),
            padding_mode=st.sampled_from(["zeros", "reflect", "replicate", "circular"]),
        ),
    }
    shape = shape_of_input(draw, dims, draw(st.sampled_from([channels] * 5 + [channels + 1])))
    compare_open(f"Conv{dims}d", arguments, [floats(shape)])


@DIMS
@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
@many
@given(st.data())
def test_padding_modes(mode: str, dims: int, data: st.DataObject) -> None:
    draw = data.draw
    size = draw(whole(1, 4))
    pad = st.one_of(whole(size - 1, size + 1), whole(0, 1))
    arguments = {
        "in_channels": 2,
        "out_channels": 3,
        "kernel_size": draw(spread(dims, whole(1, 4))),
        "padding": draw(st.one_of(spread(dims, pad), st.sampled_from(["same", "valid"]))),
        "padding_mode": mode,
        **some(draw, dilation=spread(dims, whole(1, 3))),
    }
    before = draw(st.sampled_from([(2, 2), (2,)]))
    compare_open(f"Conv{dims}d", arguments, [floats((*before, *(size,) * dims))])


@DIMS
@many
@given(st.data())
def test_transposed_convolution(dims: int, data: st.DataObject) -> None:
    draw = data.draw
    groups = draw(whole(1, 3))
    channels = draw(st.sampled_from([groups, 2 * groups, 3]))
    arguments = {
        "in_channels": channels,
        "out_channels": draw(st.sampled_from([groups, 2 * groups, 4])),
        "kernel_size": draw(spread(dims, whole(1, 4))),
        "groups": groups,
        **some(
            draw,
            stride=spread(dims, whole(1, 3)),
            padding=spread(dims, whole(0, 4)),
            output_padding=spread(dims, whole(0, 2)),
            dilation=spread(dims, whole(1, 3)),
        ),
    }
    shape = shape_of_input(draw, dims, draw(st.sampled_from([channels] * 5 + [channels + 1])))
    call = {}
    if draw(st.booleans()):
        wanted = [
            max(0, size + draw(whole(-1, 2))) for size in _least(dims, arguments, shape[-dims:])
        ]
        before = draw(st.sampled_from([(), (), (2, 2), (2,)]))
        call["output_size"] = (*before, *wanted)
    compare_open(f"ConvTranspose{dims}d", arguments, [floats(shape)], call, "cpu")


def _least(dims: int, arguments: Mapping[str, Any], positions: tuple[int, ...]) -> list[int]:
    """Sizes near which output_size can be had, by torch's own formula for no output padding."""
    plain = {k: v for k, v in arguments.items() if k not in ("output_padding", "padding")}
    made = torch_layer(
        f"ConvTranspose{dims}d", plain, [floats((2, plain["in_channels"], *positions))], {}, "meta"
    )
    if made == REFUSED or len(positions) < dims:
        return [3] * dims
    pads = arguments.get("padding", 0)
    pads = pads if isinstance(pads, tuple) else (pads,) * dims
    return [size - 2 * pad for size, pad in zip(made[0][-dims:], pads)]


@DIMS
@pytest.mark.parametrize("kind", ["Max", "Avg", "LP"])
@many
@given(st.data())
def test_pooling(kind: str, dims: int, data: st.DataObject) -> None:
    draw = data.draw
    sizes = spread(dims, whole(1, 6))
    arguments = {
        "kernel_size": draw(whole(1, 6) if (kind, dims) == ("LP", 1) else sizes),
        **some(draw, stride=st.one_of(sizes, st.none()), ceil_mode=st.booleans()),
    }
    if kind == "LP":
        arguments["norm_type"] = draw(st.sampled_from([1, 2, 3.5, float("inf"), -1]))
    else:
        arguments |= some(draw, padding=spread(dims, whole(0, 3)))
    if kind == "Max":
        arguments |= some(draw, dilation=spread(dims, whole(1, 3)), return_indices=st.booleans())
    if kind == "Avg" and dims > 1:
        arguments |= some(draw, divisor_override=st.sampled_from([None, 0, 2, -1]))
    compare_open(f"{kind}Pool{dims}d", arguments, [floats(shape_of_input(draw, dims, 3))])


@DIMS
@pytest.mark.parametrize("kind", ["Max", "Avg"])
@many
@given(st.data())
def test_adaptive_pooling(kind: str, dims: int, data: st.DataObject) -> None:
    draw = data.draw
    item = whole(1, 9) if dims == 1 else st.one_of(whole(1, 9), st.none())
    arguments = {"output_size": draw(spread(dims, item))}
    if kind == "Max":
        arguments |= some(draw, return_indices=st.booleans())
    shape = shape_of_input(draw, dims, 3)
    if averages_any_rank(kind, arguments["output_size"], shape, dims):
        return
    compare_open(f"Adaptive{kind}Pool{dims}d", arguments, [floats(shape)])


@pytest.mark.parametrize("dims", [2, 3])
@many
@given(st.data())
def test_fractional_pooling(dims: int, data: st.DataObject) -> None:
    draw = data.draw
    ratio = st.sampled_from([0.1, 0.29, 0.5, 0.7, 0.99, 1.0])
    arguments = {
        "kernel_size": draw(spread(dims, whole(1, 3))),
        **some(draw, return_indices=st.booleans()),
    }
    if draw(st.integers(0, 9)):
        arguments["output_size"] = draw(spread(dims, whole(1, 7)))
    if draw(st.integers(0, 9)) < 3 or "output_size" not in arguments:
        arguments["output_ratio"] = draw(spread(dims, ratio))
        if draw(st.booleans()):
            arguments.pop("output_size", None)
    compare_open(f"FractionalMaxPool{dims}d", arguments, [floats(shape_of_input(draw, dims, 3))])


@DIMS
@many
@given(st.data())
def test_unpooling(dims: int, data: st.DataObject) -> None:
    draw = data.draw
    arguments = {
        "kernel_size": draw(spread(dims, whole(1, 4))),
        **some(
            draw,
            stride=st.one_of(spread(dims, whole(1, 4)), st.none()),
            padding=spread(dims, whole(0, 2)),
        ),
    }
    shape = shape_of_input(draw, dims, 3)
    indices = draw(st.sampled_from([shape] * 6 + [(*shape[:-1], shape[-1] + 1), shape[1:]]))
    dtype = draw(st.sampled_from(["int64"] * 6 + ["int32"]))
    call = {}
    if draw(st.booleans()):
        usual = torch_layer(
            f"MaxUnpool{dims}d", arguments, [floats(shape), (shape, "int64")], {}, "meta"
        )
        middle = [3] * dims if usual == REFUSED else usual[0][-dims:]
        before = draw(st.sampled_from([(), (), (2, 3), (3,)]))
        call["output_size"] = (*before, *(size + draw(whole(-2, 2)) for size in middle))
    compare_open(f"MaxUnpool{dims}d", arguments, [floats(shape), (indices, dtype)], call)
