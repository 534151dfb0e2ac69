"""How building grows with a spec's length: user time and memory for flat specs of 1,000 and of 10,000 layers.

.venv/bin/python benchmarks/scale.py            the table, each length in a process of its own
.venv/bin/python benchmarks/scale.py 1000       where the time goes for one length, by cProfile
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from nngen import limits

LENGTHS = (1_000, 2_000, 5_000, 10_000)
CHAIN = ("Linear: 16", "ReLU", "LayerNorm", "Dropout: 0.1", "y = {above} + 1", "GELU")
SHAPES = ("chain", "named", "lines")


def spec(layers: int, shape: str) -> str:
    """A flat spec: a chain of unnamed layers, one of named layers, or one in which lines read what is above."""
    steps = []
    for number in range(layers):
        if shape == "lines" and number % 4 == 3:
            steps.append(f"x{number} = layer{number - 1} + layer{number - 2}")
            continue
        kind, _, value = CHAIN[number % 3 if shape == "lines" else number % 4].partition(": ")
        label = "" if shape == "chain" else f" as layer{number}"
        steps.append(f"{kind}{label}" + (f": {value}" if value else ""))
    return "\n".join(["name: Deep", "input: [16]", "layers:", *(f"  - {step}" for step in steps)])


def build(path: Path) -> dict[str, float]:
    """Build in this process: seconds of user time for each part, and the peak of memory in MiB."""
    from nngen.emit import build_graph, render
    from nngen.language import document
    from nngen.language import spec as specs

    taken: dict[str, float] = {}
    start = time.process_time()
    node = document.read(path)
    taken["YAML"], start = time.process_time() - start, time.process_time()
    read = specs.from_node(node, path.name)
    taken["spec"], start = time.process_time() - start, time.process_time()
    graph = build_graph(read)
    taken["graph"], start = time.process_time() - start, time.process_time()
    files = render.render(graph)
    taken["templates, black"] = time.process_time() - start
    taken["all"] = sum(taken.values())
    taken["MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    taken["lines"] = sum(text.count("\n") for text in files.values())
    return taken


def main() -> None:
    """Print the table, or one profile."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("layers", type=int, nargs="?", help="profile this many layers")
    parser.add_argument("--shape", choices=SHAPES, help="one shape of spec only")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        with tempfile.TemporaryDirectory() as folder, limits.large():
            path = Path(folder) / "deep.yaml"
            path.write_text(spec(options.layers, options.shape))
            print(*(f"{value:.2f}" for value in build(path).values()))
    elif options.layers:
        _profile(options.layers, options.shape or "chain")
    else:
        _table([options.shape] if options.shape else list(SHAPES))


def _profile(layers: int, shape: str) -> None:
    with tempfile.TemporaryDirectory() as folder, limits.large():
        path = Path(folder) / "deep.yaml"
        path.write_text(spec(layers, shape))
        profile = cProfile.Profile()
        profile.runcall(build, path)
        pstats.Stats(profile).sort_stats("cumulative").print_stats(45)


def _table(shapes: list[str]) -> None:
    names = ("YAML", "spec", "graph", "templates, black", "all", "MiB", "lines")
    print(f"{'shape':8}{'layers':>8}" + "".join(f"{name:>18}" for name in names), flush=True)
    for shape in shapes:
        for layers in LENGTHS:
            command = [sys.executable, __file__, str(layers), "--shape", shape, "--one"]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            cells = "".join(f"{cell:>18}" for cell in done.stdout.split())
            print(f"{shape:8}{layers:>8}{cells}", flush=True)


if __name__ == "__main__":
    main()
