"""The finished Graph: all that the templates see. Every decision is taken; what is left is form.

Code is held as trees. A template makes text of one by the filter `code`; nothing takes text apart again.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nngen.catalog.partial_evaluation import meant, source
from nngen.emit.origin import of
from nngen.errors import Mark
from nngen.graph.tensor_spec import TensorSpec
from nngen.symbolic.expressions import dotted

Tree = ast.expr | ast.stmt
# An argument as it is written: with its name, or by its place.
Argument = tuple[str, ast.expr]


@dataclass(frozen=True, slots=True)
class Construction:
    """The call that builds a layer, a block, or a container of such.

    Attributes:
        kind: the class, of torch.nn or (`block`) of the same file; or what else makes a module.
        arguments: the arguments as they are written: `1`, `16`, `kernel_size=5`.
        children: a container's members, by name.
        named: the children's names are more than their positions.
        loop: of a member of a container, how many such members a loop makes.
        counts: the loop's `i` is in the arguments or the name.
        condition: of a member, under which it is built; else an nn.Identity is.
        modifier: the function of torch.nn.utils.parametrizations around it.
        mark: where the spec has it.
    """

    kind: str
    arguments: tuple[Argument, ...] = ()
    children: tuple[tuple[str, Construction], ...] = ()
    named: bool = False
    block: bool = False
    loop: ast.expr | None = None
    counts: bool = False
    condition: ast.expr | None = None
    modifier: str = ""
    modifier_arguments: tuple[Argument, ...] = ()
    mark: Mark | None = field(default=None, compare=False)

    @property
    def call(self) -> ast.Call:
        """The call, without a container's members."""
        names = self.kind.split(".")
        called = dotted(*names) if self.block else dotted("nn", *names)
        placed = [value for name, value in self.arguments if not name]
        keywords = [ast.keyword(name, value) for name, value in self.arguments if name]
        return ast.Call(called, placed, keywords)

    def members(self) -> Iterator[Construction]:
        """It, and all that is in it."""
        yield self
        for _, child in self.children:
            yield from child.members()

    def trees(self) -> Iterator[Tree]:
        """All code in it, the children's too."""
        for each in self.members():
            yield each.call
            yield from (value for _, value in each.modifier_arguments)
            yield from (tree for tree in (each.loop, each.condition) if tree is not None)

    def is_like(self, other: Construction) -> bool:
        """Whether another is written alike."""
        return ast.dump(self.call) == ast.dump(other.call) and self._form() == other._form()

    def _form(self) -> tuple[Any, ...]:
        modified = [(name, ast.dump(value)) for name, value in self.modifier_arguments]
        loop, condition = (
            None if tree is None else ast.dump(tree) for tree in (self.loop, self.condition)
        )
        children = [(name, ast.dump(child.call), child._form()) for name, child in self.children]
        return (
            self.named,
            self.block,
            self.counts,
            loop,
            condition,
            self.modifier,
            modified,
            children,
        )


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute that is a module.

    Attributes:
        condition: under which it is built; `otherwise_identity`: else it is an nn.Identity.
    """

    name: str
    construction: Construction
    step: int
    mark: Mark
    condition: ast.expr | None = None
    otherwise_identity: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether its name is one of Python's."""
        return self.name.isidentifier()


@dataclass(frozen=True, slots=True)
class StateLine:
    """A parameter or buffer that the class makes itself."""

    name: str
    value: ast.expr
    buffer: bool
    persistent: bool


@dataclass(frozen=True, slots=True)
class LayerState:
    """What the constructor does for one layer's parameters and buffers: make them, then draw them.

    Attributes:
        twice: which of the draws is the class's first of a weight that has been drawn already.
    """

    lines: tuple[StateLine, ...]
    draws: tuple[ast.stmt, ...]
    step: int
    mark: Mark
    condition: ast.expr | None = None
    twice: int | None = None


@dataclass(frozen=True, slots=True)
class Lines:
    """Other statements of a constructor: those that draw parameters anew, for one; `twice` as a LayerState has it."""

    codes: tuple[ast.stmt, ...]
    step: int
    mark: Mark
    condition: ast.expr | None = None
    twice: int | None = None


Item = Attribute | LayerState | Lines


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of `forward`, and the comment behind it.

    Attributes:
        body: of an `if`, what is under it.
        step: the place in the flow of the step that it is from.
        parts: statements that bind a name each, which this one takes: what they compute stands in its place.
    """

    tree: ast.stmt
    comment: str
    mark: Mark
    body: tuple[Statement, ...] = ()
    step: int = -1
    parts: tuple[Statement, ...] = ()

    @property
    def target(self) -> str:
        """The name that it binds, if that is one."""
        tree = self.tree
        target = tree.targets[0] if isinstance(tree, ast.Assign) else None
        return target.id if isinstance(target, ast.Name) else ""

    @property
    def code(self) -> str:
        """It as it is written by hand, without what is under it: a tuple that it binds or returns has no brackets."""
        return self._written(lambda text, mark: text)

    @property
    def marked(self) -> str:
        """The same with marks around its parts."""
        return self._written(of)

    def _written(self, marked: Callable[[str, Mark], str]) -> str:
        tree = self.tree
        if isinstance(tree, ast.If) and self.body:
            return f"if {source(tree.test)}:"
        if self.parts:
            tree = self._whole(marked)
        code = source(tree)
        if isinstance(tree, (ast.Assign, ast.Return)) and isinstance(tree.value, ast.Tuple):
            parts = tree.value.elts
            if len(parts) > 1 and not any(isinstance(part, ast.Starred) for part in parts):
                return code.removesuffix(source(tree.value)) + ", ".join(map(source, parts))
        return code

    def _whole(self, marked: Callable[[str, Mark], str]) -> ast.Assign:
        """It with its parts, whose text stands for a name: they are calls, which need no brackets."""
        assert isinstance(self.tree, ast.Assign)
        texts = {
            part.target: ast.Name(marked(source(part._whole(marked).value), part.mark))
            for part in self.parts
        }
        return ast.Assign(self.tree.targets, meant(self.tree.value, texts.get))

    def trees(self) -> Iterator[tuple[Tree, Mark]]:
        """All code in it, with the steps that it is from."""
        yield (
            self.tree.test if isinstance(self.tree, ast.If) and self.body else self.tree
        ), self.mark
        for inner in (*self.parts, *self.body):
            yield from inner.trees()


@dataclass(frozen=True, slots=True)
class Method:
    """A further method of a class, which returns nothing; `twice` as a LayerState has it."""

    name: str
    parameters: tuple[str, ...]
    codes: tuple[ast.stmt, ...]
    mark: Mark
    twice: int | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """What the methods of a class that owns nothing are given.

    Attributes:
        params, buffers: the variables that hold the two dicts.
        prefix: the attribute that holds what stands before the class's own keys; empty for the model's class.
        loss_reads: the loss is given them too, as it has state of its own or asks for the mode.
        loss_changes: and gives new buffers.
    """

    params: str
    buffers: str
    prefix: str
    loss_reads: bool = False
    loss_changes: bool = False


@dataclass(frozen=True, slots=True)
class ClassCode:
    """One class in one style.

    Attributes:
        stored: what the constructor keeps for forward, by the attribute.
        items: what the constructor then builds, in order.
        forward: forward's statements.
        loss: the statements of `loss`.
        methods: further methods.
        lets: the constructor's local variables.
        given: in a style whose classes own nothing, what their methods are given.
        init: there, the statements that make parameters and buffers.
    """

    stored: tuple[Argument, ...]
    items: tuple[Item, ...]
    forward: tuple[Statement, ...]
    loss: tuple[Statement, ...] = ()
    methods: tuple[Method, ...] = ()
    lets: tuple[Argument, ...] = ()
    given: Given | None = None
    init: tuple[Statement, ...] = ()

    @property
    def buffers(self) -> tuple[tuple[str, Mark], ...]:
        """The names of the class's own buffers, with the steps that they belong to."""
        states = (item for item in self.items if isinstance(item, LayerState))
        return tuple(
            (line.name, state.mark) for state in states for line in state.lines if line.buffer
        )

    @property
    def builds(self) -> bool:
        """Whether the constructor does more than nn.Module's."""
        return bool(self.stored or self.items or self.lets)

    @property
    def has_parameters(self) -> bool:
        """Whether the class makes parameters itself."""
        states = (item for item in self.items if isinstance(item, LayerState))
        return any(not line.buffer for state in states for line in state.lines)

    def run_trees(self) -> Iterator[Tree]:
        """The code that runs after the constructor, when its arguments are gone."""
        for statement in (*self.init, *self.forward, *self.loss):
            yield from (tree for tree, _ in statement.trees())
        for method in self.methods:
            yield from method.codes

    def trees(self) -> Iterator[Tree]:
        """All code in it."""
        yield from self.run_trees()
        yield from self.built_trees()

    def built_trees(self) -> Iterator[Tree]:
        """The code of the constructor."""
        yield from (tree for _, tree in (*self.lets, *self.stored))
        for item in self.items:
            if item.condition is not None:
                yield item.condition
            if isinstance(item, Attribute):
                yield from item.construction.trees()
            elif isinstance(item, LayerState):
                yield from item.draws
                yield from (line.value for line in item.lines)
            else:
                yield from item.codes


@dataclass(frozen=True, slots=True)
class Loss:
    """The signature and docstring of the method `loss`."""

    arguments: tuple[str, ...]
    doc: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class ModelClass:
    """One class, in all styles.

    Attributes:
        doc: the docstring.
        parameters: the constructor's arguments: `("in_channels: int", "stride: int = 1")`.
        arguments: forward's arguments: tensors, or with an annotation.
        returns: the annotation of what forward returns.
        sequential: the nn twin is an nn.Sequential of its items.
        mark: where the spec has the class; of a layer's, the layer.
        marks: where it has the names of the constructor's and forward's arguments and variables.
        code: what is in it, by the name of the style; the nn style has no class for a layer.
        layer: the layer of torch.nn that it stands for.
    """

    name: str
    doc: str
    parameters: tuple[str, ...]
    arguments: tuple[str, ...]
    returns: str
    sequential: bool
    mark: Mark
    marks: Mapping[str, Mark]
    code: Mapping[str, ClassCode]
    loss: Loss | None = None
    layer: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """A block's table of keys at the block's place in a class.

    Attributes:
        table: its name.
        place: what the nn twin calls the block; `other` is what the functional twin does, if that differs.
    """

    table: str
    place: str
    other: str = ""


@dataclass(frozen=True, slots=True)
class KeyTable:
    """A table of the nn twin's keys with the functional twin's, which may have the tables of blocks in it."""

    name: str
    entries: tuple[tuple[str, str] | Placed, ...]


@dataclass(frozen=True, slots=True)
class Form:
    """The file of a model in one style.

    Attributes:
        style: what the style is called: `nn`.
        file: the file's name.
        template: its template.
        folder: where that stands, if not with nngen's own.
        owns_state: its classes are modules, which own parameters and buffers.
    """

    style: str
    file: str
    template: str
    folder: Path | None = None
    owns_state: bool = True

    @property
    def module(self) -> str:
        """The file as a module of its package."""
        return self.file.removesuffix(".py")

    @property
    def label(self) -> str:
        """The style in two letters at most: nn, F for functional."""
        return self.style if len(self.style) <= 2 else self.style[0].upper()


@dataclass(frozen=True, slots=True)
class Graph:
    """A model, ready to be written.

    Attributes:
        forms: the files to write.
        source: the file name of its spec.
        classes: its classes, the model's last.
        names: by style, the names from outside that its file uses, of `F`, `copy`, `math`, `torch`, `OrderedDict`.
        keys: the nn twin's state_dict keys, with the functional twin's; `*` stands for a position in a list.
        tables: the same as the package has them.
        inputs, targets: what verification feeds it.
        arguments, sizes: the constructor's arguments and the open sizes that verification uses.
        modules: for each module of the nn twin, by its name, where the spec has it.
        renames: the files have state_dicts of both kinds of keys.
    """

    forms: tuple[Form, ...]
    source: str
    classes: tuple[ModelClass, ...]
    names: Mapping[str, frozenset[str]]
    keys: tuple[tuple[str, str], ...]
    tables: tuple[KeyTable, ...]
    inputs: tuple[TensorSpec, ...]
    targets: tuple[TensorSpec, ...] | None
    arguments: Mapping[str, Any]
    sizes: Mapping[str, int]
    modules: dict[str, Mark]
    renames: bool = True

    @property
    def model(self) -> ModelClass:
        return self.classes[-1]

    @property
    def places_differ(self) -> bool:
        """Whether a block with a table of its own has another place in the functional twin."""
        entries = (each for table in self.tables for each in table.entries)
        return any(each.other for each in entries if isinstance(each, Placed))

    @property
    def has_lists(self) -> bool:
        """Whether keys hold positions in lists of blocks."""
        return any("*" in key for key, _ in self.keys)
