"""Errors without the lines of the spec that they show."""

from __future__ import annotations

import re


def without_excerpts(text: str) -> str:
    """What an error says, but for the lines that it shows and the carets under them."""
    return re.sub(r"\n *\d* \| .*", "", text)
