"""What the code of a model asks of torch that older versions lack."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from nngen.catalog import FUNCTIONS, LAYERS, Function, Layer
from nngen.emit.model import Attribute, ClassCode, Graph, LayerState
from nngen.errors import Mark, SpecError, together
from nngen.packages import is_older

_NOWHERE = Mark("")


@dataclass(frozen=True, slots=True)
class Need:
    """Something that a model uses.

    Attributes:
        what: in words: `bias of BatchNorm2d`.
        since: the first minor version of torch that has it: `2.12`.
        gradient: it is only needed where gradients are.
    """

    what: str
    since: str
    gradient: bool = False
    mark: Mark = field(default=_NOWHERE, compare=False)


def refuse_older(graph: Graph, torch: str, gradients: bool = False) -> None:
    """Refuse a model that a version of torch cannot run.

    Args:
        graph: the model.
        torch: the version: `2.4.1+cpu`.
        gradients: it is to be differentiated, too.

    Raises:
        SpecError: that version lacks something; it tells of all that is lacking.
    """
    lacking = [
        SpecError(
            f"{need.what} needs torch {need.since} or newer; this is torch {torch.partition('+')[0]}",
            need.mark,
        )
        for need in needs(graph)
        if is_older(torch, need.since) and (gradients or not need.gradient)
    ]
    if lacking:
        raise together(lacking)


def needs(graph: Graph) -> Iterator[Need]:
    """All that older versions lack of what any of its files uses."""
    for each in graph.classes:
        for written in each.code.values():
            for tree, mark in _trees(written):
                yield from needs_of(tree, mark)


def needs_of(tree: ast.AST, mark: Mark = _NOWHERE) -> Iterator[Need]:
    """What older versions lack of the layers, functions and methods that code calls."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield from _needs_of_call(node, ast.unparse(node.func), mark)


def _needs_of_call(node: ast.Call, called: str, mark: Mark) -> Iterator[Need]:
    name, entry = called, FUNCTIONS.get(called)
    found: Function | Layer | None = entry or LAYERS.get(called.removeprefix("nn."))
    if found is None:
        name = f"Tensor.{called.rpartition('.')[2]}"
        found = FUNCTIONS.get(name)
    if found is None:
        return
    since, name = found.since, name.removeprefix("nn.")
    for whole, gradient in ((since.whole, False), (since.gradient, True)):
        if whole:
            yield Need(f"the gradient of {name}" if gradient else name, whole, gradient, mark)
    own = name.startswith("Tensor.")
    given = dict(zip(found.signature.names[own:], node.args))
    given |= {str(keyword.arg): keyword.value for keyword in node.keywords}
    for argument, version in since.arguments.items():
        if argument in given:
            yield Need(f"{argument} of {name}", version, mark=mark)
    for argument, version in since.numbers.items():
        if isinstance(given.get(argument), ast.Constant):
            yield Need(f"a number as {argument} of {name}", version, mark=mark)


def _trees(written: ClassCode) -> Iterator[tuple[ast.AST, Mark]]:
    """A class's code, with the steps that it belongs to."""
    for item in written.items:
        if isinstance(item, Attribute):
            for made in item.construction.members():
                yield made.call, made.mark or item.mark
        elif isinstance(item, LayerState):
            trees = (*(line.value for line in item.lines), *item.draws)
            yield from ((tree, item.mark) for tree in trees)
        else:
            yield from ((tree, item.mark) for tree in item.codes)
    for statement in (*written.forward, *written.loss):
        yield from statement.trees()
    for method in written.methods:
        yield from ((tree, method.mark) for tree in method.codes)
