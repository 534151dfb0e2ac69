"""A package names the keys of a block once, where the block stands in many places."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from nngen.language import document
from nngen.language import spec as specs
from nngen.pipeline import Compilation
from tests.built import compiled, each_spec

BLOCKS = """\
name: M
input: [4]
blocks:
  ReLUBlock:
    layers: [Linear: 4, BatchNorm1d, ReLU]
  Outer:
    layers: [{PARTS}, ReLU]
  Empty:
    layers: [ReLU, Dropout: 0.1]
layers: [Outer: , Outer: , Outer: , Outer: , Empty: , Empty: ]
"""


def package(text: str) -> str:
    return Compilation(specs.from_node(document.parse(text, "text"), "text")).files["__init__.py"]


def names(text: str) -> dict[str, str]:
    """The whole table, as the package makes it."""
    kinds = (ast.Assign, ast.AnnAssign, ast.FunctionDef)
    body = [node for node in ast.parse(text).body if isinstance(node, kinds)]
    scope: dict[str, Any] = {"Tensor": object}
    exec(compile(ast.Module(list(body), []), "package", "exec"), scope)  # noqa: S102
    found: dict[str, str] = scope["_NAMES"]
    return found


def test_blocks_in_blocks() -> None:
    text = package(BLOCKS.replace("{PARTS}", "ReLUBlock: , ReLUBlock: "))
    assert '''

def _at(place: str, block: dict[str, str]) -> dict[str, str]:
    """A block's names where it stands."""
    return {f"{place}.{nn}": f"{place}.{name}" for nn, name in block.items()}


_RELU_BLOCK = {
    "fc1.weight": "fc1_weight",
    "fc1.bias": "fc1_bias",
    "bn1.weight": "bn1_weight",
''' in text
    assert """
_OUTER = {
    **_at("relublock1", _RELU_BLOCK),
    **_at("relublock2", _RELU_BLOCK),
}
_NAMES = {
    **_at("outer1", _OUTER),
    **_at("outer2", _OUTER),
    **_at("outer3", _OUTER),
    **_at("outer4", _OUTER),
}
""" in text


def test_copies_in_a_list_stand_once() -> None:
    rows = "".join(f"  - Sequential as {name}: [ReLUBlock: , ReLUBlock: ]\n" for name in "abcdef")
    text = package(BLOCKS.split("  Outer")[0] + f"layers:\n{rows}")
    assert text.count("_RELU_BLOCK),\n") == 6
    assert '    **_at("a.*", _RELU_BLOCK),\n    **_at("b.*", _RELU_BLOCK),\n' in text


def test_few_keys_stand_as_they_are() -> None:
    text = package(BLOCKS.replace("{PARTS}", "ReLUBlock").replace("Outer: , " * 3, "Outer: , "))
    assert "_at(" not in text
    assert '    "outer2.relublock1.fc1.bias": "outer2.relublock1.fc1_bias",\n' in text


def test_what_the_functional_twin_calls_otherwise() -> None:
    row = ", ".join(["BatchNorm1d", *["ReLUBlock: "] * 6])
    both = f"layers: [Sequential as body: [{row}, Tanh]]\n"
    text = package(BLOCKS.split("  Outer")[0] + both)
    assert 'def _at(place: str, block: dict[str, str], other: str = "")' in text
    assert '    **_at("body.1", _RELU_BLOCK, "body_1"),\n' in text
    assert names(text)["body.6.bn1.bias"] == "body_6.bn1_bias"


@pytest.mark.heavy
@each_spec
def test_the_tables_come_to_all_keys(path: Path) -> None:
    found = names(compiled(path).files["__init__.py"])
    assert list(found.items()) == list(compiled(path).graph.keys)
