"""What a model is fed: its inputs and targets, and the values of its arguments and open sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

KINDS = ("normal", "uniform", "probability", "sign")


@dataclass(frozen=True)
class TensorSpec:
    """One input of `forward`, or one target of `loss`.

    Args:
        name: the argument's name.
        shape: the shape without the batch dimension; text is an open size, such as "T" or "7 * N".
        dtype: the name of a torch dtype.
        batch: whether a batch dimension is put in front.
        below: integers are drawn from [low, below), by default from [low, 2); floats from
            [low, below), by default as `kind` says.
        kind: how floats are drawn: "normal", "uniform" (0 to 1), "probability" (they sum
            to one along dimension 1), "sign" (-1 or 1; for integers too).
        low: from where on numbers are drawn.

    Raises:
        ValueError: `kind` is unknown, or `below` leaves nothing to draw.
    """

    name: str
    shape: tuple[int | str, ...]
    dtype: str = "float32"
    batch: bool = True
    below: int | None = None
    kind: str = "normal"
    low: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.name}: kind is {self.kind!r}, not one of {KINDS}")
        if self.below is not None and self.below <= self.low:
            raise ValueError(f"{self.name}: nothing can be drawn below {self.below}")


@dataclass(frozen=True)
class Fed:
    """What verification gives a model.

    Args:
        inputs, targets, arguments, sizes: as a Subject has them.
    """

    inputs: tuple[TensorSpec, ...]
    targets: tuple[TensorSpec, ...] | None
    arguments: Mapping[str, Any]
    sizes: Mapping[str, int]
