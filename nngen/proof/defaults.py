"""The twins under torch's own defaults: without grad, its attention layers run fused kernels in eval mode.

A fused kernel rounds differently, and attention that is written out cannot follow it there. So all
else is compared with these kernels off (see `settings`), and here is told how far they go.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from math import isfinite
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from nngen.catalog import LAYERS
from nngen.proof.bench import Act, Bench
from nngen.proof.bits import count, distance
from nngen.proof.ledger import Ledger, Seen
from nngen.proof.observe import see_step
from nngen.proof.report import DEFAULTS, FusedRow
from nngen.proof.running import GRAD_MODES
from nngen.proof.twin import Twin

KERNELS = {entry.fused for entry in LAYERS.values() if entry.fused}


def check_defaults(bench: Bench) -> None:
    """A step forward in eval mode without grad, of models that hold layers with a fused kernel."""
    if not any(_entry_has_kernel(module) for module in bench.models[0].modules()):
        return
    for grad in ("no_grad", "inference_mode"):
        for size in bench.conditions.batch_sizes:
            _check(bench, f"eval, batch {size}, {grad}, torch's defaults", _step(bench, grad, size))


def _entry_has_kernel(module: nn.Module) -> bool:
    entry = LAYERS.get(type(module).__name__)
    return entry is not None and bool(entry.fused) and _is_torchs(module)


def _is_torchs(module: nn.Module) -> bool:
    return type(module).__module__.startswith("torch.nn.")


def _step(bench: Bench, grad: str, size: int) -> Act:
    feed = bench.feed(size)

    def step(twin: Twin, model: nn.Module, seen: Seen) -> None:
        with GRAD_MODES[grad]():
            see_step(twin, model.eval(), feed, bench.seed, seen)

    return step


def _check(bench: Bench, where: str, step: Act) -> None:
    """Compares bit for bit what torch fuses nothing of; of the rest, tells how far it goes."""
    where += bench.beside
    nn_twin, *others = bench.twins
    plain = bench.run_copy(nn_twin, where, step)
    with _defaults():
        runs = [bench.run_copy(twin, where, step) for twin in others]
        fused = bench.run_copy(nn_twin, where, step)
        recorder = Recorder()
        bench.run_copy(nn_twin, where, partial(_recorded, recorder, step))
    if plain.finding:
        return  # what it raises there, other checks report
    ledger = Ledger(bench.ledger.names, written=bench.ledger.written)
    # What torch fuses, it fuses in the nn twin alone: else another twin is what it is without.
    ledger.settle((plain if recorder.layers else fused, *runs), DEFAULTS, where)
    if not recorder.layers:
        bench.ledger.rows += ledger.rows
        bench.ledger.findings += ledger.findings
        return
    bench.ledger.rows += [row for row in ledger.rows if not row.equal]
    bench.ledger.findings += ledger.findings
    raised = fused.finding.message if fused.finding else ""
    here = fused.seen.get("outputs", {}) | fused.seen.get("loss", {})
    for run in runs:
        there = run.seen.get("outputs", {}) | run.seen.get("loss", {})
        beside = bench.ledger.beside(run.style) + where
        bench.ledger.fused.append(_row(beside, recorder.layers, raised, here, there))


def _row(
    where: str,
    layers: Sequence[str],
    error: str,
    nn: dict[str, object],
    other: dict[str, object],
) -> FusedRow:
    shared = [name for name in nn if name in other]
    apart = [distance(nn[name], other[name]) for name in shared]
    return FusedRow(
        where=where,
        layers=tuple(dict.fromkeys(layers)),
        values=sum(count(nn[name]) for name in shared),
        largest=_number(max((far for far, _ in apart), default=0.0)),
        rounding=all(rounding for _, rounding in apart),
        error=error,
    )


def _number(far: float) -> float | None:
    return far if isfinite(far) else None


@contextmanager
def _defaults() -> Iterator[None]:
    """torch's attention layers as they are by default."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(True)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def _recorded(recorder: Recorder, step: Act, twin: Twin, model: nn.Module, seen: Seen) -> None:
    with recorder:
        step(twin, model, seen)


class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Records which of torch's layers run a fused kernel: the outermost ones, by their class."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.layers: list[str] = []

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if getattr(func, "__name__", "").partition(".")[0] in KERNELS:
            self.layers += _outermost()
        return func(*args, **(kwargs or {}))


def _outermost() -> list[str]:
    """The class of the outermost layer of the catalog's that is running."""
    running = []
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        module = frame.f_locals.get("self")
        if isinstance(module, nn.Module) and _is_torchs(module) and type(module).__name__ in LAYERS:
            running.append(type(module).__name__)
    return running[-1:]
