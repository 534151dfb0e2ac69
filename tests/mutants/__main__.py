"""`python -m tests.mutants`: puts faults into twins, and prints how many `verify` catches."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from tests.mutants.hunt import FAULTS, choose, default_specs, survivors, table, try_all


def main() -> int:
    """Runs the hunt; 0 where no mutant survives."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--specs", nargs="+", metavar="SPEC", help="specs (default: all)")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="faults (default: all)")
    parser.add_argument(
        "--sites", type=int, default=1, help="mutants of a fault in one spec, at most"
    )
    parser.add_argument("--seed", type=int, default=0, help="where the choice of sites starts")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    options = parser.parse_args()
    unknown = sorted(set(options.only or ()) - set(FAULTS))
    if unknown:
        parser.error(f"no such fault: {', '.join(unknown)}; there are {', '.join(FAULTS)}")
    specs = options.specs or default_specs()
    started = time.monotonic()
    tallies = choose(specs, options.only or FAULTS, options.sites, options.seed)
    total = sum(len(tally.chosen) for tally in tallies.values())
    for number, outcome in enumerate(try_all(tallies, options.jobs, options.seed), start=1):
        if not outcome.check:
            print(f"survives: {outcome.mutant.fault} at {outcome.mutant.place}", flush=True)
        elif number % 250 == 0:
            print(f"{number:,} of {total:,}: {Path(outcome.mutant.spec).stem}", flush=True)
    print(f"\n{table(tallies)}\n")
    for text in survivors(tallies):
        print(f"survives: {text}\n")
    killed = sum(tally.killed for tally in tallies.values())
    sites = sum(tally.sites for tally in tallies.values())
    equivalent = sum(tally.equivalent for tally in tallies.values())
    print(
        f"{len(tallies)} faults, {len(specs)} specs, {sites:,} sites ({equivalent:,} equivalent); "
        f"killed {killed:,} of {total:,} mutants: {100 * killed / max(1, total):.2f} %, "
        f"in {time.monotonic() - started:,.0f} s"
    )
    return 0 if killed == total else 1


if __name__ == "__main__":
    sys.exit(main())
