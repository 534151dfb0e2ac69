"""A spec in the form in which specs are written: the same keys, values and comments, laid out in one way.

The text is made from YAML's nodes, not from what the keys mean, so that a key which is new to the language is
formatted as well. How a value is written, in brackets or over lines, plain or in quotes, stays as it was, but what is in
brackets and does not fit a line, or has comments in it, goes over several.
"""

from __future__ import annotations

import re
import textwrap
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml import MappingNode, Node, ScalarNode, SequenceNode

from nngen.errors import Mark, SpecError
from nngen.language import document

LENGTH = 120
# The order of a spec's keys; one that is not here stays behind those that are.
_KEYS = (
    *("name", "doc", "args", "input", "inputs", "let", "blocks", "layers"),
    *("outputs", "tie", "init", "loss", "check", "styles"),
)
_IGNORE = "nngen: ignore"
_HASH = re.compile(r"(?:^|[ \t])#")


def formatted(text: str, file: str) -> str:
    """A spec's text in the usual form.

    Args:
        text: the spec; line ends are kept as its first line has them.
        file: what errors call it.

    Raises:
        SpecError: it is no YAML that a spec may hold, or cannot be laid out anew without a loss.
    """
    before = document.parse(text, file)
    end = "\r\n" if text.partition("\n")[0].endswith("\r") else "\n"
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    _refuse_anchors(plain, file)
    root: Any = yaml.compose(plain, Loader=yaml.SafeLoader)
    comments = list(_comments(plain))
    lines = _Layout(plain, comments).document(root)
    found = "".join(line.rstrip() + "\n" for line in lines)
    if not _is_same(found, before, comments, file):
        raise SpecError(
            "this cannot be laid out anew without a loss, so it stays as it is",
            Mark(file, 1, 1),
            "a key over several lines, or a comment in an unusual place, may be written more simply",
        )
    return found.replace("\n", end)


def _is_same(text: str, before: document.Node, comments: Sequence[_Comment], file: str) -> bool:
    """Whether a text holds the same values and comments."""
    try:
        after = _data(document.parse(text, file))
    except SpecError:
        return False
    written = sorted(comment.text for comment in _comments(text))
    return after == _data(before) and written == sorted(comment.text for comment in comments)


def _refuse_anchors(text: str, file: str) -> None:
    """Refuse what names a value to write it only once.

    Raises:
        SpecError: there is such a name.
    """
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        if isinstance(token, (yaml.AnchorToken, yaml.AliasToken)):
            mark = Mark(file, token.start_mark.line + 1, token.start_mark.column + 1)
            kind = "&" if isinstance(token, yaml.AnchorToken) else "*"
            raise SpecError(
                f"{kind}{token.value}: a spec with anchors is not laid out anew",
                mark,
                "write the value out where it stands, or format the file by hand",
            )


def _data(node: document.Node) -> object:
    """What a tree holds, without places; the order of a spec's own keys means nothing."""
    if isinstance(node, document.Mapping):
        return {key: _data(entry.value) for key, entry in node.entries.items()}
    if isinstance(node, document.Sequence):
        return [_data(item) for item in node.items]
    return node.value, type(node.value), "" if node.value is None else node.text


@dataclass
class _Comment:
    """A comment: where it stands, and whether it has the line for itself."""

    text: str
    index: int
    line: int
    column: int
    alone: bool
    blank_above: bool


def _comments(text: str) -> Iterator[_Comment]:
    """The comments, which no token of YAML holds."""
    starts: list[int] = []
    ends: list[int] = []
    block: set[int] = set()
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        if isinstance(token, yaml.ScalarToken) and token.style in ("|", ">"):
            block.update(range(token.start_mark.line + 1, token.end_mark.line))
        elif isinstance(token, yaml.ScalarToken):
            starts.append(token.start_mark.index)
            ends.append(token.end_mark.index)

    def is_free(index: int) -> bool:
        place = bisect_right(starts, index) - 1
        return place < 0 or index >= ends[place]

    lines = text.split("\n")
    start = 0
    for number, line in enumerate(lines):
        found = (at.end() - 1 for at in _HASH.finditer(line) if is_free(start + at.end() - 1))
        place = next(found, -1)
        if place >= 0 and number not in block:
            said = line[place:].rstrip()
            if said[1:2] not in ("", " ", "!", "#", ":"):
                said = f"# {said[1:]}"
            alone = not line[:place].strip()
            blank = number > 0 and not lines[number - 1].strip()
            yield _Comment(said, start + place, number, place, alone, blank)
        start += len(line) + 1


@dataclass
class _Entry:
    """A key with its value, or an item of a list, and the comments that belong to it."""

    key: ScalarNode | None
    value: Any
    inside: _Entry | None
    above: list[_Comment] = field(default_factory=list)
    beside: list[_Comment] = field(default_factory=list)
    below: list[_Comment] = field(default_factory=list)

    @property
    def first(self) -> Node:
        """What it begins with."""
        return self.value if self.key is None else self.key

    @property
    def line(self) -> int:
        """The line on which it begins."""
        return int(self.first.start_mark.line)

    def column(self, lines: Sequence[str]) -> int:
        """Where it begins: an item of a list at its mark."""
        column = int(self.first.start_mark.column)
        before = lines[self.line][:column].rstrip() if self.key is None else ""
        return len(before) - 1 if before.endswith("-") else column


class _Layout:
    """Lays out one document.

    Args:
        text: it as it was.
        comments: those in it.
    """

    def __init__(self, text: str, comments: Sequence[_Comment]) -> None:
        self.text = text
        self.lines = text.split("\n")
        self.entries: dict[int, list[_Entry]] = {}
        self.last: list[_Comment] = []
        self.comments = comments

    def document(self, root: Node) -> Iterator[str]:
        """The lines of the document."""
        everything = list(self._collect(root))
        starts = [entry.first.start_mark.index for entry in everything]
        for comment in self.comments:
            self._give(comment, everything, bisect_right(starts, comment.index))
        # What opens the file goes on opening it, whichever key comes first then.
        head, everything[0].above = everything[0].above, []
        for number, comment in enumerate(head):
            if comment.blank_above and number:
                yield ""
            yield comment.text
        if head and self._blank_above(everything[0]):
            yield ""
        yield from self._collection(root, 0, is_spec=True)
        for comment in self.last:
            yield comment.text

    def _collect(self, node: Node, inside: _Entry | None = None) -> Iterator[_Entry]:
        """All entries, in the order of the text."""
        if isinstance(node, ScalarNode):
            return
        if isinstance(node, MappingNode):
            found = [_Entry(key, value, inside) for key, value in node.value]
        else:
            found = [_Entry(None, item, inside) for item in node.value]
        self.entries[id(node)] = found
        for entry in found:
            yield entry
            yield from self._collect(entry.value, entry)

    def _give(self, comment: _Comment, everything: Sequence[_Entry], place: int) -> None:
        """Give a comment to the entry that it belongs to; so many begin before it."""
        after = everything[place] if place < len(everything) else None
        entry = everything[place - 1] if place else None
        if not comment.alone and entry is not None:
            # Of those that begin on the line the outermost: in brackets more of them do.
            while place > 1 and everything[place - 2].line == entry.line == comment.line:
                place -= 1
                entry = everything[place - 1]
            entry.beside.append(comment)
            return
        least = -1 if after is None else after.column(self.lines)
        # One that stands further in than what comes next belongs to what has ended.
        while entry is not None and entry.column(self.lines) > comment.column:
            entry = entry.inside
        if entry is not None and least < entry.column(self.lines):
            entry.below.append(comment)
        else:
            (self.last if after is None else after.above).append(comment)

    def _collection(self, node: Any, indent: int, is_spec: bool = False) -> Iterator[str]:
        """A node over lines."""
        if isinstance(node, ScalarNode):
            yield " " * indent + self._scalar(node)
            return
        entries = self.entries[id(node)]
        if is_spec and isinstance(node, MappingNode):
            entries = sorted(entries, key=_place)
        for number, entry in enumerate(entries):
            if node.flow_style and entry.key is None and len(entry.value.value) == 1:
                entry.value.flow_style = False  # `- Conv2d: 16`, where brackets held several
            yield from self._entry(entry, indent, number == 0)

    def _entry(self, entry: _Entry, indent: int, is_first: bool) -> Iterator[str]:
        space = " " * indent
        for place, comment in enumerate(entry.above):
            if comment.blank_above and not (is_first and place == 0):
                yield ""
            yield space + comment.text
        if self._blank_above(entry) and not is_first:
            yield ""
        head = "- " if entry.key is None else f"{self._scalar(entry.key)}:"
        yield from self._with_value(entry, space + head, indent)
        for comment in entry.below:
            yield space + comment.text

    def _blank_above(self, entry: _Entry) -> bool:
        return entry.line > 0 and not self.lines[entry.line - 1].strip()

    def _with_value(self, entry: _Entry, head: str, indent: int) -> Iterator[str]:
        """An entry's own line, and those of its value."""
        value, is_item = entry.value, entry.key is None
        line = head if is_item else f"{head} "
        is_ignored = any(_IGNORE in comment.text for comment in entry.beside)
        is_inline = self._is_inline(value, line, is_ignored)
        if is_item and not is_inline:
            # What stands beside the mark of an item stands beside the first of what it holds.
            inner = self.entries[id(value)][0]
            inner.beside = [*entry.beside, *inner.beside]
            yield from self._joined(head, self._collection(value, indent + 2))
            return
        beside = "".join(f" {comment.text}" for comment in entry.beside)
        if isinstance(value, ScalarNode) and value.style in ("|", ">"):
            yield from self._block_scalar(value, line, indent, beside)
        elif isinstance(value, ScalarNode):
            first, *others = self._text(value, line, is_item)
            lines = [line + first, *(" " * (indent + 2) + other for other in others)]
            yield from map(str.rstrip, lines[:-1])
            yield lines[-1].rstrip() + beside
        elif is_inline:
            yield line + self._inline(value) + beside
        else:
            yield head + beside
            yield from self._collection(value, indent + 2)

    def _joined(self, head: str, lines: Iterator[str]) -> Iterator[str]:
        """An item's mark on the first line of what it holds."""
        found = list(lines)
        place = next(n for n, line in enumerate(found) if line and line.lstrip()[0] != "#")
        yield from (
            line[: -len(line.lstrip())][:-2] + line.lstrip() for line in found[:place] if line
        )
        yield head + found[place].lstrip()
        yield from found[place + 1 :]

    def _is_inline(self, node: Any, line: str, must: bool) -> bool:
        """Whether a value stands on the line of its key."""
        if isinstance(node, ScalarNode) or not node.value:
            return True
        if not node.flow_style or any(map(self._has_comments, self.entries[id(node)])):
            return False
        return must or len(line) + len(self._inline(node)) <= LENGTH

    def _has_comments(self, entry: _Entry) -> bool:
        if entry.above or entry.beside or entry.below:
            return True
        below = self.entries.get(id(entry.value), [])
        return any(map(self._has_comments, below))

    def _inline(self, node: Node) -> str:
        if isinstance(node, ScalarNode):
            return self._scalar(node)
        if isinstance(node, SequenceNode):
            return f"[{', '.join(map(self._inline, node.value))}]"
        pairs = ", ".join(
            f"{self._scalar(key)}: {self._inline(value) or 'null'}" for key, value in node.value
        )
        # In a list a pair needs no brackets.
        return f"{{{pairs}}}" if self.text[node.start_mark.index] == "{" else pairs

    def _scalar(self, node: ScalarNode) -> str:
        """A scalar as it was written, on one line, and in double quotes if in any."""
        raw = self._raw(node)
        if "\n" in raw:
            raw = " ".join(map(str.strip, raw.split("\n")))
        if node.style == "'" and not any(letter in node.value for letter in '"\\\n'):
            return f'"{node.value}"'
        return raw

    def _raw(self, node: ScalarNode) -> str:
        return self.text[node.start_mark.index : node.end_mark.index].rstrip()

    def _text(self, node: ScalarNode, line: str, is_item: bool) -> list[str]:
        """The lines of a text: one where it fits, or is the code of an item; else those that it had, or prose folded."""
        lines = list(map(str.strip, self._raw(node).split("\n")))
        whole = self._scalar(node)
        kept = "" in lines or any(each.endswith("\\") for each in lines)
        if len(lines) > 1 and (kept or len(line) + len(whole) > LENGTH):
            return lines
        if is_item or node.style is not None or len(line) + len(whole) <= LENGTH or " #" in whole:
            return [whole]
        words = textwrap.TextWrapper(
            LENGTH - line.index(line.lstrip()[:1] or " ") - 2,
            initial_indent=" " * len(line.lstrip()),
            break_long_words=False,
            break_on_hyphens=False,
        )
        first, *others = words.wrap(whole)
        return [first.lstrip(), *others]

    def _block_scalar(self, node: ScalarNode, line: str, indent: int, beside: str) -> Iterator[str]:
        """A scalar over lines that are kept as they are, but for their indentation."""
        raw = self.text[node.start_mark.index : node.end_mark.index]
        head, *lines = raw.rstrip("\n").split("\n")
        least = min((len(each) - len(each.lstrip()) for each in lines if each.strip()), default=0)
        yield line + head.partition(" #")[0].rstrip() + beside
        for each in lines:
            yield " " * (indent + 2) + each[least:] if each.strip() else ""


def _place(entry: _Entry) -> int:
    key = "" if entry.key is None else entry.key.value
    return _KEYS.index(key) if key in _KEYS else len(_KEYS)
