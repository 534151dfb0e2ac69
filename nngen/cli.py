"""The command line: the verbs, and the only file that prints or exits.

Exit codes: 0 for success, 1 where `--check` finds a file out of date or `verify` a difference, 2 for an error.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

from nngen import __version__
from nngen.errors import NngenError

FILES = ("__init__.py", "functional_style.py", "nn_style.py")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
        sys.stdout.flush()
        return code
    except NngenError as error:
        print(error, file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader of a pipe has gone; Python must not complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nngen",
        description="One YAML model description becomes two PyTorch models, equal bit for bit.",
    )
    parser.add_argument("--version", action="version", version=f"nngen {__version__}")
    verbs = parser.add_subparsers(required=True, metavar="COMMAND")

    build = verbs.add_parser("build", help="write the two models of each spec")
    _specs(build)
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

    verify = verbs.add_parser(
        "verify", help="run both models of each spec and compare them bit for bit"
    )
    _specs(verify)
    verify.add_argument("--json", action="store_true", help="print the report as JSON")
    verify.add_argument(
        "--set",
        dest="values",
        type=_setting,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a constructor argument or an open size to verify with",
    )
    verify.add_argument(
        "--seed", type=int, default=0, help="where the random numbers start (default: %(default)s)"
    )
    verify.set_defaults(run=_verify)
    return parser


def _setting(text: str) -> tuple[str, object]:
    """`vocab=100` as a name and a value, read as YAML reads it."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=VALUE")
    from nngen import document

    try:
        node = document.parse(value, "--set")
    except NngenError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if not isinstance(node, document.Scalar):
        raise argparse.ArgumentTypeError(f"{value!r} is not one value")
    return name, node.value


def _specs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "specs", type=Path, nargs="+", metavar="SPEC", help="a YAML model description"
    )


def _build(options: argparse.Namespace) -> int:
    if options.check:
        return _each(options.specs, lambda path: _check(path, options.out))
    return _each(options.specs, lambda path: _build_one(path, options.out, options.force))


def _each(specs: Sequence[Path], run: Callable[[Path], int]) -> int:
    """Run all specs, whatever becomes of one; the highest of their exit codes."""
    codes = []
    for path in specs:
        try:
            codes.append(run(path))
        except NngenError as error:
            sys.stdout.flush()
            print(error, file=sys.stderr)
            codes.append(2)
    return max(codes)


def _build_one(path: Path, out: Path, force: bool) -> int:
    # Not imported above: an unchanged build answers without the parser, the templates and black.
    from nngen import freshness
    from nngen.folders import package_folder

    folder = package_folder(path, out)
    if freshness.is_fresh(freshness.key(path, "build", folder, FILES)):
        print(f"{folder}: unchanged")
        return 0
    from nngen import building, writer

    source, bodies = building.read_and_render(path)
    changes = writer.write(folder, bodies, force)
    files = {name: writer.seal(body) for name, body in bodies.items()}
    freshness.remember(freshness.key(path, "build", folder, FILES, source=source, files=files))
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
    difference = writer.check(folder, building.files(path))
    if difference:
        print(difference, end="")
        print(f"{folder}: out of date with {path}", file=sys.stderr)
    return 1 if difference else 0


def _verify(options: argparse.Namespace) -> int:
    if find_spec("torch") is None:
        raise NngenError("verify needs torch: pip install 'nngen[torch]'")
    from nngen import verify

    several = len(options.specs) > 1 and not options.json
    reports: dict[str, object] = {}

    def run(path: Path) -> int:
        if several:
            print(f"[{len(reports) + 1}/{len(options.specs)}] {path}", flush=True)
        try:
            report = verify(path, values=dict(options.values), seed=options.seed)
        except NngenError as error:
            reports[str(path)] = {"error": str(error)}
            raise
        reports[str(path)] = report.as_dict()
        if not options.json:
            print(report.as_text(), flush=True)
        return 0 if report.equal else 1

    code = _each(options.specs, run)
    if options.json:
        print(json.dumps(reports, indent=2))
    return code
