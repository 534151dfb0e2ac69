"""nngen and its models beside others, in one run; `make benchmark` sets up what it needs.

python -m benchmarks.peers --peer .venv-peer > table.md
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from benchmarks.commands import Place, build_table, verify_table
from nngen.packages import DISTRIBUTION


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", type=Path, required=True, help="structcast-model's environment")
    parser.add_argument("--rounds", type=int, default=15, help="runs of each command")
    parser.add_argument("--seconds", type=float, default=8, help="for each way to run a model")
    options = parser.parse_args()
    print(_conditions(options.peer), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder))
        print("\n## Building\n\n" + build_table(place, options.peer, options.rounds), flush=True)
        print("\n## Verifying\n\n" + verify_table(place, options.rounds), flush=True)
        print("\n## Running\n", flush=True)
        # In a process of its own: what this one has in memory would be a floor under what commands report.
        line = [sys.executable, "-m", "benchmarks.running", "--seconds", str(options.seconds)]
        subprocess.run([*line, "--scripts", folder], check=True)
    print(f"Load at the end: {_load()}.")


def _conditions(peer: Path) -> str:
    names = (DISTRIBUTION, "torch", "black")
    tools = ", ".join(f"{name} {version(name)}" for name in names)
    line = [str(peer / "bin" / "python"), "-c", _VERSION]
    theirs = subprocess.run(line, check=True, capture_output=True, text=True).stdout.strip()
    return (
        f"Python {platform.python_version()}, {tools}, structcast-model {theirs}; "
        f"{os.cpu_count()} CPUs; load at the start: {_load()}."
    )


def _load() -> str:
    return ", ".join(f"{each:.1f}" for each in os.getloadavg())


_VERSION = "from importlib.metadata import version; print(version('structcast-model'))"

if __name__ == "__main__":
    main()
