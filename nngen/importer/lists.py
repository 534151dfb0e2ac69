"""The items of an nn.ModuleList that are called one right after the other, and are alike, are one repeated step."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from torch import nn

from nngen.importer.fold import Chain, Piece
from nngen.importer.sketch import LayerStep, LineStep, Sketch, StateStep, value_name


def joined(sketch: Sketch, pieces: list[Piece], module: nn.Module) -> tuple[Sketch, list[Piece]]:
    """A sketch and what its steps build, with such items as one; other items stay steps of their own."""
    found = Sketch(sketch.inputs, [], sketch.outputs)
    built: list[Piece] = []
    left = list(pieces)
    steps = list(sketch.steps)
    while steps:
        run = _run(steps, left, module)
        if run > 1:
            owner, _, _ = steps[0].target.rpartition(".")  # type: ignore[union-attr]
            last = value_name(steps[run - 1].target)  # type: ignore[union-attr]
            others = [_renamed(step, last, value_name(owner)) for step in steps[run:]]
            found.steps.append(replace(steps[0], target=owner))  # type: ignore[arg-type]
            found.outputs = _put(found.outputs, last, value_name(owner))
            built.append(Chain([None] * run, left[:run], is_list=True))
            steps, left = others, left[run:]
            continue
        step = steps.pop(0)
        found.steps.append(step)
        if isinstance(step, LayerStep):
            built.append(left.pop(0))
    return found, built


def _run(steps: list[Any], pieces: list[Piece], module: nn.Module) -> int:
    """How many steps from here on are the alike items of a list, called in turn; 0 where they are not all of them."""
    first = steps[0]
    owner, dot, item = first.target.rpartition(".") if isinstance(first, LayerStep) else ("",) * 3
    items = module.get_submodule(owner) if dot else None
    if not isinstance(items, nn.ModuleList) or item != "0" or first.call:
        return 0
    number = len(items)
    run, after = steps[:number], steps[number:]
    names = [step.target if isinstance(step, LayerStep) else "" for step in run]
    if names != [f"{owner}.{place}" for place in range(number)]:
        return 0
    if any(step.sources is not None or step.call for step in run[1:]):
        return 0
    forms = [
        (piece.signature, [value for _, value, _ in piece.slots()]) for piece in pieces[:number]
    ]
    if any(form != forms[0] for form in forms):
        return 0
    # What comes later must not ask for one of those in the middle.
    inner = "|".join(re.escape(value_name(name)) for name in names[:-1]) or "^$"
    texts = " ".join(map(repr, after))
    return 0 if re.search(rf"\b({inner})\b", texts) else number


def _renamed(step: Any, old: str, new: str) -> Any:
    if isinstance(step, LineStep):
        return replace(step, code=_put(step.code, old, new))
    if isinstance(step, StateStep):
        return step
    sources = None if step.sources is None else [_put(each, old, new) for each in step.sources]
    return replace(step, sources=sources, call=_put(step.call, old, new))


def _put(value: Any, old: str, new: str) -> Any:
    """A name in the place of another, wherever it stands."""
    if isinstance(value, str):
        return re.sub(rf"\b{re.escape(old)}\b", new, value)
    if isinstance(value, list):
        return [_put(each, old, new) for each in value]
    if isinstance(value, dict):
        return {key: _put(each, old, new) for key, each in value.items()}
    return value
