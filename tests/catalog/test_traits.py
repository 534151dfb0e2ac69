"""What the entries of functions say of what they give, against torch."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from nngen.catalog import FUNCTIONS, LAYERS, Trait, traits_of
from tests.catalog.function_calls import CALLS, INPUTS, draw, lines
from tests.catalog.since import missing

_ALIASES = Trait.VIEW | Trait.ALIAS
CALLED = [(name, call) for name, call in lines(CALLS) if not missing(call)]
# A tensor that each function here takes, and what it takes beside that.
_WITH = {
    **{name: {"dim": 1} for name in ("softmax", "log_softmax", "softmin")},
    "prelu": {"weight": torch.tensor(0.25)},
    "gumbel_softmax": {"dim": 1},
    **{f"{kind}_pool{n}d": {"kernel_size": 2} for kind in ("max", "avg") for n in (1, 2, 3)},
    **{f"fractional_max_pool{n}d": {"kernel_size": 2, "output_size": 2} for n in (2, 3)},
    **{
        f"adaptive_{kind}_pool{n}d": {"output_size": 2}
        for kind in ("max", "avg")
        for n in (1, 2, 3)
    },
}
_NUMERIC = (
    *(Trait.PROBABILITY, Trait.LOG_PROBABILITY, Trait.BOUNDED, Trait.NONNEGATIVE),
    *(Trait.RECTIFIER, Trait.IDEMPOTENT, Trait.KEEPS_SIGN),
)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _memory(value: Any) -> set[int]:
    if isinstance(value, Tensor):
        return {value.untyped_storage().data_ptr()} - {0}
    return set().union(*map(_memory, value)) if isinstance(value, (tuple, list)) else set()


def test_what_gives_its_operands_memory_says_so() -> None:
    silent = set()
    for name, call in CALLED:
        torch.manual_seed(0)
        given = {each: draw(each, 1) for each in INPUTS}
        scope = {"torch": torch, "F": F, "training": False, "float_inf": 0, "minus_inf": 0}
        shared = _memory(eval(call, scope | given)) & _memory(list(given.values()))
        if shared and not FUNCTIONS[name].traits & _ALIASES:
            silent.add(name)
    assert silent == {"torch.einsum"}  # of one operand alone


def _numbers(sample: Tensor, name: str) -> Tensor:
    arguments: dict[str, Any] = _WITH.get(name.rpartition(".")[2], {})
    called: Any = {"torch": torch, "F": F, "Tensor": Tensor}[name.partition(".")[0]]
    found = getattr(called, name.rpartition(".")[2])(sample, **arguments)
    assert isinstance(found, Tensor)
    return found


@pytest.mark.parametrize(
    "name", [n for n, f in FUNCTIONS.items() if any(t in f.traits for t in _NUMERIC)]
)
def test_numbers_are_as_the_entry_says(name: str) -> None:
    torch.manual_seed(0)
    spatial = name[-2] in "123" and name.endswith("d")
    sample = 4 * torch.randn(2, 3, *[6] * (int(name[-2]) if spatial else 1))
    traits, found = FUNCTIONS[name].traits, _numbers(sample, name)
    if Trait.PROBABILITY in traits:
        assert 0 <= found.min() and found.max() <= 1
    if Trait.LOG_PROBABILITY in traits:
        assert found.max() <= 0
    if Trait.BOUNDED in traits:
        assert -1 <= found.min() < 0 < found.max() <= 1
    if Trait.NONNEGATIVE in traits:
        assert found.min() >= 0
    if Trait.RECTIFIER in traits:
        assert found.min() > -0.4 and bool((found[sample > 0] > 0).all())
    if Trait.IDEMPOTENT in traits:
        torch.testing.assert_close(_numbers(found, name), found)
    if Trait.KEEPS_SIGN in traits:
        assert _numbers(sample.abs(), name).min() >= 0


def test_layers_have_the_traits_of_their_functions() -> None:
    assert Trait.SOFTMAX in traits_of("Softmax2d")
    assert Trait.NORM in traits_of("InstanceNorm2d")
    assert Trait.LINEAR | Trait.MODIFIABLE in traits_of("ConvTranspose3d")
    assert traits_of("AdaptiveLogSoftmaxWithLoss") is Trait.NONE  # its output is a loss
    activations = {kind for kind in LAYERS if Trait.ACTIVATION in traits_of(kind)}
    assert {"ReLU", "PReLU", "RReLU", "Softplus", "Tanh"} < activations


@pytest.mark.parametrize("bare", sorted({name.rpartition(".")[2] for name in FUNCTIONS}))
def test_one_function_of_several_names_has_one_set_of_traits(bare: str) -> None:
    """F.unfold copies windows, Tensor.unfold is a view."""
    found = {
        FUNCTIONS[f"{root}.{bare}"].traits
        for root in ("torch", "F", "Tensor")
        if f"{root}.{bare}" in FUNCTIONS
    }
    assert len(found) <= 1 or bare == "unfold"
