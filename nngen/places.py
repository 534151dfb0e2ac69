"""The text of a spec as errors point into it: a line with a caret under it, and where each character of a value stands."""

from __future__ import annotations

import re
import unicodedata
from functools import cached_property
from typing import Any

LONGEST_LINE = 100
_BREAK = re.compile("\r\n|\r|\n")
_ESCAPE = re.compile(r"\\(?:x(..)|u(.{4})|U(.{8})|(.))")
_ESCAPED_BREAK = re.compile(r"\\(\r\n|\r|\n)\s*")
_ESCAPED = dict(zip("0abtnvfre", "\0\a\b\t\n\v\f\r\x1b"))


class Source:
    """The text of a YAML document. Nothing is computed before an error asks for it.

    Args:
        text: the text.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def lines(self) -> list[str]:
        """The lines, without their ends."""
        return _BREAK.split(self.text)

    @cached_property
    def scalars(self) -> dict[tuple[int, int], Any]:
        """The parser's events of all single values, by line and column."""
        import yaml

        found = {}
        for event in yaml.parse(self.text, getattr(yaml, "CBaseLoader", yaml.BaseLoader)):
            if isinstance(event, yaml.ScalarEvent) and event.value:
                start: Any = event.start_mark
                found[start.line + 1, start.column + 1] = event
        return found

    def moved(self, line: int, column: int, start: int, node: Any) -> tuple[int, int]:
        """Where a node of Python stands whose text is in the value that begins at a place.

        Args:
            line, column: where the value begins.
            start: the character of the value with which the text begins, white space aside.
            node: its `lineno` counts from 1, its `col_offset` in bytes of UTF-8, as Python has it.
        """
        event = self.scalars.get((line, column))
        if event is None:
            return line, column
        text = event.value[start:].lstrip()
        rows = text.split("\n")[: getattr(node, "lineno", 1)]
        *above, row = rows
        inside = row.encode(errors="replace")[: getattr(node, "col_offset", 0)]
        index = len(event.value) - len(text) + sum(len(each) + 1 for each in above)
        return self.place(event, index + len(inside.decode(errors="replace")))

    def place(self, event: Any, index: int) -> tuple[int, int]:
        """The line and column of a character of a value."""
        begin = event.start_mark
        raw = self.text[begin.index : event.end_mark.index]
        positions = _positions(raw, event.value, event.style)
        if positions is None or index >= len(positions):
            return begin.line + 1, begin.column + 1
        above = list(_BREAK.finditer(raw, 0, positions[index]))
        if not above:
            return begin.line + 1, begin.column + 1 + positions[index]
        return begin.line + 1 + len(above), positions[index] - above[-1].end() + 1

    def excerpt(self, line: int, column: int) -> str:
        """A line with a caret under one of its characters, or nothing where there is none."""
        if not 1 <= line <= len(self.lines):
            return ""
        text, at = self.lines[line - 1], column - 1
        if at > len(text) or not text.strip():
            return ""
        first = max(0, at - LONGEST_LINE // 2) if len(text) > LONGEST_LINE else 0
        before = "…" * bool(first) + text[first:at]
        after = text[at : first + LONGEST_LINE] + "…" * (len(text) > first + LONGEST_LINE)
        shown = "".join(c if c.isprintable() or c == "\t" else "�" for c in before + after)
        gap = "".join(map(_blank, before))
        return f"{line:>5} | {shown.rstrip()}\n      | {gap}^"


def _blank(character: str) -> str:
    """White space as wide as a character is in a terminal."""
    if character == "\t":
        return character
    if unicodedata.combining(character):
        return ""
    return "  " if unicodedata.east_asian_width(character) in "WF" else " "


def _positions(raw: str, value: str, style: str | None) -> list[int] | None:
    """Where in its YAML each character of a value stands; None where that cannot be told."""
    found = re.match(r"([&!]\S*\s+)*", raw)
    at = found.end() if found else 0
    if style in ("|", ">"):
        at = raw.find("\n", at) + 1
    elif style:
        at += 1
    positions = []
    for character in value:
        at = _skip(raw, at, character, style)
        given, length = _read(raw, at, style)
        positions.append(at)
        if given == character:
            at += length
        elif not character.isspace():
            return None
    return positions


def _skip(raw: str, at: int, character: str, style: str | None) -> int:
    """Past what folds away before a character: white space, and in double quotes a line's end that is escaped."""
    while True:
        escaped = _ESCAPED_BREAK.match(raw, at) if style == '"' else None
        if escaped:
            at = escaped.end()
        elif raw[at : at + 1].isspace() and not character.isspace():
            at += 1
        else:
            return at


def _read(raw: str, at: int, style: str | None) -> tuple[str, int]:
    """The character that stands at a place, and how many it takes to write it."""
    if style == "'" and raw.startswith("''", at):
        return "'", 2
    escape = _ESCAPE.match(raw, at) if style == '"' else None
    if escape is None:
        return raw[at : at + 1], 1
    code = escape[1] or escape[2] or escape[3]
    return (chr(int(code, 16)) if code else _ESCAPED.get(escape[4], escape[4])), len(escape[0])
