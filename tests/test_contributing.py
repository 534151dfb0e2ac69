"""CONTRIBUTING.md quotes the code as it is."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text()


def test_the_entry_is_quoted_word_for_word() -> None:
    quoted = re.search(r"```python\n(    Layer\(.*?)```", TEXT, re.DOTALL)
    assert quoted is not None
    assert quoted[1] in (ROOT / "nngen/catalog/layers/norm.py").read_text()


def test_the_places_exist() -> None:
    cells = [line.split("|")[1] for line in TEXT.splitlines() if line.startswith("| `")]
    folder = ROOT
    for name in (name for cell in cells for name in re.findall(r"`([^`]+)`", cell)):
        place = ROOT / name if "/" in name else folder / name
        folder = place if place.is_dir() else place.parent
        assert place.exists(), name
