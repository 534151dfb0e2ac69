"""From a spec to the files of its package."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nngen.emit import build_graph
from nngen.emit.render import render
from nngen.graph import follow, read_spec
from nngen.language import document
from nngen.language import spec as specs
from nngen.lint import Finding, lint


@dataclass(frozen=True)
class Package:
    """What a spec gives.

    Attributes:
        source: the spec's bytes.
        files: the bodies of the files that those bytes give, by name.
        findings: what in the spec is probably not meant.
    """

    source: bytes
    files: dict[str, str]
    findings: tuple[Finding, ...]


def files(path: Path) -> dict[str, str]:
    """The bodies of a spec's files, by name.

    Raises:
        SpecError: the spec is wrong.
        FileError: it cannot be read.
    """
    return render(build_graph(_read(path)[1]))


def package(path: Path) -> Package:
    """The package of a spec.

    Raises:
        SpecError: the spec is wrong.
        FileError: it cannot be read.
    """
    source, spec = _read(path)
    followed = follow(spec)
    findings = lint(spec, source.decode(), followed)
    return Package(source, render(build_graph(spec, followed)), findings)


def _read(path: Path) -> tuple[bytes, specs.Spec]:
    source = document.read_bytes(path)
    return source, read_spec(document.decode(source, path), path.name)
