"""The brackets of expressions as text."""

from __future__ import annotations


def factors(names: list[str]) -> list[str]:
    """The factors of a product; one in brackets that comes several times is written once, as a power."""
    counts = {name: names.count(name) for name in names}
    return [
        each
        for name, count in counts.items()
        for each in ([f"{name} ** {count}"] if count > 1 and "(" in name else [name] * count)
    ]


def atomic(text: str) -> str:
    """The text in brackets where it is more than a name, a number or one call."""
    depth = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if character == " " and not depth:
            return f"({text})"
    return text


def bare(text: str) -> str:
    """The text without the brackets that are around all of it."""
    inner = text[1:-1]
    depth = 0
    for character in inner:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return text
    return inner if text.startswith("(") else text
