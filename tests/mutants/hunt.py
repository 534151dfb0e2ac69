"""Chooses mutants over the specs, tries them, and counts."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

from tests.mutants import arguments, both, construction, flow, layers, renaming, state, stateless
from tests.mutants.equivalent import reason
from tests.mutants.source import FAULTS, FUNCTIONAL, Edits
from tests.mutants.trial import (
    CHECKS,
    Mutant,
    Outcome,
    built,
    difference,
    mutant_at,
    source_of,
    tried,
)

__all__ = ["FAULTS", "Tally", "choose", "default_specs", "table", "try_all"]

FAMILIES = (construction, state, arguments, flow, renaming, layers, both, stateless)
WORK = 250_000  # characters of twins to run: a long one gives fewer mutants
REPOSITORY = Path(__file__).parent.parent.parent


@dataclass
class Tally:
    """What became of the mutants of one fault.

    Args:
        fault: its name.
        sites: how many places it applies to.
        chosen: the mutants that were tried.
        equivalent: how many of the chosen are no faults, and were not tried.
        outcomes: what verification said.
    """

    fault: str
    sites: int = 0
    chosen: list[Mutant] = field(default_factory=list)
    equivalent: int = 0
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def killed(self) -> int:
        """How many verification caught."""
        return sum(bool(outcome.check) for outcome in self.outcomes)


def default_specs() -> list[str]:
    """The collection, and the small specs that hold what it lacks."""
    folders = (REPOSITORY / "specs", Path(__file__).parent / "specs")
    return [str(path) for folder in folders for path in sorted(folder.glob("*.yaml"))]


def choose(specs: Sequence[str], faults: Iterable[str], sites: int, seed: int) -> dict[str, Tally]:
    """Some mutants of each spec, drawn from the seed.

    Args:
        specs: the paths of the specs.
        faults: the names of the faults.
        sites: how many of a fault in a spec, at most; a long spec gives fewer in all.
        seed: where the choice comes from.
    """
    tallies = {name: Tally(name) for name in faults}
    for spec in specs:
        draw = random.Random(f"{seed} {Path(spec).stem}")
        drawn: list[tuple[str, Edits]] = []
        for name, tally in tallies.items():
            found = list(FAULTS[name].find(source := source_of(spec, FAULTS[name].file)))
            real = [e for e in found if not reason(name, Path(spec).stem, source.told(e))]
            tally.sites += len(found)
            tally.equivalent += len(found) - len(real)
            drawn += [(name, edits) for edits in draw.sample(real, min(sites, len(real)))]
        most = max(sites * WORK // len(built(spec)[1][FUNCTIONAL]), len(tallies) // 8, 1)
        for name, edits in draw.sample(drawn, min(most, len(drawn))):
            tallies[name].chosen.append(mutant_at(spec, FAULTS[name], edits))
    return tallies


def try_all(tallies: dict[str, Tally], jobs: int, seed: int) -> Iterator[Outcome]:
    """Tries every mutant that was chosen, the specs in turn, and enters what was said."""
    chosen = [mutant for tally in tallies.values() for mutant in tally.chosen]
    chosen.sort(key=lambda mutant: mutant.spec)
    for outcome in _tried(chosen, jobs, seed):
        tallies[outcome.mutant.fault].outcomes.append(outcome)
        yield outcome


def _tried(chosen: list[Mutant], jobs: int, seed: int) -> Iterator[Outcome]:
    if jobs == 1:
        yield from (tried(mutant, seed) for mutant in chosen)
        return
    while chosen:
        done = 0
        try:
            with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
                for future in [pool.submit(tried, mutant, seed) for mutant in chosen]:
                    yield future.result()
                    done += 1
        except BrokenProcessPool:
            suspects = chosen[done : done + 2 * jobs]
            yield from (_alone(mutant, seed) for mutant in suspects)
            done += len(suspects)
        chosen = chosen[done:]


def _alone(mutant: Mutant, seed: int) -> Outcome:
    """Tries a mutant in a process of its own: torch may end it where an argument is wrong."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        try:
            return pool.submit(tried, mutant, seed).result()
        except BrokenProcessPool:
            return Outcome(mutant, "exception", "the process ends")


def table(tallies: dict[str, Tally]) -> str:
    """A line for each fault: sites, mutants, killed, and how often each check was the first."""
    lines = [["fault", "sites", "tried", "killed", "caught first by"]]
    for tally in tallies.values():
        by = {check: 0 for check in CHECKS}
        for outcome in tally.outcomes:
            if outcome.check:
                by[outcome.check] += 1
        firsts = ", ".join(f"{check} {n}" for check, n in by.items() if n)
        counts = (tally.sites, len(tally.outcomes), tally.killed)
        lines.append([tally.fault, *(f"{count:,}" for count in counts), firsts])
    widths = [max(len(line[i]) for line in lines) for i in range(4)]
    return "\n".join(
        "  ".join(
            [line[0].ljust(widths[0]), *(line[i].rjust(widths[i]) for i in (1, 2, 3)), line[4]]
        )
        for line in lines
    )


def survivors(tallies: dict[str, Tally]) -> Iterator[str]:
    """What each survivor changes."""
    for tally in tallies.values():
        for outcome in tally.outcomes:
            if not outcome.check:
                yield f"{tally.fault} ({FAULTS[tally.fault].says})\n{difference(outcome.mutant)}"
