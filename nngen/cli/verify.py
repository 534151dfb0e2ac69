"""`nngen verify`."""

from __future__ import annotations

import argparse
import itertools
import json
from importlib.util import find_spec
from pathlib import Path

from nngen.cli.shared import Verbs, each, settings, specs
from nngen.errors import NngenError


def add(verbs: Verbs) -> None:
    """Add the verb."""
    verify = verbs.add_parser(
        "verify", help="run both models of each spec and compare them bit for bit"
    )
    specs(verify)
    verify.add_argument("--json", action="store_true", help="print the report as JSON")
    settings(verify)
    verify.add_argument(
        "--seed", type=int, default=0, help="where the random numbers start (default: %(default)s)"
    )
    verify.set_defaults(run=_verify)


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

    code = each(options.specs, run)
    if options.json:
        print(json.dumps(reports, indent=2))
    return code
