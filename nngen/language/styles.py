"""The styles that a spec may name: the plain names, for those who do not write in them."""

from __future__ import annotations

from collections.abc import Sequence

from nngen.errors import Fault, did_you_mean, listed

# Each with its file.
FILES = {"nn": "nn_style.py", "functional": "functional_style.py", "stateless": "stateless.py"}
# What a spec that names none is written in, and what is proved of every spec.
TWINS = ("nn", "functional")


def refuse_wrong(name: str, before: Sequence[str]) -> None:
    """Refuse a name that is not a style's, or is among those before it.

    Raises:
        Fault: it is one of these.
    """
    if name not in FILES:
        hint = did_you_mean(name, FILES)
        raise Fault(f"there is no style {name!r}", hint)
    if name in before:
        raise Fault(f"the style {name!r} is named twice", "leave one of them out")


def side_by_side(names: Sequence[str]) -> tuple[str, ...]:
    """Styles to be shown side by side: these, or where there is only one, it and a twin."""
    return tuple(names) if len(names) > 1 else tuple(dict.fromkeys((*names, *TWINS)))[:2]


def known() -> str:
    """The names, as a hint lists them."""
    return f"the styles are {listed(FILES, str)}"
