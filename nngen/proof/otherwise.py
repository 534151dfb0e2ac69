"""Twins under other circumstances than those of the check: other arguments and sizes, larger values.

At one value each, a twin that ignores an argument, or that fits one size alone, would seem equal.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn

from nngen.errors import SpecError
from nngen.graph.tensor_spec import TensorSpec
from nngen.proof.bench import Bench
from nngen.proof.ledger import Ledger, Run, Seen
from nngen.proof.observe import see_step
from nngen.proof.report import READING, Row
from nngen.proof.subject import Subject
from nngen.proof.twin import Twin
from nngen.proof.variants import Changes, changed, together, variants
from nngen.proof.witness import call_witness, read_and_built

GROUP = "other arguments"


def check_otherwise(bench: Bench) -> None:
    """Builds all models anew for other values of each argument and open size, and runs them in either mode.

    What nngen refuses, or torch with each of the models, is not a case: the next value is tried. Where none is left, the
    report says so.
    """
    fitting: dict[str, Changes] = {}
    for name, groups in variants(bench.subject):
        refusals: list[str] = []
        for attempts in groups:
            for changes in attempts:
                refusal = _tried(bench, changes)
                if not refusal:
                    fitting.setdefault(name, changes)
                    break
                refusals.append(f"{_said(changes)}: {refusal}")
        if name not in fitting:
            said = f"every value tried was refused: {refusals[0]}" if refusals else _NO_OTHER
            bench.ledger.skip(f"{GROUP}: {name}", said)
    for changes in together(bench.subject, fitting):
        _tried(bench, changes)


_NO_OTHER = "no other value of it is known to try"


def _said(changes: Changes) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in changes.items())


def _tried(bench: Bench, changes: Changes) -> str:
    """Compares models of other values; why that is not a case, if it is none."""
    try:
        subject = changed(bench.subject, changes)
    except SpecError as error:
        return error.message
    ledger, refusal = _compared(bench, subject)
    if not refusal:
        where = _said(changes) + bench.beside
        bench.ledger.findings += [
            replace(each, where=f"{each.where}, {where}") for each in ledger.findings
        ]
        bench.ledger.rows += [_renamed(row, where) for row in ledger.rows]
    return refusal


def _compared(bench: Bench, subject: Subject) -> tuple[Ledger, str]:
    """What a step in each mode shows of models built for this subject; and why that is not a case, if it is none."""
    ledger = Ledger()
    other = Bench(subject, bench.conditions, bench.seed, ledger)
    if not other.construct():
        return ledger, _refused_construction(other)
    if bench.reader is not None:
        call_witness(other)
    other.find_written()
    feed = other.feed(other.largest)
    for mode in ("train", "eval"):

        def step(twin: Twin, model: nn.Module, seen: Seen, mode: str = mode) -> None:
            with torch.set_grad_enabled(mode == "train"):
                see_step(twin, model.train(mode == "train"), feed, other.seed, seen)

        runs = [other.run_copy(twin, mode, step) for twin in other.twins]
        read = Run({}, other.unread)
        if other.reader is not None:
            read = other.run_copy(other.reader, mode, step)
        raised = runs[0].finding
        if raised and (bench.reader is None or read.finding):
            return ledger, f"{raised.error}: {raised.message}"
        if raised and all(run.finding for run in runs):
            ledger.find(replace(raised, twin="models"), f"{READING}{mode}")
            continue
        ledger.settle(runs, mode, mode)
        if bench.reader is not None:
            ledger.witness(runs[0], read, f"{READING}{mode}", mode)
    return ledger, ""


def _refused_construction(other: Bench) -> str:
    """Why twins of which one raised where it was built are no case; empty where they should have been built."""
    raised = other.ledger.findings[0]
    if raised.twin not in ("both", other.twins[0].style):
        return "a layer would be empty" if _is_empty(other) else ""
    read = read_and_built(other)
    if read is None or read.finding:
        return f"{raised.error}: {raised.message}"
    if raised.twin == "both":
        other.ledger.find(replace(raised, twin="models"), f"{READING}construction")
    return ""


def _is_empty(bench: Bench) -> bool:
    """Whether a size of the nn twin came out as 0: torch's layers then hold nothing, and no formula draws it."""
    parameters = bench.twins[0].build(bench.subject.arguments).parameters()
    return any(parameter.numel() == 0 for parameter in parameters)


def _renamed(row: Row, where: str) -> Row:
    group = f"{READING}{GROUP}" if row.group.startswith(READING) else GROUP
    return replace(row, group=group, where=f"{row.where}, {where}")


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
