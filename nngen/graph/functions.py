"""What a line of Python can reach: `torch.…`, `F.…`, and a tensor's attributes and methods."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nngen.catalog import FUNCTIONS, namespace
from nngen.catalog.entry import Function, apply_rule, tensors_in
from nngen.errors import Fault, did_you_mean
from nngen.tensors import DTYPES, UNKNOWN, Tensor


@dataclass(frozen=True)
class Namespace:
    """`torch` or `F`."""

    name: str


@dataclass(frozen=True)
class Word:
    """A dtype or device, which only passes through."""

    text: str


NAMESPACES = {"torch": Namespace("torch"), "F": Namespace("F")}


def attribute(value: Any, name: str) -> Any:
    """`value.name` in a line of Python.

    Raises:
        Fault: the catalog has no such function, method or attribute.
    """
    if isinstance(value, Namespace):
        return _member(value, name)
    if isinstance(value, Tensor):
        return _tensor_attribute(value, name)
    if value is UNKNOWN:
        raise Fault(f"{name!r} of a value that is known only at run time")
    raise Fault(f"only tensors, torch and F have attributes here, so there is no {name!r}")


def _member(space: Namespace, name: str) -> Any:
    entry = FUNCTIONS.get(f"{space.name}.{name}")
    if entry is not None:
        return caller(entry, f"{space.name}.{name}")
    if space.name == "torch" and name in DTYPES:
        return Word(f"torch.{name}")
    known = namespace(space.name)
    raise Fault(f"{space.name}.{name} is not in nngen's catalog", did_you_mean(name, known))


def _tensor_attribute(tensor: Tensor, name: str) -> Any:
    if name == "shape":
        if tensor.shape is None:
            raise Fault("the shape of this value cannot be told before the model runs")
        return tensor.shape
    if name in ("dtype", "device"):
        return Word(name)
    entry = FUNCTIONS.get(f"Tensor.{name}")
    if entry is None:
        hint = did_you_mean(name, (*namespace("Tensor"), "shape"))
        if name.endswith("_") and f"Tensor.{name[:-1]}" in FUNCTIONS:
            hint = f"{name!r} works in place and could change a value that is used again; use {name[:-1]!r}"
        raise Fault(f"Tensor.{name} is not in nngen's catalog", hint)
    call = caller(entry, f"Tensor.{name}")
    return lambda *arguments, **keywords: call(tensor, *arguments, **keywords)


def caller(entry: Function, name: str) -> Callable[..., Any]:
    """The function as lines call it: arguments checked, the result's shape by its rule."""

    def call(*arguments: Any, **keywords: Any) -> Any:
        values = entry.signature.bind(name, arguments, keywords)
        if (
            "training" in values
            and "training" not in keywords
            and len(arguments) <= entry.signature.names.index("training")
        ):
            raise Fault(
                f"{name} without `training` does not follow train and eval mode",
                f"write `{name}(…, training=training)`, or use the layer",
            )
        tensors = tensors_in(values)
        if entry.shape is None or any(tensor.shape is None for tensor in tensors):
            return Tensor(None, tensors[0].dtype if tensors else "float32")
        try:
            return apply_rule(entry.shape, values)
        except Fault as fault:
            raise Fault(f"{name}: {fault.message}", fault.hint) from None

    return call
