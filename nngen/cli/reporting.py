"""Errors and findings as people, programs and services want them: text, JSON, GitHub's commands, SARIF."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO

from nngen.errors import Mark, NngenError, SpecError

if TYPE_CHECKING:
    from nngen.lint import Finding

FORMATS = ("text", "json", "github", "sarif")
# Codes of what is no finding of lint.
CODES = {
    "invalid-spec": "A spec that cannot be built.",
    "failed": "A file or an environment with which a command cannot work.",
    "out-of-date": "A built file that is not what its spec gives.",
    "not-in-form": "A spec that `nngen fmt` would lay out in another way.",
    "models-differ": "Two models of one spec that are not equal bit for bit.",
}


@dataclass(frozen=True)
class Problem:
    """Something wrong, or probably wrong.

    Attributes:
        code: a rule of lint, or one of `CODES`.
        mark: where it is; without a line where only the file is known.
        message: what is wrong.
        hint: what would be right; may be empty.
        level: "warning" for what lint finds.
        excerpt: of a finding, the line of the spec with a caret under it.
    """

    code: str
    mark: Mark
    message: str
    hint: str = ""
    level: Literal["error", "warning"] = "error"
    excerpt: str = ""

    def __str__(self) -> str:
        """As the command line prints a finding."""
        at = f"{self.mark}: {self.mark.path}" if self.mark.path else f"{self.mark}"
        lines = f"{at}: {self.code} {self.message}", self.excerpt, f"  fix: {self.hint}"
        return "\n".join(filter(None, lines))


def of_finding(finding: Finding) -> Problem:
    """What lint found."""
    mark = finding.mark
    return Problem(finding.code, mark, finding.message, finding.fix, "warning", mark.excerpt())


def of_error(error: NngenError, file: str = "") -> list[Problem]:
    """All that an error tells.

    Args:
        error: what was raised.
        file: what was worked on, for an error that does not know.
    """
    if not isinstance(error, SpecError):
        message, _, hint = str(error).partition("\n  hint: ")
        return [Problem("failed", Mark(file), message, hint)]
    told = [(each.mark, each.message, each.hint) for each in (error, *error.others)]
    told += [(Mark(error.mark.file), message, "") for message in error.rest()]
    return [Problem("invalid-spec", *each) for each in told]


def add(parser: argparse._ActionsContainer) -> None:
    """Add the option."""
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default="text",
        help="how errors and findings are shown (default: %(default)s); JSON and SARIF are one document on the "
        "standard output, and all else goes to the standard error",
    )


@contextmanager
def reported(form: str) -> Iterator[Reporter]:
    """A reporter for one run; its document, if the form is one, is printed at the end.

    Args:
        form: one of `FORMATS`.
    """
    report = Reporter(form)
    try:
        yield report
    except NngenError as error:  # of the run as a whole; the command line prints it
        for problem in of_error(error):
            report.add(problem)
        report.close()
        raise
    report.close()


class Reporter:
    """Takes what a command has to say.

    Args:
        form: one of `FORMATS`.
    """

    def __init__(self, form: str = "text") -> None:
        self.form = form
        self.problems: list[Problem] = []

    def say(self, text: str, end: str = "\n") -> None:
        """Print what is neither an error nor a finding."""
        if self.form == "github":
            text = _inert(text)
        print(text, end=end, file=sys.stderr if self.form in _DOCUMENTS else sys.stdout, flush=True)

    def error(self, error: NngenError, path: Path) -> None:
        """Report an error that ended the work on a file."""
        first, *others = of_error(error, str(path))
        self.problem(first, str(error), sys.stderr)
        for problem in others:
            self.add(problem)

    def problem(self, problem: Problem, text: str = "", file: TextIO | None = None) -> None:
        """Report a problem.

        Args:
            problem: what it is.
            text: how it reads as text; default, `str(problem)`.
            file: where the text goes; default, the standard output.
        """
        if self.form == "text":
            sys.stdout.flush()
            print(text or problem, file=file)
        self.add(problem)

    def add(self, problem: Problem) -> None:
        """Take a problem that is printed as text elsewhere."""
        self.problems.append(problem)
        if self.form == "github":
            print(_github(problem), flush=True)

    def close(self) -> None:
        """Print the document."""
        if self.form in _DOCUMENTS:
            print(_DOCUMENTS[self.form](self.problems), flush=True)


# JSON


def _json(problems: Sequence[Problem]) -> str:
    import json

    return json.dumps([_fields(problem) for problem in problems], indent=2)


def _fields(problem: Problem) -> dict[str, Any]:
    mark = problem.mark
    return {
        "level": problem.level,
        "code": problem.code,
        "file": mark.file or None,
        "line": mark.line or None,
        "column": mark.column or None,
        "path": mark.path,
        "message": problem.message,
        "hint": problem.hint,
    }


# GitHub


def _github(problem: Problem) -> str:
    """A workflow command, which GitHub shows beside the line of the file."""
    mark = problem.mark
    properties = {"file": mark.file, "line": mark.line, "col": mark.column}
    given = [f"{name}={_property(str(value))}" for name, value in properties.items() if value]
    given.append(f"title={_property(f'nngen {problem.code}')}")
    at = f"{mark.path}: " if mark.path else ""
    hint = f"\nhint: {problem.hint}" if problem.hint else ""
    return f"::{problem.level} {','.join(given)}::{_data(f'{at}{problem.message}{hint}')}"


def _inert(text: str) -> str:
    """A text in which GitHub obeys nothing: a diff or a path may look like a command."""
    if "::" not in text and "##[" not in text:
        return text
    import secrets

    token = secrets.token_hex(16)
    lines = text.removesuffix("\n")
    return f"::stop-commands::{token}\n{lines}\n::{token}::" + text[len(lines) :]


def _data(text: str) -> str:
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in escaped)


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


# SARIF


def _sarif(problems: Sequence[Problem]) -> str:
    import json

    from nngen import __version__

    rules = _rules()
    places = {rule["id"]: place for place, rule in enumerate(rules)}
    driver = {"name": "nngen", "semanticVersion": __version__, "rules": rules}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(problem, places[problem.code]) for problem in problems],
    }
    log = {
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    return json.dumps(log, indent=2)


def _rules() -> list[dict[str, Any]]:
    from nngen.lint import RULES
    from nngen.lint.explain import explanation
    from nngen.teach.pitfalls import PITFALLS

    rules = []
    for code, text in CODES.items():
        described = {"id": code, "shortDescription": {"text": text}, "help": {"text": text}}
        rules.append({**described, "defaultConfiguration": {"level": "error"}})
    for rule in RULES.values():
        described = {
            "id": rule.code,
            "shortDescription": {"text": rule.title},
            "fullDescription": {"text": rule.why},
            "help": {"text": explanation(rule.code)},
            "defaultConfiguration": {"level": "warning"},
        }
        if rule.pitfall:
            described["helpUri"] = PITFALLS[rule.pitfall].url
        rules.append(described)
    return rules


def _result(problem: Problem, rule: int) -> dict[str, Any]:
    hint = f"\n{problem.hint}" if problem.hint else ""
    result: dict[str, Any] = {
        "ruleId": problem.code,
        "ruleIndex": rule,
        "level": problem.level,
        "message": {"text": problem.message + hint},
    }
    mark = problem.mark
    if mark.file:
        place: dict[str, Any] = {"artifactLocation": {"uri": _uri(mark.file)}}
        if mark.line:
            place["region"] = {"startLine": mark.line, "startColumn": mark.column}
        location: dict[str, Any] = {"physicalLocation": place}
        if mark.path:
            location["logicalLocations"] = [{"fullyQualifiedName": mark.path}]
        result["locations"] = [location]
    return result


def _uri(file: str) -> str:
    """A path as a reference to it; a relative one stays relative."""
    from urllib.parse import quote

    path = Path(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix(), errors="surrogateescape")


_DOCUMENTS: dict[str, Callable[[Sequence[Problem]], str]] = {"json": _json, "sarif": _sarif}
