"""An independent reading of a spec: torch.nn's own modules, put together at run time from the YAML's data.

Nothing here is nngen's but the stems of unnamed layers (`conv1`, `fc2`), which only its catalog has. A model is built
while it first runs, as torch's lazy modules are: each layer takes its sizes from the tensor that reaches it, so weights
are drawn in the order of the spec.
"""

from __future__ import annotations

import ast
import copy
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from nngen.catalog import LAYERS
from tests.random_specs.values import (
    PYTHON,
    Names,
    arguments,
    as_mapping,
    build_layer,
    by_name,
    draw,
    evaluate,
    filled,
    is_line,
    matches,
    parts,
)


def read(spec: Names, inputs: Sequence[Tensor], targets: Mapping[str, Tensor]) -> Model:
    """The model of a spec, built while it runs on a batch; its weights come from torch's random numbers."""
    book = Book(spec)
    model = Model(book, spec, arguments(spec.get("args", {}), spec.get("check", {}), {}))
    with torch.no_grad():
        model.loss(model(*inputs), targets)
        model.finish()
    book.building = False
    torch.set_rng_state(book.random)
    return model


class Book:
    """What the classes of one model share.

    While the model is built, the random numbers that its layers would use are not those that its weights come from.
    """

    def __init__(self, spec: Names) -> None:
        self.blocks: Names = spec.get("blocks", {})
        self.building = True
        self.random = torch.get_rng_state()

    @contextmanager
    def drawing(self) -> Iterator[None]:
        torch.set_rng_state(self.random)
        yield
        self.random = torch.get_rng_state()

    def run(self, module: nn.Module, *inputs: Any, **named: Any) -> Any:
        """A module's output. While the model is built a copy runs, so that no buffer is changed by it."""
        if self.building and not isinstance(module, (Row, Class)):
            module = copy.deepcopy(module).eval()
        return module(*inputs, **named)

    def make(self, step: Any, names: Names, inputs: Sequence[Any]) -> nn.Module:
        """The module of a step; what is in blocks and rows is built when they run."""
        kind, _, given, beside = parts(step)
        if kind == "Sequential":
            return Row(self, list(_children(given, names)))
        if kind in self.blocks:
            body = self.blocks[kind]
            own = arguments(body.get("args", {}), by_name(body, given), names)
            first = inputs[0]
            if isinstance(first, Tensor) and first.dim() > 1:
                own |= {"in_channels": first.shape[1], "in_features": first.shape[-1]}
            if "Sequential" in body:
                return Row(self, list(_children(body["Sequential"], own)))
            return Class(self, body, own)
        with self.drawing():
            layer = build_layer(kind, given, names, inputs)
            for modifier in ("weight_norm", "spectral_norm"):
                if modifier in beside:
                    getattr(parametrizations, modifier)(layer, **beside[modifier])
        return layer

    def redraw(self, module: nn.Module, rules: Names, names: Names) -> None:
        """Draws parameters anew: each once, in the order of modules(), by the last rule that matches it."""
        done: set[int] = set()
        for prefix, owner in module.named_modules():
            for name, parameter in owner.named_parameters(recurse=False):
                key = f"{prefix}.{name}" if prefix else name
                found = [
                    rule for pattern, rule in rules.items() if matches(pattern, owner, name, key)
                ]
                if found and id(parameter) not in done:
                    done.add(id(parameter))
                    with self.drawing():
                        draw(parameter, found[-1], names)


class Row(nn.Module):
    """Modules in a row, as in a Sequential or a list of copies: each under its key, with its step and names."""

    def __init__(self, book: Book, items: list[tuple[str, Any, Names]]) -> None:
        super().__init__()
        self._book = book
        self._items = items

    def forward(self, *inputs: Any) -> Any:
        result: Any = None
        for key, step, names in self._items:
            first = key not in self._modules
            if first:
                self.add_module(key, self._book.make(step, names, inputs))
            result = self._book.run(self.get_submodule(key), *inputs)
            if first:
                self._book.redraw(self.get_submodule(key), parts(step)[3].get("init", {}), names)
            given = result if isinstance(result, tuple) and len(inputs) > 1 else (result,)
            inputs = (*given, *inputs[len(given) :])
        return result


class Class(nn.Module):
    """A block, or the model itself.

    Args:
        body: what the spec says of this class.
        names: the values of its arguments, and of the sizes of its first input.
    """

    def __init__(self, book: Book, body: Names, names: Names) -> None:
        super().__init__()
        self._book = book
        self._body = body
        self._names = dict(names)
        self._steps: dict[str, tuple[Any, Names]] = {}
        self._finished = False
        self._last = ""
        for name, text in body.get("let", {}).items():
            self._names[name] = evaluate(text, self._names)

    def forward(self, *given: Any) -> Any:
        inputs = self._body.get("inputs", ["x"])
        values: dict[str, Any] = dict(zip(inputs, given))
        running = given[0] if len(given) == 1 else None
        self._last = inputs[0] if isinstance(inputs, list) else next(iter(inputs))
        running = self._walk(self._body["layers"], values, running)
        outputs = self._body.get("outputs")
        result = running if outputs is None else self._evaluate(outputs, values)
        if not (self._finished or isinstance(self, Model)):
            self.finish()
        return result

    def finish(self) -> None:
        """What comes after all layers are built: ties, then redraws."""
        self._finished = True
        for left, right in self._body.get("tie", {}).items():
            owner, _, name = left.rpartition(".")
            setattr(self.get_submodule(owner), name, self.get_parameter(right))
        self._book.redraw(self, self._body.get("init", {}), self._names)

    def _walk(self, steps: Sequence[Any], values: dict[str, Any], running: Any) -> Any:
        """Runs the steps in order, building those that are not yet there; gives the last value."""
        automatic = _automatic(steps, values)
        for step in steps:
            if is_line(step):
                running = self._line(step, values, running)
                continue
            kind, name, given, beside = parts(step)
            if kind in ("Parameter", "Buffer"):
                values[name] = self._state(kind, name, given, values)
                continue
            for place, (label, names) in enumerate(self._copies(name, beside, automatic, kind)):
                inputs = [values[source] for source in _listed(beside.get("from", []))]
                if not inputs or place:
                    inputs[:1] = [running]
                running = self._layer(label, step, names, inputs, values, running)
        return running

    def _layer(
        self, label: str, step: Any, names: Names, inputs: Any, values: dict[str, Any], running: Any
    ) -> Any:
        """Runs the layer of a step, if its condition holds."""
        self._steps[label] = step, names
        beside = parts(step)[3]
        when = beside.get("when", True)
        holds, ever = self._holds(when, self.training), any(
            self._holds(when, mode) for mode in (True, False)
        )
        if self._book.building and ever and not holds:
            self._call(label, *inputs)  # built, though it does not run in this mode
        if not holds:
            if "otherwise" not in beside:
                values[label] = inputs[0]
            self._last = label
            return inputs[0]
        if "call" in beside:
            return self._line(beside["call"], values, running)
        values[label] = self._call(label, *inputs)
        self._last = label
        return values[label]

    def _holds(self, condition: Any, training: bool) -> bool:
        return bool(evaluate(condition, {**self._names, "training": training}))

    def _copies(
        self, name: str | None, beside: Names, automatic: Callable[[str], str], kind: str
    ) -> Iterator[tuple[str, Names]]:
        """The labels of a step, each with its names: several where `${…}` tells copies apart."""
        if name is None or "${" not in name:
            yield name or automatic(kind), self._names
            return
        for i in range(evaluate(beside.get("repeat", 1), self._names)):
            names = {**self._names, "i": i}
            yield filled(name, names), names

    def _call(self, label: str, *inputs: Any, **named: Any) -> Any:
        """Runs a layer, making it first if it is not yet there."""
        first = label not in self._modules
        step, names = self._steps[label]
        _, name, _, beside = parts(step)
        if first:
            if "repeat" in beside and "${" not in (name or ""):
                count = evaluate(beside["repeat"], names)
                rest = {k: v for k, v in as_mapping(step).items() if k not in ("init", "repeat")}
                items = [(str(i), rest, {**names, "i": i}) for i in range(count)]
                self.add_module(label, Row(self._book, items))
            else:
                self.add_module(label, self._book.make(step, names, (*inputs, *named.values())))
        module = self.get_submodule(label)
        result = self._book.run(module, *inputs, **named)
        if first:
            self._book.redraw(module, beside.get("init", {}), names)
        return result

    def _state(self, kind: str, name: str, given: Names, values: Names) -> Tensor:
        if not hasattr(self, name):
            with self._book.drawing():
                if kind == "Parameter":
                    shape = evaluate(given["shape"], self._names)
                    self.register_parameter(name, nn.Parameter(torch.empty(shape)))
                    draw(getattr(self, name), given["init"], self._names)
                else:
                    tensor = self._evaluate(given["value"], values)
                    self.register_buffer(name, tensor, given.get("persistent", True))
        state: Tensor = getattr(self, name)
        return state

    # Lines

    def _line(self, line: str, values: dict[str, Any], running: Any) -> Any:
        """Runs `target = expression`; gives the running value after it."""
        tree = _calls_by_name(line, "exec")
        scope = self._scope(values)
        exec(compile(tree, line, "exec"), scope)  # noqa: S102  a line that these tests drew
        targets = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
        bound = [node.id for node in targets if isinstance(node.ctx, ast.Store)]
        values |= {name: scope[name] for name in bound if name != "_"}
        if bound[0] == "_":
            return running
        self._last = bound[0]
        return scope[bound[0]]

    def _evaluate(self, text: Any, values: Names) -> Any:
        if isinstance(text, (list, tuple)):
            return tuple(self._evaluate(item, values) for item in text)
        if isinstance(text, Mapping):
            return {key: self._evaluate(item, values) for key, item in text.items()}
        code = compile(_calls_by_name(text, "eval"), text, "eval")
        return eval(code, self._scope(values))

    def _scope(self, values: Names) -> dict[str, Any]:
        own = {"training": self.training, "call_layer": self._call}
        return {**PYTHON, **self._names, **values, **own}


class Model(Class):
    """The model itself, with its loss."""

    def loss(self, output: Any, targets: Mapping[str, Tensor]) -> Any:
        """The loss of what forward gave, None where the spec has none."""
        loss = self._body.get("loss")
        if loss is None:
            return None
        outputs = list(output.values()) if isinstance(output, dict) else output
        outputs = list(outputs) if isinstance(outputs, (tuple, list)) else [outputs]
        if isinstance(loss, Mapping) and "layers" in loss:
            values = dict(zip(self._output_names(), outputs)) | targets
            return self._walk(loss["layers"], values, None)
        self._steps["criterion"] = loss, self._names
        order = list(inspect.signature(getattr(nn, parts(loss)[0]).forward).parameters)[1:]
        given = iter(outputs)
        operands = [
            targets.get(name.rstrip("_")) if name.rstrip("_") in targets else next(given)
            for name in order
        ]
        result = self._call("criterion", *operands)
        return result.loss if hasattr(result, "loss") else result

    def _output_names(self) -> list[str]:
        """The names of what forward gives, as the loss sees them."""
        outputs = self._body.get("outputs", self._last)
        if isinstance(outputs, Mapping):
            return list(outputs)
        text = outputs if isinstance(outputs, str) else ", ".join(outputs)
        return [each.id for each in ast.walk(ast.parse(text)) if isinstance(each, ast.Name)]


def _children(steps: Sequence[Any], names: Names) -> Iterator[tuple[str, Any, Names]]:
    """The layers of a Sequential, copies spliced in: by their names, or by their positions."""
    place = 0
    for step in steps:
        _, name, _, beside = parts(step)
        count = evaluate(beside.get("repeat", 1), names)
        for i in range(count):
            inner = {**names, "i": i} if "repeat" in beside else names
            label = name and filled(name, inner)
            yield label or str(place), step, inner
            place += 1


def _automatic(steps: Sequence[Any], values: Names) -> Callable[[str], str]:
    """Names for unnamed layers, by kind and number, past those that the spec gives."""
    taken = set(values)
    for step in steps:
        line = step if is_line(step) else parts(step)[3].get("call")
        if line is not None:
            tree = ast.parse(line)
            names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
            taken |= {node.id for node in names if isinstance(node.ctx, ast.Store)}
        if not is_line(step):
            taken.add(parts(step)[1])
    counts: dict[str, int] = {}

    def name(kind: str) -> str:
        stem = LAYERS[kind].prefix if kind in LAYERS else kind.lower()
        while True:
            counts[stem] = counts.get(stem, 0) + 1
            if f"{stem}{counts[stem]}" not in taken:
                return f"{stem}{counts[stem]}"

    return name


def _listed(sources: Any) -> list[str]:
    return [sources] if isinstance(sources, str) else list(sources)


class _CallsByName(ast.NodeTransformer):
    """`conv1(x)` becomes `call_layer("conv1", x)`, for `conv1` alone is what the layer gave."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id not in PYTHON:
            node.args.insert(0, ast.Constant(node.func.id))
            node.func = ast.Name("call_layer", ast.Load())
        return node


def _calls_by_name(text: str, mode: str) -> Any:
    return ast.fix_missing_locations(_CallsByName().visit(ast.parse(text.strip(), mode=mode)))
