"""A model's state, small enough to commit: each key's shape, and a digest of all values."""

from __future__ import annotations

import hashlib

from torch import Tensor

State = dict[str, Tensor]


def shapes(state: State) -> dict[str, list[int]]:
    """The shape of each entry of a state_dict, in its order."""
    return {key: list(value.shape) for key, value in state.items()}


def digest(state: State) -> str:
    """A sha256 over the bytes of all values, in the order of the state_dict."""
    found = hashlib.sha256()
    for value in state.values():
        found.update(value.detach().contiguous().reshape(-1).numpy())
    return found.hexdigest()
