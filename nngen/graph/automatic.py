"""Names for the layers that a spec leaves unnamed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from nngen.catalog import LAYERS
from nngen.language.spec import Body, LayerStep, LineStep


def automatic_names(body: Body) -> dict[int, Iterator[str]]:
    """Names for the layers that the spec leaves unnamed, past those that it gives.

    `conv1`, `conv2`; but `relu` where there is only one, and the spec does not call it `relu1`. What has parameters or
    buffers is numbered all the same, so that no key of the state_dict changes when a layer is added.
    """
    steps = [step for step in body.layers if isinstance(step, LayerStep)]
    taken = {step.label.fixed for step in steps if step.label is not None}
    taken |= {name.text for name in body.inputs} | set(_targets(body))
    taken |= {option.name for option in body.options} | {name.text for name, _ in body.let}
    unnamed = Counter(_stem(step) for step in steps if step.label is None)
    counts: dict[str, int] = {}

    def names(step: LayerStep) -> Iterator[str]:
        stem = _stem(step)
        is_plain = step.kind in LAYERS and not LAYERS[step.kind].has_state
        if is_plain and unnamed[stem] == 1 and stem not in taken and f"{stem}1" not in body.words:
            yield stem
        while True:
            counts[stem] = counts.get(stem, 0) + 1
            if f"{stem}{counts[stem]}" not in taken:
                yield f"{stem}{counts[stem]}"

    return {
        number: names(step)
        for number, step in enumerate(body.layers)
        if isinstance(step, LayerStep)
    }


def _stem(step: LayerStep) -> str:
    return LAYERS[step.kind].prefix if step.kind in LAYERS else step.kind.lower()


def _targets(body: Body) -> Iterator[str]:
    for step in body.layers:
        line = step.line if isinstance(step, LineStep) else step.call
        if line is not None:
            yield from line.names
