"""Evaluating checked expressions: over sizes, and over tensors as a spec sees them."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from nngen.errors import BROKEN, Fault, Follows, Missing, did_you_mean, nearest
from nngen.symbolic.expressions import MAX_NUMBER, name, shorten
from nngen.symbolic.parts import Parts
from nngen.symbolic.sizes import Size, product
from nngen.symbolic.substitution import maximum, minimum
from nngen.symbolic.tensor import UNKNOWN, Tensor, compared

# What a name may stand for that is not a function.
_VALUES = (bool, int, float, str, tuple, list, Size, Tensor, type(None))

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.MatMult: operator.matmul,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}
SYMBOLS = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.MatMult: "@",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
}


def _max(*values: Any) -> Any:
    return _pairwise(maximum, max, values)


def _min(*values: Any) -> Any:
    return _pairwise(minimum, min, values)


def _pairwise(
    of_sizes: Callable[[Any, Any], Any],
    plain: Callable[[Any], Any],
    values: tuple[Any, ...],
) -> Any:
    if any(isinstance(value, float) for value in values):
        values = tuple(map(_number, values))
    if any(value is UNKNOWN for value in values):
        return UNKNOWN
    if not any(isinstance(value, Size) for value in values):
        return plain(values)
    result = values[0]
    for value in values[1:]:
        result = of_sizes(result, value)
    return result


def _sqrt(value: Any) -> Any:
    number = _number(value)
    return UNKNOWN if number is UNKNOWN else math.sqrt(number)


def _int(value: Any) -> Any:
    return value if value is UNKNOWN or isinstance(value, Size) else int(value)


def _abs(value: Any) -> Any:
    return maximum(value, -value) if isinstance(value, Size) else abs(value)


def _round(number: Any, ndigits: int | None = None) -> Any:
    if not isinstance(number, Size):
        return round(number, ndigits)
    if ndigits is not None and ndigits < 0:
        raise Fault("a size is not rounded to tens", "`size // 10 * 10`")
    return number


# What a size may be computed with, beside arithmetic.
SIZE_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "max": _max,
    "min": _min,
    "abs": _abs,
    "round": _round,
    "int": _int,
    "sqrt": _sqrt,
    "prod": product,
    "len": len,
}


class Evaluator:
    """Computes the value of a checked tree from the values of its names.

    Tensors, layers and functions take part through Python's own operators, attributes and calls; `scope` decides
    which of them there are.

    Args:
        scope: the names.
        attribute: what `value.name` is, for the values that have attributes.
    """

    def __init__(
        self,
        scope: Mapping[str, Any],
        attribute: Callable[[Any, str], Any] | None = None,
    ) -> None:
        self.scope = scope
        self.attribute = attribute

    def __call__(self, node: ast.expr) -> Any:
        """The value of `node`.

        Raises:
            Fault: it has none.
        """
        method = getattr(self, f"_{type(node).__name__.lower()}")
        try:
            return method(node)
        except Fault as fault:
            if fault.node is None:
                fault.node = node
            raise
        except ZeroDivisionError:
            raise Fault("division by zero", node=node) from None
        except RecursionError:
            raise Fault("the expression is nested too deeply", node=node) from None
        except (ArithmeticError, ValueError, TypeError, LookupError) as error:
            # A size is a whole number to whoever writes it.
            reason = str(error).replace("'Size'", "'int'")
            raise Fault(f"{shorten(ast.unparse(node))}: {reason}", node=node) from None

    def _constant(self, node: ast.Constant) -> Any:
        return known(node.value)

    def _name(self, node: ast.Name) -> Any:
        if node.id in self.scope:
            return known(self.scope[node.id])
        values = [name for name, value in self.scope.items() if isinstance(value, _VALUES)]
        known_here = self.scope if nearest(node.id, self.scope) else values
        raise Fault(f"there is no {node.id!r} here", did_you_mean(node.id, known_here), node)

    def _attribute(self, node: ast.Attribute) -> Any:
        value = self(node.value)
        if self.attribute is None:
            raise Fault(f"a size has no attribute {node.attr!r}", node=node)
        return self.attribute(value, node.attr)

    def _call(self, node: ast.Call) -> Any:
        function = self(node.func)
        if not callable(function):
            raise Fault(
                f"{ast.unparse(node.func)} is not a layer or function, it cannot be called",
                node=node,
            )
        arguments = self._items(node.args)
        keywords = {str(keyword.arg): self(keyword.value) for keyword in node.keywords}
        try:
            return self._applied(node, function, arguments, keywords)
        except Missing as fault:
            given = [*node.keywords, *(ast.keyword(each, name("…")) for each in fault.names)]
            fault.show(ast.unparse(ast.Call(node.func, node.args, given)))
            raise

    def _applied(
        self,
        node: ast.Call,
        function: Callable[..., Any],
        arguments: list[Any],
        keywords: dict[str, Any],
    ) -> Any:
        """What a call gives."""
        return function(*arguments, **keywords)

    def _items(self, nodes: list[ast.expr]) -> list[Any]:
        items: list[Any] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                given = self(node.value)
                items.extend(given.taken() if isinstance(given, Parts) else given)
            else:
                items.append(self(node))
        return items

    def _tuple(self, node: ast.Tuple) -> tuple[Any, ...]:
        return tuple(self._items(node.elts))

    def _list(self, node: ast.List) -> list[Any]:
        return self._items(node.elts)

    def _dict(self, node: ast.Dict) -> dict[str, Any]:
        return {
            str(key.value): self(value)
            for key, value in zip(node.keys, node.values)
            if isinstance(key, ast.Constant)
        }

    def _subscript(self, node: ast.Subscript) -> Any:
        value, index = self(node.value), self(node.slice)
        if value is UNKNOWN:
            return UNKNOWN
        if not hasattr(value, "__getitem__"):
            raise Fault(f"{ast.unparse(node.value)} cannot be indexed", node=node)
        if isinstance(value, dict) and isinstance(index, str) and index not in value:
            raise Fault(f"there is no {index!r} in it", did_you_mean(index, value), node)
        return value[index]

    def _slice(self, node: ast.Slice) -> slice:
        parts = (node.lower, node.upper, node.step)
        return slice(*(None if part is None else self(part) for part in parts))

    def _ifexp(self, node: ast.IfExp) -> Any:
        test = self(node.test)
        if test is UNKNOWN:
            body, otherwise = self(node.body), self(node.orelse)
            return body if type(body) is type(otherwise) and body == otherwise else UNKNOWN
        return self(node.body) if truth(test) else self(node.orelse)

    def _boolop(self, node: ast.BoolOp) -> Any:
        decides = isinstance(node.op, ast.Or)
        unknown = False
        value: Any = None
        for part in node.values:
            value = self(part)
            if value is UNKNOWN:
                unknown = True
            elif truth(value) is decides:
                # What stands before it may have decided, and only of bools it is known what that would have been.
                return UNKNOWN if unknown and not isinstance(value, bool) else value
        return UNKNOWN if unknown else value

    def _compare(self, node: ast.Compare) -> Any:
        left = self(node.left)
        if len(node.ops) > 1 and isinstance(left, Tensor):
            raise Fault("Python compares tensors two at a time only", "`(0 < x) & (x < 1)`", node)
        result: Any = True
        for op, comparator in zip(node.ops, node.comparators):
            right = self(comparator)
            outcome = compare(op, left, right)
            if outcome is False:
                return False
            result = outcome if outcome is not True else result
            left = right
        return result

    def _unaryop(self, node: ast.UnaryOp) -> Any:
        value = self(node.operand)
        if isinstance(node.op, ast.Not):
            return UNKNOWN if value is UNKNOWN else not truth(value)
        if value is UNKNOWN:
            return UNKNOWN
        if isinstance(value, (str, tuple, list, dict)) or value is None:
            raise Fault(f"{ast.unparse(node.operand)} is not a number", node=node)
        if isinstance(node.op, ast.USub):
            return -value
        return ~value if isinstance(node.op, ast.Invert) else +value

    def _binop(self, node: ast.BinOp) -> Any:
        left, right = self(node.left), self(node.right)
        if isinstance(node.op, ast.Div) or float in (type(left), type(right)):
            left, right = _number(left), _number(right)
        if left is UNKNOWN or right is UNKNOWN:
            # What is known only at run time is a number, and a number leaves a tensor's shape as it is.
            other = right if left is UNKNOWN else left
            return other if isinstance(other, Tensor) else UNKNOWN
        kinds = {type(left), type(right)}
        if kinds <= {tuple} or kinds <= {list}:
            if isinstance(node.op, ast.Add):
                return left + right
        elif not kinds & {str, tuple, list, dict, type(None), slice}:
            if isinstance(node.op, ast.Pow) and kinds <= {int, bool, float}:
                return _power(left, right)
            result = _BINARY[type(node.op)](left, right)
            if isinstance(result, int) and abs(result) >= MAX_NUMBER:
                raise Fault("the number is too large", node=node)
            return result
        raise Fault(f"{SYMBOLS[type(node.op)]!r} does not go with these values", node=node)


def known(value: Any) -> Any:
    """A value that no error has left unknown.

    Raises:
        Follows: one has.
    """
    if value is BROKEN:
        raise Follows
    return value


def truth(value: Any) -> bool:
    """Whether a value counts as true."""
    return bool(value.value if isinstance(value, Size) and value.value is not None else value)


def _number(value: Any) -> Any:
    """A size as the number that it is in this use: fractions are no sizes."""
    if not isinstance(value, Size):
        return value
    return UNKNOWN if value.value is None else value.value


def _power(base: float, exponent: float) -> Any:
    if abs(base) > 1 and abs(exponent) > 1024:
        raise Fault("the number is too large")
    result = base**exponent
    if isinstance(result, complex) or abs(result) >= MAX_NUMBER:
        raise Fault(
            "the number is too large"
            if not isinstance(result, complex)
            else "the number is not real"
        )
    return result


def compare(op: ast.cmpop, left: Any, right: Any) -> Any:
    """The outcome of a comparison; UNKNOWN where it depends on an open size or a run-time value."""
    if left is UNKNOWN or right is UNKNOWN:
        return UNKNOWN
    if isinstance(op, (ast.Is, ast.IsNot)):
        return _COMPARE[type(op)](left, right)
    if isinstance(left, Tensor) or isinstance(right, Tensor):
        return compared(left, right)
    if isinstance(left, Size) or isinstance(right, Size):
        if not (isinstance(left, (int, Size)) and isinstance(right, (int, Size))):
            left, right = (v.value if isinstance(v, Size) else v for v in (left, right))
            return UNKNOWN if None in (left, right) else _COMPARE[type(op)](left, right)
        difference = left - right
        value = difference if isinstance(difference, int) else difference.value
        return UNKNOWN if value is None else _COMPARE[type(op)](value, 0)
    return _COMPARE[type(op)](left, right)
