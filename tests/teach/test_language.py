"""What lessons say of a step: in both languages, of every kind, and true of the files."""

from __future__ import annotations

import ast
import re
import string
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from nngen.catalog import FUNCTIONS, LAYERS
from nngen.emit import build_graph
from nngen.emit.render import render
from nngen.graph import Program, follow
from nngen.graph.flow import Flow, Module
from nngen.language import spec as specs
from nngen.symbolic.expressions import Line
from nngen.teach.lesson import sentences as lesson
from nngen.teach.translations import LANGUAGES, translate

REPOSITORY = Path(__file__).parents[2]
ZH = REPOSITORY / "nngen" / "teach" / "translations" / "zh"
OWN = ("layers.yaml", "ownership.yaml")
CHINESE = r"[\u4e00-\u9fff]"


def held(file: str) -> dict[str, str]:
    return yaml.safe_load((ZH / file).read_text(encoding="utf-8"))


# The two languages


def test_every_sentence_has_its_chinese_and_none_is_left_over() -> None:
    there = [sentence for file in OWN for sentence in held(file)]
    assert len(there) == len(set(there))
    assert set(there) == lesson.sentences()


def test_a_sentence_has_one_translation() -> None:
    """In all files together: one would hide the other."""
    found: dict[str, set[str]] = {}
    for file in ZH.glob("*.yaml"):
        tree = yaml.compose(file.read_text(encoding="utf-8"))
        assert tree is not None
        for key, value in tree.value:
            found.setdefault(key.value, set()).add(value.value)
    assert [english for english, chinese in found.items() if len(chinese) > 1] == []


@pytest.mark.parametrize("file", sorted(path.name for path in ZH.glob("*.yaml")))
def test_both_languages_have_the_same_fields(file: str) -> None:
    for english, chinese in held(file).items():
        assert fields(chinese) == fields(english), english
        assert set(code(chinese)) == set(code(english)), english


def fields(sentence: str) -> set[str]:
    if "{" not in sentence:
        return set()
    return {str(name) for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def code(sentence: str) -> list[str]:
    return re.findall(r"`[^`]+`", sentence)


@pytest.mark.parametrize("file", OWN)
def test_chinese_is_written_as_chinese_is(file: str) -> None:
    for english, chinese in held(file).items():
        if len(english) > len(" and "):
            assert re.search(CHINESE, chinese), chinese
            assert chinese.endswith("。") and english.endswith("."), chinese
        plain = re.sub(r"`[^`]*`", "x", chinese)
        assert not re.search(rf"{CHINESE}[,:;?!.]|[,:;?!]{CHINESE}", plain), chinese
        assert not re.search(rf"{CHINESE}[A-Za-z]|[A-Za-z]{CHINESE}", plain), chinese


# Every kind


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_layer_has_its_sentences(language: str) -> None:
    for kind in (*LAYERS, "Sequential", "ModuleList", "Parameter", "Buffer", "SomeBlock"):
        for said in (lesson.what(kind, language), lesson.why_equal(kind, language)):
            assert said and not re.search(r"[{}]|\(\)|``", said.replace("{0}", "")), said


def test_a_loss_names_what_it_takes() -> None:
    said = lesson.what("CrossEntropyLoss")
    assert said.startswith("Cross entropy of logits `input` and class indices `target`;")
    assert "`input`" in lesson.what("CrossEntropyLoss", "zh")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_function_has_a_sentence(language: str) -> None:
    general = 0
    for name in FUNCTIONS:
        said = lesson.what(name, language)
        assert said
        general += said == translate("Calls `{function}`.", language, function=name)
    assert general < len(FUNCTIONS) / 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("torch.cat((a, b), dim=1)", "Puts tensors one after another along a dimension"),
        ("F.relu(x)", "x where it is above 0"),
        ("x.view(x.shape[0], -1)", "The same values in another shape."),
        ("h[-1].view(3)", "The same values in another shape."),
        ("bn2 + downsample", "Adds two values"),
        ("a @ b", "The matrix product"),
        ("h[-1]", "Takes a part of a tensor, by indices."),
        ("relu(out)", "Calls the layer `relu`."),
        ("x.erfinv()", "Calls `x.erfinv`."),
        ("(a, b)", "A line of Python."),
        ("a", "Gives a value a name."),
    ],
)
def test_what_a_line_does(text: str, said: str) -> None:
    assert lesson.what_line(ast.parse(text, mode="eval").body).startswith(said)


# The documentation


def test_links_lead_to_torchs_own_pages() -> None:
    stable = "https://docs.pytorch.org/docs/stable/generated/"
    assert lesson.docs_link("Conv2d") == f"{stable}torch.nn.Conv2d.html"
    assert lesson.docs_link("F.conv2d") == f"{stable}torch.nn.functional.conv2d.html"
    assert lesson.docs_link("torch.cat") == f"{stable}torch.cat.html"
    assert lesson.docs_link("Tensor.view") == f"{stable}torch.Tensor.view.html"
    assert lesson.docs_link("Parameter") == f"{stable}torch.nn.parameter.Parameter.html"
    assert lesson.docs_link("SomeBlock") is None
    assert lesson.docs_link("torch.lstm") is None
    assert list(lesson.docs_links("Conv2d")) == ["nn.Conv2d", "F.conv2d"]
    assert list(lesson.docs_links("LSTM")) == ["nn.LSTM"]


def test_the_functions_of_layers_are_torchs() -> None:
    assert all(callable(of_torch(LAYERS[kind].function)) for kind in LAYERS)


def test_what_has_no_docstring_has_no_link() -> None:
    functions = {*FUNCTIONS, *(LAYERS[kind].function for kind in LAYERS)} - {""}
    linked = {name for name in functions if lesson.docs_link(name) is not None}
    assert not [name for name in linked if not of_torch(name).__doc__]
    assert len(functions) - len(linked) < 30


def of_torch(name: str) -> Any:
    """What a name of the catalog stands for; of "", any function."""
    spaces = {"F": torch.nn.functional, "torch": torch, "Tensor": torch.Tensor, "nn": torch.nn}
    root, _, path = name.partition(".")
    return attrgetter(path)(spaces[root]) if name else len


# Markup


def test_markup_escapes_and_marks_code() -> None:
    said = lesson.markup("`self.<b>` is <i>not</i> & `y`")
    assert said == ("<code>self.&lt;b&gt;</code> is &lt;i&gt;not&lt;/i&gt; &amp; <code>y</code>")


# Whether it is true


@cache
def followed(name: str) -> tuple[Program, dict[str, str]]:
    spec = specs.read(REPOSITORY / "specs" / f"{name}.yaml")
    program = follow(spec)
    return program, render(build_graph(program))


def modules(name: str) -> dict[str, Module]:
    """The modules of the model itself and of its loss, by their names."""
    found, _ = followed(name)
    flows: list[Flow] = [found.flow, *(found.criterion and [found.criterion.flow] or [])]
    return {
        built.name: built.module
        for flow in flows
        for built in flow.built
        if built.module is not None
    }


SOME = [
    *("cnn", "sequential_block", "lstm_classifier", "translation", "cross_entropy_weighted"),
    *("residual", "repeated", "softmax", "gpt2", "seq2seq_attention"),
]


@pytest.mark.parametrize("name", SOME)
def test_attributes_and_functions_that_are_named_are_in_the_files(name: str) -> None:
    _, files = followed(name)
    for module in modules(name).values():
        said = lesson.where(module)
        for style, sentence in (("nn_style", said["nn"]), ("functional_style", said["functional"])):
            for path in code(sentence):
                path = path.strip("`")
                if re.fullmatch(r"self\.\w+|F\.\w+|torch\.\w+", path) and path != "self.training":
                    assert path in files[f"{style}.py"], (module.kind, path)


@pytest.mark.parametrize("name", SOME)
def test_keys_that_are_named_are_in_the_state_dict(name: str) -> None:
    spec = specs.read(REPOSITORY / "specs" / f"{name}.yaml")
    keys = [places_open(key) for key, _ in build_graph(follow(spec)).keys]
    for module in modules(name).values():
        for path in code(lesson.where(module)["nn"]):
            path = path.strip("`")
            if path.startswith(".".join(module.path) + "."):
                assert any(key.startswith(places_open(path)) for key in keys), path


def places_open(key: str) -> str:
    """A key with `*` for each position in a list."""
    return re.sub(r"\.\d+(?=\.)", ".*", key)


def test_who_owns_what() -> None:
    cnn = {name: lesson.where(module) for name, module in modules("cnn").items()}
    assert cnn["conv1"]["nn"].startswith("The module `self.conv1` owns `weight` and `bias`; keys")
    assert "`self.conv1_weight` and `self.conv1_bias`" in cnn["conv1"]["functional"]
    assert "to `F.conv2d`" in cnn["conv1"]["functional"]
    assert "has no parameters" in cnn["relu1"]["nn"]
    assert cnn["relu1"]["functional"] == "`__init__` builds nothing; `forward` calls `F.relu`."
    assert "`self.bn1_num_batches_tracked`" in cnn["bn1"]["functional"]
    assert "no optimizer changes them: `bn1.running_mean`" in cnn["bn1"]["nn"]
    assert "`self.training` is passed to it" in cnn["dropout"]["functional"]
    assert "`self.training`" not in cnn["conv1"]["functional"]
    assert "`F.cross_entropy` itself" in cnn["criterion"]["functional"]


def test_who_owns_what_of_others() -> None:
    sequential = lesson.where(modules("sequential_block")["fm_layer"])
    assert "numbers their keys: `fm_layer.0.weight`, `fm_layer.0.bias`, `…`" not in sequential["nn"]
    assert "`fm_layer.0.weight`, `fm_layer.0.bias`, …, `fm_layer.1.num_" in sequential["nn"]
    assert "lines of its own" in sequential["functional"]
    blocks = lesson.where(modules("residual")["layer1"])
    assert "holds the blocks in this style too" in blocks["functional"]
    weighted = lesson.where(modules("cross_entropy_weighted")["criterion"])
    assert (
        "`criterion.weight`" in weighted["nn"]
        and "`self.criterion_weight`" in weighted["functional"]
    )
    composite = lesson.where(modules("translation")["transformer"])
    assert "a list of its copies" in composite["functional"]
    parameter = lesson.where(modules("translation")["position"])
    assert parameter["nn"] == parameter["functional"] and "`position`" in parameter["nn"]


def test_lines() -> None:
    same = lesson.where_line()
    assert same["nn"] == same["functional"]
    calls = lesson.where_line(["relu", "bn1"])
    assert "`relu` and `bn1`" in calls["nn"] and calls["nn"] != calls["functional"]
    assert "`relu` 和 `bn1`" in lesson.where_line(["relu", "bn1"], "zh")["nn"]


@pytest.mark.parametrize("name", ["residual", "gpt2", "lstm_classifier"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_step_of_a_spec_is_told(name: str, language: str) -> None:
    found, _ = followed(name)
    flows = [found.flow, *(flow for uses in found.uses.values() for flow in uses)]
    for flow in flows:
        for built in flow.built:
            if built.module is not None:
                assert lesson.where(built.module, language)["functional"]
        for operation in flow.operations:
            if isinstance(operation.line, Line):
                assert lesson.what_line(operation.line, language)
