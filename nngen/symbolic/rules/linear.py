"""Rules of linear maps."""

from __future__ import annotations

from nngen.errors import Fault
from nngen.symbolic.broadcasting import Shape, broadcast, show
from nngen.symbolic.rules.checks import require_one_dtype, require_vector, require_weights_dtype
from nngen.symbolic.rules.common import require_rank, require_size, require_values, shape_of
from nngen.symbolic.sizes import Dim
from nngen.symbolic.substitution import same
from nngen.symbolic.tensor import Tensor


def linear(input: Tensor, in_features: Dim, out_features: Dim) -> Tensor:
    """(*, in_features) to (*, out_features)."""
    shape = _require_features(input, in_features, "the input")
    require_weights_dtype(input)
    return input.sized(*shape[:-1], out_features)


def linear_function(input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """The rule of F.linear, whose weight is (out_features, in_features), or (in_features)."""
    wanted = require_rank(weight, 1, 2, of="the weight")
    shape = _require_features(input, wanted[-1], "the input")
    require_one_dtype(input, weight, bias)
    result = (*shape[:-1], *wanted[:-1])
    if bias is not None:
        _require_addable(shape_of(bias), result, len(wanted))
    return input.sized(*result)


def _require_addable(bias: Shape, result: Shape, weight_rank: int) -> None:
    if (weight_rank == 1 and bias) or broadcast(result, bias) != result:
        raise Fault(f"a bias of the shape {show(bias)} does not go with the result {show(result)}")


def bilinear(
    input1: Tensor, input2: Tensor, in1_features: Dim, in2_features: Dim, out_features: Dim
) -> Tensor:
    """(*, in1_features) and (*, in2_features) to (*, out_features)."""
    before = _require_pair(input1, input2, in1_features, in2_features)
    require_weights_dtype(input1, what="the first input")
    require_weights_dtype(input2, what="the second input")
    return input1.sized(*before, out_features)


def bilinear_function(
    input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None
) -> Tensor:
    """The rule of F.bilinear, whose weight is (out_features, in1_features, in2_features)."""
    out_features, in1_features, in2_features = require_rank(weight, 3, of="the weight")
    require_values((in1_features, in2_features))
    before = _require_pair(input1, input2, in1_features, in2_features)
    require_one_dtype(input1, input2, weight, bias)
    require_vector(bias, out_features, "bias")
    return input1.sized(*before, out_features)


def _require_pair(input1: Tensor, input2: Tensor, in1_features: Dim, in2_features: Dim) -> Shape:
    first = _require_features(input1, in1_features, "the first input")
    second = _require_features(input2, in2_features, "the second input")
    if len(first) != len(second) or any(
        same(a, b) is not True for a, b in zip(first[:-1], second[:-1])
    ):
        raise Fault(
            f"the inputs {show(first)} and {show(second)} differ in more than their last dimension"
        )
    return first[:-1]


def _require_features(input: Tensor, features: Dim, what: str) -> Shape:
    shape = shape_of(input)
    if not shape:
        raise Fault(f"{what} is a single number; it must have at least 1 dimension")
    require_size(shape[-1], features, f"the last dimension of {what} {show(shape)}")
    return shape
