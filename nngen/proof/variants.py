"""Other values for a model's arguments and open sizes, in the order to try them. Nothing is run here."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import cache
from typing import Any

from nngen.catalog import FUNCTIONS, LAYERS
from nngen.language.document import Mapping as Entries
from nngen.language.document import Node, Scalar
from nngen.proof.feed import OPEN_SIZE
from nngen.proof.subject import Subject

# Some of the names with other values: of arguments, or of open sizes.
Changes = Mapping[str, Any]
# What an argument may be that is None by default.
_NUMBERS = (3, 4, 6, 8, 2, 1, 0.5, True)
_COMPARED = re.compile(r"""[!=]= *(?:'([^'"]*)'|"([^'"]*)")|(?:'([^'"]*)'|"([^'"]*)") *[!=]=""")


_NAME = re.compile(r"[^\W\d]\w*")
_IS_NONE = re.compile(r"(\w+) (?:is|is not|==|!=) None\b|\bNone (?:is|is not|==|!=) (\w+)")


def variants(subject: Subject) -> Iterator[tuple[str, list[list[Changes]]]]:
    """For each argument and open size: lists of values, of each of which the first that fits is run."""
    texts = list(_texts(subject.document)) if subject.document else []
    optional = _asked_for_none(texts, _blocks(subject.document))
    for name, value in subject.arguments.items():
        groups = _others(value, [text for _, text in texts])
        if value is not None and name in optional:
            groups.append((None,))
        yield name, [[{name: other} for other in others] for others in groups]
    for name, size in _open_sizes(subject).items():
        bigger = (size + 1, 2 * size)  # the second keeps what must divide it
        yield name, [[{name: other} for other in (first, *bigger)] for first in _odd(size)]


def together(subject: Subject, fitting: Mapping[str, Changes]) -> Iterator[Changes]:
    """Several arguments at once: all flags, and of all the first value that fits.

    Args:
        subject: the twins.
        fitting: for each argument the first of its other values that fits.
    """
    values = subject.arguments
    flags = {name: not value for name, value in values.items() if isinstance(value, bool)}
    if len(flags) > 1:
        yield flags
    every = {name: changes[name] for name, changes in fitting.items() if name in values}
    if len(every) > 1 and every != flags:
        yield every


def changed(subject: Subject, changes: Changes) -> Subject:
    """The subject with other values; what is fed to it has the sizes that follow from them.

    Raises:
        SpecError: with these values the spec is wrong.
    """
    sizes = {name: changes[name] for name in changes.keys() - subject.arguments.keys()}
    found = replace(subject, sizes={**subject.sizes, **sizes})
    arguments = {name: changes[name] for name in changes if name not in sizes}
    if not arguments:
        return found
    if subject.again is not None:
        return replace(subject, **{**vars(subject.again(arguments)), "sizes": found.sizes})
    return replace(found, arguments={**subject.arguments, **arguments})


def _others(value: Any, texts: list[str]) -> list[tuple[Any, ...]]:
    """Other values than this one, in groups: larger ones, smaller ones, none."""
    groups: list[tuple[Any, ...]] = []
    if isinstance(value, bool):
        groups.append((not value,))
    elif isinstance(value, int):
        # Of those behind the first, some keep what must divide it, or what it must divide.
        groups += [(value + 1, 2 * value, value + 2, 3 * value), (value // 2, value - 1, 1), (0,)]
    elif isinstance(value, float):
        groups += [(value / 2 if value else 0.25, 2 * value), (0.0,)]
    elif isinstance(value, (tuple, list)) and value:
        parts = [_others(each, texts) for each in value]
        for place in range(2):
            each = [part[place] if place < len(part) else (old,) for part, old in zip(parts, value)]
            groups.append(tuple(type(value)(some) for some in zip(*each)))
    elif isinstance(value, str):
        compared = {word for text in texts for found in _COMPARED.findall(text) for word in found}
        words = sorted(compared - {""})
        groups += [(word,) for word in words] + [(f"not {value}",)] * bool(words)
        groups += [(word,) for word in _kin(value) if word not in words]
    elif value is None:
        groups.append(_NUMBERS)
    kept = [tuple(other for other in group if not _same(other, value)) for group in groups]
    return [group for group in kept if group]


@cache
def _kin(word: str) -> tuple[str, ...]:
    """The words that arguments of torch's layers and functions may be where they may be this one."""
    signatures = [entry.signature for entry in LAYERS.values()]
    signatures += [accepted for entry in FUNCTIONS.values() for accepted in entry.signatures]
    kinds = {argument.kind.words for each in signatures for argument in each}
    return tuple(sorted({other for words in kinds if word in words for other in words}))


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _blocks(document: Node | None) -> AbstractSet[str]:
    """The names of a spec's blocks."""
    found = document.entries.get("blocks") if isinstance(document, Entries) else None
    return found.value.entries.keys() if found and isinstance(found.value, Entries) else set()


def _asked_for_none(texts: list[tuple[str, str]], blocks: AbstractSet[str]) -> set[str]:
    """The names that a spec asks whether they are None, and those of which these may be made.

    Args:
        texts: what the spec has as text, each with its key.
        blocks: the names of its blocks, whose arguments may be given by their places.
    """
    found = {name for _, text in texts for pair in _IS_NONE.findall(text) for name in pair}
    while found:
        given = (text for key, text in texts if key in found or key.split(" ")[0] in blocks)
        further = {name for text in given for name in _NAME.findall(text)}
        if further <= found:
            break
        found |= further
    return found


def _texts(node: Node, key: str = "") -> Iterator[tuple[str, str]]:
    """All that a spec has as text, where expressions may be, each with the key that it stands under."""
    if isinstance(node, Scalar):
        yield from [(key, node.value)] if isinstance(node.value, str) else []
    elif isinstance(node, Entries):
        for name, entry in node.entries.items():
            yield from _texts(entry.value, name)
    else:
        for item in node.items:
            yield from _texts(item, key)


def _odd(size: int) -> tuple[int, ...]:
    """Larger sizes of which a window in steps of 2 leaves one over again and again: 63, 65 and 62 for 32.

    The first where windows do not overlap, the second where padded ones of 3 do, the third without padding.
    """
    power = 1 << (size + 1).bit_length()
    return power - 1, (1 << size.bit_length()) + 1, power - 2


def _open_sizes(subject: Subject) -> dict[str, int]:
    texts = [
        size
        for spec in (*subject.inputs, *(subject.targets or ()))
        for size in spec.shape
        if isinstance(size, str)
    ]
    names = {
        node.id: None
        for text in texts
        for node in ast.walk(ast.parse(text, mode="eval"))
        if isinstance(node, ast.Name) and node.id != "N"
    }
    return {name: subject.sizes.get(name, OPEN_SIZE) for name in names}
