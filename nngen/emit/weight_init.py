"""Redraws: the rules of `init`, resolved. They run at the end of a constructor, as each style writes them.

They run in the order of `modules()`, each parameter at most once; of several rules that match it, the last one holds.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from nngen.catalog.partial_evaluation import free_names, keep_name
from nngen.emit.constructor import (
    initializer_call,
    written_sizes,
)
from nngen.emit.parameters import (
    Leaf,
    leaves_of,
    matches,
)
from nngen.emit.ties import tied, written
from nngen.errors import Errors, SpecError, did_you_mean
from nngen.graph.flow import Built, Flow, Module
from nngen.graph.initializers import check_initializer
from nngen.language.spec.model import Rule
from nngen.symbolic.expressions import dotted, name


@dataclass
class Redraws:
    """The rules of one class, resolved for all parameters below it.

    Attributes:
        flow: the class.
        loss: of the model, what its loss builds.
        rules: for each parameter, by key, the rule that holds.
        drawn_before: the tied parameters that another's turn draws.
        uneven: two uses of one block are drawn differently, so that no method of the block can do it.
    """

    flow: Flow
    loss: tuple[Built, ...] = ()
    leaves: list[Leaf] = field(default_factory=list)
    rules: dict[str, Rule] = field(default_factory=dict)
    drawn_before: list[str] = field(default_factory=list)
    uneven: bool = False

    def __post_init__(self) -> None:
        whole = replace(self.flow, built=[*self.flow.built, *self.loss])
        self.leaves = list(leaves_of(whole))
        errors = Errors()
        for rule in self.flow.body.init:
            found = [leaf for leaf in self.leaves if matches(rule, leaf)]
            if not found:
                names = sorted({f"{leaf.kind}.{leaf.parameter}" for leaf in self.leaves})
                hint = did_you_mean(rule.pattern, names)
                errors.add(SpecError(f"{rule.pattern!r} matches no parameter", rule.mark, hint))
            self.rules.update((leaf.key, rule) for leaf in found)
        self._drop_tied()
        for leaf in self.leaves:
            if leaf.key in self.rules:
                sizes = {**self.flow.scope.values, **leaf.module.values}
                initializer = self.rules[leaf.key].initializer
                errors.attempt(check_initializer, initializer, leaf.shape, sizes)
        errors.refuse()
        drawn: dict[tuple[str, str], list[Rule | None]] = {}
        for leaf in self.leaves:
            place = (leaf.owner.body.name, leaf.attribute)
            drawn.setdefault(place, []).append(self.rules.get(leaf.key))
        self.uneven = any(rule is not rules[0] for rules in drawn.values() for rule in rules)

    def _drop_tied(self) -> None:
        """Parameters that are one are drawn once: where a rule first finds one of them, by the last rule about any."""
        order = [rule.mark for rule in self.flow.body.init]
        for group in self._groups():
            drawn = [
                leaf.key for leaf in self.leaves if leaf.key in group and leaf.key in self.rules
            ]
            if not drawn:
                continue
            first, *rest = drawn
            last = max((self.rules[key] for key in drawn), key=lambda rule: order.index(rule.mark))
            if written(last.initializer) != written(self.rules[first].initializer):
                self.rules[first] = Rule(first, last.initializer, last.mark)
            for key in rest:
                del self.rules[key]
            self.drawn_before += rest

    def _groups(self) -> list[set[str]]:
        """The sets of parameters that ties, the class's own and those of blocks in it, make one."""
        groups: list[set[str]] = []
        for pair in tied(self.flow).items():
            near = [group for group in groups if group.intersection(pair)]
            groups = [group for group in groups if group not in near]
            groups.append(set(pair).union(*near))
        return groups

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """The names of the class's own scope that its rules use, with their types; blocks are passed them."""
        used = {
            name
            for rule in self.flow.body.init
            for argument in rule.initializer.arguments.values()
            for name in free_names(argument.tree)
        }
        values = self.flow.scope.values
        names = [name for name in values if name in used]
        return tuple((n, "float" if isinstance(values[n], float) else "int") for n in names)

    def drawn(self) -> list[Leaf]:
        """The parameters that a rule draws, in order."""
        return [leaf for leaf in self.leaves if leaf.key in self.rules]

    def is_own(self, leaf: Leaf) -> bool:
        """Whether a parameter stands in the class itself, rather than in a block of it."""
        return leaf.owner.body.name == self.flow.body.name

    def check_reached(self, leaf: Leaf) -> None:
        """Refuse a parameter that its class cannot draw by its name.

        Raises:
            SpecError: it is below a block, and there may be several, or none, or it needs the block's names.
        """
        rule = self.rules[leaf.key]
        names = {n for each in rule.initializer.arguments.values() for n in free_names(each.tree)}
        if not self.is_own(leaf) and ("*" in leaf.key or any(leaf.flags[1:]) or names):
            raise SpecError(
                f"this rule and others for {leaf.kind or leaf.owner.body.name} cannot be told apart in a loop",
                rule.mark,
                "let each be about a kind of layer, or put it into the block",
            )

    def reaches(self, flow: Flow) -> bool:
        """Whether a method of a block draws a parameter in it, or below it."""
        if self.uneven:
            return False
        owners = {leaf.owner.body.name for leaf in self.leaves if leaf.key in self.rules}
        return any(name in owners for name in _below(flow))

    def call(
        self, leaf: Leaf, parameter: ast.expr, rename: Callable[[str], str] = keep_name
    ) -> ast.stmt:
        """The call that draws a parameter, the layer's own sizes written out."""
        written = written_sizes(leaf.shape, leaf.module, rename)
        return initializer_call(self.rules[leaf.key].initializer, parameter, written)


def _below(flow: Flow) -> Iterator[str]:
    yield flow.body.name
    for built in flow.built:
        if built.module is not None:
            for inner in _flows(built.module):
                yield from _below(inner)


def _flows(module: Module) -> Iterator[Flow]:
    if module.flow is not None:
        yield module.flow
    for child in module.children:
        yield from _flows(child)


def under(question: ast.expr | None, code: ast.stmt) -> ast.stmt:
    """Code that runs where something holds, if that is a question."""
    return code if question is None else ast.If(question, [code], [])


def is_instance(kinds: list[str], of: str = "module") -> ast.expr:
    """`isinstance(module, nn.Linear)`, or of one of several classes."""
    classes = [dotted(*kind.split(".")) for kind in kinds]
    asked = ast.Tuple(classes, ast.Load()) if len(classes) > 1 else classes[0]
    return ast.Call(name("isinstance"), [name(of), asked], [])
