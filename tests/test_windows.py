"""The shape rules of convolutions, poolings and norms beside torch: the same shapes, and the same refusals.

torch is asked on its meta device, which follows shapes without computing, and on the CPU where meta checks less.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from nngen.catalog import FUNCTIONS, LAYERS
from nngen.catalog.entry import apply_rule, fragment, tensors_in
from nngen.errors import Fault
from nngen.fold import Folder
from nngen.sizes import Size, symbol, to_text, value_of
from nngen.tensors import Tensor

REFUSED = "refused"
TORCH_REFUSES = (RuntimeError, ValueError, IndexError, TypeError, ZeroDivisionError)
many = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
Draw = Callable[..., Any]

# What torch makes of it, and what the rules do


def _shapes(result: Any) -> Any:
    """The shapes of what torch gave; an empty result counts as refused, as it is of no use."""
    outputs = result if isinstance(result, tuple) else (result,)
    shapes = [tuple(output.shape) for output in outputs]
    return REFUSED if any(0 in shape for shape in shapes) else shapes


def _torch_layer(
    name: str, arguments: Mapping[str, Any], inputs: Any, call: Any, device: str
) -> Any:
    try:
        with torch.device(device), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _shapes(getattr(nn, name)(**arguments)(*_tensors(inputs, device), **call))
    except TORCH_REFUSES:
        return REFUSED


def _tensors(inputs: Any, device: str) -> list[torch.Tensor]:
    return [torch.zeros(s, device=device, dtype=getattr(torch, dtype)) for s, dtype in inputs]


def _layer(name: str, arguments: Mapping[str, Any], inputs: Any, call: Any) -> Any:
    """The shapes by the entry's checks and rule, its sizes as they are or under names."""
    entry = LAYERS[name]
    values = {a.name: arguments.get(a.name, a.default) for a in entry.signature}
    folder = Folder(values)
    if any(folder.value(fragment(check.condition)) is False for check in entry.checks):
        return REFUSED
    flowing = [Tensor(shape, dtype) for shape, dtype in inputs]
    taken = {a.name: call.get(a.name, a.default) for a in entry.inputs}
    taken |= dict(zip(entry.inputs.names, flowing))
    return _followed(entry.shape, {**values, **taken})


def _followed(rule: Any, values: Mapping[str, Any]) -> Any:
    try:
        return [tensor.shape for tensor in tensors_in(apply_rule(rule, values))]
    except Fault:
        return REFUSED


def _numbers(shapes: Any) -> Any:
    if shapes == REFUSED or any(shape is None for shape in shapes):
        return shapes
    return [tuple(map(value_of, shape)) for shape in shapes]


class _Named:
    """Gives every whole number a name of its own, with or without its value."""

    def __init__(self, known: bool = True) -> None:
        self.known = known
        self.values: dict[str, int] = {}

    def __call__(self, value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(self, value))
        if isinstance(value, bool) or not isinstance(value, int):
            return value
        name = f"s{len(self.values)}"
        self.values[name] = value
        return symbol(name, value if self.known else None)

    def put(self, size: Any) -> Any:
        if not isinstance(size, Size):
            return size
        return eval(to_text(size), {"min": min, "max": max}, dict(self.values))


def _compare(
    name: str,
    arguments: dict[str, Any],
    inputs: list[Any],
    call: Mapping[str, Any] | None = None,
    device: str = "meta",
) -> None:
    """The rule and torch agree, on numbers as on named sizes."""
    expected = _torch_layer(name, arguments, inputs, call or {}, device)
    assert _layer(name, arguments, inputs, call or {}) == expected
    named = _Named()
    arguments, call = _renamed(arguments, named), _renamed(call or {}, named)
    found = _layer(name, arguments, [(named(shape), dtype) for shape, dtype in inputs], call)
    if name.startswith("Fractional") and found == [None] * len(found):
        return  # a named size times a ratio has no expression
    assert _numbers(found) == expected


def _compare_open(
    name: str, arguments: dict[str, Any], inputs: list[Any], call: Mapping[str, Any] | None = None
) -> None:
    """Also where the last size of the input is open: the expression found gives what torch gives."""
    _compare(name, arguments, inputs, call)
    expected = _torch_layer(name, arguments, inputs, call or {}, "meta")
    if expected == REFUSED:
        return
    named = _Named(known=False)
    last = named(inputs[0][0][-1])
    found = _layer(
        name, arguments, [((*shape[:-1], last), dtype) for shape, dtype in inputs], call or {}
    )
    assert found != REFUSED
    if None not in found:
        assert [tuple(map(named.put, shape)) for shape in found] == expected


def _renamed(values: Mapping[str, Any], named: _Named) -> dict[str, Any]:
    return {key: named(value) for key, value in values.items()}


# Drawing arguments


def _spread(dims: int, item: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """One for all dimensions, or one for each."""
    return st.one_of(item, st.tuples(*[item] * dims))


def _some(draw: Draw, **arguments: st.SearchStrategy[Any]) -> dict[str, Any]:
    """Each argument drawn, or left out."""
    return {name: draw(item) for name, item in arguments.items() if draw(st.booleans())}


def _whole(low: int, high: int) -> st.SearchStrategy[int]:
    return st.integers(low, high)


def _shape(draw: Draw, dims: int, channels: int) -> tuple[int, ...]:
    positions = tuple(draw(st.lists(_whole(1, 9), min_size=dims, max_size=dims)))
    before = draw(st.sampled_from([(2, channels)] * 6 + [(channels,)] * 3 + [(), (2, 2, channels)]))
    return (*before, *positions)


def _float(shape: tuple[int, ...]) -> tuple[tuple[int, ...], str]:
    return shape, "float32"


DIMS = pytest.mark.parametrize("dims", [1, 2, 3])


@DIMS
@many
@given(st.data())
def test_convolution(dims: int, data: st.DataObject) -> None:
    draw = data.draw
    groups = draw(_whole(1, 3))
    channels = draw(st.sampled_from([groups, 2 * groups, 3]))
    arguments = {
        "in_channels": channels,
        "out_channels": draw(st.sampled_from([groups, 2 * groups, 4])),
        "kernel_size": draw(_spread(dims, _whole(1, 4))),
        "groups": groups,
        **_some(
            draw,
            stride=_spread(dims, _whole(1, 3)),
            padding=st.one_of(_spread(dims, _whole(0, 4)), st.sampled_from(["same", "valid"])),
            dilation=_spread(dims, _whole(1, 3)),
            bias=st.booleans(),
            padding_mode=st.sampled_from(["zeros", "reflect", "replicate", "circular"]),
        ),
    }
    shape = _shape(draw, dims, draw(st.sampled_from([channels] * 5 + [channels + 1])))
    _compare_open(f"Conv{dims}d", arguments, [_float(shape)])


@DIMS
@many
@given(st.data())
def test_transposed_convolution(dims: int, data: st.DataObject) -> None:
    draw = data.draw
    groups = draw(_whole(1, 3))
    channels = draw(st.sampled_from([groups, 2 * groups, 3]))
    arguments = {
        "in_channels": channels,
        "out_channels": draw(st.sampled_from([groups, 2 * groups, 4])),
        "kernel_size": draw(_spread(dims, _whole(1, 4))),
        "groups": groups,
        **_some(
            draw,
            stride=_spread(dims, _whole(1, 3)),
            padding=_spread(dims, _whole(0, 4)),
            output_padding=_spread(dims, _whole(0, 2)),
            dilation=_spread(dims, _whole(1, 3)),
        ),
    }
    shape = _shape(draw, dims, draw(st.sampled_from([channels] * 5 + [channels + 1])))
    call = {}
    if draw(st.booleans()):
        wanted = [
            max(0, size + draw(_whole(-1, 2))) for size in _least(dims, arguments, shape[-dims:])
        ]
        before = draw(st.sampled_from([(), (), (2, 2), (2,)]))
        call["output_size"] = (*before, *wanted)
    _compare_open(f"ConvTranspose{dims}d", arguments, [_float(shape)], call)


def _least(dims: int, arguments: Mapping[str, Any], positions: tuple[int, ...]) -> list[int]:
    """Sizes near which output_size can be had, by torch's own formula for no output padding."""
    plain = {k: v for k, v in arguments.items() if k not in ("output_padding", "padding")}
    made = _torch_layer(
        f"ConvTranspose{dims}d", plain, [_float((2, plain["in_channels"], *positions))], {}, "meta"
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
    spread = _spread(dims, _whole(1, 6))
    arguments = {
        "kernel_size": draw(_whole(1, 6) if (kind, dims) == ("LP", 1) else spread),
        **_some(draw, stride=st.one_of(spread, st.none()), ceil_mode=st.booleans()),
    }
    if kind == "LP":
        arguments["norm_type"] = draw(st.sampled_from([1, 2, 3.5, float("inf"), -1]))
    else:
        arguments |= _some(draw, padding=_spread(dims, _whole(0, 3)))
    if kind == "Max":
        arguments |= _some(draw, dilation=_spread(dims, _whole(1, 3)), return_indices=st.booleans())
    if kind == "Avg" and dims > 1:
        arguments |= _some(draw, divisor_override=st.sampled_from([None, 0, 2, -1]))
    _compare_open(f"{kind}Pool{dims}d", arguments, [_float(_shape(draw, dims, 3))])


@DIMS
@pytest.mark.parametrize("kind", ["Max", "Avg"])
@many
@given(st.data())
def test_adaptive_pooling(kind: str, dims: int, data: st.DataObject) -> None:
    draw = data.draw
    item = _whole(1, 9) if dims == 1 else st.one_of(_whole(1, 9), st.none())
    arguments = {"output_size": draw(_spread(dims, item))}
    if kind == "Max":
        arguments |= _some(draw, return_indices=st.booleans())
    shape = _shape(draw, dims, 3)
    if _averages_any_rank(kind, arguments["output_size"], shape, dims):
        return
    _compare_open(f"Adaptive{kind}Pool{dims}d", arguments, [_float(shape)])


def _averages_any_rank(kind: str, output_size: Any, shape: tuple[int, ...], dims: int) -> bool:
    """To one position torch takes a mean, of inputs of any rank; nngen wants those that torch documents."""
    wanted = output_size if isinstance(output_size, tuple) else (output_size,) * dims
    sizes = [have if want is None else want for have, want in zip(shape[-dims:], wanted)]
    right = len(shape) in (dims + 1, dims + 2)
    return kind.lower() == "avg" and not right and all(size == 1 for size in sizes)


@pytest.mark.parametrize("dims", [2, 3])
@many
@given(st.data())
def test_fractional_pooling(dims: int, data: st.DataObject) -> None:
    draw = data.draw
    ratio = st.sampled_from([0.1, 0.29, 0.5, 0.7, 0.99, 1.0])
    arguments = {
        "kernel_size": draw(_spread(dims, _whole(1, 3))),
        **_some(draw, return_indices=st.booleans()),
    }
    if draw(st.integers(0, 9)):
        arguments["output_size"] = draw(_spread(dims, _whole(1, 7)))
    if draw(st.integers(0, 9)) < 3 or "output_size" not in arguments:
        arguments["output_ratio"] = draw(_spread(dims, ratio))
        if draw(st.booleans()):
            arguments.pop("output_size", None)
    _compare_open(f"FractionalMaxPool{dims}d", arguments, [_float(_shape(draw, dims, 3))])


@DIMS
@many
@given(st.data())
def test_unpooling(dims: int, data: st.DataObject) -> None:
    draw = data.draw
    arguments = {
        "kernel_size": draw(_spread(dims, _whole(1, 4))),
        **_some(
            draw,
            stride=st.one_of(_spread(dims, _whole(1, 4)), st.none()),
            padding=_spread(dims, _whole(0, 2)),
        ),
    }
    shape = _shape(draw, dims, 3)
    indices = draw(st.sampled_from([shape] * 6 + [(*shape[:-1], shape[-1] + 1), shape[1:]]))
    dtype = draw(st.sampled_from(["int64"] * 6 + ["int32"]))
    call = {}
    if draw(st.booleans()):
        before = draw(st.sampled_from([(), (), (2, 3), (3,)]))
        call["output_size"] = (*before, *(draw(_whole(1, 20)) for _ in range(dims)))
    _compare_open(f"MaxUnpool{dims}d", arguments, [_float(shape), (indices, dtype)], call)


# Norms: torch refuses a single value in train mode only, and a model that cannot be trained is refused


NORMS = ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "SyncBatchNorm"]
NORMS += ["InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"]


@pytest.mark.parametrize("name", NORMS)
@many
@given(st.data())
def test_channel_norms(name: str, data: st.DataObject) -> None:
    draw = data.draw
    shape = tuple(draw(st.lists(_whole(1, 3), min_size=1, max_size=6)))
    dims = int(name[-2]) if name[-2].isdigit() else 0
    if name.startswith("Instance") and len(shape) == dims + 1:
        return
    right = shape[1] if len(shape) > 1 else 2
    arguments = {
        "num_features": draw(st.sampled_from([right] * 5 + [4])),
        **_some(draw, affine=st.booleans(), track_running_stats=st.booleans()),
    }
    keeps = arguments.get("affine", "Batch" in name) or arguments.get(
        "track_running_stats", "Batch" in name
    )
    if arguments["num_features"] != right and not keeps:
        return  # torch takes no notice of num_features then; a spec that contradicts its input is refused
    _compare(name, arguments, [_float(shape)], device="cpu")


@pytest.mark.parametrize(
    "name", ["LayerNorm", "RMSNorm", "GroupNorm", "LocalResponseNorm", "Linear"]
)
@many
@given(st.data())
def test_other_norms(name: str, data: st.DataObject) -> None:
    draw = data.draw
    shape = tuple(draw(st.lists(_whole(1, 4), min_size=1, max_size=5)))
    arguments: dict[str, Any]
    if name in ("LayerNorm", "RMSNorm"):
        count = draw(_whole(0, 3))
        ending = shape[len(shape) - count :] if draw(_whole(0, 4)) else (1,) * count
        arguments = {"normalized_shape": draw(st.sampled_from([ending, shape[-1]]))}
        arguments |= _some(draw, elementwise_affine=st.booleans())
    elif name == "GroupNorm":
        right = shape[1] if len(shape) > 1 else 2
        arguments = {
            "num_groups": draw(_whole(1, 4)),
            "num_channels": draw(st.sampled_from([right] * 5 + [4])),
        }
    elif name == "Linear":
        arguments = {"in_features": draw(st.sampled_from([shape[-1]] * 5 + [4])), "out_features": 2}
    else:
        arguments = {"size": draw(_whole(1, 9))}
    _compare(name, arguments, [_float(shape)], device="cpu")


def test_bilinear() -> None:
    for shapes in (
        ((5,), (3,)),
        ((2, 5), (2, 3)),
        ((2, 5), (1, 3)),
        ((2, 2, 5), (2, 3)),
        ((5,), (4,)),
    ):
        arguments = {"in1_features": 5, "in2_features": 3, "out_features": 4}
        _compare("Bilinear", arguments, [_float(shape) for shape in shapes], device="cpu")


# Functions: the weights' shapes decide


def _compare_function(name: str, arguments: Mapping[str, Any]) -> None:
    """`arguments` as torch takes them, a tensor as its shape or as a pair of shape and dtype in a list."""
    entry = FUNCTIONS[f"F.{name}"]
    given_ = {
        key: (
            torch.zeros(value[0], dtype=getattr(torch, value[1]))
            if isinstance(value, list)
            else value
        )
        for key, value in arguments.items()
    }
    try:
        expected = _shapes(getattr(F, name)(**given_))
    except TORCH_REFUSES:
        expected = REFUSED
    values = {
        key: Tensor(value[0], value[1]) if isinstance(value, list) else value
        for key, value in arguments.items()
    }
    try:
        bound = entry.signature.bind(name, (), values)
    except Fault:
        found = REFUSED
    else:
        found = _followed(entry.shape, bound)
    assert found == expected


def _tensor(*shape: int, dtype: str = "float32") -> list[Any]:
    return [shape, dtype]


@DIMS
@pytest.mark.parametrize("name", ["conv", "conv_transpose"])
@many
@given(st.data())
def test_convolution_functions(name: str, dims: int, data: st.DataObject) -> None:
    draw = data.draw
    groups = draw(_whole(1, 3))
    first, second = draw(st.sampled_from([groups, 2 * groups, 3])), draw(_whole(1, 3))
    out, into = (first, second * groups) if name == "conv" else (second * groups, first)
    kernel = draw(
        st.lists(
            _whole(1, 3), min_size=dims, max_size=draw(st.sampled_from([dims] * 8 + [dims + 1]))
        )
    )
    dtype = draw(st.sampled_from(["float32"] * 9 + ["float64"]))
    arguments = {
        "input": _tensor(
            *_shape(draw, dims, draw(st.sampled_from([into] * 5 + [into + 1]))), dtype=dtype
        ),
        "weight": _tensor(first, second, *kernel),
        "groups": groups,
        **_some(
            draw,
            bias=st.sampled_from(
                [_tensor(out)] * 5 + [_tensor(out + 1), _tensor(), _tensor(1, out)]
            ),
            stride=_spread(dims, _whole(1, 2)),
            padding=_spread(dims, _whole(0, 2)),
            dilation=_spread(dims, _whole(1, 2)),
        ),
    }
    if name == "conv_transpose":
        arguments |= _some(draw, output_padding=_spread(dims, _whole(0, 1)))
    _compare_function(f"{name}{dims}d", arguments)


@many
@given(st.data())
def test_linear_functions(data: st.DataObject) -> None:
    draw = data.draw
    shape = tuple(draw(st.lists(_whole(1, 3), max_size=3)))
    size = draw(st.sampled_from([shape[-1] if shape else 1] * 4 + [2]))
    arguments: dict[str, Any] = {
        "input": [shape, draw(st.sampled_from(["float32"] * 9 + ["float64"]))],
        "weight": draw(
            st.sampled_from(
                [_tensor(4, size)] * 4 + [_tensor(size), _tensor(1, 4, size), _tensor()]
            )
        ),
        **_some(
            draw, bias=st.sampled_from([_tensor(4), _tensor(4), _tensor(), _tensor(1), _tensor(2)])
        ),
    }
    _compare_function("linear", arguments)


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
    arguments: dict[str, Any] = {"input1": _tensor(*first), "input2": _tensor(*second)}
    arguments |= {"weight": _tensor(4, 5, 3), "bias": bias if bias is None else _tensor(*bias)}
    _compare_function("bilinear", arguments)


@pytest.mark.parametrize(
    "name", ["batch_norm", "instance_norm", "group_norm", "layer_norm", "rms_norm"]
)
@many
@given(st.data())
def test_norm_functions(name: str, data: st.DataObject) -> None:
    draw = data.draw
    shape = tuple(draw(st.lists(_whole(1, 3), min_size=1, max_size=4)))
    channels = shape[1] if len(shape) > 1 else 2
    vector = st.sampled_from([_tensor(channels)] * 5 + [_tensor(channels + 1), None])
    arguments: dict[str, Any] = {"input": _tensor(*shape)}
    if name in ("batch_norm", "instance_norm"):
        both = draw(st.sampled_from([_tensor(channels), _tensor(channels), None]))
        arguments |= {"running_mean": both, "running_var": both if draw(_whole(0, 9)) else None}
        flag = "training" if name == "batch_norm" else "use_input_stats"
        arguments |= {flag: draw(st.booleans()), **_some(draw, weight=vector, bias=vector)}
    elif name == "group_norm":
        arguments |= {"num_groups": draw(_whole(1, 3)), **_some(draw, weight=vector, bias=vector)}
    else:
        ending = shape[len(shape) - draw(_whole(0, len(shape))) :]
        weight = st.sampled_from([_tensor(*ending)] * 5 + [_tensor(2), None])
        arguments |= {"normalized_shape": ending, **_some(draw, weight=weight)}
        arguments |= _some(draw, bias=weight) if name == "layer_norm" else {}
    _compare_function(name, arguments)


@DIMS
@pytest.mark.parametrize(
    "name", ["max_pool", "avg_pool", "lp_pool", "adaptive_avg_pool", "adaptive_max_pool"]
)
@many
@given(st.data())
def test_pooling_functions(name: str, dims: int, data: st.DataObject) -> None:
    draw = data.draw
    arguments: dict[str, Any] = {"input": _tensor(*_shape(draw, dims, 2))}
    if name.startswith("adaptive"):
        arguments["output_size"] = draw(_spread(dims, _whole(1, 5)))
        if _averages_any_rank(name[9:12], arguments["output_size"], arguments["input"][0], dims):
            return
    else:
        lone = (name, dims) == ("lp_pool", 1)
        arguments["kernel_size"] = draw(_whole(1, 4) if lone else _spread(dims, _whole(1, 4)))
        arguments |= _some(draw, stride=_spread(dims, _whole(1, 3)), ceil_mode=st.booleans())
    if name == "lp_pool":
        arguments["norm_type"] = draw(st.sampled_from([0, 1, 2.0, float("inf")]))
    if name in ("max_pool", "avg_pool"):
        arguments |= _some(draw, padding=_spread(dims, _whole(0, 2)))
    if name.endswith("max_pool"):
        arguments |= _some(draw, return_indices=st.booleans())
    if name == "avg_pool" and dims > 1:
        arguments |= _some(draw, divisor_override=st.sampled_from([None, 0, 3]))
    _compare_function(f"{name}{dims}d", arguments)
