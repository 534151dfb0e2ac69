"""Shape rules beside torch: the same shapes, and the same refusals.

torch is asked on its meta device, which follows shapes without computing, or on the CPU where meta checks less.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from torch import nn

from nngen.catalog import FUNCTIONS, LAYERS, outputs
from nngen.catalog.entry import apply_rule, tensors_in
from nngen.catalog.fragments import fragment
from nngen.catalog.partial_evaluation import Folder
from nngen.errors import Fault
from nngen.symbolic.sizes import Size, symbol, to_text, value_of
from nngen.symbolic.tensor import Tensor

REFUSED = "refused"
TORCH_REFUSES = (RuntimeError, ValueError, IndexError, TypeError, ZeroDivisionError)
many = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
Draw = Callable[..., Any]


def _shapes(result: Any) -> Any:
    """The shapes of what torch gave; an empty result counts as refused, as it is of no use."""
    outputs = result if isinstance(result, tuple) else (result,)
    shapes = [tuple(output.shape) for output in outputs]
    return REFUSED if any(0 in shape for shape in shapes) else shapes


def torch_layer(
    name: str, arguments: Mapping[str, Any], inputs: Any, call: Any, device: str
) -> Any:
    try:
        with torch.device(device), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _shapes(getattr(nn, name)(**arguments)(*_tensors(inputs, device), **call))
    except TORCH_REFUSES:
        return REFUSED


def _tensors(inputs: Any, device: str) -> list[torch.Tensor]:
    return [torch.zeros(s, device=device, dtype=getattr(torch, dtype)) for s, dtype in inputs]


def _layer(name: str, arguments: Mapping[str, Any], inputs: Any, call: Any) -> Any:
    """The shapes by the entry's checks and rule, its sizes as they are or under names."""
    entry = LAYERS[name]
    values = {a.name: arguments.get(a.name, a.default) for a in entry.signature}
    folder = Folder(values)
    if any(folder.value(fragment(check.condition)) is False for check in entry.checks):
        return REFUSED
    flowing = [Tensor(shape, dtype) for shape, dtype in inputs]
    taken = {a.name: call.get(a.name, a.default) for a in entry.inputs}
    taken |= dict(zip(entry.inputs.names, flowing))
    return _followed(lambda: outputs.output(entry, {**values, **taken}))


def _followed(rule: Callable[[], Any]) -> Any:
    try:
        return [tensor.shape for tensor in tensors_in(rule())]
    except Fault:
        return REFUSED


def _numbers(shapes: Any) -> Any:
    if shapes == REFUSED or any(shape is None for shape in shapes):
        return shapes
    return [tuple(map(value_of, shape)) for shape in shapes]


class _Named:
    """Gives every whole number a name of its own, with or without its value."""

    def __init__(self, known: bool = True) -> None:
        self.known = known
        self.values: dict[str, int] = {}

    def __call__(self, value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(self, value))
        if isinstance(value, bool) or not isinstance(value, int):
            return value
        name = f"s{len(self.values)}"
        self.values[name] = value
        return symbol(name, value if self.known else None)

    def put(self, size: Any) -> Any:
        if not isinstance(size, Size):
            return size
        return eval(to_text(size), {"min": min, "max": max}, dict(self.values))


def compare(
    name: str,
    arguments: dict[str, Any],
    inputs: list[Any],
    call: Mapping[str, Any] | None = None,
    device: str = "meta",
) -> None:
    """The rule and torch agree, on numbers as on named sizes."""
    expected = torch_layer(name, arguments, inputs, call or {}, device)
    assert _layer(name, arguments, inputs, call or {}) == expected
    named = _Named()
    arguments, call = _renamed(arguments, named), _renamed(call or {}, named)
    found = _layer(name, arguments, [(named(shape), dtype) for shape, dtype in inputs], call)
    if name.startswith("Fractional") and found == [None] * len(found):
        return  # a named size times a ratio has no expression
    assert _numbers(found) == expected


def compare_open(
    name: str,
    arguments: dict[str, Any],
    inputs: list[Any],
    call: Mapping[str, Any] | None = None,
    device: str = "meta",
) -> None:
    """Also where the last size of the input is open: the expression found gives what torch gives."""
    compare(name, arguments, inputs, call, device)
    expected = torch_layer(name, arguments, inputs, call or {}, device)
    if expected == REFUSED:
        return
    named = _Named(known=False)
    last = named(inputs[0][0][-1])
    found = _layer(
        name, arguments, [((*shape[:-1], last), dtype) for shape, dtype in inputs], call or {}
    )
    assert found != REFUSED
    if None not in found:
        assert [tuple(map(named.put, shape)) for shape in found] == expected


def _renamed(values: Mapping[str, Any], named: _Named) -> dict[str, Any]:
    return {key: named(value) for key, value in values.items()}


def compare_function(name: str, arguments: Mapping[str, Any]) -> None:
    """`arguments` as torch takes them, a tensor as its shape or as a pair of shape and dtype in a list."""
    entry = FUNCTIONS[f"F.{name}"]
    given_ = {
        key: (
            torch.zeros(value[0], dtype=getattr(torch, value[1]))
            if isinstance(value, list)
            else value
        )
        for key, value in arguments.items()
    }
    try:
        expected = _shapes(getattr(F, name)(**given_))
    except TORCH_REFUSES:
        expected = REFUSED
    values = {
        key: Tensor(value[0], value[1]) if isinstance(value, list) else value
        for key, value in arguments.items()
    }
    try:
        bound = entry.signature.bind(name, (), values)
    except Fault:
        found = REFUSED
    else:
        found = _followed(lambda: apply_rule(entry.shape, bound))
    assert found == expected


def tensor(*shape: int, dtype: str = "float32") -> list[Any]:
    return [shape, dtype]


# Drawing arguments


def spread(dims: int, item: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """One for all dimensions, or one for each."""
    return st.one_of(item, st.tuples(*[item] * dims))


def some(draw: Draw, **arguments: st.SearchStrategy[Any]) -> dict[str, Any]:
    """Each argument drawn, or left out."""
    return {name: draw(item) for name, item in arguments.items() if draw(st.booleans())}


def whole(low: int, high: int) -> st.SearchStrategy[int]:
    return st.integers(low, high)


def shape_of_input(draw: Draw, dims: int, channels: int) -> tuple[int, ...]:
    positions = tuple(draw(st.lists(whole(1, 9), min_size=dims, max_size=dims)))
    before = draw(st.sampled_from([(2, channels)] * 6 + [(channels,)] * 3 + [(), (2, 2, channels)]))
    return (*before, *positions)


def floats(shape: tuple[int, ...]) -> tuple[tuple[int, ...], str]:
    return shape, "float32"


def averages_any_rank(kind: str, output_size: Any, shape: tuple[int, ...], dims: int) -> bool:
    """To one position torch takes a mean, of inputs of any rank; nngen wants those that torch documents."""
    wanted = output_size if isinstance(output_size, tuple) else (output_size,) * dims
    sizes = [have if want is None else want for have, want in zip(shape[-dims:], wanted)]
    right = len(shape) in (dims + 1, dims + 2)
    return kind.lower() == "avg" and not right and all(size == 1 for size in sizes)
