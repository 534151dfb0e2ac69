"""What a line of Python can reach: `torch.…`, `F.…`, and a tensor's attributes and methods."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from nngen.catalog import FUNCTIONS, LAYERS, elsewhere, namespace
from nngen.catalog.entry import Function, apply_rule, tensors_in
from nngen.errors import Fault, did_you_mean
from nngen.symbolic.dtypes import ALIASES, DTYPES
from nngen.symbolic.mathematics import NUMBERS, Module
from nngen.symbolic.rules import elementwise, reshaping
from nngen.symbolic.rules.common import RunTimeSize
from nngen.symbolic.rules.reductions import Bounds, Ordered
from nngen.symbolic.tensor import UNKNOWN, Device, Dtype, Tensor, unsized, wherever


@dataclass(frozen=True)
class Namespace:
    """`torch`, `F`, or a part of torch such as `torch.linalg`."""

    name: str

    def __repr__(self) -> str:
        return self.name


@dataclass(frozen=True)
class FloatInfo:
    """`torch.finfo(dtype)`."""

    dtype: str


NAMESPACES = {name: Namespace(name) for name in ("torch", "F", "nn")}
# What lines reach by a name that no step gave.
NAMES: dict[str, Any] = {**NUMBERS, **NAMESPACES}
_CONSTANTS = {"inf": math.inf, "nan": math.nan, "pi": math.pi, "e": math.e}
ONLY_FUNCTIONS = (
    "a line calls functions of torch and F that make tensors of tensors: `y = torch.relu(x)`"
)
_LIMITS = ("min", "max", "eps", "tiny", "smallest_normal")

_ATTRIBUTES: dict[str, Callable[[Tensor], Any]] = {
    "shape": lambda tensor: UNKNOWN if tensor.shape is None else tensor.shape,
    "ndim": lambda tensor: UNKNOWN if tensor.shape is None else len(tensor.shape),
    "dtype": lambda tensor: Dtype(tensor.dtype),
    "device": lambda tensor: Device(),
    "T": lambda tensor: _followed(tensor, reshaping.reversed_matrix),
    "mT": lambda tensor: _followed(tensor, reshaping.transposed_matrix),
    "real": elementwise.real_part,
    "imag": elementwise.imaginary_part,
}


@cache
def attribute_names() -> frozenset[str]:
    """All attributes and methods that a value may have."""
    fields = (*Ordered._fields, *Bounds._fields)
    return frozenset((*namespace("Tensor"), *_ATTRIBUTES, *_LIMITS, *fields))


def attribute(value: Any, name: str) -> Any:
    """`value.name` in a line of Python.

    Raises:
        Fault: the catalog has no such function, method or attribute.
    """
    if isinstance(value, Namespace):
        return _member(value, name)
    if isinstance(value, Module):
        return value.member(name)
    if isinstance(value, Tensor):
        return _tensor_attribute(value, name)
    if value is UNKNOWN:
        raise Fault(f"{name!r} of a value that is known only at run time")
    if isinstance(value, FloatInfo) and name in _LIMITS:
        return math.ulp(0.0)  # a float; which one, the dtype tells when the model runs
    if name in getattr(value, "_fields", ()):
        return getattr(value, name)
    raise Fault(f"only tensors, torch and F have attributes here, so there is no {name!r}")


def _member(space: Namespace, name: str) -> Any:
    full = f"{space.name}.{name}"
    if full in FUNCTIONS:
        return Caller(FUNCTIONS[full], full)
    if any(known.startswith(full + ".") for known in FUNCTIONS):
        return Namespace(full)
    if space == NAMESPACES["torch"]:
        if ALIASES.get(name, name) in DTYPES:
            return Dtype(ALIASES.get(name, name))
        if name in _CONSTANTS:
            return _CONSTANTS[name]
        if name == "finfo":
            return _finfo
    if full in ("torch.nn", "nn.functional"):
        hint = "torch.nn.functional is called `F`: `F.relu(x)`; a layer is a step of its own"
        raise Fault(f"a line has no {full}", hint)
    if space == NAMESPACES["nn"]:
        found = (name,) if name in LAYERS else elsewhere.family(name)
        step = f"`- {found[0] if found else 'Linear'} as layer: …`, and then `y = layer(x)`"
        raise Fault("a line cannot build a layer", f"a layer is a step of its own: {step}")
    if name.endswith("_") and f"{full[:-1]}" in FUNCTIONS:
        hint = f"it works in place and could change a value that is used again; use {full[:-1]}"
        raise Fault(f"{full} cannot stand in a line", hint)
    hint = did_you_mean(name, namespace(space.name))
    raise Fault(f"{full} is not in nngen's catalog", hint or ONLY_FUNCTIONS)


def _finfo(dtype: Any) -> FloatInfo:
    if not isinstance(dtype, Dtype) or "float" not in dtype.name:
        raise Fault("torch.finfo takes a dtype of floats", "`torch.finfo(x.dtype).min`")
    return FloatInfo(dtype.name)


def _tensor_attribute(tensor: Tensor, name: str) -> Any:
    if name in _ATTRIBUTES:
        return _ATTRIBUTES[name](tensor)
    entry = FUNCTIONS.get(f"Tensor.{name}")
    if entry is None:
        hint = did_you_mean(name, (*namespace("Tensor"), *_ATTRIBUTES))
        if name.endswith("_") and f"Tensor.{name[:-1]}" in FUNCTIONS:
            hint = f"{name!r} works in place and could change a value that is used again; use {name[:-1]!r}"
        raise Fault(f"Tensor.{name} is not in nngen's catalog", hint)
    return Caller(entry, f"Tensor.{name}", (tensor,))


def _followed(tensor: Tensor, rule: Callable[[Tensor], Tensor]) -> Tensor:
    return unsized(tensor.dtype, tensor) if tensor.shape is None else rule(tensor)


@dataclass(frozen=True)
class Caller:
    """A function as lines call it: arguments checked, the result's shape by its rule.

    Attributes:
        entry: the catalog's.
        name: what messages call it.
        given: of a method, the tensor.
    """

    entry: Function
    name: str
    given: tuple[Tensor, ...] = ()

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """What it gives.

        Raises:
            Fault: it does not take that.
        """
        entry, name, arguments = self.entry, self.name, (*self.given, *arguments)
        values = entry.bind(name, arguments, keywords)
        if (
            "training" in values
            and "training" not in keywords
            and len(arguments) <= entry.signature.names.index("training")
        ):
            raise Fault(
                f"{name} without `training` does not follow train and eval mode",
                f"write `{name}(…, training=training)`, or use the layer",
            )
        return _result(entry, name, values)

    def words(self, argument: str) -> tuple[str, ...]:
        """The words that an argument may be, by its name, or by its place in the call."""
        found: list[str] = []
        for accepted in self.entry.signatures:
            listed = accepted.names[len(self.given) :]
            place = int(argument) if argument.isdigit() else -1
            name = listed[place] if 0 <= place < len(listed) else argument
            found += accepted[name].kind.words if name in listed else ()
        return tuple(dict.fromkeys(found))


def _result(entry: Function, name: str, values: dict[str, Any]) -> Any:
    tensors = tensors_in(values)
    dtype = tensors[0].dtype if tensors else "float32"
    unknown = UNKNOWN if entry.counts else unsized(dtype, *tensors)
    if entry.shape is None or _undecided(entry, values):
        return unknown
    rule = partial(apply_rule, entry.shape)
    vague = any(tensor.shape is None for tensor in tensors)
    try:
        result = wherever(values, rule) if vague else rule(values)
        return unknown if result is UNKNOWN else result
    except RunTimeSize:
        return unknown
    except Fault as fault:
        raise Fault(f"{name}: {fault.message}", fault.hint) from None


def _undecided(entry: Function, values: dict[str, Any]) -> bool:
    """Whether a size or flag that shapes the result is known only when the model runs."""
    bound = next(each for each in entry.signatures if each.names == tuple(values))
    return any(
        UNKNOWN in (value if isinstance(value, tuple) else (value,))
        for argument in bound
        if argument.name != "training" and not argument.kind.takes(0.5)
        for value in (values[argument.name],)
    )
