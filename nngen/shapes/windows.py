"""Rules of the layers that move a window over positions: convolutions and poolings.

The formulas are those of torch's documentation of Conv2d, ConvTranspose2d and MaxPool2d.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nngen.errors import Fault
from nngen.shapes.common import (
    demand_float,
    demand_positive,
    demand_rank,
    demand_size,
    ntuple,
)
from nngen.sizes import Dim, value_of
from nngen.tensors import Shape, Tensor, show


def _positions(input: Tensor, dims: int) -> Shape:
    """The sizes that the window moves over: the last `dims`, after channels and perhaps a batch."""
    shape = demand_rank(input, dims + 1, dims + 2)
    demand_float(input)
    return shape[-dims:]


def _fit(size: Dim, reach: Dim, positions: Shape) -> None:
    known, wanted = value_of(size), value_of(reach)
    if known is not None and wanted is not None and wanted > known:
        raise Fault(
            f"the kernel reaches over {reach} positions, more than the {size} that the padded input {show(positions)} has",
            "make the kernel smaller, pad more, or pool less before",
        )


def convolution(dims: int) -> Callable[..., Tensor]:
    """The rule of a convolution over `dims` positions."""

    def rule(
        input: Tensor,
        in_channels: Dim,
        out_channels: Dim,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        dilation: Any,
        padding_mode: str = "zeros",
    ) -> Tensor:
        positions = _positions(input, dims)
        shape = input.shape
        assert shape is not None
        demand_size(
            shape[-dims - 1],
            in_channels,
            f"the number of channels (dimension {len(shape) - dims - 1} of the input)",
        )
        if padding == "same":
            if any(step != 1 for step in ntuple(stride, dims)):
                raise Fault("padding 'same' needs a stride of 1", "give the padding as a number")
            return input.sized(*shape[: -dims - 1], out_channels, *positions)
        padding = 0 if padding == "valid" else padding
        sizes = []
        for size, kernel, step, pad, spread in zip(
            positions,
            *(ntuple(v, dims) for v in (kernel_size, stride, padding, dilation)),
        ):
            reach = spread * (kernel - 1) + 1
            _demand_padding(size, pad, padding_mode)
            _fit(size + 2 * pad, reach, positions)
            sizes.append((size + 2 * pad - reach) // step + 1)
        return input.sized(*shape[: -dims - 1], out_channels, *sizes)

    return rule


def _demand_padding(size: Dim, pad: Dim, mode: str) -> None:
    known, wanted = value_of(size), value_of(pad)
    if known is None or wanted is None:
        return
    if (mode == "reflect" and wanted >= known) or (mode == "circular" and wanted > known):
        raise Fault(
            f"{mode} padding of {pad} needs more than the {size} positions that the input has"
        )


def transposed_convolution(dims: int) -> Callable[..., Tensor]:
    """The rule of a transposed convolution over `dims` positions."""

    def rule(
        input: Tensor,
        in_channels: Dim,
        out_channels: Dim,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        output_padding: Any,
        dilation: Any,
        output_size: Any = None,
    ) -> Tensor:
        positions = _positions(input, dims)
        shape = input.shape
        assert shape is not None
        demand_size(
            shape[-dims - 1],
            in_channels,
            f"the number of channels (dimension {len(shape) - dims - 1} of the input)",
        )
        if output_size is not None:
            return input.sized(*shape[: -dims - 1], out_channels, *tuple(output_size)[-dims:])
        sizes = [
            demand_positive(
                (size - 1) * step - 2 * pad + spread * (kernel - 1) + extra + 1,
                "the padding leaves nothing of the output",
            )
            for size, kernel, step, pad, extra, spread in zip(
                positions,
                *(
                    ntuple(v, dims)
                    for v in (kernel_size, stride, padding, output_padding, dilation)
                ),
            )
        ]
        return input.sized(*shape[: -dims - 1], out_channels, *sizes)

    return rule


def pooled(size: Dim, kernel: Dim, step: Dim, pad: Dim, spread: Dim, ceil_mode: bool) -> Dim:
    """How many windows there are; with `ceil_mode` the last must start inside the input or its left padding."""
    reach = spread * (kernel - 1) + 1
    if not ceil_mode:
        return (size + 2 * pad - reach) // step + 1
    count = (size + 2 * pad - reach + step - 1) // step + 1
    known = [value_of(item) for item in (count, step, size, pad)]
    if None not in known and (known[0] - 1) * known[1] >= known[2] + known[3]:  # type: ignore[operator]
        return count - 1
    return count


def pooling(dims: int) -> Callable[..., Any]:
    """The rule of max and average pooling over `dims` positions."""

    def rule(
        input: Tensor,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Any:
        positions = _positions(input, dims)
        assert input.shape is not None
        stride = kernel_size if stride is None else stride
        sizes = []
        for size, kernel, step, pad, spread in zip(
            positions,
            *(ntuple(v, dims) for v in (kernel_size, stride, padding, dilation)),
        ):
            known = value_of(kernel), value_of(pad)
            if known[0] is not None and known[1] is not None and known[1] > known[0] // 2:
                raise Fault(f"the padding ({pad}) is more than half of the kernel ({kernel})")
            if not ceil_mode:
                _fit(size + 2 * pad, spread * (kernel - 1) + 1, positions)
            count = pooled(size, kernel, step, pad, spread, ceil_mode)
            sizes.append(
                demand_positive(count, f"the kernel is larger than the input {show(positions)}")
            )
        result = input.sized(*input.shape[:-dims], *sizes)
        return (result, Tensor(result.shape, "int64")) if return_indices else result

    return rule


def adaptive_pooling(dims: int) -> Callable[..., Any]:
    """The rule of pooling to a given size; None keeps a size."""

    def rule(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
        positions = _positions(input, dims)
        assert input.shape is not None
        sizes = [
            size if wanted is None else wanted
            for size, wanted in zip(positions, ntuple(output_size, dims))
        ]
        result = input.sized(*input.shape[:-dims], *sizes)
        return (result, Tensor(result.shape, "int64")) if return_indices else result

    return rule
