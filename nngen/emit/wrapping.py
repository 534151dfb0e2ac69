"""Code as black has it, where that is plain: strings in double quotes, long calls and signatures broken.

Importing black takes longer than all else of a small build, so that it is asked only for what is left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# As long as black lets a line be.
LENGTH = 88
_OPENING, _CLOSING = "([{", ")]}"
_STRING = re.compile(r"""[rbf]*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")
_TIDY = re.compile(rf"{_STRING.pattern}|(?<=[0-9.]e-)0(?=[0-9])")
# What may stand before the brackets that are opened: a call, perhaps of what names or a dict's key get; or what a loop
# goes through.
_CALL = re.compile(
    r"(?:return |\w+=|[\w.]+(?:, [\w.]+)* = |[\w.]+: [\w.]+(?:\[[\w. |]+\])? = |\w+\[f?\"[^\"\\]*\"\] = )?"
    r"(?:(?:super\(\))?[\w.]*|\*{1,2})"
)
_SIGNATURE = re.compile(r"def \w+")
_LOOP = re.compile(r"for \w+ in ")
# The entry of a dict of strings, which black leaves as long as it is.
_ENTRY = re.compile(r' *"[^"\\]*": "[^"\\]*",')
# What black may have in another way: powers of names, slices that compute, single quotes and escapes of characters
# in strings; in docstrings, what it strips.
_POWER = re.compile(r"\w \*\* -?\w")
_PLAIN_SLICE = re.compile(r"(?:[\w:-]|, )*")
_ODD_STRING = re.compile(r"[rbf]*'|.*\\[xuUN]")
_ODD_TEXT = re.compile(r"\S\s+$|\t|\\")


def tidied(code: str) -> str:
    """Code with strings in double quotes, and numbers as people write them, `1e-6`."""
    lines = _lines(code)
    return "\n".join(
        line if in_docstring else _TIDY.sub(_tidy, line) for line, in_docstring in lines
    )


def wrapped(code: str) -> str | None:
    """Tidied code of the templates as black has it; None where it takes black to tell."""
    lines: list[str] = []
    for line, in_docstring in _lines(code):
        if in_docstring:
            found = None if _ODD_TEXT.search(line) else [line]
        else:
            found = _line(line)
        if found is None:
            return None
        lines += found
    return "\n".join(lines)


def _lines(code: str) -> Iterator[tuple[str, bool]]:
    """The lines, and whether each is in a docstring."""
    quoted = False
    for line in code.split("\n"):
        yield line, quoted or line.lstrip().startswith('"""')
        quoted ^= line.count('"""') % 2 == 1


def _tidy(found: re.Match[str]) -> str:
    """A string in double quotes, if it has neither quotes nor backslashes in it; no zero before an exponent."""
    text = found[0]
    if text == "0":
        return ""
    return text if re.search(r'["\\]', text) else text.replace("'", '"')


def _line(line: str) -> list[str] | None:
    strings = [string[0] for string in _STRING.finditer(line)]
    code = _STRING.sub('""', line).partition("  # ")[0]
    if not line.isascii() or _POWER.search(code) or any(map(_ODD_STRING.match, strings)):
        return None
    if not all(map(_PLAIN_SLICE.fullmatch, _slices(code))):
        return None
    fits = len(line) <= LENGTH or _ENTRY.fullmatch(line)
    return [line] if fits else _broken(line)


def _slices(code: str) -> Iterator[str]:
    """What stands in square brackets that have a colon of their own."""
    open_at: list[int] = []
    colons: set[int] = set()
    for place, character in _characters(code):
        if character in _OPENING:
            open_at.append(place)
        elif character == ":":
            colons.update(open_at[-1:])
        elif character in _CLOSING and open_at:
            start = open_at.pop()
            if character == "]" and start in colons:
                yield code[start + 1 : place]


def _broken(line: str) -> list[str] | None:
    """A long line as several: what is in the last brackets on a line of its own, or each item of it."""
    text = line.lstrip(" ")
    indent = " " * (len(line) - len(text))
    text, hash_, comment = text.partition("  # ")
    parts = _parts(text)
    if parts is None:
        return None
    head, body, tail = parts
    is_call = head[-2:-1].isalnum() or head[-2:-1] == "_"
    inside = _inside(body, indent + "    ", is_call)
    if inside is None or max(len(head), len(tail)) + len(indent) > LENGTH:
        return None
    return [indent + head, *inside, indent + tail + hash_ + comment]


def _inside(body: str, indent: str, is_call: bool) -> list[str] | None:
    whole = indent + body
    items = list(_items(body))
    # The items of a tuple, a list or a dict never share a line of their own.
    if len(whole) <= LENGTH and (is_call or len(items) == 1):
        return [whole]
    if len(items) > 1 and any(body.startswith(" for ", place) for place in _top(body)):
        return None
    if len(items) == 1:
        return _comprehension(body, indent) or _broken(whole)
    lines: list[str] = []
    for item in items:
        one = f"{indent}{item},"
        found = [one] if len(one) <= LENGTH else _broken(one)
        if found is None:
            return None
        lines += found
    return lines


def _comprehension(body: str, indent: str) -> list[str] | None:
    """A comprehension: each loop on a line of its own."""
    loops = [place for place in _top(body) if body.startswith(" for ", place)]
    if not loops or any(body.startswith(" if ", place) for place in _top(body)):
        return None
    starts, ends = (0, *loops), (*loops, len(body))
    lines = [indent + body[start:end].strip() for start, end in zip(starts, ends)]
    return lines if all(len(line) <= LENGTH for line in lines) else None


def _parts(text: str) -> tuple[str, str, str] | None:
    """What stands before the last brackets at the top, what is in them, and the rest: `x = f(`, `a, b` and `)`.

    Of a signature they are the first: what it returns stays as it is.
    """
    spans = list(_brackets(text))
    if not spans:
        return None
    start, end = spans[0 if text.startswith("def ") else -1]
    head, body, tail = text[:start], text[start + 1 : end], text[end + 1 :]
    if not body or body.endswith(","):
        return None
    if tail.endswith(":"):
        fits = _SIGNATURE.fullmatch(head) or (tail == ":" and _LOOP.fullmatch(head))
    else:
        fits = tail in ("", ",") and _CALL.fullmatch(head)
    return (text[: start + 1], body, text[end:]) if fits else None


def _brackets(text: str) -> Iterator[tuple[int, int]]:
    """Where brackets at the top open and close."""
    depth = start = 0
    for place, character in _characters(text):
        if character in _OPENING:
            start = start if depth else place
            depth += 1
        elif character in _CLOSING:
            depth -= 1
            if not depth:
                yield start, place


def _items(body: str) -> Iterator[str]:
    """What commas at the top divide."""
    start = 0
    for place in _top(body):
        if body[place] == ",":
            yield body[start:place].strip()
            start = place + 1
    yield body[start:].strip()


def _top(body: str) -> Iterator[int]:
    """The places of an expression's characters that are in no brackets and in no string."""
    depth = 0
    for place, character in _characters(body):
        depth -= character in _CLOSING
        if not depth:
            yield place
        depth += character in _OPENING


def _characters(text: str) -> Iterator[tuple[int, str]]:
    """The characters outside of strings, with their places."""
    place = 0
    while place < len(text):
        string = _STRING.match(text, place)
        if string:
            place = string.end()
        else:
            yield place, text[place]
            place += 1
