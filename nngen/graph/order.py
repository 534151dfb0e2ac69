"""The order in which a constructor builds layers: that of the steps, but for those that are built behind another."""

from __future__ import annotations

from nngen.errors import SpecError, did_you_mean
from nngen.graph.flow import Built
from nngen.language.spec import Body, LayerStep, Name


def in_order(built: list[Built], body: Body) -> list[Built]:
    """What a class builds, each step with `built_after` right behind what it names, and those that follow it likewise;
    what stands in one container is built together.

    Raises:
        SpecError: a step names what is not there, or steps name each other in a circle.
    """
    followers: dict[str, list[Built]] = {}
    result: list[Built] = []
    names = [each.name for each in built]
    for each in built:
        after = _after(each, body)
        if after is None:
            result.append(each)
            continue
        if after.text not in names or after.text == each.name:
            others = [name for name in names if name != each.name]
            hint = did_you_mean(after.text, others)
            raise SpecError(f"there is no layer {after.text!r} here", after.mark, hint)
        followers.setdefault(after.text, []).append(each)
    pending = result[::-1]
    result = []
    while pending:
        result.append(pending.pop())
        pending += followers.get(result[-1].name, [])[::-1]
    result = _together(result)
    left = next((each for each in built if each not in result), None)
    if left is not None:
        raise _circle(left, built, body)
    return result


def _together(built: list[Built]) -> list[Built]:
    """The same order, but that all children of a container stand where its first one does."""
    first: dict[tuple[str, ...], int] = {}
    for place, each in enumerate(built):
        for length in range(1, len(each.path) + 1):
            first.setdefault(each.path[:length], place)
    return sorted(
        built, key=lambda each: [first[each.path[: n + 1]] for n in range(len(each.path))]
    )


def _after(built: Built, body: Body) -> Name | None:
    step = body.layers[built.step]
    return step.built_after if isinstance(step, LayerStep) else None


def _circle(first: Built, built: list[Built], body: Body) -> SpecError:
    """The error of steps that wait for each other."""
    by_name = {each.name: each for each in built}
    chain = [first]
    while True:
        after = _after(chain[-1], body)
        assert after is not None
        following = by_name[after.text]
        if following in chain:
            circle = [each.name for each in chain[chain.index(following) :]]
            shown = ", which is built after ".join(map(repr, (*circle[1:], circle[0])))
            message = f"{circle[0]!r} is built after {shown}"
            mark = _after(following, body)
            assert mark is not None
            return SpecError(message, mark.mark, "take one `built_after` out of the circle")
        chain.append(following)
