"""Slips of YAML: what a parser complains of, said plainly, with what may have been meant."""

from __future__ import annotations

import re
from typing import Any

import yaml

from nngen.errors import Mark, SpecError
from nngen.places import Source


def syntax_error(error: yaml.MarkedYAMLError, source: Source, file: str) -> SpecError:
    """Say in the same words what either parser complains of, and what may be meant."""
    text = source.text
    problem: Any = error.problem_mark
    begin: Any = error.context_mark or problem
    at_end = not text[problem.index : problem.index + 100].strip()
    words = f"{error.context}: {error.problem}" + " at the end" * at_end
    at = begin if _OPENING.search(words) else problem
    after = text[at.index : at.index + 100]
    clue = f"{words}\n{text[max(0, at.index - 200) : at.index]}\0{after}"
    mark = Mark(file, at.line + 1, at.column + 1, source=source)
    for slip, message, hint in _SLIPS:
        if re.match(f".*(?:{slip})", clue):
            names = {
                "found": repr(after[0]) if after.strip() else "the end of the line",
                "word": re.split(r":?[\s,\]})]", after)[0],
                "bracket": after[:1],
                "last": re.split(r"[\[,{\n]", text[max(0, at.index - 60) : at.index])[-1].strip(),
                "begin": text[begin.index : begin.index + 1],
                "line": begin.line + 1,
            }
            return SpecError(message.format(**names), mark, hint.format(**names))
    return SpecError(error.problem or "this is not YAML", mark)


def check_key(text: str, is_word: bool, mark: Mark) -> None:
    """Refuse a key without quotes that is none of a spec's.

    Raises:
        SpecError: it is none.
    """
    word = short(text)
    if not is_word:
        hint = f"put it in quotes: '{word}'"
        raise SpecError(f"the key {word!r} is not a string", mark, hint)
    if word == "<<":
        hint = "write its keys out, or give a whole value an anchor"
        raise SpecError("merge keys (<<) are refused", mark, hint)
    if slip := _NO_COLON.match(word):
        closing = "}" if slip[2][0] == "{" else "]"
        hint = f"`{slip[1]}: {slip[2]}: …{closing}`"
        raise SpecError(f"a ':' is missing after {slip[1]!r}", mark, hint)
    if sum(map(word.count, "([{")) > sum(map(word.count, ")]}")):
        hint = "put the whole in quotes, or write ':' without a space after it"
        raise SpecError(f"a key ends inside of a bracket: {word!r}", mark, hint)


def check_space(text: str, mark: Mark) -> None:
    """Refuse `{kernel_size:3}`, which to YAML is a key without a value.

    Raises:
        SpecError: it is such a key.
    """
    if ":" in text:
        word = short(text)
        hint = f"put a space after the colon: {word.replace(':', ': ', 1)}"
        raise SpecError(f"the key {word!r} has no value", mark, hint)


def nameless_values(texts: list[str], some: bool, mark: Mark) -> SpecError:
    """What is said of values in braces that have no names, `{16, 3}`: of all there, or of some beside names."""
    words = list(map(short, texts))
    values, first = ", ".join(words), words[0]
    if some:
        hint = f"`name: {first}`"
    elif len(words) == 1:
        hint = f"`{first}` without braces, or with its name: `{{name: {first}}}`"
    else:
        hint = (
            f"a list stands in brackets, `[{values}]`; arguments have names, `{{name: {first}, …}}`"
        )
    none = f"{values} ha{'s' if len(words) == 1 else 've'} none"
    return SpecError(f"in braces each value has a name, and {none}", mark, hint)


def short(text: str) -> str:
    """A text as a message quotes it."""
    return text if len(text) <= 60 else text[:59] + "…"


_NO_COLON = re.compile(r"([A-Za-z_][\w.]*(?: +as +\w+)?) +([\[{].*)", re.DOTALL)
# Of these the place that tells most is where they begin.
_OPENING = re.compile(
    "quoted scalar: .*(end of stream|document)|(alias|anchor|simple key): " "|',' or .*at the end"
)
NO_TAGS = "a spec has no tags; put a word that begins with '!' in quotes"
_QUOTE = "put the value in quotes"
_SPACE = "put a space after the colon"
_NO_KEY = "a key may not stand here"
_LEVEL = "line it up with a line above; a step's from, call, … stand under its layer"
_BLOCK = "(block (mapping|collection): )(.*\n)*"

# The parsers' words (where a pattern begins), then the text before the place, NUL, and
# the text after it; what to say; what is right. The first row that matches counts.
_SLIPS = (
    ("any token.*\n(.*\n)*.*\0\t|violates", "a tab indents a line", "use spaces"),
    ("any token", "a value may not begin with {found}", _QUOTE),
    ("mapping values(.*\n)+.*: .*\0", "a second ':' in a line", _QUOTE),
    (r"mapping values(.*\n)+ *(- +)?[^\s:]+:\S+\n.*\0", _NO_KEY, f"{_SPACE} above"),
    (r"mapping values(.*\n)+ *- +[^:\n]+\n +\w+\0", _NO_KEY, "end the line above with a ':'"),
    ("mapping values", _NO_KEY, _LEVEL),
    (_BLOCK + r".*\0[\]}]", "{found} closes nothing", "take it out, or open it before"),
    (_BLOCK + r".*\0:", "a key is missing before ':'", ""),
    (_BLOCK + r".*[^\s-].*\0", "a value ends before {found}", _QUOTE),
    (_BLOCK, "a line is indented like none above it", _LEVEL),
    ("',' or.*at the end", "{found} is never closed", ""),
    (
        r"',' or(.*\n)+(.*[\[,{])? *[A-Za-z_]\w*( +as +\w+)? +\0[\[{]",
        "a ':' is missing before {found}",
        "write {last}: {bracket}…",
    ),
    (r"',' or(.*\n)+.*\0[\[{]", "{found} may not stand in this value", _QUOTE),
    (
        "',' or",
        "a ',' is missing before {found}",
        "'{begin}' of line {line} is open here",
    ),
    ("quoted scalar.*(stream|document)", "{found} is never closed", ""),
    ("escape", "an escape that YAML does not have", r"write \\ for a backslash"),
    (
        "an (alias|anchor): ",
        "{word!r} reads as an alias or anchor",
        "if it is none, write '{word}'",
    ),
    (r"simple key(.*\n)+.*\0-\w", "a space is missing after '-'", "write - ReLU"),
    (r"simple key(.*\n)+.*\0[^\s:]+:\S", "a key has no value", _SPACE),
    ("simple key", "a key has no ':'", "write key: value"),
    ("unexpected ':'", "a ':' stands inside a word", _SPACE),
    ("node content", "a value is missing before {found}", ""),
    (
        "block scalar",
        "text after '|' or '>'",
        f"begin it on the next line, or {_QUOTE}",
    ),
    ("sequence entries", "a list may not begin here", "begin it on a line of its own"),
    ("document start", "text after the end of the document", ""),
    ("tag", "a tag that YAML does not have", NO_TAGS),
)
