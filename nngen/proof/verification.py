"""Runs twins side by side and compares them bit for bit; all of it imports torch.

`device` and `settings` settle torch, `feed` draws batches, `twin` knows one twin, `observe`
runs it, `bits` compares two values, `ledger` keeps what was compared, `bench` holds both
twins; what is done with them stands in `running`, `defaults`, `steps`, `carried`, `form`,
`otherwise` and `exports`. `reading` is a third witness, which shares no decision with the
twins; `witness` calls it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from nngen.proof.bench import Bench
from nngen.proof.carried import check_checkpoints, check_copies
from nngen.proof.defaults import check_defaults
from nngen.proof.device import autocast, name_of
from nngen.proof.exports import Export, exports_for
from nngen.proof.form import check_form
from nngen.proof.ledger import Ledger
from nngen.proof.options import Conditions
from nngen.proof.otherwise import check_otherwise, check_scaled
from nngen.proof.report import Report, StepRow
from nngen.proof.running import check_steps, check_training
from nngen.proof.settings import settled
from nngen.proof.steps import follow_steps
from nngen.proof.subject import Subject
from nngen.proof.witness import call_witness, steps_astray

__all__ = ["verify"]


def verify(subject: Subject, conditions: Conditions | None = None, **changes: Any) -> Report:
    """Compares twins bit for bit; torch's global state is afterwards what it was.

    An exception in a twin is not raised, but a finding of the report.

    Args:
        subject: the twins, and what to feed them.
        conditions: under what to compare them.
        changes: conditions by name, before those of `conditions`.

    Raises:
        ValueError: the conditions leave nothing to run.
        nngen.errors.NngenError: the device is not there, or a package is missing.
    """
    conditions = replace(conditions or Conditions(), **changes)
    ledger = Ledger(lenient=not conditions.usual)
    parting: tuple[str, ...] = ()
    steps: tuple[StepRow, ...] = ()
    with settled(conditions):
        exports = exports_for(conditions)
        for number in range(conditions.seeds):
            bench = Bench(subject, conditions, conditions.seed + number, ledger)
            _check(bench, exports if number == 0 else ())
            parting = parting or bench.parting
            steps = steps or bench.followed
        ledger.close()
    return Report(
        name=subject.name,
        rows=tuple(ledger.rows),
        findings=tuple(ledger.findings),
        notes=tuple(ledger.said),
        parting=parting,
        conditions=conditions,
        torch_version=str(torch.__version__),
        device=name_of(conditions.device),
        arguments=dict(subject.arguments),
        sizes=dict(subject.sizes),
        skipped=tuple(ledger.skipped),
        steps=steps,
        fused=tuple(ledger.fused),
    )


def _check(bench: Bench, exports: Sequence[Export]) -> None:
    if not bench.construct():
        return
    call_witness(bench)
    with autocast(bench.conditions):
        bench.level()
        bench.find_written()
        check_steps(bench)
        check_defaults(bench)
        astray = steps_astray(bench)
        bench.followed = tuple(astray.get(row.place, row) for row in follow_steps(bench))
        check_training(bench)
        check_copies(bench)
        check_checkpoints(bench)
        check_form(bench)
        check_scaled(bench)
        check_otherwise(bench)
        for export in exports:
            export.check(bench)
