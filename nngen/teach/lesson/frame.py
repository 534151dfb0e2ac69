"""A lesson page in a notebook's output."""

from __future__ import annotations

from markupsafe import escape

from nngen.graph import read_spec
from nngen.language import document
from nngen.proof.loading import Pair
from nngen.teach.lesson.forms import Frame
from nngen.teach.lesson.page import page


def frame(pair: Pair) -> str:
    """The spec and both files, linked step by step, as HTML."""
    source = pair.graph.source
    spec = read_spec(document.parse(pair.text, source), source)
    whole = escape(Frame("en", []).page(page(spec, pair.text), ""))
    style = "width: 100%; height: 40em; border: 1px solid #8888; border-radius: 6px"
    # A frame of its own: neither the notebook's style nor its scripts reach in, or these out.
    return f'<iframe sandbox="allow-scripts" style="{style}" srcdoc="{whole}"></iframe>'
