"""The twins under torch.compile: one graph each, and the same bits as each other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from generated.cnn import functional_style, nn_style


@pytest.fixture(autouse=True)
def dynamo() -> Iterator[None]:
    torch.compiler.reset()
    yield
    torch.compiler.reset()


@pytest.mark.needs("compiler")
def test_compiled_twins_are_equal() -> None:
    # Not compared with the eager models: the compiler fuses what they compute one by one, and so rounds otherwise.
    x = torch.randn(2, 1, 28, 28)
    outputs = []
    for style in (nn_style, functional_style):
        torch.manual_seed(0)
        outputs.append(torch.compile(style.CNN().eval(), fullgraph=True)(x))
    assert torch.equal(*outputs)
    assert outputs[0].std() > 0
