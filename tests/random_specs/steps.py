"""Strategies for steps of all kinds: single layers, lines, and what is made of several layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from nngen.catalog import LAYERS
from tests.random_specs.arguments import arguments
from tests.random_specs.choices import (
    conditions,
    decided,
    maybe,
    options,
    other_value,
    sliced,
    viewed,
)
from tests.random_specs.draft import Draft, Flowing
from tests.random_specs.idioms import holder, idiom
from tests.random_specs.joining import VALUES, finish, join, line, state
from tests.random_specs.layers import (
    NAMES,
    called,
    fresh,
    label,
    layer,
    made,
    paired,
    pooled,
    shortened,
    source,
    spell_or,
    spelled,
    stack,
)

Draw = st.DrawFn


def step(draw: Draw, draft: Draft, depth: int) -> None:
    """Adds a step, or a few that belong together; in three attempts at most."""
    kinds: list[Callable[[Draw, Draft, int], bool]] = [
        layer, layer, layer, layer, layer, line, line, join, called, row, repeated, state, pooled,
        again, paired, stack, conditional, decided, viewed, maybe, sliced,
        block,
    ]  # fmt: skip
    if depth:
        kinds += [block, idiom, idiom, holder]
    if draft.body.get("args"):
        kinds += [decided, decided, conditional, viewed, maybe, sliced]
    for _ in range(3):
        if not draft.values():
            return
        if draw(st.sampled_from(kinds))(draw, draft, depth):
            return


# Several layers


def plain(draw: Draw, draft: Draft, taken: Flowing) -> Any:
    """A layer without name or source, which keeps most shapes."""
    keeping = {
        2: ("Linear", "ReLU", "BatchNorm1d", "LayerNorm", "Dropout", "Tanh", "PReLU", "GELU"),
        3: (
            "Conv1d",
            "ReLU",
            "BatchNorm1d",
            "LayerNorm",
            "Dropout",
            "Linear",
            "MaxPool1d",
            "GroupNorm",
        ),
        4: (
            "Conv2d",
            "ReLU",
            "BatchNorm2d",
            "MaxPool2d",
            "Dropout2d",
            "GroupNorm",
            "InstanceNorm2d",
        ),
        5: ("Conv3d", "ReLU", "BatchNorm3d", "Dropout3d", "AvgPool3d"),
    }.get(taken.rank, ("Identity", "ReLU"))
    kind = draw(st.sampled_from(keeping))
    entry = LAYERS[kind]
    given = spelled(draw, draw(arguments(entry, taken.shape, generous=draw(st.booleans()))), draft)
    return made(kind, shortened(draw, entry, given), {})


def row(draw: Draw, draft: Draft, depth: int) -> bool:
    """A Sequential, some of its layers named or repeated, some blocks."""
    taken, beside = source(draw, draft)
    if taken is None:
        return False
    steps = []
    blocks = [name for name in draft.spec.get("blocks", {}) if name != draft.block]
    if draw(st.integers(0, 4)) == 4:
        beside = {**beside, "repeat": draw(st.sampled_from((2, *_counts(draft))))}
    for number in range(draw(st.sampled_from((0, 1, 1, 2, 2, 2, 3, 3)))):
        child = plain(draw, draft, taken)
        if blocks and draw(st.integers(0, 3)) == 3:
            child = use(draw, draft, draw(st.sampled_from(blocks)))
        (head, given), *rest = (child if isinstance(child, dict) else {child: None}).items()
        if draw(st.integers(0, 3)) == 3:
            head += f" as part{draw(st.sampled_from(('', '-', '_')))}{number}"
        beside_child: dict[str, Any] = dict(rest)
        if " as " not in head and draw(st.integers(0, 5)) == 5:
            beside_child["repeat"] = 2
        if head.split()[0] in ("Linear", "Conv2d") and draw(st.integers(0, 7)) == 7:
            beside_child["init"] = {"bias": "zeros_"}
        steps.append(made(head, given, beside_child))
    return draft.attempt(made(label(draw, draft, "Sequential"), steps, beside))


def repeated(draw: Draw, draft: Draft, depth: int) -> bool:
    """Copies of a layer with weights of their own: a list, or attributes."""
    taken, beside = source(draw, draft)
    if taken is None:
        return False
    child = plain(draw, draft, taken)
    blocks = [name for name in draft.spec.get("blocks", {}) if name != draft.block]
    if blocks and draw(st.booleans()):
        child = use(draw, draft, draw(st.sampled_from(blocks)))
    (head, given), *_ = (child if isinstance(child, dict) else {child: None}).items()
    count = draw(st.sampled_from((2, 3, 1, *_counts(draft))))
    style = draw(st.sampled_from(("list", "named", "attributes", "each")))
    if style == "named":
        head += f" as {fresh(draw, draft, NAMES)}"
    elif style == "attributes":
        word = fresh(draw, draft, ("stage", "level"))
        numbers = ("${i}", "${i + 1}", "_${2 * i}", ".${i}", ".${i + 1}", "-${i}")
        head += f" as {word}" + draw(st.sampled_from(numbers))
    elif style == "each":
        name, value = fresh(draw, draft, NAMES), fresh(draw, draft, ("each",))
        form = draw(st.sampled_from(("torch.tanh({})", "{} * 2", "1 + {}", "{}")))
        call = form.format(f"{name}[i]({value})")
        start, line = f"{value} = {taken.name} * 1", f"{value} = {call}"
        return draft.attempt(start, {f"{head} as {name}": given, "repeat": count, "call": line})
    return draft.attempt({head: given, **beside, "repeat": count})


def _counts(draft: Draft) -> list[str]:
    """The sizes that may say how many copies there are."""
    return [name for name, size in draft.names.items() if 1 <= size <= 3]


def conditional(draw: Draw, draft: Draft, depth: int) -> bool:
    """A layer under a condition, which may ask for the mode."""
    taken, beside = source(draw, draft)
    if taken is None:
        return False
    tests = ["training", "not training", *(found := conditions(draw, draft)), *found]
    tests += [f"training and {test}" for test in found if " or " not in test]
    step_ = plain(draw, draft, taken)
    (head, given), *_ = (step_ if isinstance(step_, dict) else {step_: None}).items()
    if draw(st.booleans()):
        head += f" as {fresh(draw, draft, NAMES)}"
    return draft.attempt({head: given, **beside, "when": draw(st.sampled_from(tests))})


def again(draw: Draw, draft: Draft, depth: int) -> bool:
    """A layer called again: its weights are shared."""
    labels = draft.layers()
    values = [each for each in draft.values() if each.rank]
    if not labels or not values:
        return False
    one = draw(st.sampled_from(values))
    target = fresh(draw, draft, VALUES)
    forms = ["{t} = {l}({a})", "{t} = {a} + {l}({a})"]
    # An integer may be a position: twice that could be out of range.
    forms += ["{t} = F.relu({l}({a} * 2))"] if one.floating else []
    form = draw(st.sampled_from(forms))
    return draft.attempt(form.format(t=target, l=draw(st.sampled_from(labels)), a=one.name))


def block(draw: Draw, draft: Draft, depth: int) -> bool:
    """A use of a block, mostly of a new one."""
    names = [name for name in draft.spec.get("blocks", {}) if name != draft.block]
    if not depth and not names:
        return False
    if names and (not depth or draw(st.booleans())):
        taken, beside = source(draw, draft)
        chosen = draw(st.sampled_from(names))
        if taken is None:
            return False
        more = draft.spec["blocks"][chosen].get("inputs", ["x"])
        if len(more) > 1:
            beside = {"from": [draw(st.sampled_from(draft.values())).name for _ in more]}
        child = use(draw, draft, chosen)
        (head, given), *_ = (child if isinstance(child, dict) else {child: None}).items()
        if draw(st.booleans()):
            head += f" as {fresh(draw, draft, NAMES)}"
        if len(more) == 1 and draw(st.integers(0, 4)) == 4:
            beside["repeat"] = draw(st.sampled_from((2, *_counts(draft))))
        return draft.attempt(made(head, given, beside))
    return new_block(draw, draft, depth)


def use(draw: Draw, draft: Draft, name: str) -> Any:
    """A use of a block that there is, with arguments of its own."""
    given: dict[str, Any] = {}
    for argument, default in draft.spec["blocks"][name].get("args", {}).items():
        if default == "required" or draw(st.booleans()):
            given[argument] = (
                spell_or(draw, draft, draw(st.integers(1, 5)))
                if default == "required" or type(default) is int
                else other_value(draw, argument, default)
            )
    return made(name, given, {})


def new_block(draw: Draw, draft: Draft, depth: int) -> bool:
    """A block of its own, drawn on the values that its first use gives it."""
    values = [each for each in draft.values() if each.floating and each.rank > 1]
    if not values or len(draft.spec.get("blocks", {})) > 2:
        return False
    count = draw(st.sampled_from((1, 1, 2, 2, 3)))
    taken = [draw(st.sampled_from(values)) for _ in range(count)]
    name = f"Block{len(draft.spec.get('blocks', {})) + 1}"
    body: dict[str, Any] = {}
    sizes = draw(st.lists(st.integers(1, 5), max_size=2))
    known: dict[str, int] = {f"width{n}" if n else "width": size for n, size in enumerate(sizes)}
    if known:
        body["args"] = {
            key: draw(st.sampled_from(("required", value))) for key, value in known.items()
        }
    passed: dict[str, Any] = {
        k: v for k, v in known.items() if body["args"][k] == "required" or draw(st.booleans())
    }
    options(draw, body, known, passed)
    inputs = ["x", "other", "third"][:count]
    if count > 1:
        body["inputs"] = inputs
    body["layers"] = []
    beside = {"from": taken[0].name if count == 1 else [each.name for each in taken]}
    use_step = made(name, passed, beside)
    blocks = draft.spec.setdefault("blocks", {})
    blocks[name] = body
    draft.body["layers"].append(use_step)
    first = taken[0].shape
    known |= {
        k: s for k, s in (("in_channels", first[1]), ("in_features", first[-1])) if s is not None
    }
    start = tuple(Flowing(i, each.shape, each.dtype, False) for i, each in zip(inputs, taken))
    inner = Draft(draft.spec, body, name, known, start=start)
    for _ in range(draw(st.integers(1, 4))):
        step(draw, inner, 0)
    if body["layers"] and finish(draw, inner) and draft.update():
        return True
    draft.body["layers"].pop()
    del blocks[name]
    if not blocks:
        del draft.spec["blocks"]
    draft.update()
    return False
