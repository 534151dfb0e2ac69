"""Arguments of blocks that are a number in one use and a list in another: one class takes the list in both.

To torch `kernel_size=3` and `kernel_size=(3, 3)` are the same, so where a block only hands such an argument on, a number
is written as the list. Where it does more with it, the uses stay as they are.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from nngen.catalog import LAYERS
from nngen.language.spec.mentions import mentions
from nngen.language.spec.model import Body, LayerStep, Option, Spec, Step
from nngen.symbolic.expressions import Expression

# Kinds of values: how long a list is, 0 for a number, None for anything else.
Kinds = frozenset[int | None]
# For each block its arguments that are to be lists, with their lengths.
Lengths = dict[str, dict[str, int]]


def spread(spec: Spec) -> Spec:
    """The spec with such numbers as lists."""
    return _Spreading(spec).spec() if spec.blocks else spec


class _Spreading:
    """Finds the arguments that are numbers and lists, and makes all of them lists."""

    def __init__(self, spec: Spec) -> None:
        self.whole = spec
        self.blocks = spec.blocks
        self.uses: dict[str, list[tuple[Body, LayerStep]]] = {name: [] for name in spec.blocks}
        for body in (spec.model, *spec.blocks.values()):
            for step in _layers(body.layers):
                if step.kind in self.uses:
                    self.uses[step.kind].append((body, step))
        self.lengths: Lengths = {name: {} for name in spec.blocks}

    def spec(self) -> Spec:
        """The spec as it is to be."""
        for name, body in self.blocks.items():
            for option in body.options:
                length = self._handed_on(body, option.name, frozenset())
                if length and self._kinds(name, option, frozenset()) == {0, length}:
                    self.lengths[name][option.name] = length
        while any(map(self._drop_mixed, self.blocks)):
            pass
        if not any(self.lengths.values()):
            return self.whole
        blocks = {name: self._body(body) for name, body in self.blocks.items()}
        return replace(self.whole, model=self._body(self.whole.model), blocks=blocks)

    def _drop_mixed(self, block: str) -> bool:
        """Leave out an argument that is given one of another class which stays a number or a list."""
        for name in self.lengths[block]:
            for owner, step in self.uses[block]:
                given = step.arguments.get(name)
                if given is None or _is_one_of(given.tree, self.lengths.get(owner.name, {})):
                    continue
                if len(self._kinds_of(owner, given.tree, frozenset())) > 1:
                    del self.lengths[block][name]
                    return True
        return False

    def _kinds(self, block: str, option: Option, seen: frozenset[tuple[str, str]]) -> Kinds:
        """The kinds of values that an argument has in the uses of its block."""
        if (block, option.name) in seen:
            return frozenset()
        kinds: Kinds = frozenset()
        for owner, step in self.uses[block]:
            if option.name in step.arguments:
                tree = step.arguments[option.name].tree
                kinds |= self._kinds_of(owner, tree, seen | {(block, option.name)})
            elif option.default is not None:
                kinds |= {_kind(option.default.tree)}
        return kinds

    def _kinds_of(self, owner: Body, tree: ast.expr, seen: frozenset[tuple[str, str]]) -> Kinds:
        """The kinds of values that an expression of a class has."""
        if not isinstance(tree, ast.Name):
            return frozenset({_kind(tree)})
        handed = next((each for each in owner.options if each.name == tree.id), None)
        if handed is None:
            return frozenset({0 if tree.id == "i" else None})
        if owner.name in self.blocks:
            return self._kinds(owner.name, handed, seen)
        return frozenset({None if handed.default is None else _kind(handed.default.tree)})

    def _handed_on(self, body: Body, option: str, seen: frozenset[str]) -> int:
        """How long the lists are that an argument may be, where all that its class does is to hand it on; else 0."""
        if body.name in seen:
            return 0
        lengths = []
        for step in _layers(body.layers):
            for name, expression in step.arguments.items():
                if not _is_one_of(expression.tree, (option,)):
                    continue
                if step.kind in self.blocks:
                    inner = self.blocks[step.kind]
                    lengths.append(self._handed_on(inner, name, seen | {body.name}))
                else:
                    known = step.kind in LAYERS and name in LAYERS[step.kind].signature.names
                    lengths.append(LAYERS[step.kind].signature[name].kind.length if known else 0)
        alone = len(lengths) == mentions(body, option)
        return lengths[0] if alone and len(set(lengths)) == 1 else 0

    def _body(self, body: Body) -> Body:
        own = self.lengths.get(body.name, {})
        options = tuple(
            (
                replace(each, default=_listed(each.default, own[each.name]))
                if each.name in own and each.default is not None
                else each
            )
            for each in body.options
        )
        layers = tuple(
            self._step(body, each) if isinstance(each, LayerStep) else each for each in body.layers
        )
        return replace(body, options=options, layers=layers)

    def _step(self, owner: Body, step: LayerStep) -> LayerStep:
        wanted, own = self.lengths.get(step.kind, {}), self.lengths.get(owner.name, {})
        arguments = {
            name: (
                _listed(each, wanted[name])
                if name in wanted
                and not _is_one_of(each.tree, own)
                and self._kinds_of(owner, each.tree, frozenset()) == {0}
                else each
            )
            for name, each in step.arguments.items()
        }
        return replace(
            step,
            arguments=arguments,
            children=tuple(self._step(owner, each) for each in step.children),
            layers={name: self._step(owner, each) for name, each in step.layers.items()},
        )


def _kind(tree: ast.expr) -> int | None:
    if isinstance(tree, (ast.Tuple, ast.List)):
        return len(tree.elts)
    if isinstance(tree, ast.Constant):
        return 0 if isinstance(tree.value, int) and not isinstance(tree.value, bool) else None
    return 0 if isinstance(tree, ast.BinOp) else None


def _listed(given: Expression, length: int) -> Expression:
    """A number as a list."""
    if _kind(given.tree) == length:
        return given
    return Expression(ast.Tuple([given.tree] * length, ast.Load()), given.mark)


def _is_one_of(tree: ast.expr, names: Collection[str]) -> bool:
    return isinstance(tree, ast.Name) and tree.id in names


def _layers(steps: Iterable[Step]) -> Iterator[LayerStep]:
    for step in steps:
        if isinstance(step, LayerStep):
            yield step
            yield from _layers((*step.children, *step.layers.values()))
