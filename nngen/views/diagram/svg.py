"""A drawing as SVG, laid out by graphviz."""

from __future__ import annotations

import html
import importlib
from typing import Any

from nngen.errors import NngenError
from nngen.packages import install
from nngen.views.diagram.nodes import Drawing, Group, Node

_FONT = "Helvetica,Arial,sans-serif"
_STYLES = {
    "input": {
        "shape": "box",
        "style": "rounded,filled",
        "fillcolor": "#e4f1e4",
        "color": "#4c8c4a",
    },
    "output": {
        "shape": "box",
        "style": "rounded,filled",
        "fillcolor": "#e4f1e4",
        "color": "#4c8c4a",
    },
    "layer": {"shape": "box", "style": "filled", "fillcolor": "#ffffff", "color": "#666666"},
    "block": {"shape": "box", "style": "filled", "fillcolor": "#dbe9f6", "color": "#3a6ea5"},
    "line": {"shape": "box", "style": "rounded,filled", "fillcolor": "#f4f1e6", "color": "#a89f7b"},
    "state": {"shape": "box", "style": "filled", "fillcolor": "#eee6f4", "color": "#7d5ba6"},
}
LONGEST = 48


class ToolError(NngenError):
    """Something that draws is not installed."""


def as_svg(drawing: Drawing) -> str:
    """The drawing as an SVG file.

    Raises:
        ToolError: the Python package or its program `dot` is not there.
    """
    try:
        graphviz: Any = importlib.import_module("graphviz")
    except ImportError:
        message = "drawing SVG needs the Python package graphviz"
        raise ToolError(f"{message}\n  hint: {install('graph')}") from None
    try:
        text: str = _sheet(graphviz, drawing).pipe(format="svg", encoding="utf-8")
    except graphviz.ExecutableNotFound:
        raise ToolError(
            "drawing SVG needs graphviz's program `dot`, which is not on the PATH\n"
            "  hint: apt-get install graphviz, brew install graphviz, or https://graphviz.org/download/;"
            " `--format mermaid` needs nothing"
        ) from None
    except graphviz.CalledProcessError as error:
        raise ToolError(f"graphviz's program `dot` failed: {error}") from None
    return text


def _sheet(graphviz: Any, drawing: Drawing) -> Any:
    """The drawing in graphviz's terms."""
    sheet: Any = graphviz.Digraph(
        graph_attr={
            "rankdir": "TB",
            "fontname": _FONT,
            "fontsize": "11",
            "nodesep": "0.3",
            "ranksep": "0.35",
            "bgcolor": "white",
        },
        node_attr={"fontname": _FONT, "fontsize": "11", "margin": "0.14,0.06", "height": "0.3"},
        edge_attr={
            "fontname": _FONT,
            "fontsize": "9",
            "fontcolor": "#555555",
            "color": "#777777",
            "arrowsize": "0.6",
        },
    )
    _members(sheet, drawing.root)
    for edge in drawing.edges:
        style = {"style": "dashed"} if edge.only_training else {}
        label = f"<&#160;{_escaped(edge.shape)}&#160;>" if edge.shape else ""
        sheet.edge(edge.source, edge.target, label=label, **style)
    return sheet


def _members(sheet: Any, group: Group) -> None:
    for member in group.members:
        if isinstance(member, Group):
            # As wide again as the title, so that arrows come in beside it rather than through it.
            beside = "&#160;" * (len(member.name) + len(member.text) + 6)
            with sheet.subgraph(name=f"cluster_{member.key}") as frame:
                frame.attr(
                    label=f"<<b>{_escaped(member.name)}</b> {_escaped(member.text)}{beside}>",
                    labeljust="l",
                    style="rounded,filled",
                    color="#bbbbbb",
                    fillcolor="#00000008",
                )
                _members(frame, member)
        else:
            sheet.node(member.key, label=_label(member), **_style(member))


def _style(node: Node) -> dict[str, str]:
    style = dict(_STYLES[node.kind])
    if node.only_training:
        style["style"] += ",dashed"
    return style


def _label(node: Node) -> str:
    name = f"<b>{_escaped(node.name)}</b>" if node.name else ""
    text = _escaped(node.text)
    return f"<{name}{'<br/>' if name and text else ''}{text}>"


def _escaped(text: str) -> str:
    """Text as it may stand in a label that is markup; dot escapes what it then writes for SVG.

    For dot a backslash and N would be the node's name: a space of no width parts the two.
    """
    text = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    return html.escape(text).replace("\\", "&#92;&#8203;")
