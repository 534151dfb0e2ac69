"""Faults that only a stateless file can have: of keys, prefixes, the mode, and what is changed or given back."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.mutants.source import STATELESS, Edits, Source, changed, fault, is_own, keyword

HOLDERS = ("params", "buffers")


def _copies(source: Source) -> list[ast.If]:
    """Where a model takes copies of its buffers, to change these."""
    return [
        node
        for node in source.nodes(ast.If, "forward")
        if isinstance(node, ast.If) and ".clone() for" in source.segment(node)
    ]


def _returns(source: Source) -> list[ast.Tuple]:
    """The pairs of outputs and buffers that a model gives back."""
    model = source.classes()[-1]
    return [
        node.value
        for node in source.nodes(ast.Return, "forward")
        if isinstance(node, ast.Return)
        and isinstance(node.value, ast.Tuple)
        and source.above(node, ast.ClassDef) is model
        and ast.unparse(node.value.elts[-1]) == "buffers"
    ]


def _blocks(source: Source, *functions: str) -> list[ast.Call]:
    """The calls of blocks, which are given params and buffers."""
    return [
        node
        for node in source.nodes(ast.Call, *functions)
        if isinstance(node, ast.Call)
        and [ast.unparse(argument) for argument in node.args[:2]] == list(HOLDERS)
    ]


def _with_the_mode(source: Source) -> list[ast.Call]:
    """The calls of blocks that do something else in train mode, by themselves or by the blocks in them."""
    others: set[str] = set()
    while True:
        calls = [call for call in _blocks(source, "forward") if _called(source, call) & others]
        more = {
            node.name
            for node in source.classes()
            for name in ast.walk(node)
            if isinstance(name, ast.Name) and name.id == "training"
            if not isinstance(source.parents[name], ast.keyword)
            or (call := source.parents[source.parents[name]]) in calls
            or call not in _blocks(source, "forward")
        }
        if more <= others:
            return calls
        others |= more


def _called(source: Source, call: ast.Call) -> set[str]:
    """The classes that a call of a block may be of."""
    block = ast.unparse(call.func)
    loop = source.above(call, ast.For)
    while isinstance(loop, ast.For) and ast.unparse(loop.target) != block:
        loop = source.above(loop, ast.For)
    path = ast.unparse(loop.iter if isinstance(loop, ast.For) else call.func)
    name = path.removeprefix("self.").partition(".")[0].partition("[")[0]
    made = [
        node
        for node in source.nodes((ast.Assign, ast.AnnAssign), "__init__")
        if ast.unparse(getattr(node, "target", None) or node.targets[0]) == f"self.{name}"  # type: ignore[attr-defined]
        and source.above(node, ast.ClassDef) is source.above(call, ast.ClassDef)
    ]
    names = {each.id for node in made for each in ast.walk(node) if isinstance(each, ast.Name)}
    return names & {node.name for node in source.classes()}


def _entries(source: Source, *functions: str) -> list[ast.Subscript]:
    """Where an entry of params or buffers is read or made."""
    return [
        node
        for node in source.nodes(ast.Subscript, *functions)
        if isinstance(node, ast.Subscript) and is_own(node)
    ]


@fault(STATELESS)
def buffers_changed_in_place(source: Source) -> Iterator[Edits]:
    """The buffers that came in are changed."""
    for node in _copies(source):
        yield {node: "pass"}


@fault(STATELESS)
def buffers_copied_without_their_tensors(source: Source) -> Iterator[Edits]:
    """The dict of buffers is copied, the tensors in it are not."""
    for node in _copies(source):
        yield {node: source.segment(node).replace(".clone() for", " for")}


@fault(STATELESS)
def buffers_copied_in_eval_alone(source: Source) -> Iterator[Edits]:
    """The buffers are copied in eval mode, and changed in train mode."""
    for node in _copies(source):
        yield {node.test: f"not {source.segment(node.test)}"}


@fault(STATELESS)
def old_buffers_given_back(source: Source) -> Iterator[Edits]:
    """The buffers are given back as they came."""
    for node in _copies(source):
        first = f"given = buffers{chr(10)}{' ' * node.col_offset}{source.segment(node)}"
        yield {node: first, **{pair.elts[-1]: "given" for pair in _returns(source)}}


@fault(STATELESS)
def no_buffers_given_back(source: Source) -> Iterator[Edits]:
    """No buffers are given back."""
    if "buffers[" in source.text:
        for pair in _returns(source):
            yield {pair.elts[-1]: "{}"}


@fault(STATELESS)
def parameters_written_into(source: Source) -> Iterator[Edits]:
    """The parameters that came in are changed after they were used."""
    if 'params["' in source.text:
        for pair in _returns(source):
            statement = source.above(pair, ast.stmt)
            assert isinstance(statement, ast.Return)
            write = "[value.detach().mul_(2) for value in params.values()]"
            yield {statement: source.block(statement, write, source.segment(statement))}


@fault(STATELESS)
def prefix_lost(source: Source) -> Iterator[Edits]:
    """A key of a block lacks the block's prefix."""
    for node in _entries(source):
        if isinstance(node.slice, ast.JoinedStr):
            yield {node.slice: source.segment(node.slice).replace("{self.prefix}", "")}


@fault(STATELESS)
def prefix_of_another_block(source: Source) -> Iterator[Edits]:
    """A block uses what belongs to another."""
    for call in source.calls(*(node.name for node in source.classes()), within=("__init__",)):
        prefix = keyword(call, "prefix")
        name = ast.unparse(call.func)
        others = [keyword(other, "prefix") for other in source.calls(name)]
        texts = {ast.unparse(other) for other in others if other is not None}
        for other in sorted(texts - {ast.unparse(prefix)} if prefix is not None else ()):
            yield {call: changed(call, prefix=other)}
        if isinstance(prefix, ast.JoinedStr):
            inside = source.segment(prefix)
            if "{i}" in inside:
                yield {prefix: inside.replace("{i}", "0")}


@fault(STATELESS)
def key_of_another_layer(source: Source) -> Iterator[Edits]:
    """A layer reads what belongs to another layer of its class."""
    entries = _entries(source, "forward")
    for node in entries:
        kind = source.segment(node).rpartition(".")[2]
        for other in entries:
            text = source.segment(other)
            if (
                text != source.segment(node)
                and text.rpartition(".")[2] == kind
                and source.above(other, ast.ClassDef) is source.above(node, ast.ClassDef)
                and isinstance(node.ctx, ast.Load)
            ):
                yield {node: text}
                break


@fault(STATELESS)
def mode_kept_from_a_block(source: Source) -> Iterator[Edits]:
    """A block runs in eval mode always."""
    for call in _with_the_mode(source):
        yield {call: changed(call, training="False")}


@fault(STATELESS)
def mode_of_a_block_turned(source: Source) -> Iterator[Edits]:
    """A block runs in the other mode."""
    for call in _with_the_mode(source):
        yield {call: changed(call, training="not training")}


@fault(STATELESS)
def block_not_made(source: Source) -> Iterator[Edits]:
    """A block's parameters and buffers are not made."""
    for call in _blocks(source, "__init__"):
        statement = source.above(call, ast.stmt)
        if isinstance(statement, ast.Expr):
            yield {statement: "pass"}


@fault(STATELESS)
def tied_parameter_kept(source: Source) -> Iterator[Edits]:
    """A parameter that is tied to another is there a second time."""
    for node in source.nodes(ast.Delete, "__init__"):
        yield {node: "pass"}


@fault(STATELESS)
def parameter_among_the_buffers(source: Source) -> Iterator[Edits]:
    """A parameter stands among the buffers, or a buffer among the parameters."""
    for node in _entries(source, "__init__"):
        if isinstance(node.ctx, ast.Store):
            other = HOLDERS[ast.unparse(node.value) == "params"]
            yield {node: f"{other}[{source.segment(node.slice)}]"}


@fault(STATELESS)
def entry_in_double(source: Source) -> Iterator[Edits]:
    """A parameter or a buffer is a float64."""
    for node in source.nodes(ast.Assign, "__init__"):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).startswith(HOLDERS):
            yield {node.value: f"({source.segment(node.value)}).double()"}


@fault(STATELESS)
def entry_of_another_size(source: Source) -> Iterator[Edits]:
    """A parameter or a buffer is larger by one in its first dimension."""
    for node in source.nodes(ast.Assign, "__init__"):
        value = getattr(node, "value", None)
        if (
            isinstance(node, ast.Assign)
            and isinstance(value, ast.Call)
            and ast.unparse(value.func) in ("torch.empty", "torch.ones", "torch.zeros")
            and ast.unparse(node.targets[0]).startswith(HOLDERS)
            and value.args
        ):
            yield {value.args[0]: f"({source.segment(value.args[0])}) + 1"}
