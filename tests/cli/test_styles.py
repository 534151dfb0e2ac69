"""Which styles are written: `styles` in a spec, `--styles` for one run; and what becomes of the others' files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from nngen import load, verify
from nngen.cli import main
from nngen.emit.styles import STYLES
from nngen.files import build_cache
from nngen.language.styles import FILES, TWINS
from nngen.pipeline import read

SPEC = """\
name: Net
input: [3, 5]
blocks:
  Half:  # in the functional style nothing of it needs the size of its input
    layers: [{InstanceNorm1d: {}}]
layers: [{Conv1d: {out_channels: 4, kernel_size: 1}}, ReLU, Half]
"""
KEY_TABLE = ("_NAMES", "to_functional", "to_nn")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a spec; what nngen remembers lies elsewhere."""
    monkeypatch.setattr(build_cache, "user_cache_dir", lambda *_, **__: str(tmp_path / "cache"))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    say()
    return work


def say(styles: str = "") -> None:
    Path("net.yaml").write_text(SPEC + (f"styles: {styles}\n" if styles else ""))


def built(*arguments: str) -> dict[str, str]:
    """What a build leaves, and leaves again."""
    assert main(["build", "net.yaml", *arguments]) == 0
    first = texts()
    assert main(["build", "net.yaml", *arguments]) == 0
    assert main(["build", "net.yaml", "--check", *arguments]) == 0
    assert texts() == first
    return first


def texts() -> dict[str, str]:
    return {path.name: path.read_text() for path in Path("generated/net").iterdir()}


def test_the_names_are_those_of_the_styles_that_there_are() -> None:
    assert {style.form.style: style.form.file for style in STYLES} == FILES
    assert tuple(FILES)[:2] == TWINS


def test_by_default_the_twins_are_written() -> None:
    plain = built()
    assert set(plain) == {"__init__.py", *(FILES[name] for name in TWINS)}
    for order in ("[nn, functional]", "[functional, nn]"):
        say(order)
        assert built() == plain


@pytest.mark.parametrize("name", TWINS)
def test_one_style_alone_is_the_file_that_was_proved(name: str) -> None:
    twins = built()
    say(f"[{name}]")
    alone = built()
    assert set(alone) == {"__init__.py", FILES[name]}
    assert alone[FILES[name]] == twins[FILES[name]]
    assert f'"""Net in {name} style.\n' in alone["__init__.py"]
    assert not any(word in alone["__init__.py"] for word in KEY_TABLE)


@pytest.mark.parametrize("name", TWINS)
def test_its_package_imports_what_is_there(name: str) -> None:
    built("--styles", name)
    module = FILES[name].removesuffix(".py")
    program = f"import generated.net as n; print(n.__all__, n.{module}.Net())"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(f"['{module}'] Net(")


def test_for_one_run(capsys: pytest.CaptureFixture[str]) -> None:
    twins = built()
    capsys.readouterr()
    assert main(["build", "net.yaml", "--styles", "functional"]) == 0
    assert capsys.readouterr().out == (
        "generated/net/__init__.py: updated\ngenerated/net/nn_style.py: removed\n"
    )
    assert main(["build", "net.yaml", "--check"]) == 1
    assert built() == twins
    say("[nn]")
    assert built("--styles", "functional, nn") == twins


def test_what_a_build_would_remove_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    built()
    before = texts()
    say("[functional]")
    capsys.readouterr()
    assert main(["build", "net.yaml", "--check", "--diff"]) == 1
    told = capsys.readouterr().out
    assert "--- a/generated/net/nn_style.py\n+++ /dev/null\n" in told
    assert "functional_style.py\n" not in told.replace("from . import", "")
    assert texts() == before


def test_nothing_that_a_user_wrote_is_lost() -> None:
    built()
    mine = Path("generated/net/nn_style.py")
    edited = mine.read_text() + "\n# mine\n"
    for text in (edited, "x = 1\n"):
        mine.write_text(text)
        assert built("--styles", "functional")[mine.name] == text
        assert built("--styles", "functional", "--force")[mine.name] == text


def test_a_link_in_the_place_of_a_file_is_left(tmp_path: Path) -> None:
    built()
    link, target = Path("generated/net/nn_style.py"), tmp_path / "theirs.py"
    link.rename(target)
    link.symlink_to(target)
    assert main(["build", "net.yaml", "--styles", "functional"]) == 0
    assert link.is_symlink() and target.exists()


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("nn,functionl", "there is no style 'functionl'; did you mean 'functional'?"),
        ("nn,nn", "the style 'nn' is named twice; leave one of them out"),
        ("", f"there is no style ''; known here: {', '.join(FILES)}"),
    ],
)
def test_wrong_names(names: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["build", "net.yaml", f"--styles={names}"])
    assert ended.value.code == 2
    assert f"argument --styles: {message}\n" in capsys.readouterr().err
    assert not Path("generated").exists()


def test_the_order_is_kept() -> None:
    say("[functional, nn]")
    assert read(Path("net.yaml")).spec.styles == ("functional", "nn")


@pytest.mark.parametrize("names", ["[nn]", "[functional]", "[functional, nn]"])
def test_what_needs_both_has_both(names: str, capsys: pytest.CaptureFixture[str]) -> None:
    say(names)
    assert verify("net.yaml", steps=1, batch_sizes=[2]).equal
    pair = load("net.yaml")
    model, twin = pair.nn_style.Net(), pair.functional_style.Net()
    twin.load_state_dict(pair.to_functional(model.state_dict()))
    assert main(["diff", "net.yaml", "--unified"]) == 0
    assert "\n+++ " in capsys.readouterr().out
    assert main(["lesson", "net.yaml", "--no-verify"]) == 0
    page = Path("site/net.html").read_text()
    assert all(FILES[name] in page for name in TWINS)


def test_watch_builds_them(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = SimpleNamespace(watch=lambda *_, **__: iter(()))
    monkeypatch.setitem(sys.modules, "watchfiles", nothing)
    assert main(["watch", "net.yaml", "--styles", "functional"]) == 0
    assert set(texts()) == {"__init__.py", FILES["functional"]}
