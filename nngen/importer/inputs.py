"""What a module is given: names, sizes, dtypes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from nngen.errors import NngenError

_DTYPES = ("float32", "float64", "int64", "int32", "bool")


@dataclass(frozen=True)
class Input:
    """One tensor that forward takes.

    Args:
        shape: its sizes, the batch first.
        dtype: "float32", "int64".
        below: whole numbers are drawn from 0 up to this one, which is not among them.
    """

    shape: tuple[int, ...]
    dtype: str = "float32"
    below: int = 2

    def draw(self, batch: int) -> Tensor:
        """A tensor of so many samples."""
        shape = (batch, *self.shape[1:])
        dtype = getattr(torch, self.dtype)
        if self.dtype == "bool":
            return torch.rand(shape) < 0.5
        if not dtype.is_floating_point:
            return torch.randint(self.below, shape, dtype=dtype)
        return torch.randn(shape, dtype=dtype)


def parsed(text: str) -> tuple[str, Input]:
    """`x=2,3,224,224` or `tokens=2,16:int64:1000` as a name and an input.

    Raises:
        NngenError: it is not of that form.
    """
    name, equals, rest = text.partition("=")
    sizes, _, kind = rest.partition(":")
    dtype, _, below = kind.partition(":")
    try:
        shape = tuple(int(size) for size in sizes.split(","))
        found = Input(shape, dtype or "float32", int(below) if below else 2)
    except ValueError:
        shape = ()
    if not equals or not name.isidentifier() or not shape or min(shape) < 1:
        raise NngenError(
            f"--input {text}: not of the form NAME=SIZES, with a dtype and a bound after colons if need be\n"
            "  hint: x=2,3,224,224 for images, tokens=2,16:int64:1000 for tokens of a vocabulary of 1,000"
        )
    if found.dtype not in _DTYPES:
        raise NngenError(f"--input {text}: the dtype is one of {', '.join(_DTYPES)}")
    return name, found
