"""A trace becomes steps: layers with what they take, and lines of Python named as the source names their values."""

from __future__ import annotations

import ast
import keyword
import linecache
import math
import operator
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from nngen.catalog import FUNCTIONS
from nngen.catalog.signature import REQUIRED
from nngen.importer.capture import Call
from nngen.importer.modes import Code
from nngen.importer.refusal import ImportRefused, class_at
from nngen.importer.trace import LINE

_OPERATORS = {
    operator.add: "+",
    operator.sub: "-",
    operator.mul: "*",
    operator.truediv: "/",
    operator.floordiv: "//",
    operator.mod: "%",
    operator.pow: "**",
    operator.matmul: "@",
    operator.lt: "<",
    operator.le: "<=",
    operator.gt: ">",
    operator.ge: ">=",
    operator.eq: "==",
    operator.ne: "!=",
    operator.and_: "&",
    operator.or_: "|",
}
_UNARY = {operator.neg: "-", operator.invert: "~"}
# A call or a name needs no brackets where it stands in an expression.
_TIGHT = ("call", "name")


@dataclass
class LayerStep:
    """A layer or block, built and called.

    Attributes:
        target: where the module has it: "layer1.0".
        sources: the expressions that it is given; None where that is what the step above gave.
        call: the line that calls it, where the sources do not say how.
        where: its line of the source.
    """

    target: str
    sources: list[str] | None
    call: str = ""
    where: str = ""


@dataclass
class LineStep:
    """A line of Python."""

    code: str
    where: str = ""


@dataclass
class StateStep:
    """A parameter or buffer of the class's own."""

    name: str
    is_parameter: bool


@dataclass
class Sketch:
    """What one module does.

    Attributes:
        inputs: the names of what forward is given.
        steps: in order.
        outputs: what it gives, as an expression; "" where that is what the last step gave.
    """

    inputs: list[str]
    steps: list[LayerStep | LineStep | StateStep] = field(default_factory=list)
    outputs: Any = ""


class Sketcher:
    """Sketches one module.

    Args:
        module: the module.
        graph: its trace.
        calls: what its children gave, by their names in it.
    """

    def __init__(self, module: nn.Module, graph: fx.Graph, calls: Mapping[str, Call]) -> None:
        self.module = module
        self.nodes = list(graph.nodes)
        self.calls = calls
        self.place = {node: number for number, node in enumerate(self.nodes)}
        self.texts: dict[fx.Node, tuple[str, str]] = {}  # each with its kind
        self.names: dict[str, fx.Node] = {}
        self.called: set[str] = set()
        self.previous = ""
        inputs = [str(node.target) for node in self.nodes if node.op == "placeholder"]
        self.sketch = Sketch(inputs)

    def run(self) -> Sketch:
        """The sketch.

        Raises:
            ImportRefused: something has no form in a spec.
        """
        for node in self.nodes:
            if node.op == "placeholder":
                self._bind(node, str(node.target))
        self._state()
        if len(self.sketch.inputs) == 1:
            self.previous = self.sketch.inputs[0]
        for node in self.nodes:
            if node in self.texts or node.op == "placeholder":
                continue
            if node.op == "call_module":
                self._layer(node)
            elif node.op in ("call_function", "call_method"):
                self._computed(node)
            elif node.op == "output":
                self._output(node)
        return self.sketch

    def _state(self) -> None:
        for node in (node for node in self.nodes if node.op == "get_attr"):
            name = str(node.target)
            if "." in name:
                raise ImportRefused(
                    f"{name}: the tensor of a child cannot stand in a line",
                    node.meta.get(LINE, ""),
                    "let the child compute what it is for",
                )
            if name not in self.names:
                is_parameter = isinstance(getattr(self.module, name), nn.Parameter)
                self.sketch.steps.append(StateStep(name, is_parameter))
                self.names[name] = node
            self.texts[node] = name, "name"

    def _bind(self, node: fx.Node, name: str) -> None:
        self.names[name] = node
        self.texts[node] = name, "name"

    # Layers

    def _layer(self, node: fx.Node) -> None:
        target = str(node.target)
        where = node.meta.get(LINE, "")
        given = [self._given_to(each, node) for each in node.args]
        keywords = {name: self._text(value) for name, value in node.kwargs.items()}
        call = ", ".join([*given, *(f"{name}={value}" for name, value in keywords.items())])
        name = value_name(target)
        outputs = self._unpacked(node, self.calls[target].output)
        if target in self.called:
            bound = outputs or self._name(node)
            self.sketch.steps.append(LineStep(f"{bound} = {name}({call})", where))
            self.previous = bound
        else:
            self.called.add(target)
            step = LayerStep(target, None, where=where)
            plain = not keywords and all(self._is_name(each) for each in given)
            if outputs:
                step.call = f"{outputs} = {name}({call})"
            elif not plain:
                outputs = self._name(node)
                step.call = f"{outputs} = {name}({call})"
                self._bind(node, outputs)
            elif given != [self.previous]:
                step.sources = given
            self.sketch.steps.append(step)
            self.previous = outputs if outputs.isidentifier() else "" if outputs else name
            bound = name
        if not outputs:
            self._bind(node, bound)

    def _given_to(self, value: Any, node: fx.Node) -> str:
        """What a layer is given: an expression gets a line of its own."""
        if isinstance(value, fx.Node) and self.texts[value][1] != "name":
            return self._as_name(value, node)
        return self._text(value)

    def _is_name(self, text: str) -> bool:
        return text.isidentifier()

    def _unpacked(self, node: fx.Node, output: Any) -> str:
        """The names that what a layer gives is unpacked to, `_, (h, c)`; empty where it gives one tensor."""
        if isinstance(output, Tensor):
            return ""
        if not isinstance(output, tuple):
            raise ImportRefused(
                f"{node.target} gives a {type(output).__name__}, not tensors",
                node.meta.get(LINE, ""),
            )
        return self._parts(node, output)

    def _parts(self, node: fx.Node, output: tuple[Any, ...]) -> str:
        taken = {user.args[1]: user for user in node.users if user.target is operator.getitem}
        if len(taken) < len(node.users):
            raise ImportRefused(
                f"what {node.target} gives is used as a whole, and holds several tensors",
                node.meta.get(LINE, ""),
                "unpack it",
            )
        found = []
        for place, part in enumerate(output):
            user = taken.get(place, taken.get(place - len(output)))
            if user is None or not user.users:
                found.append("_")
                if user is not None:
                    self.texts[user] = "_", "name"
            elif isinstance(part, tuple):
                found.append(f"({self._parts(user, part)})")
                self.texts[user] = "", "name"
            else:
                name = self._name(user)
                self._bind(user, name)
                found.append(name)
        return ", ".join(found)

    # Lines

    def _computed(self, node: fx.Node) -> None:
        text, kind = self._expression(node)
        where = node.meta.get(LINE, "")
        parts = self._split(node)
        if parts:
            self.sketch.steps.append(LineStep(f"{parts} = {text}", where))
            self.previous = ""
        elif self._stays_inside(node):
            self.texts[node] = text, kind
        else:
            name = self._name(node)
            self.sketch.steps.append(LineStep(f"{name} = {text}", where))
            self._bind(node, name)
            self.previous = name

    def _split(self, node: fx.Node) -> str:
        """The names of a tuple that a line unpacks, as `q, k, v = x.chunk(3, dim=-1)` does."""
        wanted = _named(node.meta.get(LINE, "")) or ()
        users: dict[Any, fx.Node] = {
            user.args[1]: user for user in node.users if user.target is operator.getitem
        }
        if (
            len(wanted) < 2
            or len(users) < len(node.users)
            or not users.keys() <= {*range(len(wanted))}
        ):
            return ""
        names = ["_"] * len(wanted)
        for place, user in users.items():
            names[place] = self._name(user)
            self._bind(user, names[place])
        return ", ".join(names)

    def _stays_inside(self, node: fx.Node) -> bool:
        """Whether an expression stands in that of its only user, as it does in the source."""
        if _is_about_size(node):
            return True
        if len(node.users) != 1:
            return False
        (user,) = node.users
        return user.op == "output" or user.meta.get(LINE) == node.meta.get(LINE, "")

    def _name(self, node: fx.Node, at: fx.Node | None = None) -> str:
        """What a value is called: as in the source, where that name is free by then.

        Args:
            node: the value.
            at: where it is bound, if not where it is computed.
        """
        wanted = _target(node, self.nodes) or _stem(node)
        if hasattr(self.module, wanted) or keyword.iskeyword(wanted):
            wanted = f"{wanted}_"
        name, number = wanted, 1
        while not self._is_free(name, node if at is None else at):
            number += 1
            name = f"{wanted}{number}"
        return name

    def _is_free(self, name: str, node: fx.Node) -> bool:
        children = set(map(value_name, self.calls))
        if name in children:
            return False
        bound = self.names.get(name)
        if bound is None:
            return True
        last = max((self.place[user] for user in self._all_users(bound)), default=-1)
        return bound.op != "get_attr" and last <= self.place[node]

    def _all_users(self, node: fx.Node) -> list[fx.Node]:
        """Those that read it, and those that read what stands inside these."""
        found = []
        for user in node.users:
            found.append(user)
            if (
                user in self.texts
                and self.texts[user][1] != "name"
                or _is_about_size(user)
                or user.op in ("call_function", "call_method")
                and self._stays_inside(user)
            ):
                found += self._all_users(user)
        return found

    # Expressions

    def _text(self, value: Any) -> str:
        if isinstance(value, fx.Node):
            return self.texts[value][0]
        if isinstance(value, (list, tuple)):
            inside = ", ".join(map(self._text, value))
            if isinstance(value, list):
                return f"[{inside}]"
            return f"({inside},)" if len(value) == 1 else f"({inside})"
        if isinstance(value, slice):
            parts = [value.start, value.stop, value.step]
            texts = ["" if part is None else self._text(part) for part in parts]
            return ":".join(texts if value.step is not None else texts[:2])
        if isinstance(value, Code):
            return value.text
        if isinstance(value, float) and not math.isfinite(value):
            return f'float("{value}")'
        if value is Ellipsis:
            return "..."
        return str(value) if isinstance(value, torch.dtype) else repr(value)

    def _inner(self, value: Any) -> str:
        """The text of an operand."""
        text = self._text(value)
        if isinstance(value, fx.Node) and self.texts[value][1] not in _TIGHT:
            return f"({text})"
        return f"({text})" if isinstance(value, Code) else text

    def _expression(self, node: fx.Node) -> tuple[str, str]:
        target = node.target
        if node.op == "call_method":
            return f"{self._inner(node.args[0])}.{target}({self._given(node, 1)})", "call"
        if target in _OPERATORS:
            left, right = map(self._inner, node.args[:2])
            return f"{left} {_OPERATORS[target]} {right}", "operation"
        if target in _UNARY:
            return f"{_UNARY[target]}{self._inner(node.args[0])}", "operation"
        if target is operator.getitem:
            index = node.args[1]
            inside = self._text(index)
            if isinstance(index, tuple):
                inside = ", ".join(map(self._text, index))
            return f"{self._inner(node.args[0])}[{inside}]", "call"
        if target is getattr:
            return f"{self._inner(node.args[0])}.{node.args[1]}", "call"
        name = _called(target)
        if not name:
            raise ImportRefused(
                f"{getattr(target, '__name__', target)} is no function that a spec has",
                node.meta.get(LINE, ""),
                "write it with functions of torch and torch.nn.functional",
            )
        return f"{name}({self._given(node, 0, name)})", "call"

    def _given(self, node: fx.Node, start: int, function: str = "") -> str:
        """The arguments of a call, but for torch's defaults; the mode is always said."""
        entry = FUNCTIONS.get(function)
        defaults = {each.name: each.default for each in entry.signature} if entry else {}
        texts = list(map(self._text, node.args[start:]))
        for name, value in node.kwargs.items():
            default = defaults.get(name, REQUIRED)
            if name.startswith("_"):  # torch's own business
                continue
            if name == "training" or type(value) is not type(default) or value != default:
                texts.append(f"{name}={self._text(value)}")
        return ", ".join(texts)

    # Outputs

    def _output(self, node: fx.Node) -> None:
        value = node.args[0]
        if isinstance(value, fx.Node):
            name = self._as_name(value)
            self.sketch.outputs = "" if name == self.previous else name
        elif isinstance(value, (tuple, list)):
            self.sketch.outputs = [self._as_name(each) for each in value]
        elif isinstance(value, dict):
            self.sketch.outputs = {key: self._as_name(each) for key, each in value.items()}
        else:
            raise ImportRefused(
                f"forward gives {type(value).__name__}, not tensors", class_at(type(self.module))
            )

    def _as_name(self, value: Any, at: fx.Node | None = None) -> str:
        """A value by its name; an expression gets a line of its own.

        Args:
            value: the value.
            at: where it is used, and the line stands.
        """
        if not isinstance(value, fx.Node):
            raise ImportRefused(
                "forward gives what is no tensor among its outputs", class_at(type(self.module))
            )
        text, kind = self.texts[value]
        if kind == "name":
            return text
        name = self._name(value, at)
        self.sketch.steps.append(LineStep(f"{name} = {text}", value.meta.get(LINE, "")))
        self._bind(value, name)
        self.previous = name
        return name


def value_name(target: str) -> str:
    """What lines call a layer, and its value."""
    plain = re.sub(r"[.-]", "_", target)
    return f"layer_{plain}" if plain[:1].isdecimal() else plain


def _is_about_size(node: fx.Node) -> bool:
    """Whether it is a size, a dtype or a device, which a line asks for where it needs it."""
    if node.op == "call_method":
        return node.target in ("size", "dim")
    if node.target is getattr:
        return True
    if node.target is operator.getitem and isinstance(node.args[0], fx.Node):
        return _is_about_size(node.args[0])
    plain = node.target in _OPERATORS
    return plain and all(
        _is_about_size(each) if isinstance(each, fx.Node) else isinstance(each, int)
        for each in node.args
    )


def _called(function: Any) -> str:
    """How a spec calls a function: F.relu, torch.cat."""
    name = getattr(function, "__name__", "")
    homes = {"F": F, "torch": torch, "math": math}
    found = [f"{home}.{name}" for home, of in homes.items() if getattr(of, name, None) is function]
    return next((text for text in found if text in FUNCTIONS), next(iter(found), ""))


def _stem(node: fx.Node) -> str:
    name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "y")
    if node.target in _OPERATORS or node.target is operator.getitem:
        return "y"
    return str(name).strip("_") or "y"


@lru_cache(maxsize=4096)
def _named(where: str) -> tuple[str, ...] | None:
    """The names that the statement on a line of the source assigns to; None where there are none."""
    file, _, line = where.rpartition(":")
    if not file or not Path(file).is_file():
        return None
    for statement in _statements(file):
        if statement.lineno <= int(line) <= (statement.end_lineno or 0):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            target = targets[0]
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            if all(isinstance(name, ast.Name) for name in names):
                return tuple(name.id for name in names if isinstance(name, ast.Name))
    return None


@lru_cache(maxsize=256)
def _statements(file: str) -> list[Any]:
    tree = ast.parse("".join(linecache.getlines(file)))
    kinds = (ast.Assign, ast.AugAssign, ast.AnnAssign)
    return [node for node in ast.walk(tree) if isinstance(node, kinds)]


def _target(node: fx.Node, nodes: Sequence[fx.Node]) -> str:
    """The name that the source gives to a value, where it is the last that its line computes."""
    where = node.meta.get(LINE, "")
    names = _named(where)
    if names is None:
        return ""
    if len(names) > 1:
        place = node.args[1] if node.target is operator.getitem else None
        return names[place] if isinstance(place, int) and -len(names) <= place < len(names) else ""
    follows = [user for user in node.users if user.meta.get(LINE) == where]
    return "" if follows else names[0]
