"""What mypy says of every package under generated/, at its default settings.

The types of torch itself stand in the way of plain modules in three places; these, and no other complaint, are excused.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

GENERATED = Path(__file__).parent.parent / "generated"
MODULE = Path(torch.nn.Module.__module__.replace(".", "/") + ".py")

# Until torch 2.5 an attribute that mypy does not see assigned (a registered buffer, a method of a ModuleList's member)
# was Any. Since 2.6 it is `Tensor | Module`, with which nothing can be computed that is not narrowed first.
STRICT_ATTRIBUTE = 'def __getattr__(self, name: str) -> Union[Tensor, "Module"]:'
FREE_ATTRIBUTE = "def __getattr__(self, name: str) -> Any:"

EXCUSED = (
    # A branch that builds the layer in place of the nn.Identity above it.
    '(expression has type "Sequential", variable has type "Identity")',
    # The bias of a convolution, which the spec is known to give it.
    'Argument 1 to "zeros_" has incompatible type "Tensor | None"; expected "Tensor"',
)


@pytest.fixture
def as_before_torch_2_6(tmp_path: Path) -> list[str]:
    """Options for mypy to read nn.Module with free attributes."""
    original = Path(torch.__file__).parent.parent / MODULE
    shadow = tmp_path / "module.py"
    shadow.write_text(original.read_text().replace(STRICT_ATTRIBUTE, FREE_ATTRIBUTE))
    assert FREE_ATTRIBUTE in shadow.read_text()
    return ["--shadow-file", str(original), str(shadow)]


def complaints(*options: object) -> list[str]:
    """The errors of one run of mypy that are not excused."""
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", os.devnull, *map(str, options)],
        cwd=GENERATED.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    errors = [line for line in done.stdout.splitlines() if ": error: " in line]
    return [error for error in errors if not any(excuse in error for excuse in EXCUSED)]


def test_mypy_finds_nothing_in_the_generated_packages(
    as_before_torch_2_6: list[str], tmp_path: Path
) -> None:
    assert complaints(*as_before_torch_2_6, "--cache-dir", tmp_path, GENERATED) == []


def test_mypy_does_look(as_before_torch_2_6: list[str], tmp_path: Path) -> None:
    """A twin with a slip in it, beside its sound original, is found out."""
    text = (GENERATED / "residual" / "functional_style.py").read_text()
    slip = tmp_path / "slip.py"
    slip.write_text(text.replace("stride=self.stride,", 'stride="two",', 1))
    assert slip.read_text() != text
    (found,) = complaints(*as_before_torch_2_6, "--cache-dir", tmp_path / "cache", slip)
    assert "slip.py" in found
