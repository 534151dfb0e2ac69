"""Twins side by side: built alike, run alike, and each compared with the first, in torch.nn style."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import torch
from torch import nn

from nngen.proof.device import seed_random
from nngen.proof.feed import Feed, draw_feed
from nngen.proof.flow import Recorder, parting
from nngen.proof.holding import StatelessTwin
from nngen.proof.ledger import Ledger, Run, Seen
from nngen.proof.observe import see_names, see_outputs, see_random, see_state
from nngen.proof.options import Conditions
from nngen.proof.reading import Unreadable
from nngen.proof.report import Finding, StepRow
from nngen.proof.subject import Subject
from nngen.proof.twin import Twin

Act = Callable[[Twin, nn.Module, Seen], None]


class Bench:
    """Twins of one seed, and what was compared so far.

    Args:
        subject: the twins, and what to feed them.
        conditions: under what to compare them.
        seed: where the random numbers start.
        ledger: where the comparisons go.
    """

    def __init__(self, subject: Subject, conditions: Conditions, seed: int, ledger: Ledger) -> None:
        self.subject = subject
        self.conditions = conditions
        self.seed = seed
        self.ledger = ledger
        self.device = torch.device(conditions.device)
        self.dtype: torch.dtype | None = getattr(torch, conditions.dtype or "None", None)
        self.twins = tuple(
            (Twin if each.owns_state else StatelessTwin)(
                each.style, each.module, subject.name, lines=each.lines, parts=each.parts
            )
            for each in subject.twins
        )
        ledger.names = {twin.style: {} for twin in self.twins}
        self.models: tuple[nn.Module, ...] = ()
        self.constructed: Seen = {}  # what was seen of the nn twin then
        self.reader: Twin | None = None
        self.read: nn.Module | None = None
        self.unread: Finding | None = None
        self.parting: tuple[str, ...] = ()
        self.followed: tuple[StepRow, ...] = ()
        self.beside = f", seed {seed}" if conditions.seeds > 1 else ""

    @property
    def largest(self) -> int:
        """The largest batch size."""
        return max(self.conditions.batch_sizes)

    def construct(self) -> bool:
        """Builds all twins from one seed and compares them; whether all are there."""
        models: list[nn.Module] = []

        def build(twin: Twin, seen: Seen) -> None:
            models.append(twin.build(self.subject.arguments, models[0] if models else None))
            see_random(seen)

        group = "construction"
        where = group + self.beside
        runs = [self.run(twin, where, build) for twin in self.twins]
        if not any(run.finding for run in runs):
            self.models = tuple(models)
            runs = [runs[0], *map(self._pair_names, range(1, len(runs)), runs[1:])]
        if any(run.finding for run in runs):
            self.ledger.settle(runs, group, where)
            return False
        for run, twin, model in zip(runs, self.twins, self.models, strict=True):
            random = run.seen.pop("random")
            see_names(twin, model, run.seen)
            see_state(twin, model, run.seen)
            run.seen["random"] = random
        self.ledger.settle(runs, group, where)
        self.constructed = runs[0].seen
        self.models = tuple(self.placed(model) for model in self.models)
        return True

    def level(self) -> None:
        """Gives all models one state in which hardly two tensors are alike.

        As constructed, a batch norm's weight is all ones and its bias all zeros: to leave
        them out, or to mix up two of them, would show in no output.
        """
        nn_twin, nn_model = self.twins[0], self.models[0]
        generator = torch.Generator().manual_seed(self.seed)
        with torch.no_grad():
            for weight in nn_model.parameters():
                if weight.is_floating_point() and weight.requires_grad:
                    shape, dtype = weight.shape, weight.dtype
                    draw = torch.rand(shape, generator=generator, dtype=dtype)
                    weight.add_(0.01 * draw.to(weight.device))

            def warm_up(twin: Twin, seen: Seen) -> None:
                see_outputs(nn_model.train(), self.feed(self.largest), seen)

            self.run(nn_twin, "", warm_up)  # what it raises, check_steps will report
            others = list(zip(self.twins[1:], self.models[1:]))
            if self.reader is not None and self.read is not None:
                others.append((self.reader, self.read))
            for twin, model in others:
                there = dict(twin.state(model))
                for name, tensor in nn_twin.state(nn_model):
                    if name in there and there[name].shape == tensor.shape:
                        there[name].copy_(tensor)

    def find_written(self) -> None:
        """Finds the parameters that the nn twin changes in forward, where a style is there that leaves them."""
        if all(twin.owns_state for twin in self.twins):
            return

        def forward(twin: Twin, model: nn.Module, seen: Seen, mode: bool = True) -> None:
            before = {name: weight._version for name, weight in model.named_parameters()}
            with torch.no_grad():
                see_outputs(model.train(mode), self.feed(self.largest), seen)
            after = {name: weight._version for name, weight in model.named_parameters()}
            written.update(dict.fromkeys(name for name in before if after[name] != before[name]))

        written: dict[str, None] = {}
        for mode in (True, False):
            self.run_copy(self.twins[0], "", partial(forward, mode=mode))
        self.ledger.written = list(written)

    def fresh(self, twin: Twin, seed: int) -> nn.Module:
        """Another model of this twin."""
        seed_random(seed)
        return self.placed(twin.build(self.subject.arguments, self.models[0]))

    def feed(self, batch: int, seed: int | None = None) -> Feed:
        """A batch of inputs and targets."""
        feed = draw_feed(self.subject, batch, self.seed if seed is None else seed)
        return feed.to(self.device, self.dtype)

    def model(self, twin: Twin) -> nn.Module:
        """The model of this twin, which nothing may change."""
        if twin is self.reader:
            assert self.read is not None
            return self.read
        return self.models[[each.style for each in self.twins].index(twin.style)]

    def run(self, twin: Twin, where: str, act: Callable[[Twin, Seen], None]) -> Run:
        """Acts from the seed; an exception becomes a finding."""
        seen: Seen = {}
        try:
            seed_random(self.seed)
            act(twin, seen)
        except Exception as error:  # noqa: BLE001  a twin may raise anything
            return Run(seen, twin.finding(error, where), twin.style)
        return Run(seen, None, twin.style)

    def run_copy(self, twin: Twin, where: str, act: Act) -> Run:
        """Acts on a copy of the twin's model."""

        def act_on_copy(twin: Twin, seen: Seen) -> None:
            act(twin, copy.deepcopy(self.model(twin)), seen)

        return self.run(twin, where, act_on_copy)

    def settle(
        self,
        group: str,
        where: str,
        act: Act,
        impossible: str = "",
        only: type[Exception] = Exception,
        reading: str = "",
        twins: Sequence[Twin] = (),
    ) -> bool:
        """Acts on a copy of each twin from one seed, and compares what was seen.

        Args:
            group: the line of the table.
            where: the conditions.
            act: what to do with a twin.
            impossible: opens the note where both twins raise the same; without it that
                is a finding.
            only: the exception that the note is for.
            reading: the line of the table for the reading of the spec, where it acts too.
            twins: the nn twin and the others that act, if not all do.

        Returns:
            Whether no twin raised.
        """
        where += self.beside
        runs = [self.run_copy(twin, where, act) for twin in twins or self.twins]
        raised = runs[0].finding
        if only is not Exception and raised and raised.error != only.__name__:
            impossible = ""
        self.ledger.settle(runs, group, where, impossible)
        if reading and self.reader is not None:
            read = self.run_copy(self.reader, where, act)
            self.ledger.witness(runs[0], read, reading, where)
        return not any(run.finding for run in runs)

    def report_unread(self) -> None:
        """Tells why the spec could not be read, unless the twins did not run on the same batch either."""
        raised = self.unread
        batch = f"batch {self.largest}, "
        outputs = [row.where for row in self.ledger.rows if row.what == "outputs"]
        ran = any(batch in where and where.endswith(self.beside) for where in outputs)
        if raised and raised.error == Unreadable.__name__:
            self.ledger.skip("reading", f"it does not know {raised.message}")
        elif raised and ran:
            self.ledger.find(raised, "reading, construction")

    def find_parting(self, act: Act) -> None:
        """Finds the lines where the flow parts, if they are not known yet."""
        if self.parting:
            return
        recorders = []
        for twin in self.twins:
            recorders.append(recorder := Recorder(twin))
            with recorder:
                self.run_copy(twin, "", act)
        self.parting = parting(recorders[0], recorders[1:])

    def placed(self, model: nn.Module) -> nn.Module:
        """The model where the twins run, in their dtype."""
        return model.to(self.device, self.dtype)

    def _pair_names(self, place: int, run: Run) -> Run:
        """Pairs the names of a twin with those of the nn twin: those in a state_dict by `from_nn`.

        Buffers that no state_dict holds are paired by spelling, dots read as underscores.
        """
        nn_twin, nn_model = self.twins[0], self.models[0]
        twin, model = self.twins[place], self.models[place]
        keys = {key: key for key in nn_model.state_dict()}

        def rename(twin: Twin, seen: Seen) -> None:
            seen["names"] = dict(self.subject.twins[place].from_nn(keys))

        renamed = self.run(twin, f"construction, to_{twin.style}", rename)
        if renamed.finding:
            return renamed
        shared = {name: str(key) for name, key in renamed.seen["names"].items()}
        flat = {
            name.replace(".", "_"): name
            for name, _ in nn_twin.buffers(nn_model)
            if name not in keys
        }
        for name, _ in twin.buffers(model):
            if name not in shared and name.replace(".", "_") in flat:
                shared[name] = flat[name.replace(".", "_")]
        twins = list(self.twins)
        twins[place] = replace(twin, shared=shared)
        self.twins = tuple(twins)
        self.ledger.names[twin.style] = {key: name for name, key in shared.items()}
        return run
