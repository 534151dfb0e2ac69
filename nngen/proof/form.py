"""What two models look like from outside: how they are called, and in which order their state is kept."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

from nngen.proof.bench import Bench
from nngen.proof.bits import Container
from nngen.proof.holding import Holding
from nngen.proof.twin import Twin


def check_form(bench: Bench) -> None:
    """Compares what no run shows: arguments with their defaults, and orders.

    Two counters of batches count alike: that one is taken for the other shows in the order alone.
    """
    nn_twin, nn_model = bench.twins[0], bench.models[0]
    there = [name for name, _ in nn_twin.state(nn_model)]
    for twin, model in zip(bench.twins[1:], bench.models[1:]):
        nn_form: dict[str, object] = dict(nn_twin.calls(nn_model))
        form: dict[str, object] = dict(twin.calls(model))
        if isinstance(model, Holding):
            given = tuple(name for name, _ in nn_model.named_parameters())
            nn_form["order of the parameters"] = Container("order", given)
            form["order of the parameters"] = Container("order", model.keys)
        for where, names in _orders(twin, model, _leaves(nn_model)):
            form[where] = Container("order", names)
            nn_form[where] = Container("order", tuple(name for name in there if name in names))
        where = "construction" + bench.beside
        styles = (nn_twin.style, twin.style)
        bench.ledger.compare("names", "construction", where, nn_form, form, styles)


def _leaves(model: nn.Module) -> set[str]:
    return {name for name, module in model.named_modules() if not any(module.children())}


def _orders(
    twin: Twin, model: nn.Module, layers: set[str]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The order of what each module of another twin registers itself.

    An nn module that holds others keeps its own parameters before theirs, wherever they are
    built: these are in order among themselves.
    """
    for prefix, module in model.named_modules():
        for kind in ("parameters", "buffers"):
            held = getattr(module, f"_{kind}")
            groups: dict[str, list[str]] = {}
            for key in [f"{prefix}.{key}".lstrip(".") for key in held if held[key] is not None]:
                name = twin.shared.get(key, key)
                owner = name.rpartition(".")[0]
                groups.setdefault("layers" if owner in layers else owner, []).append(name)
            for owner, names in groups.items():
                yield " ".join(filter(None, ["order of", kind, owner, prefix])), tuple(names)
