"""The proof is put to the test: each fault, put into a twin, is caught. A sample of `python -m tests.mutants`."""

from __future__ import annotations

import random

import pytest

from nngen.proof.report import Report
from tests.mutants import equivalent, hunt, trial
from tests.mutants.__main__ import main
from tests.mutants.source import FAULTS

SMALL = (
    *("cnn", "lstm_classifier", "words", "pools", "repeated", "siamese", "vae", "film_resnet"),
    *("gpt2", "bert", "seq2seq_attention", "cross_entropy_weighted", "residual", "wavenet"),
    *("log_softmax_nll", "translation", "skip_connection", "mobilenet_v2", "shufflenet_v2_x1_0"),
    "choices",
)
PATHS = {path.rpartition("/")[2].removesuffix(".yaml"): path for path in hunt.default_specs()}


def one_of(name: str) -> trial.Mutant:
    """A mutant with this fault, in the first of the small specs that has a place for it."""
    fault = FAULTS[name]
    for spec in SMALL:
        source = trial.source_of(PATHS[spec], fault.file)
        real = [e for e in fault.find(source) if not equivalent.reason(name, spec, source.told(e))]
        if real:
            return trial.mutant_at(PATHS[spec], fault, random.Random(name).choice(real))
    raise LookupError(f"no small spec has a place for {name}")


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_caught(name: str) -> None:
    mutant = one_of(name)
    assert trial.tried(mutant).check, f"{FAULTS[name].says}\n{trial.difference(mutant)}"


@pytest.mark.parametrize("spec", ("pools", "words"))
def test_twins_without_a_fault_are_equal(spec: str) -> None:
    assert trial.verified(PATHS[spec]).equal


@pytest.mark.parametrize("name", ("wrong_momentum", "bias_before_weight", "name_left_out"))
def test_the_first_difference_is_that_of_the_whole_report(name: str) -> None:
    mutant = one_of(name)
    report = trial.verified(mutant.spec, mutant.texts)
    assert not report.equal
    assert trial.tried(mutant).first == report.first_difference


def test_each_exemption_is_of_a_place_that_is_there() -> None:
    for entry in equivalent.EQUIVALENT:
        assert entry.because and entry.fault in FAULTS
        for spec in entry.specs:
            source = trial.source_of(PATHS[spec], FAULTS[entry.fault].file)
            lines = [source.told(edits) for edits in FAULTS[entry.fault].find(source)]
            for text in entry.sources or ("",):
                assert any(text in line for line in lines), f"{entry.fault}, {spec}: {text}"


def test_a_survivor_is_told_with_its_diff(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--specs", PATHS["cnn"], "--only", "wrong_momentum", "wrong_eps", "--jobs", "1"]
    monkeypatch.setattr("sys.argv", ["mutants", *arguments])
    assert main() == 0
    assert "killed 2 of 2 mutants: 100.00 %" in capsys.readouterr().out

    def blind(mutant: trial.Mutant, seed: int) -> trial.Outcome:
        return trial.Outcome(mutant, "" if mutant.fault == "wrong_momentum" else "outputs", "")

    monkeypatch.setattr(hunt, "tried", blind)
    assert main() == 1
    told = capsys.readouterr().out
    assert "killed 1 of 2 mutants: 50.00 %" in told
    assert "survives: wrong_momentum at cnn/functional_style.py:" in told
    assert "momentum=0.1 * 0.1" in told


def test_a_report_with_a_difference_is_not_equal() -> None:
    mutant = one_of("running_var_not_updated")
    report: Report = trial.verified(mutant.spec, mutant.texts)
    assert not report.equal and any(not row.equal for row in report.rows)
