"""What torch's own defaults change: in eval mode without grad its attention layers run fused kernels."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import nngen
from nngen.graph.tensor_spec import TensorSpec
from nngen.proof import certificate
from nngen.proof.options import Conditions
from nngen.proof.report import DEFAULTS, Report
from nngen.proof.subject import Subject

ENCODER = "TransformerEncoderLayer: {nhead: 2, dim_feedforward: 16, batch_first: true}"
HOLDERS = {
    "MultiheadAttention": """
      - MultiheadAttention as attend: {num_heads: 2, batch_first: true}
        call: y, _ = attend(x, x, x, need_weights=False)
      - x = x + y""",
    "TransformerEncoderLayer": f"""
      - {ENCODER}""",
    "TransformerDecoderLayer": f"""
      - {ENCODER.replace("Encoder", "Decoder")}
        from: [x, x]""",
    "TransformerEncoder": f"""
      - TransformerEncoder: {{encoder_layer: {{{ENCODER}}}, num_layers: 2}}""",
    "Transformer": """
      - Transformer: {nhead: 2, num_encoder_layers: 1, num_decoder_layers: 1, dim_feedforward: 16, batch_first: true}
        from: [x, x]""",
    "a block": """
      - Twice as twice:""",
}


def spec(layers: str) -> str:
    head = "name: Net\ninput: [5, 8]\nblocks:\n  Twice:\n    layers:\n      - Sequential as both:\n"
    head += f"          - Linear: 8\n          - {ENCODER}\n"
    if "Twice" not in layers:
        head = head.partition("blocks")[0]
    return f"{head}layers:{layers}\n"


def notes(report: Report) -> list[str]:
    return [note for note in report.notes if "fused" in note]


@pytest.mark.parametrize("held", HOLDERS)
def test_the_difference_is_told_and_does_not_count(held: str) -> None:
    report = nngen.verify(spec(HOLDERS[held]), steps=1)
    assert report.equal and not report.different and report.first_difference is None
    layer = "TransformerEncoderLayer" if held == "a block" else held
    modes = [(size, grad) for grad in ("no_grad", "inference_mode") for size in (1, 4)]
    assert [row.where for row in report.fused] == [
        f"eval, batch {size}, {grad}, torch's defaults" for size, grad in modes
    ]
    assert {row.layers for row in report.fused} == {(layer,)}
    assert all(row.rounding and not row.error for row in report.fused)
    assert sum(row.values for row in report.fused) == 2 * (1 + 4) * 5 * 8
    largest = max(row.largest or 0.0 for row in report.fused)
    assert largest < 1e-5
    said = f"largest difference {largest:.2g}" if largest else "here its values are equal"
    opening = "fused by torch, not compared bit for bit: in eval mode without grad torch's"
    assert notes(report) == [f"{opening} {layer} takes a fused kernel; {said}"]
    assert f"\n{DEFAULTS}" in report.as_text() and "fused by torch\n" in report.as_text()
    assert report.as_dict()["fused"][0]["layers"] == (layer,)


def test_what_is_told_is_what_torch_does() -> None:
    """The largest difference is that of the nn twin, by hand, with its fused kernel and without."""
    text = spec(HOLDERS["TransformerEncoder"])
    report = nngen.verify(text, steps=1)
    net = nngen.load(text).nn_style.Net().eval()
    x = torch.randn(4, 5, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        fused = net(x)
        torch.backends.mha.set_fastpath_enabled(False)
        try:
            plain = net(x)
        finally:
            torch.backends.mha.set_fastpath_enabled(True)
    assert 0 < float((fused - plain).abs().max()) < 1e-5
    assert 0 < max(row.largest or 0.0 for row in report.fused) < 1e-5
    assert torch.backends.mha.get_fastpath_enabled()


def test_a_model_without_such_layers_has_no_such_line() -> None:
    report = nngen.verify("name: Net\ninput: [5, 8]\nlayers: [{Linear: 3}]\n", steps=1)
    assert not report.fused and not notes(report)
    assert DEFAULTS not in report.as_text()


def test_where_torch_fuses_nothing_every_bit_is_compared() -> None:
    """Torch's kernels are for an even number of heads."""
    report = nngen.verify(
        spec("\n  - {TransformerEncoderLayer: {nhead: 1, dim_feedforward: 16, batch_first: true}}"),
        steps=1,
    )
    assert report.equal and not report.fused and not notes(report)
    rows = [row for row in report.rows if row.group == DEFAULTS]
    assert {row.what for row in rows} >= {"outputs", "random"} and all(row.equal for row in rows)


def test_more_than_rounding_is_said() -> None:
    report = nngen.verify(
        f"""
name: Net
inputs:
  x: [5, 8]
  length: {{shape: [1], dtype: int64, below: 3}}
layers:
  - hidden = torch.arange(5, device=length.device) > length
  - TransformerEncoder as encode: {{encoder_layer: {{{ENCODER}}}, num_layers: 2}}
    call: y = encode(x, src_key_padding_mask=hidden)
""",
        steps=1,
    )
    assert report.equal and not all(row.rounding for row in report.fused)
    (note,) = notes(report)
    assert note.endswith("more than rounding: torch's kernel leaves out what a padding mask hides")


NN = """
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.attend = nn.MultiheadAttention(8, 2, batch_first=True)

        def forward(self, x):
            return self.attend(x, x, x)[0]
"""
FUNCTIONAL = """
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.attend_in_proj_weight = nn.Parameter(torch.empty(24, 8))
            self.attend_in_proj_bias = nn.Parameter(torch.empty(24))
            self.attend_out_proj_weight = nn.Parameter(torch.empty(8, 8))
            self.attend_out_proj_bias = nn.Parameter(torch.empty(8))
            nn.init.kaiming_uniform_(self.attend_out_proj_weight, a=math.sqrt(5))
            nn.init.uniform_(self.attend_out_proj_bias, -1 / math.sqrt(8), 1 / math.sqrt(8))
            nn.init.xavier_uniform_(self.attend_in_proj_weight)
            nn.init.zeros_(self.attend_in_proj_bias)
            nn.init.zeros_(self.attend_out_proj_bias)

        def forward(self, x):
            t = x.transpose(0, 1)
            y, _ = F.multi_head_attention_forward(
                t, t, t, 8, 2, self.attend_in_proj_weight, self.attend_in_proj_bias, None, None, False, 0.0,
                self.attend_out_proj_weight, self.attend_out_proj_bias, training=self.training,
            )
            {wrong}
            return y.transpose(0, 1)
"""  # fmt: skip
NAMES = {
    f"attend_{part.replace('.', '_')}": f"attend.{part}"
    for part in ("in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias")
}


@pytest.mark.parametrize(
    ("wrong", "equal"),
    [
        ("pass", True),
        ("y = y * (1.0000001 if torch.backends.mha.get_fastpath_enabled() else 1)", False),
        ("assert not torch.backends.mha.get_fastpath_enabled(), 'no'", False),
    ],
)
def test_what_torch_did_not_fuse_still_counts(
    subject: Callable[..., Subject], wrong: str, equal: bool
) -> None:
    back = {key: name for name, key in NAMES.items()}
    more: dict[str, Any] = {
        "to_functional": lambda state: {back[key]: value for key, value in state.items()},
        "to_nn": lambda state: {NAMES[key]: value for key, value in state.items()},
        "inputs": (TensorSpec("x", (5, 8)),),
        "targets": None,
    }
    report = nngen.proof.verification.verify(
        subject(NN, FUNCTIONAL.format(wrong=wrong), **more), steps=1
    )
    assert report.equal is equal and report.different is not equal
    if not equal:
        assert {row.group for row in report.rows if not row.equal} == {DEFAULTS}


def test_the_certificate_tells_it(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(spec(HOLDERS["TransformerEncoder"]))
    report = nngen.verify(path, steps=1)
    certificate.write(tmp_path / "c.json", {path: report}, Conditions(), "1.0")
    (model,) = json.loads((tmp_path / "c.json").read_text())["models"]
    check = model["checks"][-1]
    assert model["verdict"] == "equal" and model["notes"] == list(report.notes)
    assert check == {
        "check": DEFAULTS,
        "verdict": "fused by torch",
        "values": {"outputs": 400},
        "layers": ["TransformerEncoder"],
        "largest_difference": max(row.largest or 0.0 for row in report.fused),
    }
