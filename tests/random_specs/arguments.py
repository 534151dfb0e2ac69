"""Arguments of layers: values of the kinds that the catalog gives them, most of them fitting the input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from nngen.catalog.entry import Layer
from nngen.catalog.signature import REQUIRED, Argument

Shape = Sequence[int | None]
Strategy = st.SearchStrategy[Any]

_NUMBERS = (0.5, 0.1, 0.25, 0.9, 1.0, 1.5, 2.0, 1e-3, 3)
# Small ones, where torch's defaults are for large models: these are always given.
ALWAYS = {
    "dim_feedforward": st.integers(2, 6),
    "num_encoder_layers": st.integers(1, 2),
    "num_decoder_layers": st.integers(1, 2),
}


@st.composite
def arguments(draw: st.DrawFn, entry: Layer, shape: Shape, generous: bool = True) -> dict[str, Any]:
    """Arguments for a layer whose first input has this shape; those that the input decides are seldom given."""
    given: dict[str, Any] = {}
    for argument in entry.signature:
        if argument.kind.layer:
            continue
        name = argument.name
        if name in ALWAYS:
            given[name] = draw(ALWAYS[name])
        elif name in entry.infer:
            if draw(st.integers(0, 9)) == 9:
                given[name] = draw(value(entry, argument, shape))
        elif argument.default is REQUIRED or (generous and draw(st.integers(0, 3)) == 3):
            given[name] = draw(value(entry, argument, shape))
    return given


def value(entry: Layer, argument: Argument, shape: Shape) -> Strategy:
    """A value for one argument."""
    special = _special(entry, argument.name, shape)
    return of_schema(argument.kind.schema) if special is None else special


def of_schema(schema: Mapping[str, Any]) -> Strategy:
    """A value as a JSON Schema describes it."""
    if "anyOf" in schema:
        return st.one_of([of_schema(each) for each in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema.get("type") == "object":
        fields = {name: of_schema(each) for name, each in schema["properties"].items()}
        return st.fixed_dictionaries({}, optional=fields)
    return _PLAIN.get(str(schema.get("type")), _numbers)(schema)


def _numbers(schema: Mapping[str, Any]) -> Strategy:
    low, high = schema.get("minimum", -9), schema.get("maximum", 9)
    above = schema.get("exclusiveMinimum", -9)
    return st.sampled_from([n for n in _NUMBERS if low <= n <= high and n > above])


def _array(schema: Mapping[str, Any]) -> Strategy:
    least, most = schema.get("minItems", 1), schema.get("maxItems", 2)
    return st.lists(of_schema(schema.get("items", {})), min_size=least, max_size=max(least, most))


def _integers(schema: Mapping[str, Any]) -> Strategy:
    low = schema.get("minimum", -1)
    return st.integers(low, low + 3)


_PLAIN = {
    "integer": _integers,
    "number": _numbers,
    "boolean": lambda schema: st.booleans(),
    "null": lambda schema: st.none(),
    "array": _array,
}


def _special(entry: Layer, name: str, shape: Shape) -> Strategy | None:
    """A value that fits the input, for arguments that few values fit."""
    known = [size for size in shape if size is not None]
    channels = (shape[1] if len(shape) > 1 else shape[0]) or 2
    last = shape[-1] or 2
    windowed = entry.name[-1] == "d" and "Conv" in entry.name
    if name in entry.infer:
        table = {"normalized_shape": _suffixes(shape), "in_channels": st.just(channels)}
        common = st.just(channels if name in ("num_features", "num_channels") else last)
        return table.get(name, common)
    specials: dict[str, Strategy] = {
        "out_channels": st.sampled_from([2, 4, 3, 6, 1]),
        "out_features": st.integers(1, 8),
        "kernel_size": _windows(shape, 1, 3),
        "stride": _windows(shape, 1, 2),
        "dilation": st.integers(1, 2),
        "groups": st.sampled_from(_divisors(channels)),
        "num_groups": st.sampled_from(_divisors(channels)),
        "num_heads": st.sampled_from(_divisors(last)),
        "nhead": st.sampled_from(_divisors(last)),
        "num_layers": st.integers(1, 2),
        "hidden_size": st.integers(2, 4),
        "proj_size": st.integers(0, 1),
        "num_parameters": st.sampled_from([1, channels]),
        "dim": st.sampled_from([*range(1, len(shape)), *range(1 - len(shape), 0)] or [-1]),
        "start_dim": st.sampled_from([1, 2, -2]),
        "upscale_factor": st.just(2),
        "unflattened_size": st.sampled_from([[2, -1], [1, -1], [-1, 2], [-1, 3]]),
        "scale_factor": st.sampled_from([2, 1.5, 0.5, 3]),
        "norm_type": st.sampled_from([2, 1, 3, 2.5]),
        "n_classes": st.sampled_from([6, 5]),
        "cutoffs": st.sampled_from([[2], [2, 4], [3]]),
        "num_classes": st.integers(2, 5),
        "div_value": st.sampled_from([2, 1.5, 4]),
        "ignore_index": st.sampled_from([-100, 0, 1]),
        "padding_idx": st.sampled_from([0, 1, -1]),
        "embedding_dim": st.integers(1, 6),
        "num_embeddings": st.sampled_from([6, 7]),
        "include_last_offset": st.just(False),
        "process_group": st.none(),
        "p": None if entry.name in ("PairwiseDistance", "MultiMarginLoss") else st.sampled_from([0.5, 0.1, 0.9]),
        "lower": st.sampled_from([0.1, 0.2]),
        "upper": st.sampled_from([0.3, 0.5]),
        "min_val": st.sampled_from([-1.0, -0.5, 0]),
        "max_val": st.sampled_from([0.5, 1.0, 2]),
        "divisor_override": st.sampled_from([2, 3]),
        "enable_nested_tensor": st.just(False),
        "mask_check": st.booleans(),
    }  # fmt: skip
    if name == "padding" and not windowed and "Pool" not in entry.name and "Pad" in entry.name:
        return st.one_of(
            st.integers(0, 1),
            st.lists(st.integers(0, 2), min_size=_pads(entry), max_size=_pads(entry)),
        )
    if name == "weight":
        size = channels if entry.name in _CLASS_LOSSES else last
        return st.lists(st.sampled_from([0.5, 1.0, 2.0]), min_size=size, max_size=size)
    if name == "pos_weight":
        return st.lists(st.sampled_from([0.5, 1.0, 2.0]), min_size=last, max_size=last)
    if name == "p" and entry.name == "MultiMarginLoss":
        return st.sampled_from([1, 2])
    if name == "output_size" and known:
        return None
    return specials.get(name)


_CLASS_LOSSES = ("CrossEntropyLoss", "NLLLoss", "MultiMarginLoss")


def _pads(entry: Layer) -> int:
    return 2 * int(entry.name[-2])


def _windows(shape: Shape, low: int, high: int) -> Strategy:
    dims = max(1, len(shape) - 2)
    one = st.integers(low, high)
    return st.one_of(one, one, st.lists(one, min_size=dims, max_size=dims))


def _suffixes(shape: Shape) -> Strategy:
    known: list[Any] = []
    for start in range(len(shape) - 1, 0, -1):
        if None in shape[start:]:
            break
        known.append(list(shape[start:]))
    return st.sampled_from([shape[-1] or 1, *known])


def _divisors(size: int) -> list[int]:
    return [each for each in (1, 2, 3, 4, 6) if size % each == 0]
