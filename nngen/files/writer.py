"""Text -> files: whole or not at all, and never over what was edited by hand."""

from __future__ import annotations

import difflib
import errno
import hashlib
import os
import re
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nngen.errors import FileError
from nngen.files import regular_file

try:
    import fcntl
except ImportError:  # Windows
    pass

HEADER = re.compile(r"# nngen: digest ([0-9a-f]{16}) .*\n")
TEMPORARY = ".nngen-tmp"
LEFTOVER_SECONDS = 60  # where there are no locks, a younger file may be another build's
LOCK_SECONDS = 10

MOVE_AWAY = "move it away, or choose another folder with -o"
PERMIT = "change its permissions, or choose another folder with -o"
ADVICE = {
    errno.EACCES: PERMIT,
    errno.EEXIST: MOVE_AWAY,
    errno.EISDIR: MOVE_AWAY,
    errno.ENOSPC: "free some space, then build again",
    errno.ENOTDIR: f"a file stands where a folder should be: {MOVE_AWAY}",
    errno.EPERM: PERMIT,
    errno.EROFS: "choose another folder with -o",
}


@dataclass(frozen=True, slots=True)
class Change:
    """What a build did to one file."""

    path: Path
    kind: Literal["created", "updated", "unchanged", "removed"]


def seal(body: str) -> str:
    """The text of a file: `body` below the line that carries its digest."""
    return (
        f"# nngen: digest {_digest(body)} of the text below; "
        f"an edited file is not overwritten.\n{body}"
    )


def edited(text: str) -> bool:
    """Whether `text` is not as nngen wrote it: its digest differs or is missing."""
    text = regular_file.as_written(text.encode()).decode()
    header = HEADER.match(text)
    return header is None or header[1] != _digest(text[header.end() :])


def write(
    folder: Path, files: Mapping[str, str], force: bool = False, dropped: Iterable[str] = ()
) -> list[Change]:
    """Writes the sealed `files` (name -> body) into `folder`, only where they change.

    Other files in the folder are left alone. Those that are `dropped` are removed, if they are as nngen wrote them.

    Raises:
        FileError: a file was edited by hand (unless `force`), is a symbolic link or
            cannot be written. Unless a rename fails, nothing has changed then.
    """
    new = _sealed(folder, files)
    if _stale(folder, new, force)[1]:
        _make(folder)
    with _alone(folder) as alone:
        old, stale = _stale(folder, new, force)
        _remove_leftovers(folder, 0 if alone else LEFTOVER_SECONDS)
        _replace(stale, None if force else old)
        removed = list(_own(folder, dropped))
        for path in removed:
            with _plainly(path, "removed"):
                path.unlink(missing_ok=True)
    changes = [_change(path, old[path], path in stale) for path in new]
    return [*changes, *(Change(path, "removed") for path in removed)]


def write_text(path: Path, text: str) -> None:
    """Write one file, whole or not at all.

    Raises:
        FileError: it cannot be written.
    """
    _make(path.parent)
    with _alone(path.parent) as alone:
        _remove_leftovers(path.parent, 0 if alone else LEFTOVER_SECONDS)
        _replace({path: text})


def check(folder: Path, files: Mapping[str, str], dropped: Iterable[str] = ()) -> str:
    """The unified diff from what is on disk to what `write` would leave there.

    Raises:
        FileError: a file is a symbolic link or cannot be read.
    """
    new = _sealed(folder, files)
    old = _read_all(folder, new)
    changed = [
        _diff(path, old[path], text) for path, text in new.items() if not _holds(old[path], text)
    ]
    removed = [_diff(path, data, None) for path, data in _own(folder, dropped).items()]
    return "".join(changed + removed)


def _own(folder: Path, names: Iterable[str]) -> dict[Path, bytes]:
    """Of these files those that are there as nngen wrote them."""
    found = {}
    for path in (folder / name for name in names):
        with suppress(OSError):
            data = None if path.is_symlink() else regular_file.read(path)
            if data is not None and not edited(_text(data)):
                found[path] = data
    return found


def _stale(
    folder: Path, new: Mapping[Path, str], force: bool
) -> tuple[dict[Path, bytes | None], dict[Path, str]]:
    """What the files hold, and the texts that differ from it.

    Raises:
        FileError: one of these was edited by hand, and not `force`.
    """
    old = _read_all(folder, new)
    stale = {path: text for path, text in new.items() if not _holds(old[path], text)}
    if not force:
        _refuse_edited({path: old[path] for path in stale})
    return old, stale


def _make(folder: Path) -> None:
    with _plainly(folder, "made"):
        folder.mkdir(parents=True, exist_ok=True)


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Keeps other builds from the folder; tells whether that is so.

    The system ends the lock with its process. Where there are no locks, the files are whole all the same.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # also on Windows, which opens no folders
        yield False
        return
    try:
        yield _locked(descriptor, folder)
    finally:
        os.close(descriptor)


def _locked(descriptor: int, folder: Path) -> bool:
    end = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() > end:
                raise FileError(f"another build is writing to {folder}; try again") from None
            time.sleep(0.01)
        except OSError:  # a file system without locks
            return False


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()[:16]


def _sealed(folder: Path, files: Mapping[str, str]) -> dict[Path, str]:
    return {folder / name: seal(body) for name, body in files.items()}


def _text(data: bytes) -> str:
    return data.decode(errors="backslashreplace")


def _holds(data: bytes | None, text: str) -> bool:
    """Whether the bytes of a file are this text, in whatever form git or an editor left it."""
    return data is not None and regular_file.as_written(data) == text.encode()


def _change(path: Path, old: bytes | None, stale: bool) -> Change:
    if not stale:
        return Change(path, "unchanged")
    return Change(path, "created" if old is None else "updated")


@contextmanager
def _plainly(path: Path, verb: str) -> Iterator[None]:
    """Turns an OSError into a sentence with the path, the reason and what to do."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        advice = ADVICE.get(error.errno or 0, "put that right, then build again")
        raise FileError(f"{path} cannot be {verb}: {reason}; {advice}") from error


def _read_all(folder: Path, paths: Mapping[Path, str]) -> dict[Path, bytes | None]:
    _mode(folder)  # refuses a link
    return {path: _read(path) for path in paths}


def _read(path: Path) -> bytes | None:
    """The bytes of a plain file, None where there is none."""
    mode = _mode(path)
    if mode is None:
        return None
    if not stat.S_ISREG(mode):
        raise FileError(f"{path} is not a plain file; {MOVE_AWAY}")
    with _plainly(path, "read"):
        return path.read_bytes()


def _mode(path: Path) -> int | None:
    """What is at `path`, None where nothing is; a symbolic link is an error."""
    with _plainly(path, "read"):
        try:
            mode = path.lstat().st_mode
        except FileNotFoundError:
            return None
    if stat.S_ISLNK(mode):
        raise FileError(f"{path} is a symbolic link, which nngen does not follow; " f"{MOVE_AWAY}")
    return mode


def _refuse_edited(files: Mapping[Path, bytes | None]) -> None:
    kept = [str(path) for path, data in files.items() if data is not None and edited(_text(data))]
    if kept:
        raise FileError(
            f"edited by hand: {', '.join(kept)}; nothing was written. "
            "Make the change in the spec, or overwrite with --force"
        )


def _replace(texts: Mapping[Path, str], old: Mapping[Path, bytes | None] | None = None) -> None:
    """Stages every file before it renames the first: a full disk changes nothing.

    Raises:
        FileError: a file cannot be written, or no longer holds what it held (`old`).
    """
    staged: dict[Path, Path] = {}
    try:
        for path, text in texts.items():
            temporary = path.with_name(f".{path.name}.{os.urandom(6).hex()}{TEMPORARY}")
            staged[temporary] = path
            with _plainly(path, "written"):
                _stage(temporary, text, path)
        for temporary, path in staged.items():
            if old is not None and _read(path) != old[path]:
                raise FileError(f"{path} was changed by another program meanwhile; build again")
            with _plainly(path, "written"):
                os.replace(temporary, path)
    finally:
        for temporary in staged:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def _stage(temporary: Path, text: str, path: Path) -> None:
    with temporary.open("xb") as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileNotFoundError):
        temporary.chmod(stat.S_IMODE(path.lstat().st_mode))


def _remove_leftovers(folder: Path, seconds: float) -> None:
    """Removes what a killed build left so long ago."""
    oldest = time.time() - seconds
    for path in folder.glob(f".*{TEMPORARY}"):
        with suppress(OSError):
            if path.lstat().st_mtime <= oldest:
                path.unlink()


def _diff(path: Path, old: bytes | None, new: str | None) -> str:
    label = _label(path)
    lines = difflib.unified_diff(
        _lines("" if old is None else _text(old)),
        _lines(new or ""),
        "/dev/null" if old is None else f"a/{label}",
        "/dev/null" if new is None else f"b/{label}",
    )
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def _label(path: Path) -> str:
    whole = path.absolute()
    with suppress(ValueError):
        whole = whole.relative_to(Path.cwd())
    return whole.as_posix().lstrip("/")


def _lines(text: str) -> list[str]:
    """Lines that end at "\\n" alone, as diff and patch read them."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)
