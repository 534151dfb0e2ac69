"""The summary: its totals are torch's own, its table says what the spec says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

import nngen
from nngen import document
from nngen import spec as specs
from nngen.cli import main
from nngen.summary import Summary, summarize
from nngen.summary.text import as_text
from tests.support import Case, cases

REPOSITORY = Path(__file__).parent.parent
SPECS = sorted((REPOSITORY / "specs").glob("*.yaml"))
BATCH = 2
# What torch's counter leaves out: it has no rule for the kernel of a bilinear form.
UNCOUNTED = {"Bilinear"}
each_spec = pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)


def summary_of(data: Mapping[str, Any], batch: int = BATCH) -> Summary:
    return summarize(specs.from_node(document.of(data), "a dict"), batch)


def model_of(pair: Any) -> torch.nn.Module:
    graph = pair.graph
    with torch.device("meta"):
        model: torch.nn.Module = getattr(pair.nn_style, graph.model.name)(**graph.arguments)
    return model.eval()


def fed(pair: Any, sizes: Mapping[str, int]) -> list[torch.Tensor]:
    """Zeros for forward."""
    tensors = []
    for each in pair.graph.inputs:
        shape = [size if isinstance(size, int) else sizes[size] for size in each.shape]
        dtype = getattr(torch, each.dtype)
        tensors.append(torch.zeros([BATCH, *shape] if each.batch else shape, dtype=dtype))
    return tensors


def counts(model: torch.nn.Module) -> tuple[int, int]:
    parameters = sum(each.numel() for each in model.parameters() if each.requires_grad)
    return parameters, sum(each.numel() for each in model.buffers())


def flops(pair: Any, inputs: list[torch.Tensor]) -> int:
    """What torch counts in eval mode, attention by plain matrix products, since it counts those alone on a CPU."""
    model = getattr(pair.nn_style, pair.graph.model.name)(**pair.graph.arguments).eval()
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with (
            FlopCounterMode(display=False) as counter,
            sdpa_kernel(SDPBackend.MATH),
            torch.backends.mkldnn.flags(enabled=False),
        ):
            model(*inputs)
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
    return int(counter.get_total_flops())


@each_spec
def test_the_totals_are_torchs(path: Path) -> None:
    summary = summarize(specs.read(path), BATCH)
    assert (summary.parameters, summary.buffers) == counts(model_of(nngen.load(path)))


@each_spec
def test_the_multiply_adds_are_torchs(path: Path) -> None:
    pair = nngen.load(path)
    summary = summarize(specs.read(path), BATCH)
    assert not summary.partial
    assert 2 * summary.mult_adds == flops(pair, fed(pair, summary.sizes))


@pytest.mark.parametrize("case", [case for case in cases() if not case.is_loss], ids=str)
def test_each_layer_is_counted_as_torch_counts_it(case: Case) -> None:
    pair = nngen.load(case.spec)
    summary = summarize(specs.from_node(document.of(case.spec), "a dict"), BATCH)
    assert (summary.parameters, summary.buffers) == counts(model_of(pair))
    assert not summary.partial
    if case.entry.name in UNCOUNTED:
        assert summary.mult_adds > 0
    else:
        assert 2 * summary.mult_adds == flops(pair, fed(pair, summary.sizes))
