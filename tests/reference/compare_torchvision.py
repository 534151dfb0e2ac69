"""Compares nn twins with torchvision's own models: names, first weights, outputs and gradients, bit for bit.

`make reference` runs it where torchvision is. What the tests can hold without torchvision is left in `keys/`: each
model's keys with their shapes, and a digest of its weights at seed 0.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))

from tests.reference.fingerprint import digest, shapes

KEYS = Path(__file__).parent / "keys"
BATCH = 2
# Normal and truncated draws differ in their last bits from one set of vector instructions to another.
CAPABILITIES = ("default", "avx2", "avx512")


# The functions of `torchvision.models`, each with the height and width of the images to compare with.
IMAGES = {
    "alexnet": 96,
    "convnext_tiny": 64,
    "densenet121": 64,
    "efficientnet_b0": 64,
    "googlenet": 96,
    "mobilenet_v2": 64,
    "mobilenet_v3_small": 64,
    "resnet18": 64,
    "resnet50": 64,
    "shufflenet_v2_x1_0": 64,
    "vgg16": 64,
    "vit_b_16": 224,
}


@dataclass(frozen=True)
class Count:
    """How many of the values that were compared are equal."""

    equal: int
    total: int

    @property
    def holds(self) -> bool:
        return 0 < self.total == self.equal

    def __str__(self) -> str:
        return f"{self.total:,}" if self.holds else f"{self.equal:,} of {self.total:,}"

    def __add__(self, other: Count) -> Count:
        return Count(self.equal + other.equal, self.total + other.total)


@dataclass(frozen=True)
class Comparison:
    """What was compared of one model; its fields are the columns of the table."""

    model: str
    parameters: int
    keys: Count
    weights: Count
    eval: Count
    train: Count
    gradients: Count
    buffers: Count

    @property
    def holds(self) -> bool:
        return all(each.holds for each in self.cells() if isinstance(each, Count) and each.total)

    def cells(self) -> list[Any]:
        return [getattr(self, field.name) for field in fields(self)]


def torchvision_models() -> Any:
    """`torchvision.models`; its compiled operators, of which no model here has need, may be missing."""
    try:
        return importlib.import_module("torchvision").models
    except RuntimeError:
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        operators = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            operators.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        torchvision_models.operators = operators  # type: ignore[attr-defined]
        return importlib.import_module("torchvision").models


def twin(name: str) -> Callable[[], nn.Module]:
    """The class of a spec's nn twin."""
    spec = (REPOSITORY / "specs" / f"{name}.yaml").read_text()
    found = re.search(r"^name: (\w+)", spec, re.MULTILINE)
    assert found, f"specs/{name}.yaml has no name"
    made: Callable[[], nn.Module] = getattr(
        importlib.import_module(f"generated.{name}.nn_style"), found[1]
    )
    return made


@contextmanager
def settled() -> Iterator[None]:
    """Deterministic kernels; no warnings."""
    torch.use_deterministic_algorithms(True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def seeded(make: Callable[[], nn.Module]) -> tuple[nn.Module, Tensor]:
    """A model made from seed 0, and the state of the random numbers after it."""
    torch.manual_seed(0)
    return make(), torch.get_rng_state()


def compared(ours: Iterable[Tensor | None], theirs: Iterable[Tensor | None]) -> Count:
    """Compare tensors in pairs; where both are None there is nothing to compare."""
    count = Count(0, 0)
    for left, right in zip(ours, theirs, strict=True):
        if left is None and right is None:
            continue
        if left is None or right is None or left.shape != right.shape:
            size = max(each.numel() for each in (left, right) if each is not None)
            count += Count(0, size)
        elif torch.equal(left, right):
            count += Count(left.numel(), left.numel())
        else:
            count += Count(int((left == right).sum()), left.numel())
    return count


@dataclass(frozen=True)
class Run:
    """What one forward and backward pass of a model gives."""

    outputs: list[Tensor]
    gradients: list[Tensor | None]
    buffers: list[Tensor]


def run(model: nn.Module, image: int, names: list[str]) -> Run:
    """Pass a batch through a model; the gradients of its parameters in the order of `names`, then the images'."""
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(BATCH, 3, image, image, generator=generator).requires_grad_()
    torch.manual_seed(2)
    result = model(images)
    outputs = list(result) if isinstance(result, tuple) else [result]
    weights = [torch.randn(each.shape, generator=generator) for each in outputs]
    parameters = dict(model.named_parameters())
    wanted = [*(parameters[name] for name in names), images]
    gradients = torch.autograd.grad(outputs, wanted, weights, allow_unused=True)
    state = dict(model.named_buffers())
    return Run(outputs, list(gradients), [state[name] for name in sorted(state)])


def compare(name: str, models: Any) -> Comparison:
    """Compare the nn twin of a spec with torchvision's model."""
    theirs, their_random = seeded(getattr(models, name))
    ours, our_random = seeded(twin(name))
    state = theirs.state_dict()
    record(name, theirs)
    own = ours.state_dict()
    weights = compared([own.get(key) for key in state], list(state.values()))
    weights += compared([our_random], [their_random])
    missing, unexpected = ours.load_state_dict(state, strict=False)
    keys = Count(len(state) - len(missing), len(state) + len(unexpected))
    passes = {}
    for training in (False, True):
        names = [key for key, _ in theirs.named_parameters()]
        both = [run(model.train(training), IMAGES[name], names) for model in (ours, theirs)]
        passes[training] = both
    return Comparison(
        name,
        sum(parameter.numel() for parameter in theirs.parameters()),
        keys,
        weights,
        *(compared(*(each.outputs for each in passes[training])) for training in (False, True)),
        _total(compared(*(each.gradients for each in both)) for both in passes.values()),
        _total(compared(*(each.buffers for each in both)) for both in passes.values()),
    )


def _total(counts: Iterable[Count]) -> Count:
    return sum(counts, Count(0, 0))


def record(name: str, model: nn.Module) -> None:
    """Note a fresh model's keys and weights for the tests."""
    path = KEYS / f"{name}.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    state = model.state_dict()
    digests = known.get("digests", {}) if known.get("keys") == shapes(state) else {}
    digests[torch.backends.cpu.get_cpu_capability()] = digest(state)
    versions = {"torch": torch.__version__.split("+")[0], "torchvision": _version()}
    noted = {**versions, "digests": dict(sorted(digests.items())), "keys": shapes(state)}
    path.write_text(_as_text(noted))


def _version() -> str:
    version: str = importlib.import_module("torchvision").__version__
    return version.split("+")[0]


def _as_text(noted: dict[str, Any]) -> str:
    """JSON with one line for each key."""
    keys = ",\n".join(f"    {json.dumps(key)}: {shape}" for key, shape in noted["keys"].items())
    head = json.dumps({key: value for key, value in noted.items() if key != "keys"}, indent=2)
    return f'{head[:-2]},\n  "keys": {{\n{keys}\n  }}\n}}\n'


def as_table(comparisons: list[Comparison]) -> str:
    """The comparisons as text, a line each."""
    heads = ["model", "parameters", "keys", "weights", "eval", "train", "gradients", "buffers"]
    rows = [[_shown(cell) for cell in each.cells()] for each in comparisons]
    widths = [max(map(len, column)) for column in zip(heads, *rows)]
    lines = [
        "  ".join(
            (cell.ljust if place == 0 else cell.rjust)(width)
            for place, (cell, width) in enumerate(zip(row, widths))
        )
        for row in (heads, *rows)
    ]
    verdicts = ["", *("equal" if each.holds else "DIFFERENT" for each in comparisons)]
    return "\n".join(f"{line}  {verdict}".rstrip() for line, verdict in zip(lines, verdicts))


def _shown(cell: Any) -> str:
    if isinstance(cell, Count) and not cell.total:
        return "-"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def record_elsewhere(names: list[str]) -> None:
    """Note the digests for the other sets of vector instructions that this machine has."""
    here = torch.backends.cpu.get_cpu_capability().lower()
    for capability in CAPABILITIES:
        if capability != here:
            environment = {**os.environ, "ATEN_CPU_CAPABILITY": capability}
            command = [sys.executable, __file__, "--record", *names]
            subprocess.run(command, env=environment, check=True)


def main() -> int:
    """Compare the models that are named, or all whose specs are there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="specs; by default all")
    parser.add_argument("--record", action="store_true", help="only note the digests")
    options = parser.parse_args()
    unknown = sorted(set(options.names) - IMAGES.keys())
    if unknown:
        parser.error(f"torchvision has no {', '.join(unknown)} here")
    names = options.names or list(IMAGES)
    present = [name for name in names if (REPOSITORY / "specs" / f"{name}.yaml").exists()]
    models = torchvision_models()
    with settled():
        if options.record:
            for name in present:
                record(name, seeded(getattr(models, name))[0])
            return 0
        comparisons = []
        for name in present:
            print(f"{name} …", file=sys.stderr, flush=True)
            comparisons.append(compare(name, models))
    record_elsewhere(present)
    print(as_table(comparisons))
    for name in sorted(set(names) - set(present)):
        print(f"{name}: left out, there is no specs/{name}.yaml")
    return 0 if all(each.holds for each in comparisons) else 1


if __name__ == "__main__":
    sys.exit(main())
