"""The finished Graph: all that the templates see. Every decision is taken; what is left is form."""

from __future__ import annotations

from dataclasses import dataclass

from nngen.subject import TensorSpec


@dataclass(frozen=True, slots=True)
class Construction:
    """The call that builds a layer, or a container of layers.

    Attributes:
        kind: the class of torch.nn.
        arguments: the arguments as they are written: `("1", "16", "kernel_size=5")`.
        children: a container's layers, by name.
        named: the children's names are more than their positions.
    """

    kind: str
    arguments: tuple[str, ...] = ()
    children: tuple[tuple[str, Construction], ...] = ()
    named: bool = False

    def codes(self) -> tuple[str, ...]:
        """All arguments, of the children too."""
        return self.arguments + tuple(code for _, child in self.children for code in child.codes())

    def any_named(self) -> bool:
        """Whether a Sequential in it names its children."""
        return self.named or any(child.any_named() for _, child in self.children)


@dataclass(frozen=True, slots=True)
class Attribute:
    """A layer of the nn twin."""

    name: str
    construction: Construction
    step: int


@dataclass(frozen=True, slots=True)
class StateLine:
    """A parameter or buffer of the functional twin."""

    name: str
    value: str
    buffer: bool
    persistent: bool


@dataclass(frozen=True, slots=True)
class LayerState:
    """What the functional twin's constructor does for one layer: make its state, then draw it."""

    lines: tuple[StateLine, ...]
    draws: tuple[str, ...]
    step: int


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of `forward`, and the comment behind it."""

    code: str
    comment: str
    step: int


@dataclass(frozen=True, slots=True)
class Loss:
    """The method `loss`: its arguments, its docstring, and what it returns in each style."""

    arguments: tuple[str, ...]
    doc: str
    construction: Construction
    state: LayerState
    nn: tuple[str, ...]
    functional: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModelClass:
    """One class, in both styles.

    Attributes:
        doc: the docstring.
        arguments: forward's arguments, all tensors.
        returns: the annotation of what forward returns.
        attributes: the nn twin's constructor.
        states: the functional twin's constructor.
        nn, functional: the two bodies of forward.
    """

    name: str
    doc: str
    arguments: tuple[str, ...]
    returns: str
    attributes: tuple[Attribute, ...]
    states: tuple[LayerState, ...]
    nn: tuple[Statement, ...]
    functional: tuple[Statement, ...]
    loss: Loss | None


@dataclass(frozen=True, slots=True)
class Graph:
    """A model, ready to be written.

    Attributes:
        source: the file name of its spec.
        model: its class.
        nn_names, functional_names: the modules that each file uses, of `F`, `math`, `nn`, `torch`, `OrderedDict`.
        keys: the nn twin's state_dict keys, with the functional twin's.
        inputs, targets: what verification feeds it.
    """

    source: str
    model: ModelClass
    nn_names: frozenset[str]
    functional_names: frozenset[str]
    keys: tuple[tuple[str, str], ...]
    inputs: tuple[TensorSpec, ...]
    targets: tuple[TensorSpec, ...] | None
