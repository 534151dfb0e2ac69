"""Steps that cannot be read: what they may be about, so that no error is told that follows from theirs."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator

from nngen.catalog import LAYERS
from nngen.catalog.elsewhere import family
from nngen.errors import SpecError
from nngen.language.document import Mapping, Node, Scalar
from nngen.language.spec.model import Broken, Label, LayerStep

# Patterns of the names that such a step may give: those of copies and of unnamed layers, or any.
NUMBERED = r"\d"
ANY = r"|"
_HEAD = re.compile(r"\s*(\w+)(?:\s+as\s+(\w+))?\s*")
_TARGET = re.compile(r"([\w\s,()]+)=[^=]")


def unread(node: Node, error: SpecError, blocks: Container[str]) -> LayerStep:
    """Stands for a step.

    Args:
        node: the step.
        error: why it cannot be read.
        blocks: the names of the spec's blocks.
    """
    texts = list(_texts(node))
    head = texts[0] if texts else ""
    match = _HEAD.fullmatch(head)
    kind = match[1] if match and (match[1] in LAYERS or match[1] in blocks) else ""
    label = match[2] if match else None
    target = next(filter(None, (_TARGET.match(text) for text in texts)), None)
    gives = tuple(re.findall(r"\w+", target[1])) if target else ()
    vague = "" if label or target or kind else NUMBERED if match else ANY
    kinds = family(match[1]) if match and not kind else ()
    broken = Broken(error, words_in(node), gives, vague, kinds if len(kinds) > 1 else ())
    given = None if label is None else Label((label,), node.mark)
    return LayerStep(kind, given, {}, node.mark, broken=broken)


def words_in(node: Node) -> frozenset[str]:
    """All words in a part of a spec."""
    return frozenset(word for text in _texts(node) for word in re.findall(r"\w+", text))


def _texts(node: Node) -> Iterator[str]:
    if isinstance(node, Scalar):
        yield node.text
    elif isinstance(node, Mapping):
        for entry in node.entries.values():
            yield entry.key
            yield from _texts(entry.value)
    else:
        for item in node.items:
            yield from _texts(item)
