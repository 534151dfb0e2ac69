"""What the catalog holds: one frozen entry for a layer or a function, from which all else is derived.

Fragments (`form`, `draw`, a state's value, a condition) are Python in the entry's own scope: its arguments, its
inputs, its state, the names of its `let`, `training`, and the helpers of `HELPERS`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

from nngen.catalog.fragments import statements
from nngen.catalog.signature import Signature, signature
from nngen.catalog.since import ALWAYS, Since
from nngen.catalog.traits import Trait
from nngen.errors import Fault
from nngen.symbolic.tensor import Tensor

# What gives the shape: it is called with what it names.
Rule = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class State:
    """A parameter or buffer of a layer.

    Attributes:
        name: torch's name, the last part of its state_dict key; fragments write `_` for a dot in it.
        value: the fragment that makes it: `torch.empty(out_features, in_features)`.
        when: the condition under which it is there.
        buffer: a buffer rather than a parameter.
        alias: what fragments and the functional twin call it, where torch's name is a long path.
        optional: torch annotates it as what may be None, also in a layer that has it.
        written: a buffer that the form changes in place, in train mode.
    """

    name: str
    value: str
    when: str = "True"
    buffer: bool = False
    persistent: bool = True
    alias: str = ""
    optional: bool = False
    written: bool = False

    @property
    def identifier(self) -> str:
        return self.alias or self.name.replace(".", "_")


def parameter(
    name: str, value: str, when: str = "True", alias: str = "", optional: bool = False
) -> State:
    return State(name, value, when, alias=alias, optional=optional)


def buffer(
    name: str,
    value: str,
    when: str = "True",
    persistent: bool = True,
    alias: str = "",
    written: bool = False,
) -> State:
    return State(name, value, when, True, persistent, alias, written=written)


@dataclass(frozen=True, slots=True)
class Check:
    """What a layer requires of its arguments together.

    Attributes:
        condition: a fragment that must hold.
        argument: the one that is to blame where it does not.
        message: what is wrong; `{name}` stands for that argument's value.
        hint: what would be right.
    """

    condition: str
    argument: str
    message: str
    hint: str = ""


def at_most(most: int, *arguments: str) -> tuple[Check, ...]:
    """Checks of counts, each of which multiplies what is built."""
    message = f"it can have up to {most} layers, not {{%s}}"
    return tuple(Check(f"{name} <= {most}", name, message % name) for name in arguments)


@dataclass(frozen=True, slots=True)
class Target:
    """What a loss is given beside the model's outputs, as verification draws it.

    Attributes:
        words: what its values are, for docstrings.
        shape: the fragment of its shape.
        dtype: a torch dtype.
        below: the fragment of the bound below which integers, or floats from 0 on, are drawn.
        low: the fragment of the least integer that is drawn.
        kind: how they are drawn else: floats `normal`, `uniform` from 0 to 1, or as a `probability`, which sums
            to one along dimension 1; floats or integers by `sign`, -1 or 1.

    Fragments see the arguments of the loss and its inputs.
    """

    words: str
    shape: str = "input.shape"
    dtype: str = "float32"
    below: str = ""
    low: str = "0"
    kind: str = "normal"


@dataclass(frozen=True)
class Example:
    """A use of a layer that the tests build, verify and compare with torch's own.

    Attributes:
        arguments: constructor arguments, as a spec gives them.
        inputs: for each input, the shape of one sample, or a mapping as under a spec's `inputs`.
        call: the `call` line, where the example needs one.
    """

    arguments: Mapping[str, Any]
    inputs: tuple[Any, ...]
    call: str = ""


def example(*inputs: Any, call: str = "", **arguments: Any) -> Example:
    return Example(arguments, inputs, call)


@dataclass(frozen=True)
class Inner:
    """A layer inside a layer, with its arguments.

    Attributes:
        kind: its class.
        values: all its arguments.
        given: those that are written.
        code: those that are computed from names.
    """

    kind: str
    values: Mapping[str, Any]
    given: frozenset[str] = frozenset()
    code: Mapping[str, ast.expr] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """A part of a layer that is made of layers.

    Attributes:
        name: torch's name for it: `layers`, `encoder.norm`.
        inner: the layer that it is, or in copies holds.
        count: the argument that counts the copies; without it there is one.
        inputs: of a part in copies, which of the outer forward's arguments are like its own.
    """

    name: str
    inner: Any
    count: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Layer:
    """A class of torch.nn.

    Attributes:
        name: the class.
        doc: what it does, in a sentence.
        arguments: the constructor's signature. Those before `/` are written by position.
        form: what it computes, as statements that assign to `out`, in calls of torch and torch.nn.functional.
            Like `state` and `draw` it may be a function of the arguments' values, for layers whose weights are
            counted by an argument; the form sees the values of forward's arguments too. What such a function reads
            must be written out in a spec: an argument of the model in its place is refused.
        calls: the function that such a form calls, as code names it, where it is one.
        shape: the rule that gives the outputs, called with the arguments and inputs that it names; None where that is
            what the form gives by the rules of the functions themselves, which then is one call of one.
        forward: forward's signature.
        infer: arguments that the input decides, as fragments over forward's inputs.
        state: parameters and buffers in the order of registration.
        draw: statements that draw the parameters, in torch's order.
        let: names for what fragments use more than once.
        checks: what the arguments must obey together.
        stem: what unnamed steps are called, with a number: `conv1`.
        targets: for a loss, what it takes beside the outputs.
        output_name: for a loss of one output, what the method `loss` calls that.
        block: of a layer made of layers, the block of the spec language that it is, as a function of the values that
            the form sees: a class of its own in the functional twin. `order` names the parts as torch registers them.
        inner_state: of both, the parameters of the layers inside, as torch has them.
        parts: of a stack of such layers, its parts, from its values, what is given, and code; the form calls them by
            their names, with `_` for dots.
        left_out: arguments of torch's that the entry does not take, each with its reason.
        note: a comment for the lines that use the layer, as a function of the values that the form sees.
        since: what older versions of torch lack of it.
        traits: what holds of it, beside what holds of the function that it calls.
        mult_adds: how many multiply-adds it takes, of `nngen.catalog.products`; None where it multiplies no matrices.
        fused: the kernel of torch's that may run in place of the form in eval mode without grad, and rounds differently.
        examples: uses that together touch every argument.
    """

    name: str
    doc: str
    arguments: str
    form: str | Callable[[Mapping[str, Any]], str]
    shape: Rule | None = None
    calls: str = ""
    forward: str = "input: Tensor"
    infer: Mapping[str, str] = field(default_factory=dict)
    state: tuple[State, ...] | Callable[[Mapping[str, Any]], tuple[State, ...]] = ()
    draw: str | Callable[[Mapping[str, Any]], str] = ""
    let: Mapping[str, str] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    stem: str = ""
    targets: Mapping[str, Target] = field(default_factory=dict)
    output_name: str = "output"
    block: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    order: tuple[str, ...] = ()
    inner_state: Callable[[Mapping[str, Any]], tuple[State, ...]] | None = None
    parts: Callable[..., Iterable[Part]] | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)
    note: Callable[[Mapping[str, Any]], str] | None = None
    since: Since = ALWAYS
    traits: Trait = Trait.NONE
    mult_adds: Callable[..., Any] | None = None
    fused: str = ""
    examples: tuple[Example, ...] = ()

    @property
    def signature(self) -> Signature:
        return signature(self.arguments)

    def state_of(self, values: Mapping[str, Any]) -> tuple[State, ...]:
        """The state that arguments of these values may have."""
        return self.state(values) if callable(self.state) else self.state

    def all_state_of(self, values: Mapping[str, Any]) -> tuple[State, ...]:
        """The same, the state of layers inside included."""
        inner = () if self.inner_state is None else self.inner_state(values)
        return (*self.state_of(values), *inner)

    def draw_of(self, values: Mapping[str, Any]) -> str:
        """How state is drawn with these arguments."""
        return self.draw(values) if callable(self.draw) else self.draw

    def form_of(self, values: Mapping[str, Any]) -> str:
        """The functional form with these arguments."""
        return self.form(values) if callable(self.form) else self.form

    @cached_property
    def function(self) -> str:
        """The function that it calls, as code names it: `F.conv2d`; empty where there is not one alone."""
        if callable(self.form):
            return self.calls
        for node in (each for top in statements(self.form) for each in ast.walk(top)):
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "out":
                called = ast.unparse(node.value.func) if isinstance(node.value, ast.Call) else ""
                method = not called.startswith(("F.", "torch."))
                return f"Tensor.{called.rpartition('.')[2]}" if called and method else called
        return ""

    @property
    def inputs(self) -> Signature:
        return signature(self.forward)

    @property
    def is_loss(self) -> bool:
        """Whether it compares outputs of a model, as torch's names tell."""
        return self.name.endswith("Loss")

    @property
    def channels_first(self) -> bool | None:
        """Whether its input has channels before its positions, as its name or what it infers tells; None: neither does."""
        if is_spatial(self.name) or any("shape[1]" in text for text in self.infer.values()):
            return True
        return False if self.infer else None

    @property
    def outputs(self) -> tuple[str, ...]:
        """Of a loss, the inputs that are a model's outputs."""
        return tuple(name for name in self.inputs.required if name not in self.targets)

    @property
    def shorthand(self) -> str | None:
        """The shorthand argument: the one that a value without a name is for, `Dropout: 0.5`."""
        arguments = self.signature.arguments
        required = [name for name in self.signature.required if name not in self.infer]
        return next(iter(required), arguments[0].name if arguments else None)

    @property
    def has_state(self) -> bool:
        """Whether some of these layers have parameters or buffers."""
        return bool(self.state or self.block or self.inner_state or self.parts)

    @property
    def prefix(self) -> str:
        return self.stem or self.name.lower()


@dataclass(frozen=True)
class Function:
    """A function of torch or torch.nn.functional, or a Tensor method.

    Attributes:
        names: how it is called: `torch.flatten`, `F.relu`, `Tensor.flatten`.
        arguments: the signature; a method's first argument is the tensor.
        shape: the rule that gives the result, or None where no size can depend on it.
        also: further signatures, where torch has several.
        counts: it gives whole numbers, such as a size, rather than tensors.
        since: what older versions of torch lack of it.
        traits: what holds of what it gives.
        takes: of a loss of classes, what it is given: `probabilities`, `log probabilities`, or scores of any size, of
            which it takes the `softmax` or `sigmoid` itself.
        mult_adds: how many multiply-adds it takes, of `nngen.catalog.products`; None where it multiplies no matrices.
        writes: the arguments that it changes in place, each with the one that asks for it.
    """

    names: tuple[str, ...]
    arguments: str
    shape: Rule | None = None
    also: tuple[str, ...] = ()
    counts: bool = False
    since: Since = ALWAYS
    traits: Trait = Trait.NONE
    takes: str = ""
    mult_adds: Callable[..., Any] | None = None
    writes: Mapping[str, str] = field(default_factory=dict)

    @property
    def signature(self) -> Signature:
        return signature(self.arguments)

    @property
    def signatures(self) -> tuple[Signature, ...]:
        """All ways to call it."""
        return (self.signature, *map(signature, self.also))

    def bind(
        self, name: str, positional: tuple[Any, ...], keywords: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The arguments by the first signature that they fit.

        Raises:
            Fault: they fit none; what is wrong by the first one that has such arguments is told.
        """
        for accepted in self.signatures:
            with suppress(Fault):
                return accepted.bind(name, positional, keywords)
        named = [each for each in self.signatures if keywords.keys() <= set(each.names)]
        return (*named, self.signature)[0].bind(name, positional, keywords)


def function(
    names: str,
    arguments: str,
    shape: Rule | None = None,
    also: tuple[str, ...] = (),
    counts: bool = False,
    since: Since = ALWAYS,
    traits: Trait = Trait.NONE,
    takes: str = "",
    mult_adds: Callable[..., Any] | None = None,
    writes: Mapping[str, str] = MappingProxyType({}),
) -> Function:
    """The entry of a function that goes by all of `names`: `"torch.flatten Tensor.flatten"`."""
    return Function(
        tuple(names.split()),
        arguments,
        shape,
        also,
        counts,
        since,
        traits,
        takes,
        mult_adds,
        writes,
    )


def is_spatial(name: str) -> bool:
    """Whether a layer or function works on channels with positions, as torch's names tell: Conv2d, avg_pool2d."""
    return re.search(r"\w[123]d$", name) is not None


def both(names: str) -> str:
    """The names of functions of torch that tensors have as methods too."""
    return " ".join(f"torch.{name} Tensor.{name}" for name in names.split())


def apply_rule(rule: Rule, values: Mapping[str, Any]) -> Any:
    """Call a shape rule with those of `values` that it names."""
    return rule(**{name: values[name] for name in rule_names(rule) if name in values})


def rule_names(rule: Rule) -> tuple[str, ...]:
    """What a shape rule takes."""
    code = rule.__code__
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def tensors_in(values: Any) -> list[Tensor]:
    """The tensors in a value, however nested."""
    if isinstance(values, Tensor):
        return [values]
    if isinstance(values, Mapping):
        values = list(values.values())
    if isinstance(values, (tuple, list)):
        return [tensor for value in values for tensor in tensors_in(value)]
    return []
