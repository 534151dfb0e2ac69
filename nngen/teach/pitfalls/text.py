"""Pitfalls as text for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from nngen.teach.pitfalls import GROUPS, PITFALLS
from nngen.teach.pitfalls.model import Half
from nngen.teach.pitfalls.outcome import Outcome
from nngen.teach.translations import translate

# The words that stand beside the pitfalls' own, here and in `as_text`.
WRONG, RIGHT, NEEDLESS, REMEMBER = "wrong", "right", "needless", "Remember: {rule}"
_WIDTH = 88


def listing(language: str = "en") -> str:
    """The name and title of every pitfall, by kind."""
    width = max(map(len, PITFALLS))
    lines: list[str] = []
    for heading, group in GROUPS.items():
        lines += ["", translate(heading, language)]
        lines += [f"  {each.name:{width}}  {translate(each.title, language)}" for each in group]
    return "\n".join(lines[1:])


def as_text(outcome: Outcome, language: str = "en") -> str:
    """Both programs, what running them prints and shows, why, and the rule to remember."""
    return "\n".join(_lines(outcome, language))


def _lines(outcome: Outcome, language: str) -> Iterator[str]:
    pitfall = outcome.pitfall
    yield f"{pitfall.name}: {translate(pitfall.title, language)}"
    yield from _half(outcome, "wrong", NEEDLESS if pitfall.harmless else WRONG, language)
    yield from _half(outcome, "right", RIGHT, language)
    yield "\n" + "─" * _WIDTH
    yield _wrapped(translate(pitfall.why, language), language)
    yield pitfall.url
    yield ""
    yield _wrapped(translate(REMEMBER, language, rule=translate(pitfall.rule, language)), language)


def _half(outcome: Outcome, half: Half, heading: str, language: str) -> Iterator[str]:
    ran = outcome.half(half)
    yield f"\n── {translate(heading, language)} ".ljust(_WIDTH + 1, "─")
    yield ran.code
    yield from (f"> {line}" for line in ran.output.splitlines())
    yield ""
    yield _wrapped(ran.says(language), language)


def _wrapped(text: str, language: str) -> str:
    # Chinese has no spaces to break at: a terminal breaks it anywhere, and rightly so.
    if language == "zh":
        return text
    return textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
