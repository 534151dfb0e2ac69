"""Expressions of a spec: sizes and lines of Python, parsed to a checked tree, evaluated, and printed back.

The language is a small part of Python's. What is not listed in `_ALLOWED` is refused before anything looks at it, and
text reaches the generated code only by being printed from the tree.
"""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass
from typing import TypeAlias

from nngen.errors import Fault, Mark, SpecError
from nngen.symbolic.identifiers import identifier, is_identifier

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
    """A checked expression and the place in the spec where it stands.

    Attributes:
        mark: where the value begins in which it stands.
        start: the character of that value with which it begins.
    """

    tree: ast.expr
    mark: Mark
    start: int = 0

    def fault(self, fault: Fault) -> SpecError:
        return SpecError(fault.message, place(self.mark, fault.node, self.start), fault.hint)


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


def place(mark: Mark, node: object, start: int = 0) -> Mark:
    """The mark moved to where `node` stands in a value that begins at `mark`."""
    mark = getattr(node, "mark", mark)  # an item of a list has a place of its own
    return mark.moved(node, start) if hasattr(node, "col_offset") else mark


def marked(tree: ast.expr, mark: Mark) -> ast.expr:
    """The tree, each node of which remembers the value that it stands in: one that becomes a part of another."""
    for node in ast.walk(tree):
        vars(node).setdefault("mark", mark)
    return tree


def parse(text: str, mark: Mark, start: int = 0) -> Expression:
    """Parse and check an expression.

    Args:
        text: the expression.
        mark: where the value begins in which it stands.
        start: the character of that value with which it begins.

    Raises:
        SpecError: it is no Python, or holds what the language does not have.
    """
    body = _parse(text, mark, "eval", start)
    assert isinstance(body, ast.Expression)
    return _check(body.body, mark, start)


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
    value = _check(statement.value, mark)
    return Line(_target(statement.targets[0], mark), value)


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


def _numbered(text: str) -> str:
    """The hint where a line names a layer in a container as its key does."""
    found = re.search(r"(?<![\w.])[A-Za-z]\w*(?:\.\w+)*\.[0-9]+(?![\w.])", text)
    return f"in a line, {found[0]} is {identifier(found[0])}" if found else ""


def _parse(text: str, mark: Mark, mode: str, start: int = 0) -> ast.AST:
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
        raise SpecError(
            f"{shorten(text)} is not valid Python: {error.msg}",
            mark.moved(_culprit(error, text.strip()), start),
            _CUT if str(error.msg).endswith("was never closed") else _numbered(text),
        ) from None
    except (ValueError, RecursionError, MemoryError, OverflowError):
        raise SpecError(f"{shorten(text)} is not an expression that can be read", mark) from None


# A bracket that the text opens and does not close stands most often in a flow mapping or list of YAML.
_CUT = "close it; where YAML has { } or [ ] around, a comma ends the value: put the expression in quotes"


def _culprit(error: SyntaxError, text: str) -> ast.AST:
    """The place that Python complains of, as a node has it: in bytes."""
    row = (text.split("\n") + [""])[min(max((error.lineno or 1) - 1, 0), text.count("\n"))]
    before = row[: max((error.offset or 1) - 1, 0)]
    return ast.Name("", lineno=error.lineno or 1, col_offset=len(before.encode(errors="replace")))


def _check_depth(tree: ast.AST, mark: Mark) -> None:
    level, depth = [tree], 0
    while level:
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        depth += 1
        if depth > MAX_DEPTH:
            raise SpecError(f"the expression is nested more than {MAX_DEPTH} deep", mark)


def _check(tree: ast.expr, mark: Mark, start: int = 0) -> Expression:
    """The expression, which must be of the language."""
    _check_depth(tree, mark)
    found = Expression(tree, mark, start)
    try:
        if isinstance(tree, ast.Starred):
            shown = shorten(ast.unparse(tree))
            raise Fault(f"{shown} is not a value", "write the value without `*`", tree)
        for node in ast.walk(tree):
            _check_node(node)
    except Fault as fault:
        raise found.fault(fault) from None
    return found


def _check_node(node: ast.AST) -> None:
    if not isinstance(node, _ALLOWED):
        raise Fault(f"{_describe(node)} cannot stand in a spec's expression", node=node)
    if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
        raise Fault(
            f"{node.attr!r} is a private attribute; a spec cannot use it",
            "a tensor has shape, dtype, … and the methods of the catalog: `x.flatten(1)`",
            node,
        )
    if isinstance(node, ast.Name) and node.id.startswith("_"):
        raise Fault(f"{node.id!r} is a private name; a spec cannot use it", node=node)
    if isinstance(node, ast.Name) and not is_identifier(node.id):
        message = f"{node.id!a} holds a character that a name cannot have"
        raise Fault(message, "write letters, digits and `_`", node)
    if isinstance(node, ast.Call):
        names = [keyword.arg for keyword in node.keywords]
        repeated = next((name for name in names if names.count(name) > 1), None)
        if repeated is not None:
            raise Fault(f"{repeated!r} is given twice", node=node)
    if isinstance(node, ast.keyword) and node.arg is None:
        hint = "write each argument by its name"
        raise Fault("`**` cannot stand in a spec's expression", hint, node)
    if isinstance(node, ast.Dict) and not all(
        isinstance(k, ast.Constant) and isinstance(k.value, str) for k in node.keys
    ):
        raise Fault("the keys of a dict must be strings", node=node)
    if isinstance(node, ast.Constant):
        _check_constant(node)


def _check_constant(node: ast.Constant) -> None:
    value = node.value
    if isinstance(value, (bytes, complex)):
        raise Fault(f"{_describe(node)} cannot stand in a spec's expression", node=node)
    if isinstance(value, int) and abs(value) >= MAX_NUMBER:
        raise Fault("the number is too large", node=node)
    if isinstance(value, str) and (len(value) > 200 or not value.isprintable()):
        raise Fault("a string may have at most 200 characters, all printable", node=node)


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


def name(text: str) -> ast.expr:
    """A variable that is read."""
    return ast.Name(text, ast.Load())


def dotted(first: str, *names: str) -> ast.expr:
    """A name with attributes: `nn.init.zeros_`."""
    tree = name(first)
    for each in names:
        tree = ast.Attribute(tree, each, ast.Load())
    return tree


def assign(target: Target, value: ast.expr) -> ast.Assign:
    """The statement that gives a target a value."""
    return ast.Assign([_stored(target)], value)


def _stored(target: Target) -> ast.expr:
    if isinstance(target, str):
        return ast.Name(target, ast.Store())
    return ast.Tuple([_stored(part) for part in target], ast.Store())
