"""Verification: twins that are equal pass, and every way to part is caught and named."""

from __future__ import annotations

import json
import linecache
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from textwrap import dedent, indent
from types import ModuleType
from typing import Any

import pytest
import torch

import nngen
from nngen.errors import NngenError
from nngen.proof import verify
from nngen.report import Report
from nngen.subject import Subject, TensorSpec

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
        return Subject("Net", *twins, **(given | more))

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


def test_equal_twins(subject: Callable[..., Subject]) -> None:
    report = verify(subject())
    assert report.equal and report.first_difference is None
    assert not report.findings and not report.notes
    assert {row.what for row in report.rows} == {
        "names", "weights", "buffers", "outputs", "loss", "inputs", "gradients",
        "optimizer", "random",
    }  # fmt: skip
    assert all(row.values for row in report.rows)
    text = report.as_text()
    assert "Net: the twins are equal, bit for bit" in text
    assert len(text.splitlines()) < 25 and max(map(len, text.splitlines())) <= 88
    assert f"values compared: {report.values:,} (" in text and torch.__version__ in text


def test_counts_are_of_what_was_compared(subject: Callable[..., Subject]) -> None:
    report = verify(subject(), batch_sizes=(2,))
    values = {row.what: row.values for row in report.rows if row.group == "train, grad"}
    weights = 3 * 9 + 3 + 3 + 3 + 5 * 48 + 5
    assert values == {
        "outputs": 10,
        "loss": 1,
        "inputs": 72 + 2,
        "gradients": weights + 72,
        "weights": weights,
        "buffers": 7,
        "random": 1,
    }


MUTATIONS = {
    "weight drawn otherwise": (
        "kaiming_uniform_(self.fc_weight, a=math.sqrt(5))",
        "kaiming_uniform_(self.fc_weight, a=math.sqrt(3))",
        "weights, construction: fc.weight (fc_weight)[0, 0]: nn ",
    ),
    "bias drawn before weight": (
        """
            nn.init.kaiming_uniform_(self.conv_weight, a=math.sqrt(5))
            nn.init.uniform_(self.conv_bias, -1 / math.sqrt(9), 1 / math.sqrt(9))
        """,
        """
            nn.init.uniform_(self.conv_bias, -1 / math.sqrt(9), 1 / math.sqrt(9))
            nn.init.kaiming_uniform_(self.conv_weight, a=math.sqrt(5))
        """,
        "weights, construction: conv.weight (conv_weight)[0, 0, 0, 0]: nn ",
    ),
    "weight not drawn": (
        "nn.init.uniform_(self.fc_bias, -1 / math.sqrt(48), 1 / math.sqrt(48))",
        "torch.rand(5)",
        "functional nan; 5 of 5 values differ",
    ),
    "extra draw in the constructor": (
        "self.bn_weight = nn.Parameter(torch.ones(3))",
        "self.bn_weight = nn.Parameter(torch.ones(3)); torch.rand(1)",
        "weights, construction: fc.weight (fc_weight)[0, 0]",
    ),
    "extra draw at the constructor's end": (
        "nn.init.uniform_(self.fc_bias, -1 / math.sqrt(48), 1 / math.sqrt(48))",
        (
            "nn.init.uniform_(self.fc_bias, -1 / math.sqrt(48), 1 / math.sqrt(48))\n"
            "            torch.rand(1)"
        ),
        "random, construction: random-number state: nn state ",
    ),
    "wrong dtype": (
        "self.bn_bias = nn.Parameter(torch.zeros(3))",
        "self.bn_bias = nn.Parameter(torch.zeros(3, dtype=torch.float64))",
        "weights, construction: bn.bias (bn_bias): dtype float32 in nn, float64 in",
    ),
    "wrong shape": (
        "self.bn_bias = nn.Parameter(torch.zeros(3))",
        "self.bn_bias = nn.Parameter(torch.zeros(1, 3))",
        "weights, construction: bn.bias (bn_bias): shape (3,) in nn, (1, 3) in",
    ),
    "frozen": (
        "self.bn_bias = nn.Parameter(torch.zeros(3))",
        "self.bn_bias = nn.Parameter(torch.zeros(3), requires_grad=False)",
        "names, construction: bn.bias (bn_bias): nn a parameter, functional a frozen",
    ),
    "buffer not registered": (
        'self.register_buffer("bn_num_batches_tracked", torch.tensor(0))',
        "self.bn_num_batches_tracked = torch.tensor(0)",
        "names, construction: bn.num_batches_tracked is in the nn twin alone",
    ),
    "buffer not saved": (
        'self.register_buffer("bn_running_mean", torch.zeros(3))',
        'self.register_buffer("bn_running_mean", torch.zeros(3), persistent=False)',
        "functional a buffer that is not saved",
    ),
    "one parameter more": (
        "self.bn_bias = nn.Parameter(torch.zeros(3))",
        "self.bn_bias = nn.Parameter(torch.zeros(3)); self.scale = nn.Parameter(torch.ones(1))",
        "names, construction: scale is in the functional twin alone",
    ),
    "wrong eps": (
        "momentum=0.1,",
        "momentum=0.1, eps=1e-3,",
        "outputs, train, batch 1, grad: output[0, 0]: nn ",
    ),
    "momentum": (
        "momentum=0.1,",
        "momentum=0.2,",
        "buffers, train, batch 1, grad: bn.running_mean (bn_running_mean)[0]: nn ",
    ),
    "batches not counted": (
        "self.bn_num_batches_tracked += 1",
        "pass",
        (
            "buffers, train, batch 1, grad: "
            "bn.num_batches_tracked (bn_num_batches_tracked): nn 2, functional 1; 1 of 1"
        ),
    ),
    "batch norm always trains": (
        "training=self.training,\n",
        "training=True,\n",
        "outputs, eval, batch 1, grad: output[0, 0]",
    ),
    "dropout always on": (
        "p=0.5, training=self.training",
        "p=0.5",
        "outputs, eval, batch 1, grad: output[0, 0]",
    ),
    "weight left out": (
        "self.bn_weight,\n",
        "None,\n",
        "outputs, train, batch 1, grad: output[0, 0]",
    ),
    "arguments swapped": (
        """
                self.bn_weight,
                self.bn_bias,
        """,
        """
                self.bn_bias,
                self.bn_weight,
        """,
        "outputs, train, batch 1, grad: output[0, 0]",
    ),
    "product written out": (
        "F.linear(x, self.fc_weight, self.fc_bias)",
        "(x.double() @ self.fc_weight.double().T).float() + self.fc_bias",
        "outputs, train, batch ",
    ),
    "gradient lost": (
        "x = torch.flatten(x, start_dim=1)",
        "x = torch.flatten(x, start_dim=1).detach()",
        "gradients, train, batch 1, grad: bn.bias (bn_bias): nn a tensor (3,), functional None",
    ),
    "input written into": (
        "x = F.conv2d(x, self.conv_weight, self.conv_bias)",
        "x.abs_(); x = F.conv2d(x.sign() * x, self.conv_weight, self.conv_bias)",
        "outputs, train, batch 1, grad: output[0, 0]",
    ),
    "input written into, once it was used": (
        "return F.linear(x, self.fc_weight, self.fc_bias)",
        "y = F.linear(x, self.fc_weight, self.fc_bias); given.data.zero_(); return y",
        "inputs, train, batch 1, grad: x[0, 0, 0, 0]: nn ",
    ),
    "extra draw in forward": (
        "return F.linear(x, self.fc_weight, self.fc_bias)",
        "torch.rand(1); return F.linear(x, self.fc_weight, self.fc_bias)",
        "random, train, batch 1, grad: random-number state",
    ),
    "extra draw in eval alone": (
        "return F.linear(x, self.fc_weight, self.fc_bias)",
        "self.training or torch.rand(1); return F.linear(x, self.fc_weight, self.fc_bias)",
        "random, eval, batch 1, grad: random-number state",
    ),
    "without grad alone": (
        "return F.linear(x, self.fc_weight, self.fc_bias)",
        (
            "y = F.linear(x, self.fc_weight, self.fc_bias)\n"
            "            return y if torch.is_grad_enabled() else y + 1"
        ),
        "outputs, train, batch 1, no_grad: output[0, 0]",
    ),
    "wrong reduction": (
        "F.cross_entropy(output, target)",
        'F.cross_entropy(output, target, reduction="sum")',
        "loss, train, batch 4, grad: loss: nn ",
    ),
    "weight changed by forward": (
        "return F.linear(x, self.fc_weight, self.fc_bias)",
        (
            "y = F.linear(x, self.fc_weight, self.fc_bias)\n"
            "            self.fc_bias.data.mul_(2); return y"
        ),
        "weights, train, batch 1, grad: fc.bias (fc_bias)[0]: nn ",
    ),
    "exception": (
        "return F.linear(x, self.fc_weight, self.fc_bias)",
        'raise ValueError("no\\nway")',
        (
            "train, batch 1, grad: the functional twin raises ValueError: no way at "
            'functional_style.py:41: raise ValueError("no\\nway")'
        ),
    ),
    "exception in eval": (
        "F.dropout(x, p=0.5, training=self.training)",
        "F.dropout(x, p=0.5, training=self.training or self.missing)",
        "eval, batch 1, grad: the functional twin raises AttributeError: 'Net' object",
    ),
}


def mutated(old: str, new: str) -> str:
    """The functional twin with one place changed; `given` is what forward was given."""
    old, new = old.strip("\n").rstrip(" "), new.strip("\n").rstrip(" ")
    assert FUNCTIONAL.count(old) == 1
    text = FUNCTIONAL.replace(old, new)
    return text.replace("x = F.conv2d(", "given = x; x = F.conv2d(") if "given" in new else text


@pytest.mark.parametrize("case", MUTATIONS)
def test_a_difference_is_caught_and_named(case: str, subject: Callable[..., Subject]) -> None:
    old, new, expected = MUTATIONS[case]
    report = verify(subject(functional=mutated(old, new)))
    assert not report.equal
    assert report.first_difference is not None
    assert expected in report.first_difference
    text = report.as_text()
    assert "Net: the twins are DIFFERENT" in text
    table = text.split("\n\n")[1]
    assert max(map(len, table.splitlines())) <= 88
    assert bool(report.findings) == ("raises" in report.first_difference) or (
        "construction" in report.first_difference
    )


PARTINGS = {
    "wrong eps": ["x = self.bn(x)", "x = F.batch_norm("],
    "momentum": ["x = self.bn(x)", "x = F.batch_norm("],
    "batches not counted": ["x = self.bn(x)"],
    "arguments swapped": ["x = self.bn(x)", "x = F.batch_norm("],
    "dropout always on": ["return self.fc(x)", "x = F.dropout(x, p=0.5)"],
    "wrong reduction": [
        "return self.criterion(output, target)",
        'return F.cross_entropy(output, target, reduction="sum")',
    ],
    "extra draw in forward": ["torch.rand(1); return F.linear(x, self.fc_weight, self.fc_bias)"],
    "exception": [],
}


@pytest.mark.parametrize("case", PARTINGS)
def test_the_lines_where_the_flow_parts(case: str, subject: Callable[..., Subject]) -> None:
    report = verify(subject(functional=mutated(*MUTATIONS[case][:2])))
    assert [line.split(": ", 1)[1] for line in report.parting] == PARTINGS[case]
    assert all(line in report.as_text() for line in report.parting)


def swapped(state: dict[str, Any]) -> dict[str, Any]:
    """Takes a batch norm's weight for its bias."""
    other = {"bn_weight": "bn_bias", "bn_bias": "bn_weight"}
    return {other.get(key, key): value for key, value in flat(state).items()}


def without_bias(state: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in flat(state).items() if key != "fc_bias"}


def refuses(state: dict[str, Any]) -> dict[str, Any]:
    raise KeyError("fc.bias")


def back_swapped(state: dict[str, Any]) -> dict[str, Any]:
    other = {"conv.bias": "bn.bias", "bn.bias": "conv.bias"}
    return {other.get(key, key): value for key, value in dotted(state).items()}


RENAMINGS = {
    "two keys swapped": (
        {"to_functional": swapped},
        "weights, construction: bn.weight (bn_bias)[0]: nn 1, functional 0; 3 of 3",
    ),
    "key dropped": (
        {"to_functional": without_bias},
        "names, construction: fc.bias is in the nn twin alone",
    ),
    "key unchanged": (
        {"to_functional": dict},
        "names, construction: conv.weight is in the nn twin alone",
    ),
    "to_functional raises": (
        {"to_functional": refuses},
        "construction, to_functional: the functional twin raises KeyError: 'fc.bias'",
    ),
    "to_nn raises": (
        {"to_nn": refuses},
        "nn checkpoint, renamed and back: the functional twin raises KeyError",
    ),
    "two keys swapped back": (
        {"to_nn": back_swapped},
        "weights, nn checkpoint, renamed and back: conv.bias (conv_bias)[0]",
    ),
}


@pytest.mark.parametrize("case", RENAMINGS)
def test_a_wrong_renaming_is_caught(case: str, subject: Callable[..., Subject]) -> None:
    renames, expected = RENAMINGS[case]
    report = verify(subject(**renames))
    assert not report.equal and expected in str(report.first_difference)


def test_swapped_layers_are_told_apart_though_drawn_alike(
    subject: Callable[..., Subject],
) -> None:
    nn_style = """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.a = nn.LayerNorm(3, bias=False)
                self.b = nn.LayerNorm(3, bias=False)

            def forward(self, x):
                return self.b(F.relu(self.a(x)))
    """
    functional = """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.a_weight = nn.Parameter(torch.ones(3))
                self.b_weight = nn.Parameter(torch.ones(3))

            def forward(self, x):
                x = F.relu(F.layer_norm(x, (3,), self.a_weight))
                return F.layer_norm(x, (3,), self.b_weight)
    """
    more = {"inputs": (TensorSpec("x", (3,)),), "targets": None}
    assert verify(subject(nn_style, functional, **more)).equal

    def cross(state: dict[str, Any]) -> dict[str, Any]:
        other = {"a.weight": "b_weight", "b.weight": "a_weight"}
        return {other[key]: value for key, value in state.items()}

    report = verify(subject(nn_style, functional, **more, to_functional=cross))
    assert "outputs, train, batch 1, grad: output" in str(report.first_difference)


def test_several_inputs_and_outputs_go_to_the_loss_in_order(
    subject: Callable[..., Subject],
) -> None:
    source = """
        class Net(nn.Module):
            def __init__(self, width):
                super().__init__()
                self.fc = nn.Linear(width, 2)

            def forward(self, a, b):
                return {returned}

            def loss(self, left, right, target, weight):
                return ((left - 2 * right - target) * weight).square().mean()
    """
    specs = {
        "inputs": (TensorSpec("a", ("D",)), TensorSpec("b", ("D",))),
        "targets": (TensorSpec("target", (2,)), TensorSpec("weight", (), batch=False)),
        "arguments": {"width": 4},
        "sizes": {"D": 4},
        "to_functional": dict,
        "to_nn": dict,
    }
    pair = "(self.fc(a), self.fc(b))"
    named = '{"left": self.fc(a), "right": self.fc(b)}'
    for returned in (pair, named):
        text = source.format(returned=returned)
        assert verify(subject(text, text, **specs)).equal
    crossed = source.format(returned="(self.fc(b), self.fc(a))")
    report = verify(subject(source.format(returned=pair), crossed, **specs))
    assert "output[0][0, 0]: nn" in str(report.first_difference)
    report = verify(subject(source.format(returned=pair), text, **specs))
    assert "output: nn tuple of 2, functional dict of left, right" in str(report.first_difference)


def test_outputs_may_hold_numbers_and_nothing(plain: Callable[..., Report]) -> None:
    nested = 'return {"x": x, "more": [None, 3, (x > 0).sum(), float("nan")]}'
    assert plain(nested).equal
    report = plain(nested, nested.replace("3", "4"))
    assert "output['more'][1]: nn 3, functional 4" in str(report.first_difference)
    report = plain(nested, nested.replace("None", "x"))
    assert "output['more'][0]: nn None, functional a tensor" in str(report.first_difference)


def test_the_sign_of_zero_is_a_bit_too(plain: Callable[..., Report]) -> None:
    report = plain("return x * 0.0", "return (x * 0.0).abs()")
    assert "functional 0; " in str(report.first_difference)
    assert "nn -0, " in str(report.first_difference)


def test_no_parameters(plain: Callable[..., Report]) -> None:
    report = plain("return torch.sigmoid(x)")
    assert report.equal
    assert report.notes == ("no optimizer was run: the model has nothing to train",)
    report = plain("return torch.sigmoid(x)", "return torch.sigmoid(x.detach())")
    assert "gradients, train, batch 1, grad: x input: nn a tensor (1, 3)" in str(
        report.first_difference
    )


def test_integer_inputs_and_open_sizes(plain: Callable[..., Report]) -> None:
    report = plain(
        "return self.embed(tokens) * mask.unsqueeze(-1)",
        setup="self.embed = nn.Embedding(11, 4)",
        inputs=(
            TensorSpec("tokens", ("T",), "int64", below=11),
            TensorSpec("mask", ("T",), "bool"),
        ),
        sizes={"T": 5},
    )
    assert report.equal and not report.notes
    outputs = [row.values for row in report.rows if row.what == "outputs"]
    assert outputs[:2] == [1 * 5 * 4, 4 * 5 * 4]
    assert plain("return x", inputs=(TensorSpec("x", ("T",), "int64"),)).equal


def test_integer_outputs_without_gradient(plain: Callable[..., Report]) -> None:
    report = plain("return self.fc(x).argmax(dim=1)", setup="self.fc = nn.Linear(3, 2)")
    assert report.equal
    assert report.notes == ("the gradient of every parameter is zero or None in every run",)


def test_a_conjugate_view_has_a_gradient() -> None:
    """torch gives such a view as the inverse transform of real numbers, and reads none as pairs of reals."""
    spec = {"name": "Net", "input": [6], "layers": ["y = torch.fft.ifft(x)"]}
    assert nngen.verify(spec, exports=True).equal


def test_an_idle_parameter_is_noted(plain: Callable[..., Report]) -> None:
    report = plain(
        "return self.fc(x)",
        setup="self.fc = nn.Linear(3, 2); self.idle = nn.Linear(1, 1)",
    )
    assert report.equal
    assert report.notes == ("zero or None in every run: the gradient of idle.bias, idle.weight",)


def test_nan_in_the_outputs_is_noted(plain: Callable[..., Report]) -> None:
    report = plain("return x.abs().neg().sqrt()")
    assert report.equal
    rows = [row for row in report.rows if row.what == "outputs"]
    total = sum(row.values for row in rows if row.group not in ("larger values", "smaller values"))
    nan = f"outputs hold NaN ({total} of {total} values)"
    assert any(note.startswith(nan) for note in report.notes)
    assert nan in report.as_text()
    assert not plain("return x.abs().neg().sqrt()", "return x.abs().sqrt()").equal


def test_no_output_is_no_proof(plain: Callable[..., Report]) -> None:
    report = plain("return None")
    assert not report.equal and report.first_difference is None
    assert "no output was compared, so nothing is shown" in report.notes
    assert "NOT shown to be equal" in report.as_text()


def test_batch_norm_of_one_value(plain: Callable[..., Report]) -> None:
    report = plain("return self.bn(x)", setup="self.bn = nn.BatchNorm1d(3)")
    assert report.equal and not report.findings
    (note,) = report.notes
    assert note.startswith(
        "train mode is not possible at batch size 1: "
        "Expected more than 1 value per channel when training"
    )
    wheres = {row.where for row in report.rows if row.what == "outputs"}
    assert "train, batch 4, grad" in wheres and "train, batch 1, grad" not in wheres
    assert "eval, batch 1, grad" in wheres


def test_at_batch_one_only_the_same_exception_is_excused(
    plain: Callable[..., Report],
) -> None:
    setup = "self.bn = nn.BatchNorm1d(3)"
    other = "return self.bn(x if len(x) > 1 or not self.training else x.new_ones(2, 3))"
    report = plain("return self.bn(x)", other, setup=setup)
    finding, *_ = report.findings
    assert (finding.twin, finding.error) == ("nn", "ValueError")
    assert finding.place == "nn_style.py:13: return self.bn(x)"


def test_at_batch_one_two_exceptions_are_two_findings(
    plain: Callable[..., Report],
) -> None:
    fails = """
        if len(x) == 1:
            raise ValueError("{}")
        return x
    """
    report = plain(fails.format("one"), fails.format("other"))
    assert [finding.twin for finding in report.findings[:2]] == ["nn", "functional"]
    assert plain(fails.format("one"), fails.format("one")).equal


def test_the_innermost_line_of_the_twin_is_named(plain: Callable[..., Report]) -> None:
    nested = """
        def inner(x):
            return x @ x
        return inner(x)
    """
    report = plain(nested, "return x")
    assert report.findings[0].place.endswith(": return x @ x")


def test_an_exception_in_both_is_a_finding(plain: Callable[..., Report]) -> None:
    report = plain("return x @ x")
    finding, *_ = report.findings
    assert not report.equal
    assert (finding.twin, finding.where) == ("both", "train, batch 4, grad")
    assert not any("batch size 1" in note for note in report.notes)
    text = report.as_text()
    assert "RAISES" in text and "NOT shown to be equal" in text
    assert "both twins raise RuntimeError: mat1" in str(report.first_difference)


def test_a_constructor_that_raises(subject: Callable[..., Subject]) -> None:
    functional = FUNCTIONAL.replace("super().__init__()", "super().__init__(1)")
    report = verify(subject(functional=functional))
    (finding,) = report.findings
    assert (finding.twin, finding.where) == ("functional", "construction")
    assert finding.error == "TypeError" and finding.place.endswith(": super().__init__(1)")
    assert not report.equal


def test_layers_that_write_into_their_input(plain: Callable[..., Report]) -> None:
    assert plain("return self.relu(x)", setup="self.relu = nn.ReLU(inplace=True)").equal
    report = plain("return F.relu(x, inplace=True)", "return F.relu(x)")
    assert str(report.first_difference).startswith("inputs, train, batch 1, grad: x[")


def test_sparse_gradients(plain: Callable[..., Report]) -> None:
    tokens = (TensorSpec("x", (3,), "int64", below=5),)
    setup = "self.embed = nn.Embedding(5, 2, sparse=True)"
    report = plain("return self.embed(x)", setup=setup, inputs=tokens)
    assert report.equal
    (note,) = report.notes
    assert note.startswith("Adam is not possible: Adam does not support sparse")
    dense = "return F.embedding(x, self.embed.weight)"
    report = plain("return self.embed(x)", dense, setup=setup, inputs=tokens)
    assert "sparse_coo in nn, strided in functional" in str(report.first_difference)


def test_tied_and_unsaved(plain: Callable[..., Report]) -> None:
    setup = """
        self.first = nn.Linear(3, 3)
        self.second = nn.Linear(3, 3)
        self.second.weight = self.first.weight
        self.register_buffer("scale", torch.arange(3.0), persistent=False)
    """
    report = plain("return self.second(self.first(x)) * self.scale", setup=setup)
    assert report.equal and not report.notes
    values = [row.values for row in report.rows if row.what == "gradients"]
    assert values[0] == 2 * (9 + 3) + 3  # under both of its names, and the input


def test_outputs_are_seen_before_loss_writes_into_them(
    subject: Callable[..., Subject],
) -> None:
    functional = FUNCTIONAL.replace("F.cross_entropy(output,", "F.cross_entropy(output.neg_(),")
    report = verify(subject(functional=functional))
    assert str(report.first_difference).startswith("loss, train, batch 1, grad: ")


def test_a_loss_that_only_training_can_have(subject: Callable[..., Subject]) -> None:
    source = """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(3, 2)

            def forward(self, x):
                return (self.fc(x), self.fc(-x)) if self.training else self.fc(x)

            def loss(self, output, auxiliary, target):
                return F.cross_entropy(output + auxiliary, target)
    """
    inputs = (TensorSpec("x", (3,)),)
    target = (TensorSpec("target", (), "int64"),)
    same = {"to_functional": dict, "to_nn": dict}
    report = verify(subject(source, source, inputs=inputs, targets=target, **same))
    assert report.equal
    assert any("does not take what forward returns in eval" in n for n in report.notes)


def test_attention_runs_with_the_fast_path_off(plain: Callable[..., Report]) -> None:
    layer = "nn.TransformerEncoderLayer(4, 2, dim_feedforward=8, batch_first=True)"
    report = plain(
        "return self.layer(x) * (1 + torch.backends.mha.get_fastpath_enabled())",
        "return self.layer(x)",
        setup=f"self.layer = {layer}",
        inputs=(TensorSpec("x", (5, 4)),),
    )
    assert report.equal


def test_global_state_is_restored(subject: Callable[..., Subject]) -> None:
    torch.manual_seed(5)
    torch.set_default_dtype(torch.float64)
    torch.set_deterministic_debug_mode("default")
    torch.backends.mha.set_fastpath_enabled(True)
    before = torch.get_rng_state()
    threads = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        report = verify(subject())
        with torch.no_grad():
            assert verify(subject()) == report
            assert not torch.is_grad_enabled()
        with torch.inference_mode():
            assert verify(subject()) == report
            assert torch.is_inference_mode_enabled()
        functional = FUNCTIONAL.replace(
            "super().__init__()",
            "super().__init__(); torch.set_default_dtype(torch.float16)",
        )
        verify(subject(functional=functional))
        assert torch.equal(torch.get_rng_state(), before)
        assert torch.get_default_dtype() == torch.float64
        assert torch.get_deterministic_debug_mode() == 0
        assert torch.backends.mha.get_fastpath_enabled()
        assert torch.is_grad_enabled()
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(threads)
        torch.set_default_dtype(torch.float32)


def test_one_seed_gives_one_report(subject: Callable[..., Subject]) -> None:
    functional = FUNCTIONAL.replace("momentum=0.1", "momentum=0.2")
    first, again = (verify(subject(functional=functional), seed=3) for _ in range(2))
    assert first == again
    assert first != verify(subject(functional=functional), seed=4)


def test_the_twins_are_left_as_they_were(subject: Callable[..., Subject]) -> None:
    found = subject()
    before = {name: set(vars(vars(found)[name])) for name in ("nn_style",)}
    verify(found)
    assert {name: set(vars(vars(found)[name])) for name in before} == before


def test_the_report_as_json(subject: Callable[..., Subject]) -> None:
    functional = FUNCTIONAL.replace("momentum=0.1", "momentum=0.2")
    read = json.loads(json.dumps(verify(subject(functional=functional)).as_dict()))
    assert read["equal"] is False and read["name"] == "Net"
    assert read["first_difference"].startswith("buffers, train, batch 1, grad: bn.")
    assert {"rows", "findings", "notes", "conditions", "torch_version"} <= set(read)


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"batch_sizes": ()}, {"batch_sizes": (0,)}])
def test_nothing_to_run(wrong: dict[str, Any], subject: Callable[..., Subject]) -> None:
    with pytest.raises(ValueError, match="nothing to run"):
        verify(subject(), **wrong)


@pytest.mark.parametrize("wrong", [{"kind": "gaussian"}, {"below": 0}])
def test_a_wrong_tensor_spec(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="^x: "):
        TensorSpec("x", (3,), **wrong)


def test_draws_are_of_their_kind(plain: Callable[..., Report]) -> None:
    inputs = (
        TensorSpec("u", (9,), kind="uniform"),
        TensorSpec("p", (9,), kind="probability"),
        TensorSpec("s", (9,), kind="sign"),
        TensorSpec("b", (9,), below=3),
        TensorSpec("k", (9,), "int64", below=3),
        TensorSpec("m", (9,), "int64", below=3, low=1),
        TensorSpec("c", (9,), "complex64"),
    )
    body = """
        u, p, s, b, k, m, c = (value.detach() for value in (u, p, s, b, k, m, c))
        fine = [
            bool(((u >= 0) & (u < 1)).all()),
            # a softmax sums to one up to rounding
            torch.allclose(p.sum(dim=1), torch.ones(len(p))),
            bool((s.abs() == 1).all()),
            bool(((b >= 0) & (b < 3)).all()) and bool((b > 1).any()),
            bool(((k >= 0) & (k < 3)).all()) and bool((k == 2).any()),
            bool(((m >= 1) & (m < 3)).all()),
            c.is_complex(),
        ]
        if not all(fine):
            raise ValueError(str(fine))
        return u
    """
    report = plain(body, inputs=inputs)
    assert report.equal and report.findings == ()


def test_reports_and_subjects_need_no_torch() -> None:
    code = "import sys, nngen.report, nngen.subject; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_verifying_does_not_import_dynamo() -> None:
    code = (
        "import sys, torch; from nngen.proof.settings import SGD, Adam;"
        "w = torch.nn.Parameter(torch.ones(2)); w.grad = torch.ones(2);"
        "[k([w]).step() for k in (SGD, Adam)];"
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_size_that_would_be_negative_is_an_error() -> None:
    spec = "name: M\ninputs: {a: [3], b: [3, 1]}\nlayers:\n  - y = b * a.T[None]\n  - Conv1d: {out_channels: 2, kernel_size: 3}\nloss: MSELoss\n"
    message = re.escape("target would have the shape (1, 2, -1) at batch size 1")
    with pytest.raises(NngenError, match=message):
        nngen.verify(spec)


def test_parametrised_modules_are_not_pickled() -> None:
    report = nngen.verify("name: M\ninput: [3]\nlayers:\n  - Linear: 4\n    weight_norm: {}\n")
    assert report.equal
    assert [skip.group for skip in report.skipped] == ["pickle"]
