"""Twins that are wrong alike, and what verification tries of arguments."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import nngen
from nngen.proof import loading
from nngen.proof.report import Report
from nngen.proof.verification import verify

SPECS = Path(__file__).parents[2] / "specs"

BLOCKS = """
name: Net
args: {width: 4, deep: true, mid: null}
let: {inner: 6 if mid is None else mid}
input: [width, 8]
blocks:
  Wide:
    args: {n: required, stride: null}
    let: {step: 1 if stride is None else stride}
    layers:
      - Conv1d as up: {out_channels: n, kernel_size: 3, stride: step, padding: 1, padding_mode: circular}
      - GELU as act: {approximate: tanh}
layers:
  - Wide as one: inner
  - Wide as two: {n: inner, stride: 2}
  - BatchNorm1d as norm:
    when: deep
  - Dropout as drop: 0.25
  - Flatten
  - Linear as head: {in_features: 4 * inner, out_features: 3}
init: {Conv1d.weight: {normal_: {std: 0.5}}}
loss: CrossEntropyLoss
"""


def changed(text: str, **edits: tuple[str, str]) -> Report:
    """Verifies the twins of a spec, both changed alike."""
    pair = nngen.load(text)
    files = {name: file.text for name, file in pair.source_map.files.items()}
    for style, (old, new) in edits.items():
        file = f"{style}_style.py"
        assert old in files[file], files[file]
        files[file] = files[file].replace(old, new)
    package = loading._package(files, "twins_changed_alike")
    subject = pair.subject()
    modules = (package.nn_style, package.functional_style)
    twins = tuple(replace(twin, module=each) for twin, each in zip(subject.twins, modules))
    return verify(replace(subject, twins=twins), steps=1)


def test_twins_that_are_right() -> None:
    report = nngen.verify(BLOCKS)
    assert report.equal, report.as_text()
    assert report.reading == "equal" and not report.skipped
    assert {"width=5", "width=2", "deep=False", "mid=3"} <= tried(report)


# What stands in the nn twin and in the functional one, what stands there instead, and what verification says.
WRONG = {
    "a keyword dropped in both": (
        ('(approximate="tanh")', "()"),
        (', approximate="tanh"', ""),
        "outputs, train, batch 1, grad: output[0, 0]: both models ",
    ),
    "a size baked into both": (
        ("4 * inner", "24"),
        ("4 * inner", "24"),
        "weights, reading, construction, mid=3: ",
    ),
    "a branch folded in both": (
        ("if deep:", "if True:"),
        ("self.deep = deep", "self.deep = True"),
        "names, reading, construction, deep=False: norm.weight is in both models alone",
    ),
    "an initialiser swapped in both": (
        ("normal_(module.weight, std=0.5)", "uniform_(module.weight, -0.5, 0.5)"),
        ("normal_(self.up_weight, std=0.5)", "uniform_(self.up_weight, -0.5, 0.5)"),
        "weights, reading, construction: one.up.weight[0, 0, 0]: both models ",
    ),
    "None taken for its value in both": (
        ("1 if stride is None else stride", "2"),
        ("1 if stride is None else stride", "2"),
        "both models raise RuntimeError: ",
    ),
    "another default in both": (
        ("width: int = 4", "width: int = 5"),
        ("width: int = 4", "width: int = 5"),
        "arguments of __init__: both models (self, width=5, deep=True, mid=None), the reading of the spec (self, width=4,",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_twins_that_are_wrong_alike(case: str) -> None:
    nn, functional, told = WRONG[case]
    report = changed(BLOCKS, nn=nn, functional=functional)
    assert not report.equal and report.different and report.reading == "different"
    assert told in str(report.first_difference), report.as_text()
    assert "equal to each other, and DIFFERENT from the reading of the spec" in report.as_text()


def test_the_step_that_went_wrong_is_told() -> None:
    nn, functional, _ = WRONG["a keyword dropped in both"]
    report = changed(BLOCKS, nn=nn, functional=functional)
    assert report.first_step is not None
    assert report.first_step.path == "blocks.Wide.layers[1]"
    assert report.first_step.first.count("both models ") == 1
    assert "first step that differs: <text>:" in report.as_text()


def tried(report: Report) -> set[str]:
    """The values that models of other arguments were run with."""
    rows = [row for row in report.rows if row.group == "reading, other arguments"]
    return {row.where.partition(", ")[2] for row in rows if row.what == "outputs" and row.values}


def test_sizes_of_inputs_move_with_their_argument() -> None:
    assert {"channels=4", "width=9, channels=4"} <= tried(
        nngen.verify(SPECS / "dcgan_discriminator.yaml", steps=1, batch_sizes=(2,))
    )
    found = tried(nngen.verify(SPECS / "vit_b_16.yaml", steps=1, batch_sizes=(1,)))
    assert {"image_size=33", "patch_size=8", "num_heads=8"} <= found


ARGUMENTS = """
name: Net
args: {flag: true, other: false, p: 0.5, how: "'up'", ks: [3, 3], side: null, n: 4}
let: {wide: 6 if how == "up" else 8, beside: 4 if side is None else side}
inputs: {x: {shape: [n, 8, 8]}, y: {shape: [wide], dtype: int64, below: n}}
layers:
  - Conv2d as more: {out_channels: beside, kernel_size: 1}
    from: x
    when: other
  - Conv2d as conv: {out_channels: wide, kernel_size: ks, padding: same}
    from: x
    when: flag
  - Dropout as drop: p
  - z = drop.mean() + more.mean() + y.sum()
"""


def test_each_kind_of_argument_is_changed() -> None:
    report = nngen.verify(ARGUMENTS, steps=1)
    assert report.equal, report.as_text()
    assert not report.skipped
    assert tried(report) >= {
        "flag=False", "other=True", "p=0.25", "p=0.0", "how='not up'", "ks=(4, 4)", "side=3", "n=5", "n=2",
        "flag=False, other=True",
    }  # fmt: skip


def test_an_argument_that_could_not_be_tried_is_named() -> None:
    text = """
        name: Net
        args: {width: 3}
        input: [3, 4, 4]
        layers:
          - Upsample as up: {scale_factor: 2, mode: nearest}
          - Conv2d as conv: {in_channels: width, out_channels: 2, kernel_size: 1}
    """
    report = nngen.verify(text, steps=1)
    assert report.equal
    (skip,) = report.skipped
    assert skip.group == "other arguments: width"
    assert skip.reason == (
        "every value tried was refused: width=4: in_channels of Conv2d is width, but the input has 3"
    )
    assert "other arguments: width" in report.as_text()
    assert "other arguments" not in report.groups()


def test_what_raises_in_all_three_is_no_difference() -> None:
    text = """
        name: Net
        inputs: {x: {shape: [6, 4]}, n: {shape: [], dtype: int64}}
        layers:
          - packed = nn.utils.rnn.pack_padded_sequence(x, n, batch_first=True, enforce_sorted=False)
          - GRU as gru: {hidden_size: 3, batch_first: true}
            call: _, h = gru(packed)
        outputs: h
    """
    report = nngen.verify(text, steps=1)
    assert {finding.twin for finding in report.findings} == {"both"}
    assert not report.equal and not report.different
    assert "NOT shown to be equal" in report.as_text()
