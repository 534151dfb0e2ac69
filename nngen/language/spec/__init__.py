"""YAML to a frozen Spec: every step, argument and line of Python, each with its place in the file."""

from __future__ import annotations

import ast
from collections.abc import Mapping as Map
from dataclasses import replace
from pathlib import Path
from typing import Any

from nngen.catalog import LAYERS
from nngen.errors import Errors, Fault, SpecError, did_you_mean, listed
from nngen.language import document, styles
from nngen.language.document import Entry, Mapping, Node, Scalar
from nngen.language.naming import check_class_name, check_option_name
from nngen.language.spec.inputs import MOST_NAMES, block_inputs, inputs_of, unknown_input
from nngen.language.spec.model import (
    INPUT_SIZES,
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
from nngen.language.spec.nodes import (
    corrected,
    expression,
    few,
    items,
    mapping,
    text,
    unknown,
    words_of,
)
from nngen.language.spec.redraws import rules
from nngen.language.spec.spreading import spread
from nngen.language.spec.steps import SEQUENTIAL_FORM, STATE_KINDS, StepReader
from nngen.symbolic.expressions import Expression

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
    "partly",
    "read",
    "with_values",
]

CONTAINERS = ("Sequential", "ModuleList")
_KEYS = (
    *("name", "doc", "args", "input", "inputs", "blocks", "let", "layers", "outputs"),
    *("loss", "tie", "init", "check", "styles"),
)
# What other formats have at the top.
_ELSEWHERE = {
    **dict.fromkeys(
        ("optimizer", "optim", "lr", "learning_rate", "epochs", "scheduler", "metrics", "train"),
        "training is a program of yours, with the models that `nngen build` writes",
    ),
    "batch_size": "the batch dimension N is put in front of each input",
}
_NEEDED = {
    "name": "`name: MyModel`",
    "input": "`input: [1, 28, 28]` with the shape of one sample",
    "layers": "`layers:` and a list of steps",
}
_BLOCK_KEYS = ("doc", "args", "let", "inputs", "layers", "Sequential", "outputs", "init", "tie")


def read(path: Path) -> Spec:
    """Read a spec from a file.

    Raises:
        FileError: the file cannot be read.
        SpecError: it is not a spec.
    """
    return from_node(document.read(path), path.name)


def from_node(node: Node, file: str) -> Spec:
    """Read a spec from a document's tree; the generated code calls it `file`.

    Raises:
        SpecError: it is not a spec; it tells of all errors of form.
    """
    errors = Errors()
    spec = partly(node, file, errors)
    errors.refuse()
    return spec


def partly(node: Node, file: str, errors: Errors) -> Spec:
    """What can be read of a spec; what cannot is unknown in it.

    Args:
        node: the document's tree.
        file: what the generated code calls it.
        errors: where to note what is wrong.

    Raises:
        SpecError: nothing of it can be read.
    """
    if not isinstance(node, Mapping):
        raise SpecError(
            "a spec is a mapping with the keys name, input and layers",
            node.mark,
            "begin with `name: MyModel`",
        )
    node = corrected(node, _KEYS, "a spec", errors, _ELSEWHERE)
    _note_missing(node, errors)
    name = errors.attempt(_name, node) or "Model"
    blocks = _block_nodes(node, name, errors)
    options = {
        key: None if block is None else errors.attempt(_options, block, errors)
        for key, block in blocks.items()
    }
    reader = StepReader(options, errors)
    inputs = errors.attempt(inputs_of, node, errors) or (unknown_input("x", node.mark),)
    names = tuple(Name(each.name, each.mark) for each in inputs)
    spec = Spec(
        file,
        _body(name, node, names, reader),
        inputs,
        {key: _block(key, block, reader) for key, block in blocks.items() if block is not None},
        (
            errors.attempt(_loss, node.entries["loss"].value, reader)
            if "loss" in node.entries
            else None
        ),
        errors.attempt(_expressions, node, "check") or {},
        errors.attempt(_styles, node) or styles.TWINS,
    )
    return spec if errors.found else spread(spec)


def _note_missing(node: Mapping, errors: Errors) -> None:
    """Note several keys that the spec lacks in one error; of a single one, its reader tells."""
    missing = [key for key in _NEEDED if key not in node.entries]
    if "inputs" in node.entries and "input" in missing:
        missing.remove("input")
    if len(missing) > 1:
        hint = listed((_NEEDED[key] for key in missing), str)
        errors.add(SpecError(f"the spec lacks {listed(missing)}", node.mark, f"add {hint}"))


def _name(node: Mapping) -> str:
    name = _required(node, "name")
    check_class_name(text(name, "the name"), name.mark)
    return text(name, "the name")


def _block(name: str, node: Mapping, reader: StepReader) -> Body:
    inputs = reader.errors.attempt(block_inputs, node)
    return _body(name, node, (Name("x", node.mark),) if inputs is None else inputs, reader)


def block(name: str, layer: str, data: object) -> Body:
    """A layer of torch's that the catalog gives as a block of the language."""
    node = mapping(document.of(data, "<catalog>"), "a block", "")
    errors = Errors()
    read = replace(_body(name, node, block_inputs(node), StepReader({}, errors)), layer=layer)
    errors.refuse()
    return read


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


def _required(node: Mapping, key: str) -> Node:
    if key not in node.entries:
        raise SpecError(f"the spec lacks {key!r}", node.mark, f"add {_NEEDED[key]}")
    return node.entries[key].value


def _block_nodes(node: Mapping, model: str, errors: Errors) -> dict[str, Mapping | None]:
    """The blocks' mappings, by name; None for one of which nothing can be read."""
    if "blocks" not in node.entries:
        return {}
    entry = node.entries["blocks"]
    wanted = "`blocks` maps names to blocks", "`{Block: {layers: […]}}`"
    given = errors.attempt(mapping, entry.value, *wanted)
    entries = {} if given is None else given.entries
    return {key: errors.attempt(_block_node, each, model, errors) for key, each in entries.items()}


def _block_node(entry: Entry, model: str, errors: Errors) -> Mapping:
    check_class_name(entry.key, entry.key_mark)
    if entry.key in LAYERS or entry.key in (*CONTAINERS, *STATE_KINDS, model):
        raise SpecError(f"the name {entry.key!r} is taken", entry.key_mark, "choose another")
    block = mapping(entry.value, "a block is a mapping with `layers`", "`{layers: […]}`")
    block = corrected(block, _BLOCK_KEYS, "a block", errors)
    if ("layers" in block.entries) == ("Sequential" in block.entries):
        raise SpecError("a block has either `layers` or `Sequential`", entry.key_mark)
    return block


def _body(name: str, node: Mapping, inputs: tuple[Name, ...], reader: StepReader) -> Body:
    errors, entries = reader.errors, node.entries
    sequential = "Sequential" in entries
    if sequential:
        for other in ("outputs", "inputs"):
            if other in entries:
                message = f"a block that is a Sequential has no {other!r}"
                errors.add(SpecError(message, entries[other].key_mark))
    steps = errors.attempt(_steps, node, reader, sequential)
    outputs = errors.attempt(expression, entries["outputs"].value) if "outputs" in entries else None
    if steps is None or ("outputs" in entries and outputs is None):
        unread = entries.get("outputs") if steps else entries.get("layers")
        steps = (*(steps or ()), reader.unread(node if unread is None else unread.value))
    return Body(
        name,
        errors.attempt(_doc, node) or "",
        inputs,
        steps,
        node.mark,
        errors.attempt(_options, node, errors) or (),
        errors.attempt(_let, node, errors) or (),
        sequential,
        outputs,
        (errors.attempt(rules, entries["init"].value, errors) or ()) if "init" in entries else (),
        errors.attempt(_tie, node) or (),
        words=frozenset(
            word
            for entry in entries.values()
            if entry.key not in ("doc", "blocks", "styles")
            for word in words_of(entry.value)
        ),
    )


def _steps(node: Mapping, reader: StepReader, sequential: bool) -> tuple[Step, ...]:
    if sequential:
        what, wanted, hint = "the children of a Sequential", "a list of layers", SEQUENTIAL_FORM
    else:
        what, wanted = "the layers", "a list of steps, each with a dash"
        hint = "give each a line and a dash: `- Linear: 10`"
    given = node.entries["Sequential"].value if sequential else _required(node, "layers")
    listed = items(given, what, wanted, hint, 0 if sequential else 1)
    return tuple(map(reader.child if sequential else reader.step, listed))


def _doc(node: Mapping) -> str:
    entry = node.entries.get("doc")
    if entry is None:
        return ""
    words = " ".join(text(entry.value, "doc").split())
    if not words.isprintable():
        raise SpecError("doc holds characters that cannot be printed", entry.value.mark)
    return words


def _options(node: Mapping, errors: Errors) -> tuple[Option, ...]:
    if "args" not in node.entries:
        return ()
    given = mapping(node.entries["args"].value, "`args` maps names to defaults", "`{planes: 64}`")
    few(given.entries, "arguments", MOST_NAMES, given.mark)
    options = [
        errors.attempt(_option, entry) or Option(entry.key, unknown(entry.key_mark), entry.key_mark)
        for entry in given.entries.values()
    ]
    return tuple(sorted(options, key=lambda option: option.default is not None))


def _option(entry: Entry) -> Option:
    check_option_name(entry.key, entry.key_mark)
    value = expression(entry.value)
    required = getattr(value.tree, "id", None) == "required"
    if not required:
        _check_default(value)
    return Option(entry.key, None if required else value, entry.key_mark)


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


def _let(node: Mapping, errors: Errors) -> tuple[tuple[Name, Expression], ...]:
    if "let" not in node.entries:
        return ()
    given = mapping(node.entries["let"].value, "`let` maps names to sizes", "`{hidden: 4 * dim}`")
    few(given.entries, "sizes under `let`", MOST_NAMES, given.mark)
    lets = []
    for entry in given.entries.values():
        errors.attempt(check_option_name, entry.key, entry.key_mark)
        value = errors.attempt(expression, entry.value) or unknown(entry.key_mark)
        lets.append((Name(entry.key, entry.key_mark), value))
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


def _styles(node: Mapping) -> tuple[str, ...]:
    if "styles" not in node.entries:
        return styles.TWINS
    given = node.entries["styles"].value
    names: list[str] = []
    for each in items(
        given, "`styles`", "a list of styles", f"`[nn, functional]`; {styles.known()}"
    ):
        name = text(each, "a style")
        try:
            styles.refuse_wrong(name, names)
        except Fault as fault:
            raise SpecError(fault.message, each.mark, fault.hint) from None
        names.append(name)
    return tuple(names)


def _loss(node: Node, reader: StepReader) -> LayerStep | LossSteps:
    if isinstance(node, Mapping) and node.entries.keys() & {"layers", "inputs"}:
        node = corrected(node, ("inputs", "layers", "outputs"), "a loss", reader.errors)
        tensors = {}
        if "inputs" in node.entries and isinstance(node.entries["inputs"].value, Mapping):
            tensors = {each.name: each for each in inputs_of(node, reader.errors)}
            inputs = tuple(Name(each.name, each.mark) for each in tensors.values())
        else:
            inputs = block_inputs(node, 1) if "inputs" in node.entries else ()
        return LossSteps(_body("loss", node, inputs, reader), tensors)
    try:
        step = reader.layer(node)
    except SpecError as error:
        if isinstance(node, Scalar):
            error.hint = error.hint.replace("`- ", "`loss: ")
        raise
    if step.label or step.sources or step.call or step.repeat or step.when or step.init:
        raise SpecError(
            "a loss has arguments only",
            step.mark,
            "`loss: {CrossEntropyLoss: {label_smoothing: 0.1}}`",
        )
    if step.kind not in LAYERS or not LAYERS[step.kind].is_loss:
        raise SpecError(
            f"{step.kind} is not a loss", step.mark, "`loss: CrossEntropyLoss`, for one"
        )
    return step
