"""The signature and the docstring of the method `loss`."""

from __future__ import annotations

from collections.abc import Sequence

from nngen.emit.model import Loss
from nngen.graph.claims import Claims
from nngen.graph.flow import Flow
from nngen.graph.losses import Criterion


def loss_method(losses: Sequence[tuple[Flow, Criterion]]) -> Loss:
    """The method's signature and docstring, from the criterion in each flow of the model."""
    flows, criteria = zip(*losses)
    first = criteria[0]
    claims = Claims(flows, (), is_block=False)
    shapes = {
        key: claims.text([(number, each.shapes[key]) for number, each in enumerate(criteria)])
        for key in first.shapes
    }
    shapes = {key: text.replace(", or ", " or ") for key, text in shapes.items()}
    return Loss(first.arguments, first.doc.format(**shapes), first.mark)
