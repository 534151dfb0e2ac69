"""Stacks of transformer layers: copies of one layer in a row, and a norm."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nngen.catalog.composite_state import ENTRIES, defaults, parts_state
from nngen.catalog.entry import Inner, Layer, Part, State, at_most, example
from nngen.catalog.layers import transformer as layers
from nngen.catalog.layers.transformer import CHECKS, MASK, fixed, fused
from nngen.symbolic.rules import transformer
from nngen.symbolic.tensor import Tensor

Values = Mapping[str, Any]

_LAYERS = {layer.name: layer for layer in layers.LAYERS}


def _copied(names: Mapping[str, str], values: Values, given: Any, code: Any) -> dict[str, Any]:
    """An inner layer's arguments from those of the layer around it; `names` are by its own names."""
    return {
        "values": {own: values[outer] for own, outer in names.items()},
        "given": frozenset(own for own, outer in names.items() if outer in given),
        "code": {own: code[outer] for own, outer in names.items() if outer in code},
    }


def _encoder_parts(values: Values, given: Any, code: Any) -> Iterator[Part]:
    yield Part("layers", values["encoder_layer"], "num_layers", {"src": "src"})
    if values["norm"] is not None:
        yield Part("norm", values["norm"])


def _decoder_parts(values: Values, given: Any, code: Any) -> Iterator[Part]:
    inputs = {"tgt": "tgt", "memory": "memory"}
    yield Part("layers", values["decoder_layer"], "num_layers", inputs)
    if values["norm"] is not None:
        yield Part("norm", values["norm"])


def _transformer_parts(values: Values, given: Any, code: Any) -> Iterator[Part]:
    names = {
        **{name: name for name in ("d_model", "nhead", "dim_feedforward", "dropout", "activation")},
        **{name: name for name in ("layer_norm_eps", "batch_first", "norm_first", "bias")},
    }
    layer = _copied(names, values, given | {"d_model", "nhead"}, code)
    norms = _copied(
        {"normalized_shape": "d_model", "eps": "layer_norm_eps", "bias": "bias"},
        values,
        given,
        code,
    )
    norms["values"] = {**defaults(ENTRIES["LayerNorm"]), **norms["values"]}
    for side, inputs in (("encoder", {"src": "src"}), ("decoder", {"tgt": "tgt", "memory": "src"})):
        kind = f"Transformer{side.capitalize()}Layer"
        yield Part(f"{side}.layers", Inner(kind, **layer), f"num_{side}_layers", inputs)
        yield Part(f"{side}.norm", Inner("LayerNorm", **norms))


def _causal(
    values: Values, mask: str, hint: str, source: str, first: bool
) -> tuple[list[str], str]:
    """How a stack finds out, where it is not told, whether a mask is the causal one; and the argument for it."""
    given, told = values[mask], values[hint]
    if given is None or told is False:
        return [], ""
    if told is not None:
        return [], str(told) if told is True else hint
    if isinstance(given, Tensor) and given.shape is not None and len(given.shape) == 3:
        return [], ""
    shape = values[source].shape
    length = f"{source}.size({1 if first and (shape is None or len(shape) == 3) else 0})"
    word = mask.removesuffix("mask").rstrip("_")
    name = f"{word}_causal" if word else "causal"
    like = f"dtype={mask}.dtype, device={mask}.device"
    return [
        f"{name}_mask = torch.full(({length}, {length}), float('-inf'), {like}).triu(diagonal=1)",
        f"{name} = torch.equal({mask}, {name}_mask)",
    ], name


def _loop(layers: str, value: str, operands: str, arguments: Mapping[str, str]) -> list[str]:
    """The layers of a stack in a row; `arguments` that are empty are left out."""
    words = "".join(f", {name}={code}" for name, code in arguments.items() if code)
    return [f"for layer in {layers}:", f"    {value} = layer({operands}{words})"]


def _given(values: Values, name: str) -> str:
    return "" if values[name] is None else name


def _encoder_form(values: Values) -> str:
    first = values["encoder_layer"].values["batch_first"]
    lines, causal = _causal(values, "mask", "is_causal", "src", first)
    arguments = {
        "src_mask": _given(values, "mask"),
        "src_key_padding_mask": _given(values, "src_key_padding_mask"),
        "is_causal": causal,
    }
    lines += ["out = src", *_loop("layers", "out", "out", arguments)]
    return "\n".join(lines + ["out = norm(out)"] * (values["norm"] is not None))


def _decoder_arguments(values: Values, causal: str) -> dict[str, str]:
    hint = values["memory_is_causal"]
    return {
        **{
            name: _given(values, name)
            for name in (
                *("tgt_mask", "memory_mask", "tgt_key_padding_mask", "memory_key_padding_mask"),
            )
        },
        "tgt_is_causal": causal,
        "memory_is_causal": "" if hint is False else "memory_is_causal",
    }


def _decoder_form(values: Values) -> str:
    first = values["decoder_layer"].values["batch_first"]
    lines, causal = _causal(values, "tgt_mask", "tgt_is_causal", "tgt", first)
    arguments = _decoder_arguments(values, causal)
    lines += ["out = tgt", *_loop("layers", "out", "out, memory", arguments)]
    return "\n".join(lines + ["out = norm(out)"] * (values["norm"] is not None))


def _transformer_form(values: Values) -> str:
    first = values["batch_first"]
    lines, src_causal = _causal(values, "src_mask", "src_is_causal", "src", first)
    encoder = {
        "src_mask": _given(values, "src_mask"),
        "src_key_padding_mask": _given(values, "src_key_padding_mask"),
        "is_causal": src_causal,
    }
    found, tgt_causal = _causal(values, "tgt_mask", "tgt_is_causal", "tgt", first)
    decoder = _decoder_arguments(values, tgt_causal)
    lines += ["memory = src", *_loop("encoder_layers", "memory", "memory", encoder)]
    lines += ["memory = encoder_norm(memory)", *found]
    lines += ["out = tgt", *_loop("decoder_layers", "out", "out, memory", decoder)]
    return "\n".join([*lines, "out = decoder_norm(out)"])


_TRANSFORMER_DRAW = """
    for parameter in (*encoder_layers.parameters(), *decoder_layers.parameters()):
        if parameter.dim() > 1:
            nn.init.xavier_uniform_(parameter)
"""


def _encoder_note(values: Values) -> str:
    layer = values["encoder_layer"].values
    return fused(layer["batch_first"], layer["bias"], layer["nhead"], values["src"])


def _decoder_note(values: Values) -> str:
    layer = values["decoder_layer"].values
    return fused(layer["batch_first"], layer["bias"], layer["nhead"], values["tgt"])


def _state_of(parts: Callable[..., Iterator[Part]]) -> Callable[[Values], tuple[State, ...]]:
    def state(values: Values) -> tuple[State, ...]:
        return parts_state(parts(values, frozenset(), {}), _LAYERS, values)

    return state


def _transformer_note(values: Values) -> str:
    return fused(values["batch_first"], values["bias"], values["nhead"], values["src"])


_SMALL: dict[str, Any] = {"d_model": 6, "nhead": 2, "dim_feedforward": 5}
_ENCODER_LAYER = {"TransformerEncoderLayer": {**_SMALL, "batch_first": True}}
_PLAIN_ENCODER_LAYER = {
    "TransformerEncoderLayer": {**_SMALL, "nhead": 3, "activation": "gelu", "norm_first": True}
}
_DECODER_LAYER = {"TransformerDecoderLayer": {**_SMALL, "batch_first": True}}
_PLAIN_DECODER_LAYER = {
    "TransformerDecoderLayer": {**_SMALL, "nhead": 3, "activation": "gelu", "norm_first": True}
}
MOST_LAYERS = 200
_NORM = {"LayerNorm": {"normalized_shape": 6}}
_ENC, _DEC = "encoder1", "decoder1"
_CAUSAL = "torch.full((4, 4), -torch.inf).triu(diagonal=1)"

LAYERS = (
    Layer(
        "TransformerEncoder",
        "Copies of one encoder layer in a row, all of the same weights at first.",
        "encoder_layer: layer['TransformerEncoderLayer'], /, num_layers: size, "
        "norm: layer['LayerNorm', 'RMSNorm'] | None = None, enable_nested_tensor: bool = True, "
        "mask_check: bool = True",
        form=_encoder_form,
        shape=transformer.encoder,
        forward="src: Tensor, mask: Tensor | None = None, src_key_padding_mask: Tensor | None = None, "
        "is_causal: bool | None = None",
        parts=_encoder_parts,
        checks=at_most(MOST_LAYERS, "num_layers"),
        inner_state=_state_of(_encoder_parts),
        note=_encoder_note,
        stem="encoder",
        examples=(
            example((4, 6), encoder_layer=_ENCODER_LAYER, num_layers=2),
            example((4, 6), encoder_layer=_PLAIN_ENCODER_LAYER, num_layers=1, norm=_NORM),
            example(
                (4, 6),
                fixed(4, 4, dtype="bool"),
                call=f"y = {_ENC}(x, mask)",
                encoder_layer=_ENCODER_LAYER,
                num_layers=2,
                enable_nested_tensor=False,
                norm={"RMSNorm": {"normalized_shape": 6}},
            ),
            example(
                (4, 6),
                MASK,
                fixed(4, 4),
                call=f"y = {_ENC}(x, src_key_padding_mask=mask, mask=bias, is_causal=True)",
                encoder_layer=_ENCODER_LAYER,
                num_layers=2,
                mask_check=False,
            ),
            example(
                (4, 6),
                fixed(4, 4),
                call=f"y = {_ENC}(x, mask, is_causal=False)",
                encoder_layer=_ENCODER_LAYER,
                num_layers=3,
                norm=None,
            ),
            example(
                (4, 6),
                call=f"y = {_ENC}(x, {_CAUSAL})",
                encoder_layer=_ENCODER_LAYER,
                num_layers=2,
            ),
            example(fixed(4, 6), encoder_layer=_ENCODER_LAYER, num_layers=1),
        ),
    ),
    Layer(
        "TransformerDecoder",
        "Copies of one decoder layer in a row, all of the same weights at first.",
        "decoder_layer: layer['TransformerDecoderLayer'], /, num_layers: size, "
        "norm: layer['LayerNorm', 'RMSNorm'] | None = None",
        form=_decoder_form,
        shape=transformer.decoder,
        forward="tgt: Tensor, memory: Tensor, tgt_mask: Tensor | None = None, "
        "memory_mask: Tensor | None = None, tgt_key_padding_mask: Tensor | None = None, "
        "memory_key_padding_mask: Tensor | None = None, tgt_is_causal: bool | None = None, "
        "memory_is_causal: bool = False",
        parts=_decoder_parts,
        checks=at_most(MOST_LAYERS, "num_layers"),
        inner_state=_state_of(_decoder_parts),
        note=_decoder_note,
        stem="decoder",
        examples=(
            example((4, 6), (4, 6), decoder_layer=_DECODER_LAYER, num_layers=2),
            example((4, 6), (4, 6), decoder_layer=_PLAIN_DECODER_LAYER, num_layers=1, norm=_NORM),
            example(
                (4, 6),
                (4, 6),
                fixed(4, 4),
                call=f"y = {_DEC}(x, memory, mask)",
                decoder_layer=_DECODER_LAYER,
                num_layers=2,
                norm=_NORM,
            ),
            example(
                (4, 6),
                (4, 6),
                MASK,
                fixed(4, 4),
                call=f"y = {_DEC}(x, memory, tgt_key_padding_mask=mask, memory_key_padding_mask=mask, "
                "tgt_mask=bias, memory_mask=bias, tgt_is_causal=False, memory_is_causal=True)",
                decoder_layer=_DECODER_LAYER,
                num_layers=2,
            ),
            example(
                (4, 6),
                (4, 6),
                call=f"y = {_DEC}(x, memory, {_CAUSAL})",
                decoder_layer=_DECODER_LAYER,
                num_layers=2,
            ),
            example(fixed(4, 6), fixed(3, 6), decoder_layer=_DECODER_LAYER, num_layers=1),
        ),
    ),
    Layer(
        "Transformer",
        "An encoder of one sequence, and a decoder of another that attends to it.",
        "d_model: size = 512, /, nhead: size = 8, num_encoder_layers: size = 6, "
        "num_decoder_layers: size = 6, dim_feedforward: size = 2048, dropout: probability = 0.1, "
        "activation: 'relu' | 'gelu' = 'relu', layer_norm_eps: float = 1e-5, batch_first: bool = False, "
        "norm_first: bool = False, bias: bool = True",
        form=_transformer_form,
        shape=transformer.transformer,
        forward="src: Tensor, tgt: Tensor, src_mask: Tensor | None = None, "
        "tgt_mask: Tensor | None = None, memory_mask: Tensor | None = None, "
        "src_key_padding_mask: Tensor | None = None, tgt_key_padding_mask: Tensor | None = None, "
        "memory_key_padding_mask: Tensor | None = None, src_is_causal: bool | None = None, "
        "tgt_is_causal: bool | None = None, memory_is_causal: bool = False",
        infer={"d_model": "src.shape[-1]"},
        checks=(*CHECKS, *at_most(MOST_LAYERS, "num_encoder_layers", "num_decoder_layers")),
        draw=_TRANSFORMER_DRAW,
        parts=_transformer_parts,
        inner_state=_state_of(_transformer_parts),
        note=_transformer_note,
        left_out={
            "custom_encoder": "a module of the user's own: use TransformerEncoder as a step",
            "custom_decoder": "a module of the user's own: use TransformerDecoder as a step",
        },
        examples=(
            example(
                (4, 6),
                (4, 6),
                nhead=2,
                num_encoder_layers=2,
                num_decoder_layers=1,
                dim_feedforward=5,
            ),
            example(
                (4, 6),
                (3, 6),
                d_model=6,
                nhead=2,
                num_encoder_layers=1,
                num_decoder_layers=2,
                dim_feedforward=5,
                dropout=0.3,
                activation="gelu",
                layer_norm_eps=1e-3,
                batch_first=True,
                norm_first=True,
            ),
            example(
                (4, 6),
                (4, 6),
                MASK,
                fixed(4, 4),
                call="y = transformer1(src, tgt, src_key_padding_mask=mask, src_mask=bias, "
                "tgt_mask=bias, memory_mask=bias, tgt_key_padding_mask=mask, "
                "memory_key_padding_mask=mask)",
                nhead=2,
                num_encoder_layers=1,
                num_decoder_layers=1,
                dim_feedforward=5,
                batch_first=True,
                bias=False,
            ),
            example(
                (4, 6),
                (4, 6),
                fixed(4, 4),
                call="y = transformer1(src, tgt, mask, mask, mask, src_is_causal=True, "
                "tgt_is_causal=False, memory_is_causal=True)",
                nhead=3,
                num_encoder_layers=1,
                num_decoder_layers=1,
                dim_feedforward=5,
                batch_first=True,
                activation="relu",
            ),
            example(
                (4, 6),
                (4, 6),
                call=f"y = transformer1(src, tgt, {_CAUSAL}, {_CAUSAL})",
                nhead=2,
                num_encoder_layers=1,
                num_decoder_layers=1,
                dim_feedforward=5,
                batch_first=True,
            ),
            example(
                fixed(4, 6),
                fixed(3, 6),
                nhead=2,
                num_encoder_layers=1,
                num_decoder_layers=1,
                dim_feedforward=5,
            ),
        ),
    ),
)

FUNCTIONS = ()
