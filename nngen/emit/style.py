"""What a style is: one object that says how a class's state is made and how its forward is written, and one template."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from nngen.catalog.entry import State
from nngen.catalog.partial_evaluation import free_names
from nngen.emit.constructor import Constructor, build_condition, built_flag
from nngen.emit.forward import Lowering
from nngen.emit.model import Argument, ClassCode, Form, Item, Lines, Method, Statement
from nngen.emit.nesting import groups
from nngen.emit.step_init import step_redraws
from nngen.emit.ties import ties
from nngen.emit.variables import Variables
from nngen.emit.weight_init import Redraws
from nngen.graph.flow import Application, Built, Flow, Module
from nngen.graph.losses import Criterion
from nngen.language.spec.mentions import input_sizes
from nngen.symbolic.expressions import name as variable

Lets = tuple[Argument, ...]


@dataclass(frozen=True)
class Parts:
    """What a class is made of, whatever its style is.

    Attributes:
        flow: what happens in it.
        is_block: it is a block's, whose shapes need no comments.
        constructor: writes the calls that build layers.
        variables: what the values are called.
        criterion: of the model, its loss.
        keys: the keys of the nn style's state_dict, with those of a style that makes its state itself.
        redraws: the rules of `init` of all classes.
        lets: the names that the class defines, with their expressions.
    """

    flow: Flow
    is_block: bool
    constructor: Constructor
    variables: Variables
    criterion: Criterion | None
    keys: Mapping[str, str]
    redraws: Sequence[Redraws]
    lets: Lets

    @property
    def own_redraws(self) -> Redraws | None:
        """The rules of the class itself."""
        own = self.flow.body.name
        return next((each for each in self.redraws if each.flow.body.name == own), None)


class Style(ABC):
    """A style that models are written in.

    Attributes:
        form: the file that holds a model in it.
        lowering: writes forward.
    """

    form: Form
    lowering: type[Lowering]

    def write(self, parts: Parts) -> ClassCode | None:
        """A class in this style; None where the style has no such class."""
        asked = [each for each in parts.flow.built if self.asks(parts.flow, each)]
        return _stored(self.code(parts), parts, asked)

    def code(self, parts: Parts) -> ClassCode:
        """A class's code, but for what the constructor keeps."""
        loss = parts.criterion
        ends = [self.ties(parts), self.redraws(parts)]
        return ClassCode(
            (),
            (
                *self.built(parts),
                *(() if loss is None else self.items(parts.constructor, loss.flow)),
                *(each for each in ends if each is not None),
            ),
            self.forward(parts),
            () if loss is None else self.loss(loss),
            self.methods(parts),
        )

    @abstractmethod
    def items(self, constructor: Constructor, flow: Flow) -> Iterable[Item]:
        """What the constructor builds."""

    @abstractmethod
    def parameter(self, module: Module, state: State) -> ast.expr:
        """A parameter of a layer, as the class that builds the layer reaches it."""

    def under_question(self, module: Module, state: State, call: ast.stmt) -> ast.stmt:
        """The drawing of a parameter, asked whether it is there where type checkers want that."""
        return call

    @abstractmethod
    def key(self, nn: str, functional: str) -> str:
        """The key of a parameter in the style's state_dict, of its keys in the two forms that there are."""

    def asks(self, flow: Flow, built: Built) -> bool:
        """Whether forward asks if a layer that a condition decides was built."""
        return True

    def forward(self, parts: Parts) -> tuple[Statement, ...]:
        """Forward's statements."""
        return self.lowering(parts.flow, parts.variables, not parts.is_block).run()

    def loss(self, criterion: Criterion) -> tuple[Statement, ...]:
        """The statements of the method `loss`."""
        if criterion.application is None:
            return self.lowering(criterion.flow, Variables(criterion.flow)).run()
        statements = self.criterion(criterion, criterion.application)
        return tuple(Statement(each, "", criterion.mark) for each in statements)

    @abstractmethod
    def criterion(self, criterion: Criterion, application: Application) -> list[ast.stmt]:
        """The statements of a loss that is one layer."""

    def ties(self, parts: Parts) -> Lines | None:
        """The statements that make parameters one."""
        return ties(parts.flow, {nn: self.key(nn, other) for nn, other in parts.keys.items()})

    @abstractmethod
    def redraws(self, parts: Parts) -> Lines | None:
        """What a class with rules of its own does at the end of its constructor."""

    def methods(self, parts: Parts) -> tuple[Method, ...]:
        """Further methods of the class."""
        return ()

    def built(self, parts: Parts) -> list[Item]:
        """What the constructor builds, the redraws of each step right after it, or after the container that it is in."""
        flow = parts.flow
        result: list[Item] = []
        for group in [flow.built] if flow.body.sequential else groups(flow):
            items = list(self.items(parts.constructor, replace(flow, built=group)))
            result += items
            for built in group:
                found = step_redraws(built, flow.scope, self.parameter, self.under_question)
                if found is not None and items:
                    result.append(replace(found, condition=items[-1].condition))
        return result


def _stored(code: ClassCode, parts: Parts, asked: Iterable[Built]) -> ClassCode:
    """A class with what its constructor keeps for forward, and its local variables."""
    attributes = {
        node.attr
        for tree in code.run_trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    }
    flags: dict[str, ast.expr] = {}
    for built in asked:
        condition = build_condition(built.condition)
        if condition is not None:
            flags[built_flag(built)] = condition
    wanted = {n for tree in (*code.built_trees(), *flags.values()) for n in free_names(tree)}
    local: list[Argument] = []
    for name, let in reversed(parts.lets):
        if name in wanted:
            local.insert(0, (name, let))
        if name in wanted | attributes:
            wanted |= free_names(let)
    expressions = dict(parts.lets)
    kept = {
        name: expressions[name] if name in expressions and name not in wanted else variable(name)
        for name in scope_names(parts.flow)
        if name in attributes
    }
    return replace(
        code,
        stored=(*kept.items(), *((n, let) for n, let in flags.items() if n not in kept)),
        lets=tuple(local),
    )


def scope_names(flow: Flow) -> list[str]:
    """The names of the scope as the constructor has them."""
    names = [*input_sizes(flow.body), *(option.name for option in flow.body.options)]
    return [*names, *(name.text for name, _ in flow.body.let)]
