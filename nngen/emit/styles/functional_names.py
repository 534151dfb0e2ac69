"""Layers whose function takes all their weights as one list, as torch.lstm does: the class keeps the weights' names.

It keeps names rather than a list of the weights, which would go on holding old ones where a weight is replaced.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence
from dataclasses import replace

from nngen.emit.model import Attribute, ClassCode, Item, LayerState, Statement
from nngen.graph.flow import Flow, Module, self_attribute

# Fewer are named where they are used.
FEWEST = 4


def with_names(code: ClassCode, flow: Flow) -> ClassCode:
    """A class with the names of such layers' weights kept."""
    for _, module in layers_of(flow):
        weights = [module.attribute(state) for state in module.state if not state.buffer]
        if len(weights) >= FEWEST and _tells_apart(code.items, prefix_of(module), weights):
            code = _kept(code, module, weights)
    return code


def layers_of(flow: Flow) -> Iterator[tuple[int, Module]]:
    """The layers that a class builds, those in containers too, with the places of their steps."""
    for built in flow.built:
        for module in () if built.module is None else built.module.layers():
            yield built.step, module


def prefix_of(module: Module) -> str:
    """What the names of a layer's weights begin with in functional style."""
    return f"{module.identifier}_"


def _tells_apart(items: Sequence[Item], prefix: str, weights: list[str]) -> bool:
    """Whether just these weights have names that begin so, when the constructor has come to them."""
    found: list[str] = []
    for item in items:
        if isinstance(item, Attribute):
            found += [item.name] if item.name.startswith(prefix) else []
        elif isinstance(item, LayerState):
            found += [line.name for line in item.lines if line.name.startswith(prefix)]
        if found[-len(weights) :] == weights:
            break
    return found == weights


def _kept(code: ClassCode, module: Module, weights: list[str]) -> ClassCode:
    names = self_attribute(free_attribute(code, f"{prefix_of(module)}names"))
    weight = ast.parse("getattr(self, name)", mode="eval").body
    change = Listed(list(map(self_attribute, weights)), names, weight)
    forward = tuple(change.statement(each) for each in code.forward)
    if not change.found:
        return code
    items = [
        (
            _keeping(item, names, prefix_of(module), change)
            if isinstance(item, LayerState) and [line.name for line in item.lines] == weights
            else item
        )
        for item in code.items
    ]
    return replace(code, items=tuple(items), forward=forward)


def _keeping(item: LayerState, names: ast.expr, prefix: str, change: Listed) -> LayerState:
    """The layer's state, with the names right behind it; a loop over all weights goes through them."""
    begins = f"[name for name in self.state_dict() if name.startswith({prefix!r})]"
    kept = ast.Assign([names], ast.parse(begins, mode="eval").body)
    draws = [kept, *map(change.drawn, item.draws)]
    twice = None if item.twice is None else item.twice + 1
    return replace(item, draws=tuple(draws), twice=twice)


def free_attribute(code: ClassCode, name: str) -> str:
    """A name like this that no attribute of the class has."""
    nodes = (node for tree in code.trees() for node in ast.walk(tree))
    taken = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    taken |= {item.name for item in code.items if isinstance(item, Attribute)}
    taken |= {kept for kept, _ in code.stored}
    states = (item.lines for item in code.items if isinstance(item, LayerState))
    taken |= {line.name for lines in states for line in lines}
    while name in taken:
        name += "_"
    return name


class Listed(ast.NodeTransformer):
    """Puts the weights by their names where a list or a loop has them one by one.

    Args:
        weights: the weights, as the class reaches them.
        names: what holds their names.
        weight: the weight that the variable `name` names.
    """

    def __init__(self, weights: Sequence[ast.expr], names: ast.expr, weight: ast.expr) -> None:
        self.weights = [ast.dump(weight) for weight in weights]
        self.names = names
        self.weight = weight
        self.found = False

    def statement(self, statement: Statement) -> Statement:
        """A statement of forward, changed."""
        return replace(
            statement,
            tree=self.visit(copy.deepcopy(statement.tree)),
            body=tuple(map(self.statement, statement.body)),
            parts=tuple(map(self.statement, statement.parts)),
        )

    def drawn(self, statement: ast.stmt) -> ast.stmt:
        """A statement that draws, changed: a loop over the weights."""
        if not isinstance(statement, ast.For) or not self._is_all(statement.iter):
            return statement
        loop = copy.deepcopy(statement)
        assert isinstance(loop.target, ast.Name)
        target, loop.target, loop.iter = loop.target.id, ast.Name("name", ast.Store()), self.names
        loop.body = [_Named(target, self.weight).visit(each) for each in loop.body]
        return loop

    def visit_List(self, node: ast.List) -> ast.expr:
        if not self._is_all(node):
            return node
        self.found = True
        each = ast.comprehension(ast.Name("name", ast.Store()), self.names, [], 0)
        return ast.ListComp(self.weight, [each])

    def _is_all(self, node: ast.expr) -> bool:
        parts = node.elts if isinstance(node, (ast.List, ast.Tuple)) else []
        return [ast.dump(part) for part in parts] == self.weights


class _Named(ast.NodeTransformer):
    """Puts the weight of a name for a variable."""

    def __init__(self, variable: str, weight: ast.expr) -> None:
        self.variable = variable
        self.weight = weight

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.weight if node.id == self.variable else node
