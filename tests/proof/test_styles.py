"""A model in more styles than two: each is compared with the nn twin, and told by its own name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

import nngen
from nngen.proof import exports, loading
from nngen.proof.report import Report
from nngen.proof.subject import Subject, Written
from nngen.proof.verification import verify
from tests.emit.test_third_style import TEMPLATE, Listing
from tests.proof.conftest import FUNCTIONAL, NN, dotted, flat

# The functional twin, with keys of its own.
THIRD = FUNCTIONAL
for layer in ("bn", "conv", "fc"):
    THIRD = THIRD.replace(f"self.{layer}_", f"self.{layer}__").replace(f'"{layer}_', f'"{layer}__')


@pytest.fixture
def three(
    subject: Callable[..., Subject], module: Callable[[str, str], ModuleType]
) -> Callable[..., Report]:
    """Verifies the good pair with a third model, in which a text stands for another."""

    def run(old: str = "", new: str = "", nn: str = NN, functional: str = FUNCTIONAL) -> Report:
        assert old in THIRD
        written = Written(
            "third",
            module("third_style", THIRD.replace(old, new) if old else THIRD),
            lambda state: {key.replace("_", "__", 1): value for key, value in flat(state).items()},
            lambda state: dotted({key.replace("__", "_", 1): v for key, v in state.items()}),
        )
        two = subject(nn, functional)
        return verify(replace(two, twins=(*two.twins, written)), steps=1, exports=True)

    return run


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    some = [each for each in exports.EXPORTS if each.group == "torch.func.grad"]
    monkeypatch.setattr(exports, "EXPORTS", tuple(some))


def test_three_that_are_equal(
    three: Callable[..., Report], subject: Callable[..., Subject]
) -> None:
    report, two = three(), verify(subject(), steps=1, exports=True)
    assert report.equal, report.as_text()
    rows = [row for row in report.rows if not row.group.startswith("third, ")]
    assert rows == list(two.rows)
    third = [row for row in report.rows if row.group.startswith("third, ")]
    assert all(row.where.startswith("third, ") for row in third)
    told = [row.group[7:].replace("third", "functional") for row in third]
    assert told == [row.group for row in two.rows]
    assert [row.values for row in third] == [row.values for row in two.rows]


# What stands in the third instead, and the first difference.
WRONG = {
    "a value": ("p=0.5", "p=0.4", "outputs, third, train, batch 1, grad: output[0, 0]: nn "),
    "a gradient": (
        "F.linear(x, self.fc__weight,",
        "F.linear(x, self.fc__weight.detach(),",
        "gradients, third, train, batch 1, grad: fc.weight (fc__weight): nn a tensor (5, 48), third ",
    ),
    "a draw": (
        "kaiming_uniform_(self.fc__weight, a=math.sqrt(5))",
        "kaiming_uniform_(self.fc__weight, a=2)",
        "weights, third, construction: fc.weight (fc__weight)[0, 0]: nn ",
    ),
    "a name": (
        '"bn__running_var", torch.ones(3)',
        '"bn__running_var", torch.ones(3), persistent=False',
        "names, third, construction: bn.running_var (bn__running_var): nn a buffer, third a buffer ",
    ),
    "an argument": (
        "def forward(self, x):",
        "def forward(self, x, y=0):",
        "names, third, construction: arguments of forward: nn (self, x), third (self, x, y=0)",
    ),
    "an exception": (
        "x = torch.flatten",
        "assert not self.training, 'no'\n            x = torch.flatten",
        "train, batch 1, grad: the third twin raises AssertionError: no at third_style.py:",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_differs_in_the_third_is_told_of_it(name: str, three: Callable[..., Report]) -> None:
    old, new, first = WRONG[name]
    report = three(old, new)
    assert report.different
    assert str(report.first_difference).startswith(first)
    apart = [row for row in report.rows if not row.equal]
    assert apart and all(row.group.startswith("third, ") for row in apart)
    assert not {finding.twin for finding in report.findings} & {"functional", "both"}


def test_what_differs_in_the_second_is_not_told_of_the_third(three: Callable[..., Report]) -> None:
    report = three(functional=FUNCTIONAL.replace("p=0.5", "p=0.4"))
    apart = [row for row in report.rows if not row.equal]
    assert apart and not any(row.group.startswith("third, ") for row in apart)
    assert "functional" in apart[0].first


def test_what_all_raise_is_told_once(three: Callable[..., Report]) -> None:
    fails = ("x = torch.flatten", "assert x.shape[0] > 1, 'no'\n            x = torch.flatten")
    report = three(*fails, nn=NN.replace(*fails), functional=FUNCTIONAL.replace(*fails))
    assert report.equal, report.as_text()
    assert [note for note in report.notes if "batch size 1" in note] == [
        "train mode is not possible at batch size 1: no",
        "eval mode is not possible at batch size 1: no",
    ]


def test_what_is_loaded_holds_all_styles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "listing.py.j2").write_text(TEMPLATE, encoding="utf-8")
    monkeypatch.setattr(loading, "STYLES", (*loading.STYLES, Listing(tmp_path)))
    for styles in ("[nn]", "[functional]"):
        pair = nngen.load(f"name: Net\ninput: [3]\nlayers: [Linear: 2]\nstyles: {styles}")
        assert pair.nn_style.Net().fc1.weight.shape == (2, 3)
        assert pair.functional_style.Net().fc1_weight.shape == (2, 3)
        listing: ModuleType = getattr(pair, "listing")  # noqa: B009
        assert listing is pair.styles["listing"]
        assert listing.Net.fc1 == "Linear, with weight and bias"
        assert verify(pair.subject(), steps=1).equal
    with pytest.raises(AttributeError, match="'Pair' object has no attribute 'other'"):
        getattr(pair, "other")  # noqa: B009
