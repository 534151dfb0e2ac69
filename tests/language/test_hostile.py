"""A spec is data from strangers: it runs nothing, writes nothing but its package, and is answered at once."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import yaml
from jinja2 import nodes
from jinja2.exceptions import SecurityError, UndefinedError

import nngen
from nngen import limits, pipeline
from nngen.emit import render
from nngen.emit.model import Graph
from nngen.errors import MOST_ERRORS, Mark, SpecError
from tests.built import compiled, each_spec
from tests.excerpts import without_excerpts
from tests.fenced import Fence, Outcome
from tests.language.hostile_specs import AMOUNTS, CODE, DOCUMENTS, HEAD

SECONDS = 2
MEBIBYTES = 300
CASES = {**CODE, **DOCUMENTS, **AMOUNTS}


@pytest.fixture(scope="module")
def fence() -> Iterator[Fence]:
    with Fence() as fence:
        yield fence


def assert_harmless(outcome: Outcome, folder: Path) -> None:
    """It ended soon and without a traceback, and left the rest of the world alone."""
    assert outcome.code in (0, 2), outcome
    assert "Traceback" not in outcome.err
    assert outcome.runs == ()
    own = [str(folder / name) for name in ("generated", "cache")]
    assert [path for path in outcome.writes if not path.startswith(tuple(own))] == []
    assert not (folder / "ran").exists()
    assert outcome.seconds < SECONDS
    assert outcome.mebibytes < MEBIBYTES


@pytest.mark.heavy
@pytest.mark.parametrize("name", CASES)
def test_a_hostile_spec(name: str, fence: Fence, tmp_path: Path) -> None:
    text, says = CASES[name]
    (tmp_path / "model.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    outcome = fence.run(tmp_path, "build", "model.yaml")
    assert_harmless(outcome, tmp_path)
    assert outcome.code == (0 if says is None else 2), outcome.err
    if says is not None:
        assert outcome.err.startswith("model.yaml") and says in outcome.err
        told = without_excerpts(outcome.err)
        assert told.count("\n") <= 2 * MOST_ERRORS + 1 and len(told) < 1_500 * MOST_ERRORS
        assert len(outcome.err) - len(told) < 300 * MOST_ERRORS
        assert not (tmp_path / "generated").exists()
    for verb in ("summary", "graph"):
        assert_harmless(fence.run(tmp_path, verb, "model.yaml"), tmp_path)


@pytest.mark.parametrize("name", ["a size that is huge", "nested conditions", "some whens"])
def test_checking_a_hostile_spec(name: str, fence: Fence, tmp_path: Path) -> None:
    (tmp_path / "model.yaml").write_text(str(CASES[name][0]))
    outcome = fence.run(tmp_path, "build", "--check", "model.yaml")
    assert outcome.code == 1 and not (tmp_path / "generated").exists()
    assert outcome.seconds < SECONDS and outcome.mebibytes < MEBIBYTES


@pytest.mark.parametrize(
    "word", ["{{ 7 * 7 }}", "'; import os", "../../x", "Conv2d\n", "\x1b[2J", "x" * 50_000]
)
def test_a_hostile_word_after_layers(word: str, fence: Fence, tmp_path: Path) -> None:
    outcome = fence.run(tmp_path, "layers", word)
    assert_harmless(outcome, tmp_path)


# Text that may stand in a spec, and what becomes of it

DOCS = (
    *("{{ 7 * 7 }}", "{% for i in range(9) %}x{% endfor %}", "{# gone #}", "{{ graph }}"),
    *(
        '"""',
        "'''",
        'ends with "',
        "ends with \\",
        '\\"""',
        "\\N{BULLET}",
        "\\x41",
        "%s {} $x",
        "# x",
    ),
    *('"""\nimport os\nos.system("touch ran")\n"""', "一个模型", "naïve 😀", "a\tb", "</script>"),
)


def body(text: str) -> tuple[str, str]:
    """A module's syntax without its class's docstring, and that docstring."""
    tree = ast.parse(text)
    (model,) = (node for node in tree.body if isinstance(node, ast.ClassDef))
    doc = ast.get_docstring(model) or ""
    del model.body[0]
    return ast.dump(tree), doc


@pytest.mark.parametrize("doc", DOCS)
def test_a_doc_is_a_docstring_and_nothing_else(doc: str, tmp_path: Path) -> None:
    path = tmp_path / "model.yaml"

    def built(doc: str) -> dict[str, str]:
        spec = {"name": "M", "doc": doc, "input": [8], "layers": ["ReLU"]}
        path.write_text(yaml.safe_dump(spec, allow_unicode=True), encoding="utf-8")
        return pipeline.read(path).files

    plain, hostile = built("A model."), built(doc)
    assert plain["__init__.py"] == hostile["__init__.py"]
    for name in ("functional_style.py", "nn_style.py"):
        code, found = body(hostile[name])
        assert code == body(plain[name])[0]
        assert found.split("\n")[0] == " ".join(doc.split())


@pytest.mark.parametrize("character", ["\u202e", "\u2066", "\u200b", "\x1b", "\x02", "\x7f"])
def test_what_cannot_be_seen_is_refused(character: str) -> None:
    for spec in (
        {"name": "M", "doc": f"a{character}b", "input": [8], "layers": ["ReLU"]},
        {"name": f"M{character}", "input": [8], "layers": ["ReLU"]},
        {"name": "M", "input": [8], "layers": [f"ReLU as a{character}"]},
        {"name": "M", "input": [8], "layers": ["ReLU as r"], "outputs": f"{{'a{character}': r}}"},
    ):
        with pytest.raises(SpecError) as caught:
            nngen.load(spec)
        assert character not in str(caught.value)


def test_the_name_of_a_file_is_text(tmp_path: Path) -> None:
    path = tmp_path / 'model.{{ 7 * 7 }}"""\nimport os\n"""\\'
    path.write_text(HEAD + "  - ReLU\n")
    for text in pipeline.read(path).files.values():
        assert not [
            node
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Import) and node.names[0].name == "os"
        ]
        assert "{{ 7 * 7 }}" in text


# Files


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def make_loop(path: Path) -> None:
    path.symlink_to(path)


@pytest.mark.parametrize("make", [make_pipe, make_endless, make_loop])
@pytest.mark.parametrize("place", ["model.yaml", "generated/model/nn_style.py"])
def test_a_file_that_is_none(make: Any, place: str, fence: Fence, tmp_path: Path) -> None:
    (tmp_path / "model.yaml").write_text(HEAD + "  - ReLU\n")
    (tmp_path / "generated" / "model").mkdir(parents=True)
    for name in ("__init__.py", "functional_style.py"):
        (tmp_path / "generated" / "model" / name).touch()
    (tmp_path / place).unlink(missing_ok=True)
    make(tmp_path / place)
    for verb in (["build"], ["build", "--check"], ["build", "--force"]):
        outcome = fence.run(tmp_path, *verb, "model.yaml")
        assert_harmless(outcome, tmp_path)
        assert outcome.code == 2 and Path(place).name in outcome.err


@pytest.mark.parametrize("link", ["generated/model", "generated/model/nn_style.py"])
def test_no_link_leads_out(link: str, fence: Fence, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "model.yaml").write_text(HEAD + "  - ReLU\n")
    (tmp_path / link).parent.mkdir(parents=True)
    (tmp_path / link).symlink_to(elsewhere if link.endswith("model") else elsewhere / "nn_style.py")
    for options in ([], ["--force"]):
        outcome = fence.run(tmp_path, "build", "model.yaml", *options)
        assert_harmless(outcome, tmp_path)
        assert (
            outcome.code == 2 and "is a symbolic link, which nngen does not follow" in outcome.err
        )
    assert list(elsewhere.iterdir()) == []


# From Python


@pytest.mark.parametrize(
    "spec", [[], None, 3, b"name: M\n", {"name"}, object()], ids=lambda spec: type(spec).__name__
)
def test_what_is_no_spec(spec: Any) -> None:
    kind = type(spec).__name__
    with pytest.raises(
        TypeError, match=f"a path, a YAML text or a dict, not a value of type {kind}"
    ):
        nngen.load(spec)


class Code:
    """An object whose every use would be noticed."""

    def __repr__(self) -> str:
        raise AssertionError("it was looked at")

    __str__ = __format__ = __hash__ = __eq__ = __index__ = __repr__  # type: ignore[assignment]


@pytest.mark.parametrize(
    "value",
    [Code(), Code, len, (x for x in ()), b"x", {1, 2}, 1j, range(3), MappingProxyType({})],
    ids=lambda value: type(value).__name__,
)
def test_odd_objects_are_refused(value: Any) -> None:
    for spec in (
        {"name": value, "input": [8], "layers": ["ReLU"]},
        {"name": "M", "input": [value], "layers": ["ReLU"]},
        {"name": "M", "input": [8], "layers": [{"Linear": {"out_features": value}}]},
        {"name": "M", "input": [8], "layers": [{"Linear": 8, "when": value}]},
    ):
        with pytest.raises(SpecError, match=f"a {type(value).__name__} is refused"):
            nngen.load(spec)


# Limits


def flat(layers: int) -> dict[str, Any]:
    return {"name": "M", "input": [8], "layers": [{"Linear": 8} for _ in range(layers)]}


@pytest.mark.heavy
def test_large_specs_are_for_those_who_ask() -> None:
    with pytest.raises(
        SpecError, match="the code would have more than 80,000 characters"
    ) as caught:
        nngen.load(flat(300))
    assert "`--large` allows more" in caught.value.hint
    with limits.large():
        assert nngen.load(flat(300)).graph
    with pytest.raises(SpecError):
        nngen.load(flat(300))


@pytest.mark.heavy
def test_the_command_line_allows_large_specs(fence: Fence, tmp_path: Path) -> None:
    (tmp_path / "model.yaml").write_text(yaml.safe_dump(flat(300)))
    assert fence.run(tmp_path, "build", "model.yaml").code == 2
    assert fence.run(tmp_path, "build", "--large", "model.yaml").code == 0


@pytest.mark.heavy
@each_spec
def test_the_known_networks_are_far_below_the_limits(path: Path) -> None:
    usual = limits.USUAL
    assert path.stat().st_size < usual.size / 10
    assert sum(map(len, compiled(path).files.values())) < usual.code


# Templates


def test_templates_use_what_they_may_and_no_more() -> None:
    environment = render._environment(render.templates())
    used = set()
    for name in environment.list_templates():
        if not name.endswith(".j2") or "/" in name:
            continue
        tree = environment.parse(environment.loader.get_source(environment, name)[0])  # type: ignore[union-attr]
        calls = {
            call.node for call in tree.find_all(nodes.Call) if isinstance(call.node, nodes.Getattr)
        }
        used |= {node.attr for node in calls}
    allowed = {method for methods in render._METHODS.values() for method in methods}
    assert used - {"cycle"} == allowed


@pytest.mark.parametrize(
    "text",
    [
        "{{ graph.__class__ }}",
        "{{ graph.model.name.__class__.__mro__ }}",
        "{{ '{0.__class__}'.format(graph) }}",
        "{{ graph.model.name.upper() }}",
        "{{ graph.classes.__len__() }}",
        "{{ graph.classes.count(1) }}",
        "{{ graph.keys.append(1) }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ render.__globals__ }}",
        "{{ ().__class__ }}",
        "{{ mark.file }}",
    ],
)
def test_a_template_cannot_reach_further(text: str) -> None:
    environment = render._environment(render.templates())
    graph = graph_of({"name": "M", "input": [8], "layers": ["ReLU"]})
    with pytest.raises((SecurityError, UndefinedError)):
        environment.from_string(text).render(graph=graph, mark=Mark("x"))


def graph_of(spec: dict[str, Any]) -> Graph:
    return nngen.load(spec).graph


def test_text_of_a_spec_is_never_a_template(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    compiled: list[str] = []
    environment = render._environment(render.templates())
    plain = type(environment).compile

    def noted(self: Any, source: Any, *arguments: Any, **named: Any) -> Any:
        compiled.append(str(source))
        return plain(self, source, *arguments, **named)

    monkeypatch.setattr(type(environment), "compile", noted)
    monkeypatch.setattr(environment, "bytecode_cache", None)
    environment.cache.clear()  # type: ignore[union-attr]
    path = tmp_path / "model.yaml"
    path.write_text(
        "name: M\ndoc: 'sentinel {{ 7 * 7 }}'\ninput: [8]\nlayers: [ReLU as sentinel]\n"
    )
    assert "sentinel {{ 7 * 7 }}" in pipeline.read(path).files["nn_style.py"]
    assert compiled and not any("sentinel" in source for source in compiled)
