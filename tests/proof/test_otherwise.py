"""What verification shows beyond the check's own values: form, other arguments, larger and smaller values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from textwrap import dedent
from types import ModuleType
from typing import Any

import pytest
import torch

from nngen.graph.tensor_spec import TensorSpec
from nngen.proof.bench import Bench
from nngen.proof.carried import check_checkpoints, check_copies
from nngen.proof.form import check_form
from nngen.proof.ledger import Ledger
from nngen.proof.options import Conditions
from nngen.proof.otherwise import check_otherwise, check_scaled
from nngen.proof.report import Report
from nngen.proof.running import check_steps, check_training
from nngen.proof.subject import Subject
from nngen.proof.verification import verify
from tests.proof.twins import twin_subject

HEADER = "import torch\nimport torch.nn.functional as F\nfrom torch import nn\n"

NET = """
    class Net(nn.Module):
        def __init__(self, width=4, p=0.25, twice=False):
            super().__init__()
            self.p = p
            self.twice = twice
            self.fc1 = nn.Linear(3, width)
            self.fc2 = nn.Linear(width, 2)
            self.norm = nn.LayerNorm(2, eps=1e-12)

        def forward(self, x):
            x = F.relu6(self.fc1(x))
            x = F.dropout(x, p=self.p, training=self.training)
            x = self.norm(self.fc2(x))
            return x + x if self.twice else x
"""

Same = Callable[[dict[str, Any]], dict[str, Any]]


def same(state: dict[str, Any]) -> dict[str, Any]:
    return dict(state)


def module(name: str, source: str) -> ModuleType:
    made = ModuleType(name)
    exec(compile(HEADER + dedent(source), f"{name}.py", "exec"), vars(made))  # noqa: S102
    return made


def subject(functional: str = NET, nn: str = NET, **more: Any) -> Subject:
    given: dict[str, Any] = {
        "inputs": (TensorSpec("x", ("D",)),),
        "arguments": {"width": 4, "p": 0.25, "twice": False},
        "sizes": {"D": 3},
        "to_functional": same,
        "to_nn": same,
    }
    twins = module("nn_style", nn), module("functional", functional)
    return twin_subject("Net", *twins, **given | more)


# pickle finds classes by their module: these twins have none that can be imported.
@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("nngen.proof.verification.check_copies", lambda bench: None)
    yield


def test_equal_twins() -> None:
    report = verify(subject())
    assert report.equal, report.as_text()
    groups = {row.group for row in report.rows}
    assert {"larger values", "smaller values", "other arguments"} <= groups
    where = {row.where for row in report.rows if row.group == "other arguments"}
    assert {"train, width=5", "train, p=0.125", "train, twice=True"} <= where
    # A layer of 3 inputs refuses other sizes of D: there is no case, and that is told.
    assert not [each for each in where if "D=" in each]
    (skip,) = report.skipped
    assert skip.group == "other arguments: D"
    assert skip.reason.startswith("every value tried was refused: D=7: RuntimeError: mat1 and mat2")


PARTINGS = {
    "default": ("p=0.25", "p=0.5", "names, construction: arguments of __init__: nn (self, width=4"),
    "input": ("forward(self, x)", "forward(self, x, y=0)", "names, construction: arguments of for"),
    "argument ignored": ("self.p = p", "self.p = 0.25", "outputs, train, p=0.125: output["),
    "size ignored": ("width)", "4)", "construction, width=5: fc1.weight: shape (5, 3) in nn"),
    "switch ignored": ("if self.twice", "if False", "outputs, train, twice=True: output["),
    "bound": ("F.relu6", "F.relu", "larger values, train: "),
    "eps": ("eps=1e-12", "eps=1e-13", "smaller values, train: "),
    "raises": ("self.p = p", "self.p = p; 1 / (width - 5)", "ZeroDivisionError"),
}


@pytest.mark.parametrize("case", PARTINGS)
def test_what_one_value_would_not_show(case: str) -> None:
    old, new, told = PARTINGS[case]
    assert old in NET
    report = verify(subject(NET.replace(old, new)))
    assert not report.equal and told in str(report.first_difference)


def test_what_the_nn_twin_refuses_is_no_case() -> None:
    report = verify(subject(NET, NET.replace("self.p = p", "self.p = p; 1 / (width - 5)")))
    assert report.equal
    where = {row.where for row in report.rows if row.group == "other arguments"}
    assert "train, width=8" in where and "train, width=5" not in where


def test_the_order_of_registration() -> None:
    flat = """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                {}
                {}

            def forward(self, x):
                return F.layer_norm(x, (3,), self.fc_weight, self.fc_bias)
    """
    lines = (
        "self.fc_weight = nn.Parameter(torch.ones(3))",
        "self.fc_bias = nn.Parameter(torch.zeros(3))",
    )
    nn = """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.LayerNorm(3)

            def forward(self, x):
                return self.fc(x)
    """
    names = {"fc.weight": "fc_weight", "fc.bias": "fc_bias"}
    back = {functional: nn for nn, functional in names.items()}
    more: dict[str, Any] = {
        "arguments": {},
        "to_functional": lambda state: {names[key]: value for key, value in state.items()},
        "to_nn": lambda state: {back[key]: value for key, value in state.items()},
    }
    assert verify(subject(flat.format(*lines), nn, **more)).equal
    report = verify(subject(flat.format(*reversed(lines)), nn, **more))
    assert str(report.first_difference) == (
        "names, construction: order of parameters layers: "
        "nn order of fc.weight, fc.bias, functional order of fc.bias, fc.weight"
    )


def test_counters_that_are_taken_for_each_other() -> None:
    source = NET.replace("nn.LayerNorm(2, eps=1e-12)", "nn.BatchNorm1d(2)")
    source = source.replace(
        "self.fc2 =", "self.first = nn.BatchNorm1d(width)\n            self.fc2 ="
    ).replace("F.relu6(self.fc1(x))", "self.first(self.fc1(x))")

    def crossed(state: dict[str, Any]) -> dict[str, Any]:
        first, second = (f"{name}.num_batches_tracked" for name in ("first", "norm"))
        other = {first: second, second: first}
        return {other.get(key, key): value for key, value in state.items()}

    assert verify(subject(source, source)).equal
    report = verify(subject(source, source, to_functional=crossed, to_nn=crossed))
    told = str(report.first_difference)
    assert told.startswith("names, construction: order of buffers ")
    assert "first.num_batches_tracked" in told


# Breaks of the verifier's own code, each of which would make a proof of little worth.


def test_no_check_changes_the_models_it_is_given() -> None:
    bench = Bench(subject(), Conditions(), 0, Ledger())
    assert bench.construct()
    bench.level()

    def state() -> list[dict[str, Any]]:
        return [{k: v.clone() for k, v in model.state_dict().items()} for model in bench.models]

    before, modes = state(), [model.training for model in bench.models]
    checks = (check_steps, check_training, check_copies, check_checkpoints, check_form)
    for check in (*checks, check_scaled, check_otherwise):
        check(bench)
        for old, new in zip(before, state(), strict=True):
            assert all(torch.equal(old[key], new[key]) for key in old), check.__name__
        assert modes == [model.training for model in bench.models], check.__name__
        gradients = [weight.grad for model in bench.models for weight in model.parameters()]
        assert all(gradient is None for gradient in gradients), check.__name__


def test_a_checkpoint_is_loaded_into_a_model_of_another_seed() -> None:
    """Were it the same seed, what no checkpoint holds would seem to have been carried over."""
    source = NET.replace("self.twice = twice", "self.twice = twice; self.noise = torch.rand(2)")
    source = source.replace("self.norm(self.fc2(x))", "self.norm(self.fc2(x)) + self.noise")
    report: Report = verify(subject(source, source))
    assert str(report.first_difference).startswith("outputs, nn checkpoint, loaded: output[0, 0]")


def test_a_checkpoint_is_loaded_strictly() -> None:
    def more(state: dict[str, Any]) -> dict[str, Any]:
        return {**state, "more": next(iter(state.values()))}

    def less(state: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in state.items() if key != "more"}

    report = verify(subject(to_functional=more, to_nn=less))
    assert not report.equal
    assert "nn checkpoint, loaded: the functional twin raises RuntimeError" in str(
        report.first_difference
    ) and "Unexpected key(s)" in str(report.first_difference)
