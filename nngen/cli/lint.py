"""`nngen lint` and `nngen explain`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from nngen.cli import reporting
from nngen.cli.reporting import reported
from nngen.cli.shared import Verbs, each, settings, specs

if TYPE_CHECKING:
    from nngen.lint import Finding


def add(verbs: Verbs) -> None:
    """Add the verbs."""
    lint = verbs.add_parser(
        "lint",
        help="find what a spec gets wrong though it builds",
        epilog="exit codes: 0 clean; 1 there are findings; 2 an error",
    )
    specs(lint)
    for option, words in (("select", "report these only"), ("ignore", "do not report these")):
        lint.add_argument(
            f"--{option}",
            type=_codes,
            action="extend",
            default=[],
            metavar="CODES",
            help=f"{words}: codes such as NN201, or a group such as NN2, with commas between",
        )
    reporting.add(lint)
    settings(lint)
    lint.set_defaults(run=_lint)

    explain = verbs.add_parser("explain", help="show what a finding's code means, or list all")
    explain.add_argument("code", nargs="?", metavar="CODE", help="a code, such as NN201")
    explain.set_defaults(run=_explain)


def _codes(text: str) -> list[str]:
    """Codes and groups, `NN201,NN3`."""
    from nngen.lint import GROUPS, RULES

    found = [code.strip().upper() for code in text.split(",")]
    for code in found:
        if code not in RULES and code not in GROUPS:
            raise argparse.ArgumentTypeError(
                f"there is no rule {code!r}; `nngen explain` lists them"
            )
    return found


def _lint(options: argparse.Namespace) -> int:
    from nngen.lint import lint_file

    with reported(options.format) as report:

        def run(path: Path) -> int:
            findings = lint_file(path, dict(options.values))
            chosen = _chosen(findings, options.select, options.ignore)
            for finding in chosen:
                report.problem(reporting.of_finding(finding))
            if not chosen:
                report.say(f"{path}: clean")
            return 1 if chosen else 0

        return each(options.specs, run, report)


def _chosen(findings: tuple[Finding, ...], select: list[str], ignore: list[str]) -> list[Finding]:
    return [
        finding
        for finding in findings
        if finding.code.startswith(tuple(select) or "")
        and not finding.code.startswith(tuple(ignore))
    ]


def _explain(options: argparse.Namespace) -> int:
    from nngen.lint import explain

    print(explain.codes() if options.code is None else explain.explanation(options.code))
    return 0
