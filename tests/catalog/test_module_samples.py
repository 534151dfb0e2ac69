"""PyTorch's own samples of its modules, all of them, through both twins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.testing._internal.common_modules import FunctionInput, ModuleInfo, ModuleInput, module_db

from nngen.catalog import LAYERS
from nngen.catalog.entry import Layer
from tests.catalog.module_samples import (
    LeftOut,
    Sample,
    Verdict,
    judge,
    judge_all,
    main,
    passed,
    row,
    samples,
    telling,
)

INFOS = {info.module_cls.__name__: info for info in module_db}


# Of LinearCrossEntropyLoss alone there are 1,714, which combine the same few values.
@pytest.mark.parametrize("choose", [telling, pytest.param(iter, marks=pytest.mark.slow)])
@pytest.mark.parametrize("info", INFOS.values(), ids=INFOS)
def test_every_sample_passes(info: ModuleInfo, choose: Any) -> None:
    judged = judge_all(info, choose)
    assert judged
    assert passed(judged) == len(judged), row(info.module_cls.__name__, judged)


def test_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ReLU", "Softmax2d"]) == 0
    assert capsys.readouterr().out.split("\n") == [
        "ReLU                          8/8",
        "Softmax2d                     4/4",
        "2 classes                    12/12",
        "",
    ]


@pytest.fixture
def layers() -> Iterator[dict[str, Layer]]:
    """The catalog, for a test to change: put back whole, since its order is that of the schema."""
    kept = dict(LAYERS)
    yield LAYERS
    LAYERS.clear()
    LAYERS.update(kept)


def test_a_wrong_layer_is_found(
    layers: dict[str, Layer], capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = replace(layers["Softmax2d"], form="out = F.softmax(input, dim=-1)")
    layers["Softmax2d"] = wrong
    assert main(["Softmax2d"]) == 1
    assert "    differs: Softmax2d train 0, " in capsys.readouterr().out


def test_a_wrong_initialiser_is_found(layers: dict[str, Layer]) -> None:
    wrong = replace(layers["Embedding"], draw="nn.init.normal_(weight, std=2)")
    layers["Embedding"] = wrong
    verdict = judge(next(samples(INFOS["Embedding"])))
    assert (verdict.word, verdict.reason) == ("differs", "functional: m_weight is drawn otherwise")


def test_what_nngen_refuses_is_told(layers: dict[str, Layer]) -> None:
    del layers["ReLU"]
    verdict = judge(next(samples(INFOS["ReLU"])))
    assert verdict.word == "refused" and "torch.nn has no layer 'ReLU'" in verdict.reason


def sample(*forward: object, constructor: FunctionInput, layer: str) -> Sample:
    return Sample(INFOS[layer], 0, True, ModuleInput(constructor, FunctionInput(*forward)))


def test_what_no_spec_can_say() -> None:
    x = torch.ones(2)
    for given, forward, reason in (
        (FunctionInput(4, 3, device="meta"), (x,), "the constructor is given a device"),
        (FunctionInput(4, 3, dtype=torch.float64), (x,), "the constructor is given a dtype"),
        (FunctionInput(4, lambda: 3), (x,), "the constructor is given a function"),
        (FunctionInput(4, 3), (x, object()), "forward is given a object"),
    ):
        with pytest.raises(LeftOut, match=reason):
            sample(*forward, constructor=given, layer="Linear").spec(x)


def test_the_spec_of_a_sample() -> None:
    x, mask = torch.ones(2, 3, 4), torch.ones(3, 3, dtype=torch.bool)
    given = FunctionInput(4, nhead=2, activation=F.gelu, device="cpu")
    attention = sample(x, mask, constructor=given, layer="TransformerEncoderLayer")
    assert attention.spec(x) == {
        "name": "Model",
        "inputs": {
            "x": {"shape": [2, 3, 4], "dtype": "float32", "batch": False},
            "x1": {"shape": [3, 3], "dtype": "bool", "batch": False},
        },
        "layers": [
            {
                "TransformerEncoderLayer as m": {"d_model": 4, "nhead": 2, "activation": "gelu"},
                "from": ["x", "x1"],
            }
        ],
    }
    same = sample(x, x, x, constructor=FunctionInput(4, 2), layer="MultiheadAttention")
    spec = same.spec((x, None))
    assert list(spec["inputs"]) == ["x"]
    assert spec["layers"][0]["call"] == "y0, _ = m(x, x, x)"
    assert spec["outputs"] == "y0"


def test_layers_as_arguments() -> None:
    layer = nn.TransformerEncoderLayer(4, 2, 8, 0.0, norm_first=True, bias=False)
    encoder = sample(
        torch.ones(3, 4), constructor=FunctionInput(layer, 2), layer="TransformerEncoder"
    )
    assert encoder.holds_layers
    step = encoder.spec(torch.ones(3, 4))["layers"][0]["TransformerEncoder as m"]
    assert step["num_layers"] == 2
    assert step["encoder_layer"]["TransformerEncoderLayer"] == {
        "d_model": 4,
        "nhead": 2,
        "dim_feedforward": 8,
        "dropout": 0.0,
        "activation": "relu",
        "layer_norm_eps": 1e-5,
        "batch_first": False,
        "norm_first": True,
        "bias": False,
    }


def test_options_as_arguments() -> None:
    """Those of a loss, of which PyTorch's samples do not give all."""
    options = nn.LinearCrossEntropyOptions(
        acc_policy="compact", acc_dtype=torch.float32, chunking_method="aspect_ratio:4"
    )
    x, target = torch.randn(8, 5, requires_grad=True), torch.randint(9, (8,))
    loss = sample(
        x, target, constructor=FunctionInput(5, 9, options=options), layer="LinearCrossEntropyLoss"
    )
    assert loss.spec(x)["layers"][0]["LinearCrossEntropyLoss as m"]["options"] == {
        "acc_policy": "compact",
        "acc_dtype": "float32",
        "chunking_method": "aspect_ratio:4",
    }
    assert judge(loss) == Verdict(loss, "equal")
