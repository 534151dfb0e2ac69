"""Strategies for lines of Python, and for the end of a body, where all that waits is joined or given out."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.random_specs import lines
from tests.random_specs.choices import conditions
from tests.random_specs.draft import Draft, Flowing
from tests.random_specs.layers import fresh, initializer, pick, spell_or, substituted

Draw = st.DrawFn

VALUES = ("y", "z", "h", "skip", "u", "v", "w", "s", "t")


def line(draw: Draw, draft: Draft, depth: int) -> bool:
    """A line over one value, or two lines that belong together."""
    taken = pick(draw, draft, floating=False)
    if taken is None:
        return False
    if not taken.floating:
        return draft.attempt(bound(draw, draft, taken, draw(st.sampled_from(lines.WHOLE))))
    if draw(st.integers(0, 5)) == 5:
        first, second = draw(st.sampled_from(lines.PAIRS))
        words = {"a": taken.name} | {
            word: fresh(draw, draft, (f"{word}{len(draft.body['layers'])}",)) for word in "cde"
        }
        return draft.attempt(substituted(first, words), substituted(second, words))
    forms = lines.RANKED.get(taken.rank, ()) if draw(st.booleans()) else ()
    form = draw(st.sampled_from(forms or (lines.ANY if draw(st.booleans()) else lines.ELEMENTWISE)))
    return draft.attempt(bound(draw, draft, taken, form))


def bound(draw: Draw, draft: Draft, taken: Flowing, form: str) -> str:
    """The line that binds what the form gives, to a new name or to one that its value had."""
    variables = draft.variables()
    if taken.name in variables and draw(st.booleans()):
        target = taken.name
    else:
        target = fresh(draw, draft, VALUES)
    return f"{target} = {substituted(form, {'a': taken.name})}"


def join(draw: Draw, draft: Draft, depth: int) -> bool:
    """A line in which two values meet."""
    values = [each for each in draft.values() if each.floating and each.rank]
    if len(values) < 2:
        return False
    waiting = [each for each in values if not each.used] or values
    one = draw(st.sampled_from(waiting))
    other = draw(st.sampled_from([each for each in values if each is not one]))
    forms = lines.JOINS if one.shape == other.shape else lines.MEETINGS
    target = fresh(draw, draft, VALUES)
    return draft.attempt(
        f"{target} = {substituted(draw(st.sampled_from(forms)), {'a': one.name, 'b': other.name})}"
    )


def state(draw: Draw, draft: Draft, depth: int) -> bool:
    """A parameter or a buffer, and the line that uses it."""
    taken = pick(draw, draft)
    if taken is None or taken.shape[-1] is None:
        return False
    size = spell_or(draw, draft, taken.shape[-1])
    name, target = fresh(draw, draft, ("scale", "shift", "token")), fresh(draw, draft, VALUES)
    form = draw(st.sampled_from(("{a} * {n}", "{a} + {n}", "{n} - {a}", "torch.maximum({a}, {n})")))
    used = f"{target} = {form.format(a=taken.name, n=name)}"
    if draw(st.booleans()):
        shape = draw(st.sampled_from(([size], [1, size], size)))
        return draft.attempt(
            {f"Parameter as {name}": {"shape": shape, "init": initializer(draw)}}, used
        )
    value = draw(
        st.sampled_from(
            (
                f"torch.ones({size})",
                f"torch.arange({size}).float()",
                f"torch.linspace(0, 1, {size})",
            )
        )
    )
    given: dict[str, Any] = {
        "value": value,
        **draw(st.sampled_from(({}, {"persistent": False}, {"persistent": True}))),
    }
    return draft.attempt({f"Buffer as {name}": given}, used)


# The end


def finish(draw: Draw, draft: Draft) -> bool:
    """Lets every value be used: joins those that wait, or gives them out; whether it could."""
    for _ in range(4):
        waiting = waiting_values(draft)
        if len(waiting) < 2 or draw(st.integers(0, 3)) == 3:
            break
        one, other = waiting[-1], waiting[-2]
        forms = (
            lines.JOINS
            if one.shape == other.shape and one.floating and other.floating
            else lines.MEETINGS
        )
        for form in (draw(st.sampled_from(forms)), forms[0]):
            text = substituted(form, {"a": one.name, "b": other.name})
            if draft.attempt(f"{fresh(draw, draft, VALUES)} = {text}"):
                break
    return outputs(draw, draft)


def waiting_values(draft: Draft) -> list[Flowing]:
    return [each for each in draft.values() if not each.used]


def outputs(draw: Draw, draft: Draft) -> bool:
    """Says what forward returns, where more waits than the running value."""
    names = draft.waiting()
    running = draft.running()
    if running is not None and set(names) <= {running.name}:
        return True
    if not names:
        return False
    forms: list[Any] = [", ".join(names)]
    if not draft.block and len(names) > 1:
        forms += [names, {f"out_{name}": name for name in names}]
    tests = conditions(draw, draft) if len(names) > 1 else []
    if tests and not draft.block and draw(st.integers(0, 2)) == 2:
        *others, last = names
        some = ", ".join([*others, f"{last} if {draw(st.sampled_from(tests))} else None"])
        if draft.put("outputs", some):
            return True
    return draft.put("outputs", draw(st.sampled_from(forms)))
