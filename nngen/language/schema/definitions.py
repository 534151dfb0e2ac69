"""The definitions of steps, layers and their arguments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any

from nngen.catalog import LAYERS
from nngen.catalog.argument_types import Kind
from nngen.catalog.entry import Layer
from nngen.catalog.parametrizations import MODIFIERS
from nngen.catalog.signature import REQUIRED, Argument, Signature
from nngen.language.spec.steps import BESIDE_STATE

Schema = dict[str, Any]

NAME = r"^[^\W\d_]\w*$"
# ` as name`, with `${…}` in it or not, in containers (`downs.0`) or not; the name goes on to the end.
_LABEL = r"\s+as\s+(?:[^\W_]|\$\{[^}]+\})(?:[\w.-]|\$\{[^}]+\})*$"
# `name = …`, but neither `==` nor `+=`.
_LINE = r"^[^=]*[^=!<>:+\-*/%&|^@]=[^=]"
# Where a spec defines no names, these are all that an expression of one word can be.
_KNOWN = ("None", "i", "in_channels", "in_features")
_IN_CHILDREN_NOT = ("from", "call", "when", "built_after")


def mapping(values: Schema, names: str = "") -> Schema:
    """A mapping that is not empty."""
    kept: Schema = {"type": "object", "minProperties": 1, "additionalProperties": values}
    return {**kept, "propertyNames": {"pattern": names}} if names else kept


def choice(properties: Mapping[str, Schema]) -> Schema:
    """A mapping with one of these keys."""
    return {
        "type": "object",
        "properties": dict(properties),
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }


def fields(properties: Schema, required: str) -> Schema:
    """A mapping with these keys and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": [required],
        "additionalProperties": False,
    }


class Definitions:
    """The definitions for specs that define names, `open`, or for those that do not, `closed`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.values: Schema = {}

    def ref(self, name: str) -> Schema:
        return {"$ref": f"#/$defs/{self.name}/{name}"}

    def body(self) -> Schema:
        return {"layers": self.ref("steps"), "loss": self.ref("loss")}

    def all(self) -> Schema:
        found = {
            "expression": self._expression(),
            "steps": {"type": "array", "items": self.ref("step"), "minItems": 1},
            "step": {
                "anyOf": [*self._heads(), {"type": "string", "pattern": _LINE}, self.ref("layer")]
            },
            "children": {"type": "array", "items": self.ref("child")},
            "child": {"anyOf": [*self._heads(), self._child()]},
            "layer": self._layer(),
            "loss": self._loss(),
            **{name: self._entry(entry) for name, entry in LAYERS.items()},
            "Parameter": self._parameter(),
            "Buffer": self._buffer(),
        }
        return {**found, **self.values}

    def _expression(self) -> Schema:
        if self.name == "open":
            return {"type": "string"}
        known = "|".join(_KNOWN)
        return {"type": "string", "pattern": rf"^(?:\s*(?:{known})\s*$|(?!\s*[^\W\d]\w*\s*$))"}

    # Steps

    def _heads(self) -> list[Schema]:
        """Layers that are written without arguments."""
        bare = [name for name, entry in LAYERS.items() if not _wanted(entry)]
        heads: list[Schema] = [
            {"enum": bare},
            {"type": "string", "pattern": rf"^(?:{'|'.join(bare)}){_LABEL}"},
        ]
        if self.name == "open":
            taken = [name for name in (*LAYERS, *self._special()) if name not in bare]
            heads.append({"type": "string", "pattern": rf"{_block_name(taken)}(?:$|{_LABEL})"})
        return heads

    def _special(self) -> Schema:
        return {
            "Sequential": {
                "description": "an nn.Sequential of layers",
                **self.ref("children"),
            },
            "Parameter": self.ref("Parameter"),
            "Buffer": self.ref("Buffer"),
        }

    def _layer(self) -> Schema:
        """A layer with its arguments, and what stands beside it."""
        kinds = {**{name: self.ref(name) for name in LAYERS}, **self._special()}
        labelled = {f"^{name}{_LABEL}": value for name, value in kinds.items()}
        beside = self._beside()
        if self.name == "open":
            labelled[rf"{_block_name([*kinds, *beside])}(?:$|{_LABEL})"] = {}
        given = [{"required": [key]} for key in beside]
        stray = [{"required": [key]} for key in beside if key not in BESIDE_STATE]
        return {
            "type": "object",
            "properties": {**kinds, **beside},
            "patternProperties": labelled,
            "additionalProperties": False,
            "minProperties": 1,
            "dependentRequired": {"otherwise": ["when"]},
            # One layer a step: two keys more than stand beside it are two layers, or a slip in one of the words.
            "allOf": [
                {"if": {"not": {"anyOf": given}}, "then": {"maxProperties": 1}},
                {"if": {"oneOf": given}, "then": {"minProperties": 2, "maxProperties": 2}},
                {
                    "if": {"propertyNames": {"not": {"pattern": r"^(?:Parameter|Buffer)(?:\s|$)"}}},
                    "else": {"not": {"anyOf": stray}},
                },
            ],
        }

    def _child(self) -> Schema:
        stray = [{"required": [key]} for key in _IN_CHILDREN_NOT]
        return {"allOf": [self.ref("layer"), {"not": {"anyOf": stray}}]}

    def _beside(self) -> Schema:
        names = {"type": "array", "items": {"type": "string"}, "minItems": 1}
        return {
            "from": {
                "description": "the value that the layer takes, or a list of them",
                "anyOf": [{"type": "string"}, names],
            },
            "call": {
                "description": "a line that calls the layer: `y, _ = attn(x, x, x)`; or `none`, where it is only built",
                "type": "string",
                "anyOf": [{"pattern": _LINE}, {"const": "none"}],
            },
            "repeat": {
                "description": "so many copies with weights of their own",
                "anyOf": [{"type": "integer", "minimum": 1}, self.ref("expression")],
            },
            "when": {
                "description": "where this does not hold, the input passes through, and there is no Parameter or Buffer",
                "type": ["boolean", "string"],
            },
            "otherwise": {
                "description": "where `when` does not hold, there is no value",
                "enum": ["none"],
            },
            "init": {"description": "redraws of the parameters", "$ref": "#/$defs/rules"},
            "built_after": {
                "description": "the layer after which the constructor builds this one",
                "type": "string",
            },
            **{name: self._arguments(each.signature) for name, each in MODIFIERS.items()},
        }

    def _parameter(self) -> Schema:
        shape = {"type": ["array", "string", "integer"]}
        init = {"$ref": "#/$defs/initializer"}
        return {
            "description": "an nn.Parameter",
            "anyOf": [fields({"shape": shape, "init": init}, "shape"), shape],
        }

    def _buffer(self) -> Schema:
        value = {"type": ["array", "string", "number", "boolean"]}
        persistent = {"type": "boolean"}
        return {
            "description": "a buffer",
            "anyOf": [fields({"value": value, "persistent": persistent}, "value"), value],
        }

    def _loss(self) -> Schema:
        losses = {name: entry for name, entry in LAYERS.items() if entry.is_loss}
        inputs = {
            "anyOf": [
                {"type": "array", "items": {"type": "string", "pattern": NAME}, "minItems": 1},
                mapping({"$ref": "#/$defs/input"}, NAME),
            ]
        }
        return {
            "anyOf": [
                {"enum": [name for name, entry in losses.items() if not _wanted(entry)]},
                choice({name: self.ref(name) for name in losses}),
                fields(
                    {
                        "inputs": {"description": "what it takes beside the outputs", **inputs},
                        "layers": self.ref("steps"),
                        "outputs": {"description": "the loss, as an expression"},
                    },
                    "layers",
                ),
            ]
        }

    # Layers

    def _entry(self, entry: Layer) -> Schema:
        inferred = entry.infer.keys()
        return {
            "description": plain(entry.doc),
            **self.called(entry.signature, entry.shorthand, inferred),
        }

    def called(
        self, signature: Signature, shorthand: str | None, inferred: Iterable[str] = ()
    ) -> Schema:
        """What stands after a name: arguments, the shorthand argument, or nothing."""
        given = self._arguments(signature, inferred)
        required = given.get("required", [])
        choices = [given]
        if shorthand is not None and not set(required) - {shorthand}:
            choices.append(self._value(signature[shorthand].kind))
        if not required:
            choices.append({"type": "null"})
        return {"anyOf": choices}

    def _arguments(self, signature: Signature, inferred: Iterable[str] = ()) -> Schema:
        required = [name for name in signature.required if name not in inferred]
        found: Schema = {
            "type": "object",
            "properties": {
                argument.name: self._argument(argument, argument.name in inferred)
                for argument in signature
            },
            "additionalProperties": False,
        }
        return {**found, "required": required} if required else found

    def _argument(self, argument: Argument, is_inferred: bool) -> Schema:
        found = self._value(argument.kind)
        if is_inferred:
            found = {"description": f"{argument.kind.description}; inferred if left out", **found}
        return found if argument.default is REQUIRED else {**found, "default": argument.default}

    def _value(self, kind: Kind) -> Schema:
        """Values of a kind, or an expression for one: a definition of its own, which many arguments share."""
        name = slug = re.sub(r"\W+", "-", kind.description).strip("-")
        schema = {"description": kind.description, **self._free(kind.schema)}
        others = count(2)  # `size` and `size[1]` are described alike
        while self.values.setdefault(name, schema) != schema:
            name = f"{slug}-{next(others)}"
        return self.ref(name)

    def _free(self, schema: Mapping[str, Any]) -> Schema:
        """Such values, or an expression for one."""
        if not schema:
            return {}
        choices = [self._part(choice) for choice in schema.get("anyOf", [schema])]
        return {"anyOf": [*choices, self.ref("expression")]}

    def _part(self, schema: Mapping[str, Any]) -> Schema:
        if "layer" in schema:
            return self._layer_argument(schema["layer"])
        parts = dict(schema)
        if "items" in parts:
            parts["items"] = self._free(parts["items"])
        if "properties" in parts:
            fields = parts["properties"].items()
            parts["properties"] = {name: self._free(field) for name, field in fields}
        return parts

    def _layer_argument(self, names: Iterable[str]) -> Schema:
        bare = [name for name in names if not _wanted(LAYERS[name])]
        mapping = choice({name: self.ref(name) for name in names})
        return {"anyOf": [{"enum": bare}, mapping]} if bare else mapping


def _block_name(taken: Iterable[str]) -> str:
    """The start of a pattern for a word that is none of these."""
    return rf"^(?!(?:{'|'.join(taken)})(?:\s|$))[^\W\d]\w*"


def _wanted(entry: Layer) -> list[str]:
    """The arguments that a spec must give."""
    return [name for name in entry.signature.required if name not in entry.infer]


def plain(doc: str) -> str:
    """A layer's sentence for readers: of a loss, with the names of its inputs for their shapes."""
    return re.sub(r"\{(\w+)\}", r"(\1)", doc)
