"""What a spec can get wrong though it builds: rules over the flow of the model. Needs no torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nngen.errors import NngenError, did_you_mean
from nngen.graph import Program, follow, read_spec
from nngen.language import document
from nngen.language import spec as specs
from nngen.lint import blocks, dimensions, memory, probabilities, redundant, scores, silence
from nngen.lint.rule import Finding, Rule, in_order
from nngen.lint.trace import traced

__all__ = ["GROUPS", "RULES", "Finding", "Rule", "lint", "lint_file", "rule"]

# The first digit of a code tells its group.
GROUPS = {
    "NN1": "what the loss is given",
    "NN2": "layers that undo each other, or do nothing",
    "NN3": "the dimension that a layer works along",
    "NN4": "steps in place",
    "NN5": "the arguments of blocks",
    "NN9": "the comments that silence findings",
}
_FAMILIES = (scores, probabilities, redundant, dimensions, memory, blocks, silence)
RULES: dict[str, Rule] = {
    each.code: each
    for each in sorted(
        (each for family in _FAMILIES for each in family.RULES), key=lambda each: each.code
    )
}


def lint(program: Program, text: str = "") -> tuple[Finding, ...]:
    """Find what is probably not meant, each once, in the order of the file.

    Args:
        program: the model.
        text: the YAML that it was read from; its comments silence findings.
    """
    trace = traced(program)
    found: dict[tuple[str, object], Finding] = {}
    for each in RULES.values():
        for hit in each.find(trace):
            finding = Finding(each.code, hit.mark, hit.message, hit.fix)
            found.setdefault((each.code, hit.mark), finding)
    comments = silence.comments(text, program.spec.model.mark.file)
    return in_order(silence.silenced(tuple(found.values()), comments, RULES))


def lint_file(path: Path, values: Mapping[str, Any] | None = None) -> tuple[Finding, ...]:
    """The findings of a spec's file.

    Args:
        path: the spec.
        values: what its checks use for constructor arguments and open sizes.

    Raises:
        SpecError: the spec is wrong.
        FileError: the file cannot be read.
    """
    source = document.read_bytes(path)
    spec = read_spec(document.decode(source, path), path.name)
    return lint(follow(specs.with_values(spec, values or {})), source.decode())


def rule(code: str) -> Rule:
    """The rule of a code.

    Raises:
        NngenError: there is none.
    """
    if code.upper() not in RULES:
        within = [each for each in RULES if each.startswith(code.upper())]
        known = f"known here: {', '.join(within)}" if within else did_you_mean(code, RULES)
        hint = known or "`nngen explain` lists them"
        raise NngenError(f"there is no rule {code!r}\n  hint: {hint}")
    return RULES[code.upper()]
