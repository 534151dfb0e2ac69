"""A good pair of twins, and what makes subjects of such sources."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable, Iterator
from textwrap import dedent, indent
from types import ModuleType
from typing import Any

import pytest

from nngen.graph.tensor_spec import TensorSpec
from nngen.proof.report import Report
from nngen.proof.subject import Subject
from nngen.proof.verification import verify
from tests.proof.twins import twin_subject

NN = """
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 3, kernel_size=3)
            self.bn = nn.BatchNorm2d(3)
            self.drop = nn.Dropout(p=0.5)
            self.fc = nn.Linear(48, 5)
            self.criterion = nn.CrossEntropyLoss()

        def forward(self, x):
            x = self.conv(x)
            x = self.bn(x)
            x = torch.flatten(x, start_dim=1)
            x = self.drop(x)
            return self.fc(x)

        def loss(self, output, target):
            return self.criterion(output, target)
"""

FUNCTIONAL = """
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv_weight = nn.Parameter(torch.empty(3, 1, 3, 3))
            self.conv_bias = nn.Parameter(torch.empty(3))
            nn.init.kaiming_uniform_(self.conv_weight, a=math.sqrt(5))
            nn.init.uniform_(self.conv_bias, -1 / math.sqrt(9), 1 / math.sqrt(9))
            self.bn_weight = nn.Parameter(torch.ones(3))
            self.bn_bias = nn.Parameter(torch.zeros(3))
            self.register_buffer("bn_running_mean", torch.zeros(3))
            self.register_buffer("bn_running_var", torch.ones(3))
            self.register_buffer("bn_num_batches_tracked", torch.tensor(0))
            self.fc_weight = nn.Parameter(torch.empty(5, 48))
            self.fc_bias = nn.Parameter(torch.empty(5))
            nn.init.kaiming_uniform_(self.fc_weight, a=math.sqrt(5))
            nn.init.uniform_(self.fc_bias, -1 / math.sqrt(48), 1 / math.sqrt(48))

        def forward(self, x):
            x = F.conv2d(x, self.conv_weight, self.conv_bias)
            if self.training:
                self.bn_num_batches_tracked += 1
            x = F.batch_norm(
                x,
                self.bn_running_mean,
                self.bn_running_var,
                self.bn_weight,
                self.bn_bias,
                training=self.training,
                momentum=0.1,
            )
            x = torch.flatten(x, start_dim=1)
            x = F.dropout(x, p=0.5, training=self.training)
            return F.linear(x, self.fc_weight, self.fc_bias)

        def loss(self, output, target):
            return F.cross_entropy(output, target)
"""

HEADER = """
import math

import torch
import torch.nn.functional as F
from torch import nn

"""


def flat(state: dict[str, Any]) -> dict[str, Any]:
    return {key.replace(".", "_", 1): value for key, value in state.items()}


def dotted(state: dict[str, Any]) -> dict[str, Any]:
    return {key.replace("_", ".", 1): value for key, value in state.items()}


@pytest.fixture
def module() -> Iterator[Callable[[str, str], ModuleType]]:
    """Makes real modules of source text, which tracebacks can quote."""
    made: list[str] = []

    def make(name: str, source: str) -> ModuleType:
        text = HEADER + dedent(source)
        file = f"{name}.py"
        linecache.cache[file] = (len(text), None, text.splitlines(True), file)
        found = sys.modules[name] = ModuleType(name)
        made.append(name)
        code = compile(text, file, "exec")
        exec(code, vars(found))  # noqa: S102  its text stands in this file
        return found

    yield make
    for name in made:
        sys.modules.pop(name, None)
        linecache.cache.pop(f"{name}.py", None)


@pytest.fixture
def subject(module: Callable[[str, str], ModuleType]) -> Callable[..., Subject]:
    """Makes a subject of two sources; by default of the good pair above."""

    def make(nn: str = NN, functional: str = FUNCTIONAL, **more: Any) -> Subject:
        given: dict[str, Any] = {
            "inputs": (TensorSpec("x", (1, 6, 6)),),
            "targets": (TensorSpec("target", (), "int64", below=5),),
            "to_functional": flat,
            "to_nn": dotted,
        }
        twins = module("nn_style", nn), module("functional_style", functional)
        return twin_subject("Net", *twins, **(given | more))

    return make


@pytest.fixture
def plain(subject: Callable[..., Subject]) -> Callable[..., Report]:
    """Verifies two models that differ in their forward, or in nothing, and have no loss."""

    def run(nn: str, functional: str | None = None, setup: str = "", **more: Any) -> Report:
        inputs = more.setdefault("inputs", (TensorSpec("x", (3,)),))
        init = f"def __init__(self):\n    super().__init__()\n{indent(dedent(setup), ' ' * 4)}"
        sources = [
            "class Net(nn.Module):\n"
            + indent(init, " " * 4)
            + f"\n    def forward(self, {', '.join(spec.name for spec in inputs)}):\n"
            + indent(dedent(body), " " * 8)
            for body in (nn, nn if functional is None else functional)
        ]
        same = {"to_functional": dict, "to_nn": dict, "targets": None}
        conditions = more.pop("conditions", {})
        return verify(subject(*sources, **(same | more)), **conditions)

    return run
