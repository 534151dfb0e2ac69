"""Twins beside a model that is written by hand in plain torch.nn: names, weights, outputs and gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
import yaml
from torch import Tensor, nn

import nngen

Values = dict[str, Tensor | None]


def assert_as_by_hand(
    text: str, build: Callable[[], nn.Module], *inputs: Tensor, **arguments: Any
) -> None:
    """Both twins of a spec are the model that `build` makes, in train and eval mode.

    Args:
        text: the spec; where there are no `arguments`, it is verified, too.
        build: makes the model by hand, its attributes called as in the spec.
        inputs: what forward takes.
        arguments: the constructor's arguments, where they are not the spec's defaults.
    """
    spec = yaml.safe_load(text)
    pair = nngen.load(spec)
    named, given = seen(build, inputs)
    nn_style = getattr(pair.nn_style, spec["name"])
    functional_style = getattr(pair.functional_style, spec["name"])
    nn_named, nn_given = seen(lambda: nn_style(**arguments), inputs)
    functional_named, functional_given = seen(lambda: functional_style(**arguments), inputs)
    assert [list(each) for each in nn_named] == [list(each) for each in named]
    for expected, first, second in zip(named, nn_named, functional_named):
        assert_same(expected, first)
        assert_same(pair.to_functional(expected), second)
    assert_same(given, nn_given)
    assert_same(given, functional_given)
    if not arguments:
        report = nngen.verify(spec)
        assert report.equal, report.as_text()


def assert_same(expected: Values, found: Values) -> None:
    assert sorted(found) == sorted(expected)
    for name, value in expected.items():
        other = found[name]
        if value is None or other is None:
            assert value is other, name
        else:
            assert torch.equal(value, other), name


def seen(
    make: Callable[[], nn.Module], inputs: tuple[Tensor, ...]
) -> tuple[tuple[Values, ...], Values]:
    """What belongs to the names of a model's state, and its outputs with the gradients of its inputs."""
    torch.manual_seed(3)
    model = make()
    named: list[Values] = [{name: value.clone() for name, value in model.state_dict().items()}]
    given: Values = {}
    for mode in ("train", "eval"):
        model.train(mode == "train").zero_grad()
        starts = [each.clone().requires_grad_(each.is_floating_point()) for each in inputs]
        torch.manual_seed(5)
        outputs = _leaves(model(*(each.clone() for each in starts)))
        scores = [(o * torch.linspace(-1, 1, o.numel()).view_as(o)).sum() for o in outputs]
        torch.stack(scores).sum().backward()
        given |= {f"{mode}: output {place}": each.detach() for place, each in enumerate(outputs)}
        given |= {f"{mode}: input {place}": each.grad for place, each in enumerate(starts)}
        weights = model.named_parameters(remove_duplicate=False)
        named.append({name: weight.grad for name, weight in weights})
        named.append({name: value.clone() for name, value in model.state_dict().items()})
    return tuple(named), given


def _leaves(value: Any) -> list[Tensor]:
    """The tensors in what a model gives."""
    if isinstance(value, Tensor):
        return [value]
    items = value.values() if isinstance(value, Mapping) else value
    return [leaf for item in items if item is not None for leaf in _leaves(item)]
