"""YAML to a frozen Spec: every step, argument and line of Python, each with its place in the file."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nngen import document
from nngen.catalog import LAYERS
from nngen.catalog.kinds import Kind
from nngen.document import Mapping, Node, Scalar, Sequence
from nngen.dtypes import DTYPES
from nngen.errors import Mark, SpecError, did_you_mean
from nngen.expressions import Expression, Line, parse, parse_line
from nngen.names import check_class_name, check_layer_name, check_value_name

_KEYS = ("name", "doc", "input", "inputs", "layers", "outputs", "loss")
_STEP_KEYS = ("from", "call", "repeat")
_HEAD = re.compile(r"(?P<kind>[A-Za-z_]\w*)(?:\s+as\s+(?P<name>\S.*))?")
_MAX_SIZE = 2**40


@dataclass(frozen=True, slots=True)
class Input:
    """One input of the model; `shape` is one sample's where `batch` puts a batch dimension in front."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    batch: bool
    below: int | None
    mark: Mark


@dataclass(frozen=True, slots=True)
class Name:
    """A name that a step refers to."""

    text: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class Label:
    """The name that a step gives: text, with expressions between for each `${…}`."""

    parts: tuple[str | Expression, ...]
    mark: Mark

    @property
    def fixed(self) -> str | None:
        """The name, if no `${…}` is in it."""
        return (
            "".join(part for part in self.parts if isinstance(part, str))
            if len(self.parts) <= 1
            else None
        )


@dataclass(frozen=True, slots=True)
class LayerStep:
    """A layer to build, and what flows through it.

    Attributes:
        kind: a class of torch.nn.
        label: its name, where the spec gives one.
        arguments: the constructor's arguments, by name.
        children: the layers of a Sequential.
        sources: the values of `from`; None where the step above provides.
        call: the line of `call`.
        repeat: how many copies.
    """

    kind: str
    label: Label | None
    arguments: dict[str, Expression]
    children: tuple[LayerStep, ...]
    sources: tuple[Name, ...] | None
    call: Line | None
    repeat: Expression | None
    mark: Mark


@dataclass(frozen=True, slots=True)
class LineStep:
    """A line of Python."""

    line: Line
    mark: Mark


Step = LayerStep | LineStep


@dataclass(frozen=True, slots=True)
class Spec:
    """A model description, read and checked for form."""

    file: str
    name: str
    doc: str
    inputs: tuple[Input, ...]
    layers: tuple[Step, ...]
    outputs: Expression | None
    loss: LayerStep | None
    mark: Mark


def read(path: Path) -> Spec:
    """Read a spec from a file.

    Raises:
        FileError: the file cannot be read.
        SpecError: it is no spec.
    """
    return from_node(document.read(path), path.name)


def from_node(node: Node, file: str) -> Spec:
    """Read a spec from a document's tree; the generated code calls it `file`.

    Raises:
        SpecError: it is no spec.
    """
    if not isinstance(node, Mapping):
        raise SpecError(
            "a spec is a mapping with the keys name, input and layers",
            node.mark,
            "begin with `name: MyModel`",
        )
    _known_keys(node, _KEYS, "a spec")
    name = _required(node, "name", "`name: MyModel`")
    class_name = _text(name, "the name")
    check_class_name(class_name, name.mark)
    doc = _doc(node)
    layers = _required(node, "layers", "`layers:` and a list of steps")
    loss = node.entries.get("loss")
    return Spec(
        file,
        class_name,
        doc,
        _inputs(node),
        tuple(
            _step(item)
            for item in _items(layers, "the layers", "a list of steps, each with a dash")
        ),
        (expression(node.entries["outputs"].value) if "outputs" in node.entries else None),
        None if loss is None else _loss(loss.value),
        node.mark,
    )


def _known_keys(node: Mapping, known: Iterable[str], owner: str) -> None:
    for entry in node.entries.values():
        if entry.key not in known:
            raise SpecError(
                f"{owner} has no key {entry.key!r}",
                entry.key_mark,
                did_you_mean(entry.key, known),
            )


def _required(node: Mapping, key: str, hint: str) -> Node:
    if key not in node.entries:
        raise SpecError(f"the spec lacks {key!r}", node.mark, f"add {hint}")
    return node.entries[key].value


def _text(node: Node, what: str) -> str:
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        raise SpecError(f"{what} must be a word, not {_show(node)}", node.mark)
    return node.value


def _show(node: Node) -> str:
    if isinstance(node, Mapping):
        return "a mapping"
    return "a list" if isinstance(node, Sequence) else (node.text or "nothing")


def _doc(node: Mapping) -> str:
    entry = node.entries.get("doc")
    if entry is None:
        return ""
    text = " ".join(_text(entry.value, "doc").split())
    if not text.isprintable():
        raise SpecError("doc holds characters that cannot be printed", entry.value.mark)
    return text


def _items(node: Node, what: str, wanted: str) -> tuple[Node, ...]:
    if not isinstance(node, Sequence) or not node.items:
        raise SpecError(
            f"{what} must be {wanted}, not {_show(node) if isinstance(node, Scalar) else 'this'}",
            node.mark,
        )
    return node.items


def _inputs(node: Mapping) -> tuple[Input, ...]:
    if ("input" in node.entries) == ("inputs" in node.entries):
        both = "input" in node.entries
        raise SpecError(
            ("a spec has `input` or `inputs`, not both" if both else "the spec lacks its input"),
            node.entries["inputs"].key_mark if both else node.mark,
            "`input: [1, 28, 28]` is the shape of one sample; `inputs: {a: [3], b: [4]}` names several",
        )
    if "input" in node.entries:
        return (_input("x", node.entries["input"].value),)
    several = node.entries["inputs"].value
    if not isinstance(several, Mapping) or not several.entries:
        raise SpecError("`inputs` maps names to shapes", several.mark, "`inputs: {a: [3], b: [4]}`")
    for entry in several.entries.values():
        check_value_name(entry.key, entry.key_mark)
    return tuple(_input(entry.key, entry.value) for entry in several.entries.values())


def _input(name: str, node: Node) -> Input:
    if isinstance(node, Mapping):
        _known_keys(node, ("shape", "dtype", "batch", "below"), "an input")
        if "shape" not in node.entries:
            raise SpecError(
                "the input lacks its shape",
                node.mark,
                "`{shape: [16], dtype: int64, below: 100}`",
            )
        given = {key: entry.value for key, entry in node.entries.items()}
    else:
        given = {"shape": node}
    shape = given["shape"]
    if not isinstance(shape, Sequence):
        raise SpecError(
            f"a shape is a list of sizes, not {_show(shape)}",
            shape.mark,
            "`[1, 28, 28]`, or `[]` for one number",
        )
    return Input(
        name,
        tuple(_size(item) for item in shape.items),
        _dtype(given.get("dtype")),
        _flag(given.get("batch"), True),
        _size(given["below"]) if "below" in given else None,
        node.mark,
    )


def _size(node: Node) -> int:
    value = node.value if isinstance(node, Scalar) else None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value < _MAX_SIZE:
        raise SpecError(f"a size is a whole number of at least 1, not {_show(node)}", node.mark)
    return value


def _dtype(node: Node | None) -> str:
    if node is None:
        return "float32"
    dtype = _text(node, "dtype").removeprefix("torch.")
    if dtype not in DTYPES:
        raise SpecError(f"torch has no dtype {dtype!r}", node.mark, did_you_mean(dtype, DTYPES))
    return dtype


def _flag(node: Node | None, default: bool) -> bool:
    if node is None:
        return default
    if not isinstance(node, Scalar) or not isinstance(node.value, bool):
        raise SpecError(f"this must be true or false, not {_show(node)}", node.mark)
    return node.value


def _step(node: Node) -> Step:
    if isinstance(node, Scalar) and isinstance(node.value, str) and not _HEAD.fullmatch(node.value):
        return LineStep(parse_line(node.value, node.mark), node.mark)
    return _layer(node)


def _loss(node: Node) -> LayerStep:
    step = _layer(node)
    if (
        step.label is not None
        or step.sources is not None
        or step.call is not None
        or step.repeat is not None
    ):
        raise SpecError(
            "a loss has arguments only",
            step.mark,
            "`loss: {CrossEntropyLoss: {label_smoothing: 0.1}}`",
        )
    if step.kind not in LAYERS or not LAYERS[step.kind].is_loss:
        raise SpecError(f"{step.kind} is no loss", step.mark, "`loss: CrossEntropyLoss`, for one")
    return step


def _layer(node: Node) -> LayerStep:
    """A step, or a child of a Sequential, that is a layer."""
    if isinstance(node, Scalar) and isinstance(node.value, str):
        return _head(node.value, node.mark, None, {})
    if not isinstance(node, Mapping) or not node.entries:
        raise SpecError(
            f"a step is a layer or a line of Python, not {_show(node)}",
            node.mark,
            "`- Linear: 10`, or `- y = x + 1`",
        )
    first, *rest = node.entries.values()
    if first.key in _STEP_KEYS:
        raise SpecError(
            f"{first.key!r} stands beside a layer, after it",
            first.key_mark,
            f"`- Linear: 10` and, below it, `{first.key}:`",
        )
    for entry in rest:
        if entry.key not in _STEP_KEYS:
            raise _stray(entry.key, entry.key_mark, first.key)
    return _head(
        first.key,
        first.key_mark,
        first.value,
        {entry.key: entry.value for entry in rest},
    )


def _stray(key: str, mark: Mark, head: str) -> SpecError:
    kind = head.split()[0]
    if kind in LAYERS and key in LAYERS[kind].signature.names:
        return SpecError(
            f"{key!r} is an argument of {kind}, but stands beside it",
            mark,
            f"indent it further than {kind}, or write `{kind}: {{{key}: …}}`",
        )
    return SpecError(f"a step has no key {key!r}", mark, did_you_mean(key, _STEP_KEYS))


def _head(text: str, mark: Mark, value: Node | None, beside: dict[str, Node]) -> LayerStep:
    match = _HEAD.fullmatch(text)
    if match is None:
        if "=" in text:
            raise SpecError(
                f"{text!r} looks like a line of Python that YAML took for a key",
                mark,
                "put the line in quotes",
            )
        raise SpecError(f"{text!r} is no layer", mark, "`Linear`, or `Linear as name`")
    kind, label = match["kind"], match["name"]
    if kind not in LAYERS and kind != "Sequential":
        raise SpecError(
            f"torch.nn has no layer {kind!r}",
            mark,
            did_you_mean(kind, [*LAYERS, "Sequential"]),
        )
    arguments: dict[str, Expression] = {}
    children: tuple[LayerStep, ...] = ()
    if kind == "Sequential":
        items = _items(value or Scalar(None, "", mark), "a Sequential's value", "a list of layers")
        children = tuple(_child(item) for item in items)
    else:
        arguments = _arguments(kind, value, mark)
    return LayerStep(
        kind,
        None if label is None else _label(label, mark),
        arguments,
        children,
        _from(beside.get("from")),
        _call(beside.get("call")),
        None if "repeat" not in beside else expression(beside["repeat"]),
        mark,
    )


def _child(node: Node) -> LayerStep:
    if isinstance(node, Scalar) and isinstance(node.value, str) and not _HEAD.fullmatch(node.value):
        raise SpecError(
            "a Sequential holds layers only",
            node.mark,
            "a line of Python is a step of its own",
        )
    step = _layer(node)
    if step.sources is not None or step.call is not None:
        raise SpecError(
            "in a Sequential each layer takes what the one above gives",
            step.mark,
            "give it a step of its own",
        )
    return step


def _label(text: str, mark: Mark) -> Label:
    parts: list[str | Expression] = []
    rest = text
    while "${" in rest:
        before, _, after = rest.partition("${")
        inside, closed, rest = after.partition("}")
        if not closed:
            raise SpecError(f"the `${{` in {text!r} is not closed", mark)
        parts += [before, parse(inside, mark)]
    parts.append(rest)
    label = Label(tuple(parts), mark)
    if label.fixed is not None:
        check_layer_name(label.fixed, mark)
    return label


def _from(node: Node | None) -> tuple[Name, ...] | None:
    if node is None:
        return None
    items = node.items if isinstance(node, Sequence) else (node,)
    if not items:
        raise SpecError("`from` is empty", node.mark, "name the values that the layer takes")
    return tuple(Name(_text(item, "`from`"), item.mark) for item in items)


def _call(node: Node | None) -> Line | None:
    return None if node is None else parse_line(_text(node, "`call`"), node.mark)


def _arguments(kind: str, node: Node | None, mark: Mark) -> dict[str, Expression]:
    entry = LAYERS[kind]
    if node is None or (isinstance(node, Scalar) and node.value is None and not node.text):
        return {}
    if isinstance(node, Mapping):
        known = entry.signature.names
        for item in node.entries.values():
            if item.key in _STEP_KEYS and item.key not in known:
                raise SpecError(
                    f"{item.key!r} stands among the arguments of {kind}",
                    item.key_mark,
                    f"indent it as far as {kind}, not further",
                )
            if item.key not in known:
                hint = did_you_mean(item.key, known) if known else f"{kind} takes no arguments"
                raise SpecError(f"{kind} has no argument {item.key!r}", item.key_mark, hint)
        return {
            k: expression(item.value, entry.signature[k].kind) for k, item in node.entries.items()
        }
    if entry.lone is None:
        raise SpecError(f"{kind} takes no arguments", node.mark, f"write `- {kind}`")
    return {entry.lone: expression(node, entry.signature[entry.lone].kind)}


def expression(node: Node, kind: Kind | None = None) -> Expression:
    """A value of the spec as an expression; the words of `kind` stand for themselves.

    Raises:
        SpecError: it is none.
    """
    return Expression(_tree(node, kind), node.mark)


def _tree(node: Node, kind: Kind | None) -> ast.expr:
    if isinstance(node, Sequence):
        return ast.Tuple([_tree(item, kind) for item in node.items], ast.Load())
    if isinstance(node, Mapping):
        keys: list[ast.expr | None] = [ast.Constant(key) for key in node.entries]
        return ast.Dict(keys, [_tree(entry.value, kind) for entry in node.entries.values()])
    value: Any = node.value
    if not isinstance(value, str) or (kind is not None and value in kind.words):
        return ast.Constant(value)
    return parse(value, node.mark).tree
