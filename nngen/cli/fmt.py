"""`nngen fmt`."""

from __future__ import annotations

import argparse
import difflib
import sys
from pathlib import Path

from nngen.cli import reporting
from nngen.cli.reporting import Problem, Reporter, reported
from nngen.cli.shared import Verbs, each, specs
from nngen.errors import Mark

STDIN = Path("-")


def add(verbs: Verbs) -> None:
    """Add the verb."""
    fmt = verbs.add_parser(
        "fmt",
        help="lay specs out in the usual form",
        description="Writes each spec again, with the same keys, values and comments, in the form that specs have; `-` is "
        "the standard input, and goes to the standard output. What cannot be laid out without a loss stays as it is.",
        epilog="exit codes: 0 formatted, or in form already; 1 --check: a spec is not in form; 2 an error",
    )
    specs(fmt)
    fmt.add_argument("--check", action="store_true", help="write nothing; exit 1 if a spec changes")
    fmt.add_argument("--diff", action="store_true", help="write nothing; show what would change")
    reporting.add(fmt)
    fmt.set_defaults(run=_fmt)


def _fmt(options: argparse.Namespace) -> int:
    with reported(options.format) as report:

        def run(path: Path) -> int:
            return _format(path, options, report)

        return each(options.specs, run, report)


def _format(path: Path, options: argparse.Namespace, report: Reporter) -> int:
    from nngen.files import writer
    from nngen.language import document
    from nngen.language.formatting import formatted

    name = "<stdin>" if path == STDIN else str(path)
    data = sys.stdin.buffer.read() if path == STDIN else document.read_bytes(path)
    document.decode(data, Path(name))  # its errors know the whole of what may be wrong with bytes
    before = data.decode("utf-8")
    after = formatted(before, name)
    if options.diff:
        old, new = (text.splitlines(keepends=True) for text in (before, after))
        report.say("".join(difflib.unified_diff(old, new, f"a/{name}", f"b/{name}")), end="")
    if options.check and before != after:
        message = f"{name}: not in form"
        problem = Problem("not-in-form", Mark(name), message, f"run `nngen fmt {name}`")
        report.problem(problem, message, sys.stderr)
        return 1
    if options.check or options.diff:
        return 0
    if path == STDIN:
        sys.stdout.write(after)
    elif before != after:
        writer.write_text(path.resolve(), after)
        report.say(f"{name}: formatted")
    else:
        report.say(f"{name}: unchanged")
    return 0
