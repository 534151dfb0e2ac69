"""The benchmarks' own pieces: what they time is the same model, and what they print is a table. Nothing is timed here."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
import torch

from benchmarks import recipes, running
from benchmarks.commands import Place
from benchmarks.measure import in_turn, process, ratio, table, timed

SMALL = {each.package: each for each in running.SUBJECTS if each.package != "resnet18"}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("name", SMALL)
def test_all_ways_to_run_a_model_compute_the_same(name: str) -> None:
    running.check(SMALL[name])


def test_another_model_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    found = running.candidates(SMALL["mlp"])
    with torch.no_grad():
        found["functional twin"].module.get_parameter("logits_bias")[0] += 1
    monkeypatch.setattr(running, "candidates", lambda subject: found)
    with pytest.raises(ValueError, match="MLP, 784: functional twin computes something else"):
        running.check(SMALL["mlp"])


@pytest.mark.parametrize(("bias", "same"), [("True", True), ("False", False)])
def test_what_another_program_wrote_must_be_the_same_model(
    tmp_path: Path, bias: str, same: bool
) -> None:
    script = tmp_path / "mlp.py"
    sizes = "(784, 256), (256, 64), (64, 10)"
    script.write_text(
        "from torch import nn\n\n\nclass Model(nn.Sequential):\n    def __init__(self):\n"
        f"        first, second, last = [nn.Linear(*size) for size in ({sizes})]\n"
        f"        between = nn.ReLU() if {bias} else nn.Tanh()\n"
        "        super().__init__(first, nn.ReLU(), second, between, last)\n"
    )
    if same:
        running.check_script(script, SMALL["mlp"])
    else:
        with pytest.raises(ValueError, match=r"mlp\.py computes something else"):
            running.check_script(script, SMALL["mlp"])


def test_rows_make_a_table() -> None:
    header = ["MLP", "time", "CPU", *running.RATIOS.values()]
    text = table(header, running.rows(SMALL["mlp"], seconds=0))
    lines = text.splitlines()
    assert lines[:2] == [
        "| MLP | time | CPU | / hand-written | / functional_call |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    ways = len(running.candidates(SMALL["mlp"]))
    assert len(lines) == 2 + 2 * len(running.BATCHES) * ways
    assert lines[2].startswith("| eval forward, batch 1: hand-written nn | ")
    assert lines[2].endswith(" |") and lines[2].split(" | ")[3] == "1.00"


def test_candidates_take_turns() -> None:
    assert [*islice(in_turn("abc"), 4)] == [[*"abc"], [*"bca"], [*"cab"], [*"abc"]]
    calls: list[str] = []
    samples = timed({name: lambda name=name: calls.append(name) for name in "ab"}, 0, fewest=3)
    assert {name: len(each) for name, each in samples.items()} == {"a": 3, "b": 3}
    assert {*calls} == {"a", "b"}


def test_a_ratio_is_that_of_the_middle_round() -> None:
    assert ratio([1, 2, 30], [2, 2, 2]) == 1


def test_a_process_is_measured_or_its_failure_told() -> None:
    run = process([sys.executable, "-c", "bytearray(200 * 2**20)"])
    assert run.wall > 0 and run.cpu > 0 and run.memory > 200
    with pytest.raises(subprocess.CalledProcessError) as failed:
        process([sys.executable, "-c", "raise SystemExit('no such thing')"])
    assert failed.value.output.strip() == "no such thing"


def test_a_place_forgets_a_build_and_all(tmp_path: Path) -> None:
    place = Place(tmp_path)
    kept, gone = tmp_path / "cache" / "black", tmp_path / "cache" / "nngen" / "fresh"
    for folder in (kept, gone, tmp_path / "out"):
        folder.mkdir(parents=True)
    place.forget_build()
    assert kept.exists() and not gone.exists() and not (tmp_path / "out").exists()
    place.forget_all()
    assert not kept.exists()
    assert place.environment["XDG_CACHE_HOME"] == str(tmp_path / "cache")


def test_the_recipes_are_those_of_the_page() -> None:
    scope, lines = recipes.run_page(), recipes.lengths()
    for names in recipes.RECIPES.values():
        assert all(
            callable(scope[name + other]) for name in names for other in ("", recipes.BY_CALL)
        )
    written = {name for name in lines if name.endswith(recipes.BY_CALL)}
    assert written == {
        name + recipes.BY_CALL for names in recipes.RECIPES.values() for name in names
    }
    assert lines["derivatives"] == 5
    assert recipes.row(("derivatives",), scope, 1)[:2] == (5, 5)
