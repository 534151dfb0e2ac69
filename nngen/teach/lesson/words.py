"""Sentences as HTML, in every language at once: the page's switch shows one of them."""

from __future__ import annotations

from collections.abc import Callable

from markupsafe import Markup

from nngen.teach.lesson.sentences import markup
from nngen.teach.translations import LANGUAGES, translate

# What HTML calls each language.
TAGS = {"en": "en", "zh": "zh-Hans"}


def say(sentence: str, **values: object) -> Markup:
    """An English sentence in every language; `values` are what its `{name}` fields stand for."""
    return in_each(lambda language: translate(sentence, language, **values))


def in_each(tell: Callable[[str], str]) -> Markup:
    """What is told in each language; code stands between backticks."""
    told = {language: markup(tell(language)) for language in LANGUAGES}
    if len(set(told.values())) == 1:
        return told["en"]
    return Markup().join(
        Markup('<span lang="{}">{}</span>').format(TAGS[language], text)
        for language, text in told.items()
    )
