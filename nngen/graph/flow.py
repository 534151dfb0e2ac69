"""The flow of one class: what its constructor builds, and what its forward does, before a style gives them form."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from nngen.catalog import LAYERS
from nngen.catalog.entry import Layer, State
from nngen.catalog.fragments import fragment
from nngen.catalog.parametrizations import MODIFIERS
from nngen.catalog.partial_evaluation import Folder, keep_name, renamed
from nngen.errors import Mark, SpecError
from nngen.graph.record import Record
from nngen.graph.scope import Scope
from nngen.graph.written import Given
from nngen.language.spec import Body
from nngen.language.spec.model import Rule
from nngen.symbolic.expressions import Expression, Line
from nngen.symbolic.identifiers import identifier
from nngen.symbolic.sizes import Dim, Size
from nngen.symbolic.tensor import UNKNOWN


@dataclass(frozen=True, eq=False)
class Module:
    """A layer, a block, or a container of such, at its place in a class.

    Attributes:
        kind: the class of torch.nn, or the block.
        path: the attribute, and below it the places in containers: `("features", "0")`; of a container that the names
            of layers make, the attribute is the first part: `("downs", "0")` of `downs.0`.
        values: all arguments.
        given: the arguments that the spec gives.
        code: of those, the ones that the spec computes from names, as it writes them.
        state: the parameters and buffers that these arguments make.
        children: a container's modules, in order.
        loop: of a copy in a repeat whose count is open, how many there are.
        flow: of a block, or of a layer that is one in the functional twin, what happens in it.
        copies: of a list of copies of one layer, how many there are.
        modifiers: weight norm or spectral norm, with their arguments.
        condition: of a child of a container, under which it is built; an nn.Identity stands there where it is not.
        unsettled: the sizes of a block's input that no expression gives in every use, with the error to raise.
        mark: where the spec has it.
    """

    kind: str
    path: tuple[str, ...]
    mark: Mark
    values: Mapping[str, Any] = field(default_factory=dict)
    given: frozenset[str] = frozenset()
    code: Mapping[str, ast.expr] = field(default_factory=dict)
    state: tuple[State, ...] = ()
    children: tuple[Module, ...] = ()
    loop: ast.expr | None = None
    flow: Flow | None = None
    copies: ast.expr | None = None
    modifiers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    condition: ast.expr | None = None
    unsettled: Mapping[str, SpecError] = field(default_factory=dict)

    @property
    def is_stack(self) -> bool:
        """Whether it is a layer of torch's that holds layers in a row."""
        return self.kind in LAYERS and bool(self.children)

    @property
    def entry(self) -> Layer:
        """The catalog's entry, as the step's modifiers change it."""
        entry = LAYERS[self.kind]
        for name, values in self.modifiers.items():
            entry = MODIFIERS[name].apply(entry, values)
        return entry

    @property
    def name(self) -> str:
        return self.path[-1]

    @property
    def identifier(self) -> str:
        """What the functional twin calls it: `features_0`."""
        return identifier("_".join(self.path))

    def settled(self, inputs: Mapping[str, Any] = MappingProxyType({})) -> Mapping[str, Any]:
        """Its arguments, and what goes in, for what decides which code there is."""
        return Settled(self, inputs)

    def size(self) -> int:
        """How many modules it is, with what is in it."""
        return 1 + sum(child.size() for child in self.children)

    def layers(self) -> Iterator[Module]:
        """All layers in it, blocks and what is in them left out, in order."""
        for child in self.children:
            yield from child.layers()
        if self.flow is None and self.kind in LAYERS:
            yield self

    def leaves(self) -> Iterator[tuple[Module, State]]:
        """All parameters and buffers of the layers in it, blocks left out, in order."""
        for child in self.children:
            yield from child.leaves()
        for state in self.state:
            yield self, state

    def attribute(self, state: State) -> str:
        """What the functional twin calls a parameter or buffer: `features_0_weight`."""
        return f"{self.identifier}_{state.identifier}"

    def key(self, state: State) -> str:
        """Its key in the nn twin's state_dict: `features.0.weight`."""
        return ".".join((*self.path, state.name))

    def folder(
        self, code: Mapping[str, ast.expr], rename: Callable[[str], str] = keep_name
    ) -> Folder:
        """A folder in the scope of this layer's arguments.

        Args:
            code: the names that stand for code.
            rename: what the names in sizes are called where the code will stand.
        """
        open_code = {
            argument: renamed(tree, rename)
            for argument, tree in self.code.items()
            if not is_size(self.values[argument])
        }
        known = {key: value for key, value in self.values.items() if key not in open_code}
        folder = Folder(known, open_code)
        for name, text in self.entry.let.items():
            value = folder.value(fragment(text))
            if value is UNKNOWN:
                open_code[name] = folder.expression(fragment(text))
            else:
                known[name] = value
            folder = Folder(known, open_code)
        return Folder(known, {**open_code, **code}, self.given, rename)

    def form_folder(
        self,
        code: Mapping[str, ast.expr],
        passed: Mapping[str, Any] = MappingProxyType({}),
        given: frozenset[str] = frozenset(),
        rename: Callable[[str], str] = keep_name,
    ) -> Folder:
        """A folder in the scope of the layer's form: state as attributes, None where there is none.

        Args:
            code: the names that stand for code.
            passed: forward's arguments that are known, and in `given` those that the spec gives.
            rename: what the names in sizes are called where the code will stand.
        """
        state = dict.fromkeys(state.identifier for state in self.entry.state_of(self.settled()))
        plain = self.folder({}, rename)
        known = {**plain.known, **state, **passed}
        # A state's name hides the argument of the same name, `bias` for one.
        rest = {key: tree for key, tree in plain.code.items() if key not in state}
        return Folder(known, {**rest, **self.state_code(), **code}, self.given | given, rename)

    def part_code(self) -> dict[str, ast.expr]:
        """The names of a stack's parts: lists of layers are attributes of `self`, the rest is called by name."""
        code: dict[str, ast.expr] = {}
        for child in self.children if self.is_stack else ():
            part = self.part_name(child)
            is_list = child.copies is not None
            code[part] = self_attribute(child.identifier) if is_list else ast.Name(part)
        return code

    def part_name(self, child: Module) -> str:
        """What the form calls a part."""
        return "_".join(child.path[len(self.path) :])

    def state_code(self) -> dict[str, ast.expr]:
        """The names of the state that is there, as attributes of `self`."""
        return {s.identifier: self_attribute(self.attribute(s)) for s in self.state}


class Settled(Mapping[str, Any]):
    """Arguments of a module that may decide which code there is: those that the model's own arguments change may not.

    Args:
        inputs: what goes in, by the names of forward's arguments.

    Raises:
        SpecError: such an argument is asked for.
    """

    def __init__(self, module: Module, inputs: Mapping[str, Any]) -> None:
        self.module = module
        self.all = {**module.values, **inputs}

    def __getitem__(self, name: str) -> Any:
        code = self.module.code.get(name)
        # Whatever is in a list that is written out, how much that is does not change.
        if code is None or isinstance(code, (ast.List, ast.Tuple)):
            return self.all[name]
        raise SpecError(
            f"{name} of {self.module.kind} decides what is in it, so it cannot be an argument",
            self.module.mark,
            "write it out; two blocks may differ in it",
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self.all)

    def __len__(self) -> int:
        return len(self.all)


@dataclass(frozen=True)
class Above:
    """What a loss knows of its model.

    Attributes:
        attributes: the kinds of what the model has built, by their names.
        outputs: the names of what forward gives.
    """

    attributes: Mapping[str, str] = field(default_factory=dict)
    outputs: frozenset[str] = frozenset()


def is_size(value: Any) -> bool:
    """Whether a value prints the names that it was computed from."""
    if isinstance(value, (tuple, list)):
        return all(map(is_size, value))
    return isinstance(value, (int, Size)) and not isinstance(value, bool)


def self_attribute(name: str) -> ast.expr:
    return ast.Attribute(ast.Name("self", ast.Load()), name, ast.Load())


@dataclass(frozen=True, eq=False)
class Application:
    """One use of a module.

    Attributes:
        inputs: what went in, by the names of forward's arguments.
        output: what came out.
        children: of a container, the uses of what is in it.
        flow: of a block, what happens in this use.
        others: in a block, what goes in in its other uses.
        told: what came out, where that is one of several values.
    """

    module: Module
    inputs: Mapping[str, Any]
    output: Any
    children: tuple[Application, ...] = ()
    flow: Flow | None = None
    others: tuple[Mapping[str, Any], ...] = ()
    told: Any = UNKNOWN

    @property
    def all_told(self) -> Any:
        """What docstrings tell of what came out."""
        return self.output if self.told is UNKNOWN else self.told


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
        told: the values that it may be, where a condition decides between several.
    """

    abstract: Any
    name: str
    mark: Mark
    fixed: bool = False
    used: bool = False
    named: bool = False
    only_when: ast.expr | None = None
    state: bool = False
    told: Any = UNKNOWN

    @property
    def all_told(self) -> Any:
        """What docstrings tell of it."""
        return self.abstract if self.told is UNKNOWN else self.told


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

    def flag(self, layer: str) -> str:
        """The attribute that tells whether a layer is built: an argument, if that alone decides."""
        return self.build.id if isinstance(self.build, ast.Name) else f"has_{layer}"


@dataclass(eq=False)
class Operation:
    """One step of `forward`: the use of a module, or a line.

    Attributes:
        step: its number in the spec.
        reads: the values that it takes, in order.
        writes: the values that it gives, None for one that is dropped (`_`).
        application: the use of a module; None also where the step is skipped in this use of a block.
        line: the line, in `calls` the uses of modules in it, and in `record` what each part of it gives.
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
    record: Record = field(default_factory=Record)


@dataclass(frozen=True, eq=False)
class Built:
    """What the constructor builds at one step.

    Attributes:
        name: what steps call it.
        path: the attribute, or where it stands in containers: `("downs", "0")`.
        module: None where this use of a block skips it.
        condition: under which it is built.
        redraws: the rules of the step's own `init`.
        value: of a Buffer, its expression.
    """

    name: str
    path: tuple[str, ...]
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
        substitution: of a block, what the names of its sizes mean to its user.
        others: of a block, what its other names mean to its user.
        uses: of all uses of a class as one flow, the scope of each.
        doubtful: the values and uses of layers whose shape another use of the class does not have.
    """

    body: Body
    scope: Scope
    inputs: tuple[Value, ...]
    built: list[Built] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    substitution: Mapping[str, Dim] = field(default_factory=dict)
    others: Mapping[str, Given] = field(default_factory=dict)
    uses: tuple[Scope, ...] = ()
    doubtful: frozenset[object] = frozenset()

    def length(self) -> int:
        """How many steps and layers its class writes."""
        modules = (built.module for built in self.built)
        return len(self.operations) + sum(1 if each is None else each.size() for each in modules)

    @property
    def output(self) -> Any:
        """The output's abstract value."""
        return self.result.abstract

    def giving(self, output: Any) -> Flow:
        """The flow with another output."""
        *before, last = self.operations
        result = replace(self.result, abstract=output, told=UNKNOWN)
        return replace(self, operations=[*before, replace(last, writes=(result,))])

    @property
    def result(self) -> Value:
        """The binding that the output is."""
        result = self.operations[-1].writes[0]
        assert result is not None
        return result
