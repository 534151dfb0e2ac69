"""The JSON Schema of the language: what is right passes, typical slips do not, and the shipped file is current."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import nngen
from nngen.catalog import LAYERS
from nngen.cli import main
from nngen.errors import NngenError
from nngen.language import document, schema, spec
from nngen.language.document import Mapping, Node, Sequence
from nngen.language.spec import steps
from tests.language.test_errors import BAD
from tests.support import cases

SPECS = sorted((Path(__file__).parents[2] / "specs").glob("*.yaml"))
SHIPPED = resources.files("nngen") / "schema.json"


@cache
def validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads(SHIPPED.read_text(encoding="utf-8")))


def as_data(node: Node) -> Any:
    """A document as JSON holds it."""
    if isinstance(node, Mapping):
        return {key: as_data(entry.value) for key, entry in node.entries.items()}
    return [as_data(item) for item in node.items] if isinstance(node, Sequence) else node.value


def is_valid(text: str) -> bool:
    return validator().is_valid(as_data(document.parse(text, "text")))


def spec_of(layers: str, more: str = "") -> str:
    return f"name: M\ninput: [3, 8, 8]\nlayers:\n{layers}\n{more}\n"


# The file


def test_the_shipped_file_is_what_the_catalog_gives() -> None:
    """`nngen schema > nngen/schema.json` writes it anew."""
    assert SHIPPED.read_text(encoding="utf-8") == schema.text()


def test_the_verb_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert capsys.readouterr().out == schema.text()


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(validator().schema)


def test_its_references_lead_somewhere() -> None:
    whole = validator().schema

    def references(value: Any) -> set[str]:
        if isinstance(value, dict):
            own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
            return own.union(*map(references, value.values()))
        return set().union(*map(references, value)) if isinstance(value, list) else set()

    for reference in references(whole):
        found = whole
        for word in reference.removeprefix("#/").split("/"):
            found = found[word]


@pytest.mark.parametrize("names", ["closed", "open"])
def test_editors_find_layers_and_arguments_to_complete(names: str) -> None:
    """They offer the keys of `properties` and the words of `enum`."""
    definitions = validator().schema["$defs"][names]
    keys = definitions["layer"]["properties"]
    assert {*LAYERS, "Sequential", "Parameter", "Buffer", "from", "call", "repeat"} <= keys.keys()
    words = next(each["enum"] for each in definitions["step"]["anyOf"] if "enum" in each)
    assert {"ReLU", "Flatten", "LayerNorm"} <= set(words) and "Linear" not in words
    for name, entry in LAYERS.items():
        found = definitions[name]
        assert found["description"]
        assert tuple(found["anyOf"][0]["properties"]) == entry.signature.names


def test_it_knows_the_keys_of_the_language() -> None:
    whole = validator().schema
    definitions = whole["$defs"]
    assert set(whole["properties"]) == set(spec._KEYS)
    assert set(definitions["block"]["properties"]) == set(spec._BLOCK_KEYS)
    for names in ("closed", "open"):
        beside = definitions[names]["layer"]["properties"].keys() - LAYERS.keys()
        assert beside == {*steps.BESIDE, *steps.STATE_KINDS, "Sequential"}
        for kind, arguments in steps.STATE_KINDS.items():
            assert definitions[names][kind]["anyOf"][0]["properties"].keys() == arguments.keys()


# What is right


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_each_spec_is_valid(path: Path) -> None:
    errors = [error.message for error in validator().iter_errors(as_data(document.read(path)))]
    assert errors == []


def test_each_example_of_the_catalog_is_valid() -> None:
    wrong = [str(case) for case in cases() if not validator().is_valid(case.spec)]
    assert wrong == []


RIGHT = {
    "expressions": "- Linear: 2 * 3\n- Conv2d: {out_channels: 4, kernel_size: [1 + 2, '3']}",
    "an expression for a word": "- Conv2d: {out_channels: 4, kernel_size: 3, padding: 1 + 1}",
    "i of a copy": "- Linear as fc${i}: 2 + i\n  repeat: 3",
    "null": "- BatchNorm2d: {momentum: null}\n- BatchNorm2d: {momentum: None}",
    "a layer without arguments": "- ReLU\n- ReLU as act\n- ReLU:\n- {ReLU: {}}",
    "a line": "- y = x + 1\n- a, (b, c) = y.unbind(1)\n- z = (x == 1) if training else y",
    "what stands beside": "- MaxPool2d as p: 2\n  from: [x]\n  call: y, i = p(x)\n  when: x.shape[1] == 3",
    "another order of construction": "- Linear as a: 3\n- Linear as b: 3\n  built_after: a",
    "otherwise": "- Linear: 3\n  when: training\n  otherwise: none",
    "an empty Sequential": "- Sequential: []\n- ReLU",
    "a Sequential": "- Sequential as s: [{Linear as a: 3}, ReLU, Sequential: [ReLU]]\n  repeat: 2",
    "a modifier": "- Linear: 3\n  weight_norm: {dim: 1}\n- Linear: 3\n  spectral_norm: {}",
    "redraws": "- Linear: 3\n  init: {weight: {normal_: {std: 1 / fan_in}}, bias: zeros_, c: {constant_: 2}}",
    "a parameter": "- Parameter as p: {shape: [1, 2], init: {normal_: 0.5}}\n- Buffer as b: {value: torch.ones(2)}\n- Parameter as q: [1]\n- Buffer as c: torch.ones(2)",
    "a layer as an argument": (
        "- TransformerEncoder: {encoder_layer: {TransformerEncoderLayer: {nhead: 2}}, "
        "num_layers: 2, norm: LayerNorm}"
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_steps(name: str) -> None:
    assert is_valid(spec_of(RIGHT[name]))


NAMES = {
    "a block": ("- Block: {width: 3}\n- Block as b\n- Block", "blocks: {Block: {layers: [ReLU]}}"),
    "a block in small letters": (
        "- block as b${i}:\n  repeat: 2",
        "blocks: {block: {layers: [ReLU]}}",
    ),
    "an argument of the model": ("- Linear: width", "args: {width: 8}"),
    "an argument for a word": (
        "- Conv2d: {out_channels: 4, kernel_size: 3, padding_mode: mode}",
        "args: {mode: \"'zeros'\"}",
    ),
    "a size": ("- Linear: hidden", "let: {hidden: 2 * 4}"),
}


@pytest.mark.parametrize("name", NAMES)
def test_names_of_a_spec(name: str) -> None:
    """They are right where the spec may define them, and slips where it defines none."""
    layers, names = NAMES[name]
    assert is_valid(spec_of(layers, names))
    assert not is_valid(spec_of(layers))


TOPS = {
    "the loss": "loss: CrossEntropyLoss",
    "a loss with arguments": "loss: {CrossEntropyLoss: {label_smoothing: 0.1, weight: [1, 2]}}",
    "a loss of steps": (
        "loss: {inputs: [target], layers: [y = x * 2, {MSELoss: , from: [y, target]}]}"
    ),
    "a loss with targets": "loss: {inputs: {t: {shape: [3], dtype: int64}}, layers: [y = x - t]}",
    "outputs": "outputs: '(x, y) if training else {\"a\": y}'",
    "a tie": "tie: {head.weight: embed.weight}",
    "redraws": "init: {Linear.weight: {kaiming_normal_: {mode: fan_out}}, '*.bias': zeros_}",
    "check": "check: {T: 16}",
}


@pytest.mark.parametrize("name", TOPS)
def test_right_keys(name: str) -> None:
    assert is_valid(spec_of("- ReLU", TOPS[name]))


def test_inputs() -> None:
    for inputs in (
        "{tokens: {shape: [T], dtype: torch.int64, below: 100}, mask: [T, T + 1]}",
        "{x: {shape: [], batch: false}}",
    ):
        assert is_valid(f"name: M\ninputs: {inputs}\nlayers: [ReLU]")


# Slips

# Those of bad_specs.txt that no schema can see: they hang on shapes, on names, or on what is in a line.
SEEN_AT_LEAST = 80


def test_many_slips_are_seen() -> None:
    """Of the specs that nngen refuses; and whatever is marked is refused."""
    seen = 0
    for text, _ in BAD.values():
        try:
            seen += not is_valid(text)
        except NngenError:
            continue
    assert seen >= SEEN_AT_LEAST


SLIPS = {
    "a layer misspelt": "- Conv2D: {out_channels: 3, kernel_size: 3}",
    "a layer misspelt, without arguments": "- Relu",
    "an argument misspelt": "- Conv2d: {out_channels: 3, kernel_sise: 3}",
    "an argument that is missing": "- Conv2d: {out_channels: 3}",
    "all arguments missing": "- Linear",
    "an argument of another kind": "- Linear: {out_features: 3, bias: 1}",
    "a size below 1": "- Linear: 0",
    "a probability above 1": "- Dropout: 1.5",
    "a word misspelt": "- Conv2d: {out_channels: 3, kernel_size: 3, padding_mode: zeroes}",
    "a list too long": "- MaxPool2d: [2, 2, 2]",
    "a lone value too few": "- Conv2d: 16",
    "arguments of a layer without any": "- Sigmoid: {inplace: true}",
    "two layers in a step": "- Linear: 3\n  ReLU:",
    "a key misspelt": "- Linear: 3\n  form: x",
    "one of two keys misspelt": "- Linear: 3\n  repeat: 2\n  form: x",
    "keys without a layer": "- from: x",
    "an argument beside its layer": "- Linear: 3\n  bias: false",
    "a key among the arguments": "- Linear: {out_features: 3, from: x}",
    "a line in place": "- y += 1",
    "a comparison for a line": "- y == 1",
    "a line in a Sequential": "- Sequential: [y = x + 1]",
    "from in a Sequential": "- Sequential: [{ReLU: , from: x}]",
    "otherwise alone": "- ReLU:\n  otherwise: none",
    "an initialiser misspelt": "- Linear: 3\n  init: {weight: normal}",
    "an initialiser's argument misspelt": "- Linear: 3\n  init: {weight: {normal_: {sdt: 1}}}",
    "a name with a slash": "- ReLU as my/relu",
    "a parameter without a shape": "- Parameter as p: {init: ones_}",
    "another layer as an argument": (
        "- TransformerEncoder: {encoder_layer: {Linear: 3}, num_layers: 2}"
    ),
    "a modifier's argument misspelt": "- Linear: 3\n  weight_norm: {dims: 0}",
}


@pytest.mark.parametrize("name", SLIPS)
def test_slips_in_steps(name: str) -> None:
    assert not is_valid(spec_of(SLIPS[name]))
    with pytest.raises(NngenError):
        nngen.load(spec_of(SLIPS[name]))


@pytest.mark.parametrize(
    "layers",
    [
        "- Conv2d: {out_channels: 3, kernel_sise: 3}",
        "- Linear",
        "- Linear: 0",
        "- ReLU:\n  ReLU as b:",
        "- Block: 3\n  form: x",
        "- ReLU as my/relu",
    ],
)
def test_slips_beside_names(layers: str) -> None:
    """Where blocks may have any name, what is known of torch's layers still holds."""
    assert not is_valid(spec_of(layers, "blocks: {Block: {args: {a: 1}, layers: [ReLU]}}"))


WRONG_TOPS = {
    "no name": "input: [3]\nlayers: [ReLU]",
    "no layers": "name: M\ninput: [3]",
    "no input": "name: M\nlayers: [ReLU]",
    "two inputs": "name: M\ninput: [3]\ninputs: {a: [3]}\nlayers: [ReLU]",
    "a key misspelt": "name: M\ninput: [3]\nlayer: [ReLU]\nlayers: [ReLU]",
    "no steps": "name: M\ninput: [3]\nlayers: []",
    "a dtype misspelt": "name: M\ninput: {shape: [3], dtype: float23}\nlayers: [ReLU]",
    "a layer for a loss": "name: M\ninput: [3]\nlayers: [ReLU]\nloss: ReLU",
    "a loss misspelt": "name: M\ninput: [3]\nlayers: [ReLU]\nloss: CrossEntropy",
    "a loss's argument misspelt": (
        "name: M\ninput: [3]\nlayers: [ReLU]\nloss: {MSELoss: {reduction: average}}"
    ),
    "a block without layers": "name: M\ninput: [3]\nblocks: {B: {args: {a: 1}}}\nlayers: [B]",
    "a block's key misspelt": "name: M\ninput: [3]\nblocks: {B: {layer: [ReLU]}}\nlayers: [B]",
    "a name that is none": "name: my-model\ninput: [3]\nlayers: [ReLU]",
}


@pytest.mark.parametrize("name", WRONG_TOPS)
def test_slips_at_the_top(name: str) -> None:
    assert not is_valid(WRONG_TOPS[name])
    with pytest.raises(NngenError):
        nngen.load(WRONG_TOPS[name])


def test_patterns_are_for_all_engines() -> None:
    """None uses what only Python's regular expressions have."""
    for pattern in set(_patterns(validator().schema)):
        assert not any(mark in pattern for mark in ("(?P", "(?<", "\\A", "\\Z", "(?i"))


def _patterns(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["pattern"]] if isinstance(value.get("pattern"), str) else []
        own += [*value.get("patternProperties", ())]
        return own + [pattern for item in value.values() for pattern in _patterns(item)]
    return [p for item in value for p in _patterns(item)] if isinstance(value, list) else []
