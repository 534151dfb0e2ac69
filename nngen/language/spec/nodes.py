"""Small readers of a document's nodes: words, flags, lists, expressions."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sized
from collections.abc import Mapping as Map
from types import MappingProxyType
from typing import Any

from nngen.catalog.argument_types import Kind
from nngen.errors import BROKEN, Errors, Mark, SpecError, did_you_mean, nearest
from nngen.language.document import Entry, Mapping, Node, Scalar, Sequence
from nngen.symbolic.expressions import Expression, marked, parse

_NO_SPACE = re.compile(r"(-\w|[\w.]+:\S)")


def known_keys(node: Mapping, known: Iterable[str], owner: str) -> None:
    """Refuse a key that is not among the known ones."""
    for entry in node.entries.values():
        if entry.key not in known:
            hint = did_you_mean(entry.key, known)
            raise SpecError(f"{owner} has no key {entry.key!r}", entry.key_mark, hint)


def corrected(
    node: Mapping,
    known: Iterable[str],
    owner: str,
    errors: Errors,
    hints: Map[str, str] = MappingProxyType({}),
) -> Mapping:
    """The mapping without its unknown keys, which are noted; one that is misspelt stands for what was meant."""
    entries: dict[str, Entry] = {key: e for key, e in node.entries.items() if key in known}
    for entry in node.entries.values():
        if entry.key not in known:
            hint = hints.get(entry.key) or did_you_mean(entry.key, known)
            errors.add(SpecError(f"{owner} has no key {entry.key!r}", entry.key_mark, hint))
            meant = None if entry.key in hints else nearest(entry.key, known)
            if meant is not None:
                entries.setdefault(meant, entry)
    return Mapping(entries, node.mark)


def unknown(mark: Mark) -> Expression:
    """Stands for an expression that could not be read."""
    return Expression(ast.Constant(BROKEN), mark)


def text(node: Node, what: str) -> str:
    """A word."""
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        raise SpecError(f"{what} must be a word, not {shown(node)}", node.mark)
    return node.value


def shown(node: Node) -> str:
    """A node as a message names it."""
    if isinstance(node, Mapping):
        return "a mapping"
    return "a list" if isinstance(node, Sequence) else (node.text or "nothing")


def mapping(node: Node, what: str, hint: str) -> Mapping:
    """A mapping that is not empty."""
    if not isinstance(node, Mapping) or not node.entries:
        found = "an empty mapping" if isinstance(node, Mapping) else shown(node)
        raise SpecError(f"{what}, not {found}", node.mark, _hint(node, hint))
    return node


def items(node: Node, what: str, wanted: str, hint: str, least: int = 1) -> tuple[Node, ...]:
    """The items of a list that has at least so many."""
    if not isinstance(node, Sequence) or len(node.items) < least:
        found = "an empty list" if isinstance(node, Sequence) else shown(node)
        raise SpecError(f"{what} must be {wanted}, not {found}", node.mark, _hint(node, hint))
    return node.items


def few(nodes: Sized, what: str, most: int, mark: Mark) -> None:
    """Refuse more than `most` of them."""
    if len(nodes) > most:
        raise SpecError(f"there are {len(nodes):,} {what}, and {most} are the most", mark)


def _hint(node: Node, hint: str) -> str:
    """The hint, or the slip that made a word of what should be a list or mapping."""
    if isinstance(node, Scalar) and not node.quoted and _NO_SPACE.match(node.text):
        return (
            "a space is missing after '-'"
            if node.text[0] == "-"
            else "a space is missing after ':'"
        )
    return hint


def flag(node: Node | None, default: bool) -> bool:
    """True or false."""
    if node is None:
        return default
    if not isinstance(node, Scalar) or not isinstance(node.value, bool):
        raise SpecError(f"this must be true or false, not {shown(node)}", node.mark)
    return node.value


def is_empty(node: Node | None) -> bool:
    """Whether there is no value: `ReLU:` with nothing behind it."""
    return node is None or (isinstance(node, Scalar) and node.value is None and not node.text)


def expression(node: Node, kind: Kind | None = None) -> Expression:
    """A value of the spec as an expression; the words of `kind` stand for themselves.

    Raises:
        SpecError: it is none.
    """
    return Expression(_tree(node, kind), node.mark)


def _part(node: Node, kind: Kind | None) -> ast.expr:
    return marked(_tree(node, kind), node.mark)


def _tree(node: Node, kind: Kind | None) -> ast.expr:
    if isinstance(node, Sequence):
        return ast.Tuple([_part(item, kind) for item in node.items], ast.Load())
    if isinstance(node, Mapping):
        keys: list[ast.expr | None] = [ast.Constant(key) for key in node.entries]
        return ast.Dict(keys, [_part(entry.value, kind) for entry in node.entries.values()])
    value: Any = node.value
    if not isinstance(value, str) or (kind is not None and value in kind.words):
        return ast.Constant(value)
    return parse(value, node.mark).tree


def words_of(node: Node) -> Iterator[str]:
    """The words in a node, keys and values."""
    if isinstance(node, Scalar):
        yield from re.findall(r"\w+", node.text)
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from words_of(item)
    else:
        for entry in node.entries.values():
            yield from re.findall(r"\w+", entry.key)
            yield from words_of(entry.value)
