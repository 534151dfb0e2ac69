"""`nngen lesson`."""

from __future__ import annotations

import argparse
import itertools
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from nngen.cli.shared import Verbs, each, language, specs
from nngen.errors import NngenError
from nngen.packages import install

if TYPE_CHECKING:
    from nngen.proof.report import Report


def add(verbs: Verbs) -> None:
    """Add the verb."""
    lesson = verbs.add_parser(
        "lesson",
        help="write pages that show what each line of a spec became, and why it is the same",
        epilog="exit codes: 0 written; 1 the models of a spec differ; 2 an error",
    )
    specs(lesson)
    lesson.add_argument(
        "-o",
        "--out",
        type=Path,
        default=Path("site"),
        help="the folder for the pages (default: %(default)s)",
    )
    language(lesson)
    lesson.add_argument(
        "--no-verify",
        action="store_true",
        help="run nothing: pages without the proof, pitfalls without their numbers",
    )
    lesson.add_argument(
        "--seed", type=int, default=0, help="where the random numbers start (default: %(default)s)"
    )
    lesson.add_argument(
        "--playground",
        default="",
        metavar="ADDRESS",
        help="link the page of each spec to a playground there, in which it can be edited",
    )
    lesson.set_defaults(run=_lesson)


def _lesson(options: argparse.Namespace) -> int:
    if find_spec("torch") is None and not options.no_verify:
        raise NngenError(
            f"the proof and the pitfalls need torch: {install('torch')}\n"
            "  hint: `--no-verify` writes the pages without them"
        )
    from nngen import verify
    from nngen.files.paths import distinct
    from nngen.teach import pitfalls
    from nngen.teach.lesson.site import Site

    def prove(path: Path) -> Report:
        return verify(path, seed=options.seed)

    site = Site(options.out, options.lang)
    if not options.no_verify:
        from importlib.metadata import version

        site = Site(options.out, options.lang, prove, pitfalls.run, version("torch"))
    site.playground = options.playground
    given = distinct(options.specs)
    numbers = itertools.count(1)

    def write(path: Path) -> int:
        print(f"[{next(numbers)}/{len(given)}] {path}", flush=True)
        page = site.spec(path)
        return 1 if page.report and not page.report.equal else 0

    code = each(given, write)
    print("the course, the pitfalls, the index", flush=True)
    site.course()
    site.pitfalls()
    site.index()
    print(f"{options.out / 'index.html'}: written")
    return code
