"""All mistakes of a spec are told in one run, each with its place, but none that follows from another."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest

import nngen
from nngen.cli import main
from nngen.errors import MOST_ERRORS, SpecError
from nngen.graph import read_spec
from nngen.language import document

SPECS = Path(__file__).parent.parent.parent / "specs"


def errors(text: str) -> list[str]:
    """Line and message of each error."""
    with pytest.raises(SpecError) as caught:
        nngen.load(text)
    return [f"{each.mark.line}: {each.message}" for each in (caught.value, *caught.value.others)]


def steps(*lines: str, head: str = "name: M\ninput: [3, 8, 8]\n", below: str = "") -> str:
    return head + "layers:\n" + "".join(f"  - {line}\n" for line in lines) + below


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            steps("Linaer: 10", "Relu", "Dropuot: 0.5", below="loss: CrossEntropy\n"),
            [
                "4: torch.nn has no layer 'Linaer'",
                "5: torch.nn has no layer 'Relu'",
                "6: torch.nn has no layer 'Dropuot'",
                "7: torch.nn has no layer 'CrossEntropy'",
            ],
        ),
        (
            steps("Conv2d: {out_channel: 8, kernal_size: 3, padding: smae, stride: 0}"),
            [
                "4: Conv2d has no argument 'out_channel'",
                "4: Conv2d has no argument 'kernal_size'",
                "4: padding of Conv2d takes valid, same or a whole number of at least 0, or a list of 2, not 'smae'",
                "4: stride of Conv2d cannot be 0",
            ],
        ),
        (  # an argument by another name, or misspelt, counts as what it means
            steps(
                "Conv2d: {filters: 4, kernel: 3, pading: 1}",
                "Conv2d: {out_channels: 4, kernal_size: 9}",
                "Conv2d: {kernel: 3}",
                "Conv2d: {filters: many, kernel: 3}",
                "Linear: {out_features: 2, in: 7}",
            ),
            [
                "4: Conv2d has no argument 'filters'",
                "4: Conv2d has no argument 'kernel'",
                "4: Conv2d has no argument 'pading'",
                "5: Conv2d has no argument 'kernal_size'",
                "6: Conv2d lacks its argument 'out_channels'",
                "6: Conv2d has no argument 'kernel'",
                "7: Conv2d has no argument 'filters'",
                "7: Conv2d has no argument 'kernel'",
                "8: Linear has no argument 'in'",
            ],
        ),
        (
            steps(
                "Conv2d: {filters: 4, kernel: 3, pading: 1}",
                "BatchNorm2d: 5",
                "Conv2d: {out_channels: 4, kernel_size: 9}",
            ),
            [
                "4: Conv2d has no argument 'filters'",
                "4: Conv2d has no argument 'kernel'",
                "4: Conv2d has no argument 'pading'",
                "5: num_features of BatchNorm2d is 5, but the input has 4",
                "6: Conv2d: the kernel reaches over 9 positions, more than the 8 that the padded input (8, 8) has",
            ],
        ),
        (  # what does not decide a layer's shape is followed as if it were right
            steps(
                "Conv2d: {in_channels: 1, out_channels: 8, kernel_size: 3, bias: maybe}",
                "BatchNorm2d: {num_features: 9, eps: none}",
                "Dropout: 1.5",
                "Conv2d: {out_channels: 8, kernel_size: 1, groups: 3}",
                "Conv2d: {out_channels: 4, kernel_size: 7}",
                "Linear: x",
            ),
            [
                "4: in_channels of Conv2d is 1, but the input has 3",
                "4: bias of Conv2d takes true or false, not 'maybe'",
                "5: num_features of BatchNorm2d is 9, but the input has 8",
                "5: eps of BatchNorm2d takes a number above 0, not 'none'",
                "6: p of Dropout cannot be 1.5",
                "7: Conv2d: the 8 in_channels do not divide by groups (3)",
                "8: Conv2d: the kernel reaches over 7 positions, more than the 6 that the padded input (6, 6) has",
                "9: out_features of Linear takes a whole number of at least 1, not 'x'",
            ],
        ),
        (
            steps(
                "Conv2d: {out_channels: 8, kernel_size: 9}", "Flatten", "Linear: -1", "Dropout: 7"
            ),
            [
                "4: Conv2d: the kernel reaches over 9 positions, more than the 8 that the padded input (8, 8) has",
                "6: out_features of Linear cannot be -1",
                "7: p of Dropout cannot be 7",
            ],
        ),
        (
            steps(
                "Linaer as a: 3", "Linear as b: 3", "y = a + b + c", "z = torch.foo(y) + b + 'a'"
            ),
            [
                "4: torch.nn has no layer 'Linaer'",
                "6: there is no 'c' here",
                "7: torch.foo is not in nngen's catalog",
            ],
        ),
        (
            steps(
                "Sequential: [Reluu, {Linear: -3}, {Conv2d: {out_chanels: 3}}]",
                "{Linear: 3, form: x}",
            ),
            [
                "4: torch.nn has no layer 'Reluu'",
                "4: out_features of Linear cannot be -3",
                "4: Conv2d lacks its argument 'kernel_size'",
                "4: Conv2d has no argument 'out_chanels'",
                "5: a step has no key 'form'",
            ],
        ),
        (
            "nam: M\ninput: [0]\nlayer:\n  - ReLUU\n",
            [
                "1: a spec has no key 'nam'",
                "2: a size is a whole number of at least 1, not 0",
                "3: a spec has no key 'layer'",
                "4: torch.nn has no layer 'ReLUU'",
            ],
        ),
        (
            steps(
                "Linear: d",
                "Linear: a",
                "Linear: b - 2",
                head="name: M\nargs: {a: [[]], b: 2}\ninput: [a]\nlet: {c: b + nix, d: 2 * c}\n",
                below="init: {Linear.weight: ones, x: normal_}\n",
            ),
            [
                "2: a default is a number, true, false, null or a list of such, not ((),)",
                "4: there is no 'nix' here",
                "8: out_features of Linear cannot be b - 2, which is 0",
                "9: torch.nn.init has no 'ones'",
            ],
        ),
        (
            steps(
                "Linaer",
                "A: 3",
                "B",
                head="name: M\ninput: [3]\nblocks:\n  A: {args: {n: required}, layers: [{Linear: -1}, {Linear: n}]}\n"
                "  B: {layers: [y = x + q]}\n  C: {layers: [ReLU]}\n",
            ),
            [
                "4: out_features of Linear cannot be -1",
                "5: there is no 'q' here",
                "8: neither torch.nn nor the spec has 'Linaer'",
            ],
        ),
        (
            steps(
                "Linear as a: 3",
                "Linear as b: {p: 1}",
                "y = 2 * x",
                below="outputs: a, z\nloss: {Loss: }\n",
            ),
            [
                "5: Linear has no argument 'p'",
                "7: there is no 'z' here",
                "8: torch.nn has no layer 'Loss'",
            ],
        ),
        (
            steps("Linear as a: 3", "y = x + 1", "Linear: 0", "Linear: 3"),
            ["4: nothing uses what 'a' gives", "6: out_features of Linear cannot be 0"],
        ),
        (
            steps(
                "{LSTM as l: {hidden: 3}, call: 'y, (h, c) = l(x)'}",
                "z = y + h + c + nix",
                "{GRU as g: 3, call: 'y, _ = g(z, h, no)'}",
            ),
            [
                "4: LSTM has no argument 'hidden'",
                "5: there is no 'nix' here",
                "6: there is no 'no' here",
            ],
        ),
        (
            steps(
                "{ReLUU: , repeat: 2}", "{'Linear as c${i}': 0, repeat: 2}", "y = c0 + c1 + relu1"
            ),
            ["4: torch.nn has no layer 'ReLUU'", "5: out_features of Linear cannot be 0"],
        ),
        (
            steps("y = x +", "z = y + x", "{Linear: 0, when: nix}"),
            [
                "4: 'y = x +' is not valid Python: invalid syntax",
                "6: out_features of Linear cannot be 0",
                "6: there is no 'nix' here",
            ],
        ),
        (
            steps(
                "Flatten",
                "Linear as out: 0",
                below="loss:\n  inputs: [target]\n  layers:\n    - e = out - target\n    - MSELos:\n      from: [out, target]\n",
            ),
            ["5: out_features of Linear cannot be 0", "10: torch.nn has no layer 'MSELos'"],
        ),
    ],
)
def test_what_is_told(text: str, expected: list[str]) -> None:
    assert sorted(errors(text)) == sorted(expected)


def test_the_errors_stand_in_the_order_of_the_spec() -> None:
    text = steps("Linear: 0", "Reluu", "y = x + nix", "Linear: -1", below="loss: Los\n")
    found = errors(text)
    assert [int(each.partition(":")[0]) for each in found] == [4, 5, 6, 7, 8]


def test_an_error_in_a_block_is_told_once() -> None:
    blocks = "blocks: {B: {layers: [{Conv2d: {out_channels: 3, kernel_size: 9}}]}}\n"
    text = steps("B", "B", "{B: , repeat: 3}", head="name: M\ninput: [3, 8, 8]\n" + blocks)
    assert len(errors(text)) == 1


def test_what_does_not_happen_here_is_no_error() -> None:
    blocks = "blocks: {B: {args: {on: true}, layers: [{Linear: {in_features: 4, out_features: 3}, when: on}]}}\n"
    text = steps("B: {on: false}", "Linear: 4", "B", head="name: M\ninput: [3]\n" + blocks)
    nngen.load(text)


def test_there_is_an_end() -> None:
    text = steps(*(f"Linaer{place}: 3" for place in range(30)))
    with pytest.raises(SpecError) as caught:
        nngen.load(text)
    assert len(caught.value.others) == MOST_ERRORS - 1 and caught.value.more == 10
    assert str(caught.value).endswith("\nand 10 more errors")


@pytest.fixture
def bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = Path("bad.yaml")
    path.write_text(steps("Linaer: 10", "Linear: 0", "y = x + nix"))
    return path


def test_on_the_command_line(bad: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("build", "verify", "lint", "summary", "graph", "diff"):
        assert main([verb, str(bad)]) == 2
        told = capsys.readouterr().err.splitlines()
        places = [line.partition(": ")[0] for line in told if line.startswith("bad.yaml")]
        assert places == ["bad.yaml:4:5", "bad.yaml:5:13", "bad.yaml:6:13"], verb


@pytest.mark.parametrize("form", ["json", "github", "sarif"])
def test_for_programs(form: str, bad: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", str(bad), "--format", form]) == 2
    printed = capsys.readouterr()
    found: Any
    if form == "github":
        found = [
            int(line) for line in re.findall(r"^::error .*?line=(\d+)", printed.out, re.MULTILINE)
        ]
    elif form == "json":
        found = [each["line"] for each in json.loads(printed.out)]
    else:
        results = json.loads(printed.out)["runs"][0]["results"]
        places = [each["locations"][0]["physicalLocation"] for each in results]
        found = [each["region"]["startLine"] for each in places]
    assert found == [4, 5, 6]
    assert "^" not in printed.out and printed.err == ""


@pytest.mark.heavy
@pytest.mark.parametrize("name", sorted(path.stem for path in SPECS.glob("*.yaml")))
def test_any_mistakes_end_in_errors(name: str) -> None:
    """Some words of a good spec are misspelt, some numbers changed: whatever that breaks, nothing but errors come."""
    chance = random.Random(name)
    text = (SPECS / f"{name}.yaml").read_text()
    for _ in range(12):
        words = list(re.finditer(r"\b\w+\b", text))
        broken = text
        for match in sorted(chance.sample(words, 4), key=re.Match.start, reverse=True):
            new = chance.choice(["nix", match[0] + "x", "0", "[1, 2]", match[0][1:]])
            broken = broken[: match.start()] + new + broken[match.end() :]
        try:
            read_spec(document.parse(broken, "f"), "f")
        except SpecError as error:
            assert str(error).startswith("f:")


def test_all_wrong_ties_and_rules_are_told_in_one_run() -> None:
    spec = """
name: M
input: [6]
blocks:
  B:
    layers:
      - Linear as l: 4
    init: {Lin.weight: zeros_, l.bias: ones_}
    tie: {l.weigth: l.bias}
layers:
  - B
  - Linear as a: 5
    init: {wieght: zeros_}
  - Linear as c: 5
    init: {bias: xavier_uniform_}
tie: {a.weight: c.weight, a.bais: c.bias, b1.l.weight: x.weight, a.bias: b1.l.bias}
init: {Linera.weight: zeros_, c.bias: eye_, "*.foo": ones_}
"""
    with pytest.raises(SpecError) as caught:
        nngen.load(spec)
    error = caught.value
    assert [each.message for each in (error, *error.others)] == [
        "'Lin.weight' matches no parameter",
        "there is no parameter 'l.weigth'",
        "'wieght' matches no parameter",
        "xavier_uniform_ takes at least 2 dimensions, not 1",
        "parameters of the shapes (5, 4) and (5, 5) cannot be one",
        "there is no parameter 'a.bais'",
        "there is no parameter 'x.weight'",
        "parameters of the shapes (5,) and (4,) cannot be one",
        "'Linera.weight' matches no parameter",
        "eye_ takes 2 dimensions, not 1",
        "'*.foo' matches no parameter",
    ]
