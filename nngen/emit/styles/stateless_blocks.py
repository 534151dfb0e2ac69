"""Blocks in stateless style: objects that know what stands before their keys, in plain lists and dicts."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nngen.catalog.partial_evaluation import source
from nngen.emit.constructor import Constructor, asked, built_flag
from nngen.emit.held import HeldBlock
from nngen.emit.model import Given, Lines
from nngen.emit.styles.reaching import joined
from nngen.graph.flow import Flow, Module, self_attribute
from nngen.graph.loops import Run, runs
from nngen.symbolic.expressions import name

Prefix = tuple[ast.expr | str, ...]
Member = tuple[Prefix, ast.Call, ast.comprehension | None]


def prefix_of(flow: Flow) -> str:
    """What a block's class calls its prefix, an argument and an attribute of its own."""
    taken = {built.name for built in flow.built} | flow.scope.values.keys()
    wanted = "prefix"
    while wanted in taken:
        wanted += "_"
    return wanted


class BlockWriter:
    """Writes what a class does for the blocks that it holds."""

    def __init__(self, constructor: Constructor, given: Given) -> None:
        self.constructor = constructor
        self.given = given

    def made(self, block: HeldBlock) -> Lines:
        """The constructor's statement that makes them."""
        module = block.module
        target = ast.Attribute(name("self"), block.attribute, ast.Store())
        code: ast.stmt
        if module.flow is not None:
            code = ast.Assign([target], self._call(module, (f"{block.key}.",)))
        else:
            code = self._collection(block, target)
        return Lines((code,), block.built.step, module.mark, asked(built_flag(block.built)))

    def drawn(self, block: HeldBlock) -> Iterator[ast.stmt]:
        """The statements of `init` that draw what is in them."""
        module = block.module
        attribute = self_attribute(block.attribute)
        if module.copies is not None:
            yield from self._drawn_once(block)
        elif module.flow is not None:
            yield self._draw(attribute)
        else:
            values = ast.Call(ast.Attribute(attribute, "values", ast.Load()), [], [])
            over = values if _is_named(module) else attribute
            yield _for("block", over, self._draw(name("block")))

    def _draw(self, block: ast.expr) -> ast.stmt:
        return ast.Expr(ast.Call(ast.Attribute(block, "init", ast.Load()), [], []))

    def _drawn_once(self, block: HeldBlock) -> tuple[ast.stmt, ...]:
        """The first of the copies is drawn, and its parameters are copied, as torch does it."""
        first = ast.Subscript(self_attribute(block.attribute), ast.Constant(0), ast.Load())
        flow = block.module.children[0].flow
        assert flow is not None
        params, prefix = self.given.params, prefix_of(flow)
        text = f"""
for block in blocks[1:]:
    for key in [key for key in {params} if key.startswith(blocks[0].{prefix})]:
        {params}[key.replace(blocks[0].{prefix}, block.{prefix}, 1)] = {params}[key].clone()
"""
        (loop,) = ast.parse(text).body
        named = _Named(self_attribute(block.attribute)).visit(loop)
        return self._draw(first), named

    def _collection(self, block: HeldBlock, target: ast.Attribute) -> ast.stmt:
        """A list or a dict; one of several classes has its type written."""
        module = block.module
        members = list(self._members(block))
        kinds = list(dict.fromkeys(source(call.func) for _, call, _ in members))
        named = _is_named(module)
        value = self._dict(members) if named else self._list(members)
        if len(kinds) == 1:
            return ast.Assign([target], value)
        types = " | ".join(kinds)
        annotation = ast.parse(f"dict[str, {types}]" if named else f"list[{types}]", mode="eval")
        return ast.AnnAssign(target, annotation.body, value, 0)

    def _list(self, members: list[Member]) -> ast.expr:
        _, call, loop = members[0]
        if len(members) == 1 and loop is not None:
            return ast.ListComp(call, [loop])
        parts: list[ast.expr] = [
            call if loop is None else ast.Starred(ast.GeneratorExp(call, [loop]), ast.Load())
            for _, call, loop in members
        ]
        return ast.List(parts, ast.Load())

    def _dict(self, members: list[Member]) -> ast.expr:
        key, call, loop = members[0]
        if len(members) == 1 and loop is not None:
            return ast.DictComp(joined(*key), call, [loop])
        keys: list[ast.expr | None] = []
        values: list[ast.expr] = []
        for key, call, loop in members:
            keys.append(joined(*key) if loop is None else None)
            values.append(call if loop is None else ast.DictComp(joined(*key), call, [loop]))
        return ast.Dict(keys, values)

    def _members(self, block: HeldBlock) -> Iterator[Member]:
        """Each member's place, its call, and the loop that makes several."""
        module = block.module
        if module.copies is not None:
            call = self._call(module.children[0], (f"{block.key}.", name("i"), "."))
            yield (name("i"),), call, _loop(module.copies)
            return
        before: list[ast.expr] = []  # open counts of members before
        count = 0
        copied: Module | None = None
        for run in _runs(module):
            looped = run.module.loop is not None
            if copied is not None and looped and copied.mark == run.module.mark:
                continue  # one more copy of the same loop
            copied = run.module
            place, loop = self._place(run, before, count, _is_named(module))
            yield place, self._call(run.module, (f"{block.key}.", *place, ".")), loop
            if run.module.loop is not None:
                before.append(run.module.loop)
            else:
                count += len(run.names)

    def _place(
        self, run: Run, before: list[ast.expr], count: int, named: bool
    ) -> tuple[Prefix, ast.comprehension | None]:
        """What a member is called, and the loop that counts `i`."""
        loop = None if run.loop is None else _loop(run.loop)
        if named:
            first, number, rest = _numbered(run.name)
            return (first, *number, rest), loop
        at: ast.expr | None = name("i") if loop is not None else None
        for each in before:
            at = each if at is None else ast.BinOp(at, ast.Add(), each)
        if at is None:
            return (str(count),), None
        if count:
            at = ast.BinOp(at, ast.Add(), ast.Constant(count))
        return (at,), loop

    def _call(self, module: Module, key: Prefix) -> ast.Call:
        """The call that makes a block, with the prefix of its keys."""
        call = self.constructor.construction(module, True).call
        assert module.flow is not None
        before = (name(self.given.prefix),) if self.given.prefix else ()
        prefix = ast.keyword(prefix_of(module.flow), joined(*before, *key))
        return ast.Call(call.func, call.args, [*call.keywords, prefix])


class _Named(ast.NodeTransformer):
    """Puts an expression where a tree says `blocks`."""

    def __init__(self, value: ast.expr) -> None:
        self.value = value

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.value if node.id == "blocks" else node


def _is_named(module: Module) -> bool:
    """Whether the members of a collection have names, rather than places."""
    return any(not child.name.isdigit() and child.name != "*" for child in module.children)


def _runs(module: Module) -> Iterator[Run]:
    names = [
        child.name if child.name != "*" else str(place)
        for place, child in enumerate(module.children)
    ]
    return runs(module.children, names)


def _numbered(text: str) -> tuple[str, tuple[ast.expr, ...], str]:
    """A run's name, `block{i + 1}`, as the parts of an f-string."""
    first, found, rest = text.partition("{")
    if not found:
        return text, (), ""
    inside, _, rest = rest.partition("}")
    return first, (ast.parse(inside, mode="eval").body,), rest


def _loop(count: ast.expr) -> ast.comprehension:
    over = ast.Call(name("range"), [count], [])
    return ast.comprehension(ast.Name("i", ast.Store()), over, [], 0)


def _for(variable: str, over: ast.expr, body: ast.stmt) -> ast.For:
    return ast.For(ast.Name(variable, ast.Store()), over, [body], [])
