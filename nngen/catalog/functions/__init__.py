"""Functions and Tensor methods for lines of Python, by area: the same call stands in both twins.

What makes tensors whose values are left open (`empty`) or reads a tensor's values into Python (`item`) is not here.
"""

from __future__ import annotations

from nngen.catalog.functions import (
    casting,
    elementwise,
    factories,
    functional,
    indexing,
    linalg,
    reductions,
    reshaping,
)

FUNCTIONS = (
    *elementwise.FUNCTIONS,
    *reductions.FUNCTIONS,
    *reshaping.FUNCTIONS,
    *indexing.FUNCTIONS,
    *factories.FUNCTIONS,
    *linalg.FUNCTIONS,
    *casting.FUNCTIONS,
    *functional.FUNCTIONS,
)
