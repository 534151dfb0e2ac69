"""Remembers which builds are up to date, so that one with nothing to do is quick.

Imports nothing heavy: black, jinja2 and yaml take longer to import than this to answer.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from platformdirs import user_cache_dir

from nngen.files import regular_file

DEPENDENCIES = ("black", "jinja2", "yaml")
MOST_ENTRIES = 1000


def key(
    spec: Path,
    options: str,
    folder: Path,
    names: tuple[str, ...],
    maybe: Iterable[str] = (),
    *,
    source: bytes | None = None,
    files: Mapping[str, str] | None = None,
) -> str | None:
    """Names a build by all that goes into it and comes out; None where a file is missing.

    Args:
        spec: the spec's file.
        options: what else decides the output.
        folder: where the outputs are.
        names: the outputs' file names.
        maybe: those of outputs that are there or not, as the spec says.
        source: the spec's bytes as they were built; default, those on disk.
        files: the outputs' text as it was written; default, what is on disk.

    After a build, give `source` and `files`: what another program saved meanwhile must
    not pass for what was built.
    """
    parts = [options.encode(), spec.name.encode()]
    try:
        parts += [_tools(), regular_file.read(spec) if source is None else source]
        for name in names:
            parts += [name.encode(), _output(folder, name, files)]
        for name in maybe:
            with suppress(FileNotFoundError):
                parts += [name.encode(), _output(folder, name, files)]
    except (OSError, ValueError):
        return None
    digest = hashlib.sha256()
    for part in parts:
        digest.update(b"%d:" % len(part) + part)
    return digest.hexdigest()


def recall(key: str | None) -> str | None:
    """What was noted with the build of this key; None where it is not remembered."""
    if key is None:
        return None
    try:
        return (_folder() / key).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None


def remember(key: str | None, note: str = "") -> None:
    """Remembers the build of this key; where it cannot, the next build is just slower.

    Args:
        key: of `key`.
        note: what the next build is to say, though it does nothing.
    """
    folder = _folder()
    if key is None or not folder.is_absolute():  # "~" is left as it is without a home
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / key).write_text(note, encoding="utf-8")
        _forget_oldest(folder)
    except OSError:
        pass  # a cache that cannot be written must not fail a build


def _output(folder: Path, name: str, files: Mapping[str, str] | None) -> bytes:
    if files is not None and name in files:
        return files[name].encode()
    return regular_file.as_written(regular_file.read(folder / name))


def _folder() -> Path:
    return Path(user_cache_dir("nngen", appauthor=False)) / "fresh"


def _forget_oldest(folder: Path) -> None:
    with os.scandir(folder) as entries:
        aged = sorted((entry.stat().st_mtime_ns, entry.path) for entry in entries)
    for _, path in aged[: max(0, len(aged) - MOST_ENTRIES)]:
        Path(path).unlink(missing_ok=True)


@cache  # as they were when the build began, should one be saved meanwhile
def _tools() -> bytes:
    """Whatever makes the output: Python, nngen, its templates and dependencies."""
    lines = [sys.version]
    for path in sorted({*_own_files(), *_dependency_files()}):
        status = os.stat(path)
        lines.append(f"{path} {status.st_size} {status.st_mtime_ns}")
    return "\n".join(lines).encode()


def _own_files() -> Iterator[str]:
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    yield from _files_under(here, ".py")
    for home in (here, os.path.dirname(here)):  # in a wheel, in a checkout
        yield from _files_under(os.path.join(home, "templates"), "")


def _files_under(folder: str, ending: str) -> Iterator[str]:
    for parent, _, names in os.walk(folder):
        for name in names:
            if name.endswith(ending) and not name.startswith("."):
                yield os.path.join(parent, name)


def _dependency_files() -> Iterator[str]:
    for name in DEPENDENCIES:
        found = find_spec(name)
        if found is not None and found.origin is not None:
            yield found.origin
            yield os.path.dirname(found.origin)
