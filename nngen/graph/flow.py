"""The flow of one class: what its constructor builds, and what its forward does, before a style gives them form."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

from nngen.errors import Mark
from nngen.expressions import Expression, Line
from nngen.graph.modules import Application, Module
from nngen.graph.scope import Scope
from nngen.spec import Body
from nngen.spec.model import Rule


@dataclass(eq=False)
class Value:
    """One binding of a value in `forward`.

    Attributes:
        abstract: the Tensor, or whatever a line computes.
        name: how later steps name it; a layer's value has the layer's name.
        mark: where it is bound.
        fixed: the name is a variable of the spec's own: an input, or bound by a line.
        used: some step or the output takes it.
        named: some step names it.
        only_when: the condition without which it is not there (`otherwise: none`).
        state: it is a Parameter or Buffer, an attribute rather than a variable.
    """

    abstract: Any
    name: str
    mark: Mark
    fixed: bool = False
    used: bool = False
    named: bool = False
    only_when: ast.expr | None = None
    state: bool = False


@dataclass(frozen=True, eq=False)
class Condition:
    """A `when` that is not decided once and for all.

    Attributes:
        tree: as the spec writes it.
        build: what of it decides in the constructor, None where the layer is built always.
        training: it asks for the mode, so forward asks too.
        passes: where it does not hold, the first input passes through; else there is no value.
    """

    tree: ast.expr
    build: ast.expr | None
    training: bool
    passes: bool


@dataclass(eq=False)
class Operation:
    """One step of `forward`: the use of a module, or a line.

    Attributes:
        step: its number in the spec.
        reads: the values that it takes, in order.
        writes: the values that it gives, None for one that is dropped (`_`).
        application: the use of a module; None also where the step is skipped in this use of a block.
        line: the line, and in `calls` the uses of modules in it.
        condition: under which it happens, and `layer`, the layer that it is about.
    """

    step: int
    mark: Mark
    reads: tuple[Value, ...]
    writes: tuple[Value | None, ...]
    application: Application | None = None
    line: Line | None = None
    calls: dict[ast.Call, Application] = field(default_factory=dict)
    condition: Condition | None = None
    layer: str = ""


@dataclass(frozen=True, eq=False)
class Built:
    """What the constructor builds at one step.

    Attributes:
        name: the attribute.
        module: None where this use of a block skips it.
        condition: under which it is built.
        redraws: the rules of the step's own `init`.
        value: of a Buffer, its expression.
    """

    name: str
    module: Module | None
    step: int
    condition: Condition | None = None
    redraws: tuple[Rule, ...] = ()
    value: Expression | None = None


@dataclass(eq=False)
class Flow:
    """One use of a class.

    Attributes:
        body: the class.
        scope: its sizes in this use.
        inputs: forward's arguments.
        built: the constructor's steps.
        operations: forward's steps; the last one gives the output.
    """

    body: Body
    scope: Scope
    inputs: tuple[Value, ...]
    built: list[Built] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)

    @property
    def output(self) -> Any:
        """The output's abstract value."""
        result = self.operations[-1].writes[0]
        assert result is not None
        return result.abstract
