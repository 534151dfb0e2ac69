"""Which other values verification tries."""

from __future__ import annotations

from typing import Any

import pytest

from nngen.graph.tensor_spec import TensorSpec
from nngen.language import document
from nngen.proof.subject import Subject
from nngen.proof.variants import variants


def tried(text: str, **more: Any) -> dict[str, list[Any]]:
    """For each name the first value of each group."""
    subject = Subject("M", (), **{"inputs": (), "document": document.parse(text, "m.yaml"), **more})  # type: ignore[arg-type]
    return {
        name: [each[name] for group in groups for each in group]
        for name, groups in variants(subject)
    }


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        (
            "name: M\nlet: {inner: 3 if mid is None else mid}\nlayers: ['y = x[:, ::times]']",
            {"mid"},
        ),
        ("name: M\nlayers:\n- y = x * (2 if None != mid else times)", {"mid"}),
        ("name: M\nlayers: [Linear: times or 3]", set()),
        (
            (
                "name: M\nblocks: {B: {args: {deep: null}, layers: [{ReLU: , when: deep is None}]}}\n"
                "layers: [B: {deep: times}, B: mid]"
            ),
            {"mid", "times"},
        ),
        (
            "name: M\nlet: {inner: mid * 2, other: times}\nlayers: [{ReLU: , when: inner is not None}]",
            {"mid"},
        ),
    ],
)
def test_none_is_tried_for_what_is_asked_whether_it_is_none(text: str, asked: set[str]) -> None:
    values = tried(text, arguments={"mid": 4, "times": 2})
    assert {name for name, others in values.items() if None in others} == asked


def pooled(size: int, kernel: int) -> tuple[int, int]:
    """How many windows in steps of 2 there are, without and with one that reaches out."""
    return (size - kernel) // 2 + 1, -((kernel - size) // 2) + 1


@pytest.mark.parametrize("kernel", [2, 3])
@pytest.mark.parametrize("size", [28, 32, 224])
def test_of_open_sizes_poolings_leave_one_over_again_and_again(size: int, kernel: int) -> None:
    spec = {"arguments": {}, "sizes": {"H": size}}
    found = tried("name: M\nlayers: [ReLU]", inputs=(TensorSpec("x", ("H",)),), **spec)["H"]
    ones = []
    for each in found:
        left, apart = each, 0
        while left > kernel:
            least, most = pooled(left, kernel)
            apart += least != most
            left = least
        ones.append(apart)
    assert max(ones) >= size.bit_length() - 2
