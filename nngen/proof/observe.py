"""What one twin does: a step, some steps of an optimizer, and the state it is left in."""

from __future__ import annotations

import hashlib
import inspect
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nngen.proof.bits import frozen, leaves
from nngen.proof.device import random_states
from nngen.proof.feed import Feed
from nngen.proof.ledger import Seen
from nngen.proof.twin import Twin


class OptimizerRefuses(Exception):
    """torch's optimizer does not take these gradients (Adam: sparse ones)."""


@dataclass(frozen=True)
class RandomState:
    """The state of the random-number generator, as one value rather than 5,056 bytes."""

    digest: str

    def __str__(self) -> str:
        return f"state {self.digest}"


def see_random(seen: Seen) -> None:
    """Adds the state of the random-number generator."""
    state = b"".join(bytes(state.tolist()) for state in random_states())
    digest = hashlib.sha256(state).hexdigest()[:12]
    seen["random"] = {"random-number state": RandomState(digest)}


def see_names(twin: Twin, model: nn.Module, seen: Seen) -> None:
    """Adds what each name of the model's state stands for."""
    saved = twin.saved(model)
    names: dict[str, object] = {
        name: "a parameter" if parameter.requires_grad else "a frozen parameter"
        for name, parameter in twin.parameters(model)
    }
    for name, _ in twin.buffers(model):
        names[name] = "a buffer" if name in saved else "a buffer that is not saved"
    seen["names"] = names


def see_state(twin: Twin, model: nn.Module, seen: Seen) -> None:
    """Adds the parameters and buffers."""
    seen["weights"] = {name: frozen(value) for name, value in twin.parameters(model)}
    seen["buffers"] = {name: frozen(value) for name, value in twin.buffers(model)}


def see_outputs(model: nn.Module, feed: Feed, seen: Seen) -> object:
    """Runs `forward` and adds its outputs."""
    output = model(*feed.inputs.values())
    seen["outputs"] = _frozen_leaves(output, "output")
    return output


def see_step(twin: Twin, model: nn.Module, feed: Feed, seed: int, seen: Seen) -> None:
    """Goes forward and, with grad, backward; adds all that came of it."""
    starts = feed.requiring_grad() if torch.is_grad_enabled() else feed
    # Copies, as no layer may write into a leaf; ReLU(inplace=True) may stand first.
    given = starts.copied()
    objective = _flow(model, given, seen)
    seen["inputs"] = {
        name: frozen(tensor) for name, tensor in (given.inputs | given.targets).items()
    }
    if torch.is_grad_enabled():
        _backward(objective, seed)
        gradients = [(name, weight.grad) for name, weight in twin.parameters(model)]
        # Gradients flow from the last layer to the first.
        seen["gradients"] = {name: frozen(grad) for name, grad in reversed(gradients)}
        for name, tensor in starts.inputs.items():
            seen["gradients"][f"{name} input"] = frozen(tensor.grad)
    see_state(twin, model, seen)
    see_random(seen)


def see_training(
    twin: Twin,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    feed: Feed,
    seed: int,
    seen: Seen,
) -> None:
    """Takes one step of the optimizer; adds the loss and the state after.

    Raises:
        OptimizerRefuses: the optimizer raised, not the twin.
    """
    model.zero_grad()
    _backward(_flow(model, feed.copied(), seen), seed)
    try:
        optimizer.step()
    except RuntimeError as error:
        raise OptimizerRefuses(str(error)) from error
    see_state(twin, model, seen)
    seen["optimizer"] = {
        f"{name} {key}": frozen(value)
        for name, parameter in twin.parameters(model)
        for key, value in optimizer.state.get(parameter, {}).items()
    }
    see_random(seen)


def _flow(model: nn.Module, feed: Feed, seen: Seen) -> object:
    """Runs `forward`, and `loss` if there is one; returns what backward starts from."""
    output = see_outputs(model, feed, seen)
    if not feed.has_loss:
        return output
    arguments = (*_spread(output), *feed.targets.values())
    if not model.training and not _takes(model.loss, arguments):
        return output  # a loss of outputs that only training has, such as auxiliary ones
    loss: object = model.loss(*arguments)  # type: ignore[operator]
    seen["loss"] = _frozen_leaves(loss, "loss")
    return loss


def _backward(objective: object, seed: int) -> None:
    """Goes backward from all that is differentiable, each value weighted at random."""
    generator = torch.Generator().manual_seed(seed)
    starts = [
        leaf for _, leaf in leaves(objective, "") if isinstance(leaf, Tensor) and leaf.requires_grad
    ]
    if starts:
        with torch.autocast(starts[0].device.type, enabled=False):  # it is for forward alone
            torch.autograd.backward([_weighted(start, generator) for start in starts])


def _weighted(start: Tensor, generator: torch.Generator) -> Tensor:
    """One number, whose gradient gives each value its weight.

    torch would take the weights themselves, but imports sympy to look at their shapes.
    """
    value = torch.view_as_real(start.resolve_conj()) if start.is_complex() else start
    if value.dim() == 0:
        return value
    weight = torch.randn(value.shape, generator=generator, dtype=value.dtype)
    return (value * weight.to(value.device)).sum()


def _spread(output: object) -> tuple[object, ...]:
    """The outputs as `loss` takes them."""
    if isinstance(output, dict):
        return tuple(output.values())
    return tuple(output) if isinstance(output, (tuple, list)) else (output,)


def _takes(function: object, arguments: tuple[object, ...]) -> bool:
    try:
        inspect.signature(function).bind(*arguments)  # type: ignore[arg-type]
    except TypeError:
        return False
    return True


def _frozen_leaves(value: object, path: str) -> dict[str, object]:
    return {name: frozen(leaf) for name, leaf in leaves(value, path)}
