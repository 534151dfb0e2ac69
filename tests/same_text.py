"""The generated text does not depend on what a spec has under `check`: that is what verification feeds, no more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nngen.emit import build_graph, origin
from nngen.emit.model import Graph
from nngen.emit.render import fill
from nngen.errors import SpecError
from nngen.graph import follow
from nngen.language import spec
from nngen.language.spec import Spec


class OtherText(AssertionError):
    """With other values under `check` the text of a file is another."""


def same_text(read: Spec, graph: Graph | None = None) -> int:
    """Build with other values under `check`.

    Args:
        read: the spec.
        graph: what it gives, where that is known.

    Returns:
        How many there were that fit the spec.

    Raises:
        OtherText: with some of them, a file has another text.
    """
    graph = graph or build_graph(follow(read))
    usual = _text(graph)
    sizes: dict[str, Any] = {name: 2 * value for name, value in graph.sizes.items()}
    numbers = {n: 2 * value for n, value in graph.arguments.items() if type(value) is int}
    flags = {n: not value for n, value in graph.arguments.items() if type(value) is bool}
    tried = [{**sizes, **numbers}, *({name: value} for name, value in flags.items())]
    fits = [_fits(read, values, usual) for values in tried if values]
    if not all(fits):
        fits += [_fits(read, {name: value}, usual) for name, value in numbers.items()]
    return sum(fits)


def _text(graph: Graph) -> dict[str, str]:
    """The files' text before it is formatted."""
    return {name: origin.unmarked(text)[0] for name, text in fill(graph).items()}


def _fits(read: Spec, values: dict[str, Any], usual: Mapping[str, str]) -> bool:
    """Whether values fit a spec; where they do, the text must be the usual one."""
    try:
        text = _text(build_graph(follow(spec.with_values(read, values))))
    except SpecError:
        return False
    if text != usual:
        raise OtherText(f"with {values} under `check` the text is another")
    return True
