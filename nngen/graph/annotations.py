"""The types of what forward takes and returns, in all flows that are known of a class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nngen.graph.alternatives import EVER, Under, arms
from nngen.graph.flow import Flow
from nngen.symbolic.sizes import Size
from nngen.symbolic.tensor import Packed

# Values, each with the conditions under which it is there.
_Typed = list[tuple[Any, Under]]


def returns(flows: Sequence[Flow]) -> str:
    """The type of what forward returns."""
    return _annotation([(flow.result.all_told, EVER) for flow in flows])


def argument(values: Sequence[Any], name: str) -> str:
    """An argument of forward, with its type if it is more than a tensor."""
    kind = _annotation([(value, EVER) for value in values])
    return name if kind == "Tensor" else f"{name}: {kind}"


def _annotation(found: _Typed) -> str:
    """The type of what is one of these values."""
    kinds: set[str] = set()
    tuples: dict[int, _Typed] = {}
    items: dict[str, _Typed] = {}
    for value, under in (arm for each in found for arm in arms(*each)):
        if isinstance(value, tuple):
            tuples.setdefault(len(value), []).append((value, under))
        elif isinstance(value, (list, dict)):
            held = value.values() if isinstance(value, dict) else value
            kind = "dict[str, {}]" if isinstance(value, dict) else "list[{}]"
            items.setdefault(kind, []).extend((item, under) for item in held)
        else:
            kinds.add(_kind(value))
    kinds |= {f"tuple[{_inner(length, each)}]" for length, each in tuples.items()}
    kinds |= {kind.format(_annotation(each) or "Tensor") for kind, each in items.items()}
    return " | ".join([*sorted(kinds - {"None"}), *(["None"] if "None" in kinds else [])])


def _inner(length: int, found: _Typed) -> str:
    """The types of the items of tuples of one length."""
    places = range(length)
    parts = [_annotation([(value[place], under) for value, under in found]) for place in places]
    return ", ".join(parts) or "()"


def _kind(value: Any) -> str:
    if isinstance(value, Packed):
        return "nn.utils.rnn.PackedSequence"
    if isinstance(value, (bool, float, str)):
        return type(value).__name__
    if value is None:
        return "None"
    return "int" if isinstance(value, (int, Size)) else "Tensor"
