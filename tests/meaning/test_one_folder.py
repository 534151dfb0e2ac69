"""Two specs that would be written to one folder are refused before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from nngen.cli import main
from nngen.files import build_cache

HINT = "  hint: rename one of them, or write them to two folders, with -o\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    for number, name in enumerate(
        ("a/net.yaml", "b/net.yaml", "Net.yaml", "m.v1.yaml", "m.v2.yaml")
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"name: A\ninput: [4]\nlayers: [{{Linear: {number + 2}}}]\n")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(build_cache, "user_cache_dir", lambda *_, **__: str(tmp_path / "cache"))
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "verb",
    ["build", "build --check", "build --diff", "build --force", "watch", "lesson --no-verify"],
)
@pytest.mark.parametrize(
    ("specs", "both"),
    [
        ("a/net.yaml b/net.yaml", "a/net.yaml and b/net.yaml would both be written as net"),
        ("m.v1.yaml a/net.yaml m.v2.yaml", "m.v1.yaml and m.v2.yaml would both be written as m"),
        (
            "a/net.yaml Net.yaml",
            "a/net.yaml and Net.yaml would both be written as Net where upper and lower case are the same",
        ),
    ],
)
def test_two_specs_of_one_folder(
    project: Path, capsys: pytest.CaptureFixture[str], verb: str, specs: str, both: str
) -> None:
    assert main(["build", "a/net.yaml", "m.v1.yaml"]) == 0
    before = files(project)
    capsys.readouterr()
    assert main([*verb.split(), *specs.split()]) == 2
    assert capsys.readouterr().err == f"{both}, one over the other\n{HINT}"
    assert files(project) == before


def test_one_file_named_twice_is_built_once(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "linked.yaml").symlink_to("a/net.yaml")
    given = ["a/net.yaml", "b/../a/net.yaml", str(project / "a/net.yaml"), "linked.yaml"]
    assert main(["build", *given]) == 0
    created = [line.split("/")[1] for line in capsys.readouterr().out.splitlines()]
    assert created == ["net"] * 3 + ["linked"] * 3


def test_a_file_that_is_not_there_is_not_passed_over(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", "a/net.yaml", "c/net.yaml"]) == 2
    assert "a/net.yaml and c/net.yaml would both be written as net" in capsys.readouterr().err
