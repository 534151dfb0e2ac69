"""Code that is not given to black is as black would have it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nngen.emit import origin
from nngen.emit.render import by_black
from nngen.emit.wrapping import tidied, wrapped
from nngen.language import document
from nngen.language import spec as specs
from nngen.language.styles import FILES
from nngen.pipeline import Compilation, read
from tests.built import SPECS
from tests.support import Case, cases


def files(compilation: Compilation) -> Iterator[str]:
    """What the templates write for a spec."""
    for marked in compilation._filled.values():
        yield tidied(origin.unmarked(marked)[0])


def held(codes: Iterator[str]) -> tuple[int, int]:
    """How many files are written without black, and of how many; each as black has it."""
    quick = whole = 0
    for code in codes:
        found = wrapped(code)
        assert found is None or found == by_black(code), code
        quick += found is not None
        whole += 1
    return quick, whole


def test_the_specs() -> None:
    quick, whole = held(code for path in SPECS for code in files(read(path, styles=FILES)))
    assert quick > 0.9 * whole


# An entry's further examples give the same statements with other arguments; so do the random specs.
@pytest.mark.parametrize(
    "chosen",
    [
        pytest.param([case for case in cases() if case.number == 0], id="the first of each"),
        pytest.param(cases(), id="all", marks=pytest.mark.slow),
    ],
)
def test_the_examples_of_the_catalog(chosen: Iterable[Case]) -> None:
    given = (specs.from_node(document.of(case.spec), "example") for case in chosen)
    quick, whole = held(code for spec in given for code in files(Compilation(spec)))
    assert quick > 0.9 * whole


@pytest.mark.parametrize(
    "line",
    [
        "self.layer = nn.Conv2d(in_channels, out_channels, kernel_size=kernel_size, stride=stride)",
        "def forward(self, first: Tensor, second: Tensor, third: Tensor, fourth: Tensor) -> Tensor:",
        "self.layers = nn.Sequential(nn.Linear(in_features, hidden), nn.ReLU(), nn.Linear(hidden, 10), nn.Flatten())",
        "self.layers = nn.ModuleList(Block(hidden_size, num_heads, intermediate_size, theta) for _ in range(n))",
        "super().__init__(nn.Conv2d(in_channels, out_channels, kernel_size=1, bias=False), nn.BatchNorm2d(8))",
        "for parameter in (self.first_weight_of_it, self.first_bias_of_it, self.second_weight_of_it):",
        "x, state = torch.gru(x, state, [self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh], True, 1)",
        "return {'last_hidden_state': encoder_of_the_model, 'pooler_output': pooler_of_the_model_as_well}",
        "def __call__(self, params: Mapping[str, Tensor], x: Tensor, *, training: bool) -> tuple[Tensor, dict[str, Tensor]]:",
        "params[f'{self.prefix}downsample.0.weight'] = torch.empty(self.planes, self.in_channels, 1, 1)",
        "self.names = [f'rnn.{kind}_l{layer}{way}' for layer in range(2) for way in ('', '_reverse') for kind in ('a', 'b')]",
        "x = F.pad(x, (1, 1), mode='constant')",
        "x = x[:, i:j, -1]",
        "x = F.layer_norm(x, (8,), eps=1e-05)",
    ],
)
def test_what_is_written_without_black(line: str) -> None:
    code = tidied(
        f"class A:\n    def f(self):\n        {line}\n" + "            pass\n" * line.endswith(":")
    )
    assert wrapped(code) == by_black(code)


@pytest.mark.parametrize(
    "line",
    [
        "x = x ** 2",
        "x = x[:, a + 1:]",
        "x = x[:, :self.size]",
        "x = x[:y.shape[1]]",
        "x = 'it\\'s'",
        "x = f('a\\x0c')",
        "ä = 1",
        "x = " + " + ".join(["value_of_it"] * 8),
        "x = torch.full((target.shape[1], target.shape[1]), -torch.inf, device=target.device).triu(1)",
        "x = f(" + ", ".join(["value_of_it"] * 8) + ",)",
        '"""A tab\there."""',
    ],
)
def test_what_black_is_asked_for(line: str) -> None:
    assert wrapped(tidied(f"def f():\n    {line}\n")) is None


def test_numbers_are_written_as_people_do() -> None:
    code = 'x = f(1e-05, 1e-10, \'1e-05\', 2.5e-07)\n"""Not 1e-05 here."""\n'
    assert tidied(code) == 'x = f(1e-5, 1e-10, "1e-05", 2.5e-7)\n"""Not 1e-05 here."""\n'


@pytest.mark.parametrize("name", ["cnn", "resnet18"])
def test_a_usual_model_is_built_without_black(name: str, tmp_path: Path) -> None:
    code = (
        "import sys; from nngen.cli import main; main(sys.argv[1:]); print('black' in sys.modules)"
    )
    arguments: list[Any] = [
        "build",
        Path(__file__).parents[2] / "specs" / f"{name}.yaml",
        "-o",
        tmp_path,
    ]
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "False"
