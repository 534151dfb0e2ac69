"""Source text as HTML: its tokens coloured, and each part wrapped that a place of the spec made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType

from markupsafe import Markup, escape
from pygments import lex
from pygments.lexer import Lexer
from pygments.lexers.data import YamlLexer
from pygments.lexers.python import PythonLexer
from pygments.token import (
    Comment,
    Keyword,
    Name,
    Number,
    Operator,
    String,
    Token,
    _TokenType,
    is_token_subtype,
)

from nngen.emit.source_map import Span
from nngen.language.extents import Extent

# The colours of tokens; what is none of these has the colour of text.
_COLOURS = (
    (Comment, "c"),
    (String.Doc, "c"),
    (String, "s"),
    (Number, "m"),
    (Keyword, "k"),
    (Operator.Word, "k"),
    (Name.Builtin.Pseudo, "p"),
    (Name.Class, "d"),
    (Name.Function, "d"),
    (Name.Tag, "k"),
    (Token.Literal.Scalar.Plain, "s"),
)
_NOTHING: Mapping[int, int] = MappingProxyType({})
# A part of a text and the number of its place.
Part = tuple[int, Extent | Span]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text as HTML.

    Attributes:
        text: the line as it is.
        html: its tokens; what belongs to another place than `place` is wrapped.
        place: the place that the line belongs to.
        inner: the other places that parts of it belong to.
    """

    text: str
    html: Markup
    place: int | None
    inner: frozenset[int | None]

    @property
    def indent(self) -> int:
        """How deep it is, in steps of four."""
        return (len(self.text) - len(self.text.lstrip())) // 4


# The place of each character of a line.
_Owners = list["int | None"]


def python(
    text: str,
    parts: Iterable[Part],
    lines: Sequence[int | None] = (),
    above: Mapping[int, int] = _NOTHING,
) -> list[Line]:
    """The lines of a Python file.

    Args:
        text: the file.
        parts: what belongs to which place; an inner part counts more than what is around it.
        lines: for each line the place that it belongs to; nothing for a text without places.
        above: the place that each place stands in.
    """
    lexer = PythonLexer(stripnl=False, ensurenl=False)
    return _painted(text, lexer, parts, lines, above, (), {})


def yaml(
    text: str,
    parts: Iterable[Part],
    heads: Iterable[Part],
    links: Mapping[int, Markup],
    above: Mapping[int, int] = _NOTHING,
) -> list[Line]:
    """The lines of a spec.

    Args:
        text: the spec; only a newline breaks its lines.
        parts: what belongs to which place.
        heads: what of each place is a link.
        links: each place's opening tag.
        above: the place that each place stands in.
    """
    lexer = YamlLexer(stripnl=False, ensurenl=False)
    texts = text.split("\n")
    # A line belongs to what stands behind its dash.
    starts = [len(each) - len(each.lstrip(" -")) for each in texts]
    owners = _owners(texts, parts)
    lines = [own[start] if own[start:] else None for own, start in zip(owners, starts)]
    return _painted(text, lexer, parts, lines, above, heads, links)


def _painted(
    text: str,
    lexer: Lexer,
    parts: Iterable[Part],
    lines: Sequence[int | None],
    above: Mapping[int, int],
    heads: Iterable[Part],
    links: Mapping[int, Markup],
) -> list[Line]:
    texts = text.removesuffix("\n").split("\n")
    places = lines or [None] * len(texts)
    rows = zip(texts, places, _colours(text, lexer), _owners(texts, parts), _owners(texts, heads))
    found = []
    for line, place, colours, own, linked in rows:
        # What is around the line's place goes with the line.
        around = {None, *_around(place, above)}
        own = [place if each in around else each for each in own]
        html = _html(line, place, colours, own, linked, links)
        found.append(Line(line, html, place, frozenset(own) - around))
    return found


def _around(place: int | None, above: Mapping[int, int]) -> Iterator[int]:
    """A place, and those that it stands in."""
    while place is not None:
        yield place
        place = above.get(place)


def _owners(texts: Sequence[str], parts: Iterable[Part]) -> list[_Owners]:
    owners: list[_Owners] = [[None] * len(text) for text in texts]
    # An inner part begins after its outer one, or with it and ends sooner.
    for place, part in sorted(parts, key=lambda each: _order(each[1])):
        for number in range(part.line, min(part.end_line, len(texts)) + 1):
            text = texts[number - 1]
            start = part.column if number == part.line else len(text) - len(text.lstrip())
            end = min(part.end_column if number == part.end_line else len(text), len(text))
            owners[number - 1][start:end] = [place] * (end - start)
    return owners


def _order(part: Extent | Span) -> tuple[int, int, int, int]:
    return part.line, part.column, -part.end_line, -part.end_column


def _colours(text: str, lexer: Lexer) -> Iterator[list[str]]:
    """For each line, the colour of each character."""
    line: list[str] = []
    for kind, value in lex(text, lexer):
        colour = _colour(kind)
        first, *rest = value.split("\n")
        line += [colour] * len(first)
        for piece in rest:
            yield line
            line = [colour] * len(piece)
    yield line


def _colour(kind: _TokenType) -> str:
    return next((colour for family, colour in _COLOURS if is_token_subtype(kind, family)), "")


def _html(
    text: str,
    place: int | None,
    colours: Sequence[str],
    owners: _Owners,
    linked: _Owners,
    links: Mapping[int, Markup],
) -> Markup:
    keys = list(zip(owners, linked, colours, strict=True))
    html, column = Markup(), 0
    for owner, of_owner in groupby(keys, key=lambda key: key[0]):
        part = Markup()
        for head, in_link in groupby(of_owner, key=lambda key: key[1]):
            tokens = Markup()
            for colour, characters in groupby(in_link, key=lambda key: key[2]):
                width = len(list(characters))
                piece = escape(text[column : column + width])
                tokens += Markup('<i class="{}">{}</i>').format(colour, piece) if colour else piece
                column += width
            part += tokens if head is None else links[head] + tokens + Markup("</a>")
        html += part if owner == place else Markup('<b data-s="{}">{}</b>').format(owner, part)
    return html
