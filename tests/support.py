"""The catalog's examples beside torch's own layers: what the tests build, feed and run."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import nngen
from nngen.catalog import LAYERS
from nngen.catalog.entry import HELPERS, Example, Layer
from nngen.expressions import SIZE_FUNCTIONS
from nngen.loading import Pair
from nngen.subject import TensorSpec
from nngen.tensors import Code

NOT_DESCRIBED = {
    *("self", "device", "dtype", "size_average", "reduce", "min_value", "max_value"),
    *("out", "layout", "pin_memory", "memory_format", "generator"),
}


@contextmanager
def settled() -> Iterator[None]:
    """torch set so that equality can be asked for: one thread, undrawn weights NaN, no fused attention."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.set_deterministic_debug_mode("warn")
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(True)
        torch.set_deterministic_debug_mode("default")
        torch.set_num_threads(threads)


@dataclass(frozen=True)
class Feed:
    """One input of an example: the shape of one sample, or a mapping as under a spec's `inputs`."""

    name: str
    shape: tuple[int, ...]
    dtype: str = "float32"
    batch: bool = True
    below: int | None = None
    kind: str = "normal"
    low: int = 0

    def size(self, batch: int) -> tuple[int, ...]:
        return (batch, *self.shape) if self.batch else self.shape

    def draw(self, batch: int, generator: torch.Generator) -> Tensor:
        size, dtype = self.size(batch), getattr(torch, self.dtype)
        if self.kind == "sign":
            return (2 * torch.randint(2, size, generator=generator) - 1).to(dtype)
        if not (dtype.is_floating_point or dtype.is_complex):
            below = self.below or max(2, self.low + 1)
            return torch.randint(self.low, below, size, generator=generator).to(dtype)
        if self.kind == "normal" and self.below is None:
            return torch.randn(size, generator=generator, dtype=dtype)
        uniform = torch.rand(size, generator=generator, dtype=dtype) * (self.below or 1)
        if self.kind == "probability":
            return uniform / uniform.sum(dim=min(1, len(size) - 1), keepdim=True)
        return uniform


@dataclass(frozen=True, eq=False)
class Case:
    """One example of one entry."""

    entry: Layer
    number: int

    def __str__(self) -> str:
        return f"{self.entry.name}-{self.number}"

    @property
    def example(self) -> Example:
        return self.entry.examples[self.number]

    @property
    def is_loss(self) -> bool:
        return self.entry.is_loss and not self.example.call

    @property
    def layer_name(self) -> str:
        """What the twins call the layer."""
        return "criterion" if self.is_loss else f"{self.entry.prefix}1"

    @cached_property
    def call(self) -> ast.Call | None:
        """The example's call of the layer."""
        line = self.example.call
        calls = [node for node in ast.walk(ast.parse(line)) if isinstance(node, ast.Call)]
        named = [node for node in calls if ast.unparse(node.func) == self.layer_name]
        assert not line or named, f"{self}: the call line must call {self.layer_name}"
        return named[0] if named else None

    @cached_property
    def names(self) -> list[str]:
        """What the model's inputs are called: as the call names them, else `x`, else as forward does."""
        if self.call is not None:
            called = [
                node
                for argument in (*self.call.args, *(word.value for word in self.call.keywords))
                for node in ast.walk(argument)
            ]
            return list(dict.fromkeys(n.id for n in called if isinstance(n, ast.Name)))
        if len(self.example.inputs) == 1 and not self.is_loss:
            return ["x"]
        return [name for name in self.entry.inputs.names if name not in self.entry.targets]

    @cached_property
    def feeds(self) -> list[Feed]:
        feeds = []
        assert len(self.names) >= len(self.example.inputs), f"{self}: {self.names}"
        for name, given in zip(self.names, self.example.inputs):
            said = dict(given) if isinstance(given, Mapping) else {"shape": given}
            feeds.append(Feed(name, tuple(said.pop("shape")), **said))
        return feeds

    @property
    def spec(self) -> dict[str, Any]:
        """The smallest spec around the example."""
        inputs = {
            feed.name: {
                "shape": list(feed.shape),
                "dtype": feed.dtype,
                "batch": feed.batch,
                **({} if feed.below is None else {"below": feed.below}),
            }
            for feed in self.feeds
        }
        layer: dict[str, Any] = {self.entry.name: plain(self.example.arguments)}
        spec: dict[str, Any] = {"name": "Model", "inputs": inputs}
        if self.is_loss:
            spec["layers"] = [{"Identity": {}, "from": name} for name in inputs]
            outputs = ", ".join(f"identity{i + 1}" for i in range(len(inputs)))
            return {**spec, "outputs": outputs, "loss": layer}
        if self.example.call:
            layer["call"] = self.example.call
            spec["outputs"] = ", ".join(
                name.id
                for target in ast.parse(self.example.call).body[0].targets  # type: ignore[attr-defined]
                for name in ast.walk(target)
                if isinstance(name, ast.Name) and name.id != "_"
            )
        elif len(self.feeds) > 1:
            layer["from"] = list(inputs)
        return {**spec, "layers": [layer]}

    @cached_property
    def pair(self) -> Pair:
        return nngen.load(self.spec)

    @property
    def targets(self) -> list[Feed]:
        """What the loss is given beside the outputs, with the batch size still to come."""
        return [_target(spec) for spec in self.pair.graph.targets or ()]

    def draw(self, batch: int, seed: int = 0) -> dict[str, Tensor]:
        """The model's inputs, then the targets."""
        generator = torch.Generator().manual_seed(seed)
        return {f.name: f.draw(batch, generator) for f in (*self.feeds, *self.targets)}

    def bind(self, tensors: Mapping[str, Any]) -> dict[str, Any]:
        """The layer's forward arguments, by name; what is left out has its default."""
        if self.call is None:
            bound = (
                dict(tensors)
                if self.is_loss
                else dict(zip(self.entry.inputs.names, tensors.values()))
            )
        else:
            bound = eval_call(self.call, self.entry.inputs.names, tensors)
        defaults = {a.name: a.default for a in self.entry.inputs if a.name not in bound}
        return {**defaults, **bound}

    def values(self, tensors: Mapping[str, Any]) -> dict[str, Any]:
        """All arguments of the layer, those that the input decides among them."""
        scope = {**FRAGMENT_SCOPE, **self.bind(tensors)}
        inferred = {
            name: eval(text, scope)
            for name, text in self.entry.infer.items()
            if name not in self.example.arguments
        }
        return self.entry.signature.bind(
            self.entry.name, (), {**plain(self.example.arguments), **inferred}
        )

    def build_torch(self, tensors: Mapping[str, Any]) -> nn.Module:
        """torch's own layer, given what the example gives and what the input decides."""
        values = self.values(tensors)
        names = [n for n in values if n in self.example.arguments or n in self.entry.infer]
        state = {state.name for state in self.entry.state_of(values)}
        arguments = {
            name: (
                torch.tensor(values[name])
                if isinstance(values[name], list) and name in state
                else torch_value(values[name])
            )
            for name in names
        }
        module: nn.Module = getattr(nn, self.entry.name)(**arguments)
        return module

    def kept(self, result: Any) -> Any:
        """What the example's line keeps of the layer's result."""
        line = ast.parse(self.example.call).body
        return kept(line[0].targets[0], result) if line else result  # type: ignore[attr-defined]

    def run_torch(self, module: nn.Module, tensors: Mapping[str, Any]) -> Any:
        """torch's own layer, called as the example calls it."""
        if self.call is not None:
            line = ast.parse(self.example.call).body[0]
            assert isinstance(line, ast.Assign)
            code = compile(ast.Expression(line.value), "<call>", "eval")
            return self.kept(eval(code, {self.layer_name: module, "torch": torch, **tensors}))
        if self.is_loss:
            return module(**tensors)
        return module(*tensors.values())


@cache
def cases() -> tuple[Case, ...]:
    """Every example of every entry."""
    return tuple(
        Case(entry, number) for entry in LAYERS.values() for number in range(len(entry.examples))
    )


# What fragments may name, as plain Python sees it.
FRAGMENT_SCOPE: dict[str, Any] = {**SIZE_FUNCTIONS, **HELPERS}


def plain(value: Any) -> Any:
    """An argument as YAML would give it."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, (tuple, list)) else value


def torch_value(value: Any) -> Any:
    """An argument as torch takes it; a layer as an argument is a mapping `{Kind: arguments}`."""
    if isinstance(value, Code):
        return eval(value.text, {"F": F, "nn": nn})
    if isinstance(value, Mapping):
        ((kind, arguments),) = value.items()
        return getattr(nn, kind)(**arguments)
    return tuple(value) if isinstance(value, list) else value


def eval_call(call: ast.Call, names: tuple[str, ...], tensors: Mapping[str, Any]) -> dict[str, Any]:
    """What a call gives to the arguments `names`."""
    scope = {"torch": torch, **tensors}
    positional = [eval(ast.unparse(argument), scope) for argument in call.args]
    keywords = {str(word.arg): eval(ast.unparse(word.value), scope) for word in call.keywords}
    return {**dict(zip(names, positional)), **keywords}


def kept(target: ast.expr, result: Any) -> Any:
    """The results that the target does not drop with `_`."""
    if not isinstance(target, (ast.Tuple, ast.List)):
        return result
    parts = [
        kept(name, part)
        for name, part in zip(target.elts, result, strict=True)
        if not (isinstance(name, ast.Name) and name.id == "_")
    ]
    return parts[0] if len(parts) == 1 else tuple(parts)


def flat(value: Any) -> list[Tensor]:
    """All tensors of a nested value."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (tuple, list)):
        return [tensor for item in value for tensor in flat(item)]
    return [] if value is None else [value]


@dataclass(frozen=True)
class _Open(Feed):
    """A target; its shape may name the batch size."""

    sizes: tuple[int | str, ...] = field(default=())

    def size(self, batch: int) -> tuple[int, ...]:
        shape = [eval(s, {"N": batch}) if isinstance(s, str) else s for s in self.sizes]
        return (batch, *shape) if self.batch else tuple(shape)


def _target(spec: TensorSpec) -> Feed:
    return _Open(
        spec.name,
        (),
        spec.dtype,
        spec.batch,
        spec.below,
        spec.kind,
        spec.low,
        sizes=tuple(spec.shape),
    )


def torch_signature(name: str) -> inspect.Signature:
    """What torch documents as the constructor of a layer; of recurrent layers the first overload."""
    found = inspect.signature(getattr(nn, name))
    kinds = {parameter.kind for parameter in found.parameters.values()}
    if inspect.Parameter.VAR_POSITIONAL not in kinds or "__init__" not in vars(getattr(nn, name)):
        return found
    tree = ast.parse(textwrap.dedent(inspect.getsource(getattr(nn, name))))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            scope: dict[str, Any] = {}
            node.decorator_list, node.body = [], [ast.Pass()]
            future = ast.parse("from __future__ import annotations").body
            code = ast.fix_missing_locations(ast.Module([*future, node], []))
            exec(compile(code, "<overload>", "exec"), scope)  # noqa: S102
            return inspect.signature(scope["__init__"])
    raise LookupError(name)


def described(signature: inspect.Signature) -> dict[str, inspect.Parameter]:
    """The arguments of torch's that an entry has to have."""
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return {
        name: parameter
        for name, parameter in signature.parameters.items()
        if parameter.kind not in variadic and name not in NOT_DESCRIBED and not name.startswith("_")
    }


@dataclass(frozen=True)
class Form:
    """One form of a function of torch: its arguments with their defaults, `...` where one is required."""

    defaults: Mapping[str, Any]
    takes_anything: bool = False

    def has(self, name: str, default: Any) -> bool:
        """Whether this is the argument's default; 1 and 1.0 are one, True is another."""
        own = self.defaults[name]
        return bool(own == default) and isinstance(own, bool) == isinstance(default, bool)


# Methods and functions that are bound by hand, so that neither Python nor a schema tells their arguments.
_BY_HAND = "float double half bfloat16 long int bool type ndimension nonzero"
UNDESCRIBED = {f"Tensor.{name}" for name in _BY_HAND.split()} | {"torch.tensor", "torch.nonzero"}


def forms(name: str) -> list[Form]:
    """The forms of a function: its Python signature, or a builtin's operator schemas."""
    space, *path = name.split(".")
    function: Any = {"torch": torch, "F": torch.nn.functional, "Tensor": Tensor}[space]
    for word in path:
        function = getattr(function, word)
    if getattr(function, "__qualname__", "").startswith("boolean_dispatch"):
        function = inspect.getclosurevars(function).nonlocals["if_false"]
    if inspect.isfunction(function):
        return [_python_form(inspect.signature(function))]
    operator = function.__name__
    schemas = torch._C._jit_get_schemas_for_operator(f"aten::{operator}")
    found = [_schema_form(schema, method=space == "Tensor") for schema in schemas]
    return [form for form in found if "a" not in form.defaults]  # those are of plain numbers


def _python_form(signature: inspect.Signature) -> Form:
    kinds = {parameter.kind for parameter in signature.parameters.values()}
    given = {
        "input" if name == "self" else name: (
            ... if parameter.default is inspect.Parameter.empty else parameter.default
        )
        for name, parameter in signature.parameters.items()
        if name == "self" or name in described(signature)
    }
    return Form(given, inspect.Parameter.VAR_POSITIONAL in kinds)


def _schema_form(schema: Any, method: bool) -> Form:
    """A method's tensor stands first, wherever the operator has it."""
    first = {"input": ...} if method else {}
    return Form(
        first
        | {
            "input" if argument.name == "self" else argument.name: (
                _schema_default(argument.default_value) if argument.has_default_value() else ...
            )
            for argument in schema.arguments
            if argument.name == "self" or argument.name not in NOT_DESCRIBED
        }
    )


def _schema_default(value: Any) -> Any:
    """A default as Python's documentation has it: one number for the same in each dimension."""
    if isinstance(value, list):
        return value[0] if value and len(set(value)) == 1 else tuple(value) or None
    return value
