"""Expressions of a spec: sizes and lines of Python, parsed to a checked tree, evaluated, and printed back.

The language is a small part of Python's. What is not listed in `_ALLOWED` is refused before anything looks at it, and
text reaches the generated code only by being printed from the tree.
"""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from nngen.errors import Fault, Mark, SpecError
from nngen.identifiers import is_identifier

MAX_LENGTH = 2_000
MAX_NUMBER = 2**63
MAX_DEPTH = 100  # what walks a tree calls itself several times for each level

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
            f"{shorten(text)} is neither a layer nor a line of the form `name = expression`",
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
        f"a line can bind names only, not {shorten(ast.unparse(node))}",
        place(mark, node),
        "write `y = …` or `a, b = …`",
    )


def shorten(text: str) -> str:
    """A text as a message quotes it."""
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
            f"{shorten(text)} is not valid Python: {error.msg}",
            moved if mark.line else mark,
        ) from None
    except (ValueError, RecursionError, MemoryError, OverflowError):
        raise SpecError(f"{shorten(text)} is not an expression that can be read", mark) from None


def _check_depth(tree: ast.AST, mark: Mark) -> None:
    level, depth = [tree], 0
    while level:
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        depth += 1
        if depth > MAX_DEPTH:
            raise SpecError(f"the expression is nested more than {MAX_DEPTH} deep", mark)


def _check(tree: ast.AST, mark: Mark) -> None:
    _check_depth(tree, mark)
    if isinstance(tree, ast.Starred):
        _refuse(
            tree, mark, f"{shorten(ast.unparse(tree))} is no value", "write the value without `*`"
        )
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
        if isinstance(node, ast.Name) and not is_identifier(node.id):
            message = f"{node.id!a} holds a character that a name cannot have"
            _refuse(node, mark, message, "write letters, digits and `_`")
        if isinstance(node, ast.Call):
            names = [keyword.arg for keyword in node.keywords]
            repeated = next((name for name in names if names.count(name) > 1), None)
            if repeated is not None:
                _refuse(node, mark, f"{repeated!r} is given twice")
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
