"""Functions and Tensor methods for lines of Python, by area: the same call stands in both twins.

What makes tensors whose values are left open (`empty`) or reads a tensor's values into Python (`item`) is not here.
"""

from __future__ import annotations

from nngen.catalog.functions import (
    algebra,
    arranging,
    casting,
    elementwise,
    functional,
    making,
    reducing,
    selecting,
)

FUNCTIONS = (
    *elementwise.FUNCTIONS,
    *reducing.FUNCTIONS,
    *arranging.FUNCTIONS,
    *selecting.FUNCTIONS,
    *making.FUNCTIONS,
    *algebra.FUNCTIONS,
    *casting.FUNCTIONS,
    *functional.FUNCTIONS,
)
