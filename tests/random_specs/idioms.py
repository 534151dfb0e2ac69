"""Strategies for what models are often made of: each adds a block and its uses, with numbers and names drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tests.random_specs.draft import Draft, Flowing
from tests.random_specs.layers import NAMES, fresh, key, pick, spell_or

Draw = st.DrawFn
Steps = list[Any]


def idiom(draw: Draw, draft: Draft, depth: int) -> bool:
    """A block of a usual form, used once or more."""
    if draft.block or len(draft.spec.get("blocks", {})) > 2:
        return False
    return draw(st.sampled_from(IDIOMS))(draw, draft)


def holder(draw: Draw, draft: Draft, depth: int) -> bool:
    """What holds weights and takes nothing: a layer that is only built, or a block without inputs."""
    is_block = not draft.block and draw(st.booleans())
    return table(draw, draft) if is_block else uncalled(draw, draft)


def _try(draft: Draft, blocks: dict[str, Any], *steps: Any) -> bool:
    """Adds blocks and steps, or nothing."""
    held = draft.spec.setdefault("blocks", {})
    held |= blocks
    if draft.attempt(*steps):
        if draft.whole():
            return True
        del draft.body["layers"][-len(steps) :]
    for name in blocks:
        del held[name]
    if not held:
        del draft.spec["blocks"]
    draft.update()
    return False


def _name(draft: Draft) -> str:
    return f"Block{len(draft.spec.get('blocks', {})) + 1}"


def _count(draw: Draw, draft: Draft) -> Any:
    """How often: a number, or an argument."""
    few = [name for name, size in draft.names.items() if 1 <= size <= 3 and name.isidentifier()]
    return draw(st.sampled_from((1, 2, 3, *few, *few)))


def _sequence(draw: Draw, draft: Draft) -> Flowing | None:
    values = [each for each in draft.values() if each.floating and each.batched and each.rank == 3]
    return draw(st.sampled_from(values)) if values else None


def growing(draw: Draw, draft: Draft) -> bool:
    """Copies each of which adds channels to what it is given; what follows infers its size."""
    taken = pick(draw, draft)
    if taken is None or taken.rank not in (2, 3, 4) or not taken.batched:
        return False
    name, size = _name(draft), draw(st.integers(1, 3))
    layer = {2: "Linear", 3: "Conv1d", 4: "Conv2d"}[taken.rank]
    given: Any = size if taken.rank == 2 else {"out_channels": size, "kernel_size": 1}
    body: dict[str, Any] = {
        "layers": [{f"{layer} as grown": given}, "y = torch.cat([x, grown], 1)"]
    }
    if draw(st.booleans()):
        body["args"] = {"more": size}
        given = "more" if taken.rank == 2 else {"out_channels": "more", "kernel_size": 1}
        body["layers"][0] = {f"{layer} as grown": given}
    use = {f"{name} as {fresh(draw, draft, NAMES)}": None, "from": taken.name}
    last: Any = 2 if taken.rank == 2 else {"out_channels": 2, "kernel_size": 1}
    return _try(draft, {name: body}, {**use, "repeat": _count(draw, draft)}, {layer: last})


def beside(draw: Draw, draft: Draft) -> bool:
    """A block of two inputs, in which a block takes the second."""
    values = [each for each in draft.values() if each.floating and each.batched and each.rank == 2]
    if not values:
        return False
    one, other = draw(st.sampled_from(values)), draw(st.sampled_from(values))
    inner, outer, size = _name(draft), f"{_name(draft)}Pair", draw(st.integers(1, 4))
    line = draw(st.sampled_from(("x = x2 * 0.5", "both = torch.cat([x1, x2], 1)", "")))
    source = line.partition(" ")[0] or draw(st.sampled_from(("x2", "x1")))
    blocks = {
        inner: {
            "layers": [
                {"Linear as fc": size},
                draw(st.sampled_from(("ReLU", "y = fc / in_features"))),
            ]
        },
        outer: {
            "inputs": ["x1", "x2"],
            "layers": [
                *([line] if line else []),
                {f"{inner} as m": None, "from": source},
                "z = x1.sum() + m + x2.mean()",
            ],
        },
    }
    uses: Steps = [
        {f"{outer} as {fresh(draw, draft, NAMES)}": None, "from": [one.name, other.name]}
    ]
    if draw(st.booleans()):
        again = fresh(draw, draft, ("again",))
        uses.append({f"{outer} as {again}": None, "from": [other.name, one.name]})
    return _try(draft, blocks, *uses)


def named(draw: Draw, draft: Draft) -> bool:
    """A block called with its inputs by name, perhaps in copies."""
    taken = _sequence(draw, draft) or pick(draw, draft)
    if taken is None or taken.shape[-1] is None or not taken.batched or taken.rank < 2:
        return False
    name, label = _name(draft), fresh(draw, draft, NAMES)
    body: dict[str, Any] = {
        "inputs": ["x", "scale", "shift"],
        "layers": [{"Linear as fc": "in_features"}, "y = fc * scale + shift"],
    }
    target = fresh(draw, draft, ("h",))
    other = draw(st.sampled_from([each for each in draft.values() if each.shape == taken.shape]))
    forms = (
        "{t} = {l}({a}, shift={b}, scale={a})",
        "{t} = {l}({a}, {b}, shift={b} * 2)",
        "{t} = {l}(x={a}, scale={b}, shift={a})",
        "{t} = {l}({a}, {b}, {a})",
    )
    form = draw(st.sampled_from(forms))
    repeat = draw(st.sampled_from((None, _count(draw, draft))))
    if repeat is None:
        call = form.format(t=target, l=label, a=taken.name, b=other.name)
        return _try(draft, {name: body}, {f"{name} as {label}": None, "call": call})
    start = f"{target} = {taken.name} * 1"
    call = form.format(t=target, l=label, a=target, b=other.name)
    return _try(
        draft, {name: body}, start, {f"{name} as {label}": None, "call": call, "repeat": repeat}
    )


def heads(draw: Draw, draft: Draft) -> bool:
    """Attention that is written out, with heads by name."""
    taken = _sequence(draw, draft)
    if taken is None or taken.shape[2] is None or taken.shape[2] > 64:
        return False
    width = taken.shape[2]
    count = draw(st.sampled_from([each for each in (1, 2, 3, 4) if width % each == 0]))
    mask = draw(st.sampled_from(("", "w = w.masked_fill(torch.ones(t, t, dtype=torch.bool).triu(1), float('-inf'))")))  # fmt: skip
    root = draw(st.sampled_from(("math.sqrt(c // heads)", "(c // heads) ** 0.5", "math.sqrt(in_features // heads)")))  # fmt: skip
    split = draw(st.sampled_from(("view(b, t, heads, c // heads).transpose(1, 2)", "reshape(b, t, heads, -1).transpose(1, 2)", "unflatten(-1, (heads, -1)).transpose(1, 2)")))  # fmt: skip
    body = {
        "args": {"heads": draw(st.sampled_from(("required", count)))},
        "layers": [
            {"Linear as qkv": draw(st.sampled_from(("3 * in_features", 3 * width)))},
            "b, t, c = x.shape",
            "q, k, v = qkv.chunk(3, dim=-1)",
            f"q = q.{split}",
            f"k = k.{split}",
            f"v = v.{split}",
            f"w = (q @ k.transpose(-2, -1)) / {root}",
            *([mask] if mask else []),
            "w = F.softmax(w, dim=-1)",
            draw(
                st.sampled_from(
                    (
                        "y = (w @ v).transpose(1, 2).reshape(b, t, c)",
                        "y = (w @ v).transpose(1, 2).contiguous().view(b, t, c)",
                        "y = (w @ v).transpose(1, 2).flatten(2)",
                    )
                )
            ),
        ],
    }
    name = _name(draft)
    use: dict[str, Any] = {f"{name} as {fresh(draw, draft, NAMES)}": {"heads": spell_or(draw, draft, count)}, "from": taken.name}  # fmt: skip
    if draw(st.booleans()):
        use["repeat"] = _count(draw, draft)
    return _try(draft, {name: body}, use)


def residual(draw: Draw, draft: Draft) -> bool:
    """A block whose arguments may be None, used with and without them."""
    taken = pick(draw, draft)
    if taken is None or taken.rank not in (3, 4) or not taken.batched or taken.shape[1] is None:
        return False
    rank = taken.rank - 2
    size = taken.shape[1]
    kernel = draw(st.sampled_from(({"kernel_size": 1}, {"kernel_size": 3, "padding": 1})))
    let = draw(st.sampled_from(({"width": "planes if mid is None else mid"}, {"width": "mid or planes"}, {"width": "2 * planes if mid is None else mid", "wider": "width + 1"})))  # fmt: skip
    inner = "wider" if "wider" in let else "width"
    conv, norm = f"Conv{rank}d", f"BatchNorm{rank}d"
    body = {
        "args": {"planes": "required", "mid": None, "project": False},
        "let": let,
        "layers": [
            {f"{conv} as conv1": {"out_channels": inner, **kernel}},
            draw(st.sampled_from((norm, {norm: {"eps": 1e-3}}, "ReLU"))),
            {f"{conv} as conv2": {"out_channels": "planes", "kernel_size": 1}},
            {
                f"{conv} as skip": {"out_channels": "planes", "kernel_size": 1},
                "from": "x",
                "when": "project",
            },
            "y = skip + conv2",
        ],
    }
    name = _name(draft)
    planes = draw(st.integers(1, 5))
    projected: dict[str, Any] = {"planes": planes, "project": True}
    kept: dict[str, Any] = {"planes": spell_or(draw, draft, planes)}
    if draw(st.booleans()):
        projected["mid"] = draw(st.integers(2, 5))
    if draw(st.booleans()):
        kept["mid"] = draw(st.integers(2, 5))
    uses: Steps = [{name: projected, "from": taken.name}, {f"{name} as {fresh(draw, draft, NAMES)}": kept}]  # fmt: skip
    if planes == size and draw(st.booleans()):
        uses = [{name: kept, "from": taken.name}, {name: projected}]
    if draw(st.booleans()):
        uses[-1]["repeat"] = _count(draw, draft)
    return _try(draft, {name: body}, *uses)


def windows(draw: Draw, draft: Draft) -> bool:
    """A block that takes a number or a list for one argument."""
    taken = pick(draw, draft)
    if taken is None or taken.rank != 4 or not taken.batched:
        return False
    name, stride = _name(draft), draw(st.booleans())
    given: dict[str, Any] = {"out_channels": "planes", "kernel_size": "k"}
    body: dict[str, Any] = {
        "args": {"planes": "required", "k": 1},
        "layers": [{"Conv2d as conv": given}],
    }
    if stride:
        body["args"]["s"] = None
        body["let"] = {"step": "1 if s is None else s"}
        given["stride"] = "step"
    size = st.sampled_from((1, 2, [1, 2], [2, 1], [2, 2]))
    uses: Steps = []
    for number in range(2):
        passed: dict[str, Any] = {"planes": draw(st.integers(1, 4))}
        if draw(st.booleans()):
            passed["k"] = draw(size)
        if stride and draw(st.booleans()):
            passed["s"] = draw(st.integers(1, 2))
        uses.append({name: passed, **({} if number else {"from": taken.name})})
    return _try(draft, {name: body}, *uses)


def copied(draw: Draw, draft: Draft) -> bool:
    """Copies of a Sequential of blocks."""
    taken = pick(draw, draft)
    if taken is None or taken.rank not in (2, 3) or taken.shape[-1] is None or not taken.batched:
        return False
    name = _name(draft)
    body: dict[str, Any] = {"layers": [{"Linear as fc": "in_features"}, "ReLU"]}
    children = draw(st.sampled_from(([name], [name, name], [name, "Tanh"], [{"Sequential": [name]}, name])))  # fmt: skip
    count = draw(st.sampled_from((2, _count(draw, draft))))
    label = draw(st.sampled_from(("Sequential", f"Sequential as {fresh(draw, draft, NAMES)}")))
    return _try(draft, {name: body}, {label: children, "from": taken.name, "repeat": count})


def rows(draw: Draw, draft: Draft) -> bool:
    """A Sequential that repeats one block in several places."""
    taken = pick(draw, draft)
    if taken is None or taken.rank not in (2, 3) or taken.shape[-1] is None or not taken.batched:
        return False
    name = _name(draft)
    body: dict[str, Any] = {"layers": [{"Linear as fc": "in_features"}, "ReLU"]}
    children = [
        {name: None, **({"repeat": _count(draw, draft)} if draw(st.booleans()) else {})}
        for _ in range(draw(st.integers(2, 4)))
    ]
    return _try(draft, {name: body}, {"Sequential": children, "from": taken.name})


def table(draw: Draw, draft: Draft) -> bool:
    """A block without inputs, whose parameter is added."""
    taken = pick(draw, draft)
    if taken is None or not taken.floating or None in taken.shape[-1:] or not taken.rank:
        return False
    name, size = _name(draft), taken.shape[-1]
    held = {"shape": [size], "init": draw(st.sampled_from(("ones_", "normal_")))}
    last = draw(st.sampled_from(("y = table.tanh()", "y = table * 2")))
    body = {"inputs": [], "layers": [{"Parameter as table": held}, last]}
    word, sum_ = fresh(draw, draft, NAMES), fresh(draw, draft, ("placed",))
    again = draw(st.sampled_from(("", f" * {word}()")))
    return _try(draft, {name: body}, f"{name} as {word}", f"{sum_} = {taken.name} + {word}{again}")


HELD: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Linear", {"in_features": 3, "out_features": 2}),
    ("Conv2d", {"in_channels": 2, "out_channels": 4, "kernel_size": 3}),
    ("BatchNorm1d", {"num_features": 3}),
    ("LayerNorm", {"normalized_shape": 5}),
    ("Embedding", {"num_embeddings": 4, "embedding_dim": 3}),
    ("GRU", {"input_size": 2, "hidden_size": 3}),
    ("PReLU", {}),
    ("Tanh", {}),
)


def uncalled(draw: Draw, draft: Draft) -> bool:
    """A layer that is only built."""
    kind, given = draw(st.sampled_from(HELD))
    beside = draw(st.sampled_from(({}, {"init": {"*": "ones_"}} if given else {})))
    return draft.attempt({f"{kind} as {key(draw, draft)}": given or None, "call": "none", **beside})


IDIOMS: tuple[Callable[[Draw, Draft], bool], ...] = (
    *(growing, beside, named, heads),
    *(residual, windows, copied, rows),
)
