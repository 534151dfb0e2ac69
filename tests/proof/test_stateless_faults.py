"""Faults put into a stateless file: verify finds each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

import nngen
from nngen.proof.loading import Pair, _package
from nngen.proof.report import Report
from nngen.proof.verification import verify

COPYING = """\
        if training:
            buffers = {key: value.clone() for key, value in buffers.items()}
"""
COUNTING = """\
        if training:
            buffers[f"{self.prefix}bn1.num_batches_tracked"] += 1
"""
RESIDUAL, GPT2, LSTM = (
    Path(f"specs/{name}.yaml") for name in ("residual", "gpt2", "lstm_classifier")
)
# Each with its spec, what stands in the file, and what is put there instead.
FAULTS = {
    "buffers changed in place": (RESIDUAL, COPYING, ""),
    "buffers copied in eval mode alone": (RESIDUAL, COPYING, COPYING.replace("if ", "if not ")),
    "the old buffers returned": (
        RESIDUAL,
        COPYING,
        f"        given = buffers\n{COPYING}".replace("return x, buffers", "return x, given"),
    ),
    "no buffers returned": (RESIDUAL, "return x, buffers", "return x, {}"),
    "a batch not counted": (RESIDUAL, COUNTING, ""),
    "a wrong key": (
        RESIDUAL,
        '{self.prefix}bn1.running_mean"],',
        '{self.prefix}bn2.running_mean"],',
    ),
    "a lost prefix": (
        RESIDUAL,
        'params[f"{self.prefix}conv2.weight"], padding',
        'params["conv1.weight"][:, :1].expand(-1, self.planes, -1, -1), padding',
    ),
    "another block's prefix": (RESIDUAL, 'prefix="layer1.1."', 'prefix="layer1.0."'),
    "the mode not passed on": (RESIDUAL, "x, training=training)", "x, training=False)"),
    "the mode turned round": (RESIDUAL, "training=training,\n", "training=not training,\n"),
    "a draw left out": (
        RESIDUAL,
        'nn.init.kaiming_uniform_(params["fc.weight"], a=math.sqrt(5))',
        "pass",
    ),
    "a weight drawn as zeros": (RESIDUAL, "torch.zeros(self.planes)", "torch.ones(self.planes)"),
    "a loss without its smoothing": (RESIDUAL, ", label_smoothing=0.1", ""),
    "a tied parameter kept": (GPT2, 'del params["lm_head.weight"]', "pass"),
    "a tied parameter for itself": (
        GPT2,
        'params["transformer.wte.weight"])',
        "0 * params['transformer.wte.weight'])",
    ),
    "no parameters re-initialized": (
        GPT2,
        "self.transformer.init_weights(params, self.n_layer)",
        "pass",
    ),
    "dropout in eval mode": (
        LSTM,
        "p=self.dropout, training=training",
        "p=self.dropout, training=True",
    ),
    "a key of another direction": (
        LSTM,
        'for way in ("", "_reverse")',
        'for way in ("_reverse", "")',
    ),
}
NUMBER = count()


def verified(pair: Pair, change: Callable[[str], str]) -> Report:
    """The report on the twins and a changed stateless file."""
    texts = {name: file.text for name, file in pair.source_map.files.items()}
    texts["stateless.py"] = change(texts["stateless.py"])
    package = _package(texts, f"nngen_fault_{next(NUMBER)}")
    subject = pair.subject(tuple(pair.styles))
    *twins, stateless = subject.twins
    changed = replace(stateless, module=package.stateless)
    return verify(replace(subject, twins=(*twins, changed), again=None), steps=1, batch_sizes=(2,))


@pytest.mark.parametrize("name", FAULTS)
def test_each_is_found(name: str) -> None:
    path, found, instead = FAULTS[name]

    def change(text: str) -> str:
        assert found in text
        text = text.replace(found, instead)
        return (
            text.replace("return x, buffers", "return x, given") if "given =" in instead else text
        )

    assert not verified(nngen.load(path), change).equal


@pytest.mark.parametrize("path", [RESIDUAL, GPT2, LSTM], ids=lambda path: path.stem)
def test_without_a_fault_it_is_equal(path: Path) -> None:
    assert verified(nngen.load(path), str).equal
