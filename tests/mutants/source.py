"""One generated file: its text, its tree, and mutants made by edits to the text."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

FUNCTIONAL = "functional_style.py"
NN = "nn_style.py"
STATELESS = "stateless.py"
RENAMING = "__init__.py"
BOTH = "both twins"
# What a stateless class has in the place of a module's methods.
METHODS = {"__call__": "forward", "init": "__init__"}

Edits = Mapping[ast.AST, str]  # what stands in the place of each node
# Of one file, a `Source`; of both twins, `Twins`.
Find = Callable[[Any], Iterator[Edits]]


@dataclass(frozen=True)
class Fault:
    """A kind of fault: where it applies in a file, and what stands there then.

    Args:
        name: the name of the function that finds it.
        says: what is wrong, in a line.
        file: the file that it is put into, or BOTH.
        find: gives the edits of each site.
    """

    name: str
    says: str
    file: str
    find: Find


FAULTS: dict[str, Fault] = {}


def fault(*files: str) -> Callable[[Find], Find]:
    """Enters a fault under the name of the function, and that of the file if it has several.

    Its docstring says what is wrong.
    """

    def enter(find: Find) -> Find:
        for file in files:
            other = "stateless_" if file == STATELESS else ""
            name = f"{other}{find.__name__.removeprefix(other)}"
            if name in FAULTS:
                raise ValueError(f"two faults are called {name}")
            FAULTS[name] = Fault(name, (find.__doc__ or "").rstrip("."), file, find)
        return find

    return enter


class Source:
    """A file's text and tree.

    Args:
        text: the file.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.tree = ast.parse(text)
        self.parents = {
            child: parent
            for parent in ast.walk(self.tree)
            for child in ast.iter_child_nodes(parent)
        }
        found = [node for node in ast.walk(self.tree) if hasattr(node, "lineno")]
        self._nodes = sorted(found, key=lambda node: (node.lineno, node.col_offset))
        self._calls = [
            (node, ast.unparse(node.func)) for node in self._nodes if isinstance(node, ast.Call)
        ]
        lines = text.encode().splitlines(keepends=True)
        self._starts = [0]
        for line in lines:
            self._starts.append(self._starts[-1] + len(line))

    def nodes(
        self, kind: type[ast.AST] | tuple[type[ast.AST], ...], *functions: str
    ) -> list[ast.AST]:
        """The nodes of a kind in the order of the text; only in these functions, if any is named."""
        found = [node for node in self._nodes if isinstance(node, kind)]
        return [node for node in found if not functions or self.function(node) in functions]

    def calls(self, *names: str, within: tuple[str, ...] = ()) -> list[ast.Call]:
        """The calls of these functions; a name that ends in a dot stands for all that it holds."""
        return [
            call
            for call, function in self._calls
            if any(
                function == name or name[-1] == "." and function.startswith(name) for name in names
            )
            and (not within or self.function(call) in within)
        ]

    def above(self, node: ast.AST, kind: type[ast.AST]) -> ast.AST | None:
        """The nearest node of a kind that holds this one."""
        parent = self.parents.get(node)
        while parent is not None and not isinstance(parent, kind):
            parent = self.parents.get(parent)
        return parent

    def function(self, node: ast.AST) -> str:
        """The name of the function that holds a node, as a module has it; empty outside of one."""
        found = self.above(node, ast.FunctionDef)
        return _named(found) if isinstance(found, ast.FunctionDef) else ""

    def inputs(self, node: ast.AST) -> list[str]:
        """The arguments of the function that holds a node, without what holds parameters and buffers."""
        found = self.above(node, ast.FunctionDef)
        arguments = found.args.args if isinstance(found, ast.FunctionDef) else []
        return [a.arg for a in arguments if a.arg not in ("self", "params", "buffers")]

    @property
    def mode(self) -> str:
        """What the mode is called: `self.training` of a module, the argument `training` of a stateless class."""
        return "training" if "training: bool" in self.text else "self.training"

    def classes(self) -> list[ast.ClassDef]:
        """The classes; the model is the last."""
        return [node for node in self.tree.body if isinstance(node, ast.ClassDef)]

    def bodies(self, *functions: str) -> Iterator[list[ast.stmt]]:
        """The bodies of functions, and of what branches and loops in them."""
        for node in self.nodes((ast.FunctionDef, ast.If, ast.For)):
            name = _named(node) if isinstance(node, ast.FunctionDef) else self.function(node)
            if name in functions:
                for part in (node.body, getattr(node, "orelse", [])):  # type: ignore[attr-defined]
                    if part:
                        yield part

    def segment(self, node: ast.AST) -> str:
        """The text of a node."""
        start, end = self._span(node)
        return self.text.encode()[start:end].decode()

    def told(self, edits: Edits) -> str:
        """The lines that edits change, as they are, and what is put into them."""
        lines = self.text.splitlines()
        spans = sorted((node.lineno, node.end_lineno) for node in edits)  # type: ignore[attr-defined]
        before = ["\n".join(lines[start - 1 : end]) for start, end in spans]
        return "\n".join([*before, *edits.values()])

    def block(self, at: ast.stmt, *lines: str) -> str:
        """Lines that stand in the place of a statement."""
        return ("\n" + " " * at.col_offset).join(lines)

    def edited(self, edits: Edits) -> str:
        """The text with each node replaced."""
        text = self.text.encode()
        for node in sorted(edits, key=self._span, reverse=True):
            start, end = self._span(node)
            text = text[:start] + edits[node].encode() + text[end:]
        return text.decode()

    def _span(self, node: ast.AST) -> tuple[int, int]:
        return (
            self._starts[node.lineno - 1] + node.col_offset,  # type: ignore[attr-defined]
            self._starts[node.end_lineno - 1] + node.end_col_offset,  # type: ignore[attr-defined]
        )


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    """The value of a keyword argument, if it is given."""
    return next((k.value for k in call.keywords if k.arg == name), None)


def changed(call: ast.Call, _function: str = "", **keywords: str | None) -> str:
    """A call with other keyword arguments (None leaves one out), or of another function."""
    other = copy.deepcopy(call)
    other.keywords = [k for k in other.keywords if k.arg not in keywords]
    other.keywords += [
        ast.keyword(name, _parsed(value)) for name, value in keywords.items() if value is not None
    ]
    if _function:
        other.func = _parsed(_function)
    return ast.unparse(other)


def rearranged(call: ast.Call, *arguments: ast.expr | str) -> str:
    """A call with other positional arguments."""
    other = copy.deepcopy(call)
    other.args = [_parsed(a) if isinstance(a, str) else a for a in arguments]
    return ast.unparse(other)


def replaced(call: ast.Call, index: int, argument: str) -> str:
    """A call with one positional argument in another's place."""
    arguments: list[ast.expr | str] = list(call.args)
    arguments[index] = argument
    return rearranged(call, *arguments)


def is_own(node: ast.AST) -> bool:
    """Whether this is an attribute of self, or an entry of params or buffers: a parameter or a buffer, mostly."""
    holders = ("self",) if isinstance(node, ast.Attribute) else ("params", "buffers")
    return (
        isinstance(node, (ast.Attribute, ast.Subscript))
        and isinstance(node.value, ast.Name)
        and node.value.id in holders
    )


def is_weight(node: ast.AST, *kinds: str) -> bool:
    """Whether this is a parameter by its name: a weight or a bias, or one of these kinds."""
    key = node.slice if isinstance(node, ast.Subscript) else node
    text = ast.unparse(key).rstrip("'\"")
    return is_own(node) and text.endswith(kinds or ("weight", "bias"))


def _named(function: ast.FunctionDef) -> str:
    return METHODS.get(function.name, function.name)


def _parsed(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body
