"""Ties: parameters that are one. A class ties what is below it once all is built, and before its own redraws."""

from __future__ import annotations

import ast
import re
from collections.abc import Container, Iterator, Mapping

from nngen.catalog.partial_evaluation import source
from nngen.emit.constructor import built_flag
from nngen.emit.model import Lines
from nngen.emit.nesting import Nesting
from nngen.emit.parameters import flows_below, leaves_of, matches, parameter_shapes
from nngen.emit.step_init import holds_for
from nngen.errors import Errors, SpecError, did_you_mean
from nngen.graph.flow import Flow
from nngen.language.spec.model import Initializer, Name, Rule
from nngen.symbolic.broadcasting import show
from nngen.symbolic.sizes import Dim
from nngen.symbolic.substitution import same


def ties(flow: Flow, keys: Mapping[str, str]) -> Lines | None:
    """The statements that make parameters one.

    Args:
        flow: the class.
        keys: for the keys of the nn style those of the style at hand.
    """
    if not flow.body.tie:
        return None
    at = Nesting(flow).at
    codes = [
        ast.Assign([at(keys[left.text])], at(keys[right.text]))
        for left, right in in_order(flow.body.tie)
    ]
    return Lines(tuple(codes), len(flow.body.layers), flow.body.tie[0][0].mark)


def refuse_wrong(flow: Flow, keys: Mapping[str, str]) -> None:
    """Refuse the ties of what is not there, or cannot be one.

    Raises:
        SpecError: there are some; it tells of all.
    """
    if not flow.body.tie:
        return
    shapes, errors = parameter_shapes(flow), Errors()
    optional = {built.name for built in flow.built if built_flag(built)}
    for left, right in flow.body.tie:
        before = len(errors.found)
        for each in (left, right):
            errors.attempt(_check_there, each, keys, optional)
        if len(errors.found) == before:
            errors.attempt(_refuse_misfit, left, right, shapes)
    errors.attempt(list, in_order(flow.body.tie))
    errors.refuse()


def in_order(pairs: tuple[tuple[Name, Name], ...]) -> Iterator[tuple[Name, Name]]:
    """The ties, each behind that of the parameter that it is tied to.

    Raises:
        SpecError: they go in a circle.
    """
    left = {one.text: (one, other) for one, other in pairs}
    for one, other in pairs:
        chain = [(one, other)]
        while chain[-1][1].text in left:
            chain.append(left[chain[-1][1].text])
            if chain[-1] in chain[:-1]:
                raise SpecError(
                    f"{one.text!r} is tied to itself", one.mark, "leave one of them as it is"
                )
        for pair in reversed(chain):
            if left.pop(pair[0].text, None) is not None:
                yield pair


def _check_there(name: Name, keys: Mapping[str, str], optional: Container[str]) -> None:
    if name.text in keys and "*" not in name.text:
        if name.text.partition(".")[0] in optional:
            message = f"{name.text!r} is there under a condition only, so it cannot be tied"
            raise SpecError(message, name.mark)
        return
    for key in keys:
        pattern = r"\d+".join(map(re.escape, key.split("*")))
        if "*" in key and (name.text == key or re.fullmatch(pattern, name.text)):
            raise SpecError(
                f"{name.text!r} is in a list of copies, where none can be tied by itself",
                name.mark,
                "give the copies names, `as block${i}`, or tie within the block",
            )
    raise SpecError(
        f"there is no parameter {name.text!r}", name.mark, did_you_mean(name.text, keys)
    )


def _refuse_misfit(left: Name, right: Name, shapes: Mapping[str, tuple[Dim, ...]]) -> None:
    for each in (left, right):
        if each.text not in shapes:
            raise SpecError(f"{each.text!r} is a buffer, and only parameters are tied", each.mark)
    sizes = [shapes[each.text] for each in (left, right)]
    if len(sizes[0]) != len(sizes[1]) or any(same(a, b) is False for a, b in zip(*sizes)):
        shown = " and ".join(map(show, sizes))
        raise SpecError(f"parameters of the shapes {shown} cannot be one", left.mark)


def tied(flow: Flow, prefix: str = "") -> dict[str, str]:
    """All ties of a class and of the blocks in it, by the keys of the nn twin: the left, and what it becomes."""
    found = {prefix + left.text: prefix + right.text for left, right in flow.body.tie}
    for inner, below in flows_below(flow, prefix):
        found |= tied(inner, below)
    return found


def refuse_lost(flow: Flow) -> None:
    """Refuse a rule all of whose draws are lost, as a tie then makes other parameters of what it drew.

    Raises:
        SpecError: there is one.
    """
    draws = list(_draws(flow, "", {}))
    last = {key: written(rule.initializer) for rule, key, _ in draws}
    by_rule: dict[int, list[tuple[Rule, str, str]]] = {}
    for draw in draws:
        by_rule.setdefault(id(draw[0]), []).append(draw)
    for found in by_rule.values():
        rule, key, right = found[0]
        if all(left and last.get(left) != written(rule.initializer) for _, _, left in found):
            raise SpecError(
                f"{rule.pattern!r} draws {key!r}, which is then tied, and becomes {right!r}",
                rule.mark,
                f"draw {right!r}, or give the class that ties them this rule",
            )


def _draws(flow: Flow, prefix: str, above: Mapping[str, str]) -> Iterator[tuple[Rule, str, str]]:
    """Each draw of a rule: the rule, the parameter, and what a later tie makes of it, empty where none does."""
    own = {prefix + left.text: prefix + right.text for left, right in flow.body.tie}
    for built in flow.built:
        if built.module is None or built.module.kind == "Parameter":
            continue
        for module, state in built.module.leaves():
            rules = [rule for rule in built.redraws if holds_for(rule, built, module, state)]
            key = prefix + module.key(state)
            if rules and not state.buffer:
                yield rules[-1], key, {**above, **own}.get(key, "")
    for inner, below in flows_below(flow, prefix):
        yield from _draws(inner, below, {**above, **own})
    for leaf in leaves_of(flow):
        rules = [rule for rule in flow.body.init if matches(rule, leaf)]
        if rules:
            yield rules[-1], prefix + leaf.key, above.get(prefix + leaf.key, "")


def written(initializer: Initializer) -> str:
    """An initializer as text: two that are written alike draw alike."""
    arguments = (f"{name}={source(each.tree)}" for name, each in initializer.arguments.items())
    return f"{initializer.function}({', '.join(sorted(arguments))})"
