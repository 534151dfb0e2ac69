"""The styles a model is written in."""

from __future__ import annotations

from nngen.emit.style import Style
from nngen.emit.styles.functional import Functional
from nngen.emit.styles.nn import NN

STYLES: tuple[Style, ...] = (NN(), Functional())
