"""The twins run: a step under all conditions, and some steps of an optimizer."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from nngen.proof.bench import Bench
from nngen.proof.ledger import Seen
from nngen.proof.observe import OptimizerRefuses, see_step, see_training
from nngen.proof.settings import SGD, Adam
from nngen.proof.twin import Twin

GRAD_MODES: dict[str, Callable[[], Any]] = {
    "grad": torch.enable_grad,
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
}

OPTIMIZERS: dict[str, Callable[[nn.Module], torch.optim.Optimizer]] = {
    "SGD": lambda model: SGD(model.parameters(), lr=0.01, momentum=0.9, foreach=False),
    "Adam": lambda model: Adam(model.parameters(), foreach=False),
}


def check_steps(bench: Bench) -> None:
    """One step forward and, with grad, backward, under all conditions."""
    ledger = bench.ledger
    for mode in ("train", "eval"):
        for grad in GRAD_MODES:
            for size in bench.conditions.batch_sizes:
                _check_step(bench, mode, grad, size)
        if any(f.twin == "both" and f.where.startswith(mode) for f in ledger.findings):
            ledger.unsay(f"{mode} mode is not possible at batch size 1")
    bench.report_unread()
    seen = {row.what for row in ledger.rows if row.group.startswith("eval")}
    if bench.subject.targets is not None and "gradients" in seen and "loss" not in seen:
        ledger.note(
            "loss does not take what forward returns in eval mode: "
            "gradients there start from the outputs"
        )


def _check_step(bench: Bench, mode: str, grad: str, size: int) -> None:
    feed = bench.feed(size)

    def step(twin: Twin, model: nn.Module, seen: Seen) -> None:
        model.train(mode == "train")
        with GRAD_MODES[grad]():
            see_step(twin, model, feed, bench.seed, seen)

    # What inference_mode gives is what no_grad does.
    reading = "" if grad == "inference_mode" else f"reading, {mode}"
    impossible = f"{mode} mode is not possible at batch size 1" if size == 1 else ""
    before = len(bench.ledger.rows)
    where = f"{mode}, batch {size}, {grad}"
    bench.settle(f"{mode}, {grad}", where, step, impossible, reading=reading)
    apart = [row for row in bench.ledger.rows[before:] if not row.equal]
    if apart and apart[0].what != "exception":
        bench.find_parting(step)


def check_training(bench: Bench) -> None:
    """Some steps of SGD and of Adam: after each, the loss, the state and the optimizer's."""
    if not any(weight.requires_grad for weight in bench.models[0].parameters()):
        bench.ledger.note("no optimizer was run: the model has nothing to train")
        return
    twins = [twin for twin in bench.twins if twin.owns_state or not bench.ledger.written]
    for twin in bench.twins:
        if twin not in twins:
            written = " and ".join(bench.ledger.written)
            bench.ledger.note(
                f"torch rescales {written} in forward, and a {twin.style} model only a copy: after a step the two "
                "are not the same, so they are not compared there, and no optimizer was run"
            )
    for kind in OPTIMIZERS:
        _check_optimizer(bench, kind, twins)


def _check_optimizer(bench: Bench, kind: str, twins: Sequence[Twin]) -> None:
    """The twins go in step: what one step leaves is compared before either takes the next."""
    trained: dict[str, tuple[nn.Module, torch.optim.Optimizer]] = {}
    steps = bench.conditions.steps
    group = f"{kind}, {steps} step{'s' if steps > 1 else ''}"

    def train(twin: Twin, seen: Seen) -> None:
        if twin.style not in trained:
            model = copy.deepcopy(bench.model(twin)).train()
            trained[twin.style] = model, OPTIMIZERS[kind](model)
        see_training(twin, *trained[twin.style], feed, seed, seen)

    for number in range(1, steps + 1):
        seed = bench.seed + number - 1
        feed = bench.feed(bench.largest, seed)
        where = f"{group}, step {number}" + bench.beside
        runs = [bench.run(twin, where, train) for twin in twins]
        refused = runs[0].finding and runs[0].finding.error == OptimizerRefuses.__name__
        bench.ledger.settle(runs, group, where, f"{kind} is not possible" if refused else "")
        if any(run.finding for run in runs):
            return
