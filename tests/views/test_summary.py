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
from nngen.cli import main
from nngen.graph import follow
from nngen.language import document
from nngen.language import spec as specs
from nngen.views.summary import Summary, summarize
from nngen.views.summary.text import as_text
from tests.built import each_spec
from tests.support import Case, cases, loaded

REPOSITORY = Path(__file__).parents[2]
BATCH = 2
# What torch's counter has no rule for, and what the targets decide; and whether the count is partial.
UNCOUNTED = {"Bilinear": False, "AdaptiveLogSoftmaxWithLoss": True}


def summary_of(data: Mapping[str, Any], batch: int = BATCH) -> Summary:
    return summarize(follow(specs.from_node(document.of(data), "a dict")), batch)


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
    summary = summarize(follow(specs.read(path)), BATCH)
    assert (summary.parameters, summary.buffers) == counts(model_of(loaded(path)))


@each_spec
def test_the_multiply_adds_are_torchs(path: Path) -> None:
    pair = loaded(path)
    summary = summarize(follow(specs.read(path)), BATCH)
    assert not summary.partial
    assert 2 * summary.mult_adds == flops(pair, fed(pair, summary.sizes))


def with_weights() -> list[Case]:
    return [
        case
        for case in cases()
        if not case.is_loss and (case.entry.state or case.entry.block or case.entry.parts)
    ]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", with_weights(), ids=str)
def test_each_layer_is_counted_as_torch_counts_it(case: Case) -> None:
    pair = case.pair
    summary = summary_of(case.spec)
    assert (summary.parameters, summary.buffers) == counts(model_of(pair))
    if case.entry.name in UNCOUNTED:
        assert UNCOUNTED[case.entry.name] == summary.partial
    else:
        assert not summary.partial
        assert 2 * summary.mult_adds == flops(pair, fed(pair, summary.sizes))


def line(expression: str, *shapes: list[int]) -> dict[str, Any]:
    inputs = {name: {"shape": shape} for name, shape in zip("abc", shapes)}
    return {"name": "Line", "inputs": inputs, "layers": [f"y = {expression}"]}


@pytest.mark.parametrize(
    "data",
    [
        line("a @ b", [4, 3], [3, 5]),
        line("a.matmul(b.transpose(1, 2))", [4, 3], [5, 3]),
        line("torch.matmul(a, b)", [2, 4, 3], [2, 3, 5]),
        line("torch.bmm(a, b)", [4, 3], [3, 5]),
        line("torch.mm(a.flatten(1), b.flatten(1).T)", [4, 3], [12]),
        line("torch.einsum('bij,bjk->bik', a, b)", [4, 3], [3, 5]),
        line("torch.einsum('bhqd,bhkd->bhqk', a, b)", [2, 4, 3], [2, 5, 3]),
        line("torch.tensordot(a, b, dims=[[0, 2], [0, 1]])", [4, 3], [3, 5]),
        line("torch.baddbmm(c, a, b)", [4, 3], [3, 5], [4, 5]),
        line("F.scaled_dot_product_attention(a, b, c)", [2, 4, 3], [2, 5, 3], [2, 5, 7]),
        line("F.conv1d(a, torch.ones(6, 2, 3), groups=2, stride=2)", [4, 9]),
        line("F.linear(a, torch.ones(6, 4))", [4]),
        line("a + b", [4], [4]),
    ],
    ids=lambda data: data["layers"][0],
)
def test_a_lines_products_are_counted_as_torch_counts_them(data: dict[str, Any]) -> None:
    pair = nngen.load(data)
    summary = summary_of(data)
    assert not summary.partial
    assert 2 * summary.mult_adds == flops(pair, fed(pair, summary.sizes))


BRANCHING = {
    "name": "Net",
    "input": [4],
    "blocks": {
        "Block": {
            "args": {"wide": "required"},
            "layers": [
                {"Linear as fc": "in_features"},
                {"Linear as skip": "wide", "from": "x", "when": "wide != in_features"},
                "x = fc if wide == in_features else skip",
            ],
        }
    },
    "layers": [
        {"Block as one": {"wide": 4}},
        {"Block as two": {"wide": 6}},
        {"Linear as aux": 3, "when": "training", "otherwise": "none"},
        {"Linear as head": 5, "from": "two"},
    ],
    "outputs": "(head, aux) if training else head",
}


def test_each_use_of_a_block_has_its_own_rows() -> None:
    summary = summary_of(BRANCHING)
    rows = {path: row for top in summary.rows for _, path, row in top.walk()}
    assert "one.skip" not in rows
    assert rows["two.skip"].parameters == 4 * 6 + 6
    assert rows["two"].output == [[BATCH, 6]]
    assert rows["aux"].only_training
    assert rows["head"].inputs == ("two",)
    products = BATCH * (4 * 4 + 4 * 4 + 4 * 6 + 6 * 5)
    assert summary.mult_adds == products
    assert summary.parameters == sum(row.parameters for row in summary.rows)


def test_a_layer_used_twice_counts_once() -> None:
    layers = [{"Linear as fc": 4}, "y = fc(fc)"]
    summary = summary_of({"name": "Twice", "input": [4], "layers": layers})
    assert [row.shared for row in summary.rows] == [False, True]
    assert (summary.parameters, summary.mult_adds) == (20, 2 * BATCH * 16)


def test_tied_parameters_count_once() -> None:
    data = {
        "name": "Tied",
        "inputs": {"tokens": {"shape": ["T"], "dtype": "int64", "below": 9}},
        "layers": [
            {"Embedding as embed": {"num_embeddings": 9, "embedding_dim": 4}},
            {"Linear as head": {"out_features": 9, "bias": False}},
        ],
        "tie": {"head.weight": "embed.weight"},
        "check": {"T": 5},
    }
    summary = summary_of(data)
    assert summary.parameters == 36
    assert summary.sizes == {"N": BATCH, "T": 5}
    assert summary.rows[1].output == [[BATCH, 5, 9]]


def test_the_table_of_a_small_model() -> None:
    layers = [{"Linear as fc": 3}, "ReLU", "y = relu1 + 1", {"Sequential as top": [{"Linear": 2}]}]
    text = as_text(summary_of({"name": "Net", "input": [4], "layers": layers}, 1))
    lines = [" ".join(row.split()) for row in text.splitlines() if not row.startswith("─")]
    assert lines == [
        "Net, N = 1",
        "name layer input from output parameters multiply-adds",
        "x (1, 4)",
        "fc Linear x (1, 3) 15 12",
        "relu1 ReLU fc (1, 3) - -",
        "y = relu1 + 1 relu1 (1, 3) - -",
        "top Sequential y (1, 2) 8 6",
        "0 Linear y (1, 2) 8 6",
        "parameters: 23",
        "buffers: 0",
        "multiply-adds of convolutions and matrix products: 18",
    ]


REPEATED = {
    "name": "Net",
    "input": [4],
    "blocks": {"Block": {"layers": [{"Linear as fc": "in_features"}, "y = x + fc"]}},
    "layers": [
        {"Block as body": {}, "repeat": 3},
        {"Block as one": {}},
        {"Block as two": {}},
        {"Linear": 4},
        {"Sequential as last": [{"Linear": 4}]},
    ],
}


def test_equal_blocks_are_folded() -> None:
    summary = summary_of(REPEATED, 1)
    lines = [" ".join(row.split()) for row in as_text(summary).splitlines()[5:-4]]
    assert lines == [
        "body ModuleList x (1, 4) 60 48",
        "0 … 2 Block x 3 x (1, 4) 3 x 20 3 x 16",
        "fc Linear x (1, 4) 20 16",
        "y = x + fc x, fc (1, 4) - -",
        "one, two Block x 2 body (1, 4) 2 x 20 2 x 16",
        "fc Linear x (1, 4) 20 16",
        "y = x + fc x, fc (1, 4) - -",
        "fc1 Linear two (1, 4) 20 16",
        "last Sequential fc1 (1, 4) 20 16",
        "0 Linear fc1 (1, 4) 20 16",
    ]
    every = as_text(summary, fold=False)
    assert every.count(" Block ") == 5 and " x 2" not in every
    assert len(as_text(summary, depth=0).splitlines()) == 13


def test_blocks_that_differ_within_are_not_folded() -> None:
    data = {
        "name": "Net",
        "input": [4],
        "layers": [
            {"Sequential as one": [{"Linear": 4}, "ReLU"]},
            {"Sequential as two": [{"Linear": 4}, "Tanh"]},
            {"Sequential as three": [{"Linear": 4}, "Tanh"]},
        ],
    }
    text = as_text(summary_of(data, 1))
    assert "two, three" in text and "one, two" not in text


def test_the_verb(capsys: pytest.CaptureFixture[str]) -> None:
    path = str(REPOSITORY / "specs" / "residual.yaml")
    assert main(["summary", path, "--depth", "0", "--batch", "3"]) == 0
    closed = capsys.readouterr().out
    assert main(["summary", path]) == 0
    assert len(closed.splitlines()) < len(capsys.readouterr().out.splitlines())
    assert "N = 3" in closed
    assert main(["summary", path, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)[path]
    tops = [row for row in found["rows"] if row["depth"] == 0]
    assert found["parameters"] == sum(row["parameters"] for row in tops)
    assert {row["path"] for row in tops} <= {row["path"] for row in found["rows"]}


@pytest.mark.parametrize("arguments", [["--batch", "0"], ["--depth", "-1"], ["--set", "x"]])
def test_wrong_options_are_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        main(["summary", str(REPOSITORY / "specs" / "cnn.yaml"), *arguments])


def test_a_size_of_a_block_hides_an_open_one_of_its_name() -> None:
    """The block's `H` is 4, whatever the image's is."""
    pooled = {
        "name": "Pooled",
        "input": [3, "H", "W"],
        "blocks": {"Stem": {"layers": [{"Conv2d": {"out_channels": 8, "kernel_size": 1}}]}},
        "layers": [{"AdaptiveAvgPool2d": 4}, "Stem"],
        "check": {"H": 64, "W": 64},
    }
    _, stem = summary_of(pooled, 1).rows
    (conv,) = stem.rows
    assert (conv.output, conv.mult_adds) == ([[1, 8, 4, 4]], 8 * 3 * 4 * 4)
