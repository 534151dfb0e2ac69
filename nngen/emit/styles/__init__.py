"""The styles a model is written in."""

from __future__ import annotations

from collections.abc import Iterable

from nngen.emit.style import Style
from nngen.emit.styles.functional import Functional
from nngen.emit.styles.nn import NN
from nngen.emit.styles.stateless import Stateless
from nngen.language.styles import TWINS

STYLES: tuple[Style, ...] = (NN(), Functional(), Stateless())


def named(names: Iterable[str]) -> tuple[Style, ...]:
    """The styles of these names."""
    known = {style.form.style: style for style in STYLES}
    return tuple(known[name] for name in names)


def with_twins(styles: Iterable[Style]) -> tuple[Style, ...]:
    """These styles and the twins, whose code decides what all styles have alike: the constructors' arguments."""
    return tuple({style.form.style: style for style in (*named(TWINS), *styles)}.values())
