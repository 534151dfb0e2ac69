"""Python's own functions of numbers, and its module math, as expressions have them."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nngen.errors import Fault, Follows, did_you_mean
from nngen.symbolic.evaluator import SIZE_FUNCTIONS, Evaluator
from nngen.symbolic.sizes import Size, value_of
from nngen.symbolic.tensor import UNKNOWN, Tensor


@dataclass(frozen=True, repr=False)
class Function:
    """A function of numbers.

    Attributes:
        name: what messages call it.
        compute: the function.
        of_sizes: it takes sizes as they are; others take a size as the number that it is in this use.
        for_tensors: how the same is written of a tensor.
    """

    name: str
    compute: Callable[..., Any]
    of_sizes: bool = False
    for_tensors: str = ""

    def __repr__(self) -> str:
        return self.name

    def __call__(self, *values: Any) -> Any:
        """The function's value.

        Raises:
            Fault: it has none.
        """
        if any(isinstance(value, Tensor) for value in values):
            hint = f"`{self.for_tensors}`" if self.for_tensors else ""
            raise Fault(f"{self.name} takes numbers, not a tensor", hint)
        if not self.of_sizes:
            values = tuple(map(_number, values))
        return UNKNOWN if any(value is UNKNOWN for value in values) else self.compute(*values)


@dataclass(frozen=True, repr=False)
class Module:
    """A module of functions and constants."""

    name: str
    members: Mapping[str, Any]

    def __repr__(self) -> str:
        return self.name

    def member(self, name: str) -> Any:
        """`module.name`.

        Raises:
            Fault: expressions have no such member.
        """
        if name not in self.members:
            hint = did_you_mean(name, self.members)
            raise Fault(f"an expression has no {self.name}.{name}", hint)
        return self.members[name]


def _number(value: Any) -> Any:
    if not isinstance(value, Size):
        return value
    known = value_of(value)
    return UNKNOWN if known is None else known


def _float(value: Any = 0.0) -> float:
    if isinstance(value, str) and value.strip().lower().lstrip("+-") not in _WORDS:
        raise Fault(f"{value!r} is not a number", '`float("inf")`, or the number without quotes')
    return float(value)


_WORDS = ("inf", "infinity", "nan")

MATH = Module(
    "math",
    {
        "pi": math.pi,
        "e": math.e,
        "inf": math.inf,
        "nan": math.nan,
        "prod": Function(
            "math.prod", SIZE_FUNCTIONS["prod"], of_sizes=True, for_tensors="x.prod()"
        ),
        **{
            each.__name__: Function(
                f"math.{each.__name__}", each, for_tensors=f"torch.{each.__name__}(x)"
            )
            for each in (
                math.sqrt,
                math.exp,
                math.log,
                math.log2,
                math.log10,
                math.ceil,
                math.floor,
                math.gcd,
            )
        },
    },
)
_METHODS = {"max": "x.amax()", "min": "x.amin()", "int": "x.long()", "len": "x.shape[0]"}
NUMBERS: dict[str, Any] = {
    **{
        name: Function(name, function, of_sizes=True, for_tensors=_METHODS.get(name, f"x.{name}()"))
        for name, function in SIZE_FUNCTIONS.items()
    },
    "float": Function("float", _float, for_tensors="x.float()"),
    "math": MATH,
}
# Those whose value may be a whole number though what they are given is none: it forgets the sizes in it.
ROUNDING = frozenset(("int", "round", "math.ceil", "math.floor", "math.gcd"))


def attribute_of_number(value: Any, name: str) -> Any:
    """`value.name` where there are no tensors.

    Raises:
        Fault: there is no such attribute.
    """
    if isinstance(value, Module):
        return value.member(name)
    raise Fault(f"a size has no attribute {name!r}")


def value_in(tree: ast.expr, scope: Mapping[str, Any]) -> Any:
    """What an expression over sizes gives; UNKNOWN where that is open, or nothing."""
    try:
        return Evaluator({**NUMBERS, **scope}, attribute_of_number)(tree)
    except (Fault, Follows):
        return UNKNOWN
