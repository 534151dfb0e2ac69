"""Every way to part is caught and named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from nngen.graph.tensor_spec import TensorSpec
from nngen.proof.subject import Subject
from nngen.proof.verification import verify
from tests.proof.conftest import FUNCTIONAL, dotted, flat

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
