"""`nngen diff`."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import sys
from pathlib import Path

from nngen.cli.shared import Verbs, large, settings, size, styles
from nngen.language.styles import side_by_side


def add(verbs: Verbs) -> None:
    """Add the verb."""
    diff = verbs.add_parser("diff", help="show the two models of a spec side by side, step by step")
    diff.add_argument("spec", type=Path, metavar="SPEC", help="a YAML model description")
    diff.add_argument(
        "-u", "--unified", action="store_true", help="a unified diff, a hunk for each step"
    )
    diff.add_argument("--fold", action="store_true", help="leave out what both have alike")
    diff.add_argument(
        "--width", type=size, metavar="COLUMNS", help="by default as wide as the terminal"
    )
    diff.add_argument(
        "--color",
        choices=("auto", "always", "never"),
        default="auto",
        help="colours; by default where there is a terminal (and no NO_COLOR)",
    )
    diff.add_argument("--no-pager", action="store_true", help="print it all at once")
    styles(diff, "the two styles to show, by default the spec's first two", number=2)
    settings(diff)
    large(diff)
    diff.set_defaults(run=_diff)


def _diff(options: argparse.Namespace) -> int:
    from rich.console import Console

    from nngen import pipeline
    from nngen.emit.styles import named
    from nngen.views.diff import WIDE, Comparison

    spec = pipeline.read(options.spec, dict(options.values)).spec
    beside = named(side_by_side(options.styles or spec.styles))
    comparison = Comparison(pipeline.Compilation(spec, styles=beside).source_map)
    if options.unified:
        _show(comparison.unified(), options.no_pager)
        return 0
    terminal = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    colours = options.color == "always" or (options.color == "auto" and terminal)
    console = Console(
        width=options.width or shutil.get_terminal_size((160, 24)).columns,
        force_terminal=colours,
        no_color=not colours,
        color_system="standard" if colours else None,
        highlight=False,
        markup=False,
        emoji=False,
    )
    with console.capture() as captured:
        layout = comparison.wide if console.width >= WIDE else comparison.narrow
        console.print(layout(options.fold))
    lines = (line.rstrip() for line in captured.get().splitlines())
    _show("".join(f"{line}\n" for line in lines), options.no_pager)
    return 0


def _show(text: str, no_pager: bool) -> None:
    """Print a text; one that is longer than the terminal goes through a pager, as git's does."""
    height = shutil.get_terminal_size().lines
    if no_pager or not sys.stdout.isatty() or text.count("\n") < height:
        print(text, end="")
        return
    import subprocess

    pager = shlex.split(os.environ.get("PAGER") or "less")
    # Quit if it fits, keep colours, leave the text on the screen: what git asks of less.
    environment = {"LESS": "FRX", "LV": "-c", **os.environ}
    try:
        subprocess.run(pager, input=text, text=True, env=environment, check=False)
    except OSError:
        print(text, end="")
