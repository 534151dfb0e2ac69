"""Both twins of a spec against a module written by hand: weights, outputs and gradients, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from nngen.proof.loading import Pair, load


def check(
    spec: str, by_hand: Callable[..., nn.Module], *shapes: tuple[int, ...], **arguments: Any
) -> Pair:
    """Build a spec, and compare both twins with what `by_hand` makes, all with these arguments.

    Args:
        spec: the YAML text.
        by_hand: makes the module; its parameters come in the order of the spec's.
        shapes: the inputs', with the batch.
        arguments: of all three constructors.
    """
    pair = load(spec)
    compare(pair, by_hand, *shapes, **arguments)
    return pair


def compare(
    pair: Pair, by_hand: Callable[..., nn.Module], *shapes: tuple[int, ...], **arguments: Any
) -> None:
    """Compare twins that are built already."""
    name = pair.graph.model.name
    torch.manual_seed(1)
    inputs = [torch.randn(shape, requires_grad=True) for shape in shapes]
    found = []
    for make in (by_hand, getattr(pair.nn_style, name), getattr(pair.functional_style, name)):
        torch.manual_seed(0)
        module = make(**arguments)
        output = module(*inputs)
        output.sum().backward()
        found.append((dict(module.named_parameters()), output))
    (wanted, right), (nn_style, one), (functional, other) = found
    for output in (one, other):
        assert torch.equal(output, right), (output.shape, right.shape)
    functional = pair.to_nn(functional)
    for key, theirs in zip(nn_style, wanted.values(), strict=True):
        for mine in (nn_style[key], functional.pop(key)):
            assert torch.equal(mine, theirs), key
            assert (mine.grad is None) is (theirs.grad is None), key
            assert mine.grad is None or torch.equal(mine.grad, theirs.grad), key
    assert not functional
