"""A layer's argument may be an argument of the model: then the twins are equal for other values of it, too."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

import nngen
from nngen.errors import SpecError
from tests.support import Case, cases, plain

# What a spec must write out, since code or parameters depend on it.
REFUSALS = ("cannot be an argument", "it is inferred")


def _given(case: Case) -> Iterator[tuple[str, Any]]:
    """The numbers and flags that an example gives, and those that it leaves to their default."""
    arguments = plain(case.example.arguments)
    for argument in case.entry.signature:
        value = arguments.get(argument.name, argument.default)
        if isinstance(value, (bool, int, float)):
            yield argument.name, value


def _opened(case: Case, name: str, value: Any) -> dict[str, Any]:
    """The example's spec, with the argument `name` an argument of the model."""
    spec = copy.deepcopy(case.spec)
    layer = spec["loss"] if "loss" in spec else spec["layers"][0]
    layer[case.entry.name] = {**(layer[case.entry.name] or {}), name: "own"}
    return {**spec, "args": {"own": value}}


def _samples() -> Iterator[Any]:
    """Each argument of each layer, once for each value that an example gives.

    Where an argument is a name in the code, one number is as good as another: further ones are slow.
    """
    seen: set[Any] = set()
    for case in cases():
        for name, value in _given(case):
            argument = (case.entry.name, name)
            kind = value if isinstance(value, bool) else type(value)
            if (*argument, repr(value)) not in seen:
                marks = [pytest.mark.slow] if (*argument, kind) in seen else []
                seen |= {(*argument, repr(value)), (*argument, kind)}
                spec, identifier = _opened(case, name, value), f"{case}-{name}={value}"
                yield pytest.param(spec, id=identifier, marks=marks)


@pytest.mark.parametrize("spec", list(_samples()))
def test_an_argument_of_the_model(spec: dict[str, Any]) -> None:
    try:
        report = nngen.verify(spec, steps=1, batch_sizes=(2,))
    except SpecError as error:
        assert any(refusal in str(error) for refusal in REFUSALS), error
    else:
        assert report.equal, report


@pytest.mark.parametrize(
    "layer, name",
    [("LSTM", "hidden_size"), ("CrossEntropyLoss", "label_smoothing"), ("Dropout", "p")],
)
def test_what_may_be_an_argument_is_not_refused(layer: str, name: str) -> None:
    """Or the test above would hold for a tool that refuses all."""
    found = ((c, dict(_given(c))) for c in cases() if c.entry.name == layer)
    case, given = next((case, given) for case, given in found if name in given)
    assert nngen.verify(_opened(case, name, given[name])).equal
