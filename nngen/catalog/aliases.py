"""Attributes of tensors that tell of them without their values, and those that are their memory under another name."""

from __future__ import annotations

VIEWS = frozenset(["H", "T", "data", "imag", "mH", "mT", "real"])
FACTS = frozenset(
    [
        "device",
        "dim",
        "dtype",
        "element_size",
        "is_floating_point",
        "ndim",
        "nelement",
        "numel",
        "shape",
        "size",
    ]
)
