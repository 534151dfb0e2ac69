"""The language as a JSON Schema, from the catalog: editors complete names with it and mark errors while typing.

A schema cannot know which names a spec defines. So there are two sets of definitions: `closed` for specs that define
none, where a word alone is a word of torch's or a mistake, and `open` for those with `args`, `let` or `blocks`, where
it may be a name. Both accept an expression, as a string, wherever a value stands.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from nngen.catalog.initializers import INITIALIZERS
from nngen.language.schema.definitions import NAME, Definitions, Schema, choice, fields, mapping
from nngen.language.styles import FILES
from nngen.symbolic.dtypes import ALIASES, DTYPES

__all__ = ["schema", "text"]

URI = "https://json-schema.org/draft/2020-12/schema"


def text() -> str:
    """The schema as a file holds it: a line for each definition."""
    return "".join(_lines(schema(), "", 3)) + "\n"


def _lines(value: Any, margin: str, levels: int) -> Iterator[str]:
    if not levels or not isinstance(value, dict):
        yield json.dumps(value, ensure_ascii=False)
        return
    yield "{"
    for number, (key, item) in enumerate(value.items()):
        yield f"{',' * bool(number)}\n{margin} {json.dumps(key)}: "
        yield from _lines(item, margin + " ", levels - 1)
    yield f"\n{margin}}}"


def schema() -> Schema:
    """The JSON Schema of a spec."""
    defines = [{"required": [key]} for key in ("args", "blocks", "let")]
    closed, free = Definitions("closed"), Definitions("open")
    return {
        "$schema": URI,
        "type": "object",
        "properties": _model(),
        "required": ["name", "layers"],
        "oneOf": [{"required": ["input"]}, {"required": ["inputs"]}],
        "additionalProperties": False,
        "if": {"anyOf": defines},
        "then": {"properties": free.body()},
        "else": {"properties": closed.body()},
        "$defs": {
            "input": _input(),
            "initializer": _initializer(free),
            "rules": mapping({"$ref": "#/$defs/initializer"}),
            "block": _block(),
            "closed": closed.all(),
            "open": free.all(),
        },
    }


def _model() -> Schema:
    return {
        "name": {"description": "the name of both classes", "type": "string", "pattern": NAME},
        "doc": _doc(),
        "args": _args("constructor arguments of both classes, with their defaults; or `required`"),
        "input": {
            "description": "the shape of one sample; the batch dimension is put in front",
            "$ref": "#/$defs/input",
        },
        "inputs": {
            "description": "several inputs, by name",
            **mapping({"$ref": "#/$defs/input"}, NAME),
        },
        "blocks": {
            "description": "reusable pieces, one class each in both files",
            **mapping({"$ref": "#/$defs/block"}, NAME),
        },
        "let": _args("sizes computed once"),
        "layers": {"description": "the steps, in order"},
        "outputs": {"description": "what forward returns, as an expression"},
        "loss": {"description": "a loss of torch.nn, or `inputs` and `layers` of its own"},
        "tie": _tie(),
        "init": _init(),
        "check": _args("the values that verification uses for what the spec leaves open"),
        "styles": _styles(),
    }


def _styles() -> Schema:
    names = {"type": "array", "items": {"enum": list(FILES)}, "minItems": 1, "uniqueItems": True}
    return {"description": "the styles to write, by default the first two", **names}


def _block() -> Schema:
    steps, children = {"$ref": "#/$defs/open/steps"}, {"$ref": "#/$defs/open/children"}
    names = {"type": "array", "items": {"type": "string", "pattern": NAME}}
    return {
        "type": "object",
        "properties": {
            "doc": _doc(),
            "args": _args("constructor arguments, with their defaults; or `required`"),
            "let": _args("sizes computed once"),
            "inputs": {"description": "the names of forward's arguments", **names},
            "layers": {"description": "the steps, in order", **steps},
            "Sequential": {"description": "the layers of a Sequential", **children},
            "outputs": {"description": "what forward returns, as an expression"},
            "init": _init(),
            "tie": _tie(),
        },
        "oneOf": [
            {"required": ["layers"]},
            {
                "required": ["Sequential"],
                "not": {"anyOf": [{"required": ["inputs"]}, {"required": ["outputs"]}]},
            },
        ],
        "additionalProperties": False,
    }


def _doc() -> Schema:
    return {"description": "a sentence for the docstring", "type": "string"}


def _args(description: str) -> Schema:
    return {"description": description, **mapping({}, NAME)}


def _init() -> Schema:
    return {"description": "redraws of parameters, by name", "$ref": "#/$defs/rules"}


def _tie() -> Schema:
    words = "parameters that are one: the left becomes the right"
    return {"description": words, **mapping({"type": "string"})}


def _input() -> Schema:
    size = {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string"}]}
    shape = {"type": "array", "items": size}
    return {
        "anyOf": [
            shape,
            fields(
                {
                    "shape": shape,
                    "dtype": {
                        "enum": [
                            *DTYPES,
                            *ALIASES,
                            *(f"torch.{dtype}" for dtype in (*DTYPES, *ALIASES)),
                        ]
                    },
                    "batch": {
                        "description": "whether the batch dimension is put in front",
                        "type": "boolean",
                    },
                    "low": {
                        "description": "checks draw numbers from this on, by default from 0; needs `below`",
                        "type": ["integer", "string"],
                    },
                    "below": {
                        "description": "checks draw numbers below this",
                        "type": ["integer", "string"],
                    },
                },
                "shape",
            ),
        ]
    }


def _initializer(definitions: Definitions) -> Schema:
    """A function of torch.nn.init, whose arguments may name `fan_in` and the layer's own arguments."""
    functions = {
        name: definitions.called(each, next(iter(each.names), None))
        for name, each in INITIALIZERS.items()
    }
    bare = [name for name, each in INITIALIZERS.items() if not each.required]
    return {"anyOf": [{"enum": bare}, choice(functions)]}
