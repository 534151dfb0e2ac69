"""Where a spec's package is written."""

from __future__ import annotations

import keyword
import os
from collections.abc import Iterable
from pathlib import Path

from nngen.errors import FileError
from nngen.symbolic.identifiers import is_identifier


def package_folder(spec: Path, out: Path) -> Path:
    """The folder of a spec's package: `out/cnn` for `specs/cnn.yaml`.

    Raises:
        FileError: the spec's file name is not a name for a package.
    """
    name = _package(spec)
    if not is_identifier(name) or keyword.iskeyword(name):
        raise FileError(
            f"{spec}: {name!r} cannot be the name of a Python package\n  hint: rename the file"
        )
    return out / name


def distinct(specs: Iterable[Path]) -> list[Path]:
    """The specs, each file once.

    Raises:
        FileError: two files would share a package, one of them on a file system where upper and lower case are one.
    """
    found: dict[str, Path] = {}
    for spec in specs:
        name = _package(spec)
        first = found.setdefault(name.casefold(), spec)
        if first is not spec and not _same(first, spec):
            where = "" if _package(first) == name else " where upper and lower case are the same"
            raise FileError(
                f"{first} and {spec} would both be written as {name}{where}, one over the other\n"
                "  hint: rename one of them, or write them to two folders, with -o"
            )
    return list(found.values())


def _package(spec: Path) -> str:
    return spec.name.partition(".")[0].replace("-", "_")


def _same(one: Path, other: Path) -> bool:
    try:
        return os.path.samefile(one, other)
    except (OSError, ValueError):  # one of them is not there, or is not a path
        return one == other
