"""Twins that are equal pass; what is excused, and what is reported."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch

import nngen
from nngen.errors import NngenError
from nngen.graph.tensor_spec import TensorSpec
from nngen.proof.report import DEFAULTS, WIDTH, Report
from nngen.proof.subject import Subject
from nngen.proof.verification import verify
from tests.proof.conftest import FUNCTIONAL
from tests.proof.test_lines import SPEC
from tests.proof.test_steps import verified


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
    apart = {row.group for row in report.rows if not row.equal}
    assert apart == {DEFAULTS}


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
    before = [set(vars(twin.module)) for twin in found.twins]
    verify(found)
    assert [set(vars(twin.module)) for twin in found.twins] == before


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
    code = "import sys, nngen.proof.report, nngen.proof.subject; sys.exit('torch' in sys.modules)"
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


def test_a_brief_report_of_a_difference_fits_on_a_screen() -> None:
    report = verified(SPEC, "* 2", "* 3")
    lines = report.as_text(brief=True).splitlines()
    assert len(lines) <= 25 and max(map(len, lines)) <= WIDTH
    assert lines[0] == "Net: the twins are DIFFERENT"
    assert lines[2].startswith("first difference: outputs, train, batch 1, grad: output[0, 0]: nn ")
    assert any(line.startswith("first step that differs: <text>:5:5: layers[1]") for line in lines)
    assert lines[-1].endswith("--verbose")
    assert report.as_text().splitlines()[:3] == lines[:3]  # the whole report begins so, too
    equal = verified(SPEC)
    assert equal.as_text(brief=True) == equal.as_text()


def test_a_long_exception_leaves_the_screen_to_the_rest() -> None:
    raising = 'def forward(self, x):\n        raise ValueError("no " * 500)'
    report = verified(
        SPEC,
        "def forward(self, x: Tensor) -> Tensor:",
        raising.replace("x)", "x: Tensor) -> Tensor", 1),
    )
    lines = report.as_text(brief=True).splitlines()
    assert len(lines) <= 25 and "ValueError" in lines[2] and "  …" in lines
