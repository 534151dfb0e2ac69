"""Times a call of the stateless style beside torch.func.functional_call and the functional twin: one thread, batch 1.

`python -m benchmarks.stateless` prints each as a share of functional_call's time, the median of many rounds in which all
take turns. The MAML rows differentiate five inner steps twice.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call, grad

import nngen
from nngen.proof.feed import draw_feed

Call = Callable[[], object]
Params = Mapping[str, Tensor]
SPECS = Path(__file__).parent.parent / "specs"


def shares(calls: Mapping[str, Call], rounds: int, each: int) -> dict[str, float]:
    """The time of each call, as a share of the first one's."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            started = time.perf_counter()
            for _ in range(each):
                call()
            times[name].append(time.perf_counter() - started)
    medians = {name: statistics.median(found) for name, found in times.items()}
    first = next(iter(medians.values()))
    return {name: value / first for name, value in medians.items()}


def forwards(name: str) -> dict[str, Call]:
    """A step forward in eval mode without grad, in each style."""
    pair = nngen.load(SPECS / f"{name}.yaml")
    subject = pair.subject()
    classes = (getattr(module, subject.name) for module in pair.styles.values())
    twin, functional, model = (kind(**subject.arguments) for kind in classes)
    inputs = tuple(draw_feed(subject, 1, 0).inputs.values())
    params, buffers = dict(twin.eval().named_parameters()), dict(twin.named_buffers())
    functional.eval()
    return {
        "functional_call": lambda: functional_call(twin, (params, buffers), inputs),
        "functional twin": lambda: functional(*inputs),
        "stateless": lambda: model(params, buffers, *inputs, training=False),
    }


def maml() -> dict[str, Call]:
    """The gradient of the CNN's loss after five steps on one sample."""
    pair = nngen.load(SPECS / "cnn.yaml")
    subject = pair.subject()
    twin = pair.nn_style.CNN().eval()
    model: Any = pair.styles["stateless"].CNN()
    feed = draw_feed(subject, 1, 0)
    inputs, targets = tuple(feed.inputs.values()), tuple(feed.targets.values())
    params = {key: value.detach() for key, value in twin.named_parameters()}
    buffers = dict(twin.named_buffers())

    def meta(loss: Callable[[Params], Tensor]) -> Call:
        def adapted(params: Params) -> Tensor:
            for _ in range(5):
                grads = grad(loss)(params)
                params = {key: value - 0.01 * grads[key] for key, value in params.items()}
            return loss(params)

        return lambda: grad(adapted)(params)

    def by_call(params: Params) -> Tensor:
        loss: Tensor = twin.loss(functional_call(twin, (dict(params), buffers), inputs), *targets)
        return loss

    def by_model(params: Params) -> Tensor:
        output, _ = model(params, buffers, *inputs, training=False)
        loss: Tensor = model.loss(output, *targets)
        return loss

    return {"functional_call": meta(by_call), "stateless": meta(by_model)}


def main() -> None:
    torch.set_num_threads(1)
    with torch.no_grad():
        rows = {name: shares(forwards(name), 41, 40) for name in ("mlp", "cnn", "residual")}
    rows["MAML, cnn"] = shares(maml(), 15, 1)
    for name, found in rows.items():
        print(f"{name:<10}", *(f"{style} {share:.2f}" for style, share in found.items()), sep="  ")


if __name__ == "__main__":
    main()
