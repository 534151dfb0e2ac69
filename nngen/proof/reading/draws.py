"""Redraws: the rules of `init`, by the functions of torch.nn.init."""

from __future__ import annotations

import fnmatch
import inspect
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from nngen.proof.reading.layers import WORDS
from nngen.proof.reading.python import Names, Unreadable, evaluated
from nngen.proof.reading.steps import as_mapping


def redraw(module: nn.Module, rules: Names, names: Names) -> None:
    """Draws parameters anew: each once, in the order of modules(), by the last rule about any of its names."""
    owners: dict[int, nn.Module] = {}
    weights: dict[int, Tensor] = {}
    found: dict[int, set[str]] = {}
    for prefix, owner in module.named_modules() if rules else ():
        for name, parameter in owner.named_parameters(recurse=False, remove_duplicate=False):
            key = f"{prefix}.{name}" if prefix else name
            about = {pattern for pattern in rules if _matches(pattern, owner, name, key)}
            if about:
                owners.setdefault(id(parameter), owner)
                weights[id(parameter)] = parameter
                found.setdefault(id(parameter), set()).update(about)
    for place, owner in owners.items():
        *_, rule = (rule for pattern, rule in rules.items() if pattern in found[place])
        draw(weights[place], rule, {**names, **_sizes(owner)})


def draw(parameter: Tensor, rule: Any, names: Names) -> None:
    """Draws a parameter by a rule: `zeros_`, `{normal_: {std: 0.02}}`, `{constant_: 1}`.

    Raises:
        Unreadable: torch.nn.init has no such function.
    """
    ((function, given),) = as_mapping(rule).items()
    initialize = getattr(nn.init, function, None)
    if initialize is None or not function.endswith("_") or function.startswith("_"):
        raise Unreadable(f"the initializer {function!r}")
    if given is not None and not isinstance(given, Mapping):
        given = {list(inspect.signature(initialize).parameters)[1]: given}
    fans = {}
    if parameter.dim() > 1:
        fans = dict(zip(("fan_in", "fan_out"), nn.init._calculate_fan_in_and_fan_out(parameter)))
    scope = {**names, **fans}
    values = {
        key: evaluated(value, scope, WORDS.get(key, frozenset()))
        for key, value in (given or {}).items()
    }
    initialize(parameter, **values)


def _matches(pattern: str, owner: nn.Module, name: str, key: str) -> bool:
    """Whether a rule is about a parameter: by its key, or by the kind of layer that owns it."""
    kind, _, parameter = pattern.partition(".")
    cls = getattr(nn, kind, None)
    by_kind = parameter == name and isinstance(cls, type) and isinstance(owner, cls)
    return by_kind or fnmatch.fnmatchcase(key, pattern)


def _sizes(owner: nn.Module) -> Names:
    """A layer's own sizes, which a rule may name: `in_features`, `embedding_dim`, …"""
    if not type(owner).__module__.startswith("torch."):
        return {}
    return {
        name: value
        for name, value in vars(owner).items()
        if isinstance(value, (int, float, tuple))
        and not name.startswith("_")
        and name != "training"
    }
