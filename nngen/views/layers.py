"""What there is, for readers: the table of layers, of functions, and all that the catalog says of one of them."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import black
import yaml

from nngen.catalog import FAMILIES, FUNCTIONS, LAYERS, Trait, elsewhere
from nngen.catalog.argument_types import show_value
from nngen.catalog.entry import Example, Function, Inner, Layer, State
from nngen.catalog.fragments import HELPERS, fragment
from nngen.catalog.parametrizations import MODIFIERS
from nngen.catalog.signature import REQUIRED, Argument, Signature
from nngen.catalog.skipped import SKIPPED
from nngen.emit import build_graph
from nngen.emit.render import render
from nngen.errors import Fault, NngenError, did_you_mean, listed
from nngen.graph import follow
from nngen.graph.inputs import BATCH
from nngen.graph.modules import shape_attribute
from nngen.language import document
from nngen.language import spec as specs
from nngen.language.schema.definitions import plain
from nngen.symbolic.evaluator import SIZE_FUNCTIONS, Evaluator
from nngen.symbolic.tensor import Tensor

_SPACES = {
    "torch": "torch",
    "F": "torch.nn.functional",
    "nn": "torch.nn",
    "Tensor": "methods of a tensor x",
}


def layers() -> str:
    """Every layer in a line, by family."""
    width = max(map(len, LAYERS))
    lines: list[str] = []
    for heading, entries in FAMILIES.items():
        lines += ["", heading] * bool(lines) or [heading]
        lines += [f"  {entry.name:{width}}  {plain(entry.doc)}" for entry in entries]
    return "\n".join(lines)


def functions() -> str:
    """Every function and method that lines of Python may call, with its arguments."""
    lines: list[str] = []
    for space, heading in _SPACES.items():
        lines += ["", heading] * bool(lines) or [heading]
        names = sorted(name for name in FUNCTIONS if name.startswith(f"{space}."))
        lines += [f"  {call}" for name in names for call in _calls(name, FUNCTIONS[name])]
    return "\n".join(lines)


def one(name: str) -> str:
    """All that the catalog says of a layer, a function or a method.

    Raises:
        NngenError: there is none of this name.
    """
    if name in LAYERS:
        return "\n".join(_layer(LAYERS[name]))
    for found in _readings(name):
        if found in LAYERS:
            return one(found)
        if found in FUNCTIONS:
            return "\n".join([*_function(found, FUNCTIONS[found]), *_as_layer(found)])
        if found in SKIPPED:
            raise NngenError(f"{found} is not in the catalog: {SKIPPED[found]}")
    raise NngenError(f"there is no layer or function {name!r}\n  hint: {_meant(name)}")


def _meant(name: str) -> str:
    """What a name that the catalog does not have may stand for."""
    layers = elsewhere.family(name)
    if layers:
        kinds = list(dict.fromkeys(each.partition(":")[0] for each in layers))
        return f"did you mean {listed(kinds, link='or')}?"
    written = elsewhere.written(name)
    return written or did_you_mean(name, [*LAYERS, *FUNCTIONS]) or "`nngen layers` lists the layers"


def _as_layer(function: str) -> Iterator[str]:
    """Where to read of the layer that is called as a function is, but for its capitals."""
    for kind in elsewhere.family(function.rpartition(".")[2]):
        yield f"the layer: nngen layers {kind.partition(':')[0]}"


def _readings(name: str) -> Iterator[str]:
    """The names that a name may stand for: `torch.nn.ReLU`, `x.flatten`, `einsum`."""
    inside = name.removeprefix("torch.").removeprefix("nn.")
    yield inside
    yield name
    yield inside.replace("functional.", "F.", 1)
    yield inside.replace("x.", "Tensor.", 1)
    yield from (f"{space}.{inside}" for space in _SPACES)


# Functions


def _calls(name: str, entry: Function) -> Iterator[str]:
    """How a function is called: its name with its arguments, for each of its signatures."""
    for signature in entry.signatures:
        arguments = list(signature)
        shown = name
        if name.startswith("Tensor."):
            arguments, shown = arguments[1:], name.replace("Tensor.", "x.")
        words: list[str] = []
        for argument in arguments:
            if argument.keyword and not any(word.startswith("*") for word in words):
                words.append("*")
            words.append(_word(argument))
        yield f"{shown}({', '.join(words)})"


def _word(argument: Argument) -> str:
    if argument.variadic:
        return f"*{argument.name}"
    return argument.name + ("" if argument.default is REQUIRED else f"={argument.default!r}")


def _function(name: str, entry: Function) -> Iterator[str]:
    for call, signature in zip(_calls(name, entry), entry.signatures):
        yield call
        # A method's first argument is the tensor before the dot.
        yield from _table(list(_arguments(signature))[name.startswith("Tensor.") :])
    others = [other for other in entry.names if other != name]
    if others:
        yield f"called alike: {', '.join(others)}"
    yield from _needs(entry, name)


# Layers


def _layer(entry: Layer) -> Iterator[str]:
    values = _values(entry, entry.examples[0])
    yield f"{entry.name}: {plain(entry.doc)}"
    yield from _section("arguments", _table(_arguments(entry.signature, entry.infer)))
    yield from _section("left out", _table(entry.left_out.items()))
    shorthand = entry.shorthand
    wanted = [name for name in entry.signature.required if name not in entry.infer]
    if shorthand is not None and not set(wanted) - {shorthand}:
        yield f"  The shorthand argument is {shorthand}: `{entry.name}: …`."
    if Trait.MODIFIABLE in entry.traits:
        yield f"  {' or '.join(MODIFIERS)} may stand beside it."
    yield from _margin(_needs(entry, entry.name))
    yield from _section("inputs", _table(_arguments(entry.inputs)))
    fixed = isinstance(entry.state, tuple) and entry.inner_state is None
    kept = "" if fixed else ", for the example below"
    state = entry.all_state_of(values)
    for title, states in (
        ("parameters", [each for each in state if not each.buffer]),
        ("buffers", [each for each in state if each.buffer]),
    ):
        yield from _section(title + kept, _table(map(_state, states)))
    lets = [f"{name} = {text}" for name, text in entry.let.items()]
    yield from _section("where", _margin(lets))
    yield from _section("drawn by", _code(entry.draw_of(values)))
    kept = ", for the example below" if callable(entry.form) else ""
    form = entry.form_of(values)
    own = ["  a class of its own: see the example"]
    yield from _section("functional form" + kept, _code(form) if form else own)
    yield from _example(entry, entry.examples[0])


def _needs(entry: Layer | Function, name: str) -> Iterator[str]:
    """What older versions of torch lack."""
    for what, version in entry.since.facts(name):
        yield f"{what} needs torch {version} or newer"


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    lines = list(lines)
    if lines:
        yield from ("", title, *lines)


def _margin(lines: Iterable[str]) -> list[str]:
    return [f"  {line}".rstrip() for line in lines]


def _code(text: str) -> list[str]:
    """Statements of an entry, in lines that are not too long."""
    mode = black.Mode(line_length=98, magic_trailing_comma=False)
    return _margin(black.format_str(textwrap.dedent(text), mode=mode).splitlines())


def _table(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Rows in columns, each as wide as it must be."""
    rows = [tuple(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = ("  ".join(f"{cell:{width}}" for cell, width in zip(row, widths)) for row in rows)
    return _margin(lines)


def _arguments(
    signature: Signature, infer: Mapping[str, str] | None = None
) -> Iterator[tuple[str, str, str]]:
    """Each argument's name, its default, and what it takes."""
    for argument in signature:
        name, default = f"*{argument.name}" * argument.variadic or argument.name, "required"
        if infer and argument.name in infer:
            default = f"from {infer[argument.name]}"
        elif argument.default is not REQUIRED:
            default = argument.default
            default = default if isinstance(default, str) else show_value(default)
        yield name, default, argument.kind.description


def _state(state: State) -> tuple[str, str, str]:
    """A parameter's or buffer's name, its shape, and when it is there."""
    made = fragment(state.value)
    shape = state.value
    if isinstance(made, ast.Call) and made.args and ast.unparse(made.func) != "torch.tensor":
        sizes = ast.Tuple(made.args, ast.Load())
        shape = ast.unparse(sizes)
        with suppress(Fault):
            shape = str(Evaluator({**SIZE_FUNCTIONS, **HELPERS})(sizes))
    return state.name, shape, "" if state.when == "True" else f"if {state.when}"


def _values(entry: Layer, given: Example) -> dict[str, Any]:
    """The arguments and inputs of an example, as the entry's fragments see them."""
    inputs: dict[str, Any] = {argument.name: argument.default for argument in entry.inputs}
    for name, shape in zip(entry.inputs.names, given.inputs):
        said = shape if isinstance(shape, Mapping) else {"shape": shape}
        sizes = tuple(said["shape"])
        batch = (BATCH,) if said.get("batch", True) else ()
        inputs[name] = Tensor((*batch, *sizes), said.get("dtype", "float32"))
    inferred = {
        name: Evaluator(inputs, shape_attribute)(fragment(text))
        for name, text in entry.infer.items()
        if name not in given.arguments
    }
    arguments = {
        name: _inner(value) if entry.signature[name].kind.layer else value
        for name, value in given.arguments.items()
    }
    return {**inputs, **entry.signature.bind(entry.name, (), {**arguments, **inferred})}


def _inner(given: Any) -> Any:
    """A layer as an argument, `{Kind: arguments}`."""
    if given is None:
        return None
    ((kind, arguments),) = given.items()
    values = LAYERS[kind].signature.bind(kind, (), arguments)
    return Inner(kind, values, frozenset(arguments))


# The example


def _example(entry: Layer, given: Example) -> Iterator[str]:
    """A spec of the example, and what becomes of it."""
    spec = _spec(entry, given)
    files = render(build_graph(follow(specs.from_node(document.of(spec), entry.name))))
    is_loss = "loss" in spec
    shown = {key: value for key, value in spec.items() if key.startswith("input") or key == "loss"}
    if not is_loss:
        shown["layers"] = spec["layers"]
    text = yaml.safe_dump(shown, default_flow_style=None, sort_keys=False, width=100)
    yield from _section("an example", _margin(text.splitlines()))
    for title, file in (("torch.nn", "nn_style.py"), ("functional", "functional_style.py")):
        yield from _section(f"in {title} style", _margin(_lines(files[file], is_loss)))


def _spec(entry: Layer, given: Example) -> dict[str, Any]:
    """The smallest spec around an example; of a loss, with outputs that are its inputs."""
    is_loss = entry.is_loss and not given.call
    inputs = dict(zip(_names(entry, given, is_loss), map(_said, given.inputs)))
    spec: dict[str, Any] = {"name": "Model", "inputs": inputs}
    if list(inputs) == ["x"] and not isinstance(inputs["x"], dict):
        spec = {"name": "Model", "input": inputs["x"]}
    arguments = _lists(given.arguments)
    if is_loss:
        spec["layers"] = [{"Identity": {}, "from": name} for name in inputs]
        outputs = ", ".join(f"identity{number + 1}" for number in range(len(inputs)))
        return {
            **spec,
            "outputs": outputs,
            "loss": {entry.name: arguments} if arguments else entry.name,
        }
    step: Any = {entry.name: arguments}
    if given.call:
        step["call"] = given.call
        target = ast.parse(given.call).body[0].targets[0]  # type: ignore[attr-defined]
        names = [node.id for node in ast.walk(target) if isinstance(node, ast.Name)]
        spec["outputs"] = ", ".join(name for name in names if name != "_")
    elif len(inputs) > 1:
        step["from"] = list(inputs)
    return {**spec, "layers": [step if len(step) > 1 or arguments else entry.name]}


def _names(entry: Layer, given: Example, is_loss: bool) -> list[str]:
    """What the inputs are called: as the call names them, else `x`, else as forward does."""
    if given.call:
        line = ast.parse(given.call).body[0]
        assert isinstance(line, ast.Assign) and isinstance(line.value, ast.Call)
        parts = [*line.value.args, *(word.value for word in line.value.keywords)]
        nodes = [node for part in parts for node in ast.walk(part)]
        return list(dict.fromkeys(node.id for node in nodes if isinstance(node, ast.Name)))
    if len(given.inputs) == 1 and not is_loss:
        return ["x"]
    return [name for name in entry.inputs.names if name not in entry.targets]


def _said(shape: Any) -> Any:
    """One of an example's inputs as a spec gives it."""
    return _lists({**shape, "shape": list(shape["shape"])} if isinstance(shape, Mapping) else shape)


def _lists(value: Any) -> Any:
    """A value as YAML gives it."""
    if isinstance(value, Mapping):
        return {key: _lists(item) for key, item in value.items()}
    return [_lists(item) for item in value] if isinstance(value, (tuple, list)) else value


def _lines(text: str, is_loss: bool) -> Iterator[str]:
    """The lines of a file that the example is about: of its model, what is built and what is run."""
    source = text.splitlines()
    *others, model = [node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]
    for other in others:
        yield from (*source[other.lineno - 1 : other.end_lineno], "")
    methods = {node.name: node for node in model.body if isinstance(node, ast.FunctionDef)}
    built = list(_body(methods["__init__"], source)) if "__init__" in methods else []
    if is_loss:
        built = [line for line in built if "identity" not in line]
    yield from (*built, "") if built else ()
    yield from _body(methods["loss" if is_loss else "forward"], source)


def _body(method: ast.FunctionDef, source: list[str]) -> Iterator[str]:
    """A method's lines, without its docstring or the call of `super`, of which it has one."""
    first, *rest = method.body
    statements = rest if isinstance(first, ast.Expr) else method.body
    if statements:
        lines = source[statements[0].lineno - 1 : method.end_lineno]
        yield from textwrap.dedent("\n".join(lines)).split("\n")
