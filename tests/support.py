"""The catalog's examples beside torch's own layers: what the tests build, feed and run."""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import nngen
from nngen.catalog import LAYERS
from nngen.catalog.entry import Example, Inner, Layer
from nngen.catalog.fragments import HELPERS
from nngen.graph.tensor_spec import TensorSpec
from nngen.proof import settings
from nngen.proof.feed import draw_feed
from nngen.proof.loading import Pair
from nngen.proof.options import Conditions
from nngen.proof.subject import Subject
from nngen.symbolic.evaluator import SIZE_FUNCTIONS
from nngen.symbolic.tensor import Code
from nngen.views.layers import _lists as plain
from nngen.views.layers import _spec as example_spec

# torch set so that equality can be asked for, as verification sets it.
settled = partial(settings.settled, Conditions())


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
        if self.is_loss:
            return "criterion"
        numbered = f"{self.entry.prefix}1"
        is_numbered = self.entry.has_state or numbered in self.example.call
        return numbered if is_numbered else self.entry.prefix

    @cached_property
    def call(self) -> ast.Call | None:
        """The example's call of the layer."""
        line = self.example.call
        calls = [node for node in ast.walk(ast.parse(line)) if isinstance(node, ast.Call)]
        named = [node for node in calls if ast.unparse(node.func) == self.layer_name]
        assert not line or named, f"{self}: the call line must call {self.layer_name}"
        return named[0] if named else None

    @cached_property
    def spec(self) -> dict[str, Any]:
        """The smallest spec around the example, with the layer's arguments written as a mapping."""
        found = example_spec(self.entry, self.example)
        place, key = (found, "loss") if self.is_loss else (found["layers"], 0)
        if isinstance(place[key], str):
            place[key] = {place[key]: {}}
        return found

    @cached_property
    def pair(self) -> Pair:
        return nngen.load(self.spec)

    @cached_property
    def subject(self) -> Subject:
        return self.pair.subject()

    @property
    def targets(self) -> tuple[TensorSpec, ...]:
        """What the loss is given beside the outputs, with the batch size still to come."""
        return self.subject.targets or ()

    @property
    def dtypes(self) -> dict[str, str]:
        """Of the model's inputs, then of the targets."""
        return {given.name: given.dtype for given in (*self.subject.inputs, *self.targets)}

    def draw(self, batch: int, seed: int = 0) -> dict[str, Tensor]:
        """The model's inputs, then the targets."""
        feed = draw_feed(self.subject, batch, seed)
        return {**feed.inputs, **feed.targets}

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
        given = plain(self.example.arguments)
        for argument in self.entry.signature:
            if argument.kind.layer and given.get(argument.name) is not None:
                given[argument.name] = inner_layer(given[argument.name])
        return self.entry.signature.bind(self.entry.name, (), {**given, **inferred})

    def build_torch(self, tensors: Mapping[str, Any]) -> nn.Module:
        """torch's own layer, given what the example gives and what the input decides."""
        values = self.values(tensors)
        names = [n for n in values if n in self.example.arguments or n in self.entry.infer]
        state = {state.name for state in self.entry.all_state_of(values)}
        arguments = {
            name: (
                torch.tensor(values[name])
                if isinstance(values[name], (list, float)) and name in state
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
def loaded(path: Path) -> Pair:
    """The twins of a spec, once for all tests of a process."""
    return nngen.load(path)


@cache
def cases() -> tuple[Case, ...]:
    """Every example of every entry."""
    return tuple(
        Case(entry, number) for entry in LAYERS.values() for number in range(len(entry.examples))
    )


# What fragments may name, as plain Python sees it.
FRAGMENT_SCOPE: dict[str, Any] = {**SIZE_FUNCTIONS, **HELPERS}


def inner_layer(given: Mapping[str, Any]) -> Inner:
    """A layer as an argument, `{Kind: arguments}`."""
    ((kind, arguments),) = given.items()
    values = LAYERS[kind].signature.bind(kind, (), arguments)
    return Inner(kind, values, frozenset(arguments))


def torch_value(value: Any) -> Any:
    """An argument as torch takes it."""
    if isinstance(value, Code):
        return eval(value.text, {"F": F, "nn": nn, "torch": torch})
    if isinstance(value, Inner):
        given = {name: torch_value(value.values[name]) for name in value.given}
        return getattr(nn, value.kind)(**given)
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


def state_of(case: Case, module: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers under the names that torch's layer gives them."""
    prefix = f"{case.layer_name}."
    state = [
        *module.named_parameters(remove_duplicate=False),
        *module.named_buffers(remove_duplicate=False),
    ]
    return {_nn_name(case, name).removeprefix(prefix): tensor for name, tensor in state}


def _nn_name(case: Case, name: str) -> str:
    """The nn twin's name for a parameter or buffer of either twin."""
    try:
        return next(iter(case.pair.to_nn({name: torch.empty(0)})))
    except KeyError:
        return name


class Run:
    """One of the three, run step by step; the layer itself stays as it was."""

    def __init__(self, case: Case, style: str, layer: nn.Module) -> None:
        self.case = case
        self.style = style
        self.layer = copy.deepcopy(layer)

    def step(self, feed: dict[str, Tensor], training: bool, layout: str) -> dict[str, Any]:
        """What can be seen of one step forward and backward."""
        layer = self.layer.train(training)
        leaves = {
            name: tensor.clone().requires_grad_(has_gradient(tensor))
            for name, tensor in feed.items()
        }
        # A layer that writes into its input cannot be given a leaf.
        inputs = {name: leaf.clone() for name, leaf in leaves.items()}
        torch.manual_seed(3)
        seen: dict[str, Any] = {}
        try:
            outputs = flat(self._call(layer, inputs))
            seen |= {f"output {i}": output for i, output in enumerate(outputs)}
            seen |= {
                f"strides of output {i}": o.stride()
                for i, o in enumerate(outputs)
                if not o.is_sparse
            }
            _backward(outputs)
        # torch refuses a batch of one, or has no kernel: then the twins must refuse too.
        except Exception as error:  # noqa: BLE001
            seen = {"raised": type(error).__name__}
        seen |= {f"{name} after": tensor for name, tensor in inputs.items()}
        seen |= {f"gradient of {name}": leaf.grad for name, leaf in leaves.items()}
        for name, tensor in state_of(self.case, layer).items():
            seen[name] = tensor
            seen[f"gradient of {name}"] = tensor.grad
            seen[f"{name} requires grad"] = tensor.requires_grad
        layer.zero_grad()
        return seen | {"random numbers": torch.get_rng_state()}

    def _call(self, layer: nn.Module, inputs: dict[str, Tensor]) -> Any:
        if self.style == "torch":
            return self.case.run_torch(layer, inputs)
        targets = {target.name for target in self.case.targets}
        outputs = layer(*(x for name, x in inputs.items() if name not in targets))
        if not self.case.is_loss:
            return outputs
        return layer.loss(*flat(outputs), *(inputs[name] for name in inputs if name in targets))


def has_gradient(tensor: Tensor) -> bool:
    return tensor.is_floating_point() or tensor.is_complex()


def _backward(outputs: list[Tensor]) -> None:
    """Gradients of a weighted sum of all outputs."""
    generator = torch.Generator().manual_seed(5)
    sums = []
    for output in outputs:
        weights = torch.rand(output.shape, generator=generator).to(output.dtype)
        if output.requires_grad:
            sums.append((output * weights).sum())
    if sums:
        total: Any = sum(sums)
        total = total.real if total.is_complex() else total
        total.backward()
