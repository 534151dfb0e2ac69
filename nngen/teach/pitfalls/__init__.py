"""Pitfalls of PyTorch: for each mistake a wrong and a right program, run to show what both do.

Running them needs torch; all the rest does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from nngen.errors import NngenError, did_you_mean
from nngen.teach.pitfalls import calls, losses, modes, weights
from nngen.teach.pitfalls.model import Half, Pitfall
from nngen.teach.pitfalls.outcome import Outcome, Ran

__all__ = ["GROUPS", "PITFALLS", "Half", "Outcome", "Pitfall", "Ran", "about", "find", "run"]

# The pitfalls by the English heading of their kind, in the order in which they are shown.
GROUPS: Mapping[str, tuple[Pitfall, ...]] = MappingProxyType(
    {
        "Train and eval mode": modes.PITFALLS,
        "Parameters": weights.PITFALLS,
        "Softmax, sigmoid and losses": losses.PITFALLS,
        "Calls in forward": calls.PITFALLS,
    }
)
# The pitfalls by name.
PITFALLS: Mapping[str, Pitfall] = MappingProxyType(
    {pitfall.name: pitfall for group in GROUPS.values() for pitfall in group}
)


def about(name: str) -> tuple[Pitfall, ...]:
    """The pitfalls of a layer or function, as the catalog spells it: `Dropout`, `F.dropout`."""
    return tuple(pitfall for pitfall in PITFALLS.values() if name in pitfall.about)


def find(name: str) -> Pitfall:
    """The pitfall of a name.

    Raises:
        NngenError: there is none.
    """
    if name in PITFALLS:
        return PITFALLS[name]
    near = [pitfall.name for pitfall in about(name)]
    hint = f"pitfalls of {name}: {', '.join(near)}" if near else did_you_mean(name, PITFALLS)
    hint = hint or "`nngen pitfall` lists them"
    raise NngenError(f"there is no pitfall {name!r}\n  hint: {hint}")


def run(pitfall: Pitfall) -> Outcome:
    """Run both programs of a pitfall, here and now; needs torch.

    The caller's random numbers (on the CPU), warnings and output are left as they were.

    Raises:
        NngenError: a program does not end as it should, as it may under another version of torch.
    """
    from nngen.packages import import_torch

    import_torch()
    from nngen.teach.pitfalls.running import run_half

    return Outcome(pitfall, run_half(pitfall, "wrong"), run_half(pitfall, "right"))
