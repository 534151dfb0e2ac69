"""Rules of the layers that work on features: linear maps, embeddings, norms."""

from __future__ import annotations

from typing import Any

from nngen.errors import Fault
from nngen.shapes.common import demand_float, demand_rank, demand_size, shape_of
from nngen.sizes import Dim, same, value_of
from nngen.tensors import Tensor, broadcast, show


def linear(input: Tensor, in_features: Dim, out_features: Dim) -> Tensor:
    """(*, in_features) to (*, out_features)."""
    shape = shape_of(input)
    demand_float(input)
    demand_size(shape[-1], in_features, "the last dimension of the input")
    return input.sized(*shape[:-1], out_features)


def bilinear(
    input1: Tensor,
    input2: Tensor,
    in1_features: Dim,
    in2_features: Dim,
    out_features: Dim,
) -> Tensor:
    """(*, in1_features) and (*, in2_features) to (*, out_features)."""
    first, second = shape_of(input1), shape_of(input2)
    if len(first) != len(second) or any(
        same(a, b) is False for a, b in zip(first[:-1], second[:-1])
    ):
        raise Fault(
            f"the two inputs differ in more than their last dimension: {show(first)} and {show(second)}"
        )
    demand_size(first[-1], in1_features, "the last dimension of the first input")
    demand_size(second[-1], in2_features, "the last dimension of the second input")
    return input1.sized(*first[:-1], out_features)


def embedding(input: Tensor, embedding_dim: Dim) -> Tensor:
    """Indices (*) to vectors (*, embedding_dim)."""
    if input.dtype not in ("int32", "int64"):
        raise Fault(
            f"an embedding takes indices (int64), not {input.dtype}",
            "give the input `dtype: int64` and `below:` the number of embeddings",
        )
    return Tensor((*shape_of(input), embedding_dim))


def batch_norm1d(input: Tensor, num_features: Dim) -> Tensor:
    return _channels(input, num_features, 2, 3)


def batch_norm2d(input: Tensor, num_features: Dim) -> Tensor:
    return _channels(input, num_features, 4)


def batch_norm3d(input: Tensor, num_features: Dim) -> Tensor:
    return _channels(input, num_features, 5)


def _channels(input: Tensor, num_features: Dim, *ranks: int) -> Tensor:
    shape = demand_rank(input, *ranks)
    demand_float(input)
    demand_size(shape[1], num_features, "dimension 1 of the input")
    return input


def group_norm(input: Tensor, num_channels: Dim) -> Tensor:
    """(N, num_channels, *), unchanged."""
    shape = shape_of(input)
    if len(shape) < 2:
        raise Fault(
            f"the input must have at least 2 dimensions (with the batch), not {show(shape)}"
        )
    demand_float(input)
    demand_size(shape[1], num_channels, "dimension 1 of the input")
    return input


def layer_norm(input: Tensor, normalized_shape: Any) -> Tensor:
    """(*, *normalized_shape), unchanged."""
    wanted = normalized_shape if isinstance(normalized_shape, tuple) else (normalized_shape,)
    shape = shape_of(input)
    demand_float(input)
    if len(wanted) > len(shape) or any(
        same(a, b) is False for a, b in zip(shape[-len(wanted) :], wanted)
    ):
        raise Fault(f"the input {show(shape)} does not end in the normalized shape {show(wanted)}")
    return input


def prelu(input: Tensor, num_parameters: Dim) -> Tensor:
    shape = shape_of(input)
    if value_of(num_parameters) != 1:
        demand_size(
            shape[1] if len(shape) > 1 else 1,
            num_parameters,
            "dimension 1 of the input",
        )
    return input


def elementwise_loss(input: Tensor, target: Tensor, reduction: str) -> Tensor:
    """A loss of two tensors of one shape."""
    shape = broadcast(input.shape, target.shape)
    return input.sized(*shape) if reduction == "none" and shape is not None else input.sized()


def class_loss(input: Tensor, target: Tensor, reduction: str) -> Tensor:
    """A loss of scores (N, C, …) and classes (N, …)."""
    shape = shape_of(input)
    rest = shape if len(shape) == 1 else (shape[0], *shape[2:])
    return (
        input.sized(*(rest[1:] if len(shape) == 1 else rest))
        if reduction == "none"
        else input.sized()
    )
