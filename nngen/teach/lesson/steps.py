"""The places of a spec that a page links: its steps, and the other parts that became code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from nngen.errors import Mark
from nngen.language.extents import step_path
from nngen.language.spec import Body, LayerStep, LossSteps, Spec, Step

MODEL = "model"
_STEP = re.compile(r"(?:blocks\.\w+\.(?:layers|Sequential)|(?:loss\.)?layers)\[")


@dataclass(frozen=True)
class Place:
    """A place of the spec that became code.

    Attributes:
        number: from 0, in the order of the spec; 0 is the model itself.
        id: its permalink: `layers-3-0` for the first layer in the Sequential that is the fourth step.
        path: its path; the marks of what belongs to it begin with it.
        mark: where it is.
        above: the number of the step that it stands in, or of the block.
        step: what the spec says, of a step.
        hue: the number of its colour, of a step.
    """

    number: int
    id: str
    path: str
    mark: Mark
    above: int | None = None
    step: Step | None = None
    hue: int | None = None

    @property
    def block(self) -> str:
        """The block that it is in, or is."""
        found = re.match(r"blocks\.(\w+)", self.path)
        return found[1] if found else ""


class Places:
    """All places of a spec, in its order.

    Attributes:
        all: the places; each has its number as index.
    """

    def __init__(self, spec: Spec, marks: Iterable[Mark]) -> None:
        """Find them.

        Args:
            spec: the spec.
            marks: what the source map says of the generated files.
        """
        file = spec.model.mark.file
        steps = {_path(step.mark, step): step for step in _steps(spec)}
        found = {path: step.mark for path, step in steps.items()}
        for mark in marks:
            if mark.file == file and mark.path and not _within(mark.path, steps):
                found.setdefault(step_path(mark.path), mark)
        ordered = sorted(found.items(), key=lambda each: (each[1].line, each[1].column))
        self.all = [Place(0, MODEL, "", spec.model.mark)]
        self._by_path = {"": self.all[0]}
        hues = iter(range(len(found)))
        for path, mark in ordered:
            step = steps.get(path)
            above = self._around(path)
            place = Place(
                len(self.all),
                permalink(path),
                path,
                mark,
                above.number if above.number else None,
                step,
                None if step is None else next(hues),
            )
            self.all.append(place)
            self._by_path[path] = place

    def of(self, mark: Mark) -> Place | None:
        """The place that a mark is about; none for what is in torch's own layers."""
        if mark.file != self.all[0].mark.file:
            return None
        return self._by_path.get(step_path(mark.path)) or self._around(mark.path)

    def _around(self, path: str) -> Place:
        """The innermost place whose path this one begins with."""
        while path not in self._by_path:
            path = re.sub(r"(^|[.\[])[^.\[]*$", "", path)
        return self._by_path[path]


def permalink(path: str) -> str:
    """The fragment of a place's address."""
    step = _STEP.match(path)
    if step is None:
        return re.sub(r"\W+", "-", path).strip("-")
    head = path[: step.end() - 1].replace(".", "-")
    return "-".join([head, *re.findall(r"\[(\d+)\]", path)])


def _path(mark: Mark, step: Step) -> str:
    return step_path(mark.path) if _STEP.match(mark.path) else "loss"


def _within(path: str, steps: Mapping[str, Step]) -> bool:
    return step_path(path) in steps or ("loss" in steps and path.startswith("loss"))


def _steps(spec: Spec) -> Iterator[Step]:
    for block in spec.blocks.values():
        yield from _of(block)
    yield from _of(spec.model)
    if isinstance(spec.loss, LossSteps):
        yield from _of(spec.loss.body)
    elif spec.loss is not None:
        yield spec.loss


def _of(body: Body) -> Iterator[Step]:
    for step in body.layers:
        yield step
        if isinstance(step, LayerStep):
            yield from _children(step)


def _children(step: LayerStep) -> Iterator[Step]:
    for child in step.children:
        yield child
        yield from _children(child)
