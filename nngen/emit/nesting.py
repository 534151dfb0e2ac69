"""The containers that the names of layers make: `downs.0` and `downs.1` are an nn.ModuleList, `body.stem` is in a dict."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from nngen.emit.constructor import becomes_identity, build_condition
from nngen.emit.parameters import path_of
from nngen.errors import SpecError
from nngen.graph.flow import Built, Flow, Module, self_attribute
from nngen.symbolic.expressions import dotted

Path = tuple[str, ...]


class Nesting:
    """The containers of one class.

    Args:
        flow: what it builds.
    """

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.children: dict[Path, dict[str, None]] = {}
        for built in flow.built:
            for length in range(1, len(built.path)):
                inside = self.children.setdefault(built.path[:length], {})
                inside[built.path[length]] = None

    def is_list(self, path: Path) -> bool:
        """Whether a container is a ModuleList: its children are counted from 0 on, in the order of construction."""
        return list(self.children[path]) == list(map(str, range(len(self.children[path]))))

    def reached(self, path: Path) -> ast.expr:
        """A layer in forward: `self.downs[0]`, `self.body["stem"]`; by its name where torch's annotations want that."""
        first, *below = path
        if len(below) > 1 or not first.isidentifier():
            return ast.Call(dotted("self", "get_submodule"), [ast.Constant(".".join(path))], [])
        tree = self_attribute(first)
        for part in below:
            place: int | str = int(part) if self.is_list(path[:1]) else part
            tree = ast.Subscript(tree, ast.Constant(place), ast.Load())
        return tree

    def at(self, key: str) -> ast.expr:
        """What belongs to a key of the class: `self.downs[0].weight`."""
        owner, _, parameter = key.rpartition(".")
        return ast.Attribute(self.layer(owner), parameter, ast.Load()) if owner else path_of(key)

    def layer(self, key: str) -> ast.expr:
        """A layer of the class, by its key."""
        path = tuple(key.split("."))
        plain = path[:1] not in self.children and path[0].isidentifier()
        return path_of(key) if plain else self.reached(path)

    def module(self, built: Sequence[Built]) -> Module:
        """What one attribute holds, as one module.

        Raises:
            SpecError: something is built under a condition, and nothing can stand in its place.
        """
        first, *_ = built
        return (
            self._child(first) if len(first.path) == 1 else self._container(built, first.path[:1])
        )

    def _container(self, built: Sequence[Built], path: Path) -> Module:
        children = []
        for name, group in groupby(built, lambda each: each.path[len(path)]):
            below, inside = (*path, name), list(group)
            if below in self.children:
                children.append(self._container(inside, below))
            else:
                children.append(self._child(inside[0]))
        kind = "ModuleList" if self.is_list(path) else "ModuleDict"
        return Module(kind, path, children[0].mark, children=tuple(children))

    def _child(self, built: Built) -> Module:
        module, condition = built.module, build_condition(built.condition)
        assert module is not None
        if condition is not None and (built.redraws or not becomes_identity(self.flow, built)):
            what = "cannot have an `init`" if built.redraws else "must take and give one value"
            raise SpecError(
                f"whether there is {'.'.join(built.path)!r} is open, so that it {what}",
                module.mark,
                f"give it a plain name: `as {built.name}`",
            )
        return replace(module, condition=condition)


def groups(flow: Flow) -> Iterator[list[Built]]:
    """What a class builds; what one attribute holds, together."""
    for _, group in groupby(flow.built, lambda built: built.path[0]):
        yield list(group)
