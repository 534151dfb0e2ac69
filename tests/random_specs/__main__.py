"""A long run: python -m tests.random_specs --seed 1 --count 20000 --jobs 2."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from pathlib import Path

from nngen.catalog import LAYERS
from tests.random_specs.campaign import FORMATTED, Figures, chunks, run_chunk


def main() -> int:
    """Runs, showing progress; 1 where something disagrees."""
    parser = argparse.ArgumentParser(prog="python -m tests.random_specs", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="where the drawing starts")
    parser.add_argument("--count", type=int, default=1_000, help="how many specs to draw")
    parser.add_argument("--jobs", type=int, default=1, help="how many processes")
    parser.add_argument("--minutes", type=float, help="end after so long")
    parser.add_argument(
        "--out", type=Path, default=Path("random_failures"), help="where failing specs are saved"
    )
    options = parser.parse_args()
    figures, start = Figures(), time.monotonic()
    with multiprocessing.get_context("spawn").Pool(options.jobs, maxtasksperchild=20) as pool:
        for done in pool.imap_unordered(run_chunk, chunks(options.seed, options.count)):
            for spec, wrong in done.failures:
                print(f"\n{_save(options.out, spec, wrong)}:\n{wrong}", flush=True)
            figures.add(done)
            taken = time.monotonic() - start
            print(_progress(figures, options.count, taken), flush=True)
            if options.minutes and taken > 60 * options.minutes:
                break
    print(_table(figures, time.monotonic() - start))
    return 1 if figures.failures else 0


def _save(folder: Path, spec: str, wrong: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    number = len(list(folder.glob("*.yaml"))) + 1
    path = folder / f"{number}.yaml"
    comment = "".join(f"# {line}\n" for line in wrong.splitlines())
    path.write_text(comment + spec, encoding="utf-8")
    return path


def _progress(figures: Figures, count: int, taken: float) -> str:
    return (
        f"{figures.drawn:,} of {count:,} specs in {taken:,.0f} s: {figures.checked:,} checked, "
        f"{figures.refused.total():,} refused, {len(figures.failures)} disagree"
    )


def _table(figures: Figures, taken: float) -> str:
    """The figures, and how often each layer and feature was used."""
    drawn = max(1, figures.drawn)
    lines = [
        "",
        f"specs drawn                 {figures.drawn:>8,} in {taken:,.0f} s",
        f"checked                     {figures.checked:>8,} ({figures.checked / drawn:.1%})",
        f"  formatted by black first  {figures.formatted:>8,} (one in {FORMATTED}; the others run as the templates write them)",
        f"refused by nngen            {figures.refused.total():>8,}",
        *(f"  {count:>6,}  {message[:100]}" for message, count in figures.refused.most_common(12)),
        f"disagreements               {len(figures.failures):>8,}",
        "",
        "layers, by how many of the checked specs use them:",
        *_columns({name: figures.used[name] for name in LAYERS}),
        "",
        "functions, methods and the language:",
        *_columns({name: n for name, n in sorted(figures.used.items()) if name not in LAYERS}),
    ]
    never = [name for name in LAYERS if not figures.used[name]]
    return "\n".join([*lines, "", f"layers never used: {', '.join(never) or 'none'}"])


def _columns(counts: dict[str, int]) -> list[str]:
    cells = [f"{name:<34}{count:>7,}" for name, count in counts.items()]
    return ["  " + "   ".join(cells[place : place + 3]) for place in range(0, len(cells), 3)]


if __name__ == "__main__":
    sys.exit(main())
