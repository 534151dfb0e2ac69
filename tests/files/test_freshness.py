"""An unchanged build is known without building; any change makes it unknown."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nngen.files import build_cache
from nngen.files.build_cache import recall, remember

NAMES = ("__init__.py", "nn_style.py")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache of the test's own."""
    place = tmp_path / "cache"
    monkeypatch.setattr(build_cache, "user_cache_dir", lambda *_, **__: str(place))
    build_cache._tools.cache_clear()
    yield place / "fresh"
    build_cache._tools.cache_clear()


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    for name in NAMES:
        (tmp_path / "out" / name).write_text(f"# {name}\n")
    path = tmp_path / "cnn.yaml"
    path.write_text("name: CNN\n")
    return path


def is_fresh(key: str | None) -> bool:
    return recall(key) is not None


def key(spec: Path, options: str = "") -> str | None:
    return build_cache.key(spec, options, spec.parent / "out", NAMES)


def test_a_remembered_build_is_fresh(spec: Path) -> None:
    assert not is_fresh(key(spec))
    remember(key(spec))
    assert is_fresh(key(spec))


def test_what_is_noted_is_recalled(spec: Path) -> None:
    remember(key(spec), "线 1: a warning\0line 2")
    assert recall(key(spec)) == "线 1: a warning\0line 2"


def test_the_same_text_saved_again_is_fresh(spec: Path) -> None:
    remember(key(spec))
    spec.write_text(spec.read_text())
    os.utime(spec, (0, 0))
    assert is_fresh(key(spec))


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_output_that_git_checked_out_with_crlf_is_fresh(spec: Path, mark: bytes) -> None:
    remember(key(spec))
    for name in NAMES:
        path = spec.parent / "out" / name
        path.write_bytes(mark + path.read_bytes().replace(b"\n", b"\r\n"))
    assert is_fresh(key(spec))


CHANGES: dict[str, Callable[[Path], object]] = {
    "spec": lambda spec: spec.write_text("name: CNN2\n"),
    "output": lambda spec: (spec.parent / "out" / NAMES[0]).write_text("# edit\n"),
    "other output": lambda spec: (spec.parent / "out" / NAMES[1]).write_text(""),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_is_not_fresh(spec: Path, change: Callable[[Path], object]) -> None:
    remember(key(spec))
    change(spec)
    assert key(spec) is not None
    assert not is_fresh(key(spec))


def test_options_and_file_name_count(spec: Path) -> None:
    remember(key(spec))
    assert not is_fresh(key(spec, "--no-comments"))
    assert not is_fresh(key(spec.rename(spec.with_name("cnn2.yaml"))))


def test_text_cannot_move_from_one_part_to_the_next(spec: Path) -> None:
    out = spec.parent / "out"
    keys = set()
    for first, second in [(f"a{NAMES[1]}b", ""), ("a", f"b{NAMES[1]}")]:
        (out / NAMES[0]).write_text(first)
        (out / NAMES[1]).write_text(second)
        keys.add(key(spec))
    assert len(keys) == 2


@pytest.mark.parametrize("name", ["cnn.yaml", "out/__init__.py", "out/nn_style.py"])
def test_no_key_where_a_file_is_missing(spec: Path, name: str) -> None:
    (spec.parent / name).unlink()
    assert key(spec) is None
    remember(None)
    assert not is_fresh(None)


def test_what_was_built_counts_not_what_was_saved_meanwhile(spec: Path) -> None:
    out = spec.parent / "out"
    source = spec.read_bytes()
    files = {name: (out / name).read_text() for name in NAMES}
    built = key(spec)
    spec.write_text("name: Saved\n")
    (out / NAMES[0]).write_text("# saved\n")
    given = build_cache.key(spec, "", out, NAMES, source=source, files=files)
    assert given == built != key(spec)


# Tools


def touch(path: Path) -> None:
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for nngen, its templates and its dependencies."""
    home = tmp_path / "home"
    for name in (
        "nngen/files/build_cache.py",
        "nngen/catalog/layers/conv.py",
        "templates/nn.jinja",
    ):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("")
    for name in build_cache.DEPENDENCIES:
        (home / name).mkdir()
        (home / name / "__init__.py").write_text("raise AssertionError('imported')")
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(home)
    monkeypatch.setattr(build_cache, "__file__", str(home / "nngen/files/build_cache.py"))
    return home


TOOLS = [
    "nngen/files/build_cache.py",
    "nngen/catalog/layers/conv.py",
    "templates/nn.jinja",
    "black/__init__.py",
    "jinja2",
    "yaml/__init__.py",
]


@pytest.mark.parametrize("name", TOOLS)
def test_a_changed_tool_is_not_fresh(copy: Path, spec: Path, name: str) -> None:
    remember(key(spec))
    build_cache._tools.cache_clear()
    assert is_fresh(key(spec))
    touch(copy / name)
    build_cache._tools.cache_clear()
    assert not is_fresh(key(spec))


def test_a_tool_of_another_size_is_not_fresh(copy: Path, spec: Path) -> None:
    remember(key(spec))
    path = copy / "nngen" / "files" / "build_cache.py"
    time = path.stat().st_mtime_ns
    path.write_text("x = 1")
    os.utime(path, ns=(time, time))
    build_cache._tools.cache_clear()
    assert not is_fresh(key(spec))


@pytest.mark.parametrize("name", ["nngen/lstm.py", "templates/new.jinja"])
def test_a_new_tool_is_not_fresh(copy: Path, spec: Path, name: str) -> None:
    remember(key(spec))
    (copy / name).write_text("")
    build_cache._tools.cache_clear()
    assert not is_fresh(key(spec))


def test_templates_inside_a_wheel_count(copy: Path, spec: Path) -> None:
    (copy / "templates").rename(copy / "nngen" / "templates")
    remember(key(spec))
    touch(copy / "nngen" / "templates" / "nn.jinja")
    build_cache._tools.cache_clear()
    assert not is_fresh(key(spec))


def test_another_python_is_not_fresh(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remember(key(spec))
    monkeypatch.setattr(sys, "version", "4.0")
    build_cache._tools.cache_clear()
    assert not is_fresh(key(spec))


def test_byte_code_and_hidden_files_do_not_count(copy: Path, spec: Path) -> None:
    remember(key(spec))
    (copy / "nngen" / "__pycache__").mkdir()
    (copy / "nngen" / "__pycache__" / "spec.cpython-311.pyc").write_text("")
    (copy / "templates" / ".nn.jinja.swp").write_text("")
    build_cache._tools.cache_clear()
    assert is_fresh(key(spec))


def test_a_tool_that_vanishes_meanwhile_is_no_error(
    spec: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_cache, "_own_files", lambda: ["/nowhere/spec.py"])
    assert key(spec) is None


def test_a_tool_saved_during_the_build_is_seen_by_the_next(copy: Path, spec: Path) -> None:
    key(spec)
    touch(copy / "nngen" / "files" / "build_cache.py")
    remember(key(spec))
    build_cache._tools.cache_clear()
    assert not is_fresh(key(spec))


# The cache folder


def test_the_default_place_is_the_users_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import platformdirs

    monkeypatch.setattr(build_cache, "user_cache_dir", platformdirs.user_cache_dir)
    assert "nngen" in build_cache._folder().parts
    if sys.platform == "linux":
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "mine"))
        assert build_cache._folder() == tmp_path / "mine" / "nngen" / "fresh"


def test_a_cache_that_cannot_be_written_is_no_error(spec: Path, cache: Path) -> None:
    cache.parent.write_text("a file")
    remember(key(spec))
    assert not is_fresh(key(spec))


def test_without_a_home_nothing_is_left_in_the_working_folder(
    spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_cache, "user_cache_dir", lambda *_, **__: "~/.cache")
    monkeypatch.chdir(tmp_path)
    remember(key(spec))
    assert not (tmp_path / "~").exists()


def test_the_oldest_are_forgotten(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_cache, "MOST_ENTRIES", 3)
    for age, name in enumerate("abcd"):
        remember(name)
        os.utime(cache / name, (age, age))
    remember("e")
    assert sorted(path.name for path in cache.iterdir()) == ["c", "d", "e"]


def test_at_most_a_thousand_are_kept() -> None:
    assert build_cache.MOST_ENTRIES == 1000


def test_a_key_imports_nothing_heavy(spec: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from nngen.files import build_cache;"
        f"assert build_cache.key(Path({str(spec)!r}), '', Path({str(spec.parent)!r}), ());"
        "print(sorted({'black', 'jinja2', 'yaml', 'torch'} & set(sys.modules)))"
    )
    home = Path(__file__).parents[2]
    output = subprocess.check_output([sys.executable, "-c", code], cwd=home, text=True)
    assert output == "[]\n"
