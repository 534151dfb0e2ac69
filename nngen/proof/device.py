"""The device that twins run on: whether it is there, its random numbers, its autocast."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor

from nngen.errors import NngenError
from nngen.proof.options import Conditions

# The modules, such as torch.cuda, whose random numbers count beside the CPU's.
_accelerators: list[Any] = []


def device_of(name: str) -> torch.device:
    """The device of that name.

    Raises:
        NngenError: torch does not know it, or it cannot compute here.
    """
    try:
        device = torch.device(name)
    except RuntimeError:
        raise NngenError(
            f"device {name!r} is unknown to torch; it knows cpu, cuda, cuda:1, mps, xpu, …"
        ) from None
    if device.type == "meta":
        raise NngenError("device 'meta' holds no values, so there is nothing to compare on it")
    try:
        torch.empty(1, device=device)
    except Exception as error:  # noqa: BLE001  each backend has its own
        reason = " ".join(str(error).split())
        raise NngenError(f"device {name!r} cannot be used here: {reason}") from None
    return device


def name_of(name: str) -> str:
    """What the device calls itself; the kernels that torch chooses for a CPU depend on it."""
    device = torch.device(name)
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return (
        f"cpu, {torch.backends.cpu.get_cpu_capability()}" if device.type == "cpu" else str(device)
    )


def autocast(conditions: Conditions) -> AbstractContextManager[Any]:
    """torch.autocast, where it is asked for."""
    kind = torch.device(conditions.device).type
    if not conditions.autocast:
        return torch.autocast(kind, enabled=False)
    # No cache of cast weights: the context outlasts the optimizers' steps, which change them.
    dtype: torch.dtype = getattr(torch, conditions.autocast)
    return torch.autocast(kind, dtype=dtype, cache_enabled=False)


def seed_random(seed: int) -> None:
    """Seeds the CPU and the device in use; torch.manual_seed would seed every GPU."""
    torch.default_generator.manual_seed(seed)
    for accelerator in _accelerators:
        accelerator.manual_seed(seed)


def random_states() -> list[Tensor]:
    """The states of the generators in use, the CPU's first."""
    return [torch.get_rng_state(), *(one.get_rng_state() for one in _accelerators)]


@contextmanager
def in_use(device: torch.device) -> Iterator[None]:
    """Makes a device the current one; afterwards its generator and the CPU's are as before."""
    with ExitStack() as stack:
        stack.callback(torch.set_rng_state, torch.get_rng_state())
        if device.type == "cuda":
            stack.enter_context(_repeatable_products())
            stack.enter_context(torch.cuda.device(device))
        if device.type != "cpu":
            accelerator = torch.get_device_module(device)
            stack.callback(accelerator.set_rng_state, accelerator.get_rng_state())
            _accelerators.append(accelerator)
            stack.callback(_accelerators.pop)
        yield


@contextmanager
def _repeatable_products() -> Iterator[None]:
    """cuBLAS repeats its products bit for bit with a workspace that this variable gives."""
    name = "CUBLAS_WORKSPACE_CONFIG"
    before = os.environ.get(name)
    os.environ.setdefault(name, ":4096:8")
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
