"""The command line: the verbs, and the only modules that print or exit.

Exit codes: 0 for success, 1 where `--check` finds a file out of date, `verify` a difference or
`lint` anything, 2 for an error.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence

from nngen import __version__
from nngen.cli import (
    build,
    diff,
    fmt,
    importing,
    lesson,
    lint,
    pitfall,
    serve,
    show,
    start,
    verify,
)
from nngen.errors import NngenError, did_you_mean
from nngen.limits import large

# Each module adds its verbs.
VERBS = (start, importing, build, diff, show, verify, lint, fmt, lesson, serve, pitfall)
# As help lists them.
GROUPS = {
    "start": ("init", "import", "build", "watch"),
    "look": ("diff", "summary", "graph", "layers"),
    "check": ("verify", "lint", "explain", "fmt"),
    "teach": ("lesson", "serve", "pitfall"),
    "set up": ("completion", "schema"),
}


class _Root(argparse.ArgumentParser):
    """Lists the verbs in groups."""

    def refuse_unknown(self, arguments: Sequence[str]) -> None:
        """End with the commands that may be meant, where the first argument is none."""
        known = [name for names in GROUPS.values() for name in names]
        if not arguments[0].startswith("-") and arguments[0] not in known:
            hint = did_you_mean(arguments[0], known) or "`nngen --help` lists them"
            self.error(f"there is no command {arguments[0]!r}\n  hint: {hint}")

    def format_help(self) -> str:
        formatter = self._get_formatter()
        formatter.add_usage(self.usage, self._actions, self._mutually_exclusive_groups)
        formatter.add_text(self.description)
        (verbs,) = (each for each in self._actions if isinstance(each, argparse._SubParsersAction))
        known = {verb.dest: verb for verb in verbs._choices_actions}
        for title, names in GROUPS.items():
            formatter.start_section(title)
            formatter.add_arguments([known[name] for name in names])
            formatter.end_section()
        formatter.start_section("options")
        formatter.add_arguments([each for each in self._actions if each is not verbs])
        formatter.end_section()
        formatter.add_text(self.epilog)
        return formatter.format_help()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal may lack a spec's letters
            stream.reconfigure(errors="backslashreplace")
    root = parser()
    if not (sys.argv[1:] if arguments is None else arguments):
        root.exit(2, root.format_help())
    root.refuse_unknown(sys.argv[1:] if arguments is None else arguments)
    options = root.parse_args(arguments)
    try:
        with large(getattr(options, "large", False)):
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


def parser() -> _Root:
    """All verbs and their options."""
    root = _Root(
        prog="nngen",
        description="One YAML model description becomes two PyTorch models, equal bit for bit. "
        "Begin with `nngen init net.yaml`; `nngen COMMAND --help` says more about each command.",
        epilog="exit codes: 0 done, up to date, equal, clean; 1 a file is out of date (build --check) or not in form (fmt --check), models differ "
        "(verify, lesson), or there are findings (lint); 2 an error in a spec, a file, or the command line",
    )
    root.add_argument("--version", action="version", version=f"nngen {__version__}")
    verbs = root.add_subparsers(
        required=True, metavar="COMMAND", parser_class=argparse.ArgumentParser
    )
    for module in VERBS:
        module.add(verbs)
    root.set_defaults(parser=root)
    return root
