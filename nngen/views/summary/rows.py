"""One row of a summary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nngen.errors import Mark
from nngen.symbolic.sizes import Dim, value_of
from nngen.symbolic.substitution import substitute
from nngen.symbolic.tensor import Tensor

# Of each tensor in a value, its shape; None for one that shows only as the model runs.
Shapes = list["list[int | None] | None"]


@dataclass(frozen=True)
class Row:
    """A step of forward.

    Attributes:
        name: the attribute, or what a line binds.
        layer: the class, or the line's expression.
        inputs: the values that it takes.
        output: the shapes that it gives.
        parameters, buffers: how many numbers it holds, what is in it included, what stands above left out.
        mult_adds: of its convolutions and matrix products, in eval mode if it is not `only_training`.
        partial: there are more, whose number cannot be told.
        shared: its parameters are counted above.
        only_training: it happens in train mode alone.
        unused: no line of forward takes it in this use of its class.
        rows: what is in it.
        given: the shapes of what it takes.
        mark: the step of the spec.
    """

    name: str
    layer: str
    inputs: tuple[str, ...]
    output: Shapes
    parameters: int = 0
    buffers: int = 0
    mult_adds: int = 0
    partial: bool = False
    shared: bool = False
    only_training: bool = False
    unused: bool = False
    is_line: bool = False
    rows: tuple[Row, ...] = ()
    mark: Mark | None = None
    given: Shapes = field(default_factory=list)

    def walk(self, depth: int = 0, above: str = "") -> Iterator[tuple[int, str, Row]]:
        """This row and all in it, each with its depth and its path."""
        path = f"{above}.{self.name}" if above else self.name
        yield depth, path, self
        for row in self.rows:
            yield from row.walk(depth + 1, path)

    def as_dict(self, depth: int, path: str) -> dict[str, Any]:
        """The row in plain values, what is in it left out."""
        return {
            "path": path,
            "name": self.name,
            "depth": depth,
            "kind": "line" if self.is_line else "layer",
            "layer": self.layer,
            "inputs": list(self.inputs),
            "output": self.output,
            "parameters": self.parameters,
            "buffers": self.buffers,
            "mult_adds": self.mult_adds,
            "mult_adds_partial": self.partial,
            "shared": self.shared,
            "only_training": self.only_training,
            "unused": self.unused,
        }


def number(size: Dim, sizes: Mapping[str, Dim]) -> int | None:
    """A size as a number, the open ones among its names taken from `sizes`."""
    return value_of(substitute(size, sizes))


def shapes_of(value: Any, sizes: Mapping[str, Dim]) -> Shapes:
    """The shapes of the tensors in a value."""
    if isinstance(value, Tensor):
        return [None if value.shape is None else [number(size, sizes) for size in value.shape]]
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (tuple, list)):
        return [shape for item in value for shape in shapes_of(item, sizes)]
    return []
