"""What a spec says, as frozen data: every name, argument and expression with its place in the file."""

from __future__ import annotations

import ast
from collections.abc import Container
from dataclasses import dataclass, field

from nngen.errors import Mark, SpecError
from nngen.language.styles import TWINS
from nngen.symbolic.expressions import Expression, Line
from nngen.symbolic.identifiers import identifier
from nngen.symbolic.mathematics import NUMBERS

# What a block calls the sizes of its first input.
INPUT_SIZES = ("in_channels", "in_features")


@dataclass(frozen=True, slots=True)
class Name:
    """A name that a step refers to, or that a block gives to an input."""

    text: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class Label:
    """The name that a step gives: text, with expressions between for each `${…}`."""

    parts: tuple[str | Expression, ...]
    mark: Mark

    @property
    def text(self) -> str | None:
        """The name as it is written, if no `${…}` is in it: `downs.0`."""
        if len(self.parts) > 1:
            return None
        return "".join(part for part in self.parts if isinstance(part, str))

    @property
    def fixed(self) -> str | None:
        """What steps call its value then: `downs_0`."""
        return None if self.text is None else identifier(self.text)


@dataclass(frozen=True, slots=True)
class Initializer:
    """A function of torch.nn.init with its arguments: `{normal_: {std: 0.02}}`."""

    function: str
    arguments: dict[str, Expression]
    mark: Mark


@dataclass(frozen=True, slots=True)
class Rule:
    """A redraw: which parameters (`Linear.weight`, `conv_proj.*`), and how."""

    pattern: str
    initializer: Initializer
    mark: Mark


@dataclass(frozen=True, slots=True)
class Broken:
    """Why a step could not be read whole, and what it may be about.

    Attributes:
        error: the first error in it.
        words: the words in it.
        gives: the names that its line binds.
        vague: a pattern of the names that it may give beside these.
        kinds: the layers that its kind may be meant to be, which differ in the number of dimensions.
        amended: nothing is wrong in it but names of arguments, which stand among its own as what they mean.
    """

    error: SpecError
    words: frozenset[str]
    gives: tuple[str, ...] = ()
    vague: str = ""
    kinds: tuple[str, ...] = ()
    amended: bool = False


@dataclass(frozen=True, slots=True)
class LayerStep:
    """A layer to build, and what flows through it.

    Attributes:
        kind: a class of torch.nn, a block of the spec, `Parameter` or `Buffer`.
        label: its name, where the spec gives one.
        arguments: the constructor's arguments, by name.
        layers: the arguments that are layers themselves.
        children: the layers of a Sequential.
        sources: the values of `from`; None where the step above provides.
        call: the line of `call`.
        uncalled: nothing flows through it where it stands (`call: none`).
        repeat: how many copies.
        when: the condition under which it is there.
        otherwise_none: where it is not there, there is no value; else its input passes through.
        init: redraws right after it is built.
        modifiers: `weight_norm` or `spectral_norm`, with their arguments.
        built_after: the layer behind which the constructor builds it, where that is not its place in the flow.
        broken: it could not be read whole.
    """

    kind: str
    label: Label | None
    arguments: dict[str, Expression]
    mark: Mark
    layers: dict[str, LayerStep] = field(default_factory=dict)
    children: tuple[LayerStep, ...] = ()
    sources: tuple[Name, ...] | None = None
    call: Line | None = None
    repeat: Expression | None = None
    when: Expression | None = None
    otherwise_none: bool = False
    init: tuple[Rule, ...] = ()
    modifiers: dict[str, dict[str, Expression]] = field(default_factory=dict)
    built_after: Name | None = None
    uncalled: bool = False
    broken: Broken | None = None


@dataclass(frozen=True, slots=True)
class LineStep:
    """A line of Python."""

    line: Line
    mark: Mark


Step = LayerStep | LineStep


@dataclass(frozen=True, slots=True)
class Option:
    """A constructor argument of a block or of the model; without a default it is required."""

    name: str
    default: Expression | None
    mark: Mark


@dataclass(frozen=True, slots=True)
class Body:
    """What becomes one class in each twin: a block, or the model itself.

    Attributes:
        options: the constructor's arguments.
        let: sizes derived once.
        inputs: the names of forward's arguments.
        layers: the steps; of a block that is a Sequential, its children.
        sequential: the block is a Sequential.
        outputs: what forward returns, where the spec says it.
        init: redraws at the end of the constructor.
        tie: parameters that are one: the left becomes the right.
        layer: the layer of torch.nn that it stands for in the functional twin.
        words: the words of its text in the spec.
    """

    name: str
    doc: str
    inputs: tuple[Name, ...]
    layers: tuple[Step, ...]
    mark: Mark
    options: tuple[Option, ...] = ()
    let: tuple[tuple[Name, Expression], ...] = ()
    sequential: bool = False
    outputs: Expression | None = None
    init: tuple[Rule, ...] = ()
    tie: tuple[tuple[Name, Name], ...] = ()
    layer: str = ""
    words: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Input:
    """One input of the model; `shape` is one sample's where `batch` puts a batch dimension in front."""

    name: str
    shape: tuple[Expression, ...]
    dtype: str
    batch: bool
    low: Expression | None
    below: Expression | None
    mark: Mark


@dataclass(frozen=True, slots=True)
class LossSteps:
    """A loss of steps of its own, and the targets whose shapes it gives."""

    body: Body
    tensors: dict[str, Input]


@dataclass(frozen=True, slots=True)
class Spec:
    """A model description, read and checked for form.

    Attributes:
        file: what the generated code calls the spec.
        model: the model's own class.
        inputs: forward's arguments.
        blocks: the other classes, by name.
        loss: a loss on the output and its targets, as one layer or as steps.
        check: the values that verification uses where the spec leaves them open.
        styles: the styles that it is written in.
    """

    file: str
    model: Body
    inputs: tuple[Input, ...]
    blocks: dict[str, Body] = field(default_factory=dict)
    loss: LayerStep | LossSteps | None = None
    check: dict[str, Expression] = field(default_factory=dict)
    styles: tuple[str, ...] = TWINS

    @property
    def open_sizes(self) -> tuple[str, ...]:
        """The names in the shapes of inputs and targets that stand for any size."""
        known = {option.name for option in self.model.options}
        known |= {name.text for name, _ in self.model.let}
        targets = self.loss.tensors.values() if isinstance(self.loss, LossSteps) else ()
        sizes = [size for each in (*self.inputs, *targets) for size in each.shape]
        return tuple(dict.fromkeys(name for size in sizes for name in open_names(size, known)))


def open_names(size: Expression, known: Container[str]) -> list[str]:
    """The names in a size that are neither known nor functions: any size goes by them."""
    nodes = (node for node in ast.walk(size.tree) if isinstance(node, ast.Name))
    return [node.id for node in nodes if node.id not in known and node.id not in NUMBERS]
