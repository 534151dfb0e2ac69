"""Verification under other conditions: each is what it says, and a fault that it alone shows is found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from nngen.errors import NngenError
from nngen.graph.tensor_spec import TensorSpec
from nngen.proof.options import Conditions
from nngen.proof.report import Report
from nngen.proof.subject import Subject
from nngen.proof.verification import verify
from tests.proof.conftest import module, plain, subject

__all__ = ["module", "plain", "subject"]  # fixtures

SETUP = "self.fc = nn.Linear(3, 2)"
BODY = "return self.fc(x)"

# What only these conditions show: the condition, as both twins see it, and as `verify` takes it.
SHOWN: dict[str, tuple[str, dict[str, Any]]] = {
    "bfloat16": ("x.dtype == torch.bfloat16", {"dtype": "bfloat16"}),
    "float16": ("self.fc.weight.dtype == torch.float16", {"dtype": "float16"}),
    "float64": ("x.dtype == self.fc.bias.dtype == torch.float64", {"dtype": "float64"}),
    "autocast": ("torch.is_autocast_enabled('cpu')", {"autocast": "bfloat16"}),
    "autocast in float16": (
        "torch.get_autocast_dtype('cpu') == torch.float16 and torch.is_autocast_enabled('cpu')",
        {"autocast": "float16"},
    ),
    "threads": ("torch.get_num_threads() == 2", {"threads": 2}),
    "seeds": ("torch.initial_seed() == 1", {"seeds": 2, "steps": 1}),
    "seed": ("torch.initial_seed() == 9", {"seed": 9, "steps": 1}),
    "batch": ("len(x) == 6", {"batch_sizes": (6,)}),
}


@pytest.fixture
def run(plain: Callable[..., Report]) -> Callable[..., Report]:
    """Verifies two bodies of forward under some conditions."""

    def run(nn: str, functional: str, setup: str = SETUP, **conditions: Any) -> Report:
        inputs = conditions.pop("inputs", (TensorSpec("x", (3,)),))
        return plain(nn, functional, setup, inputs=inputs, conditions=conditions)

    return run


@pytest.mark.parametrize("case", SHOWN)
def test_a_fault_that_it_alone_shows(case: str, run: Callable[..., Report]) -> None:
    seen, conditions = SHOWN[case]
    broken = f"return self.fc(x) + ({seen})"
    assert run(BODY, broken, steps=1).equal
    report = run(BODY, broken, **conditions)
    assert not report.equal and "output[0, 0]: nn " in str(report.first_difference)
    assert run(BODY, BODY, **conditions).equal


def test_the_second_seed_is_named(run: Callable[..., Report]) -> None:
    broken = "return self.fc(x) + (torch.initial_seed() == 1)"
    report = run(BODY, broken, seeds=2, steps=1)
    assert "outputs, train, batch 1, grad, seed 1: output" in str(report.first_difference)
    assert "seeds: 0 to 1" in report.as_text()
    one, two = (run(BODY, BODY, seeds=n, steps=1) for n in (1, 2))
    assert two.values == 2 * one.values
    assert list(one.groups()) == list(two.groups())


def test_weights_are_compared_after_each_step(run: Callable[..., Report]) -> None:
    """A fault that the second step makes and the third takes back."""
    setup = f"{SETUP}; self.idle = nn.Parameter(torch.zeros(1), requires_grad=False); self.runs = 0"
    count = "self.runs += 1\n"
    faulty = "self.idle.data.add_({2: 1, 3: -1}.get(self.runs, 0))\n"
    report = run(count + BODY, count + faulty + BODY, setup)
    first = "weights, SGD, 3 steps, step 2: idle[0]: nn 0, functional 1; 1 of 1 values differ"
    assert report.first_difference == first
    red = {row.where for row in report.rows if not row.equal}
    assert red == {"SGD, 3 steps, step 2", "Adam, 3 steps, step 2"}
    assert run(count + BODY, count + faulty + BODY, setup, steps=1).equal


def test_each_step_has_a_batch_of_its_own(run: Callable[..., Report]) -> None:
    rows = run(BODY, BODY, steps=5).groups()["SGD, 5 steps"]
    assert len({row.where for row in rows}) == 5


def test_autocast_is_for_forward_alone(run: Callable[..., Report]) -> None:
    setup = """
        class Checked(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return x.clone()

            @staticmethod
            def backward(ctx, gradient):
                if torch.is_autocast_enabled("cpu"):
                    raise RuntimeError("backward under autocast")
                return gradient

        self.checked = Checked
        self.fc = nn.Linear(3, 2)
    """
    body = "return self.checked.apply(self.fc(x))"
    report = run(body, body, setup, autocast="bfloat16", exports=False)
    assert "backward" not in str(report.skipped) and "train, grad" in report.groups()


def test_what_torch_does_not_compute_in_a_dtype(run: Callable[..., Report]) -> None:
    body = "return torch.linalg.det(x)[:, None] * self.fc.weight[0, 0]"
    square = (TensorSpec("x", (3, 3)),)
    assert run(body, body, inputs=square).equal
    report = run(body, body, inputs=square, dtype="bfloat16")
    assert not report.equal and not report.different
    reasons = {skip.reason for skip in report.skipped}
    assert len(reasons) == 1 and "not implemented for 'BFloat16'" in reasons.pop()
    text = report.as_text()
    assert "NOT shown to be equal" in text and text.count("not applicable: train, grad; ") == 1


def test_an_input_with_its_own_dtype_keeps_it(run: Callable[..., Report]) -> None:
    inputs = (TensorSpec("x", (3,)), TensorSpec("y", (3,), "float64"))
    body = "assert (x.dtype, y.dtype) == ({}); return self.fc(x)"
    own = body.format("torch.float32, torch.float64")
    assert run(own, own, inputs=inputs).equal
    cast = body.format("torch.bfloat16, torch.bfloat16")
    assert run(cast, cast, inputs=inputs, dtype="bfloat16").equal


DEVICES = {
    "cudda": "device 'cudda' is unknown to torch; it knows cpu, cuda, cuda:1, mps, xpu, …",
    "meta": "device 'meta' holds no values, so there is nothing to compare on it",
    "xpu": "device 'xpu' cannot be used here: ",
}


@pytest.mark.parametrize("device", DEVICES)
def test_a_device_that_is_not_there(device: str, subject: Callable[..., Subject]) -> None:
    with pytest.raises(NngenError) as error:
        verify(subject(), device=device)
    assert str(error.value).startswith(DEVICES[device])


def test_random_numbers_of_a_device(
    subject: Callable[..., Subject], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its generator is seeded, compared, and afterwards as it was; shown with one that stands in."""
    from nngen.proof import device

    class Generator:
        def __init__(self) -> None:
            self.state = torch.tensor([5], dtype=torch.uint8)
            self.seeds: list[int] = []

        def manual_seed(self, seed: int) -> None:
            self.seeds.append(seed)
            self.state = torch.tensor([seed % 256], dtype=torch.uint8)

        def get_rng_state(self) -> torch.Tensor:
            return self.state

        def set_rng_state(self, state: torch.Tensor) -> None:
            self.state = state

    generator = Generator()
    monkeypatch.setattr(torch, "get_device_module", lambda _: generator)
    with device.in_use(torch.device("meta")):
        device.seed_random(7)
        assert generator.seeds == [7]
        assert [len(state) for state in device.random_states()] == [5056, 1]
    assert generator.state.item() == 5
    assert len(device.random_states()) == 1


WRONG = {
    "steps": {"steps": 0},
    "seeds": {"seeds": 0},
    "threads": {"threads": 0},
    "no batch": {"batch_sizes": ()},
    "dtype": {"dtype": "int8"},
    "autocast": {"autocast": "float64"},
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_conditions(case: str) -> None:
    with pytest.raises(
        ValueError, match="nothing to run: |^dtype is 'int8'|^autocast is 'float64'"
    ):
        Conditions(**WRONG[case])  # type: ignore[arg-type]


def test_conditions_in_words() -> None:
    assert str(Conditions()) == "batch sizes: 1, 4; steps: 3; seed: 0"
    other = Conditions(seed=3, seeds=2, device="cuda", dtype="float16", threads=4)
    assert str(other) == (
        "batch sizes: 1, 4; steps: 3; seeds: 3 to 4; device: cuda; dtype: float16; threads: 4"
    )
