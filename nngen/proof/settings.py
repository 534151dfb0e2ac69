"""torch, set so that equality can be asked for; and optimizers that are quick to start."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def settled() -> Iterator[None]:
    """Settings for a comparison; afterwards all of torch's global state is as it was."""
    random_state = torch.get_rng_state()
    default_dtype = torch.get_default_dtype()
    deterministic = torch.get_deterministic_debug_mode()
    threads = torch.get_num_threads()
    fast_path = torch.backends.mha.get_fastpath_enabled()
    try:
        # Small models are no faster on more, and far slower where others run too.
        torch.set_num_threads(1)
        torch.set_default_dtype(torch.float32)
        # "warn" also fills torch.empty with NaN, so that an undrawn weight shows.
        torch.set_deterministic_debug_mode("warn")
        # In eval mode without grad, torch's own attention layers switch to fused kernels
        # that round differently; attention that is written out cannot follow them there.
        torch.backends.mha.set_fastpath_enabled(False)
        with (
            torch.inference_mode(False),
            torch.enable_grad(),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast_path)
        torch.set_deterministic_debug_mode(deterministic)
        torch.set_default_dtype(default_dtype)
        torch.set_num_threads(threads)
        torch.set_rng_state(random_state)


def seed_random(seed: int) -> None:
    """Seeds the CPU alone: torch.manual_seed would reseed every GPU of the caller too."""
    torch.default_generator.manual_seed(seed)


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
