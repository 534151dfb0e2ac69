"""Folding: a catalog fragment with what is known put in, and the branches that it decides taken.

`F.conv2d(input, weight, bias, stride=stride, …)` becomes `F.conv2d(x, self.conv1_weight, stride=2)`: names stand for
known values or for code, conditions that are decided disappear, and so do arguments that are the function's default.
"""

from __future__ import annotations

import ast
import math
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nngen.catalog import FUNCTIONS
from nngen.catalog.fragments import HELPERS
from nngen.errors import Fault
from nngen.symbolic.evaluator import SIZE_FUNCTIONS, Evaluator
from nngen.symbolic.sizes import Size, to_text
from nngen.symbolic.tensor import UNKNOWN, Code

# Where Python 3.10 opens a bracket around what an assignment or a loop binds.
_BOUND = re.compile(r"(?:^[ ]*|\bfor )\(", re.MULTILINE)

# What sizes are computed with that Python has in a module.
IN_MATH = {name: ast.parse(f"math.{name}", mode="eval").body for name in ("sqrt", "prod")}


def keep_name(name: str) -> str:
    return name


def literal(value: Any, rename: Callable[[str], str] = keep_name) -> ast.expr:
    """The code for a known value; the names in a size go through `rename`."""
    if isinstance(value, Size):
        return ast.parse(to_text(value, rename), mode="eval").body
    if isinstance(value, Code):
        return ast.parse(value.text, mode="eval").body
    if isinstance(value, (tuple, list)):
        make = ast.Tuple if isinstance(value, tuple) else ast.List
        return make([literal(item, rename) for item in value], ast.Load())
    if isinstance(value, float) and not math.isfinite(value):
        return ast.Call(ast.Name("float", ast.Load()), [ast.Constant(str(value))], [])
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value < 0:
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return ast.Constant(value)


@dataclass
class Folder(ast.NodeTransformer):
    """Folds fragments in one scope.

    Attributes:
        known: names with their values.
        code: names with the code that takes their place.
        given: known names that the spec gave, which are written even where they are the default.
        rename: what the names in a size are called here.
    """

    known: Mapping[str, Any]
    code: Mapping[str, ast.expr] = field(default_factory=dict)
    given: frozenset[str] = frozenset()
    rename: Callable[[str], str] = keep_name

    def __post_init__(self) -> None:
        self._evaluate = Evaluator({**SIZE_FUNCTIONS, **HELPERS, **self.known})

    def value(self, node: ast.expr) -> Any:
        """The value of a fragment, or UNKNOWN where it holds code."""
        names = {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}
        if names & self.code.keys() or not names <= self._evaluate.scope.keys():
            return UNKNOWN
        return self._evaluate(node)

    def expression(self, node: ast.expr) -> ast.expr:
        """The fragment, folded; the fragment itself is left as it was."""
        result = self.visit(node)
        assert isinstance(result, ast.expr)
        return result

    def statements(self, nodes: Sequence[ast.stmt]) -> list[ast.stmt]:
        """The statements, folded; branches that are decided are spliced in."""
        folded: list[ast.stmt] = []
        for node in nodes:
            result = self.visit(node)
            folded.extend(result if isinstance(result, list) else [result])
        return folded

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, ast.expr) and not isinstance(node, (ast.Constant, ast.Starred)):
            value = UNKNOWN if _stores(node) or _slices(node) else self.value(node)
            if value is not UNKNOWN and not callable(value) and not self._loses_names(node, value):
                return literal(value, self.rename)
        return super().visit(node)

    def _loses_names(self, node: ast.expr, value: Any) -> bool:
        """Whether a size's names are lost in the value, since it went through a fraction, which is not a size."""
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            return False
        parts = [part for part in ast.walk(node) if isinstance(part, ast.expr)]
        if not any(
            isinstance(self.known.get(name.id), Size)
            for name in parts
            if isinstance(name, ast.Name)
        ):
            return False
        return any(
            isinstance(self.value(part), float) for part in parts if isinstance(part, ast.BinOp)
        )

    def generic_visit(self, node: ast.AST) -> ast.AST:
        changes: dict[str, Any] = {}
        for name, old in ast.iter_fields(node):
            if isinstance(old, ast.AST):
                changes[name] = self.visit(old)
            elif isinstance(old, list):
                new: list[Any] = []
                for item in old:
                    result = self.visit(item) if isinstance(item, ast.AST) else item
                    new.extend(result if isinstance(result, list) else [result])
                changes[name] = new
            else:
                changes[name] = old
        return type(node)(**changes)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        replacement = self.code.get(node.id)
        if replacement is None:
            return ast.Name(node.id, node.ctx)
        replacement = replaced(replacement, lambda _: None)
        if isinstance(node.ctx, ast.Store):
            replacement.ctx = node.ctx  # type: ignore[attr-defined]
        return replacement

    def visit_If(self, node: ast.If) -> Any:
        test = self._condition(node.test)
        if isinstance(test, bool):
            return self.statements(node.body if test else node.orelse)
        return ast.If(test, self.statements(node.body), self.statements(node.orelse))

    def visit_IfExp(self, node: ast.IfExp) -> Any:
        test = self._condition(node.test)
        if isinstance(test, bool):
            return self.visit(node.body if test else node.orelse)
        return ast.IfExp(test, self.visit(node.body), self.visit(node.orelse))

    def visit_BoolOp(self, node: ast.BoolOp) -> Any:
        """`a or b` as a value: it is one of its parts, so that a part is left out only where another takes its place."""
        decides = isinstance(node.op, ast.Or)
        left: list[ast.expr] = []
        for place, part in enumerate(node.values):
            value = self.value(part)
            if value is UNKNOWN or isinstance(value, Size):
                left.append(self.visit(part))
            elif bool(value) is decides or place == len(node.values) - 1:
                left.append(self.visit(part))
                break
        return ast.BoolOp(node.op, left) if len(left) > 1 else left[0]

    def visit_Compare(self, node: ast.Compare) -> Any:
        test = self._condition(node)
        return ast.Constant(test) if isinstance(test, bool) else test

    def visit_Starred(self, node: ast.Starred) -> Any:
        value = self.value(node.value)
        if isinstance(value, (tuple, list)):
            return [literal(item, self.rename) for item in value]
        return ast.Starred(self.visit(node.value), node.ctx)

    def visit_Call(self, node: ast.Call) -> ast.Call:
        call = self.generic_visit(node)
        assert isinstance(call, ast.Call)
        if isinstance(node.func, ast.Name) and node.func.id in HELPERS:
            opened = " and ".join(sorted(free_names(node) & self.code.keys()))
            raise Fault(f"{opened} cannot be an argument", "write it out")
        entry = FUNCTIONS.get(ast.unparse(node.func))
        if entry is not None:
            defaults = {argument.name: argument.default for argument in entry.signature}
            call.keywords = [
                folded
                for folded, written in zip(call.keywords, node.keywords)
                if self._is_given(written.value)
                or not _is_constant(folded.value, defaults.get(str(folded.arg)))
            ]
            names = entry.signature.names
            while (
                call.args
                and _is_none(call.args[-1])
                and defaults[names[len(call.args) - 1]] is None
            ):
                call.args.pop()
        return call

    def _asks_for_none(self, node: ast.Compare) -> bool:
        return (
            isinstance(node.ops[0], (ast.Is, ast.IsNot))
            and isinstance(node.left, ast.Name)
            and node.left.id in self.code
            and _is_none(node.comparators[0])
        )

    def _is_given(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id in self.given

    def _condition(self, node: ast.expr) -> bool | ast.expr:
        """A condition decided, or folded as far as it goes."""
        value = self.value(node)
        if value is not UNKNOWN:
            return bool(value)
        if isinstance(node, ast.BoolOp):
            decides = isinstance(node.op, ast.Or)
            left: list[ast.expr] = []
            for part in map(self._condition, node.values):
                if isinstance(part, bool):
                    if part is decides:
                        return part
                else:
                    left.append(part)
            if not left:
                return not decides
            return ast.BoolOp(node.op, left) if len(left) > 1 else left[0]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            inner = self._condition(node.operand)
            return not inner if isinstance(inner, bool) else ast.UnaryOp(ast.Not(), inner)
        if isinstance(node, ast.Compare) and self._asks_for_none(node):
            # A name that stands for code, here a parameter or an input, is there, so it is not None.
            return isinstance(node.ops[0], ast.IsNot)
        if isinstance(node, (ast.BoolOp, ast.Compare)):
            result = self.generic_visit(node)
            assert isinstance(result, ast.expr)
            return result
        result = self.visit(node)
        assert isinstance(result, ast.expr)
        return result


def _stores(node: ast.expr) -> bool:
    return isinstance(getattr(node, "ctx", None), ast.Store)


def _slices(node: ast.expr) -> bool:
    """Whether this is what stands in the brackets of `x[:, :2]`, which is not a value of its own."""
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    return any(isinstance(part, ast.Slice) for part in parts)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_constant(node: ast.expr, value: Any) -> bool:
    try:
        found = ast.literal_eval(node)
    except ValueError:
        return False
    alike = isinstance(found, bool) == isinstance(value, bool)
    return alike and bool(found == value)


def source(node: ast.AST) -> str:
    """The code of a tree, the same with each version of Python."""
    try:
        text = ast.unparse(ast.fix_missing_locations(node))
    except RecursionError:
        raise Fault("the expression is nested too deeply") from None
    return text if sys.version_info >= (3, 11) else targets_bare(text)


def targets_bare(text: str) -> str:
    """Code without brackets around the names that an assignment or a loop binds, which Python 3.10 puts there."""
    for opened in reversed(list(_BOUND.finditer(text))):
        start, depth = opened.end() - 1, 0
        for end in range(start, len(text)):
            depth += (text[end] in "([") - (text[end] in ")]")
            if not depth:
                break
        if text.startswith((" = ", " in "), end + 1):
            text = text[:start] + text[start + 1 : end] + text[end + 1 :]
    return text


def free_names(tree: ast.AST) -> frozenset[str]:
    """The names in a tree."""
    return frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))


def replaced(tree: ast.expr, change: Callable[[ast.expr], ast.expr | None]) -> ast.expr:
    """The tree with some of its expressions replaced: those for which `change` gives another; it is left as it was."""
    found = change(tree)
    if found is not None:
        return found
    return type(tree)(**{name: _field(value, change) for name, value in ast.iter_fields(tree)})


def _field(value: Any, change: Callable[[ast.expr], ast.expr | None]) -> Any:
    if isinstance(value, list):
        return [_field(item, change) for item in value]
    if isinstance(value, ast.expr):
        return replaced(value, change)
    if isinstance(value, (ast.keyword, ast.comprehension)):
        return type(value)(**{name: _field(part, change) for name, part in ast.iter_fields(value)})
    return value


def renamed(tree: ast.expr, rename: Callable[[str], str]) -> ast.expr:
    """The tree with its names as they are called where it will stand; nothing else changes."""
    return meant(tree, lambda name: ast.parse(rename(name), mode="eval").body)


def meant(tree: ast.expr, meaning: Callable[[str], ast.expr | None]) -> ast.expr:
    """The tree with its names as what they mean where it will stand; one that means nothing else stays."""

    def change(node: ast.expr) -> ast.expr | None:
        if isinstance(node, ast.Name):
            return node if node.id == "math" else meaning(node.id) or node
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            return None
        function = IN_MATH.get(node.func.id, node.func)
        return ast.Call(function, _field(node.args, change), _field(node.keywords, change))

    return replaced(tree, change)
