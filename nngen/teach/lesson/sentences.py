"""What a lesson says of a step: what it is, who owns its parameters, why both styles agree, and where to read on.

Code in a sentence stands between backticks; `markup` makes HTML of it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from functools import cache

from markupsafe import Markup, escape

from nngen.catalog import LAYERS
from nngen.graph.flow import Module
from nngen.symbolic.expressions import Line
from nngen.teach.lesson import families, lines, ownership
from nngen.teach.lesson.families import reason
from nngen.teach.lesson.ownership import Ownership
from nngen.teach.translations import translate

__all__ = [
    "Ownership",
    "docs_link",
    "docs_links",
    "markup",
    "sentences",
    "what",
    "what_line",
    "where",
    "where_line",
    "why_equal",
]

DOCS = "https://docs.pytorch.org/docs/stable/generated/"
_SPACES = {"F": "torch.nn.functional", "Tensor": "torch.Tensor", "nn": "torch.nn"}
# Functions of torch that its documentation leaves out.
_UNDOCUMENTED = (
    *("torch.rnn_tanh", "torch.rnn_relu", "torch.lstm", "torch.gru"),
    *("torch.rnn_tanh_cell", "torch.rnn_relu_cell", "torch.lstm_cell", "torch.gru_cell"),
    *("torch.relu", "Tensor.relu", "torch.log_softmax", "Tensor.log_softmax"),
    *("torch.clamp_min", "Tensor.clamp_min", "torch.clamp_max", "Tensor.clamp_max"),
    *("torch.split_with_sizes", "Tensor.split_with_sizes", "torch.detach"),
    *("torch.index_fill", "torch.masked_fill", "torch.masked_scatter"),
    "F.multi_head_attention_forward",
)
WHAT = {
    "Parameter": "A tensor of its own that is learned.",
    "Buffer": "A tensor that belongs to the model and is not learned.",
    "Sequential": "Layers in a row: each takes what the one before gives.",
    "ModuleList": "Copies of one step in a row, each with parameters of its own.",
}
BLOCK = "A block of this spec: a class of its own, written once however often it is used."


def what(kind: str, language: str = "en") -> str:
    """What a step is, in a sentence.

    Args:
        kind: a layer, `Sequential`, `ModuleList`, `Parameter` or `Buffer`; a function or method by the catalog's name
            (`torch.cat`, `F.relu`, `Tensor.view`); anything else is a block of the spec.
        language: one of `nngen.teach.translations.LANGUAGES`.
    """
    if kind in LAYERS:
        entry = LAYERS[kind]
        fields = {name: f"`{name}`" for name in re.findall(r"\{(\w+)\}", entry.doc)}
        return translate(entry.doc, language, **fields)
    if "." in kind:
        return _function(kind, language)
    return translate(WHAT.get(kind, BLOCK), language)


def what_line(line: Line | ast.expr, language: str = "en") -> str:
    """What a line of Python does, in a sentence."""
    tree = line.value.tree if isinstance(line, Line) else line
    function = lines.called(tree)
    if "." in function:
        return _function(function, language)
    sentence, fields = lines.sentence_of(tree)
    return translate(sentence, language, **fields)


def _function(function: str, language: str) -> str:
    bare = function.rpartition(".")[2]
    if bare in lines.FUNCTIONS:
        return translate(lines.FUNCTIONS[bare], language)
    if function in _layers():
        return what(_layers()[function], language)
    shown = function.replace("Tensor.", "x.", 1)
    return translate(lines.CALL, language, function=shown)


@cache
def _layers() -> dict[str, str]:
    """The first layer that calls each function."""
    return {entry.function: name for name, entry in reversed(LAYERS.items())}


def where(module: Module, language: str = "en") -> Ownership:
    """Who owns the parameters and buffers of a step, in each style.

    Args:
        module: of `Built.module` or `Application.module`.
        language: one of `nngen.teach.translations.LANGUAGES`.
    """
    return ownership.of_module(module, language)


def where_line(layers: Sequence[str] = (), language: str = "en") -> Ownership:
    """The same for a line of Python.

    Args:
        layers: the names of the layers that it calls.
        language: one of `nngen.teach.translations.LANGUAGES`.
    """
    return ownership.of_line(layers, language)


def why_equal(kind: str, language: str = "en") -> str:
    """Why a step of this kind is the same in both styles.

    Args:
        kind: as `what` takes it; of a line, "".
        language: one of `nngen.teach.translations.LANGUAGES`.
    """
    function = LAYERS[kind].function if kind in LAYERS else ""
    return translate(reason(kind), language, kind=kind, function=function)


def docs_link(kind: str) -> str | None:
    """The page of torch's documentation on a layer or function; None for a block or where torch has none.

    Args:
        kind: as `what` takes it.
    """
    if kind in ("Parameter", "Buffer"):
        return f"{DOCS}torch.nn.parameter.{kind}.html"
    if kind in LAYERS or kind in ("Sequential", "ModuleList"):
        return f"{DOCS}torch.nn.{kind}.html"
    if kind in _UNDOCUMENTED or "." not in kind:
        return None
    root, _, rest = kind.partition(".")
    return f"{DOCS}{_SPACES.get(root, root)}.{rest}.html"


def docs_links(kind: str) -> dict[str, str]:
    """Pages to read on, by what they are about: the module and the function that it calls."""
    names = {f"nn.{kind}" if kind in LAYERS else kind: docs_link(kind)}
    if kind in LAYERS and (function := LAYERS[kind].function):
        names[function] = docs_link(function)
    return {name: link for name, link in names.items() if link is not None}


def markup(sentence: str) -> Markup:
    """A sentence as HTML: escaped, with what stands between backticks as code."""
    parts = str(escape(sentence)).split("`")
    return Markup(
        "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))
    )


def sentences() -> frozenset[str]:
    """Every English sentence that these functions can give."""
    docs = {entry.doc for entry in LAYERS.values()}
    own = {*docs, *WHAT.values(), BLOCK}
    return frozenset(own | lines.SENTENCES | families.SENTENCES | ownership.SENTENCES)
