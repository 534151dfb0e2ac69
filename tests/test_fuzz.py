"""What fuzzing found stays mended, and fuzzing finds what is broken; `make fuzz` does it for a minute."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from nngen.language import document
from tests.fuzz import target
from tests.fuzz.inputs import Inputs

FOUND = sorted((Path(__file__).parent / "fuzz" / "found").iterdir())


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
def test_what_was_found_is_mended(path: Path) -> None:
    outcome = target.run(path.read_text(), thorough=True)
    assert not isinstance(outcome, target.Finding), outcome.report


def test_one_seed_gives_the_same_inputs() -> None:
    first, second, other = (list(itertools.islice(Inputs(seed), 50)) for seed in (1, 1, 2))
    assert first == second != other


@pytest.mark.heavy
def test_inputs_are_of_all_sorts() -> None:
    outcomes = [target.run(text) for text in itertools.islice(Inputs(0), 300)]
    assert sum(isinstance(outcome, target.Built) for outcome in outcomes) > 10
    assert len({outcome for outcome in outcomes if isinstance(outcome, str)}) > 100


@pytest.mark.parametrize(
    "error", [KeyError("x"), RecursionError(), AssertionError(), MemoryError()]
)
def test_a_fault_is_found(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr(document, "parse", broken)
    outcome = target.run("name: M")
    assert isinstance(outcome, target.Finding) and type(error).__name__ in outcome.site


def test_an_input_that_takes_long_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target, "SECONDS", 0.0)
    outcome = target.run(Path("specs/cnn.yaml").read_text())
    assert isinstance(outcome, target.Finding) and outcome.site.startswith("TooSlow")
