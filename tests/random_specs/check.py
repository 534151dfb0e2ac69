"""What is asked of one random spec: it builds, its twins are equal, and both are what the spec says.

What their text says of shapes must be so, and the text must not depend on what is under `check`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest import mock

import yaml

import nngen
from nngen.emit import source_map
from nngen.emit.render import by_black, formatted
from nngen.emit.wrapping import tidied
from nngen.errors import NngenError, SpecError
from nngen.language import document
from nngen.language import spec as specs
from nngen.proof import verification
from nngen.proof.loading import Pair
from nngen.proof.report import Report
from tests.claims import claims_hold
from tests.same_text import same_text
from tests.support import settled

OPEN = {"T", "H", "W"}  # the open sizes of random specs
BATCHES = (1, 4)
LARGE = (420, 840)  # and to be divided by each number up to 7

# What no model raises whose code is right, whatever its values.
OURS = ("NameError", "UnboundLocalError", "AttributeError", "TypeError", "KeyError")
SHAPES = re.compile("size|shape|dimension|match", re.IGNORECASE)
# What torch says where a line makes equal parts of the batch.
PARTS = re.compile(r"don't multiply up to the size|is invalid for input of size|divisible by")


class Disagreement(AssertionError):
    """nngen's files are not equal to each other, or not what the spec says."""


def to_yaml(spec: Mapping[str, Any]) -> str:
    """A spec as a file has it."""
    return yaml.dump(spec, Dumper=_Plain, sort_keys=False, width=100, allow_unicode=True)


class _Plain(yaml.SafeDumper):
    """Writes the same list twice rather than an alias."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def check(spec: Mapping[str, Any], with_black: bool = True) -> str:
    """Builds a spec and verifies it; verification holds both twins against the independent reading of the spec.

    Args:
        spec: the spec's data.
        with_black: whether the files are formatted, and held against black; it takes most of the time.

    Returns:
        Why nngen, or torch for sizes that are open, refuses the spec; empty where they do not.

    Raises:
        Disagreement: something is not equal.
        FalseClaim: a docstring or comment is not what is computed.
        OtherText: what stands under `check` changes the code.
        Exception: nngen, a twin or torch raised anything but a SpecError.
    """
    try:
        with _formatting(with_black):
            pair = nngen.load(to_yaml(spec))
    except SpecError as error:
        return error.message
    batches = BATCHES
    report = _verified(pair, batches)
    if isinstance(report, str):
        return report
    if refusal := _unforeseen(spec, _alike(report)):
        return refusal
    both = [each.place for each in report.findings if each.twin == "both"]
    if _alike(report) and all(": loss.layers[" in place for place in both):
        return "torch refuses what a loss of several steps does with targets of any shape"
    # A shape that torch refuses, nngen should have refused, but for a batch too small, or not of equal parts.
    if shapes := list(filter(SHAPES.search, _alike(report))):
        batches = LARGE
        report = _verified(pair, batches)
        if isinstance(report, str):
            return report
        left = list(filter(PARTS.search, _alike(report)))
        if left and not {*left} & {*shapes}:  # it names the batch size, which is another now
            return "torch refuses a batch that has no such parts"
    # Values, and what has no gradient, nngen cannot know.
    if (alike := _alike(report)) and not any(map(SHAPES.search, alike)):
        return f"torch refuses with both twins: {alike[0]}"
    if apart := _first(report):
        raise Disagreement(apart)
    with settled():
        claims_hold(pair, batches[-1:] * 2)  # a batch of one may be squeezed away
    same_text(specs.from_node(document.parse(pair.text, "<text>"), "a text"))
    return ""


def _verified(pair: Pair, batches: tuple[int, ...]) -> Report | str:
    """The report, or why there is none."""
    try:
        return verification.verify(pair.subject(tuple(pair.styles)), steps=1, batch_sizes=batches)
    except NngenError as error:
        return str(error)


def _unforeseen(spec: Mapping[str, Any], alike: list[str]) -> str:
    """What torch refuses, and nngen cannot know before."""
    if alike and spec.get("check", {}).keys() & OPEN:
        return "torch refuses the open sizes that `check` gives"
    if "CTCLoss" in to_yaml(spec) and re.search("when: .*training", to_yaml(spec)):
        return "CTCLoss reads whatever lies behind the classes, of which there are fewer in one of the modes"
    if alike and re.search("when: .*training", to_yaml(spec)):
        return "torch refuses shapes that the mode decides"
    if any("modified by an inplace operation" in message for message in alike):
        return "torch refuses to go back through a step that works in place"
    if any("view size is not compatible" in message for message in alike):
        return "torch refuses a view of what does not lie in one piece"
    if any("invalid max index" in message for message in alike):
        return "torch refuses to unpool what did not divide by the stride"
    return ""


def _alike(report: Report) -> list[str]:
    """What both twins raise, and nngen cannot foresee; it excuses no difference elsewhere."""
    if any(not row.equal and row.what != "exception" for row in report.rows):
        return []
    both = [each for each in report.findings if each.twin == "both"]
    return [] if any(each.error in OURS for each in both) else [each.message for each in both]


def _first(report: Report) -> str:
    """The first of what verification found, empty where all is equal."""
    found = [f"{each.where}: {each}" for each in report.findings]
    found += [str(row) for row in report.rows if not row.equal and row.what != "exception"]
    found += [f"{skip.group}: {skip.reason}" for skip in report.skipped if skip.group == "reading"]
    return next(iter(found), "")


@contextmanager
def _formatting(wanted: bool) -> Iterator[None]:
    with mock.patch.object(source_map, "formatted", _formatted if wanted else lambda code: code):
        yield


def _formatted(code: str) -> str:
    """Code as `formatted` has it, which must be as black has it."""
    found = formatted(code)
    if found != by_black(tidied(code)):
        raise Disagreement("black would format a file otherwise")
    return found
