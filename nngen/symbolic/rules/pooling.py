"""Rules of poolings and unpoolings."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from nngen.errors import Fault
from nngen.symbolic.broadcasting import Shape, show
from nngen.symbolic.rules.common import ntuple, require_positive, shape_of
from nngen.symbolic.rules.convolution import by_dimension, positions_of, require_fit
from nngen.symbolic.sizes import Dim, Size, value_of
from nngen.symbolic.substitution import minimum, same
from nngen.symbolic.tensor import Tensor

Results = Tensor | tuple[Tensor, Tensor]


def max_pooling(dims: int) -> Callable[..., Results]:
    """The rule of MaxPoolNd and F.max_poolNd."""

    def rule(
        input: Tensor,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        dilation: Any,
        ceil_mode: bool,
        return_indices: bool,
    ) -> Results:
        sizes = _windows(input, dims, kernel_size, stride, padding, dilation, ceil_mode)
        return _results(input, sizes, return_indices)

    return rule


def average_pooling(dims: int) -> Callable[..., Results]:
    """The rule of AvgPoolNd and F.avg_poolNd."""

    def rule(
        input: Tensor,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        ceil_mode: bool,
        divisor_override: Any = None,
    ) -> Results:
        if divisor_override is not None and value_of(divisor_override) == 0:
            raise Fault("divisor_override must not be 0")
        sizes = _windows(input, dims, kernel_size, stride, padding, 1, ceil_mode)
        _require_covered(input, dims, kernel_size)
        return _results(input, sizes)

    return rule


def power_pooling(dims: int) -> Callable[..., Results]:
    """The rule of LPPoolNd and F.lp_poolNd, which torch computes by an average or a maximum."""

    def rule(
        input: Tensor, norm_type: Any, kernel_size: Any, stride: Any, ceil_mode: bool
    ) -> Results:
        if not isinstance(norm_type, Size) and norm_type == 0:
            raise Fault("norm_type must not be 0")
        sizes = _windows(input, dims, kernel_size, stride, 0, 1, ceil_mode)
        if isinstance(norm_type, Size) or not math.isinf(norm_type):
            _require_covered(input, dims, kernel_size)
        return _results(input, sizes)

    return rule


def _windows(
    input: Tensor,
    dims: int,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
) -> list[Dim]:
    """How many windows there are in each dimension."""
    positions = positions_of(input, dims)
    stride = kernel_size if stride is None else stride
    windows = by_dimension(dims, positions, kernel_size, stride, padding, dilation)
    return [_pooled(positions, ceil_mode, *window) for window in windows]


def _require_covered(input: Tensor, dims: int, kernel_size: Any) -> None:
    """Refuse what torch's three-dimensional average refuses: a kernel larger than the input without padding."""
    if dims != 3:
        return
    positions = shape_of(input)[-dims:]
    for size, kernel in by_dimension(dims, positions, kernel_size):
        known, wanted = value_of(size), value_of(kernel)
        if known is not None and wanted is not None and wanted > known:
            raise Fault(
                f"the kernel ({kernel}) is larger than the input {show(positions)}, which padding does not help",
                "make the kernel smaller, or pool less before",
            )


def _pooled(
    positions: Shape, ceil_mode: bool, size: Dim, kernel: Dim, step: Dim, pad: Dim, spread: Dim
) -> Dim:
    """How many windows there are."""
    known = value_of(kernel), value_of(pad)
    if known[0] is not None and known[1] is not None and known[1] > known[0] // 2:
        raise Fault(f"the padding ({pad}) is more than half of the kernel ({kernel})")
    reach = spread * (kernel - 1) + 1
    if not ceil_mode:
        require_fit(size + 2 * pad, reach, positions)
        return (size + 2 * pad - reach) // step + 1
    # With ceil_mode a window may reach out on the right.
    count = (size + 2 * pad - reach + step - 1) // step + 1
    found = value_of(count)
    if found is not None and found < 1:
        require_fit(size + 2 * pad, reach, positions)
    beyond = step - (reach - pad)
    if isinstance(beyond, int) and beyond <= 0:
        return count
    # It must start inside the input or its left padding; only a stride beyond the kernel can bring it past that.
    return minimum(count, (size + pad + step - 1) // step)


def _results(input: Tensor, sizes: list[Dim], return_indices: bool = False) -> Results:
    result = input.sized(*shape_of(input)[: -len(sizes)], *sizes)
    return (result, Tensor(result.shape, "int64")) if return_indices else result


def adaptive_pooling(dims: int) -> Callable[..., Results]:
    """The rule of pooling to a given size; None keeps a size."""

    def rule(input: Tensor, output_size: Any, return_indices: bool = False) -> Results:
        positions = positions_of(input, dims)
        if output_size is None:
            raise Fault(
                "output_size must not be null as a whole",
                f"write `output_size: [{', '.join(['null'] * dims)}]`",
            )
        sizes = [
            size if wanted is None else wanted
            for size, wanted in by_dimension(dims, positions, output_size)
        ]
        return _results(input, sizes, return_indices)

    return rule


def fractional_pooling(dims: int) -> Callable[..., Results]:
    """The rule of fractional max pooling, to a size or by a ratio."""
    # torch's three-dimensional kernel asks for one position more than its two-dimensional one.
    spare = 0 if dims == 2 else 1

    def rule(
        input: Tensor,
        kernel_size: Any,
        output_size: Any,
        output_ratio: Any,
        return_indices: bool,
    ) -> Results:
        positions = positions_of(input, dims)
        if (output_size is None) == (output_ratio is None):
            raise Fault("it takes either output_size or output_ratio")
        scaled = [_scaled(*one) for one in by_dimension(dims, positions, output_ratio)]
        sizes = scaled if output_size is None else list(ntuple(output_size, dims))
        if None in sizes:
            unknown = Tensor(None, input.dtype)
            return (unknown, Tensor(None, "int64")) if return_indices else unknown
        for size, kernel, wanted in by_dimension(dims, positions, kernel_size, sizes):
            need, known = value_of(wanted + kernel - 1 + spare), value_of(size)
            if need is not None and known is not None and need > known:
                raise Fault(
                    f"{wanted} windows of {kernel} need {need} positions, the input {show(positions)} has {size}",
                    "ask for a smaller output, or make the kernel smaller",
                )
        return _results(input, sizes, return_indices)

    return rule


def _scaled(size: Dim, ratio: Any) -> Any:
    """The size times the ratio, rounded down; None where the size has a name, since no expression holds floats."""
    if not isinstance(size, int) or not isinstance(ratio, (int, float)):
        return None
    if not 0 < ratio < 1:
        raise Fault(f"output_ratio must be between 0 and 1, not {ratio}")
    scaled = int(size * ratio)
    if scaled < 1:
        raise Fault(f"output_ratio ({ratio}) leaves nothing of {size} positions")
    return scaled


def unpooling(dims: int) -> Callable[..., Tensor]:
    """The rule of max unpooling."""

    def rule(
        input: Tensor,
        indices: Tensor,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        output_size: Any,
    ) -> Tensor:
        positions = positions_of(input, dims)
        _require_indices(input, indices)
        stride = kernel_size if stride is None else stride
        usual = [
            (size - 1) * step + kernel - 2 * pad
            for size, kernel, step, pad in by_dimension(
                dims, positions, kernel_size, stride, padding
            )
        ]
        sizes = usual if output_size is None else _chosen(usual, stride, output_size)
        for size in sizes:
            require_positive(size, "the padding leaves nothing of the output")
        return input.sized(*shape_of(input)[:-dims], *sizes)

    return rule


def _require_indices(input: Tensor, indices: Tensor) -> None:
    if indices.dtype != "int64":
        raise Fault(
            f"the indices must be int64, not {indices.dtype}",
            "they come from a max pooling with `return_indices: true`",
        )
    first, second = shape_of(input), shape_of(indices)
    if len(first) != len(second) or any(same(a, b) is not True for a, b in zip(first, second)):
        raise Fault(f"the input is {show(first)}, but its indices are {show(second)}")


def _chosen(usual: list[Dim], stride: Any, output_size: Any) -> list[Dim]:
    """The output size that a call asks for, with or without the batch and channels in front."""
    dims = len(usual)
    if len(output_size) not in (dims, dims + 2):
        raise Fault(f"output_size takes {dims} or {dims + 2} sizes, not {len(output_size)}")
    sizes = list(output_size)[-dims:]
    for size, middle, step in by_dimension(dims, tuple(sizes), tuple(usual), stride):
        distance, limit = value_of(size - middle), value_of(step)
        if distance is not None and limit is not None and abs(distance) >= limit:
            raise Fault(
                f"output_size asks for {size}, where {middle - step + 1} to {middle + step - 1} can be had"
            )
    return sizes
