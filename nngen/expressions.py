"""Expressions of a spec: sizes and lines of Python, parsed to a checked tree, evaluated, and printed back.

The language is a small part of Python's. What is not listed in `_ALLOWED` is refused before anything looks at it, and
text reaches the generated code only by being printed from the tree.
"""

from __future__ import annotations

import ast
import math
import operator
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias

from nngen.errors import Fault, Mark, SpecError, did_you_mean
from nngen.sizes import OpenSize, Size, maximum, minimum, product
from nngen.tensors import UNKNOWN, Tensor, compared

MAX_LENGTH = 2_000
MAX_NUMBER = 2**63

_ALLOWED: tuple[type[ast.AST], ...] = (
    *(
        ast.Constant,
        ast.Name,
        ast.Load,
        ast.Attribute,
        ast.Call,
        ast.keyword,
        ast.Starred,
    ),
    *(ast.Subscript, ast.Slice, ast.Tuple, ast.List, ast.Dict, ast.IfExp),
    *(
        ast.BinOp,
        ast.Add,
        ast.Sub,
        ast.Mult,
        ast.Div,
        ast.FloorDiv,
        ast.Mod,
        ast.Pow,
        ast.MatMult,
    ),
    *(
        ast.BitAnd,
        ast.BitOr,
        ast.BitXor,
        ast.UnaryOp,
        ast.UAdd,
        ast.USub,
        ast.Not,
        ast.Invert,
    ),
    *(
        ast.BoolOp,
        ast.And,
        ast.Or,
        ast.Compare,
        ast.Eq,
        ast.NotEq,
        ast.Lt,
        ast.LtE,
        ast.Gt,
        ast.GtE,
    ),
    *(ast.Is, ast.IsNot),
)


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression and the place in the spec where it stands."""

    tree: ast.expr
    mark: Mark

    def fault(self, fault: Fault) -> SpecError:
        return SpecError(fault.message, place(self.mark, fault.node), fault.hint)


# What a line binds: a name, or names within tuples.
Target: TypeAlias = "str | tuple[Target, ...]"


@dataclass(frozen=True, slots=True)
class Line:
    """`target = expression`, where the target may take the value apart: `y, (h, c) = lstm(x)`."""

    target: Target
    value: Expression

    @property
    def names(self) -> tuple[str, ...]:
        """All names that the line binds, in order."""
        return _names(self.target)


def _names(target: Target) -> tuple[str, ...]:
    if isinstance(target, str):
        return (target,)
    return tuple(name for part in target for name in _names(part))


def place(mark: Mark, node: object) -> Mark:
    """The mark moved to where `node` stands in an expression that begins at `mark`."""
    column = getattr(node, "col_offset", 0)
    if not column or not mark.line or getattr(node, "lineno", 1) != 1:
        return mark
    return Mark(mark.file, mark.line, mark.column + column, mark.path)


def parse(text: str, mark: Mark) -> Expression:
    """Parse and check an expression.

    Raises:
        SpecError: it is no Python, or holds what the language does not have.
    """
    body = _parse(text, mark, "eval")
    assert isinstance(body, ast.Expression)
    _check(body.body, mark)
    return Expression(body.body, mark)


def parse_line(text: str, mark: Mark) -> Line:
    """Parse and check a line `target = expression` or `a, b = expression`.

    Raises:
        SpecError: it is no such line.
    """
    body = _parse(text, mark, "exec")
    assert isinstance(body, ast.Module)
    if (
        len(body.body) != 1
        or not isinstance(body.body[0], ast.Assign)
        or len(body.body[0].targets) != 1
    ):
        hint = "write a step as a layer, `Linear: 10`, or as one line, `y = x + 1`"
        if len(body.body) == 1 and isinstance(body.body[0], ast.AugAssign):
            hint = "write `x = x + y`; a step in place could change a value that is used again"
        raise SpecError(
            f"{_short(text)} is neither a layer nor a line of the form `name = expression`",
            mark,
            hint,
        )
    statement = body.body[0]
    _check(statement.value, mark)
    return Line(_target(statement.targets[0], mark), Expression(statement.value, mark))


def _target(node: ast.expr, mark: Mark) -> Target:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, (ast.Tuple, ast.List)) and node.elts:
        return tuple(_target(part, mark) for part in node.elts)
    raise SpecError(
        f"a line can bind names only, not {_short(ast.unparse(node))}",
        place(mark, node),
        "write `y = …` or `a, b = …`",
    )


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _parse(text: str, mark: Mark, mode: str) -> ast.AST:
    if len(text) > MAX_LENGTH:
        raise SpecError(
            f"an expression may have at most {MAX_LENGTH} characters, this one has {len(text)}",
            mark,
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text.strip(), mode=mode)
    except SyntaxError as error:
        moved = Mark(
            mark.file,
            mark.line,
            mark.column + max((error.offset or 1) - 1, 0),
            mark.path,
        )
        raise SpecError(
            f"{_short(text)} is not valid Python: {error.msg}",
            moved if mark.line else mark,
        ) from None
    except (ValueError, RecursionError, MemoryError, OverflowError):
        raise SpecError(f"{_short(text)} is not an expression that can be read", mark) from None


def _check(tree: ast.AST, mark: Mark) -> None:
    for node in ast.walk(tree):
        if not isinstance(node, _ALLOWED):
            _refuse(node, mark, f"{_describe(node)} cannot stand in a spec's expression")
        if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            _refuse(
                node,
                mark,
                f"{node.attr!r} is a private attribute; a spec cannot use it",
                "a tensor has shape, dtype, … and the methods of the catalog: `x.flatten(1)`",
            )
        if isinstance(node, ast.Name) and node.id.startswith("_"):
            _refuse(node, mark, f"{node.id!r} is a private name; a spec cannot use it")
        if isinstance(node, ast.keyword) and node.arg is None:
            _refuse(
                node,
                mark,
                "`**` cannot stand in a spec's expression",
                "write each argument by its name",
            )
        if isinstance(node, ast.Dict) and not all(
            isinstance(k, ast.Constant) and isinstance(k.value, str) for k in node.keys
        ):
            _refuse(node, mark, "the keys of a dict must be strings")
        if isinstance(node, ast.Constant):
            _check_constant(node, mark)


def _check_constant(node: ast.Constant, mark: Mark) -> None:
    value = node.value
    if isinstance(value, (bytes, complex)):
        _refuse(node, mark, f"{_describe(node)} cannot stand in a spec's expression")
    if isinstance(value, int) and abs(value) >= MAX_NUMBER:
        _refuse(node, mark, "the number is too large")
    if isinstance(value, str) and (len(value) > 200 or not value.isprintable()):
        _refuse(node, mark, "a string may have at most 200 characters, all printable")


def _refuse(node: ast.AST, mark: Mark, message: str, hint: str = "") -> NoReturn:
    raise SpecError(message, place(mark, node), hint)


_WORDS = {
    ast.Lambda: "a lambda",
    ast.NamedExpr: "`:=`",
    ast.JoinedStr: "an f-string",
    ast.ListComp: "a comprehension",
    ast.GeneratorExp: "a comprehension",
    ast.SetComp: "a comprehension",
    ast.DictComp: "a comprehension",
    ast.Set: "a set",
    ast.Await: "`await`",
    ast.Yield: "`yield`",
    ast.In: "`in`",
    ast.NotIn: "`not in`",
}


def _describe(node: ast.AST) -> str:
    if isinstance(node, ast.Constant):
        return f"a {type(node.value).__name__} literal"
    return _WORDS.get(type(node), f"Python's {type(node).__name__}")


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
    if not any(isinstance(value, Size) for value in values):
        return plain(values)
    result = values[0]
    for value in values[1:]:
        result = of_sizes(result, value)
    return result


def _sqrt(value: Any) -> Any:
    number = _number(value)
    return UNKNOWN if number is UNKNOWN else math.sqrt(number)


# What a size may be computed with, beside arithmetic.
SIZE_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "max": _max,
    "min": _min,
    "abs": abs,
    "round": round,
    "int": int,
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
        except OpenSize as error:
            raise Fault(str(error), node=node) from None
        except ZeroDivisionError:
            raise Fault("division by zero", node=node) from None
        except RecursionError:
            raise Fault("the expression is nested too deeply", node=node) from None
        except (ArithmeticError, ValueError, TypeError, LookupError) as error:
            raise Fault(f"{_short(ast.unparse(node))}: {error}", node=node) from None

    def _constant(self, node: ast.Constant) -> Any:
        return node.value

    def _name(self, node: ast.Name) -> Any:
        if node.id in self.scope:
            return self.scope[node.id]
        raise Fault(f"there is no {node.id!r} here", did_you_mean(node.id, self.scope), node)

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
        return function(*arguments, **keywords)

    def _items(self, nodes: list[ast.expr]) -> list[Any]:
        items: list[Any] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                items.extend(self(node.value))
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
        return self(node.body) if test else self(node.orelse)

    def _boolop(self, node: ast.BoolOp) -> Any:
        decides = isinstance(node.op, ast.Or)
        unknown = False
        value: Any = None
        for part in node.values:
            value = self(part)
            if value is UNKNOWN:
                unknown = True
            elif bool(value) is decides:
                return value
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
            return UNKNOWN if value is UNKNOWN else not value
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
