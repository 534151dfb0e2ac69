"""What helps to begin and to go on: a first spec, building on change, a shell that completes."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

import nngen
from nngen import lint
from nngen.cli import main
from nngen.graph import follow
from nngen.language import spec as specs
from nngen.packages import install

NNGEN = [sys.executable, "-m", "nngen"]


@pytest.mark.parametrize(
    ("file", "name"),
    [("model.yaml", "Model"), ("tiny-net.yaml", "TinyNet"), ("网.yaml", "Model")],
)
def test_the_first_spec_builds_is_clean_and_equal(
    file: str,
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init", file]) == 0
    told = capsys.readouterr().out.splitlines()
    text = Path(file).read_text()
    assert told[0] == f"{file}: written; now run" and len(told) == 4
    for verb, line in zip(("build", "verify", "diff"), told[1:], strict=True):
        assert line.startswith(f"  nngen {verb} ") and f"# {line}\n" in text
    assert "{" not in text.split("name:")[0]
    spec = specs.read(Path(file))
    assert spec.model.name == name and lint.lint(follow(spec)) == ()
    if name == "Model" and file == "model.yaml":
        assert nngen.verify(file).equal


def test_its_comments_are_commands_that_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init", "my-net.yaml"]) == 0
    lines = [
        line
        for line in Path("my-net.yaml").read_text().splitlines()
        if line.startswith("#   nngen")
    ]
    assert len(lines) == 3
    assert "(generated/my_net/)" in lines[0]
    for line in lines:
        assert "my-net.yaml" in line
    assert main(["build", "my-net.yaml"]) == 0
    assert (tmp_path / "generated/my_net/nn_style.py").exists()


def test_a_file_that_is_there_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("model.yaml").write_text("mine")
    assert main(["init"]) == 2
    assert "model.yaml is there already" in capsys.readouterr().err
    assert Path("model.yaml").read_text() == "mine"
    assert main(["init", "1.yaml"]) == 2
    assert "'1' cannot be the name of a Python package" in capsys.readouterr().err
    assert main(["init", "missing/model.yaml"]) == 2
    assert "cannot write missing/model.yaml: No such file or directory" in capsys.readouterr().err


def until(found: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    for _ in range(600):
        if found():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen in 30 seconds")


def listening() -> None:
    """A shell's background jobs ignore SIGINT, and so would what they start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_watch_builds_again_when_the_spec_changes_and_outlives_errors(tmp_path: Path) -> None:
    spec, twin, log = tmp_path / "m.yaml", tmp_path / "out/m/nn_style.py", tmp_path / "log"
    spec.write_text("name: M\ninput: [3]\nlayers: [Linear: 4]\n")
    with log.open("w") as output:
        command = [*NNGEN, "watch", "m.yaml", "-o", "out"]
        process = subprocess.Popen(
            command,
            cwd=tmp_path,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=listening,  # noqa: PLW1509  this process has one thread
        )
    try:
        until(lambda: "watching" in log.read_text())
        assert "nn.Linear(3, 4)" in twin.read_text()
        time.sleep(0.3)  # it says so just before it listens
        spec.write_text("name: M\ninput: [3]\nlayers: [Linaer: 5]\n")
        until(lambda: "did you mean 'Linear'?" in log.read_text())
        # As editors do: a new file takes the old one's place.
        new = tmp_path / "new.yaml"
        new.write_text("name: M\ninput: [3]\nlayers: [Linear: 6]\n")
        new.replace(spec)
        until(lambda: "nn_style.py: updated" in log.read_text())  # the build is over
        assert "nn.Linear(3, 6)" in twin.read_text()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert "Traceback" not in log.read_text()
    finally:
        process.kill()
        process.wait()


def test_watch_verifies_and_writes_pages_if_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    spec = Path("m.yaml")
    spec.write_text("name: M\ninput: [3]\nlayers: [Linear: 4]\n")

    def watch(*_: object, **__: object) -> Iterator[set[tuple[int, str]]]:
        for text in ("layers: [Linaer: 5]", "layers: [Linear: 6]"):
            spec.write_text(f"name: M\ninput: [3]\n{text}\n")
            yield {(1, str(spec.resolve()))}

    monkeypatch.setitem(sys.modules, "watchfiles", SimpleNamespace(watch=watch))
    assert main(["watch", "m.yaml", "--verify", "--lesson", "site"]) == 0
    told = capsys.readouterr()
    assert told.out.count("M: the twins are equal, bit for bit") == 2
    assert told.out.count("site/index.html: written") == 2
    assert told.err.count("did you mean 'Linear'?") == 1
    assert "Linear: 6" in re.sub(r"<[^>]+>", "", Path("site/m.html").read_text())


def test_a_shell_completes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "bash"]) == 0
    (tmp_path / "complete.bash").write_text(capsys.readouterr().out)
    (tmp_path / "a.yaml").touch()

    def completed(*words: str) -> list[str]:
        quoted = " ".join(f"'{word}'" for word in words)
        script = (
            f"source complete.bash; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; "
            'COMP_LINE="${COMP_WORDS[*]}"; COMP_POINT=${#COMP_LINE}; _shtab_nngen; echo "${COMPREPLY[@]}"'
        )
        run = subprocess.run(
            ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return run.stdout.split()

    assert completed("nngen", "ver") == ["verify"]
    assert "--check" in completed("nngen", "build", "--")
    assert completed("nngen", "build", "a") == ["a.yaml"]


@pytest.mark.parametrize("shell", ["zsh", "tcsh"])
def test_other_shells_have_a_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert "verify" in capsys.readouterr().out


def test_what_is_missing_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    assert main(["watch", "m.yaml"]) == 2
    assert capsys.readouterr().err == f"watch needs watchfiles: {install('watch')}\n"
