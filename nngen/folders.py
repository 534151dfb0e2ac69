"""Where a spec's package is written."""

from __future__ import annotations

import keyword
from pathlib import Path

from nngen.errors import FileError


def package_folder(spec: Path, out: Path) -> Path:
    """The folder of a spec's package: `out/cnn` for `specs/cnn.yaml`.

    Raises:
        FileError: the spec's file name is no name for a package.
    """
    name = spec.name.partition(".")[0].replace("-", "_")
    if not name.isidentifier() or keyword.iskeyword(name):
        raise FileError(
            f"{spec}: {name!r} cannot be the name of a Python package\n  hint: rename the file"
        )
    return out / name
