"""What a model is made of: its layers with their shapes, parameters and multiply-adds. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nngen.graph import Program
from nngen.views.summary.rows import Row, Shapes, shapes_of
from nngen.views.summary.tree import Tree

__all__ = ["Row", "Summary", "summarize"]

# As verification has it for a size that is open and has no value under `check`.
OPEN_SIZE = 7


@dataclass(frozen=True)
class Summary:
    """A model and its layers.

    Attributes:
        name: the model's class.
        rows: its steps, those of a block below the block.
        inputs: the shapes of forward's arguments.
        sizes: what the open sizes are taken to be, the batch's `N` among them.
        parameters: how many numbers there are to train; one that two layers share counts once.
        buffers: how many there are in buffers.
        mult_adds: the multiply-adds of forward in eval mode: of its convolutions and matrix products, no others.
        partial: there are some whose multiply-adds cannot be told before the model runs.
    """

    name: str
    rows: tuple[Row, ...]
    inputs: dict[str, Shapes]
    sizes: dict[str, int]
    parameters: int
    buffers: int
    mult_adds: int
    partial: bool

    def as_dict(self) -> dict[str, Any]:
        """The summary in plain values, for JSON: rows in order, a block's before those in it."""
        return {
            "name": self.name,
            "inputs": self.inputs,
            "sizes": self.sizes,
            "rows": [
                row.as_dict(depth, path) for top in self.rows for depth, path, row in top.walk()
            ],
            "parameters": self.parameters,
            "buffers": self.buffers,
            "mult_adds": self.mult_adds,
            "mult_adds_partial": self.partial,
        }


def summarize(program: Program, batch: int = 1) -> Summary:
    """Count what is in a model.

    Args:
        program: the model.
        batch: the batch size.
    """
    flow = program.flow
    sizes = {"N": batch, **dict.fromkeys(program.spec.open_sizes, OPEN_SIZE), **program.sizes}
    tree = Tree()
    rows = tree.model(flow, sizes)
    if program.criterion is not None:
        rows += tree.loss(program.criterion.flow, sizes)
    return Summary(
        flow.body.name,
        tuple(rows),
        {value.name: shapes_of(value.abstract, sizes) for value in flow.inputs},
        sizes,
        sum(row.parameters for row in rows),
        sum(row.buffers for row in rows),
        sum(row.mult_adds for row in rows if not row.only_training),
        any(row.partial for row in rows if not row.only_training),
    )
