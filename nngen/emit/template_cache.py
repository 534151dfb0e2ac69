"""Compiled templates, kept as Python keeps compiled modules: to compile them takes as long as to fill and format them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import jinja2
from jinja2.bccache import Bucket, FileSystemBytecodeCache
from platformdirs import user_cache_dir


class Compiled(FileSystemBytecodeCache):
    """Templates in a folder; where it cannot be read or written, they are compiled each time.

    Args:
        folder: where they are kept.
        makers: the files that decide, beside a template's text, what it is compiled to.
    """

    def __init__(self, folder: Path, makers: Sequence[str]) -> None:
        super().__init__(os.fspath(folder))
        self._made_by = " ".join(map(_state, makers))

    def get_source_checksum(self, source: str) -> str:
        return f"{super().get_source_checksum(source)} {self._made_by}"

    def load_bytecode(self, bucket: Bucket) -> None:
        with suppress(Exception):  # a damaged file can raise whatever pickle can
            super().load_bytecode(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            os.makedirs(self.directory, mode=0o700, exist_ok=True)
            super().dump_bytecode(bucket)


def compiled(*makers: str) -> Compiled | None:
    """The compiled templates of this user.

    Args:
        makers: the files that decide, beside jinja2, what a template is compiled to.
    """
    folder = Path(user_cache_dir("nngen", appauthor=False)) / "templates"
    if not folder.is_absolute():  # "~" is left as it is without a home
        return None
    return Compiled(folder, (jinja2.__file__, *makers))


def _state(path: str) -> str:
    status = os.stat(path)
    return f"{path} {status.st_size} {status.st_mtime_ns}"
