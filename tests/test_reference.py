"""The nn twins beside what `make reference` noted of torchvision's models: keys, shapes, first weights.

torchvision itself is no dependency of the tests; `tests/reference/compare_torchvision.py` compares with it.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

from tests.reference.compare_torchvision import IMAGES, KEYS, REPOSITORY, twin
from tests.reference.fingerprint import digest, shapes

NOTED = sorted(path.stem for path in KEYS.glob("*.json"))
# Drawing more values than this takes seconds.
MOST = 28_000_000


def noted(name: str) -> Any:
    """What is noted of a model."""
    return json.loads((KEYS / f"{name}.json").read_text())


def size(name: str) -> int:
    """How many values a model's state has."""
    return sum(torch.Size(shape).numel() for shape in noted(name)["keys"].values())


def test_each_model_of_torchvisions_is_noted() -> None:
    assert NOTED == [name for name in IMAGES if (REPOSITORY / "specs" / f"{name}.yaml").exists()]


@pytest.mark.parametrize("name", NOTED)
def test_keys_are_torchvisions(name: str) -> None:
    with torch.device("meta"):
        state = twin(name)().state_dict()
    assert shapes(state) == noted(name)["keys"]


@pytest.mark.parametrize("name", [name for name in NOTED if size(name) < MOST])
def test_the_first_weights_are_torchvisions(name: str) -> None:
    digests = noted(name)["digests"]
    capability = torch.backends.cpu.get_cpu_capability()
    if capability not in digests:
        pytest.skip(f"no digest was noted for {capability}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        state = twin(name)().state_dict()
    assert digest({key: state[key] for key in noted(name)["keys"]}) == digests[capability]
