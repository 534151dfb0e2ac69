"""Whatever is changed in a good spec, it is built or refused: never a traceback, nor files that are no Python."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nngen.emit import build_graph
from nngen.emit.render import render
from nngen.errors import SpecError
from nngen.graph import follow
from nngen.language import document
from nngen.language import spec as specs

SPECS = Path(__file__).parents[2] / "specs"
LARGEST = (
    2_500  # bytes: what is larger takes long to build, and says nothing that the others do not
)


def plain(node: document.Node) -> Any:
    """A document's tree as dicts, lists and values."""
    if isinstance(node, document.Mapping):
        return {key: plain(entry.value) for key, entry in node.entries.items()}
    return (
        [plain(item) for item in node.items] if isinstance(node, document.Sequence) else node.value
    )


GOOD = {
    path.name: plain(document.read(path))
    for path in sorted(SPECS.glob("*.yaml"))
    if path.stat().st_size < LARGEST
}

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, 1, 2, 3, 7, -1, 2**40, 2**63 - 1, 0.5, -0.5, 1e300, float("nan")]),
    st.sampled_from(
        ["", "x", "y", "i", "N", "T", "n", "in_channels", "in_features", "training", "required"]
        + ["x.shape[0]", "x.shape[9]", "1 / 0", "x +", "x + 1", "max(x)", "[]", "'a'", "None"]
        + [
            "y = x + 1",
            "y = x @ x",
            "a, b = x",
            "y = torch.cat([x, x], 1)",
            "y = x if training else -x",
        ]
        + ["ReLU", "Linear", "Conv2d", "BatchNorm2d", "Flatten", "LSTM", "Sequential", "Parameter"]
        + ["Linear as a", "ReLU as r${i}", "Block", "self", "lambda", "é", "zeros_", "none", "same"]
    ),
    st.sampled_from([[], {}, [1], [1, 2], {"a": 1}, ["x", "x"], ["ReLU"], [{"Linear": 3}], [[3]]]),
)
KEYS = st.sampled_from(
    ["name", "args", "let", "input", "inputs", "blocks", "layers", "outputs", "loss", "tie", "init"]
    + [
        "check",
        "from",
        "call",
        "repeat",
        "when",
        "otherwise",
        "built_after",
        "weight_norm",
        "shape",
    ]
    + [
        "dtype",
        "below",
        "batch",
        "bias",
        "stride",
        "Linear",
        "ReLU",
        "Linear as a",
        "Sequential",
        "Block",
    ]
)


def containers(tree: Any) -> Iterator[Any]:
    """The dicts and lists in a tree that are not empty."""
    if isinstance(tree, dict | list) and tree:
        yield tree
    for child in (
        tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    ):
        yield from containers(child)


def mutate(tree: Any, draw: st.DrawFn) -> None:
    """Change one thing somewhere in a tree."""
    place = draw(st.sampled_from(list(containers(tree))))
    keys = list(place) if isinstance(place, dict) else list(range(len(place)))
    key, other = draw(st.sampled_from(keys)), draw(st.sampled_from(keys))
    change = draw(st.sampled_from(("delete", "copy", "swap", "rename", "replace", "graft", "wrap")))
    if change == "delete":
        del place[key]
    elif change == "copy":
        place[other] = copy.deepcopy(place[key])
    elif change == "swap":
        place[key], place[other] = place[other], place[key]
    elif change == "rename" and isinstance(place, dict):
        renamed = [(draw(KEYS) if each == key else each, value) for each, value in place.items()]
        place.clear()
        place.update(renamed)
    elif change == "rename":
        place.insert(other, copy.deepcopy(place[key]))
    elif change == "replace":
        place[key] = copy.deepcopy(draw(VALUES))
    elif change == "graft":
        place[key] = copy.deepcopy(draw(st.sampled_from(list(containers(tree)))))
    else:
        place[key] = {draw(KEYS): place[key]} if draw(st.booleans()) else [place[key]]


@st.composite
def changed(draw: st.DrawFn) -> Any:
    """One of the specs, with one to three changes."""
    tree = copy.deepcopy(draw(st.sampled_from(list(GOOD.values()))))
    for _ in range(draw(st.integers(1, 3))):
        if isinstance(tree, dict) and tree:
            mutate(tree, draw)
    return tree


@pytest.mark.heavy
@settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(changed())
def test_a_changed_spec_is_built_or_refused(tree: Any) -> None:
    try:
        graph = build_graph(follow(specs.from_node(document.of(tree), "a dict")))
    except SpecError as error:
        assert error.message
        assert all(len(each.text()) < 2_000 for each in (error, *error.others))
        return
    for name, code in render(graph).items():
        compile(code, name, "exec")


@pytest.mark.heavy
@pytest.mark.parametrize("name", GOOD)
def test_what_is_changed_is_good(name: str) -> None:
    build_graph(follow(specs.from_node(document.of(GOOD[name]), name)))
