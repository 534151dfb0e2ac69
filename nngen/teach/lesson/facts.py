"""What a step takes, gives and holds, in each of its uses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from nngen.errors import SpecError
from nngen.graph import Program, follow
from nngen.language.spec import LineStep, Spec
from nngen.teach.lesson.steps import Place, Places
from nngen.views.summary import Row, Summary, summarize
from nngen.views.summary.rows import Shapes


@dataclass(frozen=True)
class Use:
    """One use of a step.

    Attributes:
        inputs: the shapes of the values that it takes.
        row: what `nngen summary` says about it.
    """

    inputs: Shapes
    row: Row


def summary_of(program: Program) -> Summary:
    """A summary at the sizes that the spec's defaults give, where they can be followed.

    Verification runs at the sizes under `check`, which are often smaller than the model itself.
    """
    spec = program.spec
    optional = {option.name for option in spec.model.options if option.default is not None}
    check = {name: value for name, value in spec.check.items() if name not in optional}
    if check != spec.check:
        with suppress(SpecError):
            return summarize(follow(replace(spec, check=check)))
    return summarize(program)


def uses_of(spec: Spec, summary: Summary, places: Places) -> dict[int, list[Use]]:
    """The uses of each step, by the number of its place."""
    collector = _Collector(spec, places)
    collector.collect(summary.rows, summary.inputs)
    return collector.uses


class _Collector:
    def __init__(self, spec: Spec, places: Places) -> None:
        self.spec = spec
        self.places = places
        self.uses: dict[int, list[Use]] = defaultdict(list)

    def collect(
        self, rows: Iterable[Row], given: Mapping[str, Shapes], above: Place | None = None
    ) -> None:
        values = dict(given)
        for row in rows:
            taken = [values.get(name, []) for name in row.inputs]
            place = above if row.mark is None else self.places.of(row.mark) or above
            # The copies of a repeat are one step with the list that holds them.
            if place is not None and place is not above and not row.unused:
                shapes = [shape for each in taken for shape in each]
                self.uses[place.number].append(Use(shapes, row))
            block = self.spec.blocks.get(row.layer)
            names = (name.text for name in block.inputs) if block else row.inputs
            self.collect(row.rows, dict(zip(names, taken)), place)
            step = None if place is None else place.step
            bound = step.line.names if isinstance(step, LineStep) else (row.name,)
            several = len(bound) == len(row.output)
            values.update(
                zip(bound, [[shape] for shape in row.output]) if several else {bound[0]: row.output}
            )
