"""What came of running a pitfall's programs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from nngen.teach.pitfalls.model import Half, Pitfall
from nngen.teach.translations import translate


@dataclass(frozen=True)
class Ran:
    """What came of one program.

    Args:
        code: the program.
        output: what a reader sees who runs it: warnings, what it prints, the error that it ends in.
        numbers: the variables that its sentence is about.
        sentence: what it shows, in English, with `{fields}` for the numbers.
        error: the class of the error that it ends in, or the empty text.
    """

    code: str
    output: str
    numbers: Mapping[str, object]
    sentence: str
    error: str = ""

    def says(self, language: str = "en") -> str:
        """What the program shows, with its numbers."""
        return translate(self.sentence, language, **self.numbers)


@dataclass(frozen=True)
class Outcome:
    """What came of both programs of a pitfall."""

    pitfall: Pitfall
    wrong: Ran
    right: Ran

    def half(self, half: Half) -> Ran:
        return self.wrong if half == "wrong" else self.right

    def as_dict(self, language: str = "en") -> dict[str, object]:
        """Everything in JSON's types."""
        pitfall = self.pitfall
        return {
            "title": translate(pitfall.title, language),
            "about": list(pitfall.about),
            "harmless": pitfall.harmless,
            "wrong": _as_dict(self.wrong, language),
            "right": _as_dict(self.right, language),
            "why": translate(pitfall.why, language),
            "rule": translate(pitfall.rule, language),
            "docs": pitfall.url,
        }


def _as_dict(ran: Ran, language: str) -> dict[str, object]:
    return {
        "code": ran.code,
        "output": ran.output,
        "error": ran.error,
        "numbers": {name: _plain(value) for name, value in ran.numbers.items()},
        "says": ran.says(language),
    }


def _plain(value: object) -> object:
    # JSON has neither an infinity nor a NaN.
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
