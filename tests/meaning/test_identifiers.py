"""What may be a name is what a reader sees, the same in each version of Python."""

from __future__ import annotations

import hashlib
import sys
import unicodedata
from pathlib import Path

import pytest

from nngen.emit import build_graph
from nngen.errors import FileError, SpecError
from nngen.files.paths import package_folder
from nngen.graph import follow
from nngen.language import spec as specs
from nngen.language.document import parse
from nngen.symbolic.identifiers import is_identifier

UNSEEN = [
    "\u200c",  # Python 3.13 takes both joiners
    "\u200d",
    "\u30fb",  # a katakana middle dot: only 3.13 and later
    "\u034f",  # characters that no version refuses, and no font shows
    "\u115f",
    "\u1160",
    "\u17b4",
    "\u180b",
    "\ufe0f",
    "\ufe00",
    "\u3164",
    "\U000e0100",
    "\u2060",
    "\u202e",
    "\u00ad",
    "\ufeff",
    "\U0001f600",
    "\u203f",
]
SEEN = ["größe", "λ", "名前", "é", "сеть", "र्", "Ħ_2", "_x", "x1"]


@pytest.mark.parametrize("letter", UNSEEN, ids=ascii)
def test_what_is_not_seen_is_no_name(letter: str) -> None:
    for name in (f"a{letter}b", f"a{letter}", letter):
        assert not is_identifier(name)


@pytest.mark.parametrize("name", SEEN)
def test_letters_are_names(name: str) -> None:
    assert is_identifier(name)


def digest(letters: list[str]) -> str:
    return hashlib.sha256("".join(letters).encode()).hexdigest()[:16]


def test_each_python_knows_the_same_letters() -> None:
    letters = [c for c in map(chr, range(sys.maxunicode + 1)) if is_identifier(f"a{c}")]
    first = [c for c in letters if is_identifier(c)]
    assert (len(letters), digest(letters)) == (87738, "f8408eba89c53fe6")
    assert (len(first), digest(first)) == (86962, "123fdff92c2d7943")
    assert all(unicodedata.normalize("NFKC", c) == c for c in letters)


PLACES = {
    "the class": "name: M{0}\ninput: [4]\nlayers: [ReLU]\n",
    "an input": "name: M\ninputs: {{'a{0}': [4]}}\nlayers: [ReLU]\n",
    "an open size": "name: M\ninput: ['S{0}']\nlayers: [ReLU]\n",
    "an argument": "name: M\nargs: {{'a{0}': 3}}\ninput: [4]\nlayers: [{{Linear: 'a{0}'}}]\n",
    "a layer": "name: M\ninput: [4]\nlayers: ['ReLU as a{0}']\n",
    "a line's target": "name: M\ninput: [4]\nlayers: ['a{0} = x + 1']\n",
    "a line's value": "name: M\ninput: [4]\nlayers: ['y = x + a{0}']\n",
    "a block": "name: M\ninput: [4]\nblocks: {{'B{0}': {{layers: [ReLU]}}}}\nlayers: ['B{0}']\n",
    "a local size": "name: M\ninput: [4]\nblocks: {{B: {{let: {{'a{0}': in_features}}, layers: [{{Linear: 'a{0}'}}]}}}}\nlayers: [B]\n",
    "a child": "name: M\ninput: [4]\nlayers: [{{Sequential: ['ReLU as a{0}']}}]\n",
    "an output": "name: M\ninput: [4]\nlayers: ['y = x + 1']\noutputs: 'a{0}'\n",
}  # fmt: skip


@pytest.mark.parametrize("letter", ["\u200d", "\u034f", "\u30fb"], ids=ascii)
@pytest.mark.parametrize("text", PLACES.values(), ids=PLACES)
def test_a_name_anywhere(text: str, letter: str) -> None:
    with pytest.raises(SpecError):
        build_graph(follow(specs.from_node(parse(text.format(letter), "m.yaml"), "m.yaml")))


@pytest.mark.parametrize(
    "place", ["the class", "an input", "an open size", "an argument", "a layer", "a local size"]
)
def test_the_same_places_take_letters(place: str) -> None:
    build_graph(follow(specs.from_node(parse(PLACES[place].format("ü"), "m.yaml"), "m.yaml")))


def test_the_name_of_a_file() -> None:
    with pytest.raises(FileError, match="cannot be the name of a Python package"):
        package_folder(Path("m\u200dn.yaml"), Path("generated"))
