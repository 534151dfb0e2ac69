"""`nngen build`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from nngen.cli.shared import Verbs, each, specs

if TYPE_CHECKING:
    from nngen.lint import Finding

FILES = ("__init__.py", "functional_style.py", "nn_style.py")


def add(verbs: Verbs) -> None:
    """Add the verb."""
    build = verbs.add_parser("build", help="write the two models of each spec")
    specs(build)
    build.add_argument(
        "-o",
        "--out",
        type=Path,
        default=Path("generated"),
        help="the folder for the packages (default: %(default)s)",
    )
    build.add_argument(
        "--check",
        action="store_true",
        help="write nothing; show what is out of date, and exit 1",
    )
    build.add_argument(
        "--force", action="store_true", help="overwrite files that were edited by hand"
    )
    build.set_defaults(run=_build)


def _build(options: argparse.Namespace) -> int:
    if options.check:
        return each(options.specs, lambda path: _check(path, options.out))
    return each(options.specs, lambda path: _build_one(path, options.out, options.force))


def _build_one(path: Path, out: Path, force: bool) -> int:
    # Not imported above: an unchanged build answers without the parser, the templates and black.
    from nngen import freshness
    from nngen.folders import package_folder

    folder = package_folder(path, out)
    warnings = freshness.recall(freshness.key(path, "build", folder, FILES))
    if warnings is not None:
        _warn(path, warnings)
        print(f"{folder}: unchanged")
        return 0
    from nngen import building, writer

    package = building.package(path)
    changes = writer.write(folder, package.files, force)
    files = {name: writer.seal(body) for name, body in package.files.items()}
    key = freshness.key(path, "build", folder, FILES, source=package.source, files=files)
    warnings = _warnings(package.findings)
    freshness.remember(key, warnings)
    _warn(path, warnings)
    for change in changes:
        if change.kind != "unchanged":
            print(f"{change.path}: {change.kind}")
    if all(change.kind == "unchanged" for change in changes):
        print(f"{folder}: unchanged")
    return 0


def _check(path: Path, out: Path) -> int:
    from nngen import building, writer
    from nngen.folders import package_folder

    folder = package_folder(path, out)
    package = building.package(path)
    _warn(path, _warnings(package.findings))
    difference = writer.check(folder, package.files)
    if difference:
        print(difference, end="")
        print(f"{folder}: out of date with {path}", file=sys.stderr)
    return 1 if difference else 0


def _warnings(findings: tuple[Finding, ...]) -> str:
    """Findings as they are remembered: without the spec's path, which may be written in several ways."""
    return "\0".join(str(finding).removeprefix(finding.mark.file) for finding in findings)


def _warn(path: Path, warnings: str) -> None:
    for warning in warnings.split("\0") if warnings else ():
        print(f"{path}{warning}", file=sys.stderr)
