"""Marks in the templates' output: which step of the spec each part of it is from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from nngen.errors import Mark

# Control characters, which YAML forbids: no text of a spec can hold them.
_OPEN, _READ, _CLOSE = "\x02", "\x03", "\x04"
_TOKEN = re.compile(f"{_OPEN}([^{_READ}]*){_READ}|{_CLOSE}")


@dataclass(frozen=True, slots=True)
class Part:
    """What lies between two offsets of a text, with its place in the spec; parts may lie in one another."""

    start: int
    end: int
    mark: Mark


def of(text: str, mark: Mark | None) -> str:
    """Mark a text with the place in the spec that it is from."""
    if mark is None:
        return text
    file = quote(mark.file, errors="surrogateescape")
    place = f"{file}:{mark.line}:{mark.column}:{quote(mark.path)}"
    return f"{_OPEN}{place}{_READ}{text}{_CLOSE}"


def cleaned(text: str) -> str:
    """A text of a spec without what marks are made of."""
    return re.sub(f"[{_OPEN}{_READ}{_CLOSE}]", " ", text)


def unmarked(text: str) -> tuple[str, list[Part]]:
    """A text without its marks, and the parts that they told; what encloses others stands before them."""
    pieces: list[str] = []
    found: list[Part | None] = []
    opened: list[tuple[int, int, Mark]] = []
    last = length = 0
    for token in _TOKEN.finditer(text):
        piece = text[last : token.start()]
        pieces.append(piece)
        length += len(piece)
        last = token.end()
        if token[1] is not None:
            file, line, column, path = token[1].split(":")
            mark = Mark(
                unquote(file, errors="surrogateescape"), int(line), int(column), unquote(path)
            )
            opened.append((len(found), length, mark))
            found.append(None)
        else:
            place, start, mark = opened.pop()
            found[place] = Part(start, length, mark)
    pieces.append(text[last:])
    return "".join(pieces), [part for part in found if part is not None]
