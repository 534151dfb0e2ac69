"""Runs two twins side by side and compares them bit for bit; all of it imports torch.

`settings` settles torch, `feed` draws batches, `twin` knows one twin, `observe` runs it,
`bits` compares two values, `ledger` keeps what was compared; here stands what is run.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from nngen.proof.feed import Feed, draw_feed
from nngen.proof.flow import Recorder, parting
from nngen.proof.ledger import Ledger, Run, Seen
from nngen.proof.observe import (
    OptimizerRefuses,
    see_names,
    see_outputs,
    see_random,
    see_state,
    see_step,
    see_training,
)
from nngen.proof.settings import SGD, Adam, seed_random, settled
from nngen.proof.twin import Twin
from nngen.report import Report
from nngen.subject import Subject

__all__ = ["verify"]

Act = Callable[[Twin, nn.Module, Seen], None]

GRAD_MODES: dict[str, Callable[[], Any]] = {
    "grad": torch.enable_grad,
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
}


def verify(
    subject: Subject,
    *,
    seed: int = 0,
    steps: int = 3,
    batch_sizes: Sequence[int] = (1, 4),
) -> Report:
    """Compares two twins bit for bit; torch's global state is afterwards what it was.

    An exception in a twin is not raised, but a finding of the report.

    Args:
        subject: the twins, and what to feed them.
        seed: where every random number comes from.
        steps: how many steps each optimizer takes.
        batch_sizes: the sizes to go forward and backward with; the largest serves the
            optimizers and the checkpoints.

    Raises:
        ValueError: a batch size or the number of steps is below 1, or there is no size.
    """
    if steps < 1 or not batch_sizes or min(batch_sizes) < 1:
        sizes = tuple(batch_sizes)
        raise ValueError(f"nothing to run: steps={steps}, batch_sizes={sizes}")
    with settled():
        bench = _Bench(subject, seed)
        if bench.construct():
            bench.level(max(batch_sizes))
            bench.check_steps(batch_sizes)
            bench.check_training(max(batch_sizes), steps)
            bench.check_checkpoints(max(batch_sizes))
        ledger = bench.ledger
        ledger.close()
    return Report(
        name=subject.name,
        rows=tuple(ledger.rows),
        findings=tuple(ledger.findings),
        notes=tuple(ledger.said),
        parting=bench.parting,
        seed=seed,
        steps=steps,
        batch_sizes=tuple(batch_sizes),
        torch_version=str(torch.__version__),
    )


class _Bench:
    """Two twins, side by side, and what was compared so far."""

    def __init__(self, subject: Subject, seed: int) -> None:
        self.subject = subject
        self.seed = seed
        self.ledger = Ledger()
        self.twins = (
            Twin("nn", subject.nn_style, subject.name),
            Twin("functional", subject.functional_style, subject.name),
        )
        self.models: tuple[nn.Module, ...] = ()
        self.parting: tuple[str, ...] = ()

    def construct(self) -> bool:
        """Builds both twins from one seed and compares them; whether there are two."""
        models: list[nn.Module] = []

        def build(twin: Twin, seen: Seen) -> None:
            models.append(twin.build(self.subject.arguments))
            see_random(seen)

        group = "construction"
        runs = [self._run(twin, group, build) for twin in self.twins]
        if not any(run.finding for run in runs):
            self.models = tuple(models)
            runs[1] = self._pair_names(runs[1], group)
        if any(run.finding for run in runs):
            self.ledger.settle(runs, group, group)
            return False
        for run, twin, model in zip(runs, self.twins, self.models, strict=True):
            random = run.seen.pop("random")
            see_names(twin, model, run.seen)
            see_state(twin, model, run.seen)
            run.seen["random"] = random
        self.ledger.settle(runs, group, group)
        return True

    def level(self, batch: int) -> None:
        """Gives both twins one state in which hardly two tensors are alike.

        As constructed, a batch norm's weight is all ones and its bias all zeros: to leave
        them out, or to mix up two of them, would show in no output.
        """
        nn_twin, functional_twin = self.twins
        nn_model, functional_model = self.models
        generator = torch.Generator().manual_seed(self.seed)
        with torch.no_grad():
            for weight in nn_model.parameters():
                if weight.is_floating_point() and weight.requires_grad:
                    shape, dtype = weight.shape, weight.dtype
                    draw = torch.rand(shape, generator=generator, dtype=dtype)
                    weight.add_(0.01 * draw)

            def warm_up(twin: Twin, seen: Seen) -> None:
                see_outputs(nn_model.train(), self._feed(batch), seen)

            self._run(nn_twin, "", warm_up)  # what it raises, check_steps will report
            there = dict(functional_twin.state(functional_model))
            for name, tensor in nn_twin.state(nn_model):
                if name in there and there[name].shape == tensor.shape:
                    there[name].copy_(tensor)

    def check_steps(self, batch_sizes: Sequence[int]) -> None:
        """One step forward and, with grad, backward, under all conditions."""
        for mode in ("train", "eval"):
            for grad in GRAD_MODES:
                for size in batch_sizes:
                    self._check_step(mode, grad, size)
            findings = self.ledger.findings
            if any(f.twin == "both" and f.where.startswith(mode) for f in findings):
                self.ledger.unsay(f"{mode} mode is not possible at batch size 1")
        seen = {row.what for row in self.ledger.rows if row.group.startswith("eval")}
        if self.subject.targets is not None and "gradients" in seen and "loss" not in seen:
            self.ledger.note(
                "loss does not take what forward returns in eval mode: "
                "gradients there start from the outputs"
            )

    def _check_step(self, mode: str, grad: str, size: int) -> None:
        feed = self._feed(size)

        def step(twin: Twin, model: nn.Module, seen: Seen) -> None:
            model.train(mode == "train")
            with GRAD_MODES[grad]():
                see_step(twin, model, feed, self.seed, seen)

        impossible = f"{mode} mode is not possible at batch size 1" if size == 1 else ""
        where = f"{mode}, batch {size}, {grad}"
        before = len(self.ledger.rows)
        self._settle(f"{mode}, {grad}", where, step, impossible)
        apart = [row for row in self.ledger.rows[before:] if not row.equal]
        if apart and apart[0].what != "exception" and not self.parting:
            self.parting = self._find_parting(step)

    def _find_parting(self, act: Act) -> tuple[str, ...]:
        recorders = []
        for twin in self.twins:
            recorders.append(recorder := Recorder(twin.module))
            with recorder:
                self._run_copy(twin, "", act)
        return parting(*recorders)

    def check_training(self, batch: int, steps: int) -> None:
        """Some steps of SGD and of Adam: the losses on the way, and the state after."""
        if not any(weight.requires_grad for weight in self.models[0].parameters()):
            self.ledger.note("no optimizer was run: the model has nothing to train")
            return
        feeds = [self._feed(batch, self.seed + step) for step in range(steps)]

        def sgd(twin: Twin, model: nn.Module, seen: Seen) -> None:
            optimizer = SGD(model.parameters(), lr=0.01, momentum=0.9, foreach=False)
            see_training(twin, model.train(), optimizer, feeds, self.seed, seen)

        def adam(twin: Twin, model: nn.Module, seen: Seen) -> None:
            optimizer = Adam(model.parameters(), foreach=False)
            see_training(twin, model.train(), optimizer, feeds, self.seed, seen)

        for kind, act in (("SGD", sgd), ("Adam", adam)):
            group = f"{kind}, {steps} steps"
            impossible = f"{kind} is not possible"
            self._settle(group, group, act, impossible, OptimizerRefuses)

    def check_checkpoints(self, batch: int) -> None:
        """Each twin's checkpoint, renamed, loaded strictly into a fresh other twin."""
        feed = self._feed(batch)
        rename, back = self.subject.to_functional, self.subject.to_nn
        self._check_checkpoint(0, feed, rename, back)
        self._check_checkpoint(1, feed, back, rename)

    def _check_checkpoint(
        self,
        source: int,
        feed: Feed,
        rename: Callable[[dict[str, Any]], dict[str, Any]],
        back: Callable[[dict[str, Any]], dict[str, Any]],
    ) -> None:
        state = dict(self.models[source].state_dict())

        def load(twin: Twin, model: nn.Module, seen: Seen) -> None:
            if twin is not self.twins[source]:
                seed_random(self.seed + 1)
                model = twin.build(self.subject.arguments)
                model.load_state_dict(rename(state), strict=True)
            see_state(twin, model, seen)
            saved = twin.saved(model)
            seen["buffers"] = {n: b for n, b in seen["buffers"].items() if n in saved}
            seed_random(self.seed)
            with torch.no_grad():
                see_outputs(model.eval(), feed.copied(), seen)

        def there_and_back(twin: Twin, model: nn.Module, seen: Seen) -> None:
            original = twin is self.twins[source]
            seen["weights"] = dict(state if original else back(rename(state)))

        group = f"{self.twins[source].style} checkpoint"
        self._settle(group, f"{group}, loaded", load)
        self._settle(group, f"{group}, renamed and back", there_and_back)

    def _feed(self, batch: int, seed: int | None = None) -> Feed:
        return draw_feed(self.subject, batch, self.seed if seed is None else seed)

    def _pair_names(self, run: Run, where: str) -> Run:
        """Pairs the names of both twins: those in a state_dict by `to_functional`.

        Buffers that no state_dict holds are paired by spelling, dots read as underscores.
        """
        nn_model, functional_model = self.models
        nn_twin, functional_twin = self.twins
        keys = {key: key for key in nn_model.state_dict()}

        def rename(twin: Twin, seen: Seen) -> None:
            seen["names"] = dict(self.subject.to_functional(keys))

        renamed = self._run(functional_twin, f"{where}, to_functional", rename)
        if renamed.finding:
            return renamed
        shared = {name: str(key) for name, key in renamed.seen["names"].items()}
        flat = {
            name.replace(".", "_"): name
            for name, _ in nn_twin.buffers(nn_model)
            if name not in keys
        }
        for name, _ in functional_twin.buffers(functional_model):
            if name not in shared and name.replace(".", "_") in flat:
                shared[name] = flat[name.replace(".", "_")]
        self.twins = (nn_twin, replace(functional_twin, shared=shared))
        self.ledger.functional_names = {key: name for name, key in shared.items()}
        return run

    def _run(self, twin: Twin, where: str, act: Callable[[Twin, Seen], None]) -> Run:
        seen: Seen = {}
        try:
            seed_random(self.seed)
            act(twin, seen)
        except Exception as error:  # noqa: BLE001  a twin may raise anything
            return Run(seen, twin.finding(error, where))
        return Run(seen)

    def _run_copy(self, twin: Twin, where: str, act: Act) -> Run:
        model = self.models[self.twins.index(twin)]

        def act_on_copy(twin: Twin, seen: Seen) -> None:
            act(twin, copy.deepcopy(model), seen)

        return self._run(twin, where, act_on_copy)

    def _settle(
        self,
        group: str,
        where: str,
        act: Act,
        impossible: str = "",
        only: type[Exception] = Exception,
    ) -> None:
        """Acts on a copy of each twin from one seed, and compares what was seen.

        Args:
            group: the line of the table.
            where: the conditions.
            act: what to do with a twin.
            impossible: opens the note where both twins raise the same; without it that
                is a finding.
            only: the exception that the note is for.
        """
        runs = [self._run_copy(twin, where, act) for twin in self.twins]
        raised = runs[0].finding
        if only is not Exception and raised and raised.error != only.__name__:
            impossible = ""
        self.ledger.settle(runs, group, where, impossible)
