"""Twins copied, saved, exported and compiled: each check is told apart, and each can fail."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from textwrap import dedent, indent
from typing import Any

import pytest
import torch

from nngen.errors import NngenError
from nngen.graph.tensor_spec import TensorSpec
from nngen.packages import install
from nngen.proof import exports
from nngen.proof.report import Report
from nngen.proof.subject import Subject
from nngen.proof.verification import verify
from tests.proof.conftest import module, subject

__all__ = ["module", "subject"]  # fixtures

SOURCE = """
import copy

class Opaque:
    pass

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(2, 3))
        nn.init.uniform_(self.weight)
        self.register_buffer("scale", torch.arange(1.0, 3.0))
{init}
    def forward(self, x):
{before}
        y = F.linear(x, self.weight) * self.scale
{after}
        return y
{methods}
"""

FUNC = ["torch.func.functional_call", "torch.func.grad", "torch.func.vmap of grad"]
BOTH = ["torch.export", "ONNX in onnxruntime"]


def source(init: str = "", before: str = "", after: str = "", methods: str = "") -> str:
    return SOURCE.format(
        init=indent(dedent(init), " " * 8),
        before=indent(dedent(before), " " * 8),
        after=indent(dedent(after), " " * 8),
        methods=indent(dedent(methods), " " * 4),
    )


@pytest.fixture
def verified(
    subject: Callable[..., Subject], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Report]:
    """Verifies two sources, with no export but those of the groups."""

    def run(
        nn: str, functional: str, groups: list[str], inputs: Any = None, **conditions: Any
    ) -> Report:
        chosen = tuple(export for export in exports.EXPORTS if export.group in groups)
        monkeypatch.setattr(exports, "EXPORTS", chosen)
        found = subject(
            nn,
            functional,
            inputs=inputs or (TensorSpec("x", (3,)),),
            targets=None,
            to_functional=dict,
            to_nn=dict,
        )
        return verify(found, **{"exports": bool(chosen), "steps": 1, **conditions})

    return run


def red(report: Report) -> list[str]:
    """The lines of the table that are not equal."""
    return list(dict.fromkeys(row.group for row in report.rows if not row.equal))


EXTRA = """
def get_extra_state(self):
    return {}
def set_extra_state(self, state):
    pass
"""

BROKEN: dict[str, tuple[dict[str, str], dict[str, str], list[str], list[str], str]] = {
    "deepcopy": (
        {},
        {
            "methods": """
                def __deepcopy__(self, memo):
                    copied = memo[id(self)] = Net.__new__(Net)
                    memo[id(self.scale)] = self.scale
                    copied.__dict__ = copy.deepcopy(self.__dict__, memo)
                    return copied
            """
        },
        [],
        ["deepcopy"],
        "functional twin raises CopyDiffers: scale is the same memory in the copy",
    ),
    "pickle": (
        {},
        {"init": "self.act = lambda x: x"},
        [],
        ["pickle"],
        "pickle: the functional twin raises",
    ),
    "pickle that loses": (
        {},
        {
            "methods": """
                def __deepcopy__(self, memo):
                    copied = memo[id(self)] = Net.__new__(Net)
                    copied.__dict__ = copy.deepcopy(self.__dict__, memo)
                    return copied
                def __setstate__(self, state):
                    super().__setstate__(state)
                    self.scale = self.scale + 1
            """
        },
        [],
        ["pickle"],
        "functional twin raises CopyDiffers: scale[0]: nn 1, its copy 2; 2 of 2",
    ),
    "weights_only": (
        {"methods": EXTRA.format("1")},
        {"methods": EXTRA.format("Opaque()")},
        [],
        ["torch.save, weights_only"],
        "torch.save, weights_only, functional to nn: the nn twin raises UnpicklingError",
    ),
    "safetensors": (
        {"methods": EXTRA.format("torch.ones(1)")},
        {"methods": EXTRA.format("1")},
        ["safetensors"],
        ["safetensors"],
        "safetensors, functional to nn: the nn twin raises AttributeError",
    ),
    "functional_call": (
        {},
        {"init": "self.kept = [self.weight]", "after": "y = F.linear(x, self.kept[0]) * self.scale"},
        FUNC,
        FUNC,
        "outputs, torch.func.functional_call: output[0, 0]: nn ",
    ),
    "grad": (
        {},
        {"after": "y = y * (1 + (torch._C._functorch.maybe_current_level() == 1))"},
        FUNC,
        ["torch.func.grad"],
        "gradients, torch.func.grad: weight[0, 0]: nn ",
    ),
    "vmap": (
        {},
        {"after": "y = y * (1 + (torch._C._functorch.maybe_current_level() == 2))"},
        FUNC,
        ["torch.func.vmap of grad"],
        "gradients, torch.func.vmap of grad: weight[0, 0, 0]: nn ",
    ),
    "vmap that raises": (
        {},
        {"before": "x = x if torch._C._functorch.maybe_current_level() != 2 else x + x.sum().item()"},
        FUNC,
        ["torch.func.vmap of grad"],
        "torch.func.vmap of grad: the functional twin raises RuntimeError: vmap",
    ),
    "export": (
        {},
        {"after": "y = y + (torch.compiler.is_exporting() and not torch.onnx.is_in_onnx_export())"},
        BOTH,
        ["torch.export"],
        "outputs, torch.export: output[0, 0]: nn ",
    ),
    "ONNX": (
        {},
        {"after": "y = y + torch.onnx.is_in_onnx_export()"},
        BOTH,
        ["ONNX in onnxruntime"],
        "outputs, ONNX in onnxruntime: output 0[0, 0]: nn ",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_this_check_alone_finds_it(case: str, verified: Callable[..., Report]) -> None:
    nn, functional, groups, expected, first = BROKEN[case]
    report = verified(source(**nn), source(**functional), groups)
    assert red(report) == expected
    assert not report.skipped
    assert first in str(report.first_difference)


def test_all_are_equal_and_told_apart(verified: Callable[..., Report]) -> None:
    """A parameter under two names, a buffer that is not saved, and values of its own dtype."""
    init = """
        self.again = self.weight
        self.register_buffer("phase", torch.tensor([1j, 1.0]))
        self.register_buffer("mask", torch.ones(2, dtype=torch.bool), persistent=False)
    """
    after = "y = (y * self.phase.real + F.linear(x, self.again)).masked_fill(~self.mask, 0)"
    text = source(init, after=after)
    report = verified(text, text, ["safetensors", *FUNC, "torch.export"])
    groups = ["deepcopy", "pickle", "torch.save, weights_only"]
    groups += ["safetensors", *FUNC, "torch.export"]
    assert report.equal and not report.skipped
    assert [group for group in report.groups() if group in groups] == groups
    assert all(row.values for group in groups for row in report.groups()[group])
    untied = source(init.replace("self.weight", "nn.Parameter(self.weight.detach().clone())"))
    assert not verified(text, untied, []).equal


def test_what_torch_cannot_do_is_told_so(verified: Callable[..., Report]) -> None:
    depends = source(before="x = -x if x.sum() > 9 else x")
    report = verified(depends, depends, [*FUNC, "torch.export"])
    assert report.equal
    skipped = {skip.group: skip.reason for skip in report.skipped}
    assert skipped["torch.export"].startswith("both twins raise GuardOnDataDependent")
    assert skipped["torch.func.vmap of grad"].startswith("both twins raise RuntimeError: vmap")
    assert not skipped.keys() & report.groups().keys()
    text = report.as_text()
    assert "not applicable: torch.export: both twins raise GuardOnDataDependent" in text
    line = next(line for line in text.splitlines() if line.startswith("torch.export"))
    assert line.split() == ["torch.export", *"------", "not", "applicable"]


def test_what_torch_cannot_do_with_its_own_layers(verified: Callable[..., Report]) -> None:
    depends = source(before="x = -x if x.sum() > 1e9 else x")
    report = verified(depends, source(), ["torch.export"])
    (skip,) = report.skipped
    assert report.equal and skip.reason.startswith("the nn twin alone raises GuardOn")
    report = verified(source(), depends, ["torch.export"])
    assert not report.equal and red(report) == ["torch.export"] and not report.skipped


def test_nothing_to_derive(verified: Callable[..., Report]) -> None:
    whole = source(after="y = y.argmax(dim=1)")
    report = verified(whole, whole, FUNC)
    assert [skip.group for skip in report.skipped] == FUNC[1:]
    assert all("no output is a floating-point number" in skip.reason for skip in report.skipped)


def test_what_is_not_installed(
    verified: Callable[..., Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "find_spec", lambda name: None)
    monkeypatch.setattr(exports, "COMPILE", exports.Export("torch.func.grad", exports._check_grad))
    with pytest.raises(
        NngenError, match=r"^ONNX in onnxruntime: onnx, .* pip install .*\[verify\]"
    ):
        verified(source(), source(), ["ONNX in onnxruntime"])
    report = verified(source(), source(), ["ONNX in onnxruntime"], exports=False, everything=True)
    (skip,) = report.skipped
    assert report.equal and skip.group == "ONNX in onnxruntime"
    assert skip.reason.endswith(f"not installed: {install('verify')}")
    assert "torch.func.grad" in report.groups()


def test_no_compiler(verified: Callable[..., Report], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(NngenError, match="^torch.compile: no C.. compiler found: install g"):
        verified(source(), source(), [], compile=True)


@pytest.fixture
def dynamo() -> Iterator[None]:
    torch.compiler.reset()
    yield
    torch.compiler.reset()


@pytest.mark.needs("compiler")
def test_compiled(verified: Callable[..., Report], dynamo: None) -> None:
    """Both modes where the twins are equal, and a fault that the compiler alone sees."""
    broken = source(after="y = y + (torch.compiler.is_dynamo_compiling() and not self.training)")
    report = verified(source(), broken, [], compile=True)
    assert red(report) == ["torch.compile, eval"]
    assert "outputs, torch.compile, eval: output[0, 0]: nn " in str(report.first_difference)
    compiled = [row for row in report.rows if row.group == "torch.compile, train"]
    assert {"outputs", "gradients", "weights"} <= {row.what for row in compiled if row.values}
    depends = source(before="x = -x if x.sum() > 9 else x")
    report = verified(depends, depends, [], compile=True)
    assert report.equal
    assert [skip.group for skip in report.skipped] == [
        "torch.compile, eval",
        "torch.compile, train",
    ]
    assert all("both twins raise" in skip.reason for skip in report.skipped)
