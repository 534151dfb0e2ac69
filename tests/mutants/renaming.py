"""Faults of a package's renaming of checkpoints."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.mutants.source import RENAMING, Edits, Source, fault


def _names(source: Source) -> ast.Dict | None:
    for node in source.tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_NAMES":
            return node.value if isinstance(node.value, ast.Dict) else None
    return None


@fault(RENAMING)
def names_swapped(source: Source) -> Iterator[Edits]:
    """Two layers' parameters or buffers of one kind are taken for each other."""
    names = _names(source)
    kinds: dict[str, ast.expr] = {}
    for value in names.values if names else []:
        kind = str(ast.literal_eval(value)).replace(".", "_").rsplit("_", 1)[-1]
        if kind in kinds:
            first = kinds[kind]
            yield {first: source.segment(value), value: source.segment(first)}
        kinds[kind] = value


@fault(RENAMING)
def name_left_out(source: Source) -> Iterator[Edits]:
    """A parameter or buffer is left out of a checkpoint."""
    names = _names(source)
    for dictionary in _renamed(source) if names else ():
        known = names.keys if source.function(dictionary) == "to_functional" else names.values
        for name in filter(None, known):
            end = ast.literal_eval(name).rpartition("*.")[2]
            filtered = f"{source.segment(dictionary)[:-1]} if not key.endswith({end!r})}}"
            yield {dictionary: filtered}


def _renamed(source: Source) -> Iterator[ast.DictComp]:
    """What both functions return, if there is anything to rename."""
    names = _names(source)
    for dictionary in source.nodes(ast.DictComp, "to_functional", "to_nn"):
        if isinstance(dictionary, ast.DictComp) and names and names.keys:
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
