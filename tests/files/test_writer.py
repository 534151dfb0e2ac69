"""Files are written whole or not at all, and never over what was edited by hand."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import black
import pytest

from nngen.errors import FileError
from nngen.files import writer
from nngen.files.writer import TEMPORARY, Change, check, edited, seal, write

REPOSITORY = Path(__file__).parents[2]
BODY = '"""A model."""\n\nimport math\n\nx = math.pi\n'
FILES = {"__init__.py": '"""Both."""\n', "nn_style.py": BODY}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "out" / "cnn"


def kinds(changes: list[Change]) -> list[str]:
    return [change.kind for change in changes]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def run(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, cwd=REPOSITORY)


def fail_from(call: int, error: BaseException, real: object = None) -> object:
    """A function that raises at its `call`-th call, and works as `real` before."""
    calls = 0

    def function(*arguments: object, **named: object) -> object:
        nonlocal calls
        calls += 1
        if calls >= call:
            raise error
        return real(*arguments, **named) if callable(real) else None

    return function


# The digest line


def test_seal_puts_one_short_line_first_and_leaves_the_body() -> None:
    header, body = seal(BODY).split("\n", 1)
    assert body == BODY
    assert header.startswith("# nngen: digest ")
    assert len(header) <= 88


def test_seal_is_the_same_every_time_and_differs_with_the_body() -> None:
    assert seal(BODY) == seal(BODY)
    assert seal(BODY).split("\n")[0] != seal(BODY + "\n").split("\n")[0]


def test_black_leaves_a_sealed_file_as_it_is() -> None:
    assert black.format_str(seal(BODY), mode=black.Mode()) == seal(BODY)


@pytest.mark.parametrize(
    ("text", "expected"),
    {
        "as written": (seal(BODY), False),
        "empty body": (seal(""), False),
        "checked out with CRLF": (seal(BODY).replace("\n", "\r\n"), False),
        "with a byte order mark": ("\ufeff" + seal(BODY), False),
        "one character changed": (seal(BODY).replace("pi", "pj"), True),
        "a line added": (seal(BODY) + "\n", True),
        "a line above the header": ("\n" + seal(BODY), True),
        "no header": (BODY, True),
        "header alone, cut off": (seal(BODY).split("\n")[0], True),
        "empty": ("", True),
    }.values(),
)
def test_edited(text: str, expected: bool) -> None:
    assert edited(text) is expected


# What is written


def test_creates_updates_and_leaves(folder: Path) -> None:
    assert kinds(write(folder, FILES)) == ["created", "created"]
    assert contents(folder) == {n: seal(b).encode() for n, b in FILES.items()}
    changed = {**FILES, "nn_style.py": BODY + "y = 1\n"}
    assert write(folder, changed) == [
        Change(folder / "__init__.py", "unchanged"),
        Change(folder / "nn_style.py", "updated"),
    ]
    assert (folder / "nn_style.py").read_text() == seal(BODY + "y = 1\n")


def test_an_unchanged_file_is_not_touched(folder: Path) -> None:
    write(folder, FILES)
    before = (folder / "nn_style.py").stat()
    assert kinds(write(folder, FILES)) == ["unchanged", "unchanged"]
    after = (folder / "nn_style.py").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_other_files_stay(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "notes.md").write_text("mine")
    (folder / "data.nngen-tmp").write_text("mine, for its name has no dot in front")
    os.utime(folder / "data.nngen-tmp", (0, 0))
    write(folder, FILES, force=True)
    assert sorted(contents(folder)) == [
        "__init__.py",
        "data.nngen-tmp",
        "nn_style.py",
        "notes.md",
    ]


def test_bytes_are_utf8_with_bare_newlines(folder: Path) -> None:
    write(folder, {"a.py": "# ü → \n"})
    data = (folder / "a.py").read_bytes()
    assert data.endswith("# ü → \n".encode())
    assert b"\r" not in data


CHECKED_OUT = {
    "with CRLF": lambda data: data.replace(b"\n", b"\r\n"),
    "with CRLF in some lines": lambda data: data.replace(b"\n", b"\r\n", 2),
    "with a byte order mark": lambda data: b"\xef\xbb\xbf" + data,
    "with both": lambda data: b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n"),
}


@pytest.mark.parametrize("form", CHECKED_OUT.values(), ids=CHECKED_OUT)
def test_what_git_or_an_editor_made_of_the_bytes_is_no_change(
    folder: Path, form: Callable[[bytes], bytes]
) -> None:
    write(folder, FILES)
    path = folder / "nn_style.py"
    there = form(path.read_bytes())
    path.write_bytes(there)
    assert check(folder, FILES) == ""
    assert kinds(write(folder, FILES)) == ["unchanged", "unchanged"]
    assert path.read_bytes() == there

    changed = {**FILES, "nn_style.py": BODY + "y = 1\n"}
    assert "+y = 1\n" in check(folder, changed)
    assert kinds(write(folder, changed)) == ["unchanged", "updated"]
    assert path.read_bytes() == seal(changed["nn_style.py"]).encode()


@pytest.mark.parametrize("form", CHECKED_OUT.values(), ids=CHECKED_OUT)
def test_an_edit_in_another_form_is_an_edit(folder: Path, form: Callable[[bytes], bytes]) -> None:
    write(folder, FILES)
    path = folder / "nn_style.py"
    path.write_bytes(form(path.read_bytes()) + b"mine = 1\n")
    with pytest.raises(FileError, match="edited by hand"):
        write(folder, FILES)


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_a_new_file_respects_umask(folder: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write(folder, FILES)
    finally:
        os.umask(before)
    assert mode(folder / "nn_style.py") == 0o666 & ~umask


def test_a_replaced_file_keeps_its_mode(folder: Path) -> None:
    write(folder, {"a.py": "x = 1\n"})
    (folder / "a.py").chmod(0o640)
    write(folder, {"a.py": "x = 2\n"})
    assert mode(folder / "a.py") == 0o640


# Edits by hand


@pytest.mark.parametrize("text", [seal(BODY) + "# mine\n", "# mine\n", "", "\xff"], ids=repr)
def test_an_edited_file_is_kept_and_nothing_is_written(folder: Path, text: str) -> None:
    folder.mkdir(parents=True)
    (folder / "nn_style.py").write_bytes(text.encode("latin-1"))
    before = contents(folder)
    with pytest.raises(FileError, match=r"nn_style\.py.*spec.*--force"):
        write(folder, FILES)
    assert contents(folder) == before


def test_every_edited_file_is_named(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name in FILES:
        (folder / name).write_text("# mine\n")
    with pytest.raises(FileError) as caught:
        write(folder, FILES)
    assert all(str(folder / name) in str(caught.value) for name in FILES)


def test_force_overwrites_an_edited_file(folder: Path) -> None:
    write(folder, FILES)
    (folder / "nn_style.py").write_text("# mine\n")
    assert kinds(write(folder, FILES, force=True)) == ["unchanged", "updated"]
    assert (folder / "nn_style.py").read_text() == seal(BODY)


def test_an_edit_that_equals_the_new_text_is_unchanged(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, FILES)
    monkeypatch.setattr(writer, "edited", lambda text: True)
    assert kinds(write(folder, FILES)) == ["unchanged", "unchanged"]


# Failures


@pytest.mark.parametrize("error", [OSError(errno.EIO, "broken"), KeyboardInterrupt()])
@pytest.mark.parametrize(("name", "call"), [("fsync", 1), ("fsync", 2), ("replace", 1)])
def test_a_failure_changes_nothing(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    call: int,
    error: BaseException,
) -> None:
    write(folder, FILES)
    before = contents(folder)
    monkeypatch.setattr(os, name, fail_from(call, error, getattr(os, name)))
    with pytest.raises((FileError, KeyboardInterrupt)):
        write(folder, {name: body + "y = 1\n" for name, body in FILES.items()})
    assert contents(folder) == before


def test_a_failed_second_rename_leaves_whole_files(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, FILES)
    error = OSError(errno.EIO, "broken")
    monkeypatch.setattr(os, "replace", fail_from(2, error, os.replace))
    with pytest.raises(FileError):
        write(folder, {name: body + "y = 1\n" for name, body in FILES.items()})
    assert (folder / "__init__.py").read_text() == seal('"""Both."""\ny = 1\n')
    assert (folder / "nn_style.py").read_text() == seal(BODY)
    assert sorted(contents(folder)) == sorted(FILES)


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (errno.EACCES, "permissions"),
        (errno.EROFS, "another folder"),
        (errno.ENOSPC, "free some space"),
        (errno.EIO, "put that right"),
    ],
    ids=errno.errorcode.get,
)
def test_an_error_says_where_why_and_what_to_do(
    folder: Path, monkeypatch: pytest.MonkeyPatch, code: int, advice: str
) -> None:
    monkeypatch.setattr(os, "fsync", fail_from(1, OSError(code, os.strerror(code))))
    with pytest.raises(FileError) as caught:
        write(folder, FILES)
    message = str(caught.value)
    assert str(folder / "__init__.py") in message
    assert os.strerror(code) in message
    assert advice in message


def test_a_read_only_folder_is_an_error(folder: Path) -> None:
    folder.mkdir(parents=True)
    folder.chmod(0o555)
    if os.access(folder, os.W_OK):
        pytest.skip("root may write everywhere")
    with pytest.raises(FileError, match="permissions"):
        write(folder, FILES)


def test_data_is_on_disk_before_the_rename(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def fsync(descriptor: int) -> None:
        assert os.fstat(descriptor).st_size == len(seal(BODY))
        calls.append("fsync")

    def replace(source: Path, target: Path) -> None:
        assert Path(source).parent == Path(target).parent
        calls.append("replace")
        os.rename(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    write(folder, {"nn_style.py": BODY})
    assert calls == ["fsync", "replace"]


@pytest.mark.parametrize("name", ["mkdir", "read_bytes"])
def test_a_folder_or_file_out_of_reach_is_an_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    if name == "read_bytes":
        write(folder, FILES)
    denied = PermissionError(errno.EACCES, "denied")
    monkeypatch.setattr(Path, name, fail_from(1, denied))
    with pytest.raises(FileError, match=r"cnn.*denied; change its permissions"):
        write(folder, FILES)


def test_a_link_planted_as_a_temporary_file_is_not_followed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "urandom", lambda size: b"\0" * size)
    monkeypatch.setattr(writer, "_remove_leftovers", lambda *_: None)  # one planted a moment later
    mine = tmp_path / "mine"
    mine.write_text("mine")
    folder.mkdir(parents=True)
    (folder / f".nn_style.py.{'00' * 6}{TEMPORARY}").symlink_to(mine)
    with pytest.raises(FileError, match="nn_style.py"):
        write(folder, FILES)
    assert mine.read_text() == "mine"


def obstruct_file(folder: Path, elsewhere: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "nn_style.py").symlink_to(elsewhere / "nn_style.py")


def obstruct_dangling(folder: Path, elsewhere: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "nn_style.py").symlink_to(elsewhere / "none.py")


def obstruct_folder(folder: Path, elsewhere: Path) -> None:
    folder.parent.mkdir(parents=True)
    folder.symlink_to(elsewhere)


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("obstruct", [obstruct_file, obstruct_dangling, obstruct_folder])
def test_a_symbolic_link_is_refused(
    folder: Path, tmp_path: Path, obstruct: object, force: bool
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "nn_style.py").write_text(seal("x = 1\n"))
    before = contents(elsewhere)
    assert callable(obstruct)
    obstruct(folder, elsewhere)
    with pytest.raises(FileError, match="symbolic link.*another folder"):
        write(folder, FILES, force)
    with pytest.raises(FileError, match="symbolic link.*another folder"):
        check(folder, FILES)
    assert contents(elsewhere) == before
    assert not (folder / "__init__.py").exists()


def test_a_link_above_the_package_is_the_users_choice(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "real")
    write(tmp_path / "out" / "cnn", FILES)
    assert sorted(contents(tmp_path / "real" / "cnn")) == sorted(FILES)


@pytest.mark.parametrize("place", ["out", "out/cnn"])
def test_a_file_in_place_of_a_folder(folder: Path, tmp_path: Path, place: str) -> None:
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).write_text("mine")
    for attempt in (write, check):
        with pytest.raises(FileError, match="a file stands where a folder should be: move it away"):
            attempt(folder, FILES)
    assert (tmp_path / place).read_text() == "mine"


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_what_is_no_plain_file_is_refused(folder: Path, make: object) -> None:
    folder.mkdir(parents=True)
    assert callable(make)
    make(folder / "nn_style.py")
    with pytest.raises(FileError, match="nn_style.py is not a plain file"):
        write(folder, FILES, force=True)
    assert not (folder / "__init__.py").exists()


# Kills and company

KILLED = """
import os, signal, sys
from pathlib import Path
from nngen.files.writer import write
os.replace = lambda *paths: os.kill(os.getpid(), signal.SIGKILL)
write(Path(sys.argv[1]), {"nn_style.py": "x = 2\\n"})
"""


def test_a_killed_build_keeps_the_file_and_is_cleaned_up_after(folder: Path) -> None:
    write(folder, {"nn_style.py": "x = 1\n"})
    assert run(KILLED, folder).wait(timeout=60) == -signal.SIGKILL
    assert (folder / "nn_style.py").read_text() == seal("x = 1\n")
    (leftover,) = folder.glob(f".nn_style.py.*{TEMPORARY}")
    write(folder, {"nn_style.py": "x = 3\n"})
    assert not leftover.exists()


def test_without_locks_a_leftover_stays_for_a_while(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_locked", lambda *_: False)
    write(folder, {"nn_style.py": "x = 1\n"})
    leftover = folder / f".nn_style.py.0{TEMPORARY}"
    leftover.touch()

    write(folder, {"nn_style.py": "x = 3\n"})
    assert leftover.exists(), "a young one may be another build's"

    old = time.time() - 2 * writer.LEFTOVER_SECONDS
    os.utime(leftover, (old, old))
    write(folder, {"nn_style.py": "x = 3\n"})
    assert not leftover.exists()


def test_a_leftover_that_cannot_be_removed_is_no_error(folder: Path) -> None:
    odd = folder / f".odd{TEMPORARY}"
    odd.mkdir(parents=True)
    os.utime(odd, (0, 0))
    write(folder, FILES)
    assert odd.is_dir()


MANY = """
import sys
from pathlib import Path
from nngen.files.writer import write
for count in range(100):
    text = f"x = {sys.argv[2]}{count}\\n" * 2000
    write(Path(sys.argv[1]), {"a.py": text, "b.py": text})
"""


@pytest.mark.heavy
def test_builds_at_once_leave_whole_files(folder: Path) -> None:
    builds = [run(MANY, folder, number) for number in (1, 2)]
    seen = 0
    while any(build.poll() is None for build in builds):
        for path in folder.glob("?.py"):
            assert not edited(path.read_text())
            seen += 1
    assert [build.returncode for build in builds] == [0, 0]
    assert seen > 0
    assert sorted(contents(folder)) == ["a.py", "b.py"]


# The diff


def test_check_is_empty_when_up_to_date(folder: Path) -> None:
    write(folder, FILES)
    assert check(folder, FILES) == ""


def test_check_writes_nothing(folder: Path) -> None:
    assert check(folder, FILES) != ""
    assert not folder.exists()


def test_check_shows_what_would_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path("generated/cnn")
    write(folder, {"a.py": "x = 1\ny = 2\n"})
    new = {"a.py": "x = 1\ny = 3\n", "b.py": "z = 4\n"}
    headers = [seal(text).split("\n")[0] for text in ("x = 1\ny = 2\n", *new.values())]
    assert check(folder, new) == (
        "--- a/generated/cnn/a.py\n"
        "+++ b/generated/cnn/a.py\n"
        "@@ -1,3 +1,3 @@\n"
        f"-{headers[0]}\n"
        f"+{headers[1]}\n"
        " x = 1\n"
        "-y = 2\n"
        "+y = 3\n"
        "--- /dev/null\n"
        "+++ b/generated/cnn/b.py\n"
        "@@ -0,0 +1,2 @@\n"
        f"+{headers[2]}\n"
        "+z = 4\n"
    )
    assert check(folder.absolute(), new) == check(folder, new)


def test_labels_outside_the_working_folder_are_relative(folder: Path) -> None:
    assert f"+++ b{(folder / 'a.py').as_posix()}\n" in check(folder, {"a.py": ""})


@pytest.mark.parametrize(
    "old",
    [
        "x = 1\ny = 2",
        "x = 1\r\ny = 2\r\n",
        "x = 1\fy\x85\u2028 = 2\n",
        "",
        None,
    ],
    ids=repr,
)
def test_git_applies_the_diff(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    folder = Path("cnn")
    folder.mkdir()
    if old is not None:
        (folder / "a.py").write_bytes(old.encode())
    patch = check(folder, {"a.py": "x = 1\f\ny = 3\n"})
    subprocess.run(["git", "apply"], input=patch.encode(), check=True)
    assert (folder / "a.py").read_bytes().decode() == seal("x = 1\f\ny = 3\n")


def test_check_prints_bytes_that_are_no_text(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "a.py").write_bytes(b"\xff\n")
    assert "-\\xff\n" in check(folder, {"a.py": "x = 1\n"})
