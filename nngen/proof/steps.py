"""What each step of the spec gives in all twins: the values that flow, compared one step after the other.

A copy of each twin runs with a `forward` that tells what each statement has bound, and what the parts of a line give
that are steps of their own; what a layer inside a container gives, which no statement of the nn twin binds, a hook tells.
"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from nngen.emit.source_map import Span
from nngen.errors import Mark
from nngen.language.extents import step_path
from nngen.proof.bench import Bench
from nngen.proof.bits import count, difference
from nngen.proof.feed import Feed
from nngen.proof.ledger import Seen
from nngen.proof.observe import see_outputs
from nngen.proof.report import StepRow
from nngen.proof.twin import Twin

# No name of a spec can have this form.
_TELL, _PASS = "__tell__", "__pass__"

# What a step bound, by the names; of a module that a hook told, under ""; of a part of a line, under "part".
Values = Mapping[str, list[Tensor]]
Lines = Sequence["Mark | None"]


def follow_steps(bench: Bench) -> tuple[StepRow, ...]:
    """What each step of the spec gives on the way forward, in train and in eval mode."""
    feed = bench.feed(bench.largest)
    rows: dict[str, StepRow] = {}
    # What is wrong in a style that owns nothing, its own rows say.
    modules = [twin for twin in bench.twins if twin.owns_state]
    for training in (True, False):
        nn_told, *others = (told_by(bench, twin, feed, training) for twin in modules)
        for row in (row for told in others for row in compared(nn_told, told)):
            before = rows.get(row.place)
            rows[row.place] = row if before is None else before.joined(row)
    return tuple(rows.values())


def told_by(bench: Bench, twin: Twin, feed: Feed, training: bool) -> Told:
    """What the steps of one twin give on the way forward."""
    told = Told(twin, bench.subject.modules)

    def forward(twin: Twin, model: nn.Module, seen: Seen) -> None:
        told.listen(model.train(training))
        with torch.no_grad():
            see_outputs(model, feed.copied(), seen)

    # What it raises, other checks report.
    bench.run_copy(twin, "", forward)
    return told


class Told:
    """What a twin's steps gave, in the order in which they ran.

    Args:
        twin: the twin.
        modules: the step of each module, by its name.
    """

    def __init__(self, twin: Twin, modules: Mapping[str, Mark]) -> None:
        self.twin = twin
        self.modules = modules
        self.values: dict[Mark, list[Values]] = {}
        self.order: dict[tuple[Mark, int], int] = {}

    def tell(self, line: int, names: Sequence[str], variables: Mapping[str, object]) -> None:
        """Keep what the statements that end at a line have bound, as it is now."""
        mark = self.twin.lines[line - 1]
        if mark is not None:
            self.keep(mark, {name: variables.get(name) for name in names})

    def passed(self, place: int, value: object) -> object:
        """Keep what a part of a line gives, and give it on."""
        self.keep(self.twin.parts[place].mark, {"part": value})
        return value

    def keep(self, mark: Mark, values: Mapping[str, object]) -> None:
        """Keep a step's values as they are now."""
        kept = {
            name: [leaf.detach().clone() for leaf in tree_leaves(value) if isinstance(leaf, Tensor)]
            for name, value in values.items()
        }
        runs = self.values.setdefault(mark, [])
        self.order[mark, len(runs)] = len(self.order)
        runs.append(kept)

    def listen(self, model: nn.Module) -> None:
        """Make a copy of the twin tell its steps."""
        classes = _telling(self.twin, self.tell, self.passed)
        for name, module in list(model.named_modules()):
            for place, child in module.named_children():
                mark = self.modules.get(f"{name}.{place}" if name else place)
                if mark is not None and isinstance(module, nn.Sequential):
                    child.register_forward_hook(self._hook(mark))
            if type(module).__module__ == self.twin.module.__name__:
                module.__class__ = classes.get(type(module).__name__, type(module))

    def _hook(self, mark: Mark) -> Callable[[nn.Module, Any, Any], None]:
        def tell(module: nn.Module, given: Any, output: Any) -> None:
            self.keep(mark, {"": output})

        return tell

    def of(self, mark: Mark) -> list[Values]:
        """What a step gave each time; a container that is unrolled gave what the last in it did."""
        inside = [other for other in self.values if other.path.startswith(f"{mark.path}[")]
        return self.values.get(mark) or (self.values[inside[-1]] if inside else [])


def compared(nn_told: Told, other_told: Told) -> Iterator[StepRow]:
    """The steps of the nn twin and of another side by side, in the order of the other's flow.

    Copies that the nn twin makes of one step in a row are told once, at their end.
    """
    styles = (nn_told.twin.style, other_told.twin.style)
    for mark in dict.fromkeys((*other_told.values, *nn_told.values)):
        left, right = nn_told.of(mark), other_told.of(mark)
        copies = len(left) // len(right) if right else 0
        if copies and len(left) == copies * len(right):
            runs = [list(_paired(*each)) for each in zip(left[copies - 1 :: copies], right)]
            parted = [_apart(pairs, styles) for pairs in runs]
            run = next((number for number, apart in enumerate(parted) if apart), 0)
            values = sum(count(tensor) for pairs in runs for tensor, _ in pairs)
            after = other_told.order.get((mark, run), len(other_told.order))
            yield StepRow(
                step_path(mark.path), str(mark), values, not parted[run], parted[run], after
            )


def _apart(pairs: Iterable[tuple[Tensor, Tensor]], styles: Sequence[str]) -> str:
    return next((found for a, b in pairs if (found := difference(a, b, styles))), "")


def _paired(nn: Values, other: Values) -> Iterator[tuple[Tensor, Tensor]]:
    """The tensors of one run of a step, by the names that both twins bind; what a hook told, by the last name."""
    if "" in nn:
        last = list(other.values())[-1]
        yield from zip(nn[""], last) if len(nn[""]) == len(last) else ()
    for name in nn.keys() & other.keys():
        yield from zip(nn[name], other[name])


def _telling(
    twin: Twin, tell: Callable[..., None], passed: Callable[..., object]
) -> dict[str, Any]:
    """A twin's classes anew, with a forward that tells what its statements bind."""
    module, file = twin.module, str(twin.module.__file__)
    lines = linecache.getlines(file, vars(module))
    tree = ast.parse("".join(lines))
    parts = _Parts(lines, twin.parts)
    for each in tree.body:
        for method in each.body if isinstance(each, ast.ClassDef) else ():
            if isinstance(method, ast.FunctionDef) and method.name == "forward":
                method.body = [parts.visit(one) for one in _told(method.body, twin.lines)]
    scope = {**vars(module), _TELL: tell, _PASS: passed}
    # The twin's own source, which has run already.
    exec(compile(ast.fix_missing_locations(tree), file, "exec"), scope)  # noqa: S102
    return scope


class _Parts(ast.NodeTransformer):
    """Puts the parts of lines that are steps of their own into calls that pass on what they give."""

    def __init__(self, lines: Sequence[str], parts: Sequence[Span]) -> None:
        self.lines = lines
        self.places = {(each.line, each.column, each.end_column): n for n, each in enumerate(parts)}

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        line = self.lines[node.lineno - 1].encode()
        start, end = (len(line[:at].decode()) for at in (node.col_offset, node.end_col_offset))
        place = self.places.get((node.lineno, start, end))
        if place is None or node.lineno != node.end_lineno:
            return node
        return ast.copy_location(
            ast.Call(ast.Name(_PASS, ast.Load()), [ast.Constant(place), node], []), node
        )


def _told(body: Sequence[ast.stmt], lines: Lines, outer: Mark | None = None) -> Iterator[ast.stmt]:
    """Statements; those of one step are followed by a call that tells what they have bound.

    Args:
        body: the statements.
        lines: for each line the step that made it.
        outer: the step that they are part of; it is told behind the whole.
    """
    bound: dict[str, None] = {}
    for statement, after in zip(body, [*body[1:], None]):
        mark = lines[statement.lineno - 1]
        bound = {**{n: None for n in bound if n not in _bound(statement)}, **_bound(statement)}
        if isinstance(statement, (ast.If, ast.For)):
            statement.body = list(_told(statement.body, lines, mark))
        yield statement
        if after is None or lines[after.lineno - 1] != mark:
            if bound and mark != outer:
                yield ast.copy_location(_tell(statement.lineno, bound), statement)
            bound = {}


def _bound(statement: ast.stmt) -> dict[str, None]:
    """The names that a statement binds, or those in it, in order."""
    nodes = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
    return {node.id: None for node in nodes if isinstance(node.ctx, ast.Store) and node.id != "_"}


def _tell(line: int, names: Iterable[str]) -> ast.stmt:
    return ast.parse(f"{_TELL}({line}, {list(names)}, locals())").body[0]
