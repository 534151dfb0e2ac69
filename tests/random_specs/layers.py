"""Strategies for single layers: each draws a candidate, and adds it to the draft if nngen can follow it."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from hypothesis import strategies as st

from nngen.catalog import LAYERS, Trait
from nngen.catalog.entry import Layer
from nngen.catalog.initializers import INITIALIZERS
from tests.random_specs.arguments import arguments
from tests.random_specs.draft import Draft, Flowing

Draw = st.DrawFn

# Layers that give several values or take more than tensors, with the lines that call them; `a` and `b` are values.
CALLED = {
    "RNN": ("y, _ = self(a)", "y, h = self(a)", "_, y = self(a)"),
    "GRU": ("y, _ = self(a)", "y, h = self(a)", "_, y = self(a)"),
    "LSTM": ("y, _ = self(a)", "y, (h, _) = self(a)", "y, (h, c) = self(a)", "_, (_, y) = self(a)"),
    "LSTMCell": ("y, _ = self(a)", "y, h = self(a)"),
    "RNNCell": ("y = self(a)", "y = self(a, self(a))"),
    "GRUCell": ("y = self(a)", "y = self(a, self(a))"),
    "MultiheadAttention": (
        "y, _ = self(a, a, a)", "y, _ = self(a, a, a, need_weights=False)", "y, h = self(a, b, b)",
        "y, _ = self(a, b, b)", "y, h = self(a, a, a, average_attn_weights=False)",
    ),
    "TransformerDecoderLayer": ("y = self(a, b)", "y = self(a, a)"),
    "Transformer": ("y = self(a, b)", "y = self(a, a)"),
    "MaxPool1d": ("y, _ = self(a)",),
    "MaxPool2d": ("y, _ = self(a)",),
    "MaxPool3d": ("y, _ = self(a)",),
    "AdaptiveMaxPool2d": ("y, _ = self(a)",),
    "FractionalMaxPool2d": ("y, _ = self(a)",),
    "AdaptiveLogSoftmaxWithLoss": (),
}  # fmt: skip
POOLS = {
    3: ("MaxPool1d", "MaxUnpool1d"),
    4: ("MaxPool2d", "MaxUnpool2d"),
    5: ("MaxPool3d", "MaxUnpool3d"),
}
PAIRED = ("Bilinear", "CosineSimilarity", "PairwiseDistance", "TransformerDecoderLayer")
STACKS = {"TransformerEncoder": "encoder_layer", "TransformerDecoder": "decoder_layer"}
OUTSIDE = ("EmbeddingBag", "Fold", *STACKS, *PAIRED)  # what needs a strategy of its own
NAMES = ("conv", "fc", "norm", "act", "head", "stem", "proj", "branch", "mix", "gate")


@cache
def suitable(rank: int, dtype: str) -> tuple[str, ...]:
    """The layers of which an example takes one input of this rank, the batch counted."""
    found = []
    for name, entry in LAYERS.items():
        if entry.is_loss or name in CALLED or name in OUTSIDE or "Unpool" in name:
            continue
        if any(_takes(each.inputs, rank, dtype) for each in entry.examples if not each.call):
            found.append(name)
    return tuple(found)


def _takes(inputs: tuple[Any, ...], rank: int, dtype: str) -> bool:
    if len(inputs) != 1:
        return False
    given = inputs[0] if isinstance(inputs[0], dict) else {"shape": inputs[0]}
    fits = len(given["shape"]) + given.get("batch", True) == rank
    return fits and given.get("dtype", "float32") == dtype


def layer(draw: Draw, draft: Draft, depth: int) -> bool:
    """A layer of torch.nn on the running value, or on another one."""
    taken, beside = source(draw, draft)
    if taken is None:
        return False
    kinds = suitable(taken.rank, taken.dtype)
    if not kinds:
        return False
    kind = draw(st.sampled_from(kinds))
    entry = LAYERS[kind]
    given = spelled(draw, draw(arguments(entry, taken.shape)), draft)
    return draft.attempt(
        made(
            label(draw, draft, kind),
            shortened(draw, entry, given),
            beside | extras(draw, entry, kind),
        )
    )


def source(draw: Draw, draft: Draft) -> tuple[Flowing | None, dict[str, Any]]:
    """The value that a layer takes, and `from` where it has to be said."""
    running = draft.running()
    if running is None or not running.rank or draw(st.integers(0, 4)) == 4:
        taken = pick(draw, draft, floating=False)
        return taken, {} if taken is None else {"from": taken.name}
    return running, {}


def made(head: str, given: Any, beside: dict[str, Any]) -> Any:
    """A step as YAML has it."""
    empty = given is None or given == {}
    return head if empty and not beside else {head: None if empty else given, **beside}


def label(draw: Draw, draft: Draft, kind: str) -> str:
    """The head of a step: its kind, and mostly no name."""
    return kind if draw(st.integers(0, 2)) else f"{kind} as {key(draw, draft)}"


def key(draw: Draw, draft: Draft) -> str:
    """A name that no layer has yet, at times one in a container, or one that is none of Python's."""
    name = fresh(draw, draft, NAMES)
    counted = len(re.findall(r" as rows\.[0-9]", repr(draft.body)))
    forms = [name, name, name, f"rows.{counted}", f"box.{name}", f"box.inner.{name}", f"{name}-0"]
    return draw(st.sampled_from(forms))


def fresh(draw: Draw, draft: Draft, words: tuple[str, ...]) -> str:
    """A name that nothing has yet."""
    text = repr(draft.body) + repr(draft.names) + repr(draft.spec.get("args", {}))
    word = draw(st.sampled_from(words))
    taken = set(re.findall(r"\w+", text))
    return (
        word
        if word not in taken
        else next(f"{word}{n}" for n in range(2, 99) if f"{word}{n}" not in taken)
    )


def shortened(draw: Draw, entry: Layer, given: dict[str, Any]) -> Any:
    """Arguments as the shorthand argument alone, where that may be."""
    shorthand = (
        len(given) == 1
        and entry.shorthand in given
        and not isinstance(next(iter(given.values())), (list, dict))
    )
    return (
        given[str(entry.shorthand)]
        if shorthand and draw(st.booleans()) and given[str(entry.shorthand)] is not None
        else given
    )


def spelled(draw: Draw, given: dict[str, Any], draft: Draft) -> dict[str, Any]:
    """Arguments in which some sizes are expressions over the names there are."""
    if not draft.names:
        return given
    return {
        key: spell(draw, value, draft.names) if type(value) is int and value > 0 else value
        for key, value in given.items()
    }


def spell(draw: Draw, size: int, names: dict[str, int]) -> Any:
    """A size as a number, or as an expression over names."""
    if not draw(st.booleans()):
        return size
    name = draw(st.sampled_from(sorted(names)))
    known = names[name]
    if size == known:
        return name
    if known and size % known == 0:
        return f"{size // known} * {name}"
    if known % size == 0:
        return f"{name} // {known // size}"
    return f"{name} + {size - known}" if size > known else f"{name} - {known - size}"


def extras(draw: Draw, entry: Layer, kind: str) -> dict[str, Any]:
    """What may stand beside a layer with parameters: a modifier, a redraw."""
    if draw(st.integers(0, 5)) != 5:
        return {}
    if Trait.MODIFIABLE in LAYERS[kind].traits and draw(st.booleans()):
        return draw(
            st.sampled_from(
                [{"weight_norm": {}}, {"weight_norm": {"dim": 1}}, {"weight_norm": {"dim": None}}]
                + [
                    {"spectral_norm": {}},
                    {"spectral_norm": {"n_power_iterations": 2}},
                    {"spectral_norm": {"dim": 1}},
                ]
            )
        )
    if not entry.state:
        return {}
    patterns = ["weight", "bias", "*", f"{kind}.weight", f"{kind}.bias"]
    return {"init": {draw(st.sampled_from(patterns)): initializer(draw)}}


def initializer(draw: Draw) -> Any:
    """A function of torch.nn.init, with arguments or without."""
    name = draw(st.sampled_from(sorted(INITIALIZERS)))
    given = {
        "constant_": [0.5, {"val": 2.0}],
        "normal_": [None, {"std": 0.02}, {"mean": 1.0, "std": 0.5}, {"std": "1 / sqrt(fan_in)"}],
        "uniform_": [None, {"a": -0.1, "b": 0.1}, {"b": 0.5}, {"a": "-1 / fan_out"}],
        "trunc_normal_": [None, {"std": 0.02}, {"std": "sqrt(2 / fan_in)", "a": -1, "b": 1}],
        "kaiming_normal_": [None, {"mode": "fan_out", "nonlinearity": "relu"}, {"a": 0.1}],
        "kaiming_uniform_": [None, {"mode": "fan_out"}, {"nonlinearity": "tanh"}],
        "xavier_uniform_": [None, {"gain": 0.5}, 0.3],
        "orthogonal_": [None, {"gain": 2}],
    }.get(name, [None])
    value = draw(st.sampled_from(given))
    return name if value is None else {name: value}


def called(draw: Draw, draft: Draft, depth: int) -> bool:
    """A layer that a line calls."""
    kind = draw(st.sampled_from([name for name, forms in CALLED.items() if forms]))
    entry, form = LAYERS[kind], draw(st.sampled_from(CALLED[kind]))
    values = [each for each in draft.values() if each.floating and each.rank == _rank_of(kind)]
    if not values:
        return False
    one, other = draw(st.sampled_from(values)), draw(st.sampled_from(values))
    name = fresh(draw, draft, (entry.prefix, *NAMES[:3]))
    given = draw(arguments(entry, one.shape))
    if "Pool" in kind:
        given["return_indices"] = True
    if kind in ("RNN", "GRU", "LSTM") and draw(st.booleans()):
        given["batch_first"] = True
    words = {"self": name, "a": one.name, "b": other.name}
    for word in ("y", "h", "c"):
        words[word] = fresh(draw, draft, (f"{word}_{name}",))
    text = substituted(form, words)
    return draft.attempt(made(f"{kind} as {name}", spelled(draw, given, draft), {"call": text}))


def _rank_of(kind: str) -> int:
    if "Cell" in kind:
        return 2
    return int(kind[-2]) + 2 if "Pool" in kind else 3


def pooled(draw: Draw, draft: Draft, depth: int) -> bool:
    """A pooling that keeps its indices, and the unpooling that takes them; or windows to columns and back."""
    taken = pick(draw, draft)
    if taken is None or taken.rank not in POOLS:
        return False
    if taken.rank == 4 and draw(st.booleans()):
        size = list(taken.shape[2:])
        given = {
            "kernel_size": 2,
            **draw(st.sampled_from([{}, {"stride": 2}, {"padding": 1}, {"dilation": 2}])),
        }
        return None not in size and draft.attempt(
            {"Unfold": dict(given), "from": taken.name}, {"Fold": {"output_size": size, **given}}
        )
    if any(size is None or size % 2 for size in taken.shape[2:]):
        return False  # an index of the last one would be beyond what is unpooled
    down, up = POOLS[taken.rank]
    pool, unpool = fresh(draw, draft, ("pool",)), fresh(draw, draft, ("unpool",))
    value, places = fresh(draw, draft, ("pooled",)), fresh(draw, draft, ("indices",))
    given = {"kernel_size": 2, **draw(st.sampled_from([{}, {"stride": 2}]))}
    line_ = f"{value}, {places} = {pool}({taken.name})"
    after = [f"{value}_ = {value} * 2".replace("_ =", "2 =")] if draw(st.booleans()) else []
    last = f"{value}2" if after else value
    return draft.attempt(
        {f"{down} as {pool}": {**given, "return_indices": True}, "call": line_},
        *after,
        {f"{up} as {unpool}": dict(given), "from": [last, places]},
    )


def paired(draw: Draw, draft: Draft, depth: int) -> bool:
    """A layer that takes two values."""
    kind = draw(st.sampled_from(PAIRED))
    values = [each for each in draft.values() if each.floating and each.rank > 1]
    if not values:
        return False
    one, other = draw(st.sampled_from(values)), draw(st.sampled_from(values))
    given = draw(arguments(LAYERS[kind], one.shape))
    return draft.attempt({label(draw, draft, kind): given or None, "from": [one.name, other.name]})


def stack(draw: Draw, draft: Draft, depth: int) -> bool:
    """A stack of transformer layers, or an embedding bag."""
    values = [each for each in draft.values() if each.rank == 3 and each.floating]
    whole = [each for each in draft.values() if each.dtype == "int64" and each.rank == 2]
    if whole and (not values or draw(st.booleans())):
        taken = draw(st.sampled_from(whole))
        given = draw(arguments(LAYERS["EmbeddingBag"], taken.shape))
        return draft.attempt({label(draw, draft, "EmbeddingBag"): given, "from": taken.name})
    if not values:
        return False
    kind = draw(st.sampled_from(sorted(STACKS)))
    one, other = draw(st.sampled_from(values)), draw(st.sampled_from(values))
    inner = f"{kind}Layer"
    given = {STACKS[kind]: {inner: draw(arguments(LAYERS[inner], one.shape))}}
    given |= draw(arguments(LAYERS[kind], one.shape))
    norm = draw(st.sampled_from([None, None, "LayerNorm", "RMSNorm"]))
    if norm:
        given["norm"] = (
            {norm: draw(st.sampled_from([None, {"eps": 1e-3}]))} if draw(st.booleans()) else norm
        )
    sources = one.name if kind == "TransformerEncoder" else [one.name, other.name]
    return draft.attempt({label(draw, draft, kind): given, "from": sources})


def pick(draw: Draw, draft: Draft, floating: bool = True) -> Flowing | None:
    """A value to go on with: the running one, or another."""
    values = [each for each in draft.values() if each.rank and (each.floating or not floating)]
    waiting = [each for each in values if not each.used]
    return draw(st.sampled_from(waiting or values)) if values else None


def spell_or(draw: Draw, draft: Draft, size: int) -> Any:
    return spell(draw, size, draft.names) if draft.names else size


def substituted(form: str, words: dict[str, str]) -> str:
    """A template with names put in."""
    pattern = r"(?<![\w.'])(" + "|".join(words) + r")(?!\w|=(?!=)|')"
    return re.sub(pattern, lambda match: words[match[1]], form)
