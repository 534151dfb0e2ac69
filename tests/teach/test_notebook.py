"""In a notebook: twins show themselves as linked panes, and a YAML cell becomes two classes."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell

import nngen

CNN = Path(__file__).parents[2] / "specs" / "cnn.yaml"
CELL = "name: Net\ninput: [3]\nlayers:\n  - Linear: 4\n  - ReLU\n"


@pytest.fixture
def shell() -> Iterator[Any]:
    found = InteractiveShell()
    assert found.run_cell("%load_ext nngen").success
    yield found
    InteractiveShell.clear_instance()


def shown(pair: Any) -> str:
    """The document in the frame."""
    frame = pair._repr_html_()
    match = re.fullmatch(
        r'<iframe sandbox="allow-scripts" style="[^"<>]*" srcdoc="([^"<>]*)"></iframe>', frame
    )
    assert match
    return html.unescape(match[1])


def test_twins_show_the_spec_and_both_files() -> None:
    page = shown(nngen.load(CNN))
    text = html.unescape(re.sub(r"<[^>]*>", "", page))
    assert "in_channels is inferred" in text
    assert "self.conv1 = nn.Conv2d(1, 16, kernel_size=5)" in text
    assert "x = F.conv2d(x, self.conv1_weight, self.conv1_bias)" in text
    assert 'id="layers-0"' in page


@pytest.mark.parametrize(
    "spec",
    [CELL, {"name": "Net", "input": (3,), "layers": [{"Linear": 4}, "ReLU"], "doc": "on 1e3 ü"}],
)
def test_texts_and_dicts_are_shown_too(spec: Any) -> None:
    assert "nn.Linear(3, 4)" in html.unescape(re.sub(r"<[^>]*>", "", shown(nngen.load(spec))))


def test_a_spec_cannot_leave_its_frame() -> None:
    doc = "</iframe><script>alert(1)</script>\"'<img src=x onerror=alert(2)>"
    page = shown(nngen.load({"name": "Net", "doc": doc, "input": [3], "layers": ["ReLU"]}))
    assert "<script>alert" not in page and "<img" not in page


def test_a_cell_becomes_two_classes(shell: Any) -> None:
    result = shell.run_cell(f"%%nngen\n{CELL}")
    assert result.success
    assert repr(result.result) == "<the twins of Net, from a text>"
    models = []
    for name in ("Net", "FunctionalNet"):
        torch.manual_seed(0)
        models.append(shell.user_ns[name]())
    x = torch.randn(5, 3)
    assert torch.equal(models[0](x), models[1](x))
    assert hasattr(models[0], "fc1") and hasattr(models[1], "fc1_weight")


def test_a_name_is_given_both(shell: Any) -> None:
    assert shell.run_cell(f"%%nngen pair\n{CELL}").success
    pair = shell.user_ns["pair"]
    assert pair.nn_style.Net is shell.user_ns["Net"]
    # Its classes pickle, and its source can be shown.
    assert shell.run_cell(
        "import inspect, pickle; pickle.dumps(Net()); code = inspect.getsource(Net)"
    ).success
    assert "self.fc1 = nn.Linear(3, 4)" in shell.user_ns["code"]


@pytest.mark.parametrize(
    ("line", "cell", "message"),
    [
        (
            "",
            CELL.replace("Linear", "Linaer"),
            "<text>:4:5: layers[0].Linaer: torch.nn has no layer 'Linaer'",
        ),
        ("", "# nothing\n", "<text>:1:1: the spec is empty"),
        ("two names", CELL, "%%nngen takes one name, not 'two names'"),
    ],
)
def test_an_error_is_one_message(
    line: str, cell: str, message: str, shell: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not shell.run_cell(f"%%nngen {line}\n{cell}").success
    printed = "".join(capsys.readouterr())
    assert f"UsageError: {message}" in printed and "Traceback" not in printed
