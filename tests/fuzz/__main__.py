"""Fuzzes the way from a text to a model: `python -m tests.fuzz --seconds 60`, or `--count 1000000`, or files to try again.

Prints what it found, and writes each finding's text into the folder `fuzz-findings`; exits with 1 where there is any.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from tests.fuzz.inputs import Inputs
from tests.fuzz.target import Built, Finding, bound, run

FORMATTED = 50  # one built model in so many is formatted and drawn too, which takes longest
REPORTED = 60  # seconds


def main() -> int:
    options = _options()
    bound()
    if options.files:
        outcomes = [run(path.read_bytes().decode(), thorough=True) for path in options.files]
        findings = [each for each in outcomes if isinstance(each, Finding)]
        for finding in findings:
            print(f"{finding.site}\n{finding.report}")
        return 1 if findings else 0
    return 1 if _fuzz(options) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long (default: 60)")
    parser.add_argument("--count", type=int, help="how many inputs, however long they take")
    parser.add_argument("--seed", type=int, default=0, help="where the random numbers start")
    parser.add_argument("--out", type=Path, default=Path("fuzz-findings"), help="where texts go")
    parser.add_argument("files", type=Path, nargs="*", help="inputs to try again")
    return parser.parse_args()


def _fuzz(options: argparse.Namespace) -> dict[str, Finding]:
    inputs = Inputs(options.seed)
    findings: dict[str, Finding] = {}
    kinds: set[str] = set()  # of messages, and of what models use
    count = built = 0
    start = said = time.monotonic()
    for text in _until(inputs, options.count, start + options.seconds):
        outcome = run(text, thorough=not built % FORMATTED)
        count += 1
        if isinstance(outcome, Finding):
            if outcome.site not in findings:
                _report(outcome, len(findings), options.out)
            findings.setdefault(outcome.site, outcome)
            continue
        good = isinstance(outcome, Built)
        built += good
        new = (outcome.features if isinstance(outcome, Built) else {outcome}) - kinds
        if new:
            kinds |= new
            inputs.keep(text, good)
        if time.monotonic() - said > REPORTED:
            said = time.monotonic()
            _say(count, built, len(kinds), len(findings), said - start)
    _say(count, built, len(kinds), len(findings), time.monotonic() - start)
    return findings


def _until(inputs: Iterable[str], count: int | None, end: float) -> Iterable[str]:
    for number, text in enumerate(inputs):
        if number == count or (count is None and time.monotonic() > end):
            return
        yield text


def _report(finding: Finding, number: int, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    path = folder / f"{number}.yaml"
    path.write_bytes(finding.text.encode(errors="backslashreplace"))
    print(f"{path}: {finding.site}\n{finding.report}", flush=True)


def _say(count: int, built: int, kinds: int, findings: int, seconds: float) -> None:
    print(
        f"{count:,} inputs, {built:,} built, {kinds:,} messages and names, "
        f"{findings} findings, {seconds:.0f} s",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
