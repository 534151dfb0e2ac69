"""`nngen pitfall`."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from typing import TYPE_CHECKING

from nngen.cli.shared import Verbs, language
from nngen.errors import NngenError
from nngen.packages import install

if TYPE_CHECKING:
    from nngen.teach.pitfalls import Pitfall


def add(verbs: Verbs) -> None:
    """Add the verb."""
    pitfall = verbs.add_parser(
        "pitfall", help="list what is easily done wrong in PyTorch, or run it beside what is right"
    )
    pitfall.add_argument(
        "names", nargs="*", metavar="NAME", help="a pitfall; without one, all are listed"
    )
    pitfall.add_argument("--all", action="store_true", help="run all of them")
    pitfall.add_argument("--json", action="store_true", help="print JSON")
    language(pitfall)
    pitfall.set_defaults(run=_pitfall)


def _pitfall(options: argparse.Namespace) -> int:
    from nngen.teach.pitfalls import PITFALLS, find

    chosen = list(PITFALLS.values()) if options.all else [find(name) for name in options.names]
    if chosen:
        _run(chosen, options)
    else:
        _list(options)
    return 0


def _list(options: argparse.Namespace) -> None:
    from nngen.teach.pitfalls import PITFALLS
    from nngen.teach.pitfalls.text import listing
    from nngen.teach.translations import translate

    if options.json:
        _json({each.name: translate(each.title, options.lang) for each in PITFALLS.values()})
    else:
        print(listing(options.lang))


def _run(chosen: list[Pitfall], options: argparse.Namespace) -> None:
    if find_spec("torch") is None:
        raise NngenError(f"running a pitfall needs torch: {install('torch')}")
    from nngen.teach.pitfalls import run
    from nngen.teach.pitfalls.text import as_text

    if options.json:
        _json({each.name: run(each).as_dict(options.lang) for each in chosen})
        return
    for number, each in enumerate(chosen):
        print("\n\n" * bool(number) + as_text(run(each), options.lang), flush=True)


def _json(found: dict[str, object]) -> None:
    import json

    print(json.dumps(found, indent=2, ensure_ascii=False))
