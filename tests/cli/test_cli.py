"""The command line: what each verb prints, writes, and exits with."""

from __future__ import annotations

import gc
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

import nngen
from nngen import cli
from nngen.cli import main
from nngen.files import build_cache
from nngen.proof.options import Conditions
from nngen.proof.report import Report, Row

NAMES = ("__init__.py", "functional_style.py", "nn_style.py")
SPEC = """\
name: {name}
input: [4]
layers:
  - Linear: 3
  - ReLU
  - Linear: 2
loss: CrossEntropyLoss
"""


class Shell:
    """A folder with specs in it, and `nngen` run there."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.capsys = capsys

    def __call__(self, *arguments: str, code: int = 0) -> str:
        """What a command prints to its output; it must exit with `code`."""
        found = main(arguments)
        self.output, self.errors = self.capsys.readouterr()
        assert found == code, self.output + self.errors
        return self.output

    def spec(self, name: str, text: str | None = None) -> str:
        (self.folder / name).write_text(text or SPEC.format(name=Path(name).stem.upper()))
        return name

    def files(self) -> dict[str, bytes]:
        """All files below the folder."""
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in self.folder.rglob("*")
            if path.is_file()
        }


@pytest.fixture
def shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Shell]:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(build_cache, "user_cache_dir", lambda *_, **__: str(tmp_path / "cache"))
    yield Shell(folder, capsys)


def lines(folder: str, kind: str) -> str:
    return "".join(f"{Path(folder) / name}: {kind}\n" for name in NAMES)


# build


def test_build_writes_the_package_then_has_nothing_to_do(shell: Shell) -> None:
    spec = shell.spec("net.yaml")
    assert shell("build", spec) == lines("generated/net", "created")
    built = shell.files()
    assert set(built) == {spec, *(f"generated/net/{name}" for name in NAMES)}
    assert shell("build", spec) == "generated/net: unchanged\n"
    assert shell.files() == built


def test_build_has_nothing_to_do_without_its_memory_too(shell: Shell, tmp_path: Path) -> None:
    spec = shell.spec("net.yaml")
    shell("build", spec)
    for remembered in (tmp_path / "cache" / "fresh").iterdir():
        remembered.unlink()
    assert shell("build", spec) == "generated/net: unchanged\n"


def test_build_says_what_it_updated_and_leaves_the_rest(shell: Shell) -> None:
    spec = shell.spec("net.yaml")
    shell("build", spec)
    shell.spec(spec, SPEC.format(name="NET").replace("ReLU", "Tanh"))
    updated = lines("generated/net", "updated").splitlines(keepends=True)[1:]
    assert shell("build", spec) == "".join(updated)  # __init__.py has no layer without state


@pytest.mark.parametrize("option", ["-o", "--out"])
def test_build_elsewhere(shell: Shell, option: str) -> None:
    spec = shell.spec("my-net.yaml", SPEC.format(name="Net"))
    assert shell("build", spec, option, "a/b") == lines("a/b/my_net", "created")
    assert not (shell.folder / "generated").exists()


def test_build_of_several_specs(shell: Shell) -> None:
    specs = [shell.spec("one.yaml"), shell.spec("two.yaml")]
    printed = lines("generated/one", "created") + lines("generated/two", "created")
    assert shell("build", *specs) == printed


def test_a_wrong_spec_is_an_error_and_writes_nothing(shell: Shell) -> None:
    spec = shell.spec("net.yaml", SPEC.format(name="Net").replace("ReLU", "ReLUU"))
    before = shell.files()
    assert shell("build", spec, code=2) == ""
    assert shell.errors == (
        "net.yaml:5:5: layers[1]: torch.nn has no layer 'ReLUU'\n"
        "    5 |   - ReLUU\n"
        "      |     ^\n"
        "  hint: did you mean 'ReLU'?\n"
    )
    assert shell.files() == before


def test_a_spec_that_is_not_there(shell: Shell) -> None:
    shell("build", "net.yaml", code=2)
    assert shell.errors.startswith("cannot read net.yaml: No such file or directory")
    assert shell.files() == {}


@pytest.mark.parametrize("edit", ["# mine\n", "digest"])
def test_a_file_edited_by_hand_is_refused(shell: Shell, edit: str) -> None:
    spec = shell.spec("net.yaml")
    shell("build", spec)
    file = shell.folder / "generated/net/nn_style.py"
    text = file.read_text()
    file.write_text(text + edit if edit != "digest" else text.partition("\n")[2])
    before = shell.files()
    assert shell("build", spec, code=2) == ""
    assert str(Path("generated/net/nn_style.py")) in shell.errors
    assert "--force" in shell.errors
    assert shell.files() == before

    assert shell("build", spec, "--force") == f"{Path('generated/net/nn_style.py')}: updated\n"
    assert file.read_text() == text


def test_one_edited_file_keeps_all_from_being_written(shell: Shell) -> None:
    spec = shell.spec("net.yaml")
    shell("build", spec)
    file = shell.folder / "generated/net/nn_style.py"
    file.write_text(file.read_text() + "# mine\n")
    shell.spec(spec, SPEC.format(name="Other"))
    before = shell.files()
    shell("build", spec, code=2)
    assert shell.files() == before


# build --check, build --diff


def test_check_and_diff_of_what_is_up_to_date(shell: Shell) -> None:
    spec = shell.spec("net.yaml")
    shell("build", spec)
    for options in (["--check"], ["--diff"], ["--check", "--diff"]):
        assert shell("build", spec, *options) == ""
        assert shell.errors == ""


def test_check_says_what_is_out_of_date_and_writes_nothing(shell: Shell) -> None:
    spec = shell.spec("net.yaml")
    shell("build", spec)
    shell.spec(spec, SPEC.format(name="NET").replace("Linear: 2", "Linear: 5"))
    before = shell.files()
    assert shell("build", spec, "--check", code=1) == ""
    assert shell.errors == "generated/net: out of date with net.yaml\n"
    assert shell.files() == before


@pytest.mark.parametrize(("options", "code"), [(["--diff"], 0), (["--check", "--diff"], 1)])
def test_diff_shows_the_difference_and_writes_nothing(
    options: list[str], code: int, shell: Shell
) -> None:
    spec = shell.spec("net.yaml")
    shell("build", spec)
    shell.spec(spec, SPEC.format(name="NET").replace("Linear: 2", "Linear: 5"))
    before = shell.files()
    difference = shell("build", spec, *options, code=code).splitlines()
    assert shell.files() == before
    assert [line.split("\t")[0] for line in difference if line.startswith("--- ")] == [
        "--- a/generated/net/functional_style.py",
        "--- a/generated/net/nn_style.py",
    ]
    assert "-        self.fc2 = nn.Linear(3, 2)" in difference
    assert "+        self.fc2 = nn.Linear(3, 5)" in difference
    assert ("generated/net: out of date with net.yaml" in shell.errors) == (code == 1)


def test_diff_of_what_was_never_built(shell: Shell) -> None:
    spec = shell.spec("net.yaml")
    assert "+class NET(nn.Module):" in shell("build", spec, "--diff")
    assert set(shell.files()) == {spec}
    shell("build", spec, "--check", code=1)


def test_check_sees_an_edit_by_hand(shell: Shell) -> None:
    spec = shell.spec("net.yaml")
    shell("build", spec)
    file = shell.folder / "generated/net/nn_style.py"
    file.write_text(file.read_text() + "# mine\n")
    assert "-# mine" in shell("build", spec, "--check", "--diff", code=1).splitlines()


@pytest.mark.parametrize("remembered", [True, False])
def test_a_checkout_with_crlf_is_up_to_date(shell: Shell, tmp_path: Path, remembered: bool) -> None:
    shell.spec("a.yaml")
    shell("build", "a.yaml")
    for path in shell.folder.rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    if not remembered:
        shutil.rmtree(tmp_path / "cache")
    before = shell.files()
    assert shell("build", "a.yaml", "--check", "--diff") == ""
    assert shell("build", "a.yaml") == f"{Path('generated/a')}: unchanged\n"
    assert shell.files() == before


def test_check_looks_at_all_specs(shell: Shell) -> None:
    specs = [shell.spec("one.yaml"), shell.spec("two.yaml"), shell.spec("three.yaml")]
    shell("build", specs[1])
    shell("build", *specs, "--check", code=1)
    assert "generated/one: out of date" in shell.errors
    assert "generated/two" not in shell.errors
    assert "generated/three: out of date" in shell.errors


# verify


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[dict[str, Any]]]:
    """Makes verify find that the twins of the named specs differ; what it was called with."""

    def replace(*different: str) -> list[dict[str, Any]]:
        calls: list[dict[str, Any]] = []

        def verify(spec: Path, **options: Any) -> Report:
            calls.append({"spec": spec.name, **options})
            equal = spec.name not in different
            first = "" if equal else "output: nn 1.0, functional 2.0"
            row = Row("outputs", "train, batch 4, grad", "train, grad", 8, equal, first)
            return Report("NET", (row,), (), (), (), Conditions(), "2.0")

        monkeypatch.setattr(nngen, "verify", verify)
        return calls

    return replace


def test_verify_of_equal_twins(shell: Shell) -> None:
    spec = shell.spec("net.yaml")
    printed = shell("verify", spec)
    assert printed.startswith("NET: the twins are equal, bit for bit\n")
    assert "Adam, 3 steps" in printed
    assert set(shell.files()) == {spec}  # verifying leaves nothing behind


def test_verify_with_other_batch_sizes(shell: Shell) -> None:
    shell.spec(
        "triplets.yaml", "name: T\ninput: [8]\nlayers: [Linear: 4, 'y = fc1.reshape(-1, 3, 4)']\n"
    )
    printed = shell("verify", "triplets.yaml", code=1)
    assert "both twins raise RuntimeError" in printed
    printed = shell("verify", "triplets.yaml", "--batch-sizes", "3,6")
    assert "(batch sizes: 3, 6; steps: 3;" in printed


def test_verify_of_a_difference(shell: Shell, verified: Callable[..., Any]) -> None:
    verified("net.yaml")
    printed = shell("verify", "net.yaml", code=1)
    assert printed.startswith("NET: the twins are DIFFERENT\n")
    assert "first difference: outputs, train, batch 4, grad: output: nn 1.0" in printed


def test_verify_goes_on_after_a_difference_and_shows_progress(
    shell: Shell, verified: Callable[..., Any]
) -> None:
    calls = verified("one.yaml")
    printed = shell("verify", "one.yaml", "two.yaml", code=1).splitlines()
    assert [line for line in printed if line.startswith("[")] == [
        "[1/2] one.yaml",
        "[2/2] two.yaml",
    ]
    assert [call["spec"] for call in calls] == ["one.yaml", "two.yaml"]


def test_verify_of_one_spec_shows_no_progress(shell: Shell, verified: Callable[..., Any]) -> None:
    verified()
    assert "[1/1]" not in shell("verify", "net.yaml")


def test_verify_as_json(shell: Shell, verified: Callable[..., Any]) -> None:
    verified("two.yaml")
    report = json.loads(shell("verify", "one.yaml", "two.yaml", "--json", code=1))
    assert {path: found["equal"] for path, found in report.items()} == {
        "one.yaml": True,
        "two.yaml": False,
    }
    assert report["two.yaml"]["first_difference"].endswith("output: nn 1.0, functional 2.0")


def test_verify_as_json_of_a_real_spec(shell: Shell) -> None:
    report = json.loads(shell("verify", shell.spec("net.yaml"), "--json"))["net.yaml"]
    assert report["name"] == "NET"
    assert report["equal"] is True
    assert report["values"] == sum(row["values"] for row in report["rows"]) > 0


def test_verify_takes_a_seed_and_values(shell: Shell, verified: Callable[..., Any]) -> None:
    calls = verified()
    shell("verify", "net.yaml")
    shell("verify", "net.yaml", "--seed", "7", "--set", "width=3", "--set", "bias=false")
    assert [(call["seed"], call["values"]) for call in calls] == [
        (0, {}),
        (7, {"width": 3, "bias": False}),
    ]


def test_verify_with_another_value(shell: Shell) -> None:
    text = SPEC.format(name="NET").replace("Linear: 3", "Linear: width")
    spec = shell.spec("net.yaml", f"args: {{width: required}}\n{text}")
    few, many = (
        json.loads(shell("verify", spec, "--json", "--set", f"width={width}"))[spec]["values"]
        for width in (3, 30)
    )
    assert few < many


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not bound a process's data")
def test_verify_of_a_model_that_does_not_fit(tmp_path: Path) -> None:
    (tmp_path / "huge.yaml").write_text("name: Huge\ninput: [20000]\nlayers: [Linear: 20000]\n")
    small = "lambda name: {'SC_PHYS_PAGES': 300_000, 'SC_PAGE_SIZE': 4_096}[name]"
    code = f"import os, sys; os.sysconf = {small}; from nngen.cli import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, "verify", "huge.yaml"],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 1 and not done.stderr
    assert "allocate 1600000000 bytes" in " ".join(done.stdout.split())


def test_verify_of_a_wrong_spec(shell: Shell) -> None:
    spec = shell.spec("net.yaml", SPEC.format(name="Net").replace("Linear: 2", "Linear: two"))
    assert shell("verify", spec, code=2) == ""
    assert shell.errors.startswith("net.yaml:6:13: layers[2].Linear")


# The command itself


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param([], "\nstart:\n", id="no command"),
        pytest.param(
            ["biuld", "net.yaml"],
            "there is no command 'biuld'\n  hint: did you mean 'build'?",
            id="unknown command",
        ),
        pytest.param(["build"], "required: SPEC", id="no spec"),
        pytest.param(["build", "a.yaml", "--frce"], "arguments: --frce", id="unknown option"),
        pytest.param(["verify", "a.yaml", "--seed", "x"], "invalid int value", id="no number"),
    ],
)
def test_wrong_usage(shell: Shell, arguments: list[str], expected: str) -> None:
    with pytest.raises(SystemExit) as exit:
        main(arguments)
    assert exit.value.code == 2
    assert expected in shell.capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--help"], ["build", "verify"]),
        (["build", "--help"], ["--check", "--diff", "--force", "--out", "exit codes:"]),
        (["verify", "--help"], ["--json", "--seed"]),
    ],
    ids=["nngen", "build", "verify"],
)
def test_help(shell: Shell, arguments: list[str], expected: list[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        main(arguments)
    assert exit.value.code == 0
    printed = shell.capsys.readouterr().out
    assert all(word in printed for word in expected)


def test_help_lists_each_verb_once_in_groups(shell: Shell) -> None:
    (verbs,) = (each for each in cli.parser()._actions if each.choices)
    assert verbs.choices is not None
    listed = [name for names in cli.GROUPS.values() for name in names]
    assert listed[0] == "init" and sorted(listed) == sorted(verbs.choices)
    with pytest.raises(SystemExit) as exit:
        main([])
    assert exit.value.code == 2
    assert shell.capsys.readouterr().err == cli.parser().format_help()
    for name, action in verbs.choices.items():
        assert re.search(rf"^  {name} +\w", cli.parser().format_help(), re.MULTILINE), name
        assert "COMMAND" not in action.format_help()


@pytest.mark.parametrize("module", ["nngen", "nngen.cli"])
def test_the_version(module: str) -> None:
    command = [sys.executable, "-m", module, "--version"]
    if module == "nngen.cli":
        command = [sys.executable, "-c", "from nngen.cli import main; main(['--version'])"]
    root = str(Path(nngen.__file__).parent.parent)
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": root}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, f"nngen {nngen.__version__}\n")


def test_the_console_script_runs_main(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gc, "set_threshold", lambda number: None)
    monkeypatch.setattr(cli, "main", lambda: 7)
    (script,) = entry_points(group="console_scripts", name="nngen")
    assert script.load()() == 7


def test_an_interrupt_ends_quietly(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> Report:
        raise KeyboardInterrupt

    monkeypatch.setattr(nngen, "verify", interrupted)
    shell("verify", "net.yaml", code=130)
    assert shell.errors == ""


@pytest.mark.skipif(os.name == "nt", reason="a pipe closed by its reader is another error there")
def test_a_reader_that_leaves_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(SPEC.format(name="Net"))
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from nngen.cli import main; sys.exit(main())"]
        + ["build", "net.yaml", "--diff"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(nngen.__file__).parent.parent)},
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
    assert done.returncode == 2
