"""YAML or plain Python data -> a tree of frozen nodes that know their places.

The tree is built over PyYAML's events: its loaders read words by YAML 1.1, and crash
on hostile documents. Any input ends in a tree or an NngenError, in bounded time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from nngen.errors import Errors, FileError, Mark, SpecError, nearest, together
from nngen.files import regular_file
from nngen.language import scalars
from nngen.language.scalars import Value
from nngen.language.yaml_errors import (
    NO_TAGS,
    check_key,
    check_space,
    nameless_values,
    short,
    syntax_error,
)
from nngen.limits import ALLOW, limits
from nngen.places import Source

DEEPEST = 60
LONGEST_PATH = 200  # a longer one loses its beginning, or marks could fill the memory


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value; `text` is how it was written, without its quotes."""

    value: Value
    text: str
    mark: Mark
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: tuple[Node, ...]
    mark: Mark


@dataclass(frozen=True, slots=True)
class Entry:
    """A key and its value; the marks of both have the key in their path."""

    key: str
    key_mark: Mark
    value: Node


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and their values, in the order of the document."""

    entries: dict[str, Entry]
    mark: Mark


Node: TypeAlias = Scalar | Sequence | Mapping
_Event: TypeAlias = Any  # the stubs would have every mark checked for None


def read(path: Path) -> Node:
    """Read a YAML file.

    Raises:
        FileError: the file cannot be read.
        SpecError: it is not UTF-8, or `parse` refuses its text.
    """
    return decode(read_bytes(path), path)


def read_bytes(path: Path) -> bytes:
    """The bytes of a spec.

    Raises:
        FileError: the file cannot be read.
        SpecError: it is too large.
    """
    try:
        data = regular_file.read(path, limits().size + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        hint = _near_file(path)
        raise FileError(
            f"cannot read {path}: {reason}" + f"\n  hint: {hint}" * bool(hint)
        ) from None
    if len(data) > limits().size:
        raise _too_large(str(path))
    return data


def _near_file(path: Path) -> str:
    """The spec that may have been meant where `path` is none."""
    try:
        if path.is_dir():
            names = sorted(each.name for each in path.glob("*.yaml"))
            return f"name a spec in it, such as {path / names[0]}" if names else ""
        best = nearest(path.name, sorted(each.name for each in path.parent.glob("*.y*ml")))
    except (OSError, ValueError):
        return ""
    return f"did you mean {path.with_name(best)}?" if best and not path.exists() else ""


def decode(data: bytes, path: Path) -> Node:
    """Parse the bytes of the spec at `path`.

    Raises:
        SpecError: they are not UTF-8, or `parse` refuses their text.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        mark = _place(data[: error.start].decode(), str(path))
        mark = replace(mark, source=Source(data.decode(errors="replace")))
        raise SpecError("the file is not UTF-8", mark, "save it as UTF-8") from None
    return parse(text, str(path))


def parse(text: str, file: str) -> Node:
    """Parse the text of one YAML document; errors call it `file`.

    An alias becomes the very node that its anchor names, with that node's marks.

    Raises:
        SpecError: it is not YAML, empty, too large, or uses what specs do without:
            tags, merge keys, directives, keys that are not strings, several documents.
    """
    text = text.removeprefix("\ufeff")
    if len(text) > limits().size:
        raise _too_large(file)
    source = Source(text)
    if bad := _FORBIDDEN.search(text):
        mark = replace(_place(text[: bad.start()], file), source=source)
        if bad[0] == "%":
            hint = "indent it, or put it in quotes; a spec has no directives"
            raise SpecError("a line may not begin with '%'", mark, hint)
        hint = r"take it out; between double quotes, \x00 or \u2028 can stand for it"
        raise SpecError(f"the character U+{ord(bad[0]):04X} is refused", mark, hint)
    return _Builder(source, file).document()


def of(value: object, file: str = "<dict>") -> Node:
    """Convert dicts with str keys, lists, tuples, str, int, float, bool and None.

    A str stays one, whatever it looks like. Marks have a path and no line.

    Raises:
        SpecError: anything else is in it, or it contains itself, or is too large.
    """
    return _convert(value, Mark(file), _Meter(), frozenset())


class _Meter:
    """Bounds a tree while it grows: how many nodes it has, and how deep it goes."""

    def __init__(self) -> None:
        self.most = limits().nodes
        self.nodes = 0
        self.deepest = 0

    def spend(self, nodes: int, depth: int, mark: Mark) -> None:
        self.nodes += nodes
        self.deepest = max(self.deepest, depth)
        if depth > DEEPEST:
            raise SpecError(f"nested more than {DEEPEST} deep", mark)
        if self.nodes > self.most:
            hint = f"an alias counts as all that it stands for; {ALLOW}"
            raise SpecError(f"more than {self.most:,} keys and values", mark, hint)


class _Builder:
    """Builds the tree of one document from the parser's events."""

    def __init__(self, source: Source, file: str) -> None:
        self.file = file
        self.source = source
        self.events = _events(source, file)
        self.meter = _Meter()
        self.errors = Errors()
        # An anchor's node, its size and its height; None while the node is open.
        self.anchors: dict[str, tuple[Node, int, int] | None] = {}

    def document(self) -> Node:
        next(self.events)  # the stream begins
        if isinstance(next(self.events), yaml.StreamEndEvent):
            raise self.empty()
        try:
            root = self.node(next(self.events), "", 1)
        except SpecError as error:
            # What the parser complains of in the same line follows from what is wrong there.
            lines = {each.mark.line for each in self.errors.found}
            raise together(
                [*self.errors.found, *[error] * (error.mark.line not in lines)]
            ) from None
        self.errors.refuse()
        if isinstance(root, Scalar) and not (root.text or root.quoted):
            raise self.empty()
        next(self.events)  # the document ends
        if not isinstance(event := next(self.events), yaml.StreamEndEvent):
            hint = "a file holds one spec: take the '---' out"
            raise SpecError("a second document begins", self.mark(event, ""), hint)
        return root

    def empty(self) -> SpecError:
        hint = "it begins with name, input and layers"
        return SpecError("the spec is empty", Mark(self.file, 1, 1), hint)

    def mark(self, event: _Event, path: str) -> Mark:
        start = event.start_mark
        return Mark(self.file, start.line + 1, start.column + 1, path, self.source)

    def node(self, event: _Event, path: str, depth: int) -> Node:
        mark = self.mark(event, path)
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, mark, depth)
        if event.tag is not None:
            raise SpecError(f"a tag: {short(event.tag)}", mark, NO_TAGS)
        if event.anchor is None:
            return self.content(event, mark, depth)
        meter, nodes, deepest = self.meter, self.meter.nodes, self.meter.deepest
        self.anchors[event.anchor] = None
        meter.deepest = depth
        node = self.content(event, mark, depth)
        size, height = meter.nodes - nodes, meter.deepest - depth
        self.anchors[event.anchor] = node, size, height
        meter.deepest = max(deepest, meter.deepest)
        return node

    def alias(self, event: _Event, mark: Mark, depth: int) -> Node:
        name = short(event.anchor)
        if event.anchor not in self.anchors:
            hint = f"if it is not an alias, put it in quotes: '*{name}'"
            raise SpecError(f"no anchor &{name} stands before *{name}", mark, hint)
        anchor = self.anchors[event.anchor]
        if anchor is None:
            raise SpecError(f"*{name} stands inside of what it stands for", mark)
        node, size, height = anchor
        self.meter.spend(size, depth + height, mark)
        return node

    def content(self, event: _Event, mark: Mark, depth: int) -> Node:
        self.meter.spend(1, depth, mark)
        if isinstance(event, yaml.ScalarEvent):
            text, quoted = event.value, bool(event.style)
            value = scalars.text_of(text, mark) if quoted else scalars.plain(text, mark)
            return Scalar(value, text, mark, quoted)
        if isinstance(event, yaml.MappingStartEvent):
            return Mapping(self.entries(event, mark.path, depth + 1), mark)
        items = enumerate(self.until(yaml.SequenceEndEvent))
        nodes = (self.node(item, item_of(mark.path, i), depth + 1) for i, item in items)
        return Sequence(tuple(nodes), mark)

    def until(self, end: type[yaml.Event]) -> Iterator[_Event]:
        while not isinstance(event := next(self.events), end):
            yield event

    def entries(self, start: _Event, path: str, depth: int) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        nameless: list[Scalar] = []
        for event in self.until(yaml.MappingEndEvent):
            key = self.key(event, path, depth)
            if first := entries.get(key.text):
                line = f"line {first.key_mark.line}"
                problem = f"the key {short(key.text)!r} stands in {line} already"
                self.errors.add(SpecError(problem, key.mark, "take one of the two out"))
            value = self.node(next(self.events), key.mark.path, depth)
            bare = isinstance(value, Scalar) and not (value.text or value.quoted or key.quoted)
            if start.flow_style and bare:
                self.errors.attempt(check_space, key.text, key.mark)
                nameless += [key] * (not isinstance(key.value, str))
            entries[key.text] = Entry(key.text, key.mark, value)
        if nameless:
            places = [key.mark for key in nameless]
            self.errors.found = [e for e in self.errors.found if e.mark not in places]
            texts = [key.text for key in nameless]
            self.errors.add(nameless_values(texts, len(texts) < len(entries), places[0]))
        return entries

    def key(self, event: _Event, path: str, depth: int) -> Scalar:
        if isinstance(event, yaml.AliasEvent):
            name = short(str(event.anchor))
            hint = f"put it in quotes: '*{name}'"
            mark = self.mark(event, path)
            raise SpecError(f"the key *{name} is an alias", mark, hint)
        if not isinstance(event, yaml.ScalarEvent):
            raise SpecError("a list or mapping is not a key", self.mark(event, path))
        key = self.node(event, under(path, event.value), depth)
        assert isinstance(key, Scalar)  # as its event is
        if not key.quoted:
            self.errors.attempt(check_key, key.text, isinstance(key.value, str), key.mark)
        return key


def _convert(value: object, mark: Mark, meter: _Meter, above: frozenset[int]) -> Node:
    """Convert data that stands inside of the containers whose ids are `above`."""
    meter.spend(1, len(above) + 1, mark)
    # Exact types: the repr of a subclass may be code, and repr writes the twins.
    if type(value) is str:
        return Scalar(scalars.text_of(value, mark), value, mark)
    if type(value) is int:
        return Scalar(scalars.int64(value, mark), str(value), mark)
    if value is None or type(value) is bool or type(value) is float:
        return Scalar(value, str(value), mark)
    if not isinstance(value, dict | list | tuple):
        hint = "a spec is made of dicts, lists, str, int, float, bool and None"
        raise SpecError(f"a {type(value).__name__} is refused", mark, hint)
    if id(value) in above:
        raise SpecError(f"the {type(value).__name__} contains itself", mark)
    above |= {id(value)}
    if isinstance(value, dict):
        return Mapping(_converted_entries(value, mark, meter, above), mark)
    items = (
        _convert(item, replace(mark, path=item_of(mark.path, i)), meter, above)
        for i, item in enumerate(value)
    )
    return Sequence(tuple(items), mark)


def _converted_entries(
    value: dict[Any, Any], mark: Mark, meter: _Meter, above: frozenset[int]
) -> dict[str, Entry]:
    entries = {}
    for key, child in value.items():
        if type(key) is not str:
            raise SpecError(f"a key is a {type(key).__name__}, not a str", mark)
        at = replace(mark, path=under(mark.path, scalars.text_of(key, mark)))
        meter.spend(1, len(above) + 1, at)
        entries[key] = Entry(key, at, _convert(child, at, meter, above))
    return entries


def under(path: str, key: str) -> str:
    """The path of what stands under a key."""
    word = key if key and key.isprintable() else repr(key)
    return _clip(f"{path}.{word}" if path else word)


def item_of(path: str, index: int) -> str:
    """The path of an item of a list."""
    return _clip(f"{path}[{index}]")


def _clip(path: str) -> str:
    return path if len(path) <= LONGEST_PATH else "…" + path[1 - LONGEST_PATH :]


def _place(before: str, file: str) -> Mark:
    """The mark of the character that `before` leads up to."""
    lines = before.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    return Mark(file, lines.count("\n") + 1, len(lines) - lines.rfind("\n"))


def _too_large(file: str) -> SpecError:
    return SpecError(f"the spec has more than {limits().size:,} bytes", Mark(file), ALLOW)


# What YAML 1.2 does not print; what PyYAML takes for a line break and editors do not;
# and directives, on which the C parser spends quadratic time.
_FORBIDDEN = re.compile(
    "(?:(?<=[\r\n])|^)%|[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe"
    "\uff00-\ufffd\U00010000-\U0010ffff]"
)


def _events(source: Source, file: str) -> Iterator[_Event]:
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        yield from yaml.parse(source.text, loader)
    except yaml.MarkedYAMLError as error:
        raise syntax_error(error, source, file) from None
    except (ValueError, OverflowError):  # the pure parser, on "\UFFFFFFFF"
        raise SpecError("an escape names no character", Mark(file)) from None
