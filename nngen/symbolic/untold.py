"""Sizes of which only their number in one use is known: whoever needs more says what they depend on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nngen.symbolic.sizes import Dim, Opaque, Symbol, alone
from nngen.symbolic.substitution import opaque_in, rebuilt


@dataclass(frozen=True, eq=False, slots=True)
class Untold(Opaque):
    """A size that depends on an argument in a way that no expression tells; it equals itself alone.

    Attributes:
        reason: what it depends on.
        misfit: it does not come about in this use.
    """

    value: int | None
    reason: str
    misfit: bool = False
    weight: int = 1

    def text(self, rename: Callable[[str], str]) -> str:
        return "..."

    def symbols(self) -> frozenset[Symbol]:
        return frozenset()

    def substituted(self, substitution: Mapping[str, Any]) -> Dim:
        return alone(self)


def untold(value: int | None, reason: str, misfit: bool = False) -> Dim:
    """Such a size."""
    return alone(Untold(value, reason, misfit))


def numbered(size: Dim) -> Dim:
    """The size with the numbers of this use in the place of what is not told."""

    def leaf(atom: Symbol | Opaque) -> Dim:
        known = atom.value if isinstance(atom, Untold) else None
        return alone(atom) if known is None else known

    return rebuilt(size, leaf)


def is_misfit(size: Dim) -> bool:
    """Whether a size does not come about in this use."""
    return any(isinstance(atom, Untold) and atom.misfit for atom in opaque_in(size))


def untold_reason(size: Dim) -> str:
    """What a size depends on without saying how; empty where it says all."""
    return next((atom.reason for atom in opaque_in(size) if isinstance(atom, Untold)), "")
