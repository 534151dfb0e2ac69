"""YAML to a frozen Spec: every step, argument and line of Python, each with its place in the file."""

from __future__ import annotations

import ast
from collections.abc import Mapping as Map
from dataclasses import replace
from pathlib import Path
from typing import Any

from nngen import document
from nngen.catalog import LAYERS
from nngen.document import Mapping, Node, Sequence
from nngen.dtypes import ALIASES, DTYPES
from nngen.errors import SpecError, did_you_mean
from nngen.expressions import Expression
from nngen.names import check_class_name, check_option_name, check_value_name
from nngen.spec.model import (
    Body,
    Input,
    Label,
    LayerStep,
    LineStep,
    LossSteps,
    Name,
    Option,
    Rule,
    Spec,
    Step,
)
from nngen.spec.nodes import expression, few, flag, items, known_keys, mapping, shown, text
from nngen.spec.steps import INPUT_SIZES, SEQUENTIAL_FORM, StepReader, rules
from nngen.tensors import MAX_DIMENSIONS

__all__ = [
    "INPUT_SIZES",
    "Body",
    "Input",
    "Label",
    "LayerStep",
    "LineStep",
    "LossSteps",
    "Name",
    "Option",
    "Rule",
    "Spec",
    "Step",
    "block",
    "from_node",
    "read",
    "with_values",
]

MOST_NAMES = 200  # of one kind in one class

_KEYS = (
    *("name", "doc", "args", "input", "inputs", "blocks", "let", "layers", "outputs"),
    *("loss", "tie", "init", "check"),
)
_BLOCK_KEYS = ("doc", "args", "let", "inputs", "layers", "Sequential", "outputs", "init", "tie")


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
    known_keys(node, _KEYS, "a spec")
    name = _required(node, "name", "`name: MyModel`")
    check_class_name(text(name, "the name"), name.mark)
    blocks = _block_nodes(node, text(name, "the name"))
    reader = StepReader({key: _options(block) for key, block in blocks.items()})
    inputs = _inputs(node)
    names = tuple(Name(each.name, each.mark) for each in inputs)
    _required(node, "layers", "`layers:` and a list of steps")
    return Spec(
        file,
        _body(text(name, "the name"), node, names, reader),
        inputs,
        {key: _body(key, block, _block_inputs(block), reader) for key, block in blocks.items()},
        _loss(node.entries["loss"].value, reader) if "loss" in node.entries else None,
        _expressions(node, "check"),
    )


def block(name: str, layer: str, data: object) -> Body:
    """A layer of torch's that the catalog gives as a block of the language."""
    node = mapping(document.of(data, "<catalog>"), "a block", "")
    inputs = _block_inputs(node)
    return replace(_body(name, node, inputs, StepReader({})), layer=layer)


def with_values(spec: Spec, values: Map[str, Any]) -> Spec:
    """The spec with other values for its checks: of constructor arguments, and of open sizes.

    Raises:
        SpecError: the spec leaves no such name open.
    """
    known = {option.name for option in spec.model.options}
    known |= set(spec.open_sizes)
    check = dict(spec.check)
    for name, value in values.items():
        if name not in known:
            hint = did_you_mean(name, sorted(known)) or "the spec leaves nothing open"
            raise SpecError(f"{spec.model.name} has no argument {name!r}", spec.model.mark, hint)
        check[name] = expression(document.of(value, f"the value of {name}"))
    return replace(spec, check=check)


def _required(node: Mapping, key: str, hint: str) -> Node:
    if key not in node.entries:
        raise SpecError(f"the spec lacks {key!r}", node.mark, f"add {hint}")
    return node.entries[key].value


def _block_nodes(node: Mapping, model: str) -> dict[str, Mapping]:
    """The blocks' mappings, by name."""
    if "blocks" not in node.entries:
        return {}
    given = mapping(
        node.entries["blocks"].value, "`blocks` maps names to blocks", "`{Block: {layers: […]}}`"
    )
    blocks = {}
    for entry in given.entries.values():
        check_class_name(entry.key, entry.key_mark)
        if entry.key in LAYERS or entry.key in (
            "Sequential",
            "ModuleList",
            "Parameter",
            "Buffer",
            model,
        ):
            raise SpecError(f"the name {entry.key!r} is taken", entry.key_mark, "choose another")
        block = mapping(entry.value, "a block is a mapping with `layers`", "`{layers: […]}`")
        known_keys(block, _BLOCK_KEYS, "a block")
        if ("layers" in block.entries) == ("Sequential" in block.entries):
            raise SpecError("a block has either `layers` or `Sequential`", entry.key_mark)
        blocks[entry.key] = block
    return blocks


def _body(name: str, node: Mapping, inputs: tuple[Name, ...], reader: StepReader) -> Body:
    sequential = "Sequential" in node.entries
    key = "Sequential" if sequential else "layers"
    listed = items(
        node.entries[key].value,
        "the children of a Sequential" if sequential else "the layers",
        "a list of layers" if sequential else "a list of steps, each with a dash",
        SEQUENTIAL_FORM if sequential else "give each a line and a dash: `- Linear: 10`",
        0 if sequential else 1,
    )
    if sequential:
        for other in ("outputs", "inputs"):
            if other in node.entries:
                mark = node.entries[other].key_mark
                raise SpecError(f"a block that is a Sequential has no {other!r}", mark)
    return Body(
        name,
        _doc(node),
        inputs,
        tuple(map(reader.child if sequential else reader.step, listed)),
        node.mark,
        _options(node),
        _let(node),
        sequential,
        expression(node.entries["outputs"].value) if "outputs" in node.entries else None,
        rules(node.entries["init"].value) if "init" in node.entries else (),
        _tie(node),
    )


def _doc(node: Mapping) -> str:
    entry = node.entries.get("doc")
    if entry is None:
        return ""
    words = " ".join(text(entry.value, "doc").split())
    if not words.isprintable():
        raise SpecError("doc holds characters that cannot be printed", entry.value.mark)
    return words


def _options(node: Mapping) -> tuple[Option, ...]:
    if "args" not in node.entries:
        return ()
    given = mapping(node.entries["args"].value, "`args` maps names to defaults", "`{planes: 64}`")
    few(given.entries, "arguments", MOST_NAMES, given.mark)
    options = []
    for entry in given.entries.values():
        check_option_name(entry.key, entry.key_mark)
        value = expression(entry.value)
        required = getattr(value.tree, "id", None) == "required"
        if not required:
            _check_default(value)
        options.append(Option(entry.key, None if required else value, entry.key_mark))
    return tuple(sorted(options, key=lambda option: option.default is not None))


def _check_default(value: Expression) -> None:
    """Refuse a default that is not the same wherever it stands."""
    try:
        found = ast.literal_eval(value.tree)
    except ValueError:
        found = {}
    items = found if isinstance(found, tuple) and found else (found,)
    if not all(item is None or isinstance(item, (bool, int, float, str)) for item in items):
        raise SpecError(
            f"a default is a number, true, false, null or a list of such, not {ast.unparse(value.tree)}",
            value.mark,
            "sizes that are computed stand under `let`; `required` is for an argument without a default",
        )


def _let(node: Mapping) -> tuple[tuple[Name, Expression], ...]:
    if "let" not in node.entries:
        return ()
    given = mapping(node.entries["let"].value, "`let` maps names to sizes", "`{hidden: 4 * dim}`")
    few(given.entries, "sizes under `let`", MOST_NAMES, given.mark)
    lets = []
    for entry in given.entries.values():
        check_option_name(entry.key, entry.key_mark)
        lets.append((Name(entry.key, entry.key_mark), expression(entry.value)))
    return tuple(lets)


def _tie(node: Mapping) -> tuple[tuple[Name, Name], ...]:
    if "tie" not in node.entries:
        return ()
    given = mapping(
        node.entries["tie"].value, "`tie` maps parameters", "`{head.weight: embed.weight}`"
    )
    return tuple(
        (Name(entry.key, entry.key_mark), Name(text(entry.value, "`tie`"), entry.value.mark))
        for entry in given.entries.values()
    )


def _expressions(node: Mapping, key: str) -> dict[str, Expression]:
    if key not in node.entries:
        return {}
    given = mapping(node.entries[key].value, f"`{key}` maps names to values", "`{vocab: 100}`")
    return {entry.key: expression(entry.value) for entry in given.entries.values()}


def _block_inputs(node: Mapping) -> tuple[Name, ...]:
    if "inputs" not in node.entries:
        return (Name("x", node.mark),)
    listed = items(
        node.entries["inputs"].value, "a block's inputs", "a list of names", "`inputs: [x, y]`"
    )
    few(listed, "inputs", MOST_NAMES, node.mark)
    names = tuple(Name(text(item, "an input"), item.mark) for item in listed)
    for name in names:
        check_value_name(name.text, name.mark)
    if len({name.text for name in names}) < len(names):
        raise SpecError("two inputs have one name", names[0].mark)
    return names


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
    several = mapping(several, "`inputs` maps names to shapes", "`inputs: {a: [3], b: [4]}`")
    few(several.entries, "inputs", MOST_NAMES, several.mark)
    for entry in several.entries.values():
        check_value_name(entry.key, entry.key_mark)
    return tuple(_input(entry.key, entry.value) for entry in several.entries.values())


def _input(name: str, node: Node) -> Input:
    if isinstance(node, Mapping):
        known_keys(node, ("shape", "dtype", "batch", "low", "below"), "an input")
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
            f"a shape is a list of sizes, not {shown(shape)}",
            shape.mark,
            "`[1, 28, 28]`, or `[]` for one number",
        )
    few(shape.items, "dimensions", MAX_DIMENSIONS - 1, shape.mark)
    return Input(
        name,
        tuple(map(expression, shape.items)),
        _dtype(given.get("dtype")),
        flag(given.get("batch"), True),
        expression(given["low"]) if "low" in given else None,
        expression(given["below"]) if "below" in given else None,
        node.mark,
    )


def _dtype(node: Node | None) -> str:
    if node is None:
        return "float32"
    dtype = text(node, "dtype").removeprefix("torch.")
    dtype = ALIASES.get(dtype, dtype)
    if dtype not in DTYPES:
        raise SpecError(f"torch has no dtype {dtype!r}", node.mark, did_you_mean(dtype, DTYPES))
    return dtype


def _loss(node: Node, reader: StepReader) -> LayerStep | LossSteps:
    if isinstance(node, Mapping) and node.entries.keys() & {"layers", "inputs"}:
        known_keys(node, ("inputs", "layers", "outputs"), "a loss")
        _required(node, "layers", "`layers:` and a list of steps")
        tensors = {}
        if "inputs" in node.entries and isinstance(node.entries["inputs"].value, Mapping):
            tensors = {each.name: each for each in _inputs(node)}
            inputs = tuple(Name(each.name, each.mark) for each in tensors.values())
        else:
            inputs = _block_inputs(node) if "inputs" in node.entries else ()
        return LossSteps(_body("loss", node, inputs, reader), tensors)
    step = reader.layer(node)
    if step.label or step.sources or step.call or step.repeat or step.when or step.init:
        raise SpecError(
            "a loss has arguments only",
            step.mark,
            "`loss: {CrossEntropyLoss: {label_smoothing: 0.1}}`",
        )
    if step.kind not in LAYERS or not LAYERS[step.kind].is_loss:
        raise SpecError(f"{step.kind} is no loss", step.mark, "`loss: CrossEntropyLoss`, for one")
    return step
