"""Rules of what resizes: interpolation, pixel and channel shuffles, windows to columns and back."""

from __future__ import annotations

from typing import Any

from nngen.errors import Fault
from nngen.symbolic.broadcasting import Shape, show
from nngen.symbolic.rules.checks import require_real
from nngen.symbolic.rules.common import (
    ntuple,
    require_positive,
    require_rank,
    require_size,
    require_values,
    shape_of,
)
from nngen.symbolic.sizes import Dim, product, value_of
from nngen.symbolic.tensor import Tensor

_POSITIONS = {"linear": (1,), "bilinear": (2,), "bicubic": (2,), "trilinear": (3,)}
_UNALIGNED = ("nearest", "area", "nearest-exact")
# Above this denominator the product of a size and a factor is rounded, as no expression of whole numbers is.
_EXACT = 1024


def interpolate(
    input: Tensor,
    size: Any,
    scale_factor: Any,
    mode: str,
    align_corners: bool | None,
    recompute_scale_factor: bool | None,
    antialias: bool,
) -> Tensor:
    """Positions resized, to `size` or by `scale_factor`: one for all dimensions or one for each."""
    if align_corners is not None and mode in _UNALIGNED:
        raise Fault(f"align_corners does not go with mode {mode!r}")
    if recompute_scale_factor and size is not None:
        raise Fault("recompute_scale_factor goes with scale_factor, not with size")
    if antialias and mode not in ("bilinear", "bicubic"):
        raise Fault(f"antialias goes with modes 'bilinear' and 'bicubic', not {mode!r}")
    if (size is None) == (scale_factor is None):
        raise Fault("either size or scale_factor must be given")
    ranks = tuple(2 + dims for dims in _POSITIONS.get(mode, (1, 2, 3)))
    shape = require_rank(input, *ranks, of=f"in mode {mode!r} the input")
    _require_pixels(input, mode)
    require_values(shape)
    positions = shape[2:]
    wanted = scale_factor if size is None else size
    if isinstance(wanted, (tuple, list)) and len(wanted) != len(positions):
        raise Fault(
            f"the input {show(shape)} has {len(positions)} dimensions to resize, "
            f"but {len(wanted)} {'factors' if size is None else 'sizes'} are given"
        )
    sizes = ntuple(wanted, len(positions))
    if size is None:
        sizes = tuple(_scaled(*pair) for pair in zip(positions, sizes))
    if None in sizes:
        return Tensor(None, input.dtype)
    return input.sized(*shape[:2], *sizes)


def _require_pixels(input: Tensor, mode: str) -> None:
    """Refuse a dtype in which torch cannot interpolate; images may hold bytes."""
    if input.dtype == "uint8" and mode in ("nearest", "nearest-exact", "bilinear", "bicubic"):
        return
    require_real(input)


def _scaled(size: Dim, factor: Any) -> Dim | None:
    """A size times a factor, rounded down as torch does; None where no expression gives it."""
    if not isinstance(factor, (int, float)):
        result = size * factor
    elif isinstance(size, int):
        result = int(size * factor)
    else:
        numerator, denominator = float(factor).as_integer_ratio()
        if denominator > _EXACT:
            return None
        result = size * numerator // denominator
    return require_positive(result, f"a size of {size} times {factor} leaves nothing")


def pixel_shuffle(input: Tensor, upscale_factor: Dim) -> Tensor:
    """(*, C * r * r, H, W) to (*, C, H * r, W * r)."""
    shape = _at_least_three(input)
    channels, height, width = shape[-3:]
    _require_divides(channels, upscale_factor * upscale_factor, "the number of channels")
    return input.sized(
        *shape[:-3],
        channels // (upscale_factor * upscale_factor),
        height * upscale_factor,
        width * upscale_factor,
    )


def pixel_unshuffle(input: Tensor, downscale_factor: Dim) -> Tensor:
    """(*, C, H * r, W * r) to (*, C * r * r, H, W)."""
    shape = _at_least_three(input)
    channels, height, width = shape[-3:]
    _require_divides(height, downscale_factor, "the height")
    _require_divides(width, downscale_factor, "the width")
    return input.sized(
        *shape[:-3],
        channels * downscale_factor * downscale_factor,
        height // downscale_factor,
        width // downscale_factor,
    )


def channel_shuffle(input: Tensor, groups: Dim) -> Tensor:
    """(N, C, *), unchanged."""
    shape = _at_least_three(input)
    _require_divides(shape[1], groups, "the number of channels (dimension 1 of the input)")
    return input


def _at_least_three(input: Tensor) -> Shape:
    shape = shape_of(input)
    if len(shape) < 3:
        raise Fault(
            f"the input must have at least 3 dimensions (with the batch), not {len(shape)}: {show(shape)}"
        )
    require_values(shape)
    return shape


def _require_divides(size: Dim, divisor: Dim, what: str) -> None:
    if value_of(size % divisor) not in (0, None):
        raise Fault(f"{what} is {size}, which does not divide by {divisor}")


def unfold(input: Tensor, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> Tensor:
    """(N, C, H, W) to (N, C * kernel, windows)."""
    shape = require_rank(input, 3, 4)
    require_values(shape)
    _require_numbers(input)
    windows = _windows(shape[-2:], kernel_size, dilation, padding, stride)
    return input.sized(*shape[:-3], shape[-3] * product(ntuple(kernel_size, 2)), windows)


def fold(
    input: Tensor, output_size: Any, kernel_size: Any, dilation: Any, padding: Any, stride: Any
) -> Tensor:
    """(N, C * kernel, windows) to (N, C, *output_size)."""
    shape = require_rank(input, 2, 3)
    require_values(shape)
    _require_numbers(input)
    kernel, output = product(ntuple(kernel_size, 2)), ntuple(output_size, 2)
    _require_divides(shape[-2], kernel, f"dimension {len(shape) - 2} of the input")
    windows = _windows(output, kernel_size, dilation, padding, stride)
    require_size(shape[-1], windows, "the number of windows (the last dimension of the input)")
    return input.sized(*shape[:-2], shape[-2] // kernel, *output)


def _windows(positions: Shape, kernel: Any, dilation: Any, padding: Any, stride: Any) -> Dim:
    """How many windows there are in all."""
    return product(
        require_positive(
            (size + 2 * pad - spread * (reach - 1) - 1) // step + 1,
            f"the kernel is larger than the {show(positions)} that it moves over",
        )
        for size, reach, spread, pad, step in zip(
            positions, *(ntuple(v, 2) for v in (kernel, dilation, padding, stride))
        )
    )


def _require_numbers(input: Tensor) -> None:
    if not input.floating and input.dtype != "bool":
        raise Fault(f"the input must hold floats, not {input.dtype}")
