"""A drawing as Mermaid text."""

from __future__ import annotations

from collections.abc import Iterator

from nngen.views.diagram.nodes import Drawing, Group, Node

_FORMS = {
    "input": '(["{}"])',
    "output": '(["{}"])',
    "line": '("{}")',
    "state": '[/"{}"/]',
}
_PLAIN = frozenset(" _.,:=+-*()")
LONGEST = 60


def as_mermaid(drawing: Drawing) -> str:
    """The drawing as a flowchart from top to bottom."""
    lines = ["flowchart TB"]
    lines += _members(drawing.root, 1)
    for edge in drawing.edges:
        arrow = "-.->" if edge.only_training else "-->"
        label = f'|"{_escaped(edge.shape)}"|' if edge.shape else ""
        lines.append(f"    {edge.source} {arrow}{label} {edge.target}")
    lines += [
        "    classDef block fill:#dbe9f6,stroke:#3a6ea5,color:#000",
        "    classDef layer fill:#ffffff,stroke:#666666,color:#000",
        "    classDef line fill:#f4f1e6,stroke:#a89f7b,color:#000",
        "    classDef state fill:#eee6f4,stroke:#7d5ba6,color:#000",
        "    classDef training stroke-dasharray:4 3",
    ]
    nodes = list(_nodes(drawing.root))
    for kind in ("block", "layer", "line", "state"):
        lines += _classed([node.key for node in nodes if node.kind == kind], kind)
    lines += _classed([node.key for node in nodes if node.only_training], "training")
    return "\n".join(lines) + "\n"


def _classed(keys: list[str], name: str) -> list[str]:
    return [f"    class {','.join(keys)} {name}"] if keys else []


def _members(group: Group, depth: int) -> Iterator[str]:
    indent = "    " * depth
    for member in group.members:
        if isinstance(member, Group):
            yield f'{indent}subgraph {member.key}["{_escaped(f"{member.name}: {member.text}")}"]'
            yield from _members(member, depth + 1)
            yield f"{indent}end"
        else:
            parts = [part for part in (member.name, member.text) if part]
            label = "<br/>".join(_escaped(part) for part in parts)
            yield indent + member.key + _FORMS.get(member.kind, '["{}"]').format(label)


def _nodes(group: Group) -> Iterator[Node]:
    for member in group.members:
        if isinstance(member, Group):
            yield from _nodes(member)
        else:
            yield member


def _escaped(text: str) -> str:
    """Text that Mermaid shows as it is: all but letters, digits and a few signs becomes its number."""
    text = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    return "".join(c if c.isalnum() or c in _PLAIN else f"#{ord(c)};" for c in text)
