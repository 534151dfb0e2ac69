"""What several verbs share: their arguments, and running them over specs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nngen.errors import NngenError

if TYPE_CHECKING:
    Verbs = argparse._SubParsersAction[Any]
else:
    Verbs = Any


def specs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "specs", type=Path, nargs="+", metavar="SPEC", help="a YAML model description"
    )


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
    from nngen.language import LANGUAGES

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
    from nngen import document

    try:
        node = document.parse(value, "--set")
    except NngenError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if not isinstance(node, document.Scalar):
        raise argparse.ArgumentTypeError(f"{value!r} is not one value")
    return name, node.value


def each(specs: Sequence[Path], run: Callable[[Path], int]) -> int:
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
