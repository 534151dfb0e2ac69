"""The picture of a model, its nodes linked to the steps that they show."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from markupsafe import Markup

from nngen.graph import Program
from nngen.teach.lesson.steps import Places
from nngen.views import diagram
from nngen.views.diagram.nodes import Group, Node
from nngen.views.diagram.svg import ToolError

_SVG = "http://www.w3.org/2000/svg"
ElementTree.register_namespace("", _SVG)


def picture(program: Program, places: Places) -> Markup:
    """The picture as SVG; empty where graphviz is missing."""
    drawn = diagram.draw(program)
    try:
        root = ElementTree.fromstring(drawn.as_svg())
    except ToolError:
        return Markup()
    links = dict(_links(drawn.drawing.root, places))
    for group in list(root.iter(f"{{{_SVG}}}g")):
        group.attrib.pop("id", None)
        title = group.find(f"{{{_SVG}}}title")
        if title is not None:
            group.remove(title)
            if title.text in links:
                _link(group, links[title.text])
        if group.get("class") == "graph":
            group[0].set("fill", "none")  # the page's own ground
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def _links(group: Group, places: Places) -> Iterator[tuple[str, str]]:
    """The address of each node's step."""
    for member in group.members:
        if isinstance(member, Group):
            yield from _links(member, places)
        elif isinstance(member, Node) and member.mark is not None:
            place = places.of(member.mark)
            if place is not None:
                yield member.key, f"#{place.id}"


def _link(group: Element, address: str) -> None:
    link = Element(f"{{{_SVG}}}a", {"href": address})
    link.extend(list(group))
    group[:] = [link]
