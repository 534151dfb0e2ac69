"""How much one spec may ask for: several times what the largest known networks do, and little enough to answer at once.

A spec may come from a stranger, and a short one can ask for much. What one's own specs need beyond that, `large` allows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

ALLOW = "if that is meant, `--large` allows more"


@dataclass(frozen=True)
class Limits:
    """The most that one spec may ask for.

    Attributes:
        size: of its text, in bytes.
        nodes: keys and values; an alias counts as all that it stands for.
        steps: steps followed, those of a block once for each use, and layers built in them.
        written: steps and layers that stand in the code, those of a block once.
        code: characters of generated code.
    """

    size: int
    nodes: int
    steps: int
    written: int
    code: int


USUAL = Limits(size=200_000, nodes=5_000, steps=3_000, written=1_200, code=80_000)
LARGE = Limits(size=4_000_000, nodes=140_000, steps=50_000, written=50_000, code=20_000_000)

_limits = ContextVar("limits", default=USUAL)


def limits() -> Limits:
    """The limits that hold here."""
    return _limits.get()


@contextmanager
def large(allowed: bool = True) -> Iterator[None]:
    """Allows large specs, where `allowed`."""
    token = _limits.set(LARGE if allowed else USUAL)
    try:
        yield
    finally:
        _limits.reset(token)
