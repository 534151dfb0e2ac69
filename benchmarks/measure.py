"""Interleaved measurements, and their tables in Markdown.

Candidates take turns, round after round, each round beginning with another: what else the machine does meets them all.
A ratio is the median of the rounds' ratios.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Time:
    """Seconds of wall-clock time and of CPU time, which another process on the machine lengthens less."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Run(Time):
    """What a process took, and the most memory it had, in MiB."""

    memory: float


def process(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Run:
    """Run a command to its end. The memory of the calling process is a floor under what it reports.

    Raises:
        subprocess.CalledProcessError: it fails.
    """
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        child = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
        _, status, used = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            output.seek(0)
            raise subprocess.CalledProcessError(
                child.returncode, command, output.read().decode(errors="replace")
            )
    return Run(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def in_turn(names: Sequence[T]) -> Iterator[Sequence[T]]:
    """The names, round after round without end, each round beginning with the next."""
    for place in count():
        first = place % len(names)
        yield [*names[first:], *names[:first]]


def timed(
    calls: Mapping[str, Callable[[], object]], seconds: float, fewest: int = 5
) -> dict[str, list[Time]]:
    """What a call takes, by name, one sample a round.

    Args:
        calls: what to call.
        seconds: when to stop, though not before `fewest` rounds.
        fewest: that many rounds at least.
    """
    repeats = {name: _repeats(call) for name, call in calls.items()}
    samples: dict[str, list[Time]] = {name: [] for name in calls}
    end = time.perf_counter() + seconds
    for done, order in enumerate(in_turn([*calls])):
        if done >= fewest and time.perf_counter() > end:
            break
        for name in order:
            samples[name].append(_time(calls[name], repeats[name]))
    return samples


def ratio(mine: Iterable[float], other: Iterable[float]) -> float:
    """What one takes in terms of what another takes, round by round."""
    return statistics.median(one / two for one, two in zip(mine, other, strict=True))


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first are right-aligned."""
    rules = ["---", *("---:" for _ in header[1:])]
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, rules, *rows))


def _repeats(call: Callable[[], object], least: float = 0.002) -> int:
    """How many calls in a row outweigh the clock."""
    call()
    return max(1, int(least / _time(call, 1).cpu))


def _time(call: Callable[[], object], repeats: int) -> Time:
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(repeats):
        call()
    return Time(
        (time.perf_counter() - wall) / repeats, max(time.process_time() - cpu, 1e-9) / repeats
    )
