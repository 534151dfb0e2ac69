"""torch, set so that equality can be asked for; and optimizers that are quick to start."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch

from nngen.proof.device import device_of, in_use
from nngen.proof.options import Conditions


@contextmanager
def settled(conditions: Conditions) -> Iterator[None]:
    """Settings for a comparison; afterwards all of torch's global state is as it was.

    Raises:
        NngenError: there is no such device.
    """
    device = device_of(conditions.device)
    with ExitStack() as stack:
        stack.enter_context(in_use(device))
        for put_back, value in (
            (torch.set_num_threads, torch.get_num_threads()),
            (torch.set_default_dtype, torch.get_default_dtype()),
            (torch.set_deterministic_debug_mode, torch.get_deterministic_debug_mode()),
            (torch.backends.mha.set_fastpath_enabled, torch.backends.mha.get_fastpath_enabled()),
        ):
            stack.callback(put_back, value)  # type: ignore[arg-type]
        # Small models are no faster on more than one, and far slower where others run too.
        torch.set_num_threads(conditions.threads)
        torch.set_default_dtype(torch.float32)
        # "warn" also fills torch.empty with NaN, so that an undrawn weight shows.
        torch.set_deterministic_debug_mode("warn")
        # In eval mode without grad, torch's own attention layers switch to fused kernels
        # that round differently; attention that is written out cannot follow them there.
        torch.backends.mha.set_fastpath_enabled(False)
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        yield


# torch wraps these methods in ones that import torch._dynamo, which takes a second.
_add_param_group = inspect.unwrap(torch.optim.Optimizer.add_param_group)


class SGD(torch.optim.SGD):
    """torch's SGD with momentum, free of torch._dynamo."""

    add_param_group = _add_param_group
    step = torch.no_grad()(inspect.unwrap(torch.optim.SGD.step))


class Adam(torch.optim.Adam):
    """torch's Adam, free of torch._dynamo."""

    add_param_group = _add_param_group
    step = torch.no_grad()(inspect.unwrap(torch.optim.Adam.step))
