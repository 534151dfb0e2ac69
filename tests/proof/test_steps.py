"""What each step of a spec gives is compared on its own, and what goes wrong names the spec's line."""

from __future__ import annotations

import linecache
import re
import sys
from dataclasses import replace
from itertools import count
from types import ModuleType

import pytest

import nngen
from nngen.files.writer import seal
from nngen.proof import loading, verification
from nngen.proof.report import Report, StepRow

NUMBERS = count()

CNN = """\
name: CNN
input: [1, 8, 8]
layers:
  - Conv2d: {out_channels: 3, kernel_size: 3}
  - ReLU: {inplace: true}
  - MaxPool2d: 2
  - Flatten
  - Dropout: 0.5
  - Linear: 10
loss: CrossEntropyLoss
"""

CONTAINERS = """\
name: Containers
input: [3, 8, 8]
blocks:
  Block:
    args: {planes: required}
    layers:
      - Conv2d as conv: {out_channels: planes, kernel_size: 3, padding: 1}
      - Sequential as skip:
          - Conv2d: {out_channels: planes, kernel_size: 1}
          - BatchNorm2d
        from: x
        when: in_channels != planes
      - out = conv + skip
layers:
  - Sequential as body:
      - Block: 3
      - Block: 5
        repeat: 2
      - ReLU:
        repeat: 2
  - Flatten
  - "lstm, (h, c) = lstm1(x)"
  - LSTM as lstm1: 4
"""


def verified(text: str, old: str = "", new: str = "") -> Report:
    """The twins of a spec compared, a part of the functional twin's text replaced."""
    pair = loading.load(text)
    before = pair.source_map.files["functional_style.py"].text
    assert not old or before.replace(old, new) != before
    after = seal(before.replace(old, new))
    module = ModuleType(f"broken_{next(NUMBERS)}")
    module.__file__ = f"<{module.__name__}/functional_style.py>"
    linecache.cache[module.__file__] = (len(after), None, after.splitlines(True), module.__file__)
    sys.modules[module.__name__] = module  # so that it pickles
    exec(compile(after, module.__file__, "exec"), vars(module))  # noqa: S102
    subject = pair.subject()
    nn, functional = subject.twins
    twins = (nn, replace(functional, module=module))
    return verification.verify(replace(subject, twins=twins))


def sizes(report: Report) -> dict[str, int]:
    return {row.path: row.values for row in report.steps}


def first_apart(report: Report) -> StepRow:
    assert report.first_step is not None
    return report.first_step


def test_each_step_has_its_values() -> None:
    report = verified(CNN)
    assert report.equal
    # A batch of four, in train and in eval mode.
    assert sizes(report) == {
        "layers[0]": 8 * 3 * 6 * 6,
        "layers[1]": 8 * 3 * 6 * 6,
        "layers[2]": 8 * 3 * 3 * 3,
        "layers[3]": 8 * 27,
        "layers[4]": 8 * 27,
        "layers[5]": 8 * 10,
    }
    assert [row.place for row in report.steps] == [f"<text>:{line}:5" for line in range(4, 10)]


@pytest.mark.parametrize(
    ("old", "new", "step"),
    [
        ("F.conv2d(x, self.conv1_weight, self.conv1_bias)", "F.conv2d(x, self.conv1_weight)", 0),
        ("F.relu(", "F.leaky_relu(", 1),
        ("F.max_pool2d(x,", "F.avg_pool2d(x,", 2),
        ("p=0.5", "p=0.25", 4),
        ("F.linear(x, self.fc1_weight, self.fc1_bias)", "2 * F.linear(x, self.fc1_weight)", 5),
    ],
)
def test_the_first_step_that_differs_is_named(old: str, new: str, step: int) -> None:
    report = verified(CNN, old, new)
    row = first_apart(report)
    assert not report.equal
    assert (row.path, row.place) == (f"layers[{step}]", f"<text>:{4 + step}:5")
    text = " ".join(report.as_text().split())
    assert f"first step that differs: <text>:{4 + step}:5: layers[{step}]: [0, " in text


def test_a_step_that_differs_makes_the_twins_differ() -> None:
    # The outputs are the same: what differs is thrown away.
    text = "name: M\ninput: [3]\nlayers:\n  - Linear as fc: 3\n  - Tanh as idle:\n    from: fc\n  - x = fc + 0 * idle\n"
    assert verified(text).equal
    report = verified(text, "idle = torch.tanh(fc)", "idle = torch.sigmoid(fc)")
    assert all(row.equal for row in report.rows) and not report.equal
    assert first_apart(report).path == "layers[1]"
    assert "DIFFERENT" in report.as_text()


def test_what_is_in_containers_and_blocks_is_compared() -> None:
    report = verified(CONTAINERS.replace('  - "lstm, (h, c) = lstm1(x)"\n', ""))
    assert report.equal
    block = "blocks.Block.layers"
    assert set(sizes(report)) == {
        f"{block}[0]",
        f"{block}[1].Sequential as skip[0]",
        f"{block}[1].Sequential as skip[1]",
        f"{block}[1]",
        f"{block}[2]",
        "layers[0]",
        "layers[0].Sequential as body[0]",
        "layers[0].Sequential as body[1]",
        "layers[0].Sequential as body[2]",
        "layers[1]",
        "layers[2]",
    }
    assert sizes(report)[f"{block}[0]"] == 2 * 4 * 64 * (3 + 5 + 5)
    # Two blocks pass their input by.
    assert sizes(report)[f"{block}[1].Sequential as skip[0]"] == 2 * 4 * 64 * 5


def test_a_layer_inside_a_container_is_named() -> None:
    text = CONTAINERS.replace('  - "lstm, (h, c) = lstm1(x)"\n', "")
    report = verified(
        text, "skip = F.conv2d(x, self.skip_0_weight", "skip = F.conv2d(x + 1, self.skip_0_weight"
    )
    assert first_apart(report).path == "blocks.Block.layers[1].Sequential as skip[0]"


def test_an_error_inside_torch_names_the_line_of_the_spec() -> None:
    report = verified(CNN, "kernel_size=2", "kernel_size=99")
    finding, *_ = report.findings
    assert re.match(r"functional_style\.py:\d+: ", finding.place)
    assert finding.place.endswith(
        "kernel_size=99)  # (N, 3, 3, 3) (from <text>:6:5: layers[2].MaxPool2d)"
    )
    assert "(from <text>:6:5: layers[2].MaxPool2d)" in " ".join(report.as_text().split())


def test_twins_without_a_spec_have_no_steps() -> None:
    subject = loading.load(CNN).subject()
    twins = tuple(replace(twin, lines=()) for twin in subject.twins)
    report = verification.verify(replace(subject, twins=twins, modules={}))
    assert report.equal and report.steps == ()


def test_the_steps_are_in_the_report_for_programs() -> None:
    steps = nngen.verify(CNN).as_dict()["steps"]
    assert steps[1] == {
        "path": "layers[1]",
        "place": "<text>:5:5",
        "values": 864,
        "equal": True,
        "first": "",
        "after": 1,
    }
