"""Functions in lines of Python where the batch size is open: both twins, and the shape in their docstring."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch

import nngen

_OPEN = [
    "y = x.flatten(1)",
    "y = x.view(x.shape[0], -1)",
    "y = x.view(x.size(0), 4, 3)",
    "y = x.reshape(-1, 4)",
    "y = x.transpose(1, 2) @ x",
    "y = torch.einsum('nij,nkj->nik', x, x)",
    "y = x.mean(dim=(1, 2), keepdim=True).expand_as(x)",
    "y = torch.cat([x, x[:, :1]], dim=1)",
    "y = torch.cat(x.chunk(2, dim=-1), dim=1)",
    "y = torch.stack(x.unbind(1), dim=1)",
    "y = torch.cat([x, x], dim=0)",
    "y = x.repeat(2, 1, 1)",
    "y = x.repeat_interleave(3, dim=0)[1:]",
    "y = x[1:] - x[:-1]",
    "y = x[..., None, :].squeeze(-2)",
    "y = x[:, [0, 2]]",
    "y = x[:, torch.arange(2), torch.arange(2)]",
    "y = x.max(dim=1).values",
    "y = x.topk(2, dim=-1).values.sum(-1)",
    "y = x.masked_fill(torch.ones(3, 4).tril().bool(), -1.0)",
    "y = torch.where(x > 0, x, x.exp() - 1)",
    "y = x * torch.rand(x.shape[0], 1, 1)",
    "y = x + torch.randn_like(x) if training else x",
    "y = torch.zeros(x.shape[0], 4).scatter(1, x.argmax(-1), 1.0)",
    "y = F.one_hot(x.argmax(-1), 4).float()",
    "y = F.normalize(x, dim=-1)",
    "y = F.scaled_dot_product_attention(x, x, x, dropout_p=0.5 if training else 0.0)",
    "y = (x.softmax(-1) * torch.arange(x.size(-1), device=x.device)).sum(-1)",
    "y = x.unfold(1, 2, 1).flatten(2)",
    "y = x.roll(1, 0).cumsum(1).flip(-1)",
    "y = torch.eye(x.shape[0]) @ x.flatten(1)",
    "y = x.permute(2, 0, 1).contiguous().movedim(0, -1)",
    "y = x.new_ones(x.shape[0], 1).float() * x.norm(dim=(1, 2))[:, None]",
    "y = torch.fft.rfft2(x).real",
    "y = x.unsqueeze(1).tile(1, 2, 1, 1).tril()",
    "y = torch.linalg.vector_norm(x, dim=-1)",
    "y = torch.baddbmm(x @ x.mT, x, x.transpose(1, 2), alpha=0.5)",
    "y = torch.cdist(x, x)",
    "y = (x.shape[0] * x).sum(0)",
    "y = torch.meshgrid(torch.arange(2), torch.arange(x.shape[0]), indexing='ij')[0] + x.sum()",
]


def _load(line: str) -> Any:
    return nngen.load({"name": "M", "input": [3, 4], "layers": [{"Linear as h": 4}, line]})


@pytest.mark.parametrize("line", _OPEN)
def test_lines_with_an_open_batch(line: str) -> None:
    """Both twins compute the same, of the shape that was inferred, for every batch size."""
    pair = _load(re.sub(r"\bx\b", "h", line))
    output = re.search(r"to (\(.*\))\.$", str(pair.nn_style.M.__doc__).strip())
    assert output is not None, pair.nn_style.M.__doc__
    for batch in (1, 5):
        x = torch.rand(batch, 3, 4)
        for train in (True, False):
            results = []
            for style in (pair.nn_style, pair.functional_style):
                torch.manual_seed(0)
                model = style.M().train(train)
                results.append(model(x))
            assert torch.equal(*results)
            found = eval(output[1], {"N": batch, "min": min, "max": max})
            assert tuple(results[0].shape) == found
