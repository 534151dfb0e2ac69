"""What a tensor is taken apart into."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from nngen.symbolic.sizes import Dim

Pick = Callable[[int | slice | None], Any]


class Parts(tuple[Any, ...]):
    """The parts of a tensor.

    Attributes:
        number: how many there are, where that follows from names.
        whole: the dimension that was taken apart, and its size; None where the parts do not have it.
        picked: what an index or a slice gives, where there are not in all uses as many, or parts of other sizes;
            with None, all parts where there are as many as in this use.
    """

    number: Dim | None = None
    whole: tuple[int, Dim] | None = None
    picked: Pick | None = None

    def of(self, parts: Iterable[Any]) -> Parts:
        """Others that were taken apart in the same way."""
        return parted(parts, self.number, self.whole, self.picked)

    def taken(self) -> tuple[Any, ...]:
        """The parts as a line takes them apart, which says how many they are."""
        return tuple(self) if self.picked is None else self.picked(None)

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        return found if self.picked is None else self.picked(index)


def parted(
    parts: Iterable[Any],
    number: Dim | None = None,
    whole: tuple[int, Dim] | None = None,
    picked: Pick | None = None,
) -> Parts:
    """Parts that know how many they are, and of what."""
    made = Parts(parts)
    made.number, made.whole, made.picked = number, whole, picked
    return made
