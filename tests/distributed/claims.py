"""What docs/distributed.md says and does not show; torchrun starts it in two processes."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel

import nngen

SPEC: dict[str, Any] = {
    "name": "Net",
    "input": [3, 4],
    "layers": ["{norm}", "Flatten", {"Linear": 2}],
}


def batch() -> Tensor:
    generator = torch.Generator().manual_seed(dist.get_rank())
    return torch.randn(4, 3, 4, generator=generator) + 10 * dist.get_rank()


def pair(norm: str) -> nngen.proof.loading.Pair:
    return nngen.load({**SPEC, "layers": [norm, *SPEC["layers"][1:]]})


def build(style: Any) -> nn.Module:
    torch.manual_seed(0)
    model: nn.Module = style.Net()
    return model


def everywhere(tensor: Tensor) -> list[Tensor]:
    parts = [torch.empty_like(tensor) for _ in range(dist.get_world_size())]
    dist.all_gather(parts, tensor)
    return parts


def synchronised_norms() -> None:
    found = pair("SyncBatchNorm")
    model, twin = build(found.nn_style), build(found.functional_style)
    try:
        model(batch())
    except ValueError as error:
        assert "SyncBatchNorm expected input tensor to be on GPU" in str(error)
    else:
        raise AssertionError("torch trains SyncBatchNorm on a CPU now: the guide must say so")
    twin(batch())
    assert not torch.equal(*everywhere(twin.bn1_running_mean))  # of each process's own batch
    twin.load_state_dict(found.to_functional(model.state_dict()))
    assert torch.equal(model.eval()(batch()), twin.eval()(batch()))


def converted_norms() -> None:
    found = pair("BatchNorm1d")
    convert = nn.SyncBatchNorm.convert_sync_batchnorm
    model, twin = convert(build(found.nn_style)), convert(build(found.functional_style))
    assert isinstance(model.bn1, nn.SyncBatchNorm)
    assert not any(isinstance(module, nn.SyncBatchNorm) for module in twin.modules())
    twin.load_state_dict(found.to_functional(model.state_dict()))


def buffers() -> None:
    """DDP sends those of the first process; fully_shard leaves each process its own."""
    style = pair("BatchNorm1d").functional_style
    sent, kept = build(style), build(style)
    wrapped = DistributedDataParallel(sent)
    fully_shard(kept, mesh=init_device_mesh("cpu", (2,)))
    wrapped(batch())
    kept(batch())
    assert not torch.equal(*everywhere(kept.bn1_running_mean))
    assert not torch.equal(*everywhere(sent.bn1_running_mean))
    wrapped.eval()(batch())
    assert torch.equal(*everywhere(sent.bn1_running_mean))


def a_difference_shows() -> None:
    """A twin that leaves out a bias gives other losses and weights, wrapped or not."""
    found = pair("BatchNorm1d")
    style = found.functional_style
    whole = style.F

    def trained(style: Any) -> list[Tensor]:
        model = build(style)
        wrapped = DistributedDataParallel(model, find_unused_parameters=True)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        loss = wrapped(batch()).square().mean()
        loss.backward()
        optimizer.step()
        return [loss.detach(), *(one.detach() for one in model.parameters())]

    right = trained(found.nn_style)
    assert all(map(torch.equal, right, trained(style)))
    try:
        style.F = SimpleNamespace(
            **{**vars(F), "linear": lambda x, weight, bias: F.linear(x, weight)}
        )
        assert not any(map(torch.equal, right, trained(style)))
    finally:
        style.F = whole


torch.set_num_threads(1)
dist.init_process_group("gloo")
for claim in (synchronised_norms, converted_norms, buffers, a_difference_shows):
    claim()
    if dist.get_rank() == 0:
        print(claim.__name__, flush=True)
dist.barrier()
dist.destroy_process_group()
# gloo's threads may outlive the group, and Python would abort as it ends.
os._exit(0)
