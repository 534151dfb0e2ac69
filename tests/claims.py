"""What generated code says of shapes and types, in docstrings, comments and annotations, held against real runs."""

from __future__ import annotations

import ast
import inspect
import io
import re
import tokenize
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from nngen.catalog import LAYERS
from nngen.errors import SpecError
from nngen.graph import follow
from nngen.graph.inputs import tensor_spec
from nngen.language import document, spec
from nngen.proof.feed import draw_feed
from nngen.proof.loading import Pair
from nngen.proof.subject import Subject

# No name of a spec can have this form.
_TELL = "__claimed__"
_PRIME = "_prime"
# The last paragraph; what comes before is the spec's own.
_MAPS = re.compile(r"(?:^|\n\n) *Maps (.*)\.\s*$")
_WORDS = re.compile(
    "a tensor of unknown shape|a value known at run time|a number|a packed sequence|None|True|False"
)
_FUNCTIONS = {"max": max, "min": min, "len": len, "int": int, "round": round, "abs": abs}


class FalseClaim(AssertionError):
    """A docstring or comment says a shape that a tensor does not have, or an annotation another type."""


def claims_hold(pair: Pair, batches: Sequence[int] = (2, 3), others: bool = True) -> int:
    """Run both twins and compare the shapes that their text claims with those of the tensors.

    A name stands for an argument of the class, for an attribute, or for one size within a call: the first that it is
    seen with.

    Args:
        pair: the twins, as `nngen.load` gives them.
        batches: the batch sizes, taken by turns in train and in eval mode.
        others: with other values for each argument of the model, too.

    Returns:
        How many claims were held against a tensor.

    Raises:
        FalseClaim: one is wrong.
    """
    subject = pair.subject()
    told = [
        Told(pair.source_map.files[file].text, vars(module), file)
        for file, module in (
            ("nn_style.py", pair.nn_style),
            ("functional_style.py", pair.functional_style),
        )
    ]
    for twin in told:
        twin.run(subject, batches)
    for other in _others(pair, subject) if others else ():
        with suppress(SpecError, *_REFUSALS):  # the value may not fit the rest of the model
            changed = other()
            try:
                for twin in told:
                    twin.run(changed, batches[:1])
            except FalseClaim:
                # A claim is about models that run: one that does not raises here.
                run(vars(pair.nn_style), changed, batches[:1])
                raise
    return sum(twin.held for twin in told)


# What torch, or Python, says of arguments that do not fit.
_REFUSALS = (
    RuntimeError,
    ValueError,
    TypeError,
    IndexError,
    ZeroDivisionError,
    NotImplementedError,
)


def _others(pair: Pair, subject: Subject) -> Iterator[Callable[[], Subject]]:
    """The twins with another value for each argument, and for all open sizes, with the inputs as they follow from it."""
    for name, value in subject.arguments.items():
        if isinstance(value, (bool, int, type(None))):
            other = not value if isinstance(value, bool) else 2 if value is None else value + 1
            yield partial(with_values, pair, {name: other})
    if subject.sizes:
        yield lambda: replace(subject, sizes={name: n + 8 for name, n in subject.sizes.items()})


def with_values(pair: Pair, values: Mapping[str, Any]) -> Subject:
    """What verification feeds the twins of a spec with other values under `check`."""
    read = spec.from_node(document.parse(pair.text, "<text>"), "a text")
    read = spec.with_values(read, values)
    followed = follow(read)
    criterion = followed.criterion
    return replace(
        pair.subject(),
        inputs=tuple(tensor_spec(each, followed.flow.scope) for each in read.inputs),
        targets=None if criterion is None else criterion.targets,
        arguments=followed.arguments,
        sizes=followed.sizes,
    )


def run(scope: Mapping[str, Any], subject: Subject, batches: Sequence[int]) -> None:
    """Run the model of a module in train and in eval mode."""
    model = scope[subject.name](**subject.arguments)
    for place, batch in enumerate(batches):
        training = place % 2 == 0
        model.train(training)
        # A target may have the size that the mode gives the output.
        sizes = {**subject.sizes, "training": int(training)}
        feed = draw_feed(replace(subject, sizes=sizes), batch, 0)
        with torch.no_grad():
            output = model(*feed.inputs.values())
            if feed.has_loss:
                # In eval mode a model may give what its loss does not take.
                with suppress(*_REFUSALS):
                    model.loss(*_leaves(output), *feed.targets.values())


class Told:
    """One twin, made to hold what its text claims against what it computes.

    Args:
        text: its source.
        scope: the names of its module.
        file: what it is called in messages.
    """

    def __init__(self, text: str, scope: Mapping[str, Any], file: str) -> None:
        self.file = file
        self.held = 0
        self.calls: list[_Call] = []
        tree = ast.parse(text)
        comments = _comments(text)
        self.scope = {**scope, _TELL: self._tell}
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                for method in node.body:
                    if isinstance(method, ast.FunctionDef):
                        method.body = list(_telling(method.body, comments))
        # The twin's own source, which has run already.
        exec(compile(ast.fix_missing_locations(tree), file, "exec"), self.scope)  # noqa: S102
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                self._wrap(self.scope[node.name], node)

    def run(self, subject: Subject, batches: Sequence[int]) -> None:
        """Run the twin in train and in eval mode.

        Raises:
            FalseClaim: a claim is wrong.
        """
        run(self.scope, subject, batches)

    def _wrap(self, made: type[nn.Module], node: ast.ClassDef) -> None:
        init, forward, loss = made.__init__, made.forward, getattr(made, "loss", None)
        signature = inspect.signature(init)
        names = list(inspect.signature(forward).parameters)[1:]
        maps = _MAPS.search(made.__doc__ or "")
        doc = re.sub(r"\s+", " ", loss.__doc__ or "") if loss else ""
        methods = {each.name: each for each in node.body if isinstance(each, ast.FunctionDef)}
        written = methods.get("forward")  # a Sequential has none of its own
        types = [each.annotation for each in written.args.args[1:]] if written else []

        def wrapped_init(module: nn.Module, *args: Any, **keywords: Any) -> None:
            bound = signature.bind(module, *args, **keywords)
            bound.apply_defaults()
            init(module, *args, **keywords)
            names = {key: value for key, value in bound.arguments.items() if key != "self"}
            object.__setattr__(module, _TELL, _lets(node, names))

        def wrapped_forward(module: nn.Module, *args: Any, **keywords: Any) -> Any:
            call = _Call(f"{self.file}: {made.__name__}", module)
            object.__setattr__(module, f"{_TELL}call", call)
            for name, kind, value in zip(names, types, args):
                call.hold_type(name, kind, value)
            if maps:
                taken, result = _halves(maps[1])
                claimed = _inputs(taken, names)
                for text, value in zip(claimed, args):
                    self.held += call.hold(text, value)
            self.calls.append(call)
            try:
                output = forward(module, *args, **keywords)
            finally:
                self.calls.pop()
            call.hold_type("what it returns", written and written.returns, output)
            if maps:
                self.held += call.hold(result, output)
            call.settle()
            return output

        def wrapped_loss(module: nn.Module, *args: Any) -> Any:
            call = getattr(module, f"{_TELL}call")
            self.calls.append(call)
            try:
                result = loss(module, *args)  # type: ignore[misc]
            finally:
                self.calls.pop()
            for text, value in zip(_loss_shapes(doc), args):
                self.held += call.hold(text, value)
            call.settle()
            return result

        made.__init__ = wrapped_init  # type: ignore[misc]
        made.forward = wrapped_forward  # type: ignore[method-assign]
        if loss:
            made.loss = wrapped_loss  # type: ignore[attr-defined]

    def _tell(self, text: str, value: Any) -> None:
        self.held += self.calls[-1].hold(text, value)


@dataclass
class _Call:
    """One call of a class: what the names in its text stand for."""

    where: str
    module: nn.Module
    names: dict[str, int] = field(default_factory=dict)
    open: list[tuple[str, ast.expr, int]] = field(default_factory=list)

    def hold(self, text: str, value: Any) -> int:
        """Hold a claim against a value: how many shapes it has."""
        if "(" not in text:
            return 0
        leaves = _leaves(value)
        alternatives = [list(_parts(each)) for each in re.split(",? or ", text)]
        fitting = [each for each in alternatives if _fits(each, leaves)]
        shown = [tuple(leaf.shape) if isinstance(leaf, Tensor) else leaf for leaf in leaves]
        if not fitting:
            raise FalseClaim(f"{self.where}: {text!r}, but it is {shown}")
        for part, leaf in zip(fitting[0], leaves):
            if part.startswith("("):
                self._hold(text, part, leaf.shape)
        return sum(part.startswith("(") for part in fitting[0])

    def hold_type(self, what: str, kind: ast.expr | None, value: Any) -> None:
        """Hold an annotation against a value."""
        if kind is not None and not _is_of(kind, value):
            raise FalseClaim(f"{self.where}: {what} is no {ast.unparse(kind)}, but {value!r:.200}")

    def _hold(self, text: str, part: str, shape: Sequence[int]) -> None:
        for node, size in zip(_sizes(part), shape):
            if isinstance(node, ast.Name) and not self._is_known(node.id):
                self.names[node.id] = size
            else:
                self.open.append((f"{text!r}, but the shape is {tuple(shape)}", node, size))

    def settle(self) -> None:
        """Compare sizes with their expressions, now that all names have been seen."""
        for text, node, size in self.open:
            names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
            found = {name: self._find(name) for name in names - _FUNCTIONS.keys()}
            if not all(map(self._is_known, found)):
                raise FalseClaim(f"{self.where}: {text}; a name in it is unknown: {found}")
            code = compile(ast.Expression(node), self.where, "eval")
            if eval(code, {**_FUNCTIONS, **found}) != size:
                known = ", ".join(f"{name} = {value}" for name, value in found.items())
                raise FalseClaim(f"{self.where}: {text}; {known}")
        self.open.clear()

    def _is_known(self, name: str) -> bool:
        """Whether a name has a value, which may be None where it is an argument."""
        return self._find(name) is not None or name in getattr(self.module, _TELL)

    def _find(self, name: str) -> Any:
        given = getattr(self.module, _TELL)
        if name in given:
            return given[name]
        if name in self.names:
            return self.names[name]
        kept = getattr(self.module, name, None)
        return kept if isinstance(kept, (int, tuple, list)) else None


def _loss_shapes(doc: str) -> list[str]:
    """What the docstring of a loss that is one layer says of its arguments, in their order."""
    for entry in LAYERS.values():
        order = [*entry.outputs, *entry.targets]
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.*)", re.escape(entry.doc))
        found = re.fullmatch(pattern, doc) if entry.targets else None
        if found:
            return [found[name] for name in order]
    return []


def _lets(node: ast.ClassDef, names: dict[str, Any]) -> dict[str, Any]:
    """The constructor's arguments and its local variables."""
    methods = [each for each in node.body if isinstance(each, ast.FunctionDef)]
    statements = [each for method in methods if method.name == "__init__" for each in method.body]
    for statement in statements:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            code = compile(ast.Expression(statement.value), node.name, "eval")
            with suppress(*_REFUSALS, NameError):
                names[statement.targets[0].id] = eval(code, {}, names)
    return names


def _comments(text: str) -> dict[int, str]:
    """The shapes in comments, by line."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    comments = {token.start[0]: token.string for token in tokens if token.type == tokenize.COMMENT}
    found = {line: comment for line, comment in comments.items() if comment.startswith("# (")}
    # One that would break its line stands above it.
    found |= {line + 1: f"# {c[5:]}" for line, c in comments.items() if c.startswith("# -> (")}
    return {line: comment[2:].partition(";")[0] for line, comment in found.items()}


def _telling(body: list[ast.stmt], comments: Mapping[int, str]) -> Iterator[ast.stmt]:
    """Statements, each that has a shape as a comment followed by a call that tells what it has bound."""
    for statement in body:
        last = statement.end_lineno or statement.lineno
        target = statement
        if isinstance(statement, ast.For):
            last = statement.body[0].lineno - 1
            target = statement.body[-1]
        claimed = [comments[line] for line in range(statement.lineno, last + 1) if line in comments]
        yield statement
        if claimed:
            assert isinstance(target, ast.Assign) and len(claimed) == 1, ast.unparse(statement)
            bound = ast.unparse(target.targets[0])
            call = ast.parse(f"{_TELL}({claimed[0]!r}, {bound})").body[0]
            yield ast.copy_location(call, statement)


def _halves(text: str) -> tuple[str, str]:
    """Of `Maps A to B` both."""
    depth = 0
    for place, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if not depth and text.startswith(" to ", place):
            return text[:place], text[place + 4 :]
    raise FalseClaim(f"{text!r} does not say what is mapped to what")


def _inputs(text: str, names: Sequence[str]) -> list[str]:
    """What is said of each input."""
    if len(names) == 1:
        return [text]
    found = re.fullmatch(" and ".join(f"{name}(?: (.*))?" for name in names), text)
    if found is None:
        raise FalseClaim(f"{text!r} does not tell of the inputs {', '.join(names)}")
    return [part or "" for part in found.groups()]


def _parts(text: str) -> Iterator[str]:
    """The shapes in a text, and the words that stand for other values, in order."""
    depth, start = 0, 0
    for place, character in enumerate(text):
        if character == "(" and not depth:
            yield from _WORDS.findall(text[start:place])
            start = place
        depth += (character == "(") - (character == ")")
        if character == ")" and not depth:
            yield text[start : place + 1]
            start = place + 1
    yield from _WORDS.findall(text[start:])


def _fits(parts: list[str], leaves: list[Any]) -> bool:
    """Whether the parts of a claim are of the kinds and ranks of these values."""
    return len(parts) == len(leaves) and all(
        not part.startswith("(") or isinstance(leaf, Tensor) and leaf.dim() == len(_sizes(part))
        for part, leaf in zip(parts, leaves)
    )


def _sizes(shape: str) -> list[ast.expr]:
    tree = ast.parse(shape.replace("'", _PRIME), mode="eval").body
    return tree.elts if isinstance(tree, ast.Tuple) else [tree]


def _is_of(kind: ast.expr, value: Any) -> bool:
    """Whether a value is of an annotated type."""
    if isinstance(kind, ast.BinOp):
        return _is_of(kind.left, value) or _is_of(kind.right, value)
    if isinstance(kind, ast.Constant):
        return value is kind.value
    if isinstance(kind, ast.Subscript):
        inner = kind.slice.elts if isinstance(kind.slice, ast.Tuple) else [kind.slice]
        if ast.unparse(kind.value) == "tuple":
            alike = isinstance(value, tuple) and len(value) == len(inner)
            return alike and all(map(_is_of, inner, value))
        holder = {"list": list, "dict": dict}[ast.unparse(kind.value)]
        items = value.values() if isinstance(value, dict) else value
        return isinstance(value, holder) and all(_is_of(inner[-1], item) for item in items)
    found = eval(ast.unparse(kind), {"nn": nn, "Tensor": Tensor})
    return isinstance(value, found) and (found is not int or not isinstance(value, bool))


def _leaves(value: Any) -> list[Any]:
    """The values in tuples, lists and dicts."""
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in _leaves(item)]
    if isinstance(value, (tuple, list)) and not hasattr(value, "batch_sizes"):
        return [leaf for item in value for leaf in _leaves(item)]
    return [value]
