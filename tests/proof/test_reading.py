"""The independent reading of a spec: it reads the whole language, and does nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import nngen
from nngen.catalog import LAYERS
from nngen.language import document
from nngen.proof.bench import Bench
from nngen.proof.ledger import Ledger
from nngen.proof.options import Conditions
from nngen.proof.reading import Model, Unreadable, read
from nngen.proof.reading.layers import INFERRED, WORDS
from nngen.proof.running import check_steps
from nngen.proof.settings import settled
from nngen.proof.verification import verify
from nngen.proof.witness import call_witness
from tests.support import Case, cases


@pytest.fixture(autouse=True)
def deterministic() -> Iterator[None]:
    torch.manual_seed(0)
    yield


def reading(text: str, *inputs: Tensor, **arguments: Any) -> Model:
    """The reading of a spec, built."""
    return read(document.parse(text, "a text"), arguments, inputs, {}).build()


def test_it_knows_what_the_catalog_infers() -> None:
    assert {name for entry in LAYERS.values() for name in entry.infer} == INFERRED.keys()


def test_it_knows_the_words_of_arguments() -> None:
    """But for those of options, which are no expressions."""
    for entry in LAYERS.values():
        for argument in entry.signature:
            if argument.name != "options":
                assert set(argument.kind.words) <= WORDS.get(argument.name, frozenset()), entry.name


def test_it_is_what_the_spec_says() -> None:
    text = """
        name: Net
        args: {width: 4, depth: 2, deep: null}
        let: {wide: "3 * width if deep is None else deep"}
        input: [5]
        blocks:
          Wide:
            args: {n: required}
            layers: [Linear as up: n, y = F.relu(up), Linear as down: in_features, out = x + down]
        layers:
          - Linear as stem: width
            init: {bias: ones_}
          - Wide as body: wide
            repeat: depth
          - BatchNorm1d as norm:
            when: deep is None
          - Linear as head: 2
            built_after: stem
        init: {Linear.weight: {normal_: {std: 1 / sqrt(fan_in)}}}
    """

    class Wide(nn.Module):
        def __init__(self, features: int, n: int) -> None:
            super().__init__()
            self.up = nn.Linear(features, n)
            self.down = nn.Linear(n, features)

        def forward(self, x: Tensor) -> Tensor:
            down: Tensor = self.down(torch.relu(self.up(x)))
            return x + down

    class Net(nn.Module):
        def __init__(self, width: int, depth: int, deep: int | None) -> None:
            super().__init__()
            self.stem = nn.Linear(5, width)
            nn.init.ones_(self.stem.bias)
            self.head = nn.Linear(width, 2)
            wide = 3 * width if deep is None else deep
            self.body = nn.ModuleList(Wide(width, wide) for _ in range(depth))
            if deep is None:
                self.norm = nn.BatchNorm1d(width)
            for module in self.modules():
                if isinstance(module, nn.Linear):
                    nn.init.normal_(module.weight, std=module.in_features**-0.5)

        def forward(self, x: Tensor) -> Tensor:
            x = self.stem(x)
            for block in self.body:
                x = block(x)
            if hasattr(self, "norm"):
                x = self.norm(x)
            found: Tensor = self.head(x)
            return found

    x = torch.randn(6, 5)
    for given in ({}, {"depth": 3}, {"deep": 7, "width": 6}):
        values = {"width": 4, "depth": 2, "deep": None, **given}
        torch.manual_seed(1)
        net = Net(**values)
        torch.manual_seed(1)
        read_ = reading(text, x, **values)
        state = net.state_dict()
        assert list(state) == list(read_.state_dict())
        assert all(torch.equal(state[name], tensor) for name, tensor in read_.state_dict().items())
        assert torch.equal(net(x), read_(x))


def test_torchs_random_numbers_are_left_alone_until_it_is_built() -> None:
    text = "name: Net\ninput: [3]\nlayers: [Linear: 2, Dropout: 0.5]\n"
    before = torch.get_rng_state()
    read(document.parse(text, "a text"), {}, [torch.zeros(2, 3)], {})
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    "line",
    (
        "y = torch.os.system('true')",
        "y = x if True else torch.load('file')",
        "y = F.torch.relu(x)",
        "y = x.numpy().tofile('file')",
        "y = x.apply_(x)",
        "y = nn.Module()",
        "y = x.flatten(torch.hub.list('x'))",
        "y = math.nothing(x)",
        "y = torch",
    ),
)
def test_what_no_list_has_does_not_run(line: str) -> None:
    with pytest.raises(Unreadable):
        reading(f'name: Net\ninput: [3]\nlayers: ["{line}"]\n', torch.zeros(2, 3))


@pytest.mark.parametrize(
    "size", ("torch.os.getpid()", "open('file')", "print(3)", "(2).bit_count()")
)
def test_sizes_are_numbers(size: str) -> None:
    with pytest.raises((Unreadable, NameError)):
        reading(f'name: Net\ninput: [3]\nlayers: [Linear: "{size}"]\n', torch.zeros(2, 3))


def test_a_spec_that_is_not_read_is_told() -> None:
    pair = nngen.load({"name": "Net", "input": [3], "layers": ["Tanh"]})
    other = document.of({"name": "Net", "input": [3], "layers": ["Tangent"]})
    report = verify(replace(pair.subject(), document=other))
    (skip,) = report.skipped
    assert (skip.group, skip.reason) == ("reading", "it does not know the layer 'Tangent'")
    assert "not applicable: reading: it does not know the layer 'Tangent'" in report.as_text()


@pytest.mark.parametrize("case", cases(), ids=str)
def test_each_example_of_the_catalog_is_read(case: Case) -> None:
    conditions = Conditions(batch_sizes=(4,))
    ledger = Ledger()
    with settled(conditions):
        bench = Bench(case.pair.subject(), conditions, 0, ledger)
        assert bench.construct()
        call_witness(bench)
        bench.level()
        check_steps(bench)
    assert not [str(row) for row in ledger.rows if not row.equal] and not ledger.skipped
    assert {row.group for row in ledger.rows} >= {"reading, construction"}
