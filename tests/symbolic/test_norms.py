"""Norms and linear maps: the shape rules beside torch."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.symbolic.rules_beside_torch import (
    compare,
    compare_function,
    floats,
    many,
    some,
    tensor,
    whole,
)

# Norms: torch refuses a single value in train mode only, and a model that cannot be trained is refused


NORMS = ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "SyncBatchNorm"]
NORMS += ["InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"]


@pytest.mark.parametrize("name", NORMS)
@many
@given(st.data())
def test_channel_norms(name: str, data: st.DataObject) -> None:
    draw = data.draw
    shape = tuple(draw(st.lists(whole(1, 3), min_size=1, max_size=6)))
    dims = int(name[-2]) if name[-2].isdigit() else 0
    unbatched = name.startswith("Instance") and len(shape) == dims + 1
    right = shape[0] if unbatched else (*shape, 2)[1]
    arguments = {
        "num_features": draw(st.sampled_from([right] * 5 + [4])),
        **some(draw, affine=st.booleans(), track_running_stats=st.booleans()),
    }
    keeps = arguments.get("affine", "Batch" in name) or arguments.get(
        "track_running_stats", "Batch" in name
    )
    if arguments["num_features"] != right and not keeps:
        return  # torch takes no notice of num_features then; a spec that contradicts its input is refused
    compare(name, arguments, [floats(shape)], device="cpu")


@pytest.mark.parametrize(
    "name", ["LayerNorm", "RMSNorm", "GroupNorm", "LocalResponseNorm", "Linear"]
)
@many
@given(st.data())
def test_other_norms(name: str, data: st.DataObject) -> None:
    draw = data.draw
    shape = tuple(draw(st.lists(whole(1, 4), min_size=1, max_size=5)))
    arguments: dict[str, Any]
    if name in ("LayerNorm", "RMSNorm"):
        count = draw(whole(0, 3))
        ending = shape[len(shape) - count :] if draw(whole(0, 4)) else (1,) * count
        arguments = {"normalized_shape": draw(st.sampled_from([ending, shape[-1]]))}
        arguments |= some(draw, elementwise_affine=st.booleans())
    elif name == "GroupNorm":
        right = shape[1] if len(shape) > 1 else 2
        arguments = {
            "num_groups": draw(whole(1, 4)),
            "num_channels": draw(st.sampled_from([right] * 5 + [4])),
        }
    elif name == "Linear":
        arguments = {"in_features": draw(st.sampled_from([shape[-1]] * 5 + [4])), "out_features": 2}
    else:
        arguments = {"size": draw(whole(1, 9))}
    compare(name, arguments, [floats(shape)], device="cpu")


def test_bilinear() -> None:
    for shapes in (
        ((5,), (3,)),
        ((2, 5), (2, 3)),
        ((2, 5), (1, 3)),
        ((2, 2, 5), (2, 3)),
        ((5,), (4,)),
    ):
        arguments = {"in1_features": 5, "in2_features": 3, "out_features": 4}
        compare("Bilinear", arguments, [floats(shape) for shape in shapes], device="cpu")


# Functions


@many
@given(st.data())
def test_linear_functions(data: st.DataObject) -> None:
    draw = data.draw
    shape = tuple(draw(st.lists(whole(1, 3), max_size=3)))
    size = draw(st.sampled_from([shape[-1] if shape else 1] * 4 + [2]))
    weights = [tensor(4, size), tensor(size), tensor(1, 4, size), tensor()]
    biases = [tensor(4), tensor(), tensor(1), tensor(2), None]
    arguments: dict[str, Any] = {
        "input": [shape, draw(st.sampled_from(["float32"] * 9 + ["float64"]))],
        "weight": draw(st.sampled_from([*weights[:2] * 3, *weights])),
        "bias": draw(st.sampled_from(biases)),
    }
    compare_function("linear", arguments)


BILINEAR = [
    *[((2, 5), (2, 3), bias) for bias in (None, (4,), (1,), (), (5,))],
    ((5,), (3,), None),
    ((2, 5), (1, 3), None),
    ((2, 2, 5), (2, 3), None),
    ((2, 4), (2, 3), None),
    ((2, 5), (2, 4), None),
]


@pytest.mark.parametrize(("first", "second", "bias"), BILINEAR)
def test_bilinear_function(first: Any, second: Any, bias: Any) -> None:
    arguments: dict[str, Any] = {"input1": tensor(*first), "input2": tensor(*second)}
    arguments |= {"weight": tensor(4, 5, 3), "bias": bias if bias is None else tensor(*bias)}
    compare_function("bilinear", arguments)


@pytest.mark.parametrize(
    "name", ["batch_norm", "instance_norm", "group_norm", "layer_norm", "rms_norm"]
)
@many
@given(st.data())
def test_norm_functions(name: str, data: st.DataObject) -> None:
    draw = data.draw
    shape = tuple(draw(st.lists(whole(1, 3), min_size=1, max_size=4)))
    channels = shape[1] if len(shape) > 1 else 2
    vector = st.sampled_from([tensor(channels)] * 5 + [tensor(channels + 1), None])
    arguments: dict[str, Any] = {"input": tensor(*shape)}
    if name in ("batch_norm", "instance_norm"):
        both = draw(st.sampled_from([tensor(channels), tensor(channels), None]))
        arguments |= {"running_mean": both, "running_var": both if draw(whole(0, 9)) else None}
        flag = "training" if name == "batch_norm" else "use_input_stats"
        arguments |= {flag: draw(st.booleans()), **some(draw, weight=vector, bias=vector)}
    elif name == "group_norm":
        arguments |= {"num_groups": draw(whole(1, 3)), **some(draw, weight=vector, bias=vector)}
    else:
        ending = shape[len(shape) - draw(whole(0, len(shape))) :]
        weight = st.sampled_from([tensor(*ending)] * 5 + [tensor(2), None])
        arguments |= {"normalized_shape": ending, **some(draw, weight=weight)}
        arguments |= some(draw, bias=weight) if name == "layer_norm" else {}
    compare_function(name, arguments)
