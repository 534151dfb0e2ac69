"""What a step takes, gives and holds, in each of its uses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace

from nngen.errors import SpecError
from nngen.graph import Program, follow
from nngen.teach.lesson.steps import Place, Places
from nngen.views.summary import Row, Summary, summarize


def summary_of(program: Program, chosen: frozenset[str] = frozenset()) -> Summary:
    """A summary at the sizes that the spec's defaults give, where they can be followed.

    Verification runs at the sizes under `check`, which are often smaller than the model itself.

    Args:
        program: the model.
        chosen: the arguments that keep their values under `check`.
    """
    spec = program.spec
    optional = {option.name for option in spec.model.options if option.default is not None}
    optional -= chosen
    check = {name: value for name, value in spec.check.items() if name not in optional}
    if check != spec.check:
        with suppress(SpecError):
            return summarize(follow(replace(spec, check=check)))
    return summarize(program)


def uses_of(summary: Summary, places: Places) -> dict[int, list[Row]]:
    """What `nngen summary` says of the uses of each step, by the number of its place."""
    uses: dict[int, list[Row]] = defaultdict(list)

    def collect(rows: Iterable[Row], above: Place | None) -> None:
        for row in rows:
            place = above if row.mark is None else places.of(row.mark) or above
            # The copies of a repeat are one step with the list that holds them.
            if place is not None and place is not above and not row.unused:
                uses[place.number].append(row)
            collect(row.rows, place)

    collect(summary.rows, None)
    return uses
