"""The types of what forward takes and returns, in all flows that are known of a class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nngen.graph.alternatives import EVER, arms
from nngen.graph.flow import Flow
from nngen.symbolic.sizes import Size
from nngen.symbolic.tensor import Packed


def returns(flows: Sequence[Flow]) -> str:
    """The type of what forward returns."""
    return _annotation([flow.result.all_told for flow in flows])


def argument(values: Sequence[Any], name: str) -> str:
    """An argument of forward, with its type if it is more than a tensor."""
    kind = _annotation(values)
    return name if kind == "Tensor" else f"{name}: {kind}"


def _annotation(found: Sequence[Any]) -> str:
    """The type of what is one of these values.

    What may be None somewhere is so in each part of a value, whatever that part's condition is: a type checker, which
    knows types by name, sees no more.
    """
    kinds: set[str] = set()
    tuples: dict[int, list[Any]] = {}
    items: dict[str, list[Any]] = {}
    for value, _ in (arm for each in found for arm in arms(each, EVER)):
        if isinstance(value, tuple):
            tuples.setdefault(len(value), []).append(value)
        elif isinstance(value, (list, dict)):
            held = value.values() if isinstance(value, dict) else value
            kind = "dict[str, {}]" if isinstance(value, dict) else "list[{}]"
            items.setdefault(kind, []).extend(held)
        else:
            kinds.add(_kind(value))
    kinds |= {f"tuple[{_inner(length, each)}]" for length, each in tuples.items()}
    kinds |= {kind.format(_annotation(each) or "Tensor") for kind, each in items.items()}
    return " | ".join([*sorted(kinds - {"None"}), *(["None"] if "None" in kinds else [])])


def _inner(length: int, found: Sequence[Any]) -> str:
    """The types of the items of tuples of one length."""
    parts = [_annotation([value[place] for value in found]) for place in range(length)]
    return ", ".join(parts) or "()"


def _kind(value: Any) -> str:
    if isinstance(value, Packed):
        return "nn.utils.rnn.PackedSequence"
    if isinstance(value, (bool, float, str)):
        return type(value).__name__
    if value is None:
        return "None"
    return "int" if isinstance(value, (int, Size)) else "Tensor"
