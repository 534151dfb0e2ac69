"""What the models take at run time: the twins beside hand-written nn, functional_call and torch.fx.

python -m benchmarks.running        the tables of all models, on one thread
"""

from __future__ import annotations

import argparse
import runpy
import statistics
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor, fx, nn
from torch.func import functional_call

from benchmarks import handwritten
from benchmarks.measure import ratio, table, timed

BATCHES = (1, 64)
BASE = "hand-written nn"
RATIOS = {BASE: "/ hand-written", "functional_call": "/ functional_call"}


@dataclass(frozen=True)
class Subject:
    """A model to time.

    Attributes:
        package: where its twins are.
        written: the class written by hand, and the twins' class by its name.
        sample: the shape of one sample.
        classes: how many classes it tells apart.
    """

    package: str
    written: type[nn.Module]
    sample: tuple[int, ...]
    classes: int

    @property
    def title(self) -> str:
        """What tables call it."""
        return f"{self.written.__name__}, {' × '.join(map(str, self.sample))}"

    def twins(self) -> ModuleType:
        """The package that nngen wrote."""
        return import_module(f"generated.{self.package}")


SUBJECTS = (
    Subject("mlp", handwritten.MLP, (784,), 10),
    Subject("cnn", handwritten.CNN, (1, 28, 28), 10),
    Subject("resnet18", handwritten.ResNet18, (3, 48, 48), 1000),
)


@dataclass(frozen=True)
class Candidate:
    """One way to run a model: a module for its state and mode, and its call."""

    module: nn.Module
    forward: Callable[[Tensor], Tensor]

    def evaluate(self, x: Tensor) -> Tensor:
        """One forward of eval mode, without gradients."""
        with torch.no_grad():
            return self.forward(x)

    def train(self, x: Tensor, target: Tensor, optimizer: torch.optim.Optimizer) -> Tensor:
        """One step: forward, loss, backward, update."""
        loss = nn.functional.cross_entropy(self.forward(x), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach()


def candidates(subject: Subject) -> dict[str, Candidate]:
    """All ways to run a model, with the same weights."""
    twins = subject.twins()
    torch.manual_seed(0)
    model = getattr(twins.nn_style, subject.written.__name__)()
    twin = getattr(twins.functional_style, subject.written.__name__)()
    twin.load_state_dict(twins.to_functional(model.state_dict()))
    written, stateless, traced = (subject.written() for _ in range(3))
    for each in (written, stateless, traced):
        each.load_state_dict(model.state_dict())
    state = {**dict(stateless.named_parameters()), **dict(stateless.named_buffers())}
    graph = fx.symbolic_trace(traced)
    return {
        BASE: Candidate(written, written),
        "nn twin": Candidate(model, model),
        "functional twin": Candidate(twin, twin),
        "functional_call": Candidate(stateless, partial(functional_call, stateless, state)),
        "torch.fx": Candidate(graph, graph),
    }


def check(subject: Subject) -> None:
    """What is timed computes the same, bit for bit: an eval forward, and the losses of three steps.

    Raises:
        ValueError: it does not.
    """
    x, target = _batch(subject, 2)
    found = {name: _computed(each, x, target) for name, each in candidates(subject).items()}
    for name, values in found.items():
        if not all(map(torch.equal, values, found[BASE])):
            raise ValueError(f"{subject.title}: {name} computes something else than {BASE}")


def check_script(script: Path, subject: Subject) -> None:
    """What another program wrote is the same model: with its parameters put in by order, it computes the same.

    Args:
        script: a file with a class `Model`.
        subject: the model.

    Raises:
        ValueError: it is not.
    """
    written = subject.written().eval()
    other = runpy.run_path(str(script))["Model"]().eval()
    state = written.state_dict()
    other.load_state_dict(dict(zip(other.state_dict(), state.values(), strict=True)))
    x, _ = _batch(subject, 2)
    with torch.no_grad():
        if not torch.equal(other(x), written(x)):
            raise ValueError(f"{script.name} computes something else than {BASE}")


def rows(subject: Subject, seconds: float) -> Iterator[list[str]]:
    """The rows of a model's table.

    Args:
        subject: the model.
        seconds: for each batch size and mode.
    """
    for mode, calls in {"eval forward": _forwards, "train step": _steps}.items():
        for size in BATCHES:
            samples = timed(calls(subject, size), seconds)
            cpu = {name: [each.cpu for each in taken] for name, taken in samples.items()}
            for name, taken in samples.items():
                yield [
                    f"{mode}, batch {size}: {name}",
                    f"{1e6 * statistics.median(each.wall for each in taken):,.0f} µs",
                    f"{1e6 * statistics.median(cpu[name]):,.0f} µs",
                    *(f"{ratio(cpu[name], cpu[base]):.2f}" for base in RATIOS),
                ]


def _batch(subject: Subject, size: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(size)
    x = torch.randn(size, *subject.sample, generator=generator)
    return x, torch.randint(subject.classes, (size,), generator=generator)


def _optimizer(candidate: Candidate) -> torch.optim.Optimizer:
    return torch.optim.SGD(candidate.module.parameters(), lr=0.01)


def _computed(candidate: Candidate, x: Tensor, target: Tensor) -> list[Tensor]:
    candidate.module.eval()
    found = [candidate.evaluate(x)]
    candidate.module.train()
    optimizer = _optimizer(candidate)
    torch.manual_seed(1)
    return found + [candidate.train(x, target, optimizer) for _ in range(3)]


def _forwards(subject: Subject, size: int) -> Mapping[str, Callable[[], object]]:
    x, _ = _batch(subject, size)
    found = candidates(subject)
    for each in found.values():
        each.module.eval()
    return {name: partial(each.evaluate, x) for name, each in found.items()}


def _steps(subject: Subject, size: int) -> Mapping[str, Callable[[], object]]:
    x, target = _batch(subject, size)
    found = candidates(subject)
    for each in found.values():
        each.module.train()
    return {name: partial(each.train, x, target, _optimizer(each)) for name, each in found.items()}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="for each mode and batch size")
    parser.add_argument("--model", choices=[each.package for each in SUBJECTS], help="one only")
    parser.add_argument("--scripts", type=Path, help="a folder with other programs' models")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for subject in SUBJECTS:
        if options.model in (None, subject.package):
            check(subject)
            if options.scripts and (options.scripts / f"{subject.package}.py").exists():
                check_script(options.scripts / f"{subject.package}.py", subject)
            header = [subject.title, "time", "CPU", *RATIOS.values()]
            print(table(header, rows(subject, options.seconds)), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
