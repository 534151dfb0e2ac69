"""What the commands take: `nngen build` beside structcast-model, and `nngen verify` beside `import torch`."""

from __future__ import annotations

import os
import shutil
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from benchmarks.measure import Run, in_turn, process, ratio, table

HERE = Path(__file__).parent
REPOSITORY = HERE.parent
MODELS = {"cnn": "CNN", "resnet18": "ResNet-18"}


@dataclass(frozen=True)
class Command:
    """A command in a fresh process, and what is put in order before it."""

    line: tuple[str, ...]
    environment: Mapping[str, str]
    prepare: Callable[[], object] = lambda: None

    def run(self) -> Run:
        """Run it."""
        self.prepare()
        return process(self.line, self.environment)


@dataclass(frozen=True)
class Place:
    """A folder to work in, with caches of its own."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the commands: no caches but those in this place, and those of Python."""
        kept = {
            name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
        }
        return {**kept, "XDG_CACHE_HOME": str(self.folder / "cache")}

    def forget_build(self) -> None:
        """As before the first build of a spec: no output, and nothing known of it."""
        shutil.rmtree(self.folder / "out", ignore_errors=True)
        shutil.rmtree(self.folder / "cache" / "nngen" / "fresh", ignore_errors=True)

    def forget_all(self) -> None:
        """As before the first build of all: black's and nngen's caches are gone, too."""
        self.forget_build()
        shutil.rmtree(self.folder / "cache", ignore_errors=True)

    def build(self, name: str, prepare: Callable[[], object]) -> Command:
        """`nngen build` of one of the specs."""
        line = (*_nngen("build"), str(REPOSITORY / "specs" / f"{name}.yaml"), "-o", self.output)
        return Command(line, self.environment, prepare)

    def peer(self, name: str, peer: Path) -> Command:
        """`scm torch create model` of the same model."""
        script = str(self.folder / f"{name}.py")
        line = ("torch", "create", "model", str(HERE / "peer" / f"{name}.yaml"), "-o", script)
        return Command((str(peer / "bin" / "scm"), *line), self.environment)

    @property
    def output(self) -> str:
        """Where nngen builds."""
        return str(self.folder / "out")


def build_table(place: Place, peer: Path, rounds: int) -> str:
    """Building beside the peer: first of all, of a new spec, and of one that is as it was."""
    return table(_header("structcast-model"), _build_rows(place, peer, rounds))


def verify_table(place: Place, rounds: int) -> str:
    """Verifying the CNN beside importing torch."""
    spec = str(REPOSITORY / "specs" / "cnn.yaml")
    verify = Command((*_nngen("verify"), spec), place.environment)
    torch = Command((sys.executable, "-c", "import torch"), place.environment)
    return table(
        _header("import torch"), [_row("verify the CNN", interleaved((verify, torch), rounds))]
    )


def interleaved(commands: Sequence[Command], rounds: int) -> list[list[Run]]:
    """The runs of each command, after one that does not count."""
    for command in commands:
        command.run()
    runs: list[list[Run]] = [[] for _ in commands]
    for order in islice(in_turn(range(len(commands))), rounds):
        for place in order:
            runs[place].append(commands[place].run())
    return runs


def _build_rows(place: Place, peer: Path, rounds: int) -> Iterator[list[str]]:
    kinds = {
        "the first build of all": place.forget_all,
        "a new spec": place.forget_build,
        "unchanged": lambda: None,
    }
    for name, title in MODELS.items():
        for kind, prepare in kinds.items():
            commands = (place.build(name, prepare), place.peer(name, peer))
            yield _row(f"{title}, {kind}", interleaved(commands, rounds))


def _header(peer: str) -> list[str]:
    names = [
        f"{name}{what}" for what in (", time", ", CPU", ", memory") for name in ("nngen", peer)
    ]
    return ["", *names[:2], "ratio", *names[2:4], "ratio", *names[4:]]


def _row(title: str, runs: Sequence[Sequence[Run]]) -> list[str]:
    cells = [title]
    for measure in ("wall", "cpu"):
        samples = [[getattr(run, measure) for run in each] for each in runs]
        cells += [f"{1000 * statistics.median(each):,.0f} ms" for each in samples]
        cells.append(f"{ratio(*samples):.2f}")
    return cells + [f"{statistics.median(run.memory for run in each):.0f} MiB" for each in runs]


def _nngen(verb: str) -> tuple[str, ...]:
    return (str(Path(sys.executable).with_name("nngen")), verb)
