"""From a spec to the files of its package."""

from __future__ import annotations

from pathlib import Path

from nngen import document
from nngen import spec as specs
from nngen.graph import build_graph
from nngen.render import render


def files(path: Path) -> dict[str, str]:
    """The bodies of a spec's files, by name.

    Raises:
        SpecError: the spec is wrong.
        FileError: it cannot be read.
    """
    return read_and_render(path)[1]


def read_and_render(path: Path) -> tuple[bytes, dict[str, str]]:
    """A spec's bytes, and the files that those bytes give.

    Raises:
        SpecError: the spec is wrong.
        FileError: it cannot be read.
    """
    source = document.read_bytes(path)
    return source, render(build_graph(specs.from_node(document.decode(source, path), path.name)))
