"""Reading files that a stranger may have put there: a pipe may never give anything, and a device has no end.

And that others may have put into another form: on Windows git checks text out with CRLF, and editors put a byte order
mark before it.
"""

from __future__ import annotations

import codecs
import errno
import os
import stat
from pathlib import Path


def read(path: Path, most: int = -1) -> bytes:
    """The bytes of a plain file, the first `most` of them.

    Raises:
        OSError: it cannot be read, or is not a plain file.
        ValueError: the path holds a null byte.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags)
    with open(descriptor, "rb") as file:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "it is not a plain file")
        return file.read(most)


def as_written(data: bytes) -> bytes:
    """The bytes of a text as nngen wrote them, whatever git and editors made of its lines' ends."""
    return data.removeprefix(codecs.BOM_UTF8).replace(b"\r\n", b"\n")
