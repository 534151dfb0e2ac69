"""`nngen pitfall`: what it lists, shows and refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from nngen.cli import main
from nngen.cli import pitfall as verb
from nngen.packages import install
from nngen.teach.pitfalls import GROUPS, PITFALLS
from nngen.teach.translations import LANGUAGES, translate
from tests.teach.test_pitfalls import outcome
from tests.test_house import without_torch


def run(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert main(["pitfall", *arguments]) == code
    printed = capsys.readouterr()
    return printed.err if code else printed.out


def test_it_lists_the_names_and_titles(capsys: pytest.CaptureFixture[str]) -> None:
    for language in LANGUAGES:
        listed = run(capsys, "--lang", language)
        for each in PITFALLS.values():
            assert re.search(
                rf"^  {each.name} +{re.escape(translate(each.title, language))}$",
                listed,
                re.MULTILINE,
            )
        assert all(translate(heading, language) in listed.splitlines() for heading in GROUPS)
    titles = json.loads(run(capsys, "--json", "--lang", "zh"))
    assert titles == {name: translate(each.title, "zh") for name, each in PITFALLS.items()}


def test_listing_needs_no_torch(tmp_path: Path) -> None:
    code = "from nngen.cli import main; sys.exit(main(['pitfall']))"
    assert "dropout-in-eval" in without_torch(code, cache=tmp_path)


def test_running_says_that_it_needs_torch(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verb, "find_spec", lambda name: None)
    message = f"running a pitfall needs torch: {install('torch')}\n"
    assert run(capsys, "dropout-in-eval", code=2) == message


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_shows_both_programs_what_they_do_and_the_rule(
    capsys: pytest.CaptureFixture[str], language: str
) -> None:
    shown = run(capsys, "softmax-before-cross-entropy", "--lang", language)
    found = outcome("softmax-before-cross-entropy")
    unwrapped = shown.replace("\n", " ")
    places = [
        unwrapped.index(part.replace("\n", " "))
        for part in (
            translate(found.pitfall.title, language),
            translate("wrong", language),
            found.wrong.code,
            found.wrong.output,
            found.wrong.says(language),
            translate("right", language),
            found.right.code,
            found.right.output,
            found.right.says(language),
            translate(found.pitfall.why, language),
            found.pitfall.url,
            translate(found.pitfall.rule, language),
        )
    ]
    assert places == sorted(places)
    assert unwrapped.strip().endswith(translate(found.pitfall.rule, language))
    assert "0.551" in shown and "1.461" in shown


def test_it_shows_warnings_and_errors(capsys: pytest.CaptureFixture[str]) -> None:
    assert "\n> UserWarning: Implicit dimension" in run(capsys, "softmax-without-dim")
    assert "\n> TypeError: " in run(capsys, "max-pool-without-kernel-size")


def test_what_is_harmless_is_not_called_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    shown = run(capsys, "log-softmax-before-cross-entropy")
    assert "── needless ──" in shown and "── wrong ──" not in shown


def test_it_runs_several_or_all(capsys: pytest.CaptureFixture[str]) -> None:
    shown = run(capsys, "tensor-as-weight", "layers-in-a-list")
    assert shown.index("tensor-as-weight: ") < shown.index("layers-in-a-list: ")
    everything = run(capsys, "--all")
    assert re.findall(r"^([a-z]+(?:-[a-z]+)+): ", everything, re.MULTILINE) == list(PITFALLS)


def test_json_holds_everything(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    printed = run(capsys, "--all", "--json", "--lang", "zh")
    found = json.loads(printed, parse_constant=refuse)
    assert list(found) == list(PITFALLS)
    one = found["log-of-softmax"]
    assert one["wrong"]["numbers"] == {"loss": "inf", "gradient": "nan"}
    assert one["right"]["numbers"] == {"loss": 200.0, "gradient": -1.0}
    assert one["rule"] == translate(PITFALLS["log-of-softmax"].rule, "zh")
    assert "LogSoftmax" in one["about"] and one["docs"] == PITFALLS["log-of-softmax"].url
    assert found["cross-entropy-dim"]["wrong"]["error"] == "TypeError"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("dropout-eval", "did you mean 'dropout-in-eval'?"),
        ("LSTM", "pitfalls of LSTM: lstm-dropout"),
        ("zzz", "`nngen pitfall` lists them"),
    ],
)
def test_an_unknown_name_is_an_error(
    capsys: pytest.CaptureFixture[str], name: str, hint: str
) -> None:
    message = f"there is no pitfall {name!r}\n  hint: {hint}\n"
    assert run(capsys, "tensor-as-weight", name, code=2) == message


def test_an_unknown_language_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["pitfall", "--lang", "fr"])
    assert ended.value.code == 2
    assert "argument --lang: 'fr' is none of en, zh" in capsys.readouterr().err
