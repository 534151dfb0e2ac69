"""Strategies for arguments that decide: what may be None, flags, lists, and the names that `let` makes of them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.random_specs.draft import Draft
from tests.random_specs.layers import fresh, initializer, pick, substituted

Draw = st.DrawFn

RATES = (0.1, 0.2, 0.5)


def options(
    draw: Draw, body: dict[str, Any], names: dict[str, int], given: dict[str, Any], most: int = 2
) -> None:
    """Adds arguments to a body, and sizes that `let` makes of them.

    Args:
        draw: Hypothesis's.
        body: a model or a block.
        names: its sizes by name; those that `let` makes are added.
        given: the values of arguments, where they are not the defaults; what is drawn is added.
        most: how many at most.
    """
    kinds = ("none", "none", "flag", "rate", "list", "count")
    for kind in draw(st.lists(st.sampled_from(kinds), max_size=most, unique=True)):
        {
            "none": _none,
            "flag": _flag,
            "rate": _rate,
            "list": _list,
            "count": _count,
        }[
            kind
        ](draw, body, names, given)


def _add(body: dict[str, Any], name: str, default: Any) -> str:
    body.setdefault("args", {})[name] = default
    return name


def _let(body: dict[str, Any], names: dict[str, int], name: str, said: str, value: int) -> None:
    body.setdefault("let", {})[name] = said
    names[name] = value


def _none(draw: Draw, body: dict[str, Any], names: dict[str, int], given: dict[str, Any]) -> None:
    """An argument that is None by default, and a size that stands for it."""
    name = _add(body, "mid", None)
    value = draw(st.sampled_from((None, None, draw(st.integers(2, 6)))))
    if value is not None:
        given[name] = value
    other = draw(st.sampled_from((3, 5, *sorted(names))))
    size = names.get(other, other) if isinstance(other, str) else other
    form = draw(st.sampled_from(("{o} if mid is None else mid", "mid or {o}", "mid if mid is not None else {o}", "2 * (mid or {o})", "")))  # fmt: skip
    if form:
        whole = size if value is None else value
        _let(body, names, "inner", form.format(o=other), 2 * whole if form[0] == "2" else whole)


def _flag(draw: Draw, body: dict[str, Any], names: dict[str, int], given: dict[str, Any]) -> None:
    """A flag, perhaps with a size that it decides."""
    default, value = draw(st.booleans()), draw(st.booleans())
    name = _add(body, "flag", default)
    if value != default:
        given[name] = value
    one, other = draw(st.permutations((2, 3, 4, 6)))[:2]
    form = draw(st.sampled_from(("{a} if flag else {b}", "")))
    if form:
        _let(body, names, "chosen", form.format(a=one, b=other), one if value else other)


def _rate(draw: Draw, body: dict[str, Any], names: dict[str, int], given: dict[str, Any]) -> None:
    """A number with a point."""
    default, value = draw(st.sampled_from(RATES)), draw(st.sampled_from(RATES))
    name = _add(body, "rate", default)
    if value != default:
        given[name] = value


def _list(draw: Draw, body: dict[str, Any], names: dict[str, int], given: dict[str, Any]) -> None:
    """A list of sizes."""
    value = draw(st.lists(st.integers(2, 4), min_size=2, max_size=3))
    _add(body, "plan", value)
    names |= {f"plan[{place}]": size for place, size in enumerate(value)}


def _count(draw: Draw, body: dict[str, Any], names: dict[str, int], given: dict[str, Any]) -> None:
    """How often something is repeated."""
    value = draw(st.integers(1, 3))
    _add(body, "times", value)
    names["times"] = value


def conditions(draw: Draw, draft: Draft) -> list[str]:
    """What may stand under `when`, or in a line's `if`."""
    given = draft.body.get("args", {})
    found = []
    for name, value in given.items():
        if isinstance(value, bool):
            found += [name, f"not {name}"]
        elif name == "mid":
            found += ["mid is None", "mid is not None"]
        elif name == "plan":
            found += ["len(plan) > 2", f"plan[0] == {draw(st.integers(2, 4))}"]
    found += [
        f"{name} > {size + draw(st.integers(-1, 1))}"
        for name, size in draft.names.items()
        if name.isidentifier()
    ]
    if len(found) > 1 and draw(st.integers(0, 3)) == 3:
        one, other = draw(st.permutations(found))[:2]
        found.append(f"{one} {draw(st.sampled_from(('and', 'or')))} {other}")
    return found


def decided(draw: Draw, draft: Draft, depth: int) -> bool:
    """A line that an argument decides, or that computes with one."""
    taken = pick(draw, draft)
    if taken is None:
        return False
    forms = [f"a * {size}" for size in draft.names] + [f"a / {size}" for size in draft.names]
    forms += [f"a + {size} / 3" for size in draft.names]
    forms += [f"a * 2 if {test} else a" for test in conditions(draw, draft)]
    forms += [f"a if {test} else a.tanh()" for test in conditions(draw, draft)]
    if "rate" in draft.body.get("args", {}):
        forms += ["a * rate", "F.leaky_relu(a, rate)", "F.dropout(a, p=rate, training=training)"]
    if not forms:
        return False
    target = fresh(draw, draft, ("y", "z", "h", "u"))
    return draft.attempt(
        f"{target} = {substituted(draw(st.sampled_from(forms)), {'a': taken.name})}"
    )


def viewed(draw: Draw, draft: Draft, depth: int) -> bool:
    """A value taken apart by sizes with names: heads, groups, patches."""
    taken = pick(draw, draft)
    if taken is None or not 2 <= taken.rank <= 5 or not taken.batched:
        return False
    place = draw(st.integers(1, taken.rank - 1))
    size = taken.shape[place]
    if size is None:
        return False
    parts: list[Any] = [each for each in (1, 2, 3) if size % each == 0]
    parts += [name for name, known in draft.names.items() if known and size % known == 0]
    part = draw(st.sampled_from(parts))
    target = fresh(draw, draft, ("y", "z", "h", "u"))
    names = [fresh(draw, draft, (word,)) for word in ("n", "p", "q", "r", "k")][: taken.rank]
    whole = draw(st.sampled_from((names[place], f"{taken.name}.shape[{place}]", f"{taken.name}.size({place - taken.rank})")))  # fmt: skip
    rest = draw(st.sampled_from((f"{whole} // {part}", f"{whole} // {part}", "-1", str(size))))
    if rest == str(size):
        rest = f"{size} // {part}"
    dims = [*names[:place], str(part), rest, *names[place + 1 :]]
    call = draw(st.sampled_from(("view", "reshape")))
    unpack = f"{', '.join(names)} = {taken.name}.{draw(st.sampled_from(('shape', 'size()')))}"
    steps = [unpack, f"{target} = {taken.name}.{call}({', '.join(dims)})"]
    if draw(st.booleans()):
        back = fresh(draw, draft, ("back",))
        turn, again = draw(st.sampled_from(((f".transpose(1, {place + 1})", f".transpose(1, {place + 1})"), ("", ""))))  # fmt: skip
        steps[-1] += turn
        steps.append(f"{back} = {target}{again}.reshape({', '.join(names)})")
    return draft.attempt(*steps)


def sliced(draw: Draw, draft: Draft, depth: int) -> bool:
    """A part of a value, by an argument that may be larger than what it is a part of."""
    taken = pick(draw, draft, floating=False)
    if taken is None or taken.rank < 2 or not taken.batched or not draft.names:
        return False
    place = draw(st.integers(1, taken.rank - 1))
    if taken.shape[place] is None:  # a part of what is open is taken to be there
        return False
    name = draw(st.sampled_from(sorted(draft.names)))
    before = ", ".join(":" * place)
    cuts = (f":{name}", f"-{name}:", f"{name}:", f":-{name}", f"1:{name}", f"::{name}", f":{name} + 1", ":3", "-2:")  # fmt: skip
    forms = [f"a[{before}, {cut}]" for cut in cuts]
    forms += [f"a.split({name}, dim={place})[{part}]" for part in (0, 1)]
    forms += [f"a.chunk({name}, dim={place})[{part}]" for part in (0, 1)]
    forms += [f"torch.cat(a.split({name}, dim={place})[:2], dim={place})"]
    target = fresh(draw, draft, ("part",))
    return draft.attempt(
        f"{target} = {substituted(draw(st.sampled_from(forms)), {'a': taken.name})}"
    )


def maybe(draw: Draw, draft: Draft, depth: int) -> bool:
    """A layer that is there or not, and a line that asks."""
    taken, tests = pick(draw, draft), conditions(draw, draft)
    if taken is None or taken.rank not in (2, 3) or not tests:
        return False
    test = draw(st.sampled_from(tests))
    name, target = fresh(draw, draft, ("extra",)), fresh(draw, draft, ("y", "z", "h"))
    width = taken.shape[-1]
    if width is not None and draw(st.booleans()):
        form = draw(st.sampled_from((f"a * {name} if {test} else a", f"a if not ({test}) else a + {name}")))  # fmt: skip
        states: Any = (
            {f"Parameter as {name}": {"shape": [width], "init": initializer(draw)}, "when": test},
            {f"Buffer as {name}": {"value": f"torch.ones({width})"}, "when": test},
        )
        return draft.attempt(
            draw(st.sampled_from(states)),
            f"{target} = {substituted(form, {'a': taken.name})}",
        )
    form = draw(st.sampled_from((f"a + {name} if {test} else a", f"a if not ({test}) else a * {name}")))  # fmt: skip
    return width is not None and draft.attempt(
        {f"Linear as {name}": width, "from": taken.name, "when": test, "otherwise": "none"},
        f"{target} = {substituted(form, {'a': taken.name})}",
    )


def other_value(draw: Draw, name: str, default: Any) -> Any:
    """Another value for an argument that `options` made."""
    if isinstance(default, bool):
        return draw(st.booleans())
    if default is None:
        return draw(st.sampled_from((None, 2, 4)))
    if name == "rate":
        return draw(st.sampled_from(RATES))
    if name == "plan":
        return draw(st.lists(st.integers(2, 4), min_size=len(default), max_size=len(default)))
    return None
