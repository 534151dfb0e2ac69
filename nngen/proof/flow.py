"""Where the flow of two twins parts: the line that computes what the other never does."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from nngen.proof.bits import as_integers
from nngen.proof.twin import Twin

Mark = tuple[object, ...]


class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Records what each operation returns or writes, with the line of the twin it is for.

    Args:
        twin: the twin.
    """

    def __init__(self, twin: Twin) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.twin = twin
        self.marks: list[tuple[Mark, str]] = []

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        place = self._place()
        if place:
            for leaf in tree_leaves((result, args)):
                if isinstance(leaf, Tensor):
                    self.marks.append((_mark(leaf), place))
        return result

    def _place(self) -> str:
        frame = sys._getframe()
        while frame.f_back is not None:
            frame = frame.f_back
            if frame.f_globals is vars(self.twin.module):
                return self.twin.place(frame.f_code.co_filename, frame.f_lineno)
        return ""


def parting(nn: Recorder, others: Sequence[Recorder]) -> tuple[str, ...]:
    """The first line of the nn twin, and of each other, that computes what the other of the two never does."""
    pairs = [pair for other in others for pair in ((nn, other), (other, nn))]
    return tuple(dict.fromkeys(line for one, other in pairs for line in _first(one, other)))


def _first(one: Recorder, other: Recorder) -> Iterator[str]:
    known = {mark for mark, _ in other.marks}
    yield from [place for mark, place in one.marks if mark not in known][:1]


def _mark(tensor: Tensor) -> Mark:
    """What tells a tensor's bits from others': two sums over them, modulo 2**64."""
    bits = as_integers(tensor).to(torch.int64).flatten()
    odd = 2 * torch.arange(len(bits), device=bits.device) + 1
    weighted = (bits * (odd * 0x9E3779B97F4A7C1 + 1)).sum()
    return tensor.dtype, tuple(tensor.shape), int(bits.sum()), int(weighted)
