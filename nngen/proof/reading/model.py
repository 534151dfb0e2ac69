"""The reading of a whole spec: a model with its loss."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from nngen.language.document import Node
from nngen.proof.reading.book import Body, Book, Tell
from nngen.proof.reading.classes import Class
from nngen.proof.reading.layers import operands_of
from nngen.proof.reading.python import Names, evaluated
from nngen.proof.reading.steps import inputs_of, parts, plain


def read(
    document: Node, arguments: Names, inputs: Sequence[Tensor], targets: Mapping[str, Tensor]
) -> Model:
    """The model of a spec, to be built: it has run on a batch, and knows what goes into each layer.

    torch's random numbers are afterwards as they were.

    Args:
        document: the spec.
        arguments: constructor arguments.
        inputs: a batch.
        targets: what its loss takes beside the outputs.
    """
    before = torch.get_rng_state()
    says = plain(document)
    model = Model(says, {**_defaults(says), **arguments}, tuple(targets))
    try:
        with torch.no_grad():
            # What only eval mode has is built, too.
            for training in (True, False):
                _train(model, training)
                output = model(*(each.clone() for each in inputs))
                model.try_loss(output, targets)
    finally:
        torch.set_rng_state(before)
    return model


def _train(model: nn.Module, training: bool) -> None:
    """Tells the spec's classes their mode; the layers of torch stay in eval mode."""
    for module in model.modules():
        if isinstance(module, Class):
            module.training = training


def _defaults(says: Names) -> dict[str, Any]:
    declared = says.get("args", {})
    return {n: evaluated(value, {}) for n, value in declared.items() if value != "required"}


class Model(Class):
    """The model itself.

    Args:
        says: the spec.
        names: the values of its constructor arguments.
        targets: the names of what its loss takes beside the outputs.
    """

    def __init__(self, says: Names, names: Names, targets: tuple[str, ...]) -> None:
        blocks = says.get("blocks", {})
        book = Book({name: Body(body, f"blocks.{name}") for name, body in blocks.items()})
        super().__init__(book, Body(says, ""), names)
        self._targets = targets
        self.loss = Loss(self)

    def build(self) -> Model:
        """Builds its layers for good, their weights drawn by torch's random numbers."""
        self._book.trying = False
        self._build()
        return self.train()

    @contextmanager
    def telling(self, tell: Tell) -> Iterator[None]:
        """Has this model and its copies tell what each step gives."""
        self._book.tell = tell
        try:
            yield
        finally:
            self._book.tell = None

    def try_loss(self, output: Any, targets: Mapping[str, Tensor]) -> None:
        """Runs the loss, if it takes what forward gave."""
        if "loss" in self._body.says:
            given = _spread(output)
            if len(given) == len(self.outputs()):
                self.loss(*given, *targets.values())

    def form(self) -> dict[str, str]:
        """The arguments of the constructor and of forward, as a Python program has them."""
        declared = self._body.says.get("args", {})
        needed = [name for name, value in declared.items() if value == "required"]
        defaults = [f"{n}={v!r}" for n, v in _defaults(self._body.says).items()]
        return {
            "arguments of __init__": f"({', '.join(['self', *needed, *defaults])})",
            "arguments of forward": f"({', '.join(['self', *inputs_of(self._body.says)])})",
        }

    def outputs(self) -> list[str]:
        """The names of what forward gives, as the loss sees them."""
        loss = self._body.says["loss"]
        if not _has_steps(loss):
            order = operands_of(parts(loss).kind)
            return [name for name in order if name.rstrip("_") not in self._targets]
        given = self._body.says.get("outputs", self._last)
        if isinstance(given, Mapping):
            return list(given)
        text = given if isinstance(given, str) else f"({', '.join(map(str, given))},)"
        tree = ast.parse(text, mode="eval").body
        names = tree.elts if isinstance(tree, ast.Tuple) else [tree]
        if all(isinstance(each, ast.Name) for each in names):
            return [ast.unparse(each) for each in names]
        return ["output"]


def _has_steps(loss: Any) -> bool:
    return isinstance(loss, Mapping) and "layers" in loss


def _spread(output: Any) -> list[Any]:
    """The outputs as a loss takes them."""
    if isinstance(output, dict):
        return list(output.values())
    return list(output) if isinstance(output, (tuple, list)) else [output]


class Loss:
    """The loss of what forward gave, called as the models' own is: with the outputs, then the targets."""

    def __init__(self, model: Model) -> None:
        self.model = model

    @property
    def __signature__(self) -> inspect.Signature:
        names = [*self.model.outputs(), *self.model._targets]
        kind = inspect.Parameter.POSITIONAL_ONLY
        return inspect.Signature([inspect.Parameter(f"given{i}", kind) for i in range(len(names))])

    def __call__(self, *given: Any) -> Any:
        model = self.model
        says = model._body.says
        loss, names = says["loss"], model.outputs()
        targets = dict(zip(model._targets, given[len(names) :]))
        number = len(says["layers"])
        if _has_steps(loss):
            values = {**dict(zip(names, given)), **targets}
            body = Body({**loss, "inputs": list(values)}, "loss")
            running = given[0] if len(values) == 1 else None
            running = model._walk(body, values, running, number)
            outputs = loss.get("outputs")
            return running if outputs is None else model._outputs(outputs, values)
        step = parts(loss)
        if model._book.trying:
            model._steps["criterion"] = (number, 0), step, model._names
        rest = iter(given)
        operands = [
            targets[name.rstrip("_")] if name.rstrip("_") in targets else next(rest)
            for name in operands_of(step.kind)
        ]
        result = model._call("criterion", *operands)
        return result.loss if hasattr(result, "loss") else result
