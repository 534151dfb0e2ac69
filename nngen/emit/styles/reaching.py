"""From what the functional twin owns to what a stateless class is given."""

from __future__ import annotations

import ast
import copy
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from nngen.catalog import FUNCTIONS
from nngen.emit.model import Given, Statement
from nngen.graph.flow import self_attribute
from nngen.symbolic.expressions import name

Code = TypeVar("Code", ast.expr, ast.stmt)


class Keys:
    """Where a class finds tensors: the dicts that it is given, and its keys."""

    def __init__(self, given: Given) -> None:
        self.given = given

    def key(self, text: str) -> ast.expr:
        """A key of the class, with its prefix."""
        prefix = self.given.prefix
        return joined(self_attribute(prefix), text) if prefix else ast.Constant(text)

    def parameter(self, key: str, context: ast.expr_context | None = None) -> ast.Subscript:
        """A parameter, by its key."""
        return ast.Subscript(name(self.given.params), self.key(key), context or ast.Load())

    def buffer(self, key: str, context: ast.expr_context | None = None) -> ast.Subscript:
        """A buffer, by its key."""
        return ast.Subscript(name(self.given.buffers), self.key(key), context or ast.Load())


def joined(*parts: ast.expr | str) -> ast.expr:
    """An f-string, or a plain one where nothing is put in."""
    if all(isinstance(part, str) for part in parts):
        return ast.Constant("".join(map(str, parts)))
    values: list[ast.expr] = [
        ast.Constant(part) if isinstance(part, str) else ast.FormattedValue(part, -1)
        for part in parts
        if part != ""
    ]
    return ast.JoinedStr(values)


@dataclass
class Reaching(ast.NodeTransformer):
    """Rewrites the functional twin's code: its state as what is in the dicts, its blocks called with them.

    Attributes:
        params: the keys of the parameters, by the paths that the functional twin has for them: `fc_weight`.
        buffers: those of the buffers.
        blocks: the attributes that are blocks, or hold some, with what stands before their keys.
        constants: names of the constructor that become attributes.
        copied: the keys of which copies are there already, as `ast.dump` has them.
        copies: those of the parameters that were copied on the way, because a function writes into them.
    """

    keys: Keys
    params: Mapping[str, str]
    buffers: Mapping[str, str]
    blocks: Mapping[str, str]
    constants: Collection[str] = ()
    copied: Collection[str] = ()
    loops: list[str] = field(default_factory=list)
    copies: list[ast.expr] = field(default_factory=list)

    def on(self, tree: Code) -> Code:
        """A tree, rewritten; the one given stays as it is."""
        found: Code = self.visit(copy.deepcopy(tree))
        return found

    def statements(self, body: Sequence[Statement]) -> tuple[Statement, ...]:
        """Forward's statements, rewritten."""
        return tuple(self._statement(each) for each in body)

    def _statement(self, each: Statement) -> Statement:
        tree = each.tree
        if isinstance(tree, ast.If) and each.body:
            head = ast.If(self.on(tree.test), [ast.Pass()], [])
            return replace(each, tree=head, body=self.statements(each.body))
        return replace(each, tree=self.on(tree))

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """A name of the constructor's that is an attribute by now; or an attribute in one piece."""
        if node.id in self.constants and isinstance(node.ctx, ast.Load):
            return self_attribute(node.id)
        first, _, rest = node.id.partition(".")
        if first == "self" and rest:
            return self._at(rest, node.ctx) or node
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """State, the mode, or what has another name here."""
        path = _path(node)
        found = self._at(path, node.ctx) if path else None
        return found or self.generic_visit(node)

    def _at(self, path: str, context: ast.expr_context) -> ast.expr | None:
        if path == "training":
            return name("training")
        if path in self.params:
            return self.keys.parameter(self.params[path], context)
        if path in self.buffers:
            return self.keys.buffer(self.buffers[path], context)
        return None

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """A block gets the dicts and the mode, its methods the parameters; what is written into is a copy."""
        called: ast.expr = node.func
        method = ""
        if not self._is_block(called) and isinstance(called, ast.Attribute):
            method = called.attr
            called = called.value
        path = _path(called)
        if method == "parameters" and path in self.blocks:
            return self._all_below(self.blocks[path])
        changed = self.generic_visit(node)
        assert isinstance(changed, ast.Call)
        if not self._is_block(called) or method == "values":
            return self._on_copies(changed)
        changed.args.insert(0, name(self.keys.given.params))
        if method in ("", "init"):
            changed.args.insert(1, name(self.keys.given.buffers))
        if not method:
            changed.keywords.append(ast.keyword("training", name("training")))
        return changed

    def _is_block(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Subscript):
            return self._is_block(node.value)
        return _path(node) in self.blocks or isinstance(node, ast.Name) and node.id in self.loops

    def _all_below(self, prefix: str) -> ast.expr:
        """All parameters of a block."""
        key, value = name("key"), name("value")
        items = ast.Call(ast.Attribute(name(self.keys.given.params), "items", ast.Load()), [], [])
        start = ast.Call(
            ast.Attribute(key, "startswith", ast.Load()), [self.keys.key(f"{prefix}.")], []
        )
        target = ast.Tuple(
            [ast.Name("key", ast.Store()), ast.Name("value", ast.Store())], ast.Store()
        )
        return ast.GeneratorExp(value, [ast.comprehension(target, items, [start], 0)])

    def _on_copies(self, node: ast.Call) -> ast.Call:
        """A call of a function that changes a parameter in place: it gets a copy."""
        function = (
            FUNCTIONS.get(ast.unparse(node.func)) if isinstance(node.func, ast.Attribute) else None
        )
        if function is None or not function.writes:
            return node
        names = function.signature.names
        places = dict(zip(names, range(len(node.args))))
        keywords = {keyword.arg: keyword for keyword in node.keywords}
        for written, asks in function.writes.items():
            if asks not in places and asks not in keywords:
                continue
            if written in places:
                node.args[places[written]] = self._copied(node.args[places[written]])
            elif written in keywords:
                keywords[written].value = self._copied(keywords[written].value)
        return node

    def _copied(self, node: ast.expr) -> ast.expr:
        is_param = (
            isinstance(node, ast.Subscript) and ast.unparse(node.value) == self.keys.given.params
        )
        if not isinstance(node, ast.Subscript) or not is_param:
            return node
        if ast.dump(node.slice) in self.copied:
            return node
        self.copies.append(node.slice)
        return ast.Call(ast.Attribute(node, "clone", ast.Load()), [], [])

    def visit_For(self, node: ast.For) -> ast.AST:
        """What a loop over blocks binds is a block; what it copies, it copies more than once."""
        before = len(self.copies)
        found = self._loop(node)
        self.copies += self.copies[before:]
        return found

    def _loop(self, node: ast.For) -> ast.AST:
        if not self._are_blocks(node.iter) or not isinstance(node.target, ast.Name):
            return self.generic_visit(node)
        self.loops.append(node.target.id)
        found = self.generic_visit(node)
        self.loops.pop()
        return found

    def _are_blocks(self, over: ast.expr) -> bool:
        """Whether something is a list of blocks, the values of a dict of such, or several of them."""
        if isinstance(over, ast.Tuple):
            parts = [each.value if isinstance(each, ast.Starred) else each for each in over.elts]
            return all(map(self._are_blocks, parts))
        called = over.func if isinstance(over, ast.Call) else over
        if isinstance(called, ast.Attribute) and called.attr == "values":
            called = called.value
        return _path(called) in self.blocks

    def visit_Assert(self, node: ast.Assert) -> ast.AST | None:
        """A list of blocks has their type here, which an nn.ModuleList has not."""
        asked = node.test
        of_block = isinstance(asked, ast.Call) and self._is_block(asked.args[0])
        return None if of_block else self.generic_visit(node)


def _path(node: ast.expr) -> str:
    """`decoder.head_weight` of `self.decoder.head_weight`; empty of what is no attribute of self."""
    if isinstance(node, ast.Attribute):
        above = _path(node.value)
        here = isinstance(node.value, ast.Name) and node.value.id == "self"
        return node.attr if here else f"{above}.{node.attr}" if above else ""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        above = _path(node.value)
        return f"{above}.{node.slice.value!s}" if above else ""
    if isinstance(node, ast.Name):
        return node.id.removeprefix("self.") if node.id.startswith("self.") else ""
    return ""
