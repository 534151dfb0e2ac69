"""Holds a spec's models against the module that it was made of: nothing is kept that does not give the same bits."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from nngen.errors import SpecError
from nngen.importer.inputs import Input
from nngen.importer.refusal import ImportRefused
from nngen.proof.bits import difference
from nngen.proof.holding import Holding
from nngen.proof.loading import Pair, load
from nngen.proof.options import Conditions
from nngen.proof.settings import settled

Values = dict[str, Any]


def compared(text: str, model: nn.Module, inputs: Mapping[str, Input]) -> list[str]:
    """Compare, in train and eval mode, with and without grad, at two batch sizes.

    Args:
        text: the spec.
        model: the module.
        inputs: what it is given.

    Returns:
        What came out equal, a sentence each.

    Raises:
        ImportRefused: something is not equal, or the spec does not build.
    """
    try:
        pair = load(text)
    except SpecError as error:
        raise ImportRefused(
            f"the spec that this gives is refused: {error.message}", hint=error.hint
        ) from error
    batch = next(iter(inputs.values())).shape[0]
    with settled(Conditions()):
        own = copy.deepcopy(model)
        twins = _twins(pair, own.state_dict())
        for size in (batch, batch + 1):
            feed = _feed(inputs, size)
            for training, grad in itertools.product((True, False), repeat=2):
                right = _step(own, feed, training, grad)
                for style, (twin, rename) in twins.items():
                    found = _step(twin, feed, training, grad)
                    _hold(found, right, rename, style, f"batch {size}", training)
    *styles, last = twins
    return [
        "Equal, bit for bit, to the module it was imported from, in train and eval mode, with and without grad, at batch",
        f"sizes {batch} and {batch + 1}: outputs, gradients, buffers and random numbers of the {', '.join(styles)} and",
        f"{last} models, which load its state_dict strictly.",
    ]


def _feed(inputs: Mapping[str, Input], size: int) -> dict[str, Tensor]:
    torch.manual_seed(size)
    return {name: each.draw(size) for name, each in inputs.items()}


def _twins(
    pair: Pair, state: Mapping[str, Tensor]
) -> dict[str, tuple[nn.Module, Mapping[str, str]]]:
    """The models with the module's weights, each with the names that its tensors have there."""
    name = pair.graph.model.name
    found: dict[str, tuple[nn.Module, Mapping[str, str]]] = {}
    keys = {key: key for key in state}
    for style, module in pair.styles.items():
        made = getattr(module, name)()
        if style == "stateless":
            made = Holding(made, found["nn"][0])
        of_style = pair.to_functional if style == "functional" else dict
        try:
            made.load_state_dict(of_style(dict(state)), strict=True)
        except (RuntimeError, KeyError) as error:
            first = str(error).replace("\n\t", " ").strip()
            raise ImportRefused(
                f"the {style} model of the spec does not load the module's state_dict: {first}",
                hint="a layer that is never called, or called from elsewhere, has no place in a spec",
            ) from error
        found[style] = made, {key: str(value) for key, value in of_style(dict(keys)).items()}
    return found


def _step(model: nn.Module, feed: Mapping[str, Tensor], training: bool, grad: bool) -> Values:
    """What one step gives and leaves; the model is afterwards as it was."""
    torch.manual_seed(0)
    model.train(training)
    before = [buffer.clone() for buffer in model.buffers()]
    given = {
        name: value.clone().requires_grad_(grad and value.is_floating_point())
        for name, value in feed.items()
    }
    with torch.set_grad_enabled(grad):
        output = model(*given.values())
    seen: Values = {f"output {n}": leaf for n, leaf in enumerate(tree_leaves(output))}
    if grad:
        total = sum(
            (leaf * torch.linspace(0.5, 1.5, leaf.numel()).view(leaf.shape)).sum()
            for leaf in seen.values()
            if isinstance(leaf, Tensor) and leaf.requires_grad
        )
        if isinstance(total, Tensor):
            torch.autograd.backward(total)
        seen |= {f"gradient of {name}": value.grad for name, value in given.items()}
    seen |= {"the random numbers after it": torch.get_rng_state()}
    for name, parameter in model.named_parameters():
        seen[f"gradient|{name}"] = parameter.grad
    for name, buffer in model.named_buffers():
        seen[f"buffer|{name}"] = buffer.clone()
    model.zero_grad(set_to_none=True)
    with torch.no_grad():
        for buffer, value in zip(model.buffers(), before):
            buffer.copy_(value)
    return seen


def _hold(
    found: Values, right: Values, rename: Mapping[str, str], style: str, batch: str, training: bool
) -> None:
    named = {_renamed(key, rename): value for key, value in found.items()}
    mode = "train" if training else "eval"
    for key, value in right.items():
        apart = _apart(named.get(key), value)
        if apart:
            what = key.replace("|", " of ")
            raise ImportRefused(
                f"the {style} model of the spec is not equal in {mode} mode, {batch}: {what}: {apart}",
                hint="a step of the module is not what the trace shows of it",
            )


def _renamed(key: str, rename: Mapping[str, str]) -> str:
    kind, bar, name = key.partition("|")
    return f"{kind}|{rename.get(name, name)}" if bar else key


def _apart(found: Any, right: Any) -> str:
    if found is None or right is None:
        # A gradient that nothing has flowed into is none, or zeros.
        both = [each for each in (found, right) if each is not None]
        return "" if not any(bool(each.any()) for each in both) else "one has none"
    return difference(right.detach(), found.detach(), ("module", "spec"))
