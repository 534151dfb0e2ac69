"""Older versions of torch: what they lack is missing there and there alone, and nngen says so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import nngen
from nngen.catalog import FUNCTIONS, LAYERS
from nngen.catalog.entry import Function, Layer
from nngen.cli import main
from nngen.emit.needs import needs
from nngen.errors import NngenError, SpecError
from nngen.packages import OLDEST_TORCH, is_older
from tests.built import SPECS, compiled
from tests.catalog.signatures import described, forms, torch_signature
from tests.catalog.since import came_later
from tests.support import Run, cases

REPOSITORY = Path(__file__).parents[2]
ENTRIES: dict[str, Layer | Function] = {**LAYERS, **FUNCTIONS}
WHOLE = [name for name, entry in ENTRIES.items() if entry.since.whole]
ARGUMENTS = [
    (name, argument) for name, entry in ENTRIES.items() for argument in entry.since.arguments
]
GRADIENTS = [name for name, entry in LAYERS.items() if entry.since.gradient]


# What the catalog says, against the installed torch; `make torches` asks every version


@pytest.mark.parametrize("name", WHOLE)
def test_it_came_with_that_version(name: str) -> None:
    here = hasattr(F, name.removeprefix("F.")) if name.startswith("F.") else hasattr(nn, name)
    assert here is not came_later(ENTRIES[name].since.whole)


@pytest.mark.parametrize(("name", "argument"), ARGUMENTS)
def test_an_argument_came_with_that_version(name: str, argument: str) -> None:
    if name in LAYERS:
        here = argument in described(torch_signature(name))
    else:
        here = any(argument in form.defaults for form in forms(name))
    assert here is not came_later(ENTRIES[name].since.arguments[argument])


@pytest.mark.parametrize("name", GRADIENTS)
def test_the_gradient_came_with_that_version(name: str) -> None:
    case = next(case for case in cases() if case.entry.name == name)
    run = Run(case, "torch", case.build_torch(case.draw(3)))
    seen = run.step(case.draw(3), True, "contiguous")
    assert ("raised" in seen) is came_later(LAYERS[name].since.gradient)


def test_a_number_came_with_that_version() -> None:
    x = torch.rand(3)
    try:
        F.gaussian_nll_loss(x, x, 0.5)
    except AttributeError:
        assert came_later("2.6")
    else:
        assert not came_later("2.6")


def test_versions_are_minor_and_newer_than_the_oldest() -> None:
    versions = [version for name in ENTRIES for _, version in ENTRIES[name].since.facts(name)]
    assert versions
    for version in versions:
        assert re.fullmatch(r"2\.\d+", version) and is_older(OLDEST_TORCH, version)


def test_arguments_that_came_later_are_arguments() -> None:
    for name, argument in ARGUMENTS:
        assert argument in ENTRIES[name].signature.names


# What nngen says


def spec(*layers: Any, **rest: Any) -> dict[str, Any]:
    return {"name": "Model", "input": [4, 6, 6], "layers": list(layers), **rest}


@pytest.fixture
def old(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest torch that is supported, or so it says."""
    monkeypatch.setattr(torch, "__version__", "2.4.1+cpu")


@pytest.mark.usefixtures("old")
def test_each_place_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "model.yaml"
    path.write_text(
        "name: Model\n"
        "input: [3, 8, 8]\n"
        "blocks:\n"
        "  Block:\n"
        "    layers:\n"
        "      - GroupNorm: {num_groups: 2, bias: true}\n"
        "layers:\n"
        "  - Conv2d as h: {out_channels: 4, kernel_size: 3}\n"
        "  - Block\n"
        "  - Sequential: [ReLU, BatchNorm2d: {bias: false}]\n"
        "  - ChannelShuffle as s: 2\n"
        "  - y = F.mse_loss(s, h, reduction='none', weight=h)\n"
        "  - z = F.gaussian_nll_loss(y, h, 0.5)\n"
    )
    assert main(["verify", str(path)]) == 2
    told = [line for line in capsys.readouterr().err.splitlines() if "needs torch" in line]
    assert [line.removeprefix(str(path)) for line in told] == [
        f"{place} needs torch {since} or newer; this is torch 2.4.1"
        for place, since in (
            (":6:9: blocks.Block.layers[0].GroupNorm: bias of GroupNorm", "2.12"),
            (":10:24: layers[2].Sequential[1].BatchNorm2d: bias of BatchNorm2d", "2.12"),
            (":11:5: layers[3].ChannelShuffle as s: the gradient of ChannelShuffle", "2.5"),
            (":12:5: layers[4]: weight of F.mse_loss", "2.6"),
            (":13:5: layers[5]: a number as var of F.gaussian_nll_loss", "2.6"),
        )
    ]


@pytest.mark.usefixtures("old")
def test_what_is_not_asked_for_is_not_needed() -> None:
    plain = spec("BatchNorm2d", {"GroupNorm": 2}, "InstanceNorm2d", "SyncBatchNorm")
    assert nngen.verify(plain).equal


@pytest.mark.usefixtures("old")
def test_a_gradient_is_needed_where_there_is_one() -> None:
    shuffled = spec({"ChannelShuffle": 2})
    nngen.load(shuffled)
    with pytest.raises(SpecError, match=r"layers\[0\].ChannelShuffle: the gradient of Chan"):
        nngen.verify(shuffled)


@pytest.mark.usefixtures("old")
def test_a_loss_is_told() -> None:
    with pytest.raises(
        SpecError, match=r"loss.LinearCrossEntropyLoss: LinearCrossEntropyLoss needs"
    ):
        nngen.load(spec("Flatten", {"Linear": 5}, loss={"LinearCrossEntropyLoss": 5}))


def test_building_asks_for_no_version(tmp_path: Path, old: None) -> None:
    path = tmp_path / "model.yaml"
    path.write_text("name: Model\ninput: [4, 6, 6]\nlayers: [BatchNorm2d: {bias: false}]\n")
    assert main(["build", str(path), "-o", str(tmp_path)]) == 0
    text = (tmp_path / "model" / "nn_style.py").read_text()
    assert "nn.BatchNorm2d(4, bias=False)" in text


def test_a_torch_that_is_too_old_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "__version__", "2.3.1+cu121")
    with pytest.raises(
        NngenError, match=r"^nngen needs torch 2\.4 or newer; this is torch 2\.3\.1"
    ):
        nngen.load(spec("ReLU"))


def test_the_oldest_is_that_of_the_package() -> None:
    assert f'torch = ["torch>={OLDEST_TORCH}", ' in (REPOSITORY / "pyproject.toml").read_text()


def test_versions_are_compared_as_numbers() -> None:
    assert is_older("2.4.1+cu121", "2.13")
    assert is_older("2.9.1", "2.10")
    assert not is_older("2.13.0", "2.13")
    assert not is_older("2.14.0a0+git1234", "2.13")
    assert not is_older("3.0.0", "2.13")


def test_the_specs_ask_for_no_more_than_this() -> None:
    found = {(path.stem, need.what) for path in SPECS for need in needs(compiled(path).graph)}
    assert found == {
        ("shufflenet_v2_x1_0", "the gradient of ChannelShuffle"),
        ("shufflenet_v2_x1_0", "the gradient of F.channel_shuffle"),
    }
