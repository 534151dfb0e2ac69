"""What an import refuses: where in the user's own source, why, and what to do."""

from __future__ import annotations

import inspect
import linecache
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, TracebackType

from nngen.errors import NngenError

_OWN = str(Path(__file__).parents[1])


class ImportRefused(NngenError):
    """A module that no spec is made of.

    Args:
        message: what it does.
        where: the file and line of its source; "" where there is none.
        hint: what to do.
    """

    def __init__(self, message: str, where: str = "", hint: str = "") -> None:
        file, _, line = where.rpartition(":")
        source = linecache.getline(file, int(line)).strip() if line.isdecimal() else ""
        shown = f"\n    {line} | {source}" if source else ""
        super().__init__(
            (f"{where}: " if where else "")
            + message
            + shown
            + (f"\n  hint: {hint}" if hint else "")
        )
        self.message = message
        self.where = where
        self.hint = hint


def is_users(file: str) -> bool:
    """Whether a file is the user's: neither torch's, nor nngen's, nor Python's own."""
    parts = Path(file).parts
    if file.startswith(("<", _OWN)):
        return False
    return "torch" not in parts and not file.startswith(sys.base_prefix + "/lib/python3")


def place_of(frame: FrameType | None) -> str:
    """The innermost line of the user's among the frames that called."""
    while frame is not None:
        if is_users(frame.f_code.co_filename):
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    return ""


def raised_at(error: BaseException) -> str:
    """The innermost line of the user's that an exception went through."""
    found = ""
    for file, line in _lines(error.__traceback__):
        if is_users(file):
            found = f"{file}:{line}"
    return found


def _lines(traceback: TracebackType | None) -> Iterator[tuple[str, int]]:
    while traceback is not None:
        yield traceback.tb_frame.f_code.co_filename, traceback.tb_lineno
        traceback = traceback.tb_next


def class_at(kind: type) -> str:
    """Where a class is defined."""
    try:
        _, line = inspect.getsourcelines(kind)
        return f"{inspect.getsourcefile(kind)}:{line}"
    except (OSError, TypeError):
        return ""
