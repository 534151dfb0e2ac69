"""Comments that silence findings: `# nngen: ignore NN201, NN202 why this is meant`.

One stands at the end of the line that the finding names, or on a line of its own above it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from nngen.errors import Mark, did_you_mean
from nngen.lint.rule import Finding, Rule

UNKNOWN = "NN901"
UNUSED = "NN902"

_COMMENT = re.compile(r"(?<!\S)#[ \t]*nngen:")
_IGNORE = re.compile(
    r"\s*ignore\s+(?P<codes>{0}(?:\s*,\s*{0})*)(?![\w,])".format(r"[A-Z]{1,8}\d{1,8}")
)


@dataclass(frozen=True)
class Comment:
    """One comment.

    Attributes:
        mark: where it stands.
        line: the line that it is about.
        codes: what it silences; empty where it cannot be read.
    """

    mark: Mark
    line: int
    codes: tuple[str, ...]


RULES = (
    Rule(
        UNKNOWN,
        "a comment to nngen that it cannot read",
        lambda trace: iter(()),
        "A comment that begins with `# nngen:` is for nngen. It says `ignore`, one or more codes with commas between, "
        "and after them, if you like, why. One with a slip would silence nothing without a word.",
        "never.",
        """\
input: [8]
layers:
  - Linear: 3 # nngen: ignore NN999
""",
        """\
input: [8]
layers:
  - Linear: 3
""",
    ),
    Rule(
        UNUSED,
        "a comment that silences nothing",
        lambda trace: iter(()),
        "The line has no such finding, any more perhaps. Left there, the comment would hide the next one.",
        "never.",
        """\
input: [8]
layers:
  - Linear: 3 # nngen: ignore NN202 one map in two
""",
        """\
input: [8]
layers:
  - Linear: 32
  - Linear: 3 # nngen: ignore NN202 one map in two
""",
    ),
)


def comments(text: str, file: str) -> tuple[Comment, ...]:
    """The comments to nngen in a YAML text."""
    text = text.removeprefix("\ufeff")
    if not _COMMENT.search(text):
        return ()
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    starts, ends = _scalars(text)
    following = _following(lines)
    found = []
    for number, line in enumerate(lines):
        for match in _COMMENT.finditer(line):
            place = number, match.start()
            before = bisect_right(starts, place)
            if before and place < ends[before - 1]:
                continue  # in a scalar, it is text
            alone = not line[: match.start()].strip()
            codes = _IGNORE.match(line, match.end())
            found.append(
                Comment(
                    Mark(file, number + 1, match.start() + 1),
                    following[number] if alone else number + 1,
                    () if codes is None else tuple(re.split(r"\s*,\s*", codes["codes"])),
                )
            )
            break
    return tuple(found)


def _following(lines: Sequence[str]) -> list[int]:
    """For each line the number, from 1, of the next one that holds more than a comment."""
    found = []
    following = len(lines)
    for number in range(len(lines), 0, -1):
        found.append(following)
        content = lines[number - 1].lstrip()
        if content and not content.startswith("#"):
            following = number
    return found[::-1]


def _scalars(text: str) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Where scalars begin, and where they end: lines and columns from 0."""
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    events: Iterator[Any] = yaml.parse(text, loader)
    scalars = [event for event in events if isinstance(event, yaml.ScalarEvent)]
    starts, ends = (
        [getattr(event, mark) for event in scalars] for mark in ("start_mark", "end_mark")
    )
    return [(m.line, m.column) for m in starts], [(m.line, m.column) for m in ends]


def silenced(
    findings: Sequence[Finding], given: Sequence[Comment], codes: Collection[str]
) -> Iterator[Finding]:
    """What the comments leave of the findings, and what is wrong with the comments.

    Args:
        findings: all of the spec.
        given: the comments.
        codes: all codes that there are.
    """
    asked = {(comment.line, code) for comment in given for code in comment.codes}
    there = {(finding.mark.line, finding.code) for finding in findings}
    yield from (each for each in findings if (each.mark.line, each.code) not in asked)
    for comment in given:
        yield from _wrong(comment, there, codes)


def _wrong(
    comment: Comment, there: Collection[tuple[int, str]], codes: Collection[str]
) -> Iterator[Finding]:
    if not comment.codes:
        message = "the comment to nngen cannot be read"
        yield Finding(UNKNOWN, comment.mark, message, "`# nngen: ignore NN201 why this is meant`")
    for code in comment.codes:
        if code not in codes:
            hint = did_you_mean(code, codes) or "`nngen explain` lists them"
            yield Finding(UNKNOWN, comment.mark, f"there is no rule {code}", hint)
        elif (comment.line, code) not in there:
            message = f"nothing in line {comment.line} is silenced by ignoring {code}"
            yield Finding(UNUSED, comment.mark, message, "take the comment out")
