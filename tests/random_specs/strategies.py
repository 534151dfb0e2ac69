"""The strategy for whole specs."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from nngen.catalog import LAYERS
from tests.random_specs.arguments import arguments
from tests.random_specs.choices import options
from tests.random_specs.draft import Draft, Flowing, drop_unused
from tests.random_specs.joining import finish
from tests.random_specs.layers import initializer, spell, substituted
from tests.random_specs.steps import step

Draw = st.DrawFn

# The losses, by how many outputs of one shape they take, and at least how many dimensions these have.
SCORES = {
    "CrossEntropyLoss": 2, "NLLLoss": 2, "MultiLabelMarginLoss": 2, "MultiLabelSoftMarginLoss": 2, "MultiMarginLoss": 2,
    "BCEWithLogitsLoss": 1, "BCELoss": 1, "SoftMarginLoss": 1, "HingeEmbeddingLoss": 1, "MSELoss": 1, "L1Loss": 1,
    "SmoothL1Loss": 1, "HuberLoss": 1, "KLDivLoss": 1, "PoissonNLLLoss": 1, "LinearCrossEntropyLoss": 2,
    "AdaptiveLogSoftmaxWithLoss": 2, "CTCLoss": 3,
}  # fmt: skip
SEVERAL = {
    "CosineEmbeddingLoss": 2, "MarginRankingLoss": 2, "GaussianNLLLoss": 2, "TripletMarginLoss": 3,
    "TripletMarginWithDistanceLoss": 3,
}  # fmt: skip
FLAT = (
    "MultiLabelMarginLoss",
    "MultiMarginLoss",
    "LinearCrossEntropyLoss",
    "AdaptiveLogSoftmaxWithLoss",
    *SEVERAL,
)
MOST_CLASSES = 1_000  # a loss may take the square of them
RULES = (
    "Linear.weight", "Linear.bias", "Conv2d.weight", "Conv1d.bias", "BatchNorm2d.weight", "LayerNorm.weight",
    "Embedding.weight", "*.weight", "*.bias", "*",
)  # fmt: skip


@st.composite
def specs(draw: Draw, most: int = 6) -> dict[str, Any]:
    """A spec with some steps: nearly always one that nngen takes."""
    spec: dict[str, Any] = {"name": "Model"}
    names: dict[str, int] = {}
    given: dict[str, Any] = {}
    if draw(st.integers(0, 3)) == 3:
        names = {
            name: draw(st.integers(2, 6))
            for name in draw(st.sampled_from((("width",), ("width", "depth"))))
        }
        spec["args"] = dict(names)
        if draw(st.integers(0, 2)) == 2:
            spec["args"]["width"] = "required"
            given["width"] = names["width"]
        if draw(st.booleans()):
            spec["let"] = {"wide": "2 * width"}
            names["wide"] = 2 * names["width"]
    if draw(st.booleans()):
        options(draw, spec, names, given)
    if given:
        spec["check"] = given
    start = draw_inputs(draw, spec, names)
    spec["layers"] = []
    draft = Draft(spec, spec, names=names, start=start)
    for _ in range(draw(st.integers(1, most))):
        step(draw, draft, 1)
    if not spec["layers"]:
        first = start[0]
        draft.attempt(f"y = {first.name}.float() * 2")
    if draw(st.booleans()):
        loss(draw, draft)
    if "loss" not in spec:
        finish(draw, draft)
    drop_unused(spec)
    redraws(draw, draft)
    orders(draw, draft)
    return spec


def draw_inputs(draw: Draw, spec: dict[str, Any], names: dict[str, int]) -> tuple[Flowing, ...]:
    """One input or two; what flows in."""
    one = draw_input(draw, spec, names)
    if draw(st.integers(0, 3)) < 3:
        if "dtype" in one or draw(st.integers(0, 4)) == 4:
            given = {
                draw(st.sampled_from(("x", "tokens", "image"))): (
                    one if "dtype" in one else one["shape"]
                )
            }
            spec["inputs"] = given
        else:
            spec["input"] = one["shape"]
            given = {"x": one}
    else:
        other = one if draw(st.booleans()) else draw_input(draw, spec, names)
        words = draw(st.sampled_from((("left", "right"), ("x", "condition"), ("image", "tokens"))))
        given = {
            name: each if "dtype" in each else each["shape"]
            for name, each in zip(words, (one, other))
        }
        spec["inputs"] = given
    return tuple(_flowing(name, each, names) for name, each in given.items())


def draw_input(draw: Draw, spec: dict[str, Any], names: dict[str, int]) -> dict[str, Any]:
    """A vector, a sequence, an image, a volume, or tokens; one size may be open, another have a name."""
    few, side = st.integers(2, 6), st.integers(4, 8)
    kind = draw(
        st.sampled_from(("vector", "image", "sequence", "image", "sequence", "tokens", "volume"))
    )
    if kind == "tokens":
        shape: list[Any] = [draw(st.integers(2, 5))]
        if draw(st.integers(0, 3)) == 3:
            spec["check"] = {**spec.get("check", {}), "T": shape[0]}
            shape = ["T"]
        return {"shape": shape, "dtype": "int64", "below": 6}
    sizes = {
        "vector": (few,),
        "sequence": (few, side),
        "image": (few, side, side),
        "volume": (few, *(st.integers(3, 4),) * 3),
    }
    shape = [draw(size) for size in sizes[kind]]
    if kind == "sequence" and draw(st.integers(0, 4)) == 4:
        spec["check"] = {**spec.get("check", {}), "T": shape[0]}
        shape[0] = "T"
    elif kind == "image" and draw(st.integers(0, 6)) == 6:
        spec["check"] = {**spec.get("check", {}), "H": shape[1], "W": shape[2]}
        shape[1:] = ["H", "W"]
    elif names.keys() & spec.get("args", {}) and draw(st.booleans()):
        shape[0] = spell(draw, shape[0], {k: v for k, v in names.items() if k in spec["args"]})
    return {"shape": shape}


def _flowing(name: str, given: Any, names: dict[str, int]) -> Flowing:
    said = given if isinstance(given, dict) else {"shape": given}
    sizes = []
    for size in said["shape"]:
        open_size = isinstance(size, str) and size in ("T", "H", "W")
        sizes.append(
            None if open_size else size if isinstance(size, int) else eval(size, dict(names))
        )
    return Flowing(name, (None, *sizes), said.get("dtype", "float32"), False)


def redraws(draw: Draw, draft: Draft) -> None:
    """Rules that draw parameters anew, for the model or a block of it, and a tie."""
    bodies = [draft.spec, *draft.spec.get("blocks", {}).values()]
    if draw(st.integers(0, 3)) == 3:
        body = draw(st.sampled_from(bodies))
        keys = [
            f"{name}.{part}"
            for name in draft.layers()
            for part in ("weight", "bias", "*", "0.weight")
        ]
        patterns = draw(
            st.lists(st.sampled_from((*RULES, *keys)), min_size=1, max_size=2, unique=True)
        )
        body["init"] = {pattern: initializer(draw) for pattern in patterns}
        if not draft.whole():
            del body["init"]
    labels = draft.layers()
    if len(labels) > 1 and draw(st.integers(0, 5)) == 5:
        left, right = draw(st.permutations(labels))[:2]
        draft.spec["tie"] = {f"{left}.weight": f"{right}.weight"}
        if not draft.whole():
            del draft.spec["tie"]
        elif "init" not in draft.spec:
            keys = draw(st.sampled_from(((left,), (right,), (left, right), ("*",))))
            draft.spec["init"] = {f"{key}.weight": initializer(draw) for key in keys}
            if not draft.whole():
                del draft.spec["init"]


def orders(draw: Draw, draft: Draft) -> None:
    """Layers that are built after later ones, perhaps in a chain."""
    if draw(st.integers(0, 3)) < 3:
        return
    layers = draft.spec["layers"]
    named = [n for n, step in enumerate(layers) if " as " in str(_head(step))]
    for _ in range(draw(st.integers(1, 3))):
        if len(named) < 2:
            return
        first, second = draw(st.permutations(named))[:2]
        before, label = layers[first], str(_head(layers[second])).partition(" as ")[2]
        step = dict(before) if isinstance(before, dict) else {before: None}
        layers[first] = {**step, "built_after": label}
        if "${" in label or not draft.whole():
            layers[first] = before


def _head(step: Any) -> str:
    return str(next(iter(step)) if isinstance(step, dict) else step)


# Losses


def loss(draw: Draw, draft: Draft) -> None:
    """A loss that fits what the model gives, in its short form or with steps of its own."""
    values = [each for each in draft.values() if each.floating and each.batched and each.rank > 1]
    if not values:
        return
    waiting = [each for each in values if not each.used] or values
    kind = draw(st.sampled_from((*SCORES, *SEVERAL)))
    taken = waiting[-1]
    before = len(draft.body["layers"])
    if kind in FLAT and taken.rank > 2:
        taken = _after(draft, "flat = a.flatten(1)", taken) or taken
        if (taken.shape[-1] or 0) > MOST_CLASSES:
            del draft.body["layers"][before:]
            draft.update()
            return
    elif kind == "BCELoss":
        taken = _after(draft, "chance = torch.sigmoid(a)", taken) or taken
    elif kind == "CTCLoss" and taken.rank == 3:
        taken = _after(draft, "scores = a.transpose(0, 1)", taken) or taken
    names = [taken.name]
    for number in range(1, SEVERAL.get(kind, 1)):
        other = _after(draft, f"other{number} = a.flip(-1) + {number}", taken)
        names += [other.name] if other else []
    if kind == "GaussianNLLLoss":
        spread = _after(draft, "spread = a.exp()", taken)
        names = [taken.name, spread.name] if spread else names
    given = draw(arguments(LAYERS[kind], taken.shape))
    waiting_still = [name for name in draft.waiting() if name not in names]
    if waiting_still:
        # What else waits is added to the output, so that every value is used.
        total = " + ".join(f"{name}.float().mean()" for name in waiting_still)
        whole = f"a + 0.1 * ({total})"
        if kind == "BCELoss":
            whole = f"({whole}).clamp(0, 1)"
        joined = _after(draft, f"whole = {whole}", taken)
        if joined is None:
            del draft.body["layers"][before:]
            draft.update()
            return
        names[0] = joined.name
    running = draft.running()
    if len(names) > 1 or running is None or running.name != names[0]:
        draft.body["outputs"] = ", ".join(names)
    steps = (
        draw(st.integers(0, 2)) == 2
        and len(names) == 1
        and kind not in ("CTCLoss", "AdaptiveLogSoftmaxWithLoss")
    )
    draft.spec["loss"] = (
        _steps(draw, kind, given, names) if steps else ({kind: given} if given else kind)
    )
    if not draft.whole():
        del draft.spec["loss"]
        draft.body.pop("outputs", None)
        draft.update()


def _after(draft: Draft, form: str, taken: Flowing) -> Flowing | None:
    """What a line gives, if it can be added."""
    target = form.partition(" = ")[0]
    if any(each.name == target for each in draft.values()) or not draft.attempt(
        substituted(form, {"a": taken.name})
    ):
        return None
    return next((each for each in draft.values() if each.name == target), None)


def _steps(draw: Draw, kind: str, given: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """A loss in steps: a criterion, and a line before it or after it."""
    label = draw(st.sampled_from((kind, f"{kind} as objective")))
    output = names[0]
    before = draw(st.sampled_from(((), (f"scaled = {output} * 0.5",))))
    criterion = {
        f"{kind} as objective": given or None,
        "from": ["scaled" if before else output, "target"],
    }
    after = draw(
        st.sampled_from(
            (
                (),
                ("total = objective * 2 + 1",),
                (f"total = objective + 0.01 * {output}.square().mean()",),
            )
        )
    )
    del label
    return {"inputs": ["target"], "layers": [*before, criterion, *after]}
