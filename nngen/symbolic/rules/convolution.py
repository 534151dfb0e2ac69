"""Rules of convolutions, and what all layers share that move a window over positions.

The formulas are those of torch's documentation of Conv2d and ConvTranspose2d.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from nngen.errors import Fault
from nngen.symbolic.broadcasting import Shape, show
from nngen.symbolic.rules.checks import (
    require_one_dtype,
    require_real,
    require_vector,
    require_weights_dtype,
)
from nngen.symbolic.rules.common import (
    ntuple,
    require_positive,
    require_rank,
    require_size,
    require_values,
    shape_of,
    unflatten_hint,
)
from nngen.symbolic.sizes import Dim, value_of
from nngen.symbolic.tensor import Tensor


def positions_of(input: Tensor, dims: int) -> Shape:
    """The sizes that a window moves over: the last `dims`, after channels and perhaps a batch."""
    shape = shape_of(input)
    if len(shape) not in (dims + 1, dims + 2):
        raise Fault(
            f"the input must have {dims + 2} dimensions, or {dims + 1} where it is one sample without a batch, "
            f"not {len(shape)}: {show(shape)}",
            unflatten_hint(shape, dims + 2),
        )
    require_real(input)
    require_values(shape)
    return shape[-dims:]


def by_dimension(dims: int, *values: Any) -> Iterable[tuple[Any, ...]]:
    """For each dimension its kernel size, stride and so on, whether they were given once or as lists."""
    return zip(*(ntuple(value, dims) for value in values))


def require_fit(size: Dim, reach: Dim, positions: Shape) -> None:
    """Refuse a window that reaches over more than the padded size."""
    known, wanted = value_of(size), value_of(reach)
    if known is not None and wanted is not None and wanted > known:
        raise Fault(
            f"the kernel reaches over {reach} positions, more than the {size} that the padded input "
            f"{show(positions)} has",
            "make the kernel smaller, pad more, or pool less before",
        )


def convolution(dims: int) -> Callable[..., Tensor]:
    """The rule of ConvNd."""

    def rule(
        input: Tensor,
        in_channels: Dim,
        out_channels: Dim,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        dilation: Any,
        padding_mode: str,
    ) -> Tensor:
        sizes = _convolved(
            input, dims, in_channels, kernel_size, stride, padding, dilation, padding_mode
        )
        require_weights_dtype(input)
        return _with_channels(input, out_channels, sizes)

    return rule


def convolution_function(dims: int) -> Callable[..., Tensor]:
    """The rule of F.convNd, whose weight is (out_channels, in_channels // groups, *kernel_size)."""

    def rule(
        input: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        stride: Any,
        padding: Any,
        dilation: Any,
        groups: Dim,
    ) -> Tensor:
        out_channels, per_group, *kernel = require_rank(weight, dims + 2, of="the weight")
        _require_groups(out_channels, groups)
        sizes = _convolved(
            input, dims, per_group * groups, kernel, stride, padding, dilation, "zeros"
        )
        require_vector(bias, out_channels, "bias")
        require_one_dtype(input, weight, bias)
        return _with_channels(input, out_channels, sizes)

    return rule


def _convolved(
    input: Tensor,
    dims: int,
    in_channels: Dim,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    mode: str,
) -> list[Dim]:
    positions = positions_of(input, dims)
    _require_channels(input, dims, in_channels)
    sizes = []
    for size, kernel, step, pad, spread in by_dimension(
        dims, positions, kernel_size, stride, padding, dilation
    ):
        if pad == "same" and value_of(step) != 1:
            raise Fault("padding 'same' needs a stride of 1", "give the padding as a number")
        before, after = _pads(kernel, pad, spread)
        _require_padding(size, before, mode)
        _require_padding(size, after, mode)
        reach = spread * (kernel - 1) + 1
        require_fit(size + before + after, reach, positions)
        sizes.append((size + before + after - reach) // step + 1)
    return sizes


def _pads(kernel: Dim, pad: Any, spread: Dim) -> tuple[Dim, Dim]:
    """The padding before and after; of an odd number, 'same' puts the greater part after."""
    if pad == "valid":
        return 0, 0
    if pad == "same":
        total = spread * (kernel - 1)
        return total // 2, total - total // 2
    return pad, pad


def _require_padding(size: Dim, pad: Dim, mode: str) -> None:
    known, wanted = value_of(size), value_of(pad)
    if known is None or wanted is None:
        return
    if (mode == "reflect" and wanted >= known) or (mode == "circular" and wanted > known):
        raise Fault(
            f"{mode} padding of {pad} is too much for the {size} positions of the input",
            f"it takes at most {known if mode == 'circular' else known - 1}",
        )


def _require_channels(input: Tensor, dims: int, channels: Dim) -> None:
    shape = shape_of(input)
    where = len(shape) - dims - 1
    unbatched = "" if where else ", which is read as one sample without a batch"
    require_size(
        shape[where],
        channels,
        f"the number of channels, dimension {where} of the input {show(shape)}{unbatched},",
    )


def _require_groups(channels: Dim, groups: Dim) -> None:
    if value_of(channels % groups) not in (0, None):
        raise Fault(f"dimension 0 of the weight, {channels}, does not divide by groups ({groups})")


def _with_channels(input: Tensor, channels: Dim, sizes: list[Dim]) -> Tensor:
    before = shape_of(input)[: -len(sizes) - 1]
    return input.sized(*before, channels, *sizes)


def transposed_convolution(dims: int) -> Callable[..., Tensor]:
    """The rule of ConvTransposeNd."""

    def rule(
        input: Tensor,
        in_channels: Dim,
        out_channels: Dim,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        output_padding: Any,
        dilation: Any,
        output_size: Any,
    ) -> Tensor:
        least = _transposed(input, dims, in_channels, kernel_size, stride, padding, dilation)
        if output_size is None:
            sizes = _extended(least, stride, output_padding, dilation)
        else:
            sizes = _chosen(least, stride, output_size, rank=len(shape_of(input)))
        require_weights_dtype(input)
        return _with_channels(input, out_channels, sizes)

    return rule


def transposed_convolution_function(dims: int) -> Callable[..., Tensor]:
    """The rule of F.conv_transposeNd, whose weight is (in_channels, out_channels // groups, *kernel_size)."""

    def rule(
        input: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        stride: Any,
        padding: Any,
        output_padding: Any,
        groups: Dim,
        dilation: Any,
    ) -> Tensor:
        in_channels, per_group, *kernel = require_rank(weight, dims + 2, of="the weight")
        _require_groups(in_channels, groups)
        least = _transposed(input, dims, in_channels, kernel, stride, padding, dilation)
        sizes = _extended(least, stride, output_padding, dilation)
        require_vector(bias, per_group * groups, "bias")
        require_one_dtype(input, weight, bias)
        return _with_channels(input, per_group * groups, sizes)

    return rule


def _transposed(
    input: Tensor,
    dims: int,
    in_channels: Dim,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
) -> list[Dim]:
    """The least size of the output in each dimension; up to a stride more goes in one output of a convolution."""
    positions = positions_of(input, dims)
    _require_channels(input, dims, in_channels)
    return [
        (size - 1) * step - 2 * pad + spread * (kernel - 1) + 1
        for size, kernel, step, pad, spread in by_dimension(
            dims, positions, kernel_size, stride, padding, dilation
        )
    ]


def _extended(least: list[Dim], stride: Any, output_padding: Any, dilation: Any) -> list[Dim]:
    sizes = []
    for size, step, extra, spread in by_dimension(
        len(least), least, stride, output_padding, dilation
    ):
        known = [value_of(item) for item in (extra, step, spread)]
        if None not in known and known[0] >= max(known[1:]):  # type: ignore[operator,type-var]
            raise Fault(
                f"output_padding ({extra}) must be less than the stride ({step}) or the dilation ({spread})"
            )
        sizes.append(require_positive(size + extra, "the padding leaves nothing of the output"))
    return sizes


def _chosen(least: list[Dim], stride: Any, output_size: Any, rank: int) -> list[Dim]:
    """The output size that a call asks for, with or without the batch and channels in front."""
    dims = len(least)
    if len(output_size) not in (dims, rank):
        raise Fault(f"output_size takes {dims} or {rank} sizes here, not {len(output_size)}")
    for size, low, step in by_dimension(dims, tuple(output_size)[-dims:], least, stride):
        require_positive(size, "output_size leaves nothing of the output")
        extra, limit = value_of(size - low), value_of(step)
        if extra is not None and limit is not None and not 0 <= extra < limit:
            raise Fault(
                f"output_size asks for {size}, where {low} to {low + step - 1} can be had",
            )
    return list(output_size)[-dims:]
