"""Lines of Python as they are walked: what they read, and the layers that they call."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from nngen.catalog import elsewhere
from nngen.catalog.partial_evaluation import free_names, replaced
from nngen.errors import Fault, Follows, SpecError, did_you_mean
from nngen.graph.alternatives import is_apart
from nngen.graph.containers import apply, build, build_list, inputs_of
from nngen.graph.deciding import decided
from nngen.graph.flow import Application, Module, Value
from nngen.graph.functions import NAMES, ONLY_FUNCTIONS, Caller, attribute
from nngen.graph.merging import merged, misfit
from nngen.graph.scope import Scope
from nngen.graph.sized import given, sized
from nngen.graph.written import Given
from nngen.language.spec import LayerStep
from nngen.symbolic.evaluator import Evaluator, known, truth
from nngen.symbolic.mathematics import NUMBERS, ROUNDING
from nngen.symbolic.sizes import Size, is_whole, value_of
from nngen.symbolic.tensor import UNKNOWN, Tensor

# What may compute a size from names that are none.
_COMPUTED = (ast.BinOp, ast.BoolOp, ast.Call, ast.IfExp)


class Layer:
    """A layer that later lines can call; built when it is first called, since only then its inputs are known."""

    def __init__(self, step: LayerStep, name: str, path: tuple[str, ...], scope: Scope) -> None:
        self.step = step
        self.name = name
        self.path = path
        self.scope = scope
        self.module: Module | None = None
        self.only_when = ""  # the condition without which it is not built
        self.broken = False  # its step has a mistake

    def __call__(self, *arguments: Any, **keywords: Any) -> Application:
        """Apply the layer.

        Raises:
            Fault: it does not fit what it is given.
        """
        if self.broken:
            raise Follows
        signature = inputs_of(self.step.kind, self.scope)
        try:
            inputs = signature.bind(self.step.kind, arguments, keywords)
        except Fault:
            for value in (*arguments, *keywords.values()):
                if isinstance(value, tuple) and value and isinstance(value[0], Tensor):
                    raise Fault(
                        f"{self.step.kind} is given {len(value)} values at once",
                        "take them apart: `call: y, indices = pool(x)` beside the layer that gives them",
                    ) from None
            raise
        if self.module is not None:
            return apply(self.module, inputs, self.scope)
        make = build if self.step.repeat is None else build_list
        application = make(self.step, self.path, self.scope, inputs)
        self.module = application.module
        return application


class Names(Protocol):
    """What a line can name where it stands: a walker."""

    scope: Scope
    values: dict[str, Value]
    layers: dict[str, Layer]
    functions: set[str]

    def named(self, name: str, sizes: Iterable[str] = ()) -> Value:
        """The value of a name."""

    def missing(self, name: str) -> None:
        """Note that a name is not there."""


class LineEvaluator(Evaluator):
    """Evaluates a line of Python, noting what it reads and calls.

    Args:
        walker: follows the class that the line is in.

    Attributes:
        reads: the values that it names.
        calls: the uses of layers in it.
        found: what each part of it gives.
        apart: the conditions in it that decide between values which have nothing in common, with what they ask.
        misfits: the arms of conditions that do not fit this use.
    """

    def __init__(self, walker: Names) -> None:
        super().__init__({**walker.scope.values, "training": UNKNOWN, **NAMES}, attribute)
        self.walker = walker
        self.reads: dict[str, Value] = {}
        self.calls: dict[ast.Call, Application] = {}
        self.parts = 0  # how many values its calls gave at once
        self.holds: list[str] = []
        self.arms: dict[ast.expr, Fault | SpecError | None] = {}
        self.misfits: set[ast.expr] = set()
        self.found: dict[ast.expr, Any] = {}
        self.apart: dict[ast.IfExp, Given] = {}
        self.sizes: set[ast.expr] = set()  # the parts of the line that are sizes

    def __call__(self, node: ast.expr) -> Any:
        value = super().__call__(node)
        if isinstance(node, _COMPUTED) and is_whole(value):
            names = free_names(node)
            if names & self.walker.scope.names and not names & self.walker.values.keys():
                value = sized(node, value, self.walker.scope.values)
        if isinstance(value, Size):
            self.sizes.add(node)
        self.found[node] = value
        return value

    def _name(self, node: ast.Name) -> Any:
        if node.id in self.scope and node.id not in self.walker.values:
            return known(self.scope[node.id])
        value = self.walker.named(node.id, self.walker.scope.values)
        if value.only_when is not None and ast.unparse(value.only_when) not in self.holds:
            condition = ast.unparse(value.only_when)
            raise Fault(
                f"{node.id!r} is there only when `{condition}`",
                f"`… {node.id} … if {condition} else …`",
            )
        self.reads[node.id] = value
        return known(value.abstract)

    def _ifexp(self, node: ast.IfExp) -> Any:
        test = self(node.test)
        body = self._arm(node.body, test is UNKNOWN or truth(test), node.test)
        otherwise = self._arm(node.orelse, test is UNKNOWN or not truth(test), _opposite(node.test))
        if test is UNKNOWN:
            result = _either(body, otherwise)
            if is_apart(result):
                self.apart[node] = given(node.test, self.walker.scope.values)
            return result
        return self._decided(node, bool(truth(test)), body, otherwise)

    def _decided(self, node: ast.IfExp, holds: bool, body: Any, otherwise: Any) -> Any:
        """What a condition gives that is decided in this use of the class, though perhaps not in others."""
        taken, other = (body, otherwise) if holds else (otherwise, body)
        test = self._known(node.test)
        if test is None or not test.sizes and not test.others:
            return taken
        if (node.orelse if holds else node.body) in self.misfits:
            why = f"what {ast.unparse(node.test)!r} decides does not fit in all cases"
            other = misfit(taken, why)
        first, second = (taken, other) if holds else (other, taken)
        result = merged(test, first, second, self.walker.scope.lets)
        if is_apart(result):
            self.apart[node] = test
        return taken if result is UNKNOWN else result

    def _known(self, node: ast.expr) -> Given | None:
        """An expression over the names of the class and the sizes of tensors; None for any other."""
        sizes: dict[str, Any] = {}
        tensors = self.walker.values.keys()

        def known(part: ast.expr) -> ast.expr | None:
            of_tensor = isinstance(part, (ast.Subscript, ast.Attribute, ast.Name)) or (
                isinstance(part, ast.Call) and not isinstance(part.func, ast.Name)
            )
            if not of_tensor or not free_names(part) & tensors:
                return None
            name = f"size {len(sizes)}"
            sizes[name] = self(part)
            return ast.Name(name, ast.Load())

        if any(isinstance(each, ast.Call) and each in self.calls for each in ast.walk(node)):
            return None
        tree = replaced(node, known)
        if any(not is_whole(value) for value in sizes.values()):
            return None
        return given(tree, {**self.walker.scope.values, **sizes})

    def _arm(self, node: ast.expr, taken: bool, holds: ast.expr) -> Any:
        """One arm of a condition; one that this use of the class does not take may fit only another use."""
        self.holds.append(ast.unparse(holds))
        depth = len(self.holds)
        try:
            with self.walker.scope.walkthrough.errors.trying(not taken):
                value = self(node)
            self.arms[node] = None
            return value
        except (Fault, SpecError) as fault:
            if taken:
                raise
            del self.holds[depth:]
            self._names_in(node)
            # With what an argument is here it may not fit, and yet with another, where that is not a size.
            self.arms[node] = None if self.names_values(node) else fault
            self.misfits.add(node)
            return UNKNOWN
        finally:
            self.holds.pop()

    def names_values(self, node: ast.expr) -> bool:
        """Whether an expression names an argument of the class that is not a size in this use."""
        values = self.walker.scope.values
        return any(not is_whole(values[name]) for name in free_names(node) & values.keys())

    def _names_in(self, node: ast.expr) -> None:
        """Read the names in an expression, whatever becomes of it."""
        for each in ast.walk(node):
            if isinstance(each, ast.Name) and each.id not in self.walker.layers:
                self(each)

    def _call(self, node: ast.Call) -> Any:
        if not isinstance(node.func, ast.Name):
            given = super()._call(node)
            self.parts += len(given) if isinstance(given, (tuple, list)) else 0
            return self._whole(node, given)
        layer = self.walker.layers.get(node.func.id)
        if layer is None and node.func.id in NUMBERS:
            return self._whole(node, self._function(node, node.func.id))
        if layer is None:
            raise self._no_layer(node.func.id, node)
        if layer.only_when and layer.module and layer.only_when not in self.holds:
            raise Fault(
                f"{layer.name!r} is built only when `{layer.only_when}`",
                f"`… {layer.name}(…) if {layer.only_when} else …`",
            )
        keywords = {str(keyword.arg): self(keyword.value) for keyword in node.keywords}
        application = layer(*self._items(node.args), **keywords)
        self.calls[node] = application
        return application.output

    def _applied(
        self,
        node: ast.Call,
        function: Callable[..., Any],
        arguments: list[Any],
        keywords: dict[str, Any],
    ) -> Any:
        """What a call gives, whatever flags and fractions are given it that are arguments of the class."""
        places = {str(place): value for place, value in enumerate(arguments)}
        nodes = {str(place): each for place, each in enumerate(node.args)}
        nodes |= {str(keyword.arg): keyword.value for keyword in node.keywords}
        if any(isinstance(each, ast.Starred) for each in node.args):
            nodes = {}
        own = self.walker.scope.names - self.walker.values.keys()

        def called(values: Mapping[str, Any]) -> Any:
            given = [values[place] for place in places]
            return function(*given, **{name: values[name] for name in keywords})

        trees = {name: each for name, each in nodes.items() if free_names(each) & own}
        words = {n: function.words(n) for n in trees} if isinstance(function, Caller) else {}
        return decided({**places, **keywords}, trees, called, self.walker.scope, words)

    def _function(self, node: ast.Call, name: str) -> Any:
        """The value of one of Python's own functions."""
        if name in self.walker.values:
            message = f"{name!r} is a value here, so that Python's own {name} cannot be called"
            raise Fault(message, "give the value another name")
        self.walker.functions.add(name)
        return super()._call(node)

    def _whole(self, node: ast.Call, value: Any) -> Any:
        """What a function gives; a whole number remembers the sizes which it was rounded from."""
        if not isinstance(value, int) or ast.unparse(node.func) not in ROUNDING:
            return value
        if not any(map(self._is_open, ast.walk(node))):
            return value
        known = self._known(node)
        found: Any = UNKNOWN if known is None else known.dim()
        return found if is_whole(found) and value_of(found) == value else UNKNOWN

    def _is_open(self, node: ast.AST) -> bool:
        """Whether a part of the line is a size, or another argument of the class."""
        if not isinstance(node, ast.Name):
            return node in self.sizes
        scope = self.walker.scope
        return node.id in scope.names - scope.unrolled - self.walker.values.keys()

    def _no_layer(self, name: str, node: ast.Call) -> Fault:
        """The error of a call of what is not a layer."""
        if name in self.walker.values:
            known(self.walker.values[name].abstract)
            return Fault(f"{name!r} is a value; it cannot be called")
        plain = name.rstrip("_")
        functions = [each for each in elsewhere.functions(plain) if each[0] != "T"]
        methods = elsewhere.functions(plain) if not functions else ()
        layers = elsewhere.family(plain)
        if functions or methods:
            given = ast.unparse(node)[len(name) :]
            call = f"{functions[0]}{given}" if functions else f"x.{plain}(…)"
            step = (
                f", or a step `- {elsewhere.activation(layers[0])}`" if layers and functions else ""
            )
            return Fault(f"there is no {name!r} here", f"`{call}`{step}")
        self.walker.missing(name)
        hint = did_you_mean(name, self.walker.layers)
        return Fault(f"there is no layer or function {name!r} here", hint or ONLY_FUNCTIONS)


def _opposite(test: ast.expr) -> ast.expr:
    """What holds where a condition does not."""
    negated = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
    return test.operand if negated else ast.UnaryOp(ast.Not(), test)  # type: ignore[attr-defined]


def _either(left: Any, right: Any) -> Any:
    """What is one of two values, only the running model knows which."""
    if isinstance(left, Tensor) and isinstance(right, Tensor):
        return left if left == right else Tensor(None, left.dtype, why="training")
    return left if type(left) is type(right) and left == right else UNKNOWN
