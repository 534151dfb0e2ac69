"""The drawing: Mermaid text and SVG, what they show, and that no text of a spec becomes markup in them."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from nngen.cli import main
from nngen.graph import follow
from nngen.language import document
from nngen.language import spec as specs
from nngen.packages import install
from nngen.views import diagram
from nngen.views.diagram.mermaid import as_mermaid
from nngen.views.diagram.nodes import Drawing, Edge, Group, Node
from nngen.views.diagram.svg import as_svg

REPOSITORY = Path(__file__).parents[2]
SPECS = sorted((REPOSITORY / "specs").glob("*.yaml"))
SVG = "{http://www.w3.org/2000/svg}"
needs_dot = pytest.mark.needs("dot")
each_spec = pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)

NET: dict[str, Any] = {
    "name": "Net",
    "input": [4, 6],
    "blocks": {
        "Wide": {"layers": [{"Linear as up": "2 * in_features"}, "ReLU", {"Linear as down": 6}]}
    },
    "layers": [
        {"Wide as first": {}},
        "x = x + first",
        {"Linear as aux": 3, "when": "training", "otherwise": "none", "from": "x"},
        {"Sequential as head": [{"Linear": 5}, "Tanh"], "from": "x"},
    ],
    "outputs": "(head, aux) if training else head",
}


def drawn(data: Mapping[str, Any], unfold: bool = False) -> diagram.Diagram:
    return diagram.draw(follow(specs.from_node(document.of(data), "a dict")), unfold)


def labels(text: str) -> dict[str, str]:
    """What stands in each node of a Mermaid text."""
    return dict(re.findall(r'^ +(n\d+)[(\[/]+"(.*)"', text, re.MULTILINE))


def edges(text: str) -> list[tuple[str, str, str, str]]:
    """Each edge of a Mermaid text: its ends by what stands in them, its arrow, and its shape."""
    names = labels(text)
    found = re.findall(r'^ +(n\d+) (\S+?)(?:\|"(.*)"\|)? (n\d+)$', text, re.MULTILINE)
    return [(names[start], names[end], arrow, shape) for start, arrow, shape, end in found]


def test_a_block_is_one_node_and_shapes_stand_on_the_edges() -> None:
    text = drawn({**NET, "outputs": "(head, aux) if training else head"}).as_mermaid()
    assert edges(text) == [
        ("x", "first<br/>Wide", "-->", "(N, 4, 6)"),
        ("x", "x + first", "-->", "(N, 4, 6)"),
        ("first<br/>Wide", "x + first", "-->", "(N, 4, 6)"),
        ("x + first", "aux<br/>Linear", "-.->", "(N, 4, 6)"),
        ("x + first", "0<br/>Linear", "-->", "(N, 4, 6)"),
        ("0<br/>Linear", "1<br/>Tanh", "-->", "(N, 4, 5)"),
        ("1<br/>Tanh", "(head, aux) if training else head", "-->", "(N, 4, 5)"),
        ("aux<br/>Linear", "(head, aux) if training else head", "-.->", "(N, 4, 3)"),
        ("(head, aux) if training else head", "output", "-->", ""),
    ]


def test_unfolded_a_block_shows_what_is_in_it() -> None:
    text = drawn(NET, unfold=True).as_mermaid()
    assert 'subgraph n2["first: Wide"]' in text
    assert edges(text)[:4] == [
        ("x", "up<br/>Linear", "-->", "(N, 4, 6)"),
        ("up<br/>Linear", "relu<br/>ReLU", "-->", "(N, 4, 12)"),
        ("relu<br/>ReLU", "down<br/>Linear", "-->", "(N, 4, 12)"),
        ("x", "x + first", "-->", "(N, 4, 6)"),
    ]
    assert text.count("subgraph ") == text.count("\n    end\n") == 2


@each_spec
@pytest.mark.parametrize("unfold", [False, True], ids=["folded", "unfolded"])
def test_each_spec_is_drawn_whole(path: Path, unfold: bool) -> None:
    """Every node is reached from an input or is state, and leads on to the output."""
    drawing = diagram.draw(follow(specs.read(path)), unfold).drawing
    nodes = list(_nodes(drawing.root))
    ends = {edge.target for edge in drawing.edges}
    starts = {edge.source for edge in drawing.edges}
    assert {node.key for node in nodes if node.kind not in ("input", "state")} - ends <= {
        node.key for node in nodes if node.kind == "line"
    }
    # What a line gives may be dropped, by `_`.
    assert {node.key for node in nodes if node.kind not in ("output", "line")} <= starts
    assert len({node.key for node in nodes}) == len(nodes)


def _nodes(group: Group) -> list[Node]:
    found = []
    for member in group.members:
        found += _nodes(member) if isinstance(member, Group) else [member]
    return found


HOSTILE = [
    '"]; click n1 "javascript:alert(1)"',
    "<script>alert(1)</script>",
    "%%{init: {'securityLevel': 'loose'}}%%",
    "`**markdown**`",
    "a\\nb\\N\\G<b>",
    "&lt;img src=x onerror=alert(1)&gt;",
    "end",
    "#quot;]",
    "-->|x|",
]


def hostile(text: str) -> Drawing:
    inner = Group("n2", text, text, [Node("n3", text, text, "layer"), Node("n4", "", text, "line")])
    return Drawing(Group("model", "M", "", [inner]), [Edge("n3", "n4", text)])


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_mermaid(text: str) -> None:
    plain = as_mermaid(hostile("a")).splitlines()
    found = as_mermaid(hostile(text)).splitlines()
    assert len(found) == len(plain)
    for line, expected in zip(found, plain):
        strings = re.findall(r'"([^"]*)"', line)
        for string in strings:
            decoded = re.sub(r"#(\d+);", lambda match: chr(int(match[1])), string)
            assert all(
                part in ("a: a", text, f"{text}: {text}") for part in decoded.split("<br/>")
            ) or (decoded.startswith(text[:20]))
            assert not set(string.replace("<br/>", "")) & set("\"<>%`{}&\\|[]'")
        assert re.sub(r'"[^"]*"', '""', line) == re.sub(r'"[^"]*"', '""', expected)


def test_an_expressions_strings_are_escaped() -> None:
    data = {"name": "Net", "inputs": {"a": [3, 4], "b": [4, 5]}}
    layers = ["y = torch.einsum('bij,bjk->bik', a, b)"]
    text = drawn({**data, "layers": layers}).as_mermaid()
    assert "torch.einsum(#39;bij,bjk-#62;bik#39;, a, b)" in text


@needs_dot
@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_svg(text: str) -> None:
    root = ElementTree.fromstring(as_svg(hostile(text)))
    tags = {element.tag for element in root.iter()}
    assert tags <= {SVG + tag for tag in ("svg", "g", "title", "text", "polygon", "path")}
    shown = {(element.text or "").strip() for element in root.iter(SVG + "text")}
    assert text in {each.replace("\xa0", " ").replace("\u200b", "") for each in shown}


@needs_dot
def test_the_svg_shows_layers_and_shapes() -> None:
    root = ElementTree.fromstring(drawn(NET).as_svg())
    shown = [(element.text or "").strip() for element in root.iter(SVG + "text")]
    assert {"first", "Wide", "x + first", "Tanh", "output", "(N, 4, 5)"} <= set(shown)


def test_without_dot_the_error_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["graph", str(REPOSITORY / "specs" / "cnn.yaml"), "--format", "svg"]) == 2
    assert "apt-get install graphviz" in capsys.readouterr().err


def test_without_the_package_the_error_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "graphviz", None)
    assert main(["graph", str(REPOSITORY / "specs" / "cnn.yaml"), "--format", "svg"]) == 2
    assert install("graph") in capsys.readouterr().err


def test_the_verb_writes_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = str(REPOSITORY / "specs" / "residual.yaml")
    assert main(["graph", spec]) == 0
    text = capsys.readouterr().out
    assert text.startswith("flowchart TB\n")
    out = tmp_path / "made" / "net.mmd"
    assert main(["graph", spec, "-o", str(out)]) == 0
    assert out.read_text() == text
    assert capsys.readouterr().out == f"{out}: written\n"
