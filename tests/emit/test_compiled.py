"""Compiled templates are kept, and never used where they could be others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from jinja2 import DictLoader, Environment

from nngen.emit.template_cache import Compiled, compiled

# What an unchanged build, and help, must not wait for.
HEAVY = {"black", "jinja2", "yaml", "torch", "rich", "subprocess", "importlib.resources"}


class Counting(Environment):
    """Counts what it compiles."""

    compiles = 0

    def _generate(self, *arguments: object, **options: object) -> str:
        self.compiles += 1
        return super()._generate(*arguments, **options)  # type: ignore[arg-type]


def compiles(
    folder: Path, maker: Path, text: str = "{{ x }} of ten", expect: str = "1 of ten"
) -> int:
    """How often a fresh environment compiles."""
    environment = Counting(
        loader=DictLoader({"a.j2": text}), bytecode_cache=Compiled(folder, [str(maker)])
    )
    assert environment.get_template("a.j2").render(x=1) == expect
    return environment.compiles


@pytest.fixture
def maker(tmp_path: Path) -> Path:
    path = tmp_path / "render.py"
    path.write_text("one")
    return path


def test_a_template_is_compiled_once(tmp_path: Path, maker: Path) -> None:
    folder = tmp_path / "cache" / "templates"
    assert compiles(folder, maker) == 1
    assert compiles(folder, maker) == 0


def test_another_text_or_maker_compiles_again_in_place(tmp_path: Path, maker: Path) -> None:
    folder = tmp_path / "templates"
    assert compiles(folder, maker) == 1
    assert compiles(folder, maker, "{{ x }}", "1") == 1
    assert compiles(folder, maker, "{{ x }}", "1") == 0
    maker.write_text("another")
    assert compiles(folder, maker, "{{ x }}", "1") == 1
    assert len([*folder.iterdir()]) == 1


@pytest.mark.parametrize("damage", [b"", b"j2", b"nonsense"])
@pytest.mark.parametrize("kept", [0, 20, 40, 100])
def test_a_damaged_file_is_compiled_again(
    tmp_path: Path, maker: Path, kept: int, damage: bytes
) -> None:
    compiles(tmp_path / "templates", maker)
    (path,) = (tmp_path / "templates").iterdir()
    path.write_bytes(path.read_bytes()[:kept] + damage)
    assert compiles(tmp_path / "templates", maker) == 1
    assert compiles(tmp_path / "templates", maker) == 0


def test_no_folder_is_needed(tmp_path: Path, maker: Path) -> None:
    (tmp_path / "file").write_text("")
    assert compiles(tmp_path / "file" / "templates", maker) == 1
    assert compiles(tmp_path / "file" / "templates", maker) == 1


def test_without_a_home_nothing_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(
        "nngen.emit.template_cache.user_cache_dir", lambda *_, **__: "~/.cache/nngen"
    )
    assert compiled(__file__) is None
    monkeypatch.setattr("nngen.emit.template_cache.user_cache_dir", lambda *_, **__: str(tmp_path))
    kept = compiled(__file__)
    assert kept is not None and kept.directory == str(tmp_path / "templates")


def test_the_command_line_starts_light() -> None:
    code = "import sys, argparse; import nngen.cli; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & {*done.stdout.split()}
