"""The command line: the verbs, and the only file that prints or exits.

Exit codes: 0 for success, 1 where `--check` finds a file out of date or `verify` a difference, 2 for an error.
"""

from __future__ import annotations

import argparse
import itertools
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
    _settings(verify)
    verify.add_argument(
        "--seed", type=int, default=0, help="where the random numbers start (default: %(default)s)"
    )
    verify.set_defaults(run=_verify)

    summary = verbs.add_parser(
        "summary", help="show a model's layers: shapes, parameters, multiply-adds"
    )
    _specs(summary)
    summary.add_argument("--json", action="store_true", help="print the summary as JSON")
    summary.add_argument(
        "--depth", type=_count, metavar="D", help="how far to open blocks; 0 leaves them closed"
    )
    summary.add_argument("--batch", type=_size, default=1, metavar="N", help="the batch size")
    _settings(summary)
    summary.set_defaults(run=_summary)

    graph = verbs.add_parser("graph", help="draw a model: Mermaid text, or an SVG file")
    graph.add_argument("spec", type=Path, metavar="SPEC", help="a YAML model description")
    graph.add_argument("--format", choices=("mermaid", "svg"), help="by default as the file's name")
    graph.add_argument("-o", "--out", type=Path, metavar="FILE", help="write to a file")
    graph.add_argument("--unfold", action="store_true", help="show what is in blocks")
    _settings(graph)
    graph.set_defaults(run=_graph)

    layers = verbs.add_parser("layers", help="show what layers there are, or all about one")
    layers.add_argument("name", nargs="?", metavar="NAME", help="a layer, function or method")
    layers.add_argument(
        "--functions", action="store_true", help="show the functions and methods for lines"
    )
    layers.set_defaults(run=_layers)

    schema = verbs.add_parser("schema", help="print the JSON Schema of specs, for editors")
    schema.set_defaults(run=_schema)
    return parser


def _settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--set",
        dest="values",
        type=_setting,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a constructor argument, or a size that the spec leaves open",
    )


def _size(text: str) -> int:
    return _count(text, least=1)


def _count(text: str, least: int = 0) -> int:
    if not text.isdecimal() or not least <= int(text) < 2**40:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {least}")
    return int(text)


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

    numbers = itertools.count(1)
    reports: dict[str, object] = {}

    def run(path: Path) -> int:
        number = next(numbers)
        if len(options.specs) > 1 and not options.json:
            print(f"[{number}/{len(options.specs)}] {path}", flush=True)
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


def _summary(options: argparse.Namespace) -> int:
    from nngen import spec, summary
    from nngen.summary.text import as_text

    found = {}
    for path in options.specs:
        given = spec.with_values(spec.read(path), dict(options.values))
        found[str(path)] = summary.summarize(given, options.batch)
    if options.json:
        print(json.dumps({path: each.as_dict() for path, each in found.items()}, indent=2))
    else:
        print("\n\n".join(as_text(each, options.depth) for each in found.values()))
    return 0


def _graph(options: argparse.Namespace) -> int:
    from nngen import diagram, spec, writer

    given = spec.with_values(spec.read(options.spec), dict(options.values))
    drawn = diagram.draw(given, unfold=options.unfold)
    wanted = options.format or (
        "svg" if options.out and options.out.suffix == ".svg" else "mermaid"
    )
    text = drawn.as_svg() if wanted == "svg" else drawn.as_mermaid()
    if options.out is None:
        print(text, end="")
    else:
        writer.write_text(options.out, text)
        print(f"{options.out}: written")
    return 0


def _layers(options: argparse.Namespace) -> int:
    from nngen import listing

    if options.name is not None:
        print(listing.one(options.name))
    else:
        print(listing.functions() if options.functions else listing.layers())
    return 0


def _schema(options: argparse.Namespace) -> int:
    from nngen import schema

    print(schema.text(), end="")
    return 0
