"""The sentences that pages, lessons and pitfalls show, in English and in Simplified Chinese.

The code holds the English sentence; `zh/*.yaml` hold the Chinese one under it.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import yaml

# Each language by its code, in its own words.
LANGUAGES = {"en": "English", "zh": "简体中文"}


class UntranslatedError(KeyError):
    """A sentence that a language lacks."""


def translate(sentence: str, language: str, **values: object) -> str:
    """A sentence in a language.

    Args:
        sentence: the English sentence.
        language: one of `LANGUAGES`.
        values: what its `{name}` fields stand for; without values, braces stay as they are.

    Raises:
        UntranslatedError: the language lacks it.
    """
    if language != "en":
        try:
            sentence = sentences(language)[sentence]
        except KeyError:
            raise UntranslatedError(f"{language} lacks: {sentence}") from None
    return sentence.format(**values) if values else sentence


@cache
def sentences(language: str) -> dict[str, str]:
    """All sentences of a language, by the English ones.

    Raises:
        ValueError: two files say one sentence differently.
    """
    found: dict[str, str] = {}
    for file in (resources.files("nngen.teach.translations") / language).iterdir():
        if file.name.endswith(".yaml"):
            more = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
            twice = [each for each in more if found.get(each, more[each]) != more[each]]
            if twice:
                raise ValueError(f"{file.name} and another file translate: {twice[0]}")
            found.update(more)
    return found
