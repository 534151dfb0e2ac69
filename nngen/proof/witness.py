"""The third witness: the independent reading of a spec, built and run beside both twins.

Where both twins are wrong alike, they are equal to each other, but not to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from nngen.errors import Mark
from nngen.language.extents import step_path
from nngen.proof import reading
from nngen.proof.bench import Bench
from nngen.proof.bits import Container, count, difference
from nngen.proof.feed import Feed, draw_feed
from nngen.proof.ledger import READ, Run, Seen
from nngen.proof.observe import see_names, see_outputs, see_random, see_state
from nngen.proof.reading import Model
from nngen.proof.report import READING, Finding, StepRow
from nngen.proof.steps import Told, Values, told_by
from nngen.proof.twin import Twin

GROUP = "reading, construction"


@dataclass(frozen=True)
class Reader(Twin):
    """The reading of the spec, run as the twins are."""

    def finding(self, error: Exception, where: str) -> Finding:
        """What was raised, and at which step of the spec."""
        message = " ".join(str(error).split())
        step = getattr(error, "step", "")
        return Finding(where, self.style, type(error).__name__, message, step)


def call_witness(bench: Bench) -> None:
    """Reads the spec, where there is one, and compares what was read with the nn twin as constructed."""
    constructed = bench.constructed
    bench.constructed = {}
    run = read_and_built(bench)
    if run is None or run.finding:
        bench.unread = run.finding if run else None
        return
    assert isinstance(bench.read, Model) and bench.reader is not None
    nn_model = bench.models[0]
    form = bench.twins[0].calls(nn_model)
    constructed["names"] |= {name: form[name] for name in bench.read.form()}
    constructed["names"]["order of the state_dict"] = _order(nn_model)
    bench.ledger.witness(Run(constructed), run, GROUP, GROUP + bench.beside)
    bench.read = bench.placed(bench.read)


def read_and_built(bench: Bench) -> Run | None:
    """Reads the spec and builds what was read: what is seen of it then; None where there is no spec."""
    subject, document = bench.subject, bench.subject.document
    if document is None:
        return None
    reader = Reader("reading", reading, subject.name)

    def read(twin: Twin, seen: Seen) -> None:
        feed = draw_feed(subject, bench.largest, bench.seed)
        inputs = list(feed.inputs.values())
        bench.read = reading.read(document, subject.arguments, inputs, feed.targets)

    def build(twin: Twin, seen: Seen) -> None:
        assert isinstance(bench.read, Model)
        model = bench.read.build()
        see_random(seen)
        see_names(twin, model, seen)
        seen["names"] |= model.form()
        see_state(twin, model, seen)
        seen["names"]["order of the state_dict"] = _order(model)

    where = GROUP + bench.beside
    run = bench.run(reader, where, read)
    if not run.finding:
        run = bench.run(reader, where, build)
    if not run.finding:
        bench.reader = reader
    return run


def _order(model: nn.Module) -> Container:
    return Container("order", tuple(model.state_dict()))


def steps_astray(bench: Bench) -> dict[str, StepRow]:
    """The steps of the spec, by place, where both twins give what the reading of it does not."""
    apart = [row for row in bench.ledger.rows if row.group.startswith(READING) and not row.equal]
    if not apart or bench.reader is None:
        return {}
    found: dict[str, StepRow] = {}
    feed = bench.feed(bench.largest)
    for training in (True, False):
        told = told_by(bench, bench.twins[0], feed, training)
        read = _read_by(bench, feed, training)
        for mark, runs in told.values.items():
            row = _astray(mark, runs, read.get(step_path(mark.path), []), told)
            if row is not None:
                found.setdefault(row.place, row)
    return found


def _read_by(bench: Bench, feed: Feed, training: bool) -> dict[str, list[list[Tensor]]]:
    """What each step gives in the reading, each time, by the step's path."""
    found: dict[str, list[list[Tensor]]] = {}

    def tell(path: str, values: Sequence[Any]) -> None:
        found.setdefault(path, []).append(_tensors(values))

    def forward(twin: Twin, model: nn.Module, seen: Seen) -> None:
        assert isinstance(model, Model)
        with model.telling(tell), torch.no_grad():
            see_outputs(model.train(training), feed.copied(), seen)

    assert bench.reader is not None
    bench.run_copy(bench.reader, "", forward)
    return found


def _tensors(values: object) -> list[Tensor]:
    leaves = tree_leaves(values)
    return [leaf.detach().clone() for leaf in leaves if isinstance(leaf, Tensor)]


def _astray(
    mark: Mark, runs: Sequence[Values], read: Sequence[list[Tensor]], told: Told
) -> StepRow | None:
    """The step as it differs, if it does; of copies that a twin makes in a row, the last one counts."""
    copies = len(runs) // len(read) if read else 0
    if not copies or len(runs) != copies * len(read):
        return None
    for number, (values, others) in enumerate(zip(runs[copies - 1 :: copies], read)):
        mine = [tensor for tensors in values.values() for tensor in tensors]
        pairs = zip(mine, others) if len(mine) == len(others) else ()
        for one, other in pairs:
            if first := difference(one, other, ("both models", READ)):
                after = told.order[mark, number * copies + copies - 1]
                return StepRow(step_path(mark.path), str(mark), count(one), False, first, after)
    return None
