"""Rules of the normalisations: the shape stays, but must fit the statistics and weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nngen.errors import Fault
from nngen.symbolic.broadcasting import Shape, show
from nngen.symbolic.rules.checks import require_elements, require_real, require_weights_dtype
from nngen.symbolic.rules.common import require_size, shape_of, unflatten_hint
from nngen.symbolic.sizes import Dim, product, value_of
from nngen.symbolic.substitution import same
from nngen.symbolic.tensor import Tensor

# torch normalises these by float32 weights too.
_HALF = ("float16", "bfloat16")


def batch_norm(*ranks: int) -> Callable[..., Tensor]:
    """The rule of a batch norm for inputs of these numbers of dimensions; without any, for two and more."""

    def rule(input: Tensor, num_features: Dim, affine: bool, track_running_stats: bool) -> Tensor:
        shape = shape_of(input)
        if len(shape) not in ranks and (ranks or len(shape) < 2):
            wanted = " or ".join(map(str, ranks)) or "at least 2"
            raise Fault(
                f"the input must have {wanted} dimensions, not {len(shape)}: {show(shape)}",
                unflatten_hint(shape, min(ranks, default=2)),
            )
        require_real(input)
        _require_values(shape[0], shape[2:], "channel")
        require_size(shape[1], num_features, f"dimension 1 of the input {show(shape)}")
        if affine or track_running_stats:
            require_weights_dtype(input, *_HALF)
        if affine:
            _require_channels(num_features)
        return input

    return rule


def batch_norm_function(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    training: Any,
    eps: Any,
) -> Tensor:
    """The rule of F.batch_norm."""
    shape = _require_batched(input)
    _require_statistics(running_mean, running_var, shape[1])
    if running_mean is None and training is not True:
        raise Fault(
            "without running_mean and running_var only the batch's statistics can be used",
            "write `training=True`, also for eval mode",
        )
    if training is not False:
        _require_values(shape[0], shape[2:], "channel")
        _require_positive_eps(eps)
    require_elements(weight, shape[1], "weight")
    require_elements(bias, shape[1], "bias")
    if weight is not None:
        _require_channels(shape[1])
    return input


def instance_norm(dims: int) -> Callable[..., Tensor]:
    """The rule of an instance norm over `dims` positions."""

    def rule(input: Tensor, num_features: Dim, affine: bool, track_running_stats: bool) -> Tensor:
        shape = shape_of(input)
        if len(shape) not in (dims + 1, dims + 2):
            raise Fault(
                f"the input must have {dims + 2} dimensions, or {dims + 1} where it is one sample without a batch, "
                f"not {len(shape)}: {show(shape)}",
                unflatten_hint(shape, dims + 2),
            )
        require_real(input)
        _require_values(1, shape[-dims:], "channel of a sample")
        where = len(shape) - dims - 1
        require_size(shape[where], num_features, f"dimension {where} of the input {show(shape)}")
        if affine or track_running_stats:
            require_weights_dtype(input, *_HALF)
        if affine:
            _require_channels(num_features)
        return input

    return rule


def instance_norm_function(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    use_input_stats: Any,
) -> Tensor:
    """The rule of F.instance_norm."""
    shape = _require_batched(input)
    _require_statistics(running_mean, running_var, shape[1])
    if running_mean is None and use_input_stats is not True:
        raise Fault(
            "without running_mean and running_var only the input's statistics can be used",
            "write `use_input_stats=True`, also for eval mode",
        )
    if use_input_stats is not False:
        _require_values(1, shape[2:], "channel of a sample")
    require_elements(weight, shape[1], "weight")
    require_elements(bias, shape[1], "bias")
    if weight is not None:
        _require_channels(shape[1])
    return input


def _require_batched(input: Tensor) -> Shape:
    shape = shape_of(input)
    if len(shape) < 2:
        raise Fault(f"the input must have at least 2 dimensions, not {len(shape)}: {show(shape)}")
    require_real(input)
    return shape


def _require_statistics(mean: Tensor | None, var: Tensor | None, channels: Dim) -> None:
    if (mean is None) != (var is None):
        raise Fault("running_mean and running_var go together: give both or neither")
    require_elements(mean, channels, "running_mean")
    require_elements(var, channels, "running_var")


def _require_values(first: Dim, rest: Shape, each: str) -> None:
    """Refuse to normalise over a single value, which would always give zero."""
    if value_of(product((first, *rest))) == 1:
        raise Fault(
            f"there is only one value for each {each} to normalise over",
            "normalise before the positions have shrunk to one, or over features with LayerNorm",
        )


def _require_channels(channels: Dim) -> None:
    if value_of(channels) == 0:
        raise Fault("the input has no channels for its weight to scale")


def _require_positive_eps(eps: Any) -> None:
    if isinstance(eps, (int, float)) and eps <= 0:
        raise Fault(f"eps must be above 0 in train mode, not {eps}")


def group_norm(input: Tensor, num_groups: Dim, num_channels: Dim, affine: bool) -> Tensor:
    """(N, num_channels, *), unchanged."""
    shape = _require_batched(input)
    require_size(shape[1], num_channels, f"dimension 1 of the input {show(shape)}")
    _require_groups(shape, num_groups)
    if affine:
        require_weights_dtype(input, *_HALF)
    return input


def group_norm_function(
    input: Tensor, num_groups: Dim, weight: Tensor | None, bias: Tensor | None
) -> Tensor:
    """The rule of F.group_norm."""
    shape = _require_batched(input)
    _require_groups(shape, num_groups)
    _require_shape(weight, (shape[1],), "weight")
    _require_shape(bias, (shape[1],), "bias")
    return input


def _require_groups(shape: Shape, num_groups: Dim) -> None:
    if value_of(shape[1] % num_groups) not in (0, None):
        raise Fault(f"the {shape[1]} channels do not divide by num_groups ({num_groups})")
    _require_values(shape[0] * (shape[1] // num_groups), shape[2:], "group of a sample")


def layer_norm(input: Tensor, normalized_shape: Any, elementwise_affine: bool) -> Tensor:
    """(*, *normalized_shape), unchanged."""
    _require_ending(input, normalized_shape)
    if elementwise_affine:
        require_weights_dtype(input, *_HALF)
    return input


def rms_norm(x: Tensor, normalized_shape: Any, elementwise_affine: bool) -> Tensor:
    """(*, *normalized_shape), unchanged."""
    return layer_norm(x, normalized_shape, elementwise_affine)


def layer_norm_function(
    input: Tensor,
    normalized_shape: Any,
    weight: Tensor | None,
    bias: Tensor | None = None,
) -> Tensor:
    """The rule of F.layer_norm and F.rms_norm."""
    wanted = _require_ending(input, normalized_shape)
    _require_shape(weight, wanted, "weight")
    _require_shape(bias, wanted, "bias")
    return input


def _require_ending(input: Tensor, normalized_shape: Any) -> Shape:
    wanted = normalized_shape if isinstance(normalized_shape, tuple) else (normalized_shape,)
    shape = shape_of(input)
    require_real(input)
    if not wanted:
        raise Fault("normalized_shape must name at least one size")
    if not _equal(shape[-len(wanted) :], wanted):
        raise Fault(f"the input {show(shape)} does not end in the normalized shape {show(wanted)}")
    return wanted


def _require_shape(tensor: Tensor | None, wanted: Shape, name: str) -> None:
    if tensor is not None and not _equal(shape_of(tensor), wanted):
        raise Fault(f"{name} must have the shape {show(wanted)}, not {show(shape_of(tensor))}")


def _equal(left: Shape, right: Shape) -> bool:
    return len(left) == len(right) and all(same(a, b) is True for a, b in zip(left, right))


def local_response_norm(input: Tensor) -> Tensor:
    """(N, C, *), unchanged."""
    shape = shape_of(input)
    if len(shape) < 3:
        raise Fault(f"the input must have at least 3 dimensions, not {len(shape)}: {show(shape)}")
    require_real(input)
    return input
