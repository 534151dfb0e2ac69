"""Twins under other circumstances than those of the check: other arguments and sizes, larger values.

At one value each, a twin that ignores an argument, or that fits one size alone, would seem equal.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from nngen.proof.bench import Bench
from nngen.proof.feed import OPEN_SIZE
from nngen.proof.ledger import Ledger, Seen
from nngen.proof.observe import see_step
from nngen.proof.twin import Twin
from nngen.report import Row
from nngen.subject import Subject, TensorSpec

GROUP = "other arguments"


def check_otherwise(bench: Bench) -> None:
    """Builds both twins anew for each value, and runs them in train and in eval mode.

    What the nn twin refuses is no case: the next value is tried.
    """
    for attempts in _variants(bench.subject):
        for where, subject in attempts:
            ledger, refused = _compared(bench, subject)
            if not refused:
                bench.ledger.findings += ledger.findings
                break
            ledger.rows = [row for row in ledger.rows if row.what != "exception"]
        bench.ledger.rows += [_renamed(row, where + bench.beside) for row in ledger.rows]


def _compared(bench: Bench, subject: Subject) -> tuple[Ledger, bool]:
    """What a step in each mode shows of twins built for this subject, and whether the nn twin refused it."""
    ledger = Ledger()
    other = Bench(subject, bench.conditions, bench.seed, ledger)
    constructed = other.construct()
    if constructed:
        feed = other.feed(other.largest)
        for mode in ("train", "eval"):

            def step(twin: Twin, model: nn.Module, seen: Seen, mode: str = mode) -> None:
                with torch.set_grad_enabled(mode == "train"):
                    see_step(twin, model.train(mode == "train"), feed, other.seed, seen)

            other.settle(mode, mode, step)
    refused = any(finding.twin != "functional" for finding in ledger.findings)
    return ledger, refused or not constructed and _is_empty(other)


def _is_empty(bench: Bench) -> bool:
    """Whether a size of the nn twin came out as 0: torch's layers then hold nothing, and no formula draws it."""
    parameters = bench.twins[0].build(bench.subject.arguments).parameters()
    return any(parameter.numel() == 0 for parameter in parameters)


def _renamed(row: Row, where: str) -> Row:
    return replace(row, group=GROUP, where=f"{row.where}, {where}")


def _variants(subject: Subject) -> Iterator[list[tuple[str, Subject]]]:
    """For each argument and open size: other values, in the order to try them."""
    for name, value in subject.arguments.items():
        if others := _others(value):
            yield [
                (f"{name}={other}", replace(subject, arguments={**subject.arguments, name: other}))
                for other in others
            ]
    for name, size in _open_sizes(subject).items():
        for first in _odd(size):
            yield [
                (f"{name}={other}", replace(subject, sizes={**subject.sizes, name: other}))
                for other in (first, *_others(size))
            ]


def _others(value: Any) -> tuple[Any, ...]:
    if isinstance(value, bool):
        return (not value,)
    if isinstance(value, int):
        return (value + 1, 2 * value)  # the second keeps what must divide it
    if isinstance(value, float):
        return (value / 2 if value else 0.25,)
    if isinstance(value, (tuple, list)) and any(map(_others, value)):
        return tuple(map(type(value), zip(*(_others(each) or (each, each) for each in value))))
    return ()


def _odd(size: int) -> tuple[int, int]:
    """Larger sizes that halving leaves odd again and again, so that each pooling rounds: 63 and 65 for 32.

    The first where halves are rounded down, the second where strided convolutions round them up.
    """
    return (1 << (size + 1).bit_length()) - 1, (1 << size.bit_length()) + 1


def _open_sizes(subject: Subject) -> dict[str, int]:
    texts = [
        size
        for spec in (*subject.inputs, *(subject.targets or ()))
        for size in spec.shape
        if isinstance(size, str)
    ]
    names = {
        node.id: None
        for text in texts
        for node in ast.walk(ast.parse(text, mode="eval"))
        if isinstance(node, ast.Name) and node.id not in {"N", *subject.arguments}
    }
    return {name: subject.sizes.get(name, OPEN_SIZE) for name in names}


def check_scaled(bench: Bench) -> None:
    """Steps with larger and with smaller values.

    The larger ones reach the bounds that some functions have, such as ReLU6; beside the
    smaller ones the eps of a norm is large, too.
    """
    _check_scaled(bench, "larger values", 32)
    _check_scaled(bench, "smaller values", 2**-20)


def _check_scaled(bench: Bench, group: str, factor: float) -> None:
    specs = {spec.name: spec for spec in bench.subject.inputs}
    feed = bench.feed(bench.largest)
    scaled = {
        name: factor * tensor if tensor.is_floating_point() and _is_free(specs[name]) else tensor
        for name, tensor in feed.inputs.items()
    }
    feed = replace(feed, inputs=scaled)
    for mode in ("train", "eval"):

        def step(twin: Twin, model: nn.Module, seen: Seen, mode: str = mode) -> None:
            _scale(model, factor)
            see_step(twin, model.train(mode == "train"), feed, bench.seed, seen)

        # What overflows here tells nothing of the model, so its NaNs are not counted.
        ledger = bench.ledger
        counted = ledger.outputs, ledger.nans
        bench.settle(group, f"{group}, {mode}", step, f"{group} are not possible")
        ledger.outputs, ledger.nans = counted


def _scale(model: nn.Module, factor: float) -> None:
    """Scales the parameters; products of many large matrices would overflow, so these stay."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.is_floating_point() and (factor < 1 or parameter.dim() < 2):
                parameter.mul_(factor)


def _is_free(spec: TensorSpec) -> bool:
    """Whether an input may be of any size."""
    return spec.kind == "normal" and spec.below is None
