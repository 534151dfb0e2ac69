"""Pitfalls: the wrong program goes wrong, the right one does not; both are told in every language."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib import resources
from string import Formatter
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import yaml

from nngen.catalog import FUNCTIONS, LAYERS
from nngen.errors import NngenError
from nngen.teach import pitfalls
from nngen.teach.pitfalls import GROUPS, PITFALLS, Outcome, Pitfall, Ran, text
from nngen.teach.translations import LANGUAGES, translate
from tests.test_house import PROGRAMS

# What specs have beside the layers and functions of the catalog.
STEPS = {"Parameter", "ModuleList"}
EACH = pytest.mark.parametrize("pitfall", PITFALLS.values(), ids=PITFALLS)
Numbers = Any
CHECKS: dict[str, Callable[[Numbers, Numbers], None]] = {}


def check(function: Callable[[Numbers, Numbers], None]) -> None:
    """What must hold of the pitfall of that name: of its wrong and of its right program."""
    CHECKS[function.__name__.replace("_", "-")] = function


@cache
def outcome(name: str) -> Outcome:
    return pitfalls.run(PITFALLS[name])


def numbers(ran: Ran) -> Numbers:
    return SimpleNamespace(**ran.numbers, code=ran.code, error=ran.error, output=ran.output)


# What goes wrong, and what does not


@check
def dropout_in_eval(wrong: Numbers, right: Numbers) -> None:
    assert 0.4 < wrong.zeros < 0.6
    assert right.zeros == 0


@check
def attention_dropout_in_eval(wrong: Numbers, right: Numbers) -> None:
    assert wrong.difference > 0.1
    assert right.difference == 0


@check
def batch_norm_without_training(wrong: Numbers, right: Numbers) -> None:
    assert wrong.mean > 4 and wrong.deviation > 1.5 and wrong.running_mean == 0
    assert abs(right.mean) < 1e-5 and abs(right.deviation - 1) < 0.01
    assert right.running_mean == pytest.approx(wrong.mean / 10, rel=1e-3)


@check
def batch_norm_variance(wrong: Numbers, right: Numbers) -> None:
    assert wrong.off > 0.1
    assert right.off < 1e-6
    assert right.stored == pytest.approx(wrong.unbiased, rel=1e-6)
    assert wrong.unbiased / right.biased == pytest.approx(4 / 3, rel=1e-6)  # a batch of 4


@check
def eval_is_not_no_grad(wrong: Numbers, right: Numbers) -> None:
    assert 0.4 < wrong.zeros < 0.6 and wrong.graph is True
    assert right.zeros == 0 and right.graph is False


@check
def lstm_dropout(wrong: Numbers, right: Numbers) -> None:
    assert wrong.zeros == 0 and "dropout option adds dropout after all but last" in wrong.output
    assert 0.4 < right.zeros < 0.6 and "Warning" not in right.output


@check
def layer_in_forward(wrong: Numbers, right: Numbers) -> None:
    assert wrong.difference > 0.5 and wrong.parameters == 0
    assert right.difference == 0 and right.parameters == 6 * 3 * 3 * 3 + 6


@check
def layers_in_a_list(wrong: Numbers, right: Numbers) -> None:
    assert wrong.parameters == 0 and wrong.saved == 0
    assert right.parameters == 3 * (8 * 8 + 8) and right.saved == 6


@check
def tensor_as_weight(wrong: Numbers, right: Numbers) -> None:
    assert wrong.parameters == 0 and wrong.saved == 0
    assert right.parameters == 3 * 8 and right.saved == 1


@check
def weights_by_rand(wrong: Numbers, right: Numbers) -> None:
    assert wrong.size > 100_000
    assert 0.01 < right.size < 1


@check
def padding_row_overwritten(wrong: Numbers, right: Numbers) -> None:
    assert wrong.row > 1 and wrong.gradient == 0
    assert right.row == 0 and right.gradient == 0


@check
def bias_drawn_first(wrong: Numbers, right: Numbers) -> None:
    assert wrong.same is False and wrong.difference > 0.1
    assert right.same is True and right.difference == 0


@check
def functional_call_typo(wrong: Numbers, right: Numbers) -> None:
    assert wrong.growth == 1
    assert right.growth == pytest.approx(4, rel=1e-6)  # twice in either place
    assert "0.wieght" in right.output and "0.wieght" not in wrong.output


@check
def softmax_before_cross_entropy(wrong: Numbers, right: Numbers) -> None:
    assert wrong.perfect3 == pytest.approx(math.log(1 + 2 / math.e), rel=1e-6)
    assert wrong.perfect10 == pytest.approx(math.log(1 + 9 / math.e), rel=1e-6)
    assert wrong.gradient < 1e-6
    assert right.perfect3 < 1e-6 and right.perfect10 < 1e-6 and right.gradient == 1


@check
def log_softmax_before_cross_entropy(wrong: Numbers, right: Numbers) -> None:
    """The one that does not go wrong: the two differ by rounding at most."""
    assert PITFALLS["log-softmax-before-cross-entropy"].harmless
    assert "log_softmax" in wrong.code and "log_softmax" not in right.code
    assert wrong.loss == pytest.approx(right.loss, rel=1e-6) and right.loss > 1
    assert wrong.gradient == pytest.approx(right.gradient, rel=1e-6) and right.gradient > 0.1


@check
def nll_without_log_softmax(wrong: Numbers, right: Numbers) -> None:
    assert -1 < wrong.of_probabilities < 0 and wrong.of_scores == -4
    assert 0 < right.loss == right.cross_entropy


@check
def log_of_softmax(wrong: Numbers, right: Numbers) -> None:
    assert wrong.loss == math.inf and math.isnan(wrong.gradient)
    assert right.loss == 200 and right.gradient == -1


@check
def softmax_without_dim(wrong: Numbers, right: Numbers) -> None:
    assert abs(wrong.of_one_word - 1) > 0.1 and wrong.of_one_class == pytest.approx(1)
    assert "Implicit dimension choice" in wrong.output
    assert right.of_one_word == pytest.approx(1) and abs(right.of_one_class - 1) > 0.1
    assert "Warning" not in right.output


@check
def cross_entropy_dim(wrong: Numbers, right: Numbers) -> None:
    assert wrong.error == "TypeError" and "'dim'" in wrong.output
    assert right.loss > 0


@check
def sigmoid_before_bce(wrong: Numbers, right: Numbers) -> None:
    assert wrong.loss == 100 and wrong.gradient == 0
    assert str(wrong.gradient) == "0.0"  # torch gives -0.0
    assert right.loss == 200 and right.gradient == -1


@check
def bce_without_sigmoid(wrong: Numbers, right: Numbers) -> None:
    assert wrong.error == "RuntimeError" and "between 0 and 1" in wrong.output
    assert right.loss == pytest.approx(right.with_logits, rel=1e-6) and right.loss > 0


@check
def kl_divergence_mean(wrong: Numbers, right: Numbers) -> None:
    assert wrong.ratio == pytest.approx(10, rel=1e-5)  # classes
    assert right.ratio == pytest.approx(1, rel=1e-5)
    assert "'batchmean'" in wrong.output and "Warning" not in right.output


@check
def size_average(wrong: Numbers, right: Numbers) -> None:
    assert "size_average and reduce args will be deprecated" in wrong.output
    assert wrong.loss == right.loss and "Warning" not in right.output


@check
def flatten_before_convolution(wrong: Numbers, right: Numbers) -> None:
    assert wrong.error == "RuntimeError" and "[2, 784]" in wrong.output
    assert right.shape == (2, 10)


@check
def max_pool_without_kernel_size(wrong: Numbers, right: Numbers) -> None:
    assert wrong.error == "TypeError" and "'kernel_size'" in wrong.output
    assert right.shape == (2, 16, 12, 12)


@check
def input_instead_of_output(wrong: Numbers, right: Numbers) -> None:
    assert (wrong.first, wrong.second) == (False, True)
    assert (right.first, right.second) == (True, True)


@check
def in_place_relu_before_residual(wrong: Numbers, right: Numbers) -> None:
    assert wrong.values == right.values == [-1, 2]
    assert wrong.total == [0, 4] and right.total == [-1, 4]


def test_each_pitfall_has_its_check() -> None:
    assert list(CHECKS) == list(PITFALLS)


@EACH
def test_wrong_goes_wrong_and_right_does_not(pitfall: Pitfall) -> None:
    found = outcome(pitfall.name)
    CHECKS[pitfall.name](numbers(found.wrong), numbers(found.right))
    assert not found.right.error


# The data


@EACH
def test_what_is_shown_is_what_is_run(pitfall: Pitfall) -> None:
    found = outcome(pitfall.name)
    for half, ran in (("wrong", found.wrong), ("right", found.right)):
        code = (PROGRAMS / pitfall.name / f"{half}.py").read_text()
        assert ran.code == code
        assert ran.output
        assert all(len(line) <= 88 for line in code.splitlines())
        assert len(re.findall(r"^.*\S", code, flags=re.MULTILINE)) <= 20
    assert found.wrong.code != found.right.code


def test_every_program_belongs_to_a_pitfall() -> None:
    found = {path.relative_to(PROGRAMS).as_posix() for path in PROGRAMS.rglob("*.py")}
    assert found == {f"{name}/{half}.py" for name in PITFALLS for half in ("wrong", "right")}


@EACH
def test_pitfalls_are_about_what_the_catalog_has(pitfall: Pitfall) -> None:
    assert set(pitfall.about) <= set(LAYERS) | set(FUNCTIONS) | STEPS
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", pitfall.name)
    for name in pitfall.about:
        assert pitfall in pitfalls.about(name)


def test_about_gives_the_pitfalls_of_a_layer_or_function() -> None:
    assert [each.name for each in pitfalls.about("F.dropout")] == [
        "dropout-in-eval",
        "eval-is-not-no-grad",
    ]
    assert [each.name for each in pitfalls.about("LSTM")] == ["lstm-dropout"]
    assert pitfalls.about("Identity") == ()


@EACH
def test_the_page_of_the_documentation_is_of_something_in_torch(pitfall: Pitfall) -> None:
    assert pitfall.url.startswith("https://docs.pytorch.org/docs/stable/")
    found: Any = torch
    for part in re.sub(r"^generated/|^(?=nn)|\.html$", "", pitfall.docs).split("."):
        found = found if part == "torch" else getattr(found, part)
    assert found is not torch


# Running


def test_running_leaves_the_callers_state_alone(capsys: pytest.CaptureFixture[str]) -> None:
    state, filters = torch.get_rng_state(), list(warnings.filters)
    pitfalls.run(PITFALLS["lstm-dropout"])
    assert torch.equal(torch.get_rng_state(), state)
    assert warnings.filters == filters
    assert capsys.readouterr() == ("", "")


def test_running_does_not_depend_on_the_callers_state() -> None:
    torch.manual_seed(3)
    with torch.no_grad():
        for name in (
            "dropout-in-eval",
            "layer-in-forward",
            "sigmoid-before-bce",
            "bias-drawn-first",
        ):
            assert pitfalls.run(PITFALLS[name]) == outcome(name)


@pytest.mark.parametrize(
    ("pitfall", "message"),
    [
        (
            replace(PITFALLS["dropout-in-eval"], raises="TypeError"),
            "dropout-in-eval, wrong: expected TypeError of torch .*; it ended in no error",
        ),
        (
            replace(PITFALLS["cross-entropy-dim"], raises=""),
            "cross-entropy-dim, wrong: expected no error of torch .*; it ended in TypeError",
        ),
    ],
    ids=["no error", "an error"],
)
def test_a_program_that_ends_otherwise_is_an_error(pitfall: Pitfall, message: str) -> None:
    with pytest.raises(NngenError, match=message):
        pitfalls.run(pitfall)


# Languages


def sentences() -> list[str]:
    """All that is shown, in English."""
    found = [text.WRONG, text.RIGHT, text.NEEDLESS, text.REMEMBER, *GROUPS]
    for each in PITFALLS.values():
        found += [each.title, each.wrong, each.right, each.why, each.rule]
    return found


def fields(sentence: str) -> list[tuple[str, str | None]]:
    return sorted((name, form) for _, name, form, _ in Formatter().parse(sentence) if name)


def spans(sentence: str) -> set[str]:
    return set(re.findall(r"`[^`]+`", sentence))


@pytest.mark.parametrize("language", set(LANGUAGES) - {"en"})
def test_each_language_has_these_sentences_and_no_others(language: str) -> None:
    file = resources.files("nngen.teach.translations") / language / "pitfalls.yaml"
    held = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert sorted(held) == sorted(set(sentences()))
    for english, other in held.items():
        assert fields(other) == fields(english), english
        assert spans(other) == spans(english), english
        assert other != english


def test_chinese_is_written_in_chinese() -> None:
    for sentence in sentences():
        chinese = translate(sentence, "zh")
        assert re.search(r"[\u4e00-\u9fff]", chinese)
        # No English punctuation behind Chinese, and no sentence broken over lines.
        assert not re.search(
            r"[\u4e00-\u9fff][,.;:?!()]|\n|[\u4e00-\u9fff] [\u4e00-\u9fff]", chinese
        )


def test_figures_are_computed_and_not_written() -> None:
    for sentence in sentences():
        prose = re.sub(r"`[^`]*`|{[^}]*}", "", sentence)
        assert not re.search(r"\d\.\d|\d\d|\d ?%", prose), sentence


@EACH
def test_sentences_hold_the_numbers(pitfall: Pitfall) -> None:
    found = outcome(pitfall.name)
    for ran in (found.wrong, found.right):
        for language in LANGUAGES:
            said = ran.says(language)
            assert "{" not in said and "}" not in said
            for name, form in fields(ran.sentence):
                assert format(ran.numbers[name], form or "") in said
