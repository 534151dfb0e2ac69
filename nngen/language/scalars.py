"""The values of YAML's scalars, by the core schema of YAML 1.2."""

from __future__ import annotations

import math
import re
from typing import TypeAlias

from nngen.errors import Mark, SpecError
from nngen.language.yaml_errors import short

LONGEST_NUMBER = 4_000

Value: TypeAlias = None | bool | int | float | str

_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Value] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
_SURROGATE = re.compile("[\ud800-\udfff]")


def plain(text: str, mark: Mark) -> Value:
    """The value of a word without quotes, by the core schema of YAML 1.2."""
    if text in _WORDS:
        return _WORDS[text]
    is_int = _INT.fullmatch(text)
    if not is_int and not _FLOAT.fullmatch(text):
        return text
    if len(text) > LONGEST_NUMBER:
        raise SpecError(f"a number of more than {LONGEST_NUMBER:,} digits", mark)
    if is_int:
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        return int64(int(text, base), mark)
    value = float(text)
    if math.isinf(value):
        hint = "infinity is written .inf"
        raise SpecError(f"{short(text)} is too large for a float", mark, hint)
    return value


def int64(value: int, mark: Mark) -> int:
    """An integer as torch has them."""
    if -(2**63) <= value < 2**63:
        return value
    raise SpecError("the integer does not fit into 64 bits", mark)


def text_of(text: str, mark: Mark) -> str:
    """A text that can be written."""
    if text.isascii() or not _SURROGATE.search(text):
        return text
    raise SpecError("half of a surrogate pair is not a character", mark)
