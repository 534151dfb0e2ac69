"""What the pages hold: every line of both files, every step of the spec, every sentence in both languages."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from functools import cache
from pathlib import Path

import pytest
import yaml
from jinja2 import nodes

import nngen
from nngen import pipeline
from nngen.cli import lesson as verb
from nngen.cli import main
from nngen.language import spec as specs
from nngen.language.spec import LayerStep, LineStep
from nngen.packages import install
from nngen.proof.options import Conditions
from nngen.proof.report import COLUMNS, Report, Row
from nngen.teach import translations
from nngen.teach.lesson import forms, page, telling
from nngen.teach.lesson.page import Detail, Page
from nngen.teach.lesson.words import say

REPOSITORY = Path(__file__).parents[2]
# A flat one, blocks, a Sequential block, a tie and redraws, a layer that is a class in one file, an empty line inside.
NAMES = ("cnn", "residual", "dcgan_generator", "gpt2", "translation", "vae")
each_page = pytest.mark.parametrize("name", NAMES)
SPEC = "name: Net\ninput: [4]\nlayers:\n  - Linear: 3\n  - ReLU\nloss: CrossEntropyLoss\n"


@cache
def shown(name: str) -> Page:
    path = REPOSITORY / "specs" / f"{name}.yaml"
    return page.page(specs.read(path), path.read_text())


def detail(shown: Page, place: str) -> Detail:
    return next(each for each in shown.details if each.place.id == place)


def plain(text: str) -> str:
    """What a reader sees of HTML."""
    return html.unescape(re.sub(r"<[^>]*>", "", text))


# All is there


@each_page
def test_every_line_is_shown_once_and_in_order(name: str) -> None:
    found = shown(name)
    files = pipeline.read(REPOSITORY / "specs" / f"{name}.yaml").source_map.files
    for side, file in enumerate(("nn_style.py", "functional_style.py")):
        lines = [line for part in found.sections for row in part.rows for line in row.sides[side]]
        assert [line.text for line in lines] == files[file].text.splitlines()
        assert [plain(line.html) for line in lines] == files[file].text.splitlines()
    text = (REPOSITORY / "specs" / f"{name}.yaml").read_text()
    assert [plain(line.html) for line in found.spec] == text.splitlines()


@each_page
def test_every_step_has_a_place_a_link_and_a_sentence(name: str) -> None:
    found = shown(name)
    ids = [place.id for place in found.places]
    assert len(set(ids)) == len(ids)
    links = re.findall(r'<a href="#([\w-]+)"', "".join(line.html for line in found.spec))
    assert links == ids
    for each in found.details:
        assert each.title and each.what
        if each.place.step is not None:
            assert all(side.owner for side in each.sides) and each.why
            # In stateless style the blocks of a list stand in the list's own statement.
            assert all(side.excerpts for side in each.sides[:2])
            assert each.title in found.spec[each.place.mark.line - 1].text


@each_page
def test_what_is_marked_is_a_place(name: str) -> None:
    found = shown(name)
    numbers = {place.number for place in found.places}
    rows = [row for part in found.sections for row in part.rows]
    assert {row.place for row in rows} - {None} <= numbers
    lines = [line for row in rows for side in row.sides for line in side]
    assert set().union(*(line.inner for line in (*lines, *found.spec))) <= numbers


def test_permalinks_are_the_paths() -> None:
    ids = {place.id: place.path for place in shown("residual").places}
    assert ids["model"] == ""
    assert ids["layers-0"] == "layers[0]"
    assert ids["layers-3-0"] == "layers[3].Sequential as layer1[0]"
    assert ids["blocks-BasicBlock-layers-5-1"].endswith("[1]")
    assert ids["args-num_classes"] == "args.num_classes"
    assert ids["loss"] == "loss"


def test_a_place_knows_its_line_in_both_files() -> None:
    found = detail(shown("gpt2"), "blocks-Attention-layers-0")
    nn, functional, stateless = (
        [line.text.strip() for each in side.excerpts for line in each.lines] for side in found.sides
    )
    assert nn == [
        "self.c_attn = nn.Linear(in_features, 3 * in_features)",
        "c_attn = self.c_attn(x)",
    ]
    assert (
        "self.c_attn_weight = nn.Parameter(torch.empty(3 * in_features, in_features))" in functional
    )
    assert "c_attn = F.linear(x, self.c_attn_weight, self.c_attn_bias)" in functional
    assert 'params[f"{self.prefix}c_attn.bias"],' in stateless


def test_numbers_are_those_of_the_model_itself() -> None:
    """Not those of the small one that verification runs."""
    found = shown("gpt2")
    assert found.summary.parameters == 124_439_808
    each = detail(found, "blocks-Attention-layers-0")
    assert each.uses == [("(1, 8, 768)", "(1, 8, 2304)", 768 * 2304 + 2304, 12)]
    assert each.parameters == 12 * (768 * 2304 + 2304)


def test_shapes_go_through_blocks_and_lines() -> None:
    found = shown("residual")
    shapes = {each.place.id: [use[:2] for use in each.uses] for each in found.details}
    assert shapes["blocks-BasicBlock-layers-6"][0] == (
        "(1, 16, 32, 32), (1, 16, 32, 32)",
        "(1, 16, 32, 32)",
    )
    assert shapes["layers-6"] == [("(1, 32, 1, 1)", "(1, 32)")]
    assert [use[0] for use in detail(shown("vae"), "layers-8").uses] == ["(1, 400)"]


def test_a_step_shows_all_that_it_takes() -> None:
    found = {
        each.title: [use[0] for use in each.uses] for each in shown("seq2seq_attention").details
    }
    assert found["GRU as decoder"] == ["(1, 5, 256), (1, 1, 256)"]
    assert found["weights = F.softmax(states @ memory.transpose(1, 2), dim=-1)"] == [
        "(1, 5, 256), (1, 7, 256)"
    ]


def test_a_step_leads_to_its_pitfalls_and_documentation() -> None:
    found = detail(shown("cnn"), "layers-8")
    assert "dropout-in-eval" in [each.name for each in found.pitfalls]
    assert set(found.docs) == {"nn.Dropout", "F.dropout"}
    line = detail(shown("gpt2"), "blocks-Attention-layers-5")
    assert "attention-dropout-in-eval" in [each.name for each in line.pitfalls]


# Both languages


def said() -> set[str]:
    """The sentences that the templates name, and those that the pages add."""
    found = {*telling.PARTS.values(), *COLUMNS, "Lessons", "Pitfalls"}
    environment = forms._environment()
    for name in environment.list_templates(extensions=["j2"]):
        source, _, _ = environment.loader.get_source(environment, name)  # type: ignore[union-attr]
        for call in environment.parse(source).find_all(nodes.Call):
            if getattr(call.node, "name", "") == "say" and isinstance(call.args[0], nodes.Const):
                found.add(call.args[0].value)
    return found


def test_every_word_of_the_pages_has_its_chinese_and_none_is_left_over() -> None:
    path = REPOSITORY / "nngen" / "teach" / "translations" / "zh" / "page.yaml"
    own = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert said() - translations.sentences("zh").keys() == set()
    assert own.keys() - said() == set()


def test_a_sentence_stands_in_both_languages() -> None:
    assert say("Line {number}", number=3) == (
        '<span lang="en">Line 3</span><span lang="zh-Hans">第 3 行</span>'
    )
    assert "&lt;b&gt;" in say("in the block `{block}`", block="<b>")


# The command


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to run in, where the course and the pitfalls are left out: they are slow, and tested elsewhere."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("nngen.teach.lesson.site.Site.course", lambda self: None)
    monkeypatch.setattr("nngen.teach.lesson.site.Site.pitfalls", lambda self: None)
    (tmp_path / "net.yaml").write_text(SPEC)
    return tmp_path


def test_it_writes_a_page_a_spec_and_an_index(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "other.yaml").write_text(SPEC.replace("Net", "Other"))
    assert main(["lesson", "net.yaml", "other.yaml", "--no-verify", "-o", "out"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[:2] == ["[1/2] net.yaml", "[2/2] other.yaml"]
    assert {path.name for path in (folder / "out").iterdir()} == {
        *("net.html", "other.html", "index.html")
    }
    index = (folder / "out" / "index.html").read_text()
    assert '<a href="net.html">Net</a>' in index and '<a href="other.html">Other</a>' in index
    assert not re.search(
        r'(src|href)="(?!#|\w+\.html|\d|data:,|https://docs\.pytorch\.org/)', index
    )


def test_a_wrong_spec_stops_no_other(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "wrong.yaml").write_text(SPEC.replace("ReLU", "RELU2"))
    assert main(["lesson", "wrong.yaml", "net.yaml", "--no-verify", "-o", "out"]) == 2
    assert "wrong.yaml:5:5: layers[1]: " in capsys.readouterr().err
    assert (folder / "out" / "net.html").exists()
    assert not (folder / "out" / "wrong.html").exists()


@pytest.mark.parametrize("name", ["index.yaml", "pitfalls.yaml"])
def test_a_page_of_the_sites_own_is_not_replaced(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (folder / name).write_text(SPEC)
    assert main(["lesson", "net.yaml", name, "--no-verify", "-o", "out"]) == 2
    page_name = f"{Path(name).stem}.html"
    assert f"{name}: another page is {page_name} already" in capsys.readouterr().err


def report(equal: bool) -> Report:
    row = Row("outputs", "train", "train, grad", 12, equal, "" if equal else "the first value")
    sizes = {"arguments": {"width": 8}, "sizes": {"T": 6}}
    return Report("Net", (row,), (), (), (), Conditions(seed=5), "2.9", **sizes)


@pytest.mark.parametrize(("equal", "code"), [(True, 0), (False, 1)])
def test_the_proof_is_on_the_page(
    folder: Path, monkeypatch: pytest.MonkeyPatch, equal: bool, code: int
) -> None:
    asked = {}

    def verify(path: Path, seed: int) -> Report:
        asked[path.name] = seed
        return report(equal)

    monkeypatch.setattr(nngen, "verify", verify)
    assert main(["lesson", "net.yaml", "--seed", "5", "-o", "out"]) == code
    assert asked == {"net.yaml": 5}
    text = plain((folder / "out" / "net.html").read_text())
    assert ("✓ Equal bit for bit: 12 values compared" in text) is equal
    assert ("✗ Not shown to be equal" in text) is not equal
    assert "torch 2.9" in text and "seed 5" in text and "at the sizes width = 8, T = 6" in text
    assert ("the first value" in text) is not equal


def test_without_torch_it_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(verb, "find_spec", lambda name: None if name == "torch" else object())
    assert main(["lesson", "net.yaml"]) == 2
    assert f"need torch: {install('torch')}" in capsys.readouterr().err
    assert main(["lesson", "net.yaml", "--no-verify", "-o", "out"]) == 0


def test_without_graphviz_the_page_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert main(["lesson", "net.yaml", "--no-verify", "-o", "out"]) == 0
    text = (folder / "out" / "net.html").read_text()
    assert "<svg" not in text and "There is no picture" in text


def test_the_language_comes_first(folder: Path) -> None:
    assert main(["lesson", "net.yaml", "--no-verify", "--lang", "zh", "-o", "out"]) == 0
    text = (folder / "out" / "net.html").read_text()
    assert '<html lang="zh-Hans">' in text
    assert re.search(r'id="language-zh"[^>]* checked', text)


def test_the_policy_names_the_very_script_and_style(folder: Path) -> None:
    assert main(["lesson", "net.yaml", "--no-verify", "-o", "out"]) == 0
    text = (folder / "out" / "net.html").read_text()
    for tag in ("script", "style"):
        (source,) = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in text
    assert "default-src 'none'" in text


# Hard cases


def of(text: str) -> Page:
    from nngen.language import document

    return page.page(specs.from_node(document.parse(text, "x.yaml"), "x.yaml"), text)


def test_line_breaks_of_other_systems() -> None:
    found = of("\ufeff" + SPEC.replace("\n", "\r\n"))
    assert [line.text for line in found.spec] == SPEC.splitlines()
    assert [each.title for each in found.details if each.place.step] == [
        *("Linear", "ReLU", "loss: CrossEntropyLoss"),
    ]


def test_letters_of_two_units_and_quotes() -> None:
    found = of(
        'name: Net\ndoc: "𝒳 → ĳ"\ninput: [4]\nlayers: ["Linear as 层": 3, ReLU] # 𝒳\n'.replace(
            "层", "layer"
        )
    )
    assert [each.title for each in found.details if each.place.step] == ["Linear as layer", "ReLU"]


def test_steps_of_every_form_are_told() -> None:
    found = of(
        "name: Net\ninputs: {x: [4], y: [4]}\nlet: {size: 2 * 2}\nlayers:\n"
        "  - Parameter as scale: {shape: [size], init: ones_}\n"
        "  - Linear as a: size\n    from: x\n    weight_norm: {}\n"
        "  - Linear as b${i}: size\n    repeat: 2\n    init: {bias: zeros_}\n"
        "  - z = a(y) * scale + b1\n"
        "outputs: [z, b1]\n"
    )
    kinds = {each.place.id: type(each.place.step) for each in found.details}
    assert kinds == {
        "inputs-x": type(None),
        "inputs-y": type(None),
        "let-size": type(None),
        "layers-0": LayerStep,
        "layers-1": LayerStep,
        "layers-2": LayerStep,
        "layers-3": LineStep,
        "outputs": type(None),
    }
    assert all(each.what for each in found.details)
