"""`nngen verify --certificate`: what is in it, that it comes out the same, and that nothing is lost for it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import nngen
from nngen.cli import main
from nngen.proof import certificate
from nngen.proof.options import Conditions
from nngen.proof.report import Finding, FusedRow, Report, Row, Skip

SPEC = """
name: Net
args: {width: required}
check: {width: 3, T: 5}
input: [T, 5]
layers: [{Linear: width}]
"""
ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs/certificate.md").read_text()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.yaml").write_text(SPEC)
    return tmp_path


def run(*arguments: str) -> int:
    """The exit code, usage errors included."""
    try:
        return main(["verify", *arguments])
    except SystemExit as exit:
        assert isinstance(exit.code, int)
        return exit.code


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def test_the_same_command_writes_the_same_bytes(folder: Path) -> None:
    first, again = folder / "first.json", folder / "again.json"
    for path in (first, again, first):
        assert run("net.yaml", "--steps", "1", "--certificate", str(path)) == 0
    assert first.read_bytes() == again.read_bytes()
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]
    assert run("net.yaml", "--steps", "1", "--seed", "3", "--certificate", str(again)) == 0
    one, other = read(first), read(again)
    assert one.pop("conditions").pop("seed") == 0 and other.pop("conditions").pop("seed") == 3
    assert one == other


def test_what_is_in_it(folder: Path) -> None:
    path = folder / "made" / "all.json"
    command = ["net.yaml", "--set", "width=4", "--steps", "2", "--threads", "2"]
    assert run(*command, "--autocast", "bfloat16", "--certificate", str(path)) == 0
    found = read(path)
    assert (found["format"], found["version"]) == ("nngen certificate", 1)
    assert found["verdict"] == "equal"
    assert found["versions"]["nngen"] == nngen.__version__
    assert found["versions"]["torch"] == torch.__version__
    assert found["platform"]["device"].startswith("cpu, ")
    assert found["conditions"]["autocast"] == "bfloat16"
    assert (found["conditions"]["steps"], found["conditions"]["threads"]) == (2, 2)
    (model,) = found["models"]
    assert model["spec"] == "net.yaml" and model["name"] == "Net"
    assert model["sha256"] == hashlib.sha256(SPEC.encode()).hexdigest()
    assert model["arguments"] == {"width": 4} and model["sizes"]["T"] == 5
    assert model["values"] == sum(sum(check["values"].values()) for check in model["checks"])
    assert {check["verdict"] for check in model["checks"]} == {"equal"}
    weights = next(check for check in model["checks"] if check["check"] == "deepcopy")["values"]
    assert weights["weights"] == 4 * 5 + 4


def report(*rows: Row, **more: Any) -> Report:
    return Report("Net", rows, (), (), (), Conditions(), "2.0", **more)


def test_every_verdict(folder: Path) -> None:
    equal = Row("outputs", "train, batch 4", "train", 8, True)
    apart = Row("outputs", "eval, batch 4", "eval", 8, False, "output[0]: nn 1, functional 2")
    finding = Finding("eval", "both", "RuntimeError", "no")
    raised = Row("exception", "eval", "eval", 0, False, str(finding))
    spec, other, missing = Path("net.yaml"), Path("a/b.yaml"), Path("none.yaml")
    results: dict[Path, Report | str] = {
        spec: report(equal, apart),
        other: report(equal, raised, skipped=(Skip("torch.export", "it depends"),)),
        missing: "none.yaml cannot be read",
    }
    certificate.write(folder / "c.json", results, Conditions(), "1.0")
    found = read(folder / "c.json")
    assert found["verdict"] == "error"
    assert [model["verdict"] for model in found["models"]] == ["different", "not shown", "error"]
    different, unknown, error = found["models"]
    assert different["first_difference"].endswith("output[0]: nn 1, functional 2")
    assert different["checks"][1]["verdict"] == "different"
    assert "first_difference" in different["checks"][1]
    assert "first_difference" not in different["checks"][0]
    assert [check["verdict"] for check in unknown["checks"]] == [
        "equal",
        "raises",
        "not applicable",
    ]
    assert unknown["checks"][2] == {
        "check": "torch.export",
        "verdict": "not applicable",
        "reason": "it depends",
    }
    assert error == {
        "spec": "none.yaml",
        "sha256": None,
        "verdict": "error",
        "error": "none.yaml cannot be read",
    }


def test_a_spec_with_an_error_does_not_hide_the_others(folder: Path) -> None:
    (folder / "wrong.yaml").write_text(SPEC.replace("Linear", "Linaer"))
    assert run("net.yaml", "wrong.yaml", "--steps", "1", "--certificate", "c.json") == 2
    assert [model["verdict"] for model in read(folder / "c.json")["models"]] == ["equal", "error"]


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("net.yaml", "net.yaml is not a certificate and is not overwritten; choose another name"),
        ("list.json", "list.json is not a certificate and is not overwritten; choose another name"),
        ("sub", "sub is a folder; --certificate takes the name of a file"),
    ],
)
def test_nothing_else_is_overwritten(
    folder: Path, place: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "list.json").write_text("[]")
    (folder / "sub").mkdir()
    assert run("net.yaml", "--certificate", place) == 2
    printed = capsys.readouterr()
    assert printed.err == f"{message}\n" and not printed.out
    assert (folder / "net.yaml").read_text() == SPEC


def test_the_document_has_every_key(folder: Path) -> None:
    described = set(
        re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\| `.*? \|", DOCUMENT, re.MULTILINE)))
    )
    apart = Row("outputs", "eval", "eval", 8, False, "output")
    skip = Skip("torch.export", "it depends")
    fused = FusedRow("eval", ("MultiheadAttention",), 8, 6e-8)
    results: dict[Path, Report | str] = {
        Path("net.yaml"): report(apart, skipped=(skip,), fused=(fused,)),
        Path("none.yaml"): "no",
    }
    certificate.write(folder / "c.json", results, Conditions(everything=True), "1.0")
    found = read(folder / "c.json")
    models = found["models"]
    checks = models[0]["checks"]
    assert {*found, *models[0], *models[1]}.union(*checks) == described
    for key in (*found["conditions"], *found["platform"]):
        assert f"`{key}`" in DOCUMENT


def test_the_commands_print_what_is_shown(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "specs", tmp_path / "specs")
    (shown,) = re.findall(r"^```console\n(.*?)^```$", DOCUMENT, re.DOTALL | re.MULTILINE)
    command = "\n".join(line[2:] for line in shown.splitlines() if line.startswith("$ "))
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    printed = subprocess.run(
        ["bash", "-c", command],
        cwd=tmp_path,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed == shown.splitlines(keepends=True)[-1]


USAGE = {
    "steps": (["--steps", "0"], "'0' is not a whole number of at least 1"),
    "seeds": (["--seeds", "none"], "'none' is not a whole number of at least 1"),
    "threads": (["--threads", "-1"], "not a whole number of at least 1"),
    "dtype": (["--dtype", "int8"], "'int8' is not one of float16, bfloat16, float32, float64"),
    "autocast": (["--autocast", "float64"], "'float64' is not one of float16, bfloat16"),
    "device": (["--device", "gpu"], "device 'gpu' is unknown to torch"),
    "no such device": (["--device", "xpu"], "device 'xpu' cannot be used here: "),
}


@pytest.mark.parametrize("case", USAGE)
def test_wrong_usage(folder: Path, case: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, message = USAGE[case]
    assert run("net.yaml", *arguments) == 2
    printed = capsys.readouterr()
    assert message in printed.err and "Traceback" not in printed.err and not printed.out


def test_all_of_it_from_the_command_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[dict[str, Any]] = []

    def verify(spec: Path, **given: Any) -> Report:
        calls.append(given)
        return report(Row("outputs", "train", "train", 8, True))

    monkeypatch.setattr(nngen, "verify", verify)
    assert run("net.yaml") == 0
    more = ["--device", "cuda", "--dtype", "float64", "--autocast", "float16", "--threads", "2"]
    more += ["--seed", "4", "--seeds", "2", "--steps", "5", "--compile", "--exports", "--all"]
    assert run("net.yaml", *more) == 0
    assert Conditions(**{k: v for k, v in calls[0].items() if k != "values"}) == Conditions()
    assert calls[1] == {
        "values": {},
        "device": "cuda",
        "dtype": "float64",
        "autocast": "float16",
        "threads": 2,
        "seed": 4,
        "seeds": 2,
        "steps": 5,
        "compile": True,
        "exports": True,
        "everything": True,
    }
