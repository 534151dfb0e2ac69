"""`nngen build`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path

from nngen.cli import reporting
from nngen.cli.reporting import Problem, Reporter, reported
from nngen.cli.shared import Verbs, each, large, paths, styles
from nngen.errors import Mark
from nngen.language.styles import FILES


def add(verbs: Verbs) -> None:
    """Add the verb."""
    build = verbs.add_parser(
        "build",
        help="write the two models of each spec",
        description="Writes a package for each spec: a file for each style, by default nn_style.py and "
        "functional_style.py, and an __init__.py that carries checkpoints over. `nngen build net.yaml` writes "
        "generated/net/. Nothing is written for a spec with a mistake.",
        epilog="exit codes: 0 written or up to date; 1 --check: something is out of date; 2 an error",
    )
    paths(build)
    build.add_argument(
        "-o",
        "--out",
        type=Path,
        default=Path("generated"),
        help="the folder for the packages (default: %(default)s)",
    )
    build.add_argument(
        "--force", action="store_true", help="overwrite files that were edited by hand"
    )
    styles(build, "the styles to write, whatever the spec says")
    checks = build.add_argument_group("for CI, and for what is built already")
    checks.add_argument(
        "--check",
        action="store_true",
        help="write nothing; exit 1 if anything is out of date",
    )
    checks.add_argument(
        "--diff",
        action="store_true",
        help="write nothing; show as a unified diff what a build would change",
    )
    reporting.add(checks)
    large(checks)
    build.set_defaults(run=_build)


def _build(options: argparse.Namespace) -> int:
    from nngen.files.paths import distinct

    with reported(options.format) as report:

        def run(path: Path) -> int:
            if options.check or options.diff:
                return _compare(path, options, report)
            return _build_one(path, options, report)

        return each(distinct(options.specs), run, report)


def _build_one(path: Path, options: argparse.Namespace, report: Reporter) -> int:
    # Not imported above: an unchanged build answers without the parser, the templates and black.
    from nngen.files import build_cache
    from nngen.files.paths import package_folder

    folder = package_folder(path, options.out)
    given = (path, f"build {options.styles}", folder, ("__init__.py",), FILES.values())
    note = build_cache.recall(build_cache.key(*given))
    if note is not None:
        _warn(_recalled(note, path), report)
        report.say(f"{folder}: unchanged")
        return 0
    from nngen import pipeline
    from nngen.files import writer

    made = pipeline.read(path, styles=options.styles)
    warnings = [reporting.of_finding(finding) for finding in made.findings]
    changes = writer.write(folder, made.files, options.force, made.dropped)
    files = {name: writer.seal(body) for name, body in made.files.items()}
    key = build_cache.key(*given, source=made.source, files=files)
    build_cache.remember(key, _note(warnings))
    _warn(warnings, report)
    for change in changes:
        if change.kind != "unchanged":
            report.say(f"{change.path}: {change.kind}")
    if all(change.kind == "unchanged" for change in changes):
        report.say(f"{folder}: unchanged")
    return 0


def _compare(path: Path, options: argparse.Namespace, report: Reporter) -> int:
    """Say what a build would change; with `--check` that is a failure."""
    from nngen import pipeline
    from nngen.files import writer
    from nngen.files.paths import package_folder

    folder = package_folder(path, options.out)
    made = pipeline.read(path, styles=options.styles)
    _warn(map(reporting.of_finding, made.findings), report)
    difference = writer.check(folder, made.files, made.dropped)
    if options.diff:
        report.say(difference, end="")
    if not difference or not options.check:
        return 0
    message = f"{folder}: out of date with {path}"
    hint = "build it again"
    report.problem(Problem("out-of-date", Mark(str(path)), message, hint), message, sys.stderr)
    return 1


def _warn(warnings: Iterable[Problem], report: Reporter) -> None:
    for warning in warnings:
        report.problem(warning, file=sys.stderr)


def _note(warnings: Iterable[Problem]) -> str:
    """Warnings as they are remembered: without the spec's path, which may be written in several ways."""
    fields = [
        (each.code, mark.line, mark.column, mark.path, each.message, each.hint, each.excerpt)
        for each in warnings
        for mark in [each.mark]
    ]
    return json.dumps(fields) if fields else ""


def _recalled(note: str, file: Path) -> Iterable[Problem]:
    for code, line, column, path, message, hint, excerpt in json.loads(note) if note else ():
        mark = Mark(str(file), line, column, path)
        yield Problem(code, mark, message, hint, "warning", excerpt)
