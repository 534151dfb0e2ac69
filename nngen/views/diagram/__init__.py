"""The architecture as a drawing: Mermaid text, or SVG through graphviz. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass

from nngen.graph import Program
from nngen.views.diagram.mermaid import as_mermaid
from nngen.views.diagram.nodes import Drawing
from nngen.views.diagram.svg import as_svg
from nngen.views.diagram.tracing import trace

__all__ = ["Diagram", "draw"]


@dataclass(frozen=True)
class Diagram:
    """A drawing and the texts that show it."""

    drawing: Drawing

    def as_mermaid(self) -> str:
        """The drawing as a Mermaid flowchart."""
        return as_mermaid(self.drawing)

    def as_svg(self) -> str:
        """The drawing as an SVG file.

        Raises:
            ToolError: graphviz is not installed.
        """
        return as_svg(self.drawing)


def draw(program: Program, unfold: bool = False) -> Diagram:
    """Draw a model.

    Args:
        program: the model.
        unfold: show what is in each block; else a block's use is one node.
    """
    return Diagram(trace(program.flow, unfold))
