"""What may be a name: Python's identifiers, as far as every version of Python agrees on them and a reader sees them."""

from __future__ import annotations

import re
from unicodedata import normalize, ucd_3_2_0

# Letters, digits and marks that leave nothing on the page; other such characters are in none of the categories below.
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\ufe00-\ufe0f]")
_CATEGORIES = frozenset(["Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Nd", "Nl"])


def is_identifier(name: str) -> bool:
    """Whether `name` is an identifier that looks like what it is, by the same letters in each version of Python.

    Later versions of Unicode add characters, and Python follows: 3.13 takes a zero-width joiner.
    """
    if not name.isidentifier():
        return False
    if name.isascii():
        return True
    return (
        normalize("NFKC", name) == name
        and not _UNSEEN.search(name)
        and all(letter == "_" or ucd_3_2_0.category(letter) in _CATEGORIES for letter in name)
    )


def identifier(name: str) -> str:
    """The identifier for the name of a layer, which may have dots and dashes: `downs_0` for `downs.0`."""
    found = name.replace(".", "_").replace("-", "_")
    return f"layer_{found}" if found[:1].isdigit() else found
