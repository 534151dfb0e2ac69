"""A style is one class and one template: a third one is added here, without touching nngen."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from rich.console import Console

from nngen.catalog.entry import State
from nngen.emit import build_graph
from nngen.emit.constructor import Constructor
from nngen.emit.model import Form, Item, Lines
from nngen.emit.render import render
from nngen.emit.style import Parts, Style
from nngen.emit.styles import named, with_twins
from nngen.emit.styles.nn import NNLowering
from nngen.files import writer
from nngen.graph import follow, read_file
from nngen.graph.flow import Application, Flow, Module
from nngen.graph.losses import Criterion
from nngen.language.styles import FILES, TWINS
from nngen.pipeline import Compilation
from nngen.symbolic.expressions import assign
from nngen.teach.lesson.forms import Frame
from nngen.teach.lesson.page import page
from nngen.views.diff import Comparison

TEMPLATE = '''
"""The layers of {{ graph.model.name }}."""

{% for each in graph.classes %}
{% set code = each.code[style] %}
class {{ each.name }}:
{% for one in code.items %}
{% for line in one.codes %}
    {{ line | code | of(one.mark) }}
{% endfor %}
{% endfor %}
    flow = """
{% for statement in code.forward %}
{{ statement.code }}
{% endfor %}
{% for statement in code.loss %}
{{ statement.code }}
{% endfor %}
"""
{% endfor %}
'''


class Listing(Style):
    """Each layer with what it owns, as text."""

    lowering = NNLowering

    def __init__(self, folder: Path) -> None:
        self.form = Form("listing", "listing.py", "listing.py.j2", folder)

    def items(self, constructor: Constructor, flow: Flow) -> Iterator[Item]:
        """A line of text for each layer."""
        for built in flow.built:
            if built.module is not None:
                line = assign(built.name, ast.Constant(", ".join(_listed(built.module))))
                yield Lines((line,), built.step, built.module.mark)

    def parameter(self, module: Module, state: State) -> ast.expr:
        return ast.Constant(module.key(state))

    def key(self, nn: str, functional: str) -> str:
        return nn

    def criterion(self, criterion: Criterion, application: Application) -> list[ast.stmt]:
        return [ast.Return(ast.Name(application.module.kind, ast.Load()))]

    def ties(self, parts: Parts) -> Lines | None:
        return None

    def redraws(self, parts: Parts) -> Lines | None:
        return None


def _listed(module: Module) -> Iterator[str]:
    kind = module.flow.body.name if module.flow is not None else module.kind
    names = " and ".join(state.name for state in module.state)
    yield f"{kind}, with {names}" if names else kind
    for child in module.children:
        yield from _listed(child)


@pytest.fixture
def listing(tmp_path: Path) -> Listing:
    (tmp_path / "listing.py.j2").write_text(TEMPLATE, encoding="utf-8")
    return Listing(tmp_path)


@pytest.mark.parametrize("name", ["lenet5", "resnet18", "lstm_classifier", "gpt2"])
def test_a_third_file_stands_beside_the_twins(name: str, listing: Listing) -> None:
    spec = Path(f"specs/{name}.yaml")
    two = render(build_graph(follow(read_file(spec)), styles=named(TWINS)))
    three = render(build_graph(follow(read_file(spec)), styles=with_twins([listing])))
    text = three.pop("listing.py")
    assert "\nfrom . import functional_style, listing, nn_style\n" in three.pop("__init__.py")
    assert "\nfrom . import functional_style, nn_style\n" in two.pop("__init__.py")
    assert three == two
    scope: dict[str, str] = {}
    exec(text, scope)  # noqa: S102
    graph = build_graph(follow(read_file(spec)))
    assert {each.name for each in graph.classes} <= scope.keys()


def test_it_says_what_its_class_and_its_template_say(listing: Listing) -> None:
    graph = build_graph(follow(read_file(Path("specs/cnn.yaml"))), styles=(listing,))
    files = render(graph)
    assert list(files) == ["__init__.py", "listing.py"]
    assert '\n    conv1 = "Conv2d, with weight and bias"\n' in files["listing.py"]
    assert "\nx = self.conv1(x)\n" in files["listing.py"]
    assert "\nreturn CrossEntropyLoss\n" in files["listing.py"]


def test_a_package_holds_it(
    listing: Listing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Compilation(read_file(Path("specs/cnn.yaml")), styles=(*named(["functional"]), listing))
    writer.write(tmp_path / "listed_cnn", made.files, dropped=made.dropped)
    monkeypatch.syspath_prepend(tmp_path)
    package = import_module("listed_cnn")
    assert package.__all__ == ["functional_style", "listing", "to_functional", "to_nn"]
    assert package.listing.CNN.conv1 == "Conv2d, with weight and bias"
    assert "nn_style.py" in made.dropped and "functional_style.py" not in made.dropped


@pytest.mark.parametrize("beside", TWINS)
def test_it_stands_beside_each_other_style(beside: str, listing: Listing, tmp_path: Path) -> None:
    spec = read_file(Path("specs/cnn.yaml"))
    files = Compilation(spec, styles=(*named([beside]), listing)).source_map
    difference = Comparison(files).unified()
    assert difference.startswith(f"--- {FILES[beside]}\n+++ listing.py\n@@ ")
    (tmp_path / "file.py").write_text(writer.seal(files.in_styles()[beside].text))
    command = ["patch", "--quiet", "file.py"]
    subprocess.run(command, input=difference, text=True, cwd=tmp_path, check=True)
    text = (tmp_path / "file.py").read_text()
    assert text.partition("\n")[2] == files.in_styles()["listing"].text
    console = Console(width=140)
    with console.capture() as captured:
        console.print(Comparison(files).wide(), Comparison(files).narrow())
    assert 'conv1 = "Conv2d, with weight and bias"' in captured.get()


def test_a_lesson_page_has_a_column_for_it(listing: Listing) -> None:
    path = Path("specs/cnn.yaml")
    spec, text = read_file(path), path.read_text(encoding="utf-8")
    styles = (*named(TWINS), listing)
    found = page(spec, text, styles=styles)
    files = Compilation(spec, styles=styles).source_map.in_styles()
    for side, file in enumerate(files.values()):
        rows = [row for section in found.sections for row in section.rows]
        lines = [line.text for row in rows for line in row.sides[side]]
        assert lines == file.text.splitlines()
    conv = next(each for each in found.details if each.place.path == "layers[0]")
    assert [side.file for side in conv.sides] == [
        "nn_style.py",
        "functional_style.py",
        "listing.py",
    ]
    lines = [line.text for each in conv.sides[2].excerpts for line in each.lines]
    assert lines == ['    conv1 = "Conv2d, with weight and bias"']
    shown = Frame("en", []).page(found, "cnn.html")
    assert '<th scope="col">listing.py</th></tr></thead>' in shown
    assert '<th colspan="3" scope="rowgroup">' in shown
    assert "One spec, 3 files" in shown and "both files. Choose" not in shown
    assert r'content: "nn\a F\a L"' in shown


def test_a_page_of_any_styles_looks_as_its_files(listing: Listing) -> None:
    path = Path("specs/cnn.yaml")
    spec, text = read_file(path), path.read_text(encoding="utf-8")
    for styles in ((listing, *named(["nn"])), named(["functional", "nn"])):
        shown = Frame("en", []).page(page(spec, text, styles=styles), "cnn.html")
        heads = "".join(f'<th scope="col">{style.form.file}</th>' for style in styles)
        assert f"</span></th>{heads}</tr></thead>" in shown
        assert "One spec, two files" in shown
    assert r'content: "F\a nn"' in shown
