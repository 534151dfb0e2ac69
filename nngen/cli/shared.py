"""What several verbs share: their arguments, and running them over specs."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nngen.cli.reporting import Reporter
from nngen.errors import Fault, NngenError
from nngen.language.styles import FILES, refuse_wrong

if TYPE_CHECKING:
    Verbs = argparse._SubParsersAction[Any]
else:
    Verbs = Any


def specs(parser: argparse.ArgumentParser) -> None:
    paths(parser)
    large(parser)


def paths(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "specs", type=Path, nargs="+", metavar="SPEC", help="a YAML model description"
    )


def large(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--large",
        action="store_true",
        help="allow specs that ask for far more than most networks do; for those that you trust",
    )


def styles(parser: argparse.ArgumentParser, purpose: str, number: int = 0) -> None:
    """Add `--styles`, for so many of them, or for any number."""

    def given(text: str) -> tuple[str, ...]:
        names = _styles(text)
        if number and len(names) != number:
            raise argparse.ArgumentTypeError(f"{text!r} is not the names of {number} styles")
        return names

    parser.add_argument(
        "--styles", type=given, metavar="NAME,NAME", help=f"{purpose}; of {', '.join(FILES)}"
    )


def _styles(text: str) -> tuple[str, ...]:
    """`nn,functional` as names of styles."""
    names: list[str] = []
    for name in text.split(","):
        try:
            refuse_wrong(name.strip(), names)
        except Fault as fault:
            raise argparse.ArgumentTypeError(f"{fault.message}; {fault.hint}") from None
        names.append(name.strip())
    return tuple(names)


def settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--set",
        dest="values",
        type=setting,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a constructor argument, or a size that the spec leaves open",
    )


def language(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--lang",
        type=_language,
        default="en",
        metavar="LANGUAGE",
        help="the language of the prose: en or zh (default: %(default)s)",
    )


def _language(code: str) -> str:
    from nngen.teach.translations import LANGUAGES

    if code not in LANGUAGES:
        raise argparse.ArgumentTypeError(f"{code!r} is none of {', '.join(LANGUAGES)}")
    return code


def size(text: str) -> int:
    return count(text, least=1)


def count(text: str, least: int = 0) -> int:
    if not text.isdecimal() or not least <= int(text) < 2**40:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {least}")
    return int(text)


def setting(text: str) -> tuple[str, object]:
    """`vocab=100` as a name and a value, read as YAML reads it."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=VALUE")
    from nngen.language import document

    try:
        node = document.parse(value, "--set")
    except NngenError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if not isinstance(node, document.Scalar):
        raise argparse.ArgumentTypeError(f"{value!r} is not one value")
    return name, node.value


def each(specs: Sequence[Path], run: Callable[[Path], int], report: Reporter | None = None) -> int:
    """Run all specs, whatever becomes of one; the highest of their exit codes."""
    report = report or Reporter()
    codes = []
    for path in specs:
        try:
            codes.append(run(path))
        except NngenError as error:
            report.error(error, path)
            codes.append(2)
    return max(codes)
