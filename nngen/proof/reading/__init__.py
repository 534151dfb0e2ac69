"""An independent reading of a spec: torch.nn's own modules, put together at run time from the YAML's data.

What nngen decides about a spec (names, sizes, the order of construction, what is folded away), this decides again by
itself. It shares with the rest of nngen how YAML is read, the grammar that keeps a spec's Python harmless, and lists of
names: those that unnamed layers get, and the functions that a line may call. tests/test_house.py holds that.
"""

from __future__ import annotations

from nngen.proof.reading.model import Model, read
from nngen.proof.reading.python import Unreadable

__all__ = ["Model", "Unreadable", "read"]
