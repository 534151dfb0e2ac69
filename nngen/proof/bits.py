"""Values of two models, compared bit for bit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf

import torch
from torch import Tensor

type_of_bits = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


@dataclass(frozen=True)
class Container:
    """A tuple, list or dict in a model's output: its type, and its length or keys."""

    kind: str
    holds: tuple[object, ...]

    def __str__(self) -> str:
        return f"{self.kind} of {', '.join(map(str, self.holds))}"


def leaves(value: object, path: str) -> Iterator[tuple[str, object]]:
    """The tensors, numbers and containers of a nested value with their paths, in order."""
    if isinstance(value, Mapping):
        yield path, Container(type(value).__name__, tuple(value))
        for key, item in value.items():
            yield from leaves(item, f"{path}[{key!r}]")
    elif isinstance(value, (tuple, list)):
        yield path, Container(type(value).__name__, (len(value),))
        for i, item in enumerate(value):
            yield from leaves(item, f"{path}[{i}]")
    else:
        yield path, value


def frozen(value: object) -> object:
    """The value as it is now: what runs later may change a tensor in place."""
    return value.detach().clone() if isinstance(value, Tensor) else value


def count(value: object) -> int:
    """How many values this is; None and a container hold none of their own."""
    if isinstance(value, Tensor):
        return value.numel()
    return 0 if value is None or isinstance(value, Container) else 1


def difference(one: object, other: object, names: Sequence[str] = ("nn", "functional")) -> str:
    """Where and how two values part; empty where every bit is the same.

    Args:
        one, other: the values.
        names: what they are called.
    """
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return _between_tensors(one, other, names)
    if isinstance(one, float) and isinstance(other, float):
        return _between_tensors(_exact(one), _exact(other), names)
    if type(one) is type(other) and one == other:
        return ""
    return f": {names[0]} {_said(one)}, {names[1]} {_said(other)}"


def _exact(number: float) -> Tensor:
    return torch.tensor(number, dtype=torch.float64)


def _between_tensors(one: Tensor, other: Tensor, names: Sequence[str]) -> str:
    for what, said in (("dtype ", _dtype), ("shape ", _shape), ("", _layout)):
        if said(one) != said(other):
            return f": {what}{said(one)} in {names[0]}, {said(other)} in {names[1]}"
    bits, other_bits = as_integers(one), as_integers(other)
    if torch.equal(bits, other_bits):
        return ""
    apart = bits != other_bits
    if one.is_complex():
        apart = apart.any(dim=-1)
    first = tuple(apart.nonzero()[0].tolist())
    index = f"[{', '.join(map(str, first))}]" if first else ""
    values = _both(one.to_dense()[first], other.to_dense()[first], names)
    return f"{index}: {values}; {int(apart.sum()):,} of {one.numel():,} values differ"


def distance(nn: object, functional: object) -> tuple[float, bool]:
    """The largest absolute difference of two values, and whether rounding explains it.

    It is infinite where there is no number to give: beside a NaN, or between other shapes.
    """
    if not difference(nn, functional):
        return 0.0, True
    if not (isinstance(nn, Tensor) and isinstance(functional, Tensor)):
        return inf, False
    if nn.dtype != functional.dtype or nn.shape != functional.shape:
        return inf, False
    wide = torch.complex128 if nn.is_complex() else torch.float64
    one, other = (tensor.to_dense().to(wide) for tensor in (nn, functional))
    apart = torch.where(one == other, 0.0, (one - other).abs())
    furthest = float(torch.where(one.isnan() & other.isnan(), 0.0, apart).nan_to_num(inf).max())
    rough = min(1000 * torch.finfo(nn.dtype).eps, 0.1) if nn.dtype.is_floating_point else 0.0
    return furthest, furthest <= rough * float(other.abs().max())


def as_integers(tensor: Tensor) -> Tensor:
    """The bits as integers: torch.equal on floats says NaN != NaN, and that -0.0 == 0.0."""
    tensor = tensor.detach().to_dense()
    if tensor.is_complex():
        tensor = torch.view_as_real(tensor.resolve_conj())
    if tensor.is_floating_point():
        tensor = tensor.view(type_of_bits[tensor.element_size()])
    return tensor


def _both(one: Tensor, other: Tensor, names: Sequence[str]) -> str:
    texts = [_number(one), _number(other)]
    if texts[0] == texts[1]:
        texts = [f"{_number(t)} (bits {as_integers(t).tolist()})" for t in (one, other)]
    return f"{names[0]} {texts[0]}, {names[1]} {texts[1]}"


def _number(tensor: Tensor) -> str:
    if not tensor.is_floating_point():
        return str(tensor.item())
    digits = {2: 5, 4: 9, 8: 17}.get(tensor.element_size(), 3)  # enough to tell any two
    return f"{tensor.item():.{digits}g}"


def _said(value: object) -> str:
    return f"a tensor {_shape(value)}" if isinstance(value, Tensor) else str(value)


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _layout(tensor: Tensor) -> str:
    return str(tensor.layout).removeprefix("torch.")


def _shape(tensor: Tensor) -> str:
    return str(tuple(tensor.shape))
