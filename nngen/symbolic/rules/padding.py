"""Rules of padding: two numbers a dimension, before and after, from the last dimension on."""

from __future__ import annotations

from collections.abc import Sequence

from nngen.errors import Fault
from nngen.symbolic.rules.activations import require_held
from nngen.symbolic.rules.common import (
    require_positive,
    require_rank,
    require_values,
    shape_of,
)
from nngen.symbolic.sizes import Dim, value_of
from nngen.symbolic.tensor import Tensor


def padded(input: Tensor, pad: Sequence[Dim], mode: str, value: float | None = None) -> Tensor:
    """F.pad."""
    shape = list(shape_of(input))
    if len(pad) % 2 or len(pad) > 2 * len(shape):
        raise Fault(
            f"pad takes two numbers for each of at most {len(shape)} dimensions, not {len(pad)}"
        )
    dims = len(pad) // 2
    require_held(input, value, "value")
    if mode != "constant":
        if value:
            raise Fault(f"mode {mode!r} takes no value")
        if dims not in (1, 2, 3):
            raise Fault(f"mode {mode!r} pads 1 to 3 dimensions, not {dims}")
        require_rank(input, dims + 1, dims + 2)
        if mode != "circular":
            require_values(shape_of(input))
        if input.dtype == "bool" and mode != "circular":
            raise Fault(f"mode {mode!r} pads numbers, not bool")
    for position, (before, after) in enumerate(zip(pad[::2], pad[1::2]), 1):
        size = shape[-position]
        _require_within(size, before, after, mode)
        _require_within(size, after, before, mode)
        shape[-position] = require_positive(
            size + before + after,
            f"padding a size of {size} by {before} and {after} leaves nothing",
        )
    return input.sized(*shape)


def _require_within(size: Dim, pad: Dim, other: Dim, mode: str) -> None:
    """Refuse padding with more values than the other side leaves, and cropping more than there is."""
    known, wanted, opposite = value_of(size), value_of(pad), value_of(other)
    if known is None or wanted is None or opposite is None:
        return
    if -wanted > known:
        raise Fault(f"a size of {size} cannot be cropped by {-wanted}")
    most = {"reflect": known - 1, "circular": known + min(opposite, 0)}.get(mode)
    if most is not None and wanted > most:
        raise Fault(f"a size of {size} can be padded by {most} in mode {mode!r}, not by {pad}")
