"""The types of what forward takes and returns, in all flows that are known of a class."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Any

from nngen.graph.flow import Flow
from nngen.sizes import Size
from nngen.tensors import Either, Packed

# A value, the expression that gives it, and the names in that for what may be None.
_Typed = list[tuple[Any, "ast.expr | None", set[str]]]


def returns(flows: Sequence[Flow]) -> str:
    """The type of what forward returns."""
    found = []
    for flow in flows:
        last = flow.operations[-1]
        absent = {value.name for value in last.reads if value.only_when is not None}
        tree = None if last.line is None else last.line.value.tree
        found.append((flow.output, tree, absent))
    return _annotation(found)


def argument(values: Sequence[Any], name: str) -> str:
    """An argument of forward, with its type if it is more than a tensor."""
    kind = _annotation([(value, None, set()) for value in values])
    return name if kind == "Tensor" else f"{name}: {kind}"


def _annotation(found: _Typed) -> str:
    """The type of what is one of these values."""
    kinds: set[str] = set()
    tuples: dict[int, _Typed] = {}
    items: dict[str, _Typed] = {}
    for value, tree, absent in _arms(found):
        if isinstance(tree, ast.Name) and tree.id in absent:
            kinds.add("None")
        if isinstance(value, tuple):
            tuples.setdefault(len(value), []).append((value, tree, absent))
        elif isinstance(value, (list, dict)):
            held = value.values() if isinstance(value, dict) else value
            kept = items.setdefault("dict[str, {}]" if isinstance(value, dict) else "list[{}]", [])
            trees = tree.values if isinstance(tree, ast.Dict) else [None] * len(value)
            kept += zip(held, trees, [absent] * len(value))
        else:
            kinds.add(_kind(value))
    kinds |= {f"tuple[{_inner(length, each)}]" for length, each in tuples.items()}
    kinds |= {kind.format(_annotation(each) or "Tensor") for kind, each in items.items()}
    return " | ".join([*sorted(kinds - {"None"}), *(["None"] if "None" in kinds else [])])


def _inner(length: int, found: _Typed) -> str:
    """The types of the items of tuples of one length."""
    parts = []
    for place in range(length):
        trees = [tree.elts[place] if isinstance(tree, ast.Tuple) else None for _, tree, _ in found]
        parts.append(_annotation([(v[place], t, a) for (v, _, a), t in zip(found, trees)]))
    return ", ".join(parts) or "()"


def _arms(found: _Typed) -> Iterator[tuple[Any, ast.expr | None, set[str]]]:
    for value, tree, absent in found:
        if isinstance(value, Either):
            assert isinstance(tree, ast.IfExp)
            yield from _arms(
                [(value.first, tree.body, absent), (value.second, tree.orelse, absent)]
            )
        else:
            yield value, tree, absent


def _kind(value: Any) -> str:
    if isinstance(value, Packed):
        return "nn.utils.rnn.PackedSequence"
    if isinstance(value, (bool, float, str)):
        return type(value).__name__
    if value is None:
        return "None"
    return "int" if isinstance(value, (int, Size)) else "Tensor"
