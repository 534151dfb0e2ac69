"""`nngen explain`: all codes, or all about one."""

from __future__ import annotations

import textwrap

from nngen.lint import GROUPS, RULES, rule

_WIDTH = 88
_SILENCE = (
    "Silence it with a comment at the end of the line that the finding names, or on a line of its own above: "
    "`# nngen: ignore {code} why this is meant`. For one run: `nngen lint --ignore {code}`."
)


def codes() -> str:
    """All codes with their titles, by group."""
    groups = []
    for prefix, title in GROUPS.items():
        members = [each for each in RULES.values() if each.code.startswith(prefix)]
        groups.append(
            "\n".join(
                [f"{prefix}xx: {title}", *(f"  {each.code}  {each.title}" for each in members)]
            )
        )
    return "\n\n".join(groups)


def explanation(code: str) -> str:
    """What a rule finds, why, when it is right to ignore it, and how to silence it.

    Raises:
        NngenError: there is no such code.
    """
    found = rule(code)
    parts = [
        f"{found.code}: {found.title}",
        _filled(found.why),
        "Instead of",
        _indented(example(found.before)),
        "write",
        _indented(example(found.after)),
        _filled(f"When to ignore it: {found.ignore}"),
    ]
    if not found.code.startswith("NN9"):
        parts.append(_filled(_SILENCE.format(code=found.code)))
    if found.pitfall:
        parts.append(f"It runs, with numbers: nngen pitfall {found.pitfall}")
    return "\n\n".join(parts)


def example(text: str) -> str:
    """A rule's example as a whole spec."""
    return f"name: Example\n{text}"


def _filled(text: str) -> str:
    return textwrap.fill(text, _WIDTH, break_on_hyphens=False, break_long_words=False)


def _indented(text: str) -> str:
    return textwrap.indent(text.rstrip(), "    ")
