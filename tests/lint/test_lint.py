"""What lint finds, and what it leaves alone; how findings are shown, explained and silenced."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from nngen.catalog import LAYERS
from nngen.cli import main
from nngen.errors import SpecError
from nngen.files import build_cache
from nngen.graph import follow
from nngen.language import document
from nngen.language import spec as specs
from nngen.lint import _FAMILIES, GROUPS, RULES, Finding, lint, lint_file
from nngen.lint.explain import example, explanation
from nngen.lint.trace import traced
from nngen.teach.pitfalls import PITFALLS
from tests.catalog.function_calls import CALLS, INPUTS, lines
from tests.lint.lint_cases import FIRES, LEFT_ALONE
from tests.support import cases

REPOSITORY = Path(__file__).parents[2]
SPECS = sorted((REPOSITORY / "specs").glob("*.yaml"))


def findings(text: str) -> tuple[Finding, ...]:
    """The findings of a spec, whose name, and input of eight numbers, may be left out."""
    text = dedent(text).strip() + "\n"
    if not re.search(r"^inputs?:", text, re.MULTILINE):
        text = f"input: [8]\n{text}"
    text = f"name: Net\n{text}"
    return lint(follow(specs.from_node(document.parse(text, "net.yaml"), "net.yaml")), text)


def codes(text: str) -> list[str]:
    return [finding.code for finding in findings(text)]


@pytest.mark.parametrize(
    ("code", "text"), [(code, text) for code, texts in FIRES.items() for text in texts]
)
def test_it_is_found(code: str, text: str) -> None:
    assert codes(text) == [code]


@pytest.mark.parametrize("text", LEFT_ALONE.values(), ids=LEFT_ALONE)
def test_it_is_left_alone(text: str) -> None:
    assert codes(text) == []


def test_each_rule_has_specs_in_which_it_is_found() -> None:
    assert {*FIRES, "NN901", "NN902"} == set(RULES)
    assert all(len(texts) >= 2 for texts in FIRES.values())


def test_each_code_is_that_of_one_rule() -> None:
    codes = [each.code for family in _FAMILIES for each in family.RULES]
    assert len(codes) == len(set(codes))


# Where, and in which words


def test_a_finding_names_its_place_its_reason_and_its_fix() -> None:
    (finding,) = findings("layers:\n  - Linear: 3\n  - Softmax: {dim: 1}\nloss: CrossEntropyLoss")
    assert str(finding) == (
        "net.yaml:5:5: layers[1].Softmax: NN101 Softmax before CrossEntropyLoss, which takes the softmax itself\n"
        "    5 |   - Softmax: {dim: 1}\n"
        "      |     ^\n"
        "  fix: take Softmax out and give the loss the raw scores"
    )


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("layers:\n  - Linear as a: 3\n  - y = a.softmax(1)\nloss: CrossEntropyLoss", (5, 9)),
        ("layers:\n  - Linear: 3\nloss: NLLLoss", (5, 7)),
        (
            "blocks:\n  B:\n    layers:\n      - Linear: 8\n      - BatchNorm1d\nlayers: [{B: {}, repeat: 2}]",
            (6, 9),
        ),
        ("layers:\n  - Sequential:\n      - Linear: 16\n      - Linear: 3", (6, 9)),
    ],
)
def test_the_place_is_that_of_the_step(text: str, place: tuple[int, int]) -> None:
    (finding,) = findings(text)
    assert (finding.mark.line, finding.mark.column) == place


def test_findings_come_in_the_order_of_the_file() -> None:
    found = findings("layers:\n  - Linear: 3\n  - ReLU\n  - Sigmoid\n  - ReLU\nloss: NLLLoss")
    assert [(each.mark.line, each.code) for each in found] == [(7, "NN205"), (8, "NN104")]


def test_a_dict_can_be_linted_too() -> None:
    spec = {"name": "A", "input": [4], "layers": [{"Linear": 3}], "loss": "NLLLoss"}
    (finding,) = lint(follow(specs.from_node(document.of(spec), "a dict")))
    assert str(finding).startswith("<dict>: loss: NN104 ")


# The specs


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.stem)
def test_the_spec_is_clean(spec: Path) -> None:
    assert list(map(str, lint_file(spec))) == []


def test_what_the_specs_silence_has_its_reason() -> None:
    comments = [
        line for spec in SPECS for line in spec.read_text().splitlines() if "nngen:" in line
    ]
    assert comments
    assert all(re.search(r"# nngen: ignore NN\d{3}(, NN\d{3})* \S+ \S+", line) for line in comments)


# Silence

TWICE = "layers:\n  - Linear: 16{first}\n  - Linear: 3{second}\n"


@pytest.mark.parametrize(
    "comment",
    [
        " # nngen: ignore NN202",
        " # nngen: ignore NN202 one map in two: see the paper",
        " # nngen: ignore NN202, NN202: trained so",
        " #nngen:ignore NN202",
        " # of the head # nngen: ignore NN202",
    ],
)
def test_a_comment_silences_its_line(comment: str) -> None:
    assert codes(TWICE.format(first="", second=comment)) == []


def test_a_comment_on_a_line_of_its_own_is_about_the_next_step() -> None:
    above = "\n  # nngen: ignore NN202 one map in two\n\n  # of two factors"
    assert codes(TWICE.format(first=above, second="")) == []


def test_a_comment_counts_in_any_kind_of_lines() -> None:
    text = "name: Net\ndoc: 线性 两次\ninput: [8]\n" + TWICE.format(
        first="", second=" # nngen: ignore NN202 一个映射"
    )
    for each in (text, text.replace("\n", "\r\n"), "\ufeff" + text):
        assert lint(follow(specs.from_node(document.parse(each, "n"), "n")), each) == ()
    assert len(lint(follow(specs.from_node(document.parse(text, "n"), "n")))) == 1


def test_a_byte_order_mark_is_no_part_of_a_comment() -> None:
    text = "\ufeff# nngen: ignore NN202\nname: Net\ninput: [8]\nlayers: [ReLU]\n"
    (finding,) = lint(follow(specs.from_node(document.parse(text, "n"), "n")), text)
    assert (finding.code, finding.mark.line, finding.mark.column) == ("NN902", 1, 1)


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        ("", " # nngen: ignore NN201", ["NN202", "NN902"]),
        (" # nngen: ignore NN202", "", ["NN902", "NN202"]),
        ("", " # nngen: ignore NN999", ["NN202", "NN901"]),
        ("", " # nngen: ignore NN202,", ["NN202", "NN901"]),
        ("", " # nngen: ignore", ["NN202", "NN901"]),
        ("", " # nngen: ignore nn202", ["NN202", "NN901"]),
        ("", " # nngen: disable NN202", ["NN202", "NN901"]),
        ("", " # nngen: ignore NN202, NN201", ["NN902"]),
        ("", " # nngen ignores NN202", ["NN202"]),
        ("", "#nngen: ignore NN202", None),
    ],
)
def test_other_comments_do_not(first: str, second: str, found: list[str] | None) -> None:
    text = TWICE.format(first=first, second=second)
    if found is None:
        with pytest.raises(SpecError):
            codes(text)
        return
    assert codes(text) == found


@pytest.mark.parametrize(
    "doc",
    [
        "'a # nngen: ignore NN202'",
        '"a\n  # nngen: ignore NN202\n  b"',
        "|\n  # nngen: ignore NN202\n  # nngen: off",
        ">\n  a\n  # nngen: ignore NN202",
    ],
)
def test_text_is_no_comment(doc: str) -> None:
    assert codes(f"doc: {doc}\n" + TWICE.format(first="", second="")) == ["NN202"]


def test_a_slip_in_a_code_gets_a_hint() -> None:
    found = findings(TWICE.format(first="", second=" # nngen: ignore NN2020"))
    assert found[1].fix == "did you mean 'NN202'?"
    assert found[1].message == "there is no rule NN2020"


# Explanations


@pytest.mark.parametrize("code", RULES)
def test_the_example_has_this_finding_and_its_right_form_none(code: str) -> None:
    rule = RULES[code]
    for text, found in ((rule.before, {code}), (rule.after, set())):
        whole = example(text)
        spec = specs.from_node(document.parse(whole, "e.yaml"), "e.yaml")
        assert {finding.code for finding in lint(follow(spec), whole)} == found


@pytest.mark.parametrize("code", RULES)
def test_the_explanation_says_all(code: str) -> None:
    text = explanation(code)
    rule = RULES[code]
    assert text.startswith(f"{code}: {rule.title}\n\n")
    flat = " ".join(text.split())
    assert " ".join(rule.why.split()) in flat
    assert f"When to ignore it: {rule.ignore}" in flat
    assert ("# nngen: ignore" in flat) and (
        f"nngen pitfall {rule.pitfall}" in flat or not rule.pitfall
    )
    assert max(map(len, text.splitlines())) <= 100


def test_the_pitfalls_that_explanations_name_are_there() -> None:
    named = {rule.pitfall for rule in RULES.values()} - {""}
    assert named and named <= PITFALLS.keys()


def test_codes_go_by_groups() -> None:
    assert all(re.fullmatch(r"NN\d{3}", code) and code[:3] in GROUPS for code in RULES)
    assert list(RULES) == sorted(RULES)


# The command line


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(build_cache, "user_cache_dir", lambda *_, **__: str(tmp_path / "cache"))
    (tmp_path / "net.yaml").write_text(
        "name: Net\ninput: [8]\nlayers:\n  - Linear: 16\n  - Linear: 3\nloss: NLLLoss\n"
    )
    (tmp_path / "good.yaml").write_text("name: Good\ninput: [8]\nlayers:\n  - Linear: 3\n")
    (tmp_path / "bad.yaml").write_text("name: Bad\ninput: [8]\nlayers:\n  - Liner: 3\n")
    yield tmp_path


def run(
    capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0
) -> tuple[list[str], list[str]]:
    """The first word of each line that a command prints, and all lines of what it complains of."""
    assert main(arguments) == code
    output, errors = capsys.readouterr()
    return output.splitlines(), errors.splitlines()


def test_lint_tells_by_its_exit_code(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "lint", "good.yaml") == (["good.yaml: clean"], [])
    output, errors = run(capsys, "lint", "net.yaml", "good.yaml", code=1)
    assert [line[:17] for line in output] == [
        *("net.yaml:5:5: lay", "    5 |   - Linea", "      |     ^", "  fix: put an act"),
        *("net.yaml:6:7: los", "    6 | loss: NLL", "      |       ^", "  fix: put a LogS"),
        "good.yaml: clean",
    ]
    assert errors == []
    output, errors = run(capsys, "lint", "bad.yaml", "net.yaml", code=2)
    assert len(output) == 8 and "did you mean 'Linear'?" in errors[-1]
    assert run(capsys, "lint", "none.yaml", code=2)[0] == []


def test_lint_reports_what_is_selected(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def found(*options: str, code: int = 1) -> list[str]:
        output = run(capsys, "lint", "net.yaml", *options, code=code)[0]
        return re.findall(r": (NN\d+) ", "\n".join(output))

    assert found() == ["NN202", "NN104"]
    assert found("--ignore", "NN202") == found("--select", "nn1") == ["NN104"]
    assert found("--ignore", "NN1,NN201") == found("--select", "NN202") == ["NN202"]
    assert found("--ignore", "NN1", "--ignore", "NN2", code=0) == []
    assert found("--select", "NN2", "--ignore", "NN202", code=0) == []


def test_a_code_that_there_is_not(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["lint", "net.yaml", "--ignore", "NN999"])
    assert "there is no rule 'NN999'; `nngen explain` lists them" in capsys.readouterr().err
    assert run(capsys, "explain", "NN2022", code=2)[1][1] == "  hint: did you mean 'NN202'?"


def test_lint_takes_values_for_what_is_open(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "open.yaml").write_text(
        "name: A\ninputs: {x: {shape: [B, 3, 4, 4], batch: false}}\nlayers: [BatchNorm2d]\n"
    )
    run(capsys, "lint", "open.yaml")
    assert "NN304" in run(capsys, "lint", "open.yaml", "--set", "B=1", code=1)[0][0]


def test_explain_lists_all_codes_or_explains_one(capsys: pytest.CaptureFixture[str]) -> None:
    listed = run(capsys, "explain")[0]
    assert [line.split()[0] for line in listed if line.startswith("  ")] == list(RULES)
    assert run(capsys, "explain", "nn101")[0] == explanation("NN101").splitlines()


def test_build_warns_and_builds(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output, errors = run(capsys, "build", "net.yaml", "good.yaml")
    assert len(output) == 6 and all(line.endswith(": created") for line in output)
    assert [line[:13] for line in errors] == [
        *("net.yaml:5:5:", "    5 |   - L", "      |     ^", "  fix: put an"),
        *("net.yaml:6:7:", "    6 | loss:", "      |      ", "  fix: put a "),
    ]
    assert run(capsys, "lint", "net.yaml", code=1)[0] == errors


def test_a_build_with_nothing_to_do_warns_again(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    warnings = run(capsys, "build", "net.yaml")[1]
    assert run(capsys, "build", "net.yaml", "--check") == ([], warnings)
    monkeypatch.setattr("nngen.pipeline.read", None)  # it is not asked
    assert run(capsys, "build", "net.yaml") == (["generated/net: unchanged"], warnings)
    output, errors = run(capsys, "build", str(folder / "net.yaml"))
    assert output == ["generated/net: unchanged"]
    assert errors == [line.replace("net.yaml:", f"{folder}/net.yaml:") for line in warnings]


def test_a_build_with_nothing_to_do_does_not_lint(folder: Path) -> None:
    run = "import sys; from nngen.cli import main; main(['build', 'net.yaml']);"
    check = "print(sorted(m for m in sys.modules if m in ('nngen.lint', 'yaml')), file=sys.stderr)"
    environment = {"XDG_CACHE_HOME": str(folder / "cache"), "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-c", run + check]
    outputs = [
        subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stderr
        for _ in range(2)
    ]
    assert [each.splitlines()[-1] for each in outputs] == ["['nngen.lint', 'yaml']", "[]"]
    assert outputs[0].splitlines()[:-1] == outputs[1].splitlines()[:-1] != []


# Whatever the language has


def test_every_layer_of_the_catalog_can_be_linted() -> None:
    """One example of each."""
    examples = {case.entry.name: case for case in cases()}
    assert examples.keys() == LAYERS.keys()
    for case in examples.values():
        for finding in lint(follow(specs.from_node(document.of(case.spec), "a dict"))):
            assert finding.code in RULES


def test_lines_of_every_function_can_be_linted() -> None:
    """One call of each: it is taken apart, and nothing is found in it."""
    calls = dict(lines(CALLS))
    assert len(calls) > 500
    for name, call in calls.items():
        names = {node.id for node in ast.walk(ast.parse(call)) if isinstance(node, ast.Name)}
        if names - INPUTS.keys() - {"torch", "F"}:
            continue  # of what a test makes itself
        used = sorted(names & INPUTS.keys()) or ["x"]
        inputs = {
            each: {"shape": list(INPUTS[each][0]), "dtype": INPUTS[each][1], "batch": False}
            for each in used
        }
        layers = [f"out = {call}", f"rest = ({used[0]},)"]
        spec = {"name": "A", "inputs": inputs, "layers": layers, "outputs": "out, rest"}
        read = specs.from_node(document.of(spec), "a dict")
        assert lint(follow(read)) == (), name
        assert all(node.does != "line" for node in traced(follow(read)).nodes), name
