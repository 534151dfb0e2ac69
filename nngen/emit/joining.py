"""A layer's value that only the line below takes stands in that line: `x = x + self.attn(out)`.

The twins decide it for all styles, so that their forwards can be read side by side: what is more than a line in one
of them is joined in none. What is computed, and in which order, stays as it is: before the value the line only names
things.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, groupby

from nngen.catalog.aliases import FACTS
from nngen.emit.model import Statement
from nngen.emit.wrapping import LENGTH
from nngen.graph.flow import Flow, Operation, Value
from nngen.graph.functions import NAMESPACES
from nngen.language.styles import TWINS

Forward = tuple[Statement, ...]
# The statements of each step, by its place in the flow.
Steps = dict[int, Forward]
# Steps in a row, by their places in the flow: layers, and the line that takes what they give.
Run = range

_INDENT = 8
_CHOICES = (ast.IfExp, ast.BoolOp, ast.Lambda, ast.Dict, ast.comprehension)


def joined(flow: Flow, written: Mapping[str, Forward]) -> dict[str, Forward]:
    """The statements of a forward in all styles, with what is joined.

    Args:
        flow: what happens.
        written: the statements, by style.
    """
    steps = {style: _by_step(forward) for style, forward in written.items()}
    for runs in _runs(flow):
        for run in runs:
            found = {style: _join(each, run) for style, each in steps.items()}
            if all(_is_line(found[style]) for style in TWINS if style in found):
                for style, whole in found.items():
                    if whole is not None:
                        steps[style].update({**dict.fromkeys(run, ()), run[-1]: (whole,)})
                break
    return {style: tuple(chain.from_iterable(each.values())) for style, each in steps.items()}


def _by_step(forward: Forward) -> Steps:
    return {step: tuple(each) for step, each in groupby(forward, key=lambda one: one.step)}


def _runs(flow: Flow) -> Iterator[list[Run]]:
    """For each line what may be joined with it, the most first."""
    steps = flow.operations[:-1]
    uses = Counter(value for operation in flow.operations for value in operation.reads)
    makers = {value: place for place, each in enumerate(steps) for value in each.writes if value}
    for place, operation in enumerate(steps):
        values = _taken(operation)
        before = range(place - len(values), place)
        if not values or [makers.get(value) for value in values] != list(before):
            continue
        if all(uses[value] == 1 for value in values) and all(_is_layer(steps[n]) for n in before):
            runs = [range(before.start, place + 1)]
            if len(values) == 1 and _is_alone(flow, before.start - 1, uses):
                runs.insert(0, range(before.start - 1, place + 1))
            yield runs


def _taken(operation: Operation) -> list[Value]:
    """The values of layers that a line takes, in order."""
    if operation.line is None or operation.condition is not None or operation.calls:
        return []
    values = {value.name: value for value in operation.reads if not (value.fixed or value.state)}
    nodes = _evaluated(operation.line.value.tree)
    return [values[node.id] for node in nodes if isinstance(node, ast.Name) and node.id in values]


def _is_layer(operation: Operation) -> bool:
    """Whether a step is a layer that is always there."""
    return operation.application is not None and operation.condition is None


def _is_alone(flow: Flow, place: int, uses: Mapping[Value, int]) -> bool:
    """Whether a step is a layer of which only the next takes what it gives, and not one of more in a row."""
    if place < 0:
        return False
    operation, after = flow.operations[place : place + 2]
    value = operation.writes[0]
    if value is None or value.named or value not in after.reads or uses[value] != 1:
        return False
    starts = (each.fixed or each.named or each in flow.inputs for each in operation.reads)
    return _is_layer(operation) and all(starts)


def _join(steps: Steps, run: Run) -> Statement | None:
    """The steps of a run as one statement; None where they cannot be."""
    written = [steps.get(place, ()) for place in run]
    if any(len(each) != 1 for each in written):
        return None
    *parts, last = (statement for statement, in written)
    held: tuple[Statement, ...] = ()
    for part in parts:
        if part.comment or not _binds_call(part.tree):
            return None
        if held and held[0].target in _names(part.tree):
            if not _takes_first(part.tree, held):
                return None
            part, held = replace(part, parts=held), ()
        held = (*held, part)
    if not isinstance(last.tree, ast.Assign) or not _takes_first(last.tree, held):
        return None
    return replace(last, parts=held)


def _binds_call(tree: ast.stmt) -> bool:
    """Whether a statement binds what a call gives to one name."""
    if not isinstance(tree, ast.Assign) or not isinstance(tree.value, ast.Call):
        return False
    return isinstance(tree.targets[0], ast.Name)


def _takes_first(tree: ast.stmt, parts: Sequence[Statement]) -> bool:
    """Whether a statement takes what others bind, each once and in order, before it computes anything."""
    assert isinstance(tree, ast.Assign)
    wanted = [part.target for part in parts]
    found: list[str] = []
    for node in _evaluated(tree.value):
        if isinstance(node, ast.Name) and node.id in wanted:
            found.append(node.id)
        elif len(found) < len(wanted) and not _is_named(node):
            return False
    return found == wanted


def _is_named(node: ast.AST) -> bool:
    """Whether an expression only names something: `x`, `torch.cat`, `1`, `x.shape`."""
    if isinstance(node, ast.Attribute):
        spaces = isinstance(node.value, ast.Name) and node.value.id in ("self", *NAMESPACES)
        return spaces or node.attr in FACTS
    return isinstance(node, (ast.Name, ast.Constant))


def _names(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _evaluated(node: ast.AST) -> Iterator[ast.AST]:
    """An expression's parts in the order in which Python comes to their values; of a choice first the whole."""
    if isinstance(node, _CHOICES):
        yield node
    children = list(ast.iter_child_nodes(node))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        children[0] = node.func.value  # looking up a method computes nothing
    for child in children:
        if isinstance(child, (ast.expr, ast.keyword, ast.comprehension)):
            yield from _evaluated(child)
    yield node


def _is_line(whole: Statement | None) -> bool:
    """Whether a run was joined, to what stays within the line."""
    if whole is None:
        return False
    comment = f"  # {whole.comment}" if whole.comment else ""
    return _INDENT + len(whole.code + comment) <= LENGTH
