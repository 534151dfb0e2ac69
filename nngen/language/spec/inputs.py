"""Reading inputs: their names, shapes and dtypes."""

from __future__ import annotations

import re

from nngen.errors import Errors, Mark, SpecError, did_you_mean
from nngen.language.document import Mapping, Node, Scalar, Sequence
from nngen.language.naming import check_value_name
from nngen.language.spec.model import Input, Name
from nngen.language.spec.nodes import (
    expression,
    few,
    flag,
    items,
    known_keys,
    mapping,
    shown,
    text,
    unknown,
)
from nngen.symbolic.dtypes import ALIASES, DTYPES
from nngen.symbolic.tensor import MAX_DIMENSIONS

MOST_NAMES = 200  # of one kind in one class


def block_inputs(node: Mapping, least: int = 0) -> tuple[Name, ...]:
    """The names of a block's inputs, or of a loss's."""
    if "inputs" not in node.entries:
        return (Name("x", node.mark),)
    listed = items(
        node.entries["inputs"].value,
        "a block's inputs",
        "a list of names",
        "`inputs: [x, y]`",
        least,
    )
    few(listed, "inputs", MOST_NAMES, node.mark)
    names = tuple(Name(text(item, "an input"), item.mark) for item in listed)
    for name in names:
        check_value_name(name.text, name.mark)
    if len({name.text for name in names}) < len(names):
        raise SpecError("two inputs have one name", names[0].mark)
    return names


def inputs_of(node: Mapping, errors: Errors) -> tuple[Input, ...]:
    """The inputs of the model, or the targets of its loss."""
    if ("input" in node.entries) == ("inputs" in node.entries):
        both = "input" in node.entries
        raise SpecError(
            ("a spec has `input` or `inputs`, not both" if both else "the spec lacks its input"),
            node.entries["inputs"].key_mark if both else node.mark,
            "`input: [1, 28, 28]` is the shape of one sample; `inputs: {a: [3], b: [4]}` names several",
        )
    if "input" in node.entries:
        return (_input("x", node.entries["input"].value, errors),)
    several = node.entries["inputs"].value
    hint = "`inputs: {a: [3], b: [4]}`"
    if not isinstance(several, Mapping) and not (
        isinstance(several, Sequence) and any(isinstance(i, Sequence) for i in several.items)
    ):
        hint = f"of one input, `input` says the shape: `input: [784]`; several have names: {hint}"
    several = mapping(several, "`inputs` maps names to shapes", hint)
    few(several.entries, "inputs", MOST_NAMES, several.mark)
    for entry in several.entries.values():
        errors.attempt(check_value_name, entry.key, entry.key_mark)
    return tuple(_input(entry.key, entry.value, errors) for entry in several.entries.values())


def unknown_input(name: str, mark: Mark) -> Input:
    """An input that could not be read."""
    return Input(name, (unknown(mark),), "float32", True, None, None, mark)


def _input(name: str, node: Node, errors: Errors) -> Input:
    return errors.attempt(_read, name, node) or unknown_input(name, node.mark)


def _read(name: str, node: Node) -> Input:
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
        numbers = re.findall(r"\w+", shown(shape)) if isinstance(shape, Scalar) else []
        hint = "`[1, 28, 28]`, or `[]` for one number"
        if numbers:
            hint = f"`[{', '.join(numbers)}]`, the shape of one sample"
        raise SpecError(f"a shape is a list of sizes, not {shown(shape)}", shape.mark, hint)
    _refuse_open(shape)
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


_OPEN = ("-1", "None", "null", "~", "?", "none", "")


def _refuse_open(shape: Sequence) -> None:
    """Refuse what other libraries write for a size that is open."""
    texts = [each.text if isinstance(each, Scalar) else "…" for each in shape.items]
    place = next((place for place, text in enumerate(texts) if text in _OPEN), None)
    if place is None:
        return
    hint = "a size that is open has a name: `T`, and `check: {T: 16}` gives one for verification"
    if place == 0 and len(texts) > 1:
        rest = f"`[{', '.join(texts[1:])}]`"
        hint = f"the batch dimension is put in front by itself: {rest}"
    message = f"a size is a whole number of at least 1, not {texts[place] or 'nothing'}"
    raise SpecError(message, shape.items[place].mark, hint)


def _dtype(node: Node | None) -> str:
    if node is None:
        return "float32"
    dtype = text(node, "dtype").removeprefix("torch.")
    dtype = ALIASES.get(dtype, dtype)
    if dtype not in DTYPES:
        raise SpecError(f"torch has no dtype {dtype!r}", node.mark, did_you_mean(dtype, DTYPES))
    return dtype
