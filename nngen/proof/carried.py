"""Twins carried away and back: copied, pickled, and as checkpoints from one style to the other."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn
from torch.nn.utils.parametrize import is_parametrized

from nngen.proof.bench import Act, Bench
from nngen.proof.bits import difference
from nngen.proof.device import seed_random
from nngen.proof.ledger import Seen
from nngen.proof.observe import see_names, see_outputs, see_state
from nngen.proof.twin import Twin

State = dict[str, Any]
Carry = Callable[[State], State]


class CopyDiffers(Exception):
    """A copy of a model is not the model, or is not a copy."""


def _pickled(model: nn.Module) -> nn.Module:
    copied: nn.Module = pickle.loads(pickle.dumps(model))
    return copied


COPIES: dict[str, Callable[[nn.Module], nn.Module]] = {
    "deepcopy": copy.deepcopy,
    "pickle": _pickled,
}


def check_copies(bench: Bench) -> None:
    """A copy of each twin: it is what the twin is, shares nothing with it, and gives the same."""
    feed = bench.feed(bench.largest)

    def act(twin: Twin, seen: Seen) -> None:
        copied = copier(bench.model(twin))
        _must_be_copy(twin, copied, bench.model(twin))
        see_names(twin, copied, seen)
        seen["names"] |= _ties(twin, copied)
        see_state(twin, copied, seen)
        with torch.no_grad():
            see_outputs(copied.eval(), feed.copied(), seen)

    for group, copier in COPIES.items():
        where = group + bench.beside
        if group == "pickle" and any(map(is_parametrized, bench.models[0].modules())):
            bench.ledger.skip(group, "torch pickles no module with weight_norm or spectral_norm")
            continue
        runs = [bench.run(twin, where, act) for twin in bench.twins if twin.owns_state]
        bench.ledger.settle(runs, group, where)


def check_checkpoints(bench: Bench) -> None:
    """Each twin's checkpoint, renamed, loaded strictly into a fresh other twin."""
    for twins, source, rename, back in _ways(bench):
        group = f"{source.style} checkpoint"
        loading = _loading(bench, source, rename, outputs=True)
        bench.settle(group, f"{group}, loaded", loading, twins=twins)
        turned = _there_and_back(bench, source, rename, back)
        bench.settle(group, f"{group}, renamed and back", turned, twins=twins)
    check_file(bench, "torch.save, weights_only", _saved)


def check_file(bench: Bench, group: str, carry: Carry) -> bool:
    """Each twin's checkpoint, carried through a file and then loaded as above.

    Args:
        bench: the twins.
        group: the line of the table.
        carry: writes a state_dict and reads it.

    Returns:
        Whether no twin raised.
    """
    whole = True
    for twins, source, rename, _ in _ways(bench):

        def carried(state: State, rename: Carry = rename) -> State:
            return rename(carry(state))

        target = next(twin for twin in twins if twin is not source)
        where = f"{group}, {source.style} to {target.style}"
        loading = _loading(bench, source, carried, outputs=False)
        whole &= bench.settle(group, where, loading, twins=twins)
    return whole


def _ways(bench: Bench) -> Iterator[tuple[tuple[Twin, Twin], Twin, Carry, Carry]]:
    """The ways that a checkpoint can go: the nn twin and another, that of them that it is from, the renaming, and back."""
    nn_twin, *others = bench.twins
    for twin, written in zip(others, bench.subject.twins[1:]):
        if not twin.owns_state:
            continue  # it takes the nn twin's own dicts as they are
        twins = nn_twin, twin
        yield twins, nn_twin, written.from_nn, written.to_nn
        yield twins, twin, written.to_nn, written.from_nn


def _loading(bench: Bench, source: Twin, carry: Carry, outputs: bool) -> Act:
    """What a checkpoint was taken from, beside the fresh other twin that it is loaded into."""
    state = dict(bench.model(source).state_dict())
    feed = bench.feed(bench.largest)

    def load(twin: Twin, model: nn.Module, seen: Seen) -> None:
        if twin is not source:
            model = bench.fresh(twin, bench.seed + 1)
            model.load_state_dict(carry(state), strict=True)
        see_state(twin, model, seen)
        saved = twin.saved(model)
        seen["buffers"] = {n: b for n, b in seen["buffers"].items() if n in saved}
        if outputs:
            seed_random(bench.seed)
            with torch.no_grad():
                see_outputs(model.eval(), feed.copied(), seen)

    return load


def _there_and_back(bench: Bench, source: Twin, rename: Carry, back: Carry) -> Act:
    state = dict(bench.model(source).state_dict())

    def carry(twin: Twin, model: nn.Module, seen: Seen) -> None:
        seen["weights"] = dict(state if twin is source else back(rename(state)))

    return carry


def _saved(state: State) -> State:
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    loaded: State = torch.load(file, weights_only=True)
    return loaded


def _ties(twin: Twin, model: nn.Module) -> dict[str, object]:
    """Which names stand for one parameter."""
    names: dict[int, list[str]] = {}
    for name, parameter in twin.parameters(model):
        names.setdefault(id(parameter), []).append(name)
    return {" and ".join(sorted(tied)): "one" for tied in names.values() if len(tied) > 1}


def _must_be_copy(twin: Twin, copied: nn.Module, model: nn.Module) -> None:
    """Raises unless the copy has the model's state, and none of its memory.

    Raises:
        CopyDiffers: it is otherwise.
    """
    there = dict(twin.state(copied))
    for name, tensor in twin.state(model):
        if apart := difference(tensor, there.get(name), ("nn", "its copy")):
            raise CopyDiffers(f"{name}{apart}")
        if there[name].data_ptr() == tensor.data_ptr() and tensor.numel():
            raise CopyDiffers(f"{name} is the same memory in the copy")
