"""Convolutions and poolings: the shape rules of the functions beside torch."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.symbolic.rules_beside_torch import (
    averages_any_rank,
    compare_function,
    many,
    shape_of_input,
    some,
    spread,
    tensor,
    whole,
)

DIMS = pytest.mark.parametrize("dims", [1, 2, 3])


@DIMS
@pytest.mark.parametrize("name", ["conv", "conv_transpose"])
@many
@given(st.data())
def test_convolution_functions(name: str, dims: int, data: st.DataObject) -> None:
    draw = data.draw
    groups = draw(whole(1, 3))
    first, second = draw(st.sampled_from([groups, 2 * groups, groups + 1])), draw(whole(1, 3))
    out, into = (first, second * groups) if name == "conv" else (second * groups, first)
    kernel = draw(
        st.lists(
            whole(1, 3), min_size=dims, max_size=draw(st.sampled_from([dims] * 8 + [dims + 1]))
        )
    )
    dtype = draw(st.sampled_from(["float32"] * 9 + ["float64"]))
    arguments = {
        "input": tensor(
            *shape_of_input(draw, dims, draw(st.sampled_from([into] * 5 + [into + 1]))), dtype=dtype
        ),
        "weight": tensor(first, second, *kernel),
        "groups": groups,
        **some(
            draw,
            bias=st.sampled_from([tensor(out)] * 5 + [tensor(out + 1), tensor(), tensor(1, out)]),
            stride=spread(dims, whole(1, 2)),
            padding=spread(dims, whole(0, 2)),
            dilation=spread(dims, whole(1, 2)),
        ),
    }
    if name == "conv_transpose":
        arguments |= some(draw, output_padding=spread(dims, whole(0, 1)))
    compare_function(f"{name}{dims}d", arguments)


@DIMS
@pytest.mark.parametrize(
    "name", ["max_pool", "avg_pool", "lp_pool", "adaptive_avg_pool", "adaptive_max_pool"]
)
@many
@given(st.data())
def test_pooling_functions(name: str, dims: int, data: st.DataObject) -> None:
    draw = data.draw
    arguments: dict[str, Any] = {"input": tensor(*shape_of_input(draw, dims, 2))}
    if name.startswith("adaptive"):
        arguments["output_size"] = draw(spread(dims, whole(1, 5)))
        if averages_any_rank(name[9:12], arguments["output_size"], arguments["input"][0], dims):
            return
    else:
        lone = (name, dims) == ("lp_pool", 1)
        arguments["kernel_size"] = draw(whole(1, 4) if lone else spread(dims, whole(1, 4)))
        arguments |= some(draw, stride=spread(dims, whole(1, 3)), ceil_mode=st.booleans())
    if name == "lp_pool":
        arguments["norm_type"] = draw(st.sampled_from([0, 1, 2.0, float("inf")]))
    if name in ("max_pool", "avg_pool"):
        arguments |= some(draw, padding=spread(dims, whole(0, 2)))
    if name.endswith("max_pool"):
        arguments |= some(draw, return_indices=st.booleans())
    if name == "avg_pool" and dims > 1:
        arguments |= some(draw, divisor_override=st.sampled_from([None, 0, 3]))
    compare_function(f"{name}{dims}d", arguments)
