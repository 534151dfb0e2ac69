"""The kinds of value that an argument takes, read from its annotation in a signature.

| annotation            | values                                            |
| --------------------- | ------------------------------------------------- |
| `int`, `float`, `bool`, `str` | Python's own; a whole number is a float too |
| `size`, `count`       | a whole number of at least 1, of at least 0       |
| `positive`, `nonnegative` | a number above 0, of at least 0               |
| `probability`         | a number from 0 to 1                              |
| `size[2]`             | one for both, or a list of two                    |
| `list[size]`          | a list of any length                              |
| `vector`              | a list of numbers that becomes a float tensor     |
| `array`               | the same of any number of dimensions: a number, or lists in lists |
| `"same"`              | that word                                         |
| `F.relu`              | the word `relu`, which stands for that function   |
| `nn.Options(a=int)`   | a mapping with such keys, which stands for that call |
| `Tensor`              | a value that flows                                |
| `layer['LayerNorm', 'RMSNorm']` | a layer, one of these                   |
| `packed`              | a packed sequence                                 |
| `dtype`, `device`     | `torch.float32` or `x.dtype`, `x.device`          |
| `any`                 | whatever torch takes                              |
| `size | None`         | either                                            |
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from nngen.errors import Fault
from nngen.symbolic.parts import Parts
from nngen.symbolic.rules.common import array_shape
from nngen.symbolic.sizes import Size, value_of
from nngen.symbolic.tensor import UNKNOWN, Code, Device, Dtype, Packed, Tensor


class Mismatch(Exception):
    """The value is not of the kind."""


@dataclass(frozen=True)
class Kind:
    """What values an argument takes.

    Attributes:
        description: what a message calls such a value.
        convert: turns a value into its proper form; raises Mismatch for one that is not of the kind.
        words: the strings that stand for themselves rather than for an expression.
        layer: the layers that it takes, where it takes layers.
        schema: the JSON Schema of such values, expressions aside; a layer is `{"layer": […]}`.
        length: how long the list is that may be given for one number, a number a dimension; 0 where there is none.
    """

    description: str
    convert: Callable[[Any], Any]
    words: tuple[str, ...] = ()
    layer: tuple[str, ...] = ()
    schema: Mapping[str, Any] = field(default_factory=dict)
    length: int = 0

    def __call__(self, value: Any) -> Any:
        """The value in its proper form.

        Raises:
            Fault: it is not of this kind.
        """
        if value is UNKNOWN:
            return value
        try:
            return self.convert(value)
        except Mismatch:
            hint = f"it takes {self.description}"
            raise Fault(f"cannot be {show_value(value)}", hint) from None

    def takes(self, value: Any) -> bool:
        """Whether a value is of this kind."""
        try:
            self.convert(value)
        except Mismatch:
            return False
        return True


def show_value(value: Any) -> str:
    """A value as a message names it."""
    if isinstance(value, Tensor):
        return f"a tensor {value}"
    if isinstance(value, (bool, type(None))):
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, tuple):
        return f"[{', '.join(show_value(item) for item in value)}]"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, Size):
        return str(value) if value.value is None else f"{value}, which is {value.value}"
    return repr(value)


def _whole(low: int | None) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, (int, Size)):
            raise Mismatch
        known = value_of(value)
        if low is not None and known is not None and known < low:
            raise Mismatch
        return value

    return convert


def _number(accepts: Callable[[float], bool]) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        if isinstance(value, Size):
            if value.value is not None and not accepts(value.value):
                raise Mismatch
            return value
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not accepts(value):
            raise Mismatch
        return value

    return convert


def _instance(*types: type) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        if not isinstance(value, types):
            raise Mismatch
        return value

    return convert


def _float(value: Any) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise Mismatch
    return float(value)


def _vector(value: Any) -> list[float]:
    if not isinstance(value, (tuple, list)) or not value:
        raise Mismatch
    return [_float(item) for item in value]


def _array(value: Any) -> float | list[Any]:
    if not isinstance(value, (tuple, list)):
        return _float(value)
    rows = [_array(item) for item in value]
    if not rows or any(array_shape(row) != array_shape(rows[0]) for row in rows):
        raise Mismatch
    return rows


def _dtype(value: Any) -> str:
    if not isinstance(value, Dtype):
        raise Mismatch
    return value.name


def _plain(description: str, convert: Callable[[Any], Any], **schema: Any) -> Kind:
    return Kind(description, convert, schema=schema)


_NUMBERS = {"type": "array", "items": {"type": "number"}, "minItems": 1}
_PLAIN = {
    "int": _plain("a whole number", _whole(None), type="integer"),
    "size": _plain("a whole number of at least 1", _whole(1), type="integer", minimum=1),
    "count": _plain("a whole number of at least 0", _whole(0), type="integer", minimum=0),
    "float": _plain("a number", _number(lambda value: True), type="number"),
    "positive": _plain(
        "a number above 0", _number(lambda value: value > 0), type="number", exclusiveMinimum=0
    ),
    "nonnegative": _plain(
        "a number of at least 0", _number(lambda value: value >= 0), type="number", minimum=0
    ),
    "probability": _plain(
        "a number from 0 to 1",
        _number(lambda value: 0 <= value <= 1),
        type="number",
        minimum=0,
        maximum=1,
    ),
    "bool": _plain("true or false", _instance(bool), type="boolean"),
    "str": _plain("a word", _instance(str), type="string"),
    "vector": _plain("a list of numbers", _vector, **_NUMBERS),
    "array": _plain(
        "a number, a list of numbers, or of such lists, all of one length",
        _array,
        type=["number", "array"],
        minItems=1,
    ),
    "Tensor": Kind("a tensor", _instance(Tensor)),
    "packed": Kind("a packed sequence", _instance(Packed)),
    "dtype": Kind("a dtype such as torch.float32", _dtype),
    "device": Kind("a device, `x.device`", _instance(Device)),
    "any": Kind("any value", lambda value: value),
}


@cache
def kind(annotation: str) -> Kind:
    """The kind that an annotation names."""
    return _kind(ast.parse(annotation, mode="eval").body)


def _kind(node: ast.expr) -> Kind:
    if isinstance(node, ast.Name):
        return _PLAIN[node.id]
    if isinstance(node, ast.Constant):
        return _none if node.value is None else _word(str(node.value))
    if isinstance(node, ast.Attribute):
        return _word(node.attr, Code(ast.unparse(node)))
    if isinstance(node, ast.Call):
        return _record(ast.unparse(node.func), {str(k.arg): _kind(k.value) for k in node.keywords})
    if isinstance(node, ast.BinOp):
        return _either(_kind(node.left), _kind(node.right))
    if isinstance(node, ast.Subscript):
        if isinstance(node.value, ast.Name) and node.value.id == "layer":
            return _layer(ast.literal_eval(node.slice))
        if isinstance(node.value, ast.Name) and node.value.id == "list":
            return _listing(_kind(node.slice), None)
        return _listing(_kind(node.value), ast.literal_eval(node.slice))
    raise ValueError(ast.unparse(node))


def _is_none(value: Any) -> None:
    if value is not None:
        raise Mismatch


_none = _plain("null", _is_none, type="null")


def _word(word: str, means: Any = None) -> Kind:
    def convert(value: Any) -> Any:
        if value != word or not isinstance(value, str):
            raise Mismatch
        return value if means is None else means

    return Kind(word, convert, (word,), schema={"enum": [word]})


def _record(call: str, fields: Mapping[str, Kind]) -> Kind:
    def convert(value: Any) -> Any:
        if not isinstance(value, Mapping) or not value.keys() <= fields.keys():
            raise Mismatch
        given = {key: fields[key].convert(item) for key, item in value.items()}
        items = [
            f"{key}={item.text if isinstance(item, Code) else repr(item)}"
            for key, item in given.items()
        ]
        return Code(f"{call}({', '.join(items)})")

    words = tuple(word for field in fields.values() for word in field.words)
    schema = {
        "type": "object",
        "properties": {name: field.schema for name, field in fields.items()},
        "additionalProperties": False,
    }
    return Kind(f"a mapping with the keys {', '.join(fields)}", convert, words, schema=schema)


def _either(left: Kind, right: Kind) -> Kind:
    def convert(value: Any) -> Any:
        try:
            return left.convert(value)
        except Mismatch:
            return right.convert(value)

    separator = ", " if left.words and right.words else " or "
    return Kind(
        f"{left.description}{separator}{right.description}",
        convert,
        left.words + right.words,
        left.layer + right.layer,
        _any_of(left.schema, right.schema),
        max(left.length, right.length),
    )


def _any_of(*schemas: Mapping[str, Any]) -> dict[str, Any]:
    """One schema for values of any of these; words are gathered."""
    choices = [choice for schema in schemas for choice in schema.get("anyOf", [schema])]
    words = [word for choice in choices for word in choice.get("enum", ())]
    others = [choice for choice in choices if "enum" not in choice]
    choices = [{"enum": words}] * bool(words) + others
    return choices[0] if len(choices) == 1 else {"anyOf": choices}


def _layer(names: str | tuple[str, ...]) -> Kind:
    names = (names,) if isinstance(names, str) else names

    def convert(value: Any) -> Any:
        if getattr(value, "kind", None) not in names:
            raise Mismatch
        return value

    described = f"a layer ({' or '.join(names)})"
    return Kind(described, convert, layer=names, schema={"layer": list(names)})


def _listing(item: Kind, length: int | None) -> Kind:
    def convert(value: Any) -> Any:
        if isinstance(value, (tuple, list)) and (length is None or len(value) == length):
            parts = (part if part is UNKNOWN else item.convert(part) for part in value)
            return value.of(parts) if isinstance(value, Parts) else tuple(parts)
        if length is None:
            raise Mismatch
        return item.convert(value)

    each = item.description
    schema: dict[str, Any] = {"type": "array", "items": item.schema}
    if length is None:
        return Kind(f"a list, each item {each}", convert, item.words, schema=schema)
    described = f"{each}, or a list of {length}" if length > 1 else each
    schema |= {"minItems": length, "maxItems": length}
    schemas = _any_of(item.schema, schema)
    return Kind(described, convert, item.words, schema=schemas, length=length if length > 1 else 0)
