"""A line that a traceback or a report names is that line of the file that a build writes."""

from __future__ import annotations

import inspect
import traceback
from pathlib import Path

import pytest
import torch

import nngen
from nngen.files import writer
from nngen.proof import loading
from tests.proof.test_steps import verified

SPEC = """\
name: Net
input: [4]
layers:
  - Linear: 3
  - y = fc1 * 2
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    texts = {name: file.text for name, file in loading.load(SPEC).source_map.files.items()}
    writer.write(tmp_path, texts)
    return tmp_path


@pytest.mark.parametrize("style", ["nn_style", "functional_style"])
def test_a_traceback_names_the_line_of_the_file(folder: Path, style: str) -> None:
    module = getattr(nngen.load(SPEC), style)
    with pytest.raises(RuntimeError) as raised:
        module.Net()(torch.zeros(2, 5))
    frame = next(f for f in traceback.extract_tb(raised.value.__traceback__) if style in f.filename)
    assert frame.lineno is not None
    written = (folder / f"{style}.py").read_text().splitlines()
    assert written[frame.lineno - 1].strip() == frame.line
    assert "fc1" in (frame.line or "") or "linear" in (frame.line or "")


def test_a_class_begins_where_it_does_in_the_file(folder: Path) -> None:
    number = inspect.getsourcelines(nngen.load(SPEC).nn_style.Net)[1]
    assert (folder / "nn_style.py").read_text().splitlines()[number - 1] == "class Net(nn.Module):"


def test_a_report_names_the_line_and_the_step_that_made_it(folder: Path) -> None:
    report = verified(SPEC, "* 2", "* 3")
    number = 1 + next(
        number
        for number, line in enumerate((folder / "functional_style.py").read_text().splitlines())
        if "* 2" in line
    )
    parting = next(line for line in report.parting if "functional_style" in line)
    assert parting.startswith(f"functional_style.py:{number}: ")
    assert parting.endswith("(from <text>:5:5: layers[1])")
