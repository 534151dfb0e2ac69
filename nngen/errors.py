"""What can go wrong: where it is, what is wrong, and what would be right."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from nngen.places import Source

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a spec.

    Attributes:
        file: what errors call it.
        line, column: both from 1; 0 where there is no text.
        path: the keys that lead there.
        source: the text.
    """

    file: str
    line: int = 0
    column: int = 0
    path: str = ""
    source: Source | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    def excerpt(self) -> str:
        """The line of the text, and under it a caret; nothing where there is no text."""
        return "" if self.source is None else self.source.excerpt(self.line, self.column)

    def moved(self, node: object, start: int = 0) -> Mark:
        """The place of a node of Python in the value that begins here, from its character `start` on."""
        if self.source is None:
            return self
        line, column = self.source.moved(self.line, self.column, start, node)
        return replace(self, line=line, column=column)


# A message may quote the spec, which may hold a megabyte on one line, or what makes a terminal lie.
_LONGEST = 600


def _quotable(text: str) -> str:
    """A text fit for one line of a terminal: not too long, and all of it visible."""
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST - 120]} … {text[-100:]}"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


class NngenError(Exception):
    """An error that a user can cause; the command line prints it and exits with 2."""


class SpecError(NngenError):
    """A spec that cannot be built.

    Args:
        message: what is wrong, in one sentence.
        mark: where it is wrong.
        hint: what would be right.

    Attributes:
        others: what else is wrong, where that does not follow from this; in the order of the spec.
        more: how many errors there are beside these.
    """

    def __init__(self, message: str, mark: Mark, hint: str = "") -> None:
        super().__init__(message)
        self.message = _quotable(message)
        self.mark = mark
        self.hint = _quotable(hint)
        self.others: tuple[SpecError, ...] = ()
        self.more = 0

    def __str__(self) -> str:
        return "\n".join([self.text(), *(each.text() for each in self.others), *self.rest()])

    def text(self) -> str:
        """This error without the others: its place, what is wrong, the line, and what would be right."""
        at = f"{self.mark}: {self.mark.path}" if self.mark.path else f"{self.mark}"
        hint = f"  hint: {self.hint}" if self.hint else ""
        return "\n".join(filter(None, (f"{at}: {self.message}", self.mark.excerpt(), hint)))

    def rest(self) -> list[str]:
        """What is said of errors that are not shown."""
        return [f"and {self.more} more error{'s' * (self.more > 1)}"] * bool(self.more)


MOST_ERRORS = 20


def together(errors: Iterable[SpecError]) -> SpecError:
    """One error that tells of all, in the order of the spec, and of each place once."""
    places: dict[object, SpecError] = {}
    for error in (each for given in errors for each in (given, *given.others)):
        places.setdefault((str(error.mark), error.mark.path), error)
    first, *others = sorted(places.values(), key=lambda each: (each.mark.line, each.mark.column))
    first.others = tuple(others[: MOST_ERRORS - 1])
    first.more = len(others) - len(first.others)
    for other in others:
        other.others = ()
    return first


class LimitError(SpecError):
    """A spec that asks for more than is followed."""


class Follows(Exception):
    """Something cannot be known, which follows from an error that is told already."""


class _Broken:
    """See `BROKEN`."""

    def __repr__(self) -> str:
        return "broken"


# Stands for a value that an error leaves unknown.
BROKEN: Any = _Broken()


class Errors:
    """Gathers the errors of a spec, so that one run tells of all that do not follow from one another.

    Args:
        strict: raise each error instead.
    """

    def __init__(self, strict: bool = False) -> None:
        self.found: list[SpecError] = []
        self.strict = strict

    def add(self, error: SpecError) -> None:
        """Keep an error.

        Raises:
            SpecError: this one, where the spec is not followed any further, or it is only tried whether it can be.
        """
        if self.strict or isinstance(error, LimitError):
            raise error
        self.found.append(error)

    def attempt(self, function: Callable[..., T], *arguments: Any) -> T | None:
        """What a function gives; where it raises an error, that is kept, and there is nothing."""
        try:
            return function(*arguments)
        except SpecError as error:
            self.add(error)
        except Follows:
            pass
        return None

    @contextmanager
    def trying(self, strict: bool = True) -> Iterator[None]:
        """Errors are raised rather than kept: whoever tries knows what to make of one."""
        before, self.strict = self.strict, self.strict or strict
        try:
            yield
        finally:
            self.strict = before

    def refuse(self) -> None:
        """Raise what has been found.

        Raises:
            SpecError: there is something.
        """
        if self.found:
            raise together(self.found)


class Fault(Exception):
    """Something wrong with a value; whoever knows the place in the spec turns it into a SpecError."""

    def __init__(self, message: str, hint: str = "", node: object = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.node = node


class Missing(Fault):
    """Arguments are missing.

    Args:
        owner: what takes them.
        names: theirs.
        hint: what they would be.
    """

    def __init__(self, owner: str, names: Sequence[str], hint: str = "") -> None:
        super().__init__(
            f"{owner} lacks its argument{'s' * (len(names) > 1)} {listed(names)}", hint
        )
        self.names = names

    def show(self, example: str) -> None:
        """Have the hint say how it is written, once."""
        if "`" not in self.hint:
            self.hint = f"{self.hint}: `{example}`" if self.hint else f"`{example}`"


def listed(words: Iterable[str], show: Callable[[str], str] = repr, link: str = "and") -> str:
    """Words, in quotes if `show` does not say otherwise, with "and" or another link before the last."""
    *others, last = map(show, words)
    return f"{', '.join(others)} {link} {last}" if others else last


class FileError(NngenError):
    """A file or folder that cannot be read, written, or overwritten."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` is most likely a slip of, or None."""
    folded: dict[str, str] = {}
    for name in known:
        folded.setdefault(name.casefold(), name)
    low = word.casefold()
    if low in folded:
        return folded[low]
    close = difflib.get_close_matches(low, folded, n=1, cutoff=0.7)
    if close:
        return folded[close[0]]
    stems = [name for name in folded if len(low) >= 3 and name.startswith(low[:3])]
    close = difflib.get_close_matches(low, stems, n=1, cutoff=0.3)
    return folded[close[0]] if close else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint for an unknown word: the nearest known one, or all of them where they are few."""
    known = list(dict.fromkeys(known))
    best = nearest(word, known)
    if best is not None:
        return f"did you mean {best!r}?"
    if 0 < len(known) <= 20:
        return f"known here: {', '.join(known)}"
    return ""
