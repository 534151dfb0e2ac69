"""Faults of a package's renaming of checkpoints."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.mutants.source import RENAMING, Edits, Source, fault

Pair = tuple[ast.expr, ast.expr]


def _tables(source: Source) -> list[list[Pair]]:
    """The keys with their names in the other twin: the model's, and those of blocks that have a table."""
    made = (node.value for node in source.tree.body if isinstance(node, ast.Assign))
    tables = (value for value in made if isinstance(value, ast.Dict))
    return [[(k, v) for k, v in zip(each.keys, each.values) if k is not None] for each in tables]


@fault(RENAMING)
def names_swapped(source: Source) -> Iterator[Edits]:
    """Two layers' parameters or buffers of one kind are taken for each other."""
    for table in _tables(source):
        kinds: dict[str, ast.expr] = {}
        for _, value in table:
            kind = str(ast.literal_eval(value)).replace(".", "_").rsplit("_", 1)[-1]
            if kind in kinds:
                first = kinds[kind]
                yield {first: source.segment(value), value: source.segment(first)}
            kinds[kind] = value


@fault(RENAMING)
def name_left_out(source: Source) -> Iterator[Edits]:
    """A parameter or buffer is left out of a checkpoint."""
    for dictionary in _renamed(source):
        place = 0 if source.function(dictionary) == "to_functional" else 1
        for name in (pair[place] for table in _tables(source) for pair in table):
            end = ast.literal_eval(name).rpartition("*.")[2]
            filtered = f"{source.segment(dictionary)[:-1]} if not key.endswith({end!r})}}"
            yield {dictionary: filtered}


def _renamed(source: Source) -> Iterator[ast.DictComp]:
    """What both functions return, if there is anything to rename."""
    for dictionary in source.nodes(ast.DictComp, "to_functional", "to_nn"):
        if isinstance(dictionary, ast.DictComp) and any(_tables(source)):
            yield dictionary


@fault(RENAMING)
def values_rounded(source: Source) -> Iterator[Edits]:
    """A checkpoint loses bits: its values go through float16."""
    for dictionary in _renamed(source):
        rounded = "value.half().to(value.dtype) if hasattr(value, 'half') else value"
        yield {dictionary.value: rounded}


@fault(RENAMING)
def not_renamed(source: Source) -> Iterator[Edits]:
    """The keys stay as they are."""
    for dictionary in _renamed(source):
        yield {dictionary.key: "key"}
