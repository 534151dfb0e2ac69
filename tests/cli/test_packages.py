"""What is missing is installed beside this copy of nngen; torch is imported without its word on NumPy."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

from nngen import packages

REPOSITORY = Path(__file__).parents[2]


def installed_from(monkeypatch: pytest.MonkeyPatch, folder: Path, note: str | None) -> None:
    """Have nngen stand in a folder that is no checkout, installed as pip's note says."""
    monkeypatch.setattr(packages, "__file__", str(folder / "nngen/packages.py"))
    distribution = SimpleNamespace(read_text={"direct_url.json": note}.get)
    monkeypatch.setattr(metadata, "distribution", {packages.DISTRIBUTION: distribution}.__getitem__)


def test_in_a_checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(REPOSITORY)
    assert packages.install("torch") == "pip install -e '.[torch]'"
    monkeypatch.chdir(tmp_path)
    assert packages.install("torch") == f"pip install -e '{REPOSITORY}[torch]'"


@pytest.mark.parametrize("editable", [True, False])
def test_installed_from_a_folder(
    editable: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = tmp_path / "my source"
    source.mkdir()
    note = {"url": source.as_uri(), "dir_info": {"editable": True} if editable else {}}
    installed_from(monkeypatch, tmp_path, json.dumps(note))
    option = "-e " if editable else ""
    assert packages.install("graph") == f"pip install {option}'{source}[graph]'"
    monkeypatch.chdir(source)
    assert packages.install("graph") == f"pip install {option}'.[graph]'"


@pytest.mark.parametrize(
    "note",
    [
        None,
        '{"url": "file:///gone", "dir_info": {}}',
        '{"url": "https://host/a.whl", "archive_info": {}}',
    ],
)
def test_installed_from_elsewhere(
    note: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    installed_from(monkeypatch, tmp_path, note)
    assert packages.install("watch") == "pip install 'nngen-twins[watch]'"


def test_not_installed_at_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def missing(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(packages, "__file__", str(tmp_path / "nngen/packages.py"))
    monkeypatch.setattr(metadata, "distribution", missing)
    assert packages.install("watch") == "pip install 'nngen-twins[watch]'"


def test_the_name_and_the_extras_are_the_projects() -> None:
    project = (REPOSITORY / "pyproject.toml").read_text("utf-8")
    assert f'name = "{packages.DISTRIBUTION}"' in project
    for extra in ("torch", "graph", "watch", "verify"):
        assert f"\n{extra} = [" in project
    # Without NumPy torch warns in a program that imports a built model, where nngen cannot keep it from it.
    assert re.search(r'^torch = \[.*"numpy', project, re.MULTILINE)


@pytest.mark.heavy
@pytest.mark.parametrize(
    "code",
    [
        "import nngen; assert nngen.verify(text, steps=1).equal",
        "import nngen; nngen.load(text)",
        "from nngen.teach import pitfalls; pitfalls.run(pitfalls.find('dropout-in-eval'))",
    ],
)
def test_without_numpy_nothing_is_said(code: str) -> None:
    text = "text = 'name: M\\ninput: [2]\\nlayers: [{Linear: 2}]'\n"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.modules['numpy'] = None\n{text}{code}"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
