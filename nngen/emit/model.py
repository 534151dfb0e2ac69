"""The finished Graph: all that the templates see. Every decision is taken; what is left is form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import indent
from typing import Any

from nngen.errors import Mark
from nngen.graph.tensor_spec import TensorSpec


@dataclass(frozen=True, slots=True)
class Construction:
    """The call that builds a layer, a block, or a container of such.

    Attributes:
        kind: the class, of torch.nn or (`block`) of the same file.
        arguments: the arguments as they are written: `("1", "16", "kernel_size=5")`.
        children: a container's members, by name.
        named: the children's names are more than their positions.
        loop: of a member of a container, the loop that makes such members: `_ in range(depth)`.
        modifier: the function of torch.nn.utils.parametrizations around it.
        mark: where the spec has it.
    """

    kind: str
    arguments: tuple[str, ...] = ()
    children: tuple[tuple[str, Construction], ...] = ()
    named: bool = False
    block: bool = False
    loop: str = ""
    modifier: str = ""
    modifier_arguments: tuple[str, ...] = ()
    mark: Mark | None = field(default=None, compare=False)

    def codes(self) -> tuple[str, ...]:
        """All code in it, the children's too."""
        inner = tuple(code for _, child in self.children for code in child.codes())
        return (*self.arguments, *((f"[0 for {self.loop}]",) if self.loop else ()), *inner)

    def any_named(self) -> bool:
        """Whether a Sequential in it names its children."""
        named = self.named and self.kind == "Sequential"
        return named or any(child.any_named() for _, child in self.children)


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
    condition: str = ""
    otherwise_identity: bool = False


@dataclass(frozen=True, slots=True)
class StateLine:
    """A parameter or buffer that the class makes itself."""

    name: str
    value: str
    buffer: bool
    persistent: bool


@dataclass(frozen=True, slots=True)
class LayerState:
    """What the constructor does for one layer's parameters and buffers: make them, then draw them."""

    lines: tuple[StateLine, ...]
    draws: tuple[str, ...]
    step: int
    mark: Mark
    condition: str = ""


@dataclass(frozen=True, slots=True)
class Redraw:
    """Statements that draw parameters anew."""

    codes: tuple[str, ...]
    step: int
    mark: Mark
    condition: str = ""


@dataclass(frozen=True, slots=True)
class Lines:
    """Other statements of a constructor."""

    codes: tuple[str, ...]
    step: int
    mark: Mark
    condition: str = ""


Item = Attribute | LayerState | Redraw | Lines


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of `forward`, and the comment behind it; of an `if`, its head, and in `body` what is under it."""

    code: str
    comment: str
    mark: Mark
    body: tuple[Statement, ...] = ()

    @property
    def text(self) -> str:
        """The whole statement, without comments."""
        return self.code + "".join(f"\n{indent(inner.text, '    ')}" for inner in self.body)


@dataclass(frozen=True, slots=True)
class Method:
    """A further method of a class, which returns nothing."""

    name: str
    parameters: tuple[str, ...]
    codes: tuple[str, ...]
    mark: Mark


@dataclass(frozen=True, slots=True)
class ClassCode:
    """One class in one style.

    Attributes:
        stored: what the constructor keeps for forward: `(("stride", "stride"), …)`.
        items: what the constructor then builds, in order.
        forward: forward's statements.
        loss: the statements of `loss`.
        methods: further methods.
        lets: the constructor's local variables: `(("hidden", "4 * dim"), …)`.
    """

    stored: tuple[tuple[str, str], ...]
    items: tuple[Item, ...]
    forward: tuple[Statement, ...]
    loss: tuple[Statement, ...] = ()
    methods: tuple[Method, ...] = ()
    lets: tuple[tuple[str, str], ...] = ()

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

    def run_codes(self) -> tuple[str, ...]:
        """The code that runs after the constructor, when its arguments are gone."""
        methods = (code for method in self.methods for code in method.codes)
        return (*(statement.text for statement in (*self.forward, *self.loss)), *methods)

    def codes(self) -> tuple[str, ...]:
        """All code in it."""
        return (*self.run_codes(), *self.built_codes())

    def built_codes(self) -> tuple[str, ...]:
        """The code of the constructor."""
        found = [code for _, code in (*self.lets, *self.stored)]
        for item in self.items:
            found += [item.condition] if item.condition else []
            if isinstance(item, Attribute):
                found += item.construction.codes()
            elif isinstance(item, LayerState):
                found += [*item.draws, *(line.value for line in item.lines)]
            else:
                found += item.codes
        return tuple(found)


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
class Form:
    """The file of a model in one style.

    Attributes:
        style: what the style is called: `nn`.
        file: the file's name.
        template: its template.
        folder: where that stands, if not with nngen's own.
    """

    style: str
    file: str
    template: str
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Graph:
    """A model, ready to be written.

    Attributes:
        forms: the files to write.
        source: the file name of its spec.
        classes: its classes, the model's last.
        names: by style, the names from outside that its file uses, of `F`, `copy`, `math`, `torch`, `OrderedDict`.
        keys: the nn twin's state_dict keys, with the functional twin's; `*` stands for a position in a list.
        inputs, targets: what verification feeds it.
        arguments, sizes: the constructor's arguments and the open sizes that verification uses.
        modules: for each module of the nn twin, by its name, where the spec has it.
    """

    forms: tuple[Form, ...]
    source: str
    classes: tuple[ModelClass, ...]
    names: Mapping[str, frozenset[str]]
    keys: tuple[tuple[str, str], ...]
    inputs: tuple[TensorSpec, ...]
    targets: tuple[TensorSpec, ...] | None
    arguments: dict[str, Any]
    sizes: dict[str, int]
    modules: dict[str, Mark]

    @property
    def model(self) -> ModelClass:
        return self.classes[-1]

    @property
    def has_lists(self) -> bool:
        """Whether keys hold positions in lists of blocks."""
        return any("*" in key for key, _ in self.keys)
