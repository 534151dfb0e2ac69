"""The transformer layers: layers made of layers.

An encoder or decoder layer is written as a block of the spec language, which becomes a class of the functional twin's
own; a stack of them is such classes in a row, and a norm.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from nngen.catalog import attention, linear, norm
from nngen.catalog.attention import FUSED
from nngen.catalog.entry import (
    HELPERS,
    REQUIRED,
    Check,
    Inner,
    Layer,
    Part,
    State,
    example,
    fragment,
    parameter,
)
from nngen.expressions import SIZE_FUNCTIONS, Evaluator
from nngen.shapes import transformer
from nngen.sizes import value_of
from nngen.tensors import Tensor

Values = Mapping[str, Any]

_ENTRIES = {layer.name: layer for layer in (*attention.LAYERS, *linear.LAYERS, *norm.LAYERS)}
_ARGUMENTS = (
    "d_model: size, /, nhead: size, dim_feedforward: size = 2048, dropout: probability = 0.1, "
    "activation: 'relu' | 'gelu' = 'relu', layer_norm_eps: float = 1e-5, batch_first: bool = False, "
    "norm_first: bool = False, bias: bool = True"
)
_CHECKS = (
    Check(
        "d_model % nhead == 0",
        "nhead",
        "the heads share d_model evenly, but {nhead} does not divide {d_model}",
    ),
)
_OPTIONS = {
    "d_model": "required",
    "nhead": "required",
    "dim_feedforward": 2048,
    "dropout": 0.1,
    "layer_norm_eps": 1e-5,
}


# Encoder and decoder layers


def _dropped(code: str) -> str:
    return f"F.dropout({code}, p=dropout, training=training)"


def _part(kind: str, name: str, call: str, values: Values, **arguments: Any) -> dict[str, Any]:
    """A step of the block: a layer, and the line that calls it."""
    given = arguments if values["bias"] else {**arguments, "bias": False}
    return {f"{kind} as {name}": given, "call": call}


def _attention(name: str, call: str, values: Values, batched: bool) -> dict[str, Any]:
    first = {"batch_first": True} if values["batch_first"] and batched else {}
    return _part(
        "MultiheadAttention",
        name,
        call,
        values,
        embed_dim="d_model",
        num_heads="nhead",
        dropout="dropout",
        **first,
    )


def _norm(name: str, call: str, values: Values) -> dict[str, Any]:
    return _part("LayerNorm", name, call, values, normalized_shape="d_model", eps="layer_norm_eps")


def _feed_forward(values: Values, source: str, last: str) -> Iterator[dict[str, Any]]:
    hidden = _dropped(f"F.{values['activation']}(linear1({source}))")
    yield _part(
        "Linear",
        "linear1",
        f"y = {hidden}",
        values,
        in_features="d_model",
        out_features="dim_feedforward",
    )
    yield _part(
        "Linear",
        "linear2",
        last,
        values,
        in_features="dim_feedforward",
        out_features="d_model",
    )


def _is_batched(tensor: Tensor) -> bool:
    return tensor.shape is None or len(tensor.shape) == 3


def _encoder_block(values: Values) -> dict[str, Any]:
    batched = _is_batched(values["src"])
    masks = (
        "key_padding_mask=src_key_padding_mask, need_weights=False, attn_mask=src_mask, "
        "is_causal=is_causal"
    )
    if values["norm_first"]:
        steps: list[Any] = [
            _norm("norm1", "y = norm1(src)", values),
            _attention("self_attn", f"y, _ = self_attn(y, y, y, {masks})", values, batched),
            f"x = src + {_dropped('y')}",
            _norm("norm2", "y = norm2(x)", values),
            *_feed_forward(values, "y", f"x = x + {_dropped('linear2(y)')}"),
        ]
    else:
        steps = [
            _attention("self_attn", f"y, _ = self_attn(src, src, src, {masks})", values, batched),
            _norm("norm1", f"x = norm1(src + {_dropped('y')})", values),
            *_feed_forward(values, "x", "y = linear2(y)"),
            _norm("norm2", f"x = norm2(x + {_dropped('y')})", values),
        ]
    inputs = ["src", "src_mask", "src_key_padding_mask", "is_causal"]
    return {"args": _OPTIONS, "inputs": inputs, "layers": steps, "outputs": "x"}


def _decoder_block(values: Values) -> dict[str, Any]:
    batched = _is_batched(values["tgt"])
    own, other = (
        f"key_padding_mask={name}_key_padding_mask, need_weights=False, attn_mask={name}_mask, "
        f"is_causal={name}_is_causal"
        for name in ("tgt", "memory")
    )
    if values["norm_first"]:
        steps: list[Any] = [
            _norm("norm1", "y = norm1(tgt)", values),
            _attention("self_attn", f"y, _ = self_attn(y, y, y, {own})", values, batched),
            f"x = tgt + {_dropped('y')}",
            _norm("norm2", "y = norm2(x)", values),
            _attention(
                "multihead_attn",
                f"y, _ = multihead_attn(y, memory, memory, {other})",
                values,
                batched,
            ),
            f"x = x + {_dropped('y')}",
            _norm("norm3", "y = norm3(x)", values),
            *_feed_forward(values, "y", f"x = x + {_dropped('linear2(y)')}"),
        ]
    else:
        steps = [
            _attention("self_attn", f"y, _ = self_attn(tgt, tgt, tgt, {own})", values, batched),
            _norm("norm1", f"x = norm1(tgt + {_dropped('y')})", values),
            _attention(
                "multihead_attn",
                f"y, _ = multihead_attn(x, memory, memory, {other})",
                values,
                batched,
            ),
            _norm("norm2", f"x = norm2(x + {_dropped('y')})", values),
            *_feed_forward(values, "x", "y = linear2(y)"),
            _norm("norm3", f"x = norm3(x + {_dropped('y')})", values),
        ]
    inputs = [
        *("tgt", "memory", "tgt_mask", "memory_mask", "tgt_key_padding_mask"),
        *("memory_key_padding_mask", "tgt_is_causal", "memory_is_causal"),
    ]
    return {"args": _OPTIONS, "inputs": inputs, "layers": steps, "outputs": "x"}


# The parameters that come of it, as torch registers them


def _evaluated(text: str, values: Values) -> Any:
    return Evaluator({**SIZE_FUNCTIONS, **HELPERS, **values})(fragment(text))


def _state_of(entry: Layer, prefix: str, values: Values) -> Iterator[State]:
    """The parameters of one layer inside, its arguments put in."""
    scope = dict(values)
    for name, text in entry.let.items():
        scope[name] = _evaluated(text, scope)
    for state in entry.state_of(values):
        if _evaluated(state.when, scope):
            tree = _PutIn(scope).visit(ast.parse(state.value.strip(), mode="eval"))
            yield parameter(f"{prefix}.{state.name}", ast.unparse(tree))


class _PutIn(ast.NodeTransformer):
    def __init__(self, values: Values) -> None:
        self.values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id not in self.values:
            return node
        return ast.parse(repr(self.values[node.id]), mode="eval").body


def _block_state(kind: str, values: Values) -> Iterator[State]:
    """The parameters of an encoder or decoder layer."""
    entry = _LAYERS[kind]
    unbatched = {name: Tensor((1, 1)) for name in entry.inputs.required}
    assert entry.block is not None
    steps = [s for s in entry.block({**values, **unbatched})["layers"] if isinstance(s, dict)]
    parts = {head.split()[-1]: (head.split()[0], given) for head, given in map(_head, steps)}
    for name in entry.order:
        kind, given = parts[name]
        inner = _ENTRIES[kind]
        arguments = {
            key: _evaluated(value, values) if isinstance(value, str) else value
            for key, value in given.items()
        }
        yield from _state_of(inner, name, {**_defaults(inner), **arguments})


def _head(step: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return next(iter(step.items()))


def _defaults(entry: Layer) -> dict[str, Any]:
    return {a.name: a.default for a in entry.signature if a.default is not REQUIRED}


def _parts_state(kind: str, values: Values) -> Iterator[State]:
    """The parameters of a stack."""
    entry = _LAYERS[kind]
    assert entry.parts is not None
    for part in entry.parts(values, frozenset(), {}):
        inner = part.inner
        if part.count is None:
            yield from _state_of(_ENTRIES[inner.kind], part.name, inner.values)
            continue
        for number in range(value_of(values[part.count]) or 0):
            for state in _block_state(inner.kind, inner.values):
                yield parameter(f"{part.name}.{number}.{state.name}", state.value)


# Stacks


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
    norms["values"] = {**_defaults(_ENTRIES["LayerNorm"]), **norms["values"]}
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
    return [
        f"{name}_mask = torch.full(({length}, {length}), float('-inf'), dtype={mask}.dtype, "
        f"device={mask}.device).triu(diagonal=1)",
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


def _fused(batch_first: bool, bias: bool, nhead: Any, source: Tensor) -> str:
    """The note on a layer of which torch has a fused kernel for eval mode without grad."""
    even = (value_of(nhead) or 0) % 2 == 0
    return FUSED if batch_first and bias and even and _is_batched(source) else ""


def _encoder_layer_note(values: Values) -> str:
    return _fused(values["batch_first"], values["bias"], values["nhead"], values["src"])


def _encoder_note(values: Values) -> str:
    layer = values["encoder_layer"].values
    return _fused(layer["batch_first"], layer["bias"], layer["nhead"], values["src"])


def _decoder_layer_note(values: Values) -> str:
    return _fused(values["batch_first"], values["bias"], values["nhead"], values["tgt"])


def _decoder_note(values: Values) -> str:
    layer = values["decoder_layer"].values
    return _fused(layer["batch_first"], layer["bias"], layer["nhead"], values["tgt"])


# Entries


def _fixed(*shape: int, dtype: str = "float32") -> dict[str, Any]:
    return {"shape": list(shape), "dtype": dtype, "batch": False}


_MASK = {"shape": [4], "dtype": "bool"}
_SMALL: dict[str, Any] = {"d_model": 6, "nhead": 2, "dim_feedforward": 5}
_ENCODER_LAYER = {"TransformerEncoderLayer": {**_SMALL, "batch_first": True}}
_PLAIN_ENCODER_LAYER = {
    "TransformerEncoderLayer": {**_SMALL, "nhead": 3, "activation": "gelu", "norm_first": True}
}
_DECODER_LAYER = {"TransformerDecoderLayer": {**_SMALL, "batch_first": True}}
_PLAIN_DECODER_LAYER = {
    "TransformerDecoderLayer": {**_SMALL, "nhead": 3, "activation": "gelu", "norm_first": True}
}
_NORM = {"LayerNorm": {"normalized_shape": 6}}
_ENC, _DEC = "encoder1", "decoder1"
_CALL = "y = decoder_layer1(x, memory, {})"

LAYERS = (
    Layer(
        "TransformerEncoderLayer",
        "Self-attention, then a feed-forward network; each adds to what it is given, and is normalised.",
        _ARGUMENTS,
        form="",
        shape=transformer.encoder_layer,
        forward="src: Tensor, src_mask: Tensor | None = None, "
        "src_key_padding_mask: Tensor | None = None, is_causal: bool = False",
        infer={"d_model": "src.shape[-1]"},
        checks=_CHECKS,
        block=_encoder_block,
        inner_state=lambda values: tuple(_block_state("TransformerEncoderLayer", values)),
        order=("self_attn", "linear1", "linear2", "norm1", "norm2"),
        note=_encoder_layer_note,
        stem="encoder_layer",
        examples=(
            example((4, 6), d_model=6, nhead=2, dim_feedforward=5),
            example((4, 6), nhead=2, dim_feedforward=5, batch_first=True, dropout=0.3),
            example((4, 6), nhead=3, dim_feedforward=5, norm_first=True, activation="gelu"),
            example((4, 6), nhead=2, dim_feedforward=5, bias=False, layer_norm_eps=1e-3),
            example(
                (4, 6),
                _MASK,
                _fixed(4, 4),
                call="y = encoder_layer1(x, src_key_padding_mask=mask, src_mask=bias)",
                nhead=2,
                dim_feedforward=5,
                batch_first=True,
                norm_first=True,
                bias=False,
            ),
            example(
                (4, 6),
                _fixed(4, 4),
                call="y = encoder_layer1(x, mask, is_causal=True)",
                nhead=2,
                dim_feedforward=5,
                batch_first=True,
                activation="relu",
            ),
            example(_fixed(4, 6), nhead=2, dim_feedforward=5, batch_first=True),
        ),
    ),
    Layer(
        "TransformerDecoderLayer",
        "Self-attention, attention to a memory, then a feed-forward network; each adds to what it is given, and is "
        "normalised.",
        _ARGUMENTS,
        form="",
        shape=transformer.decoder_layer,
        forward="tgt: Tensor, memory: Tensor, tgt_mask: Tensor | None = None, "
        "memory_mask: Tensor | None = None, tgt_key_padding_mask: Tensor | None = None, "
        "memory_key_padding_mask: Tensor | None = None, tgt_is_causal: bool = False, "
        "memory_is_causal: bool = False",
        infer={"d_model": "tgt.shape[-1]"},
        checks=_CHECKS,
        block=_decoder_block,
        inner_state=lambda values: tuple(_block_state("TransformerDecoderLayer", values)),
        order=("self_attn", "multihead_attn", "linear1", "linear2", "norm1", "norm2", "norm3"),
        note=_decoder_layer_note,
        stem="decoder_layer",
        examples=(
            example((4, 6), (4, 6), d_model=6, nhead=2, dim_feedforward=5),
            example((4, 6), (3, 6), nhead=2, dim_feedforward=5, batch_first=True, dropout=0.3),
            example((4, 6), (4, 6), nhead=3, dim_feedforward=5, norm_first=True, activation="gelu"),
            example((4, 6), (4, 6), nhead=2, dim_feedforward=5, bias=False, layer_norm_eps=1e-3),
            example(
                (4, 6),
                (4, 6),
                _MASK,
                _fixed(4, 4),
                call=_CALL.format(
                    "tgt_key_padding_mask=mask, tgt_mask=bias, memory_key_padding_mask=mask, "
                    "memory_mask=bias"
                ),
                nhead=2,
                dim_feedforward=5,
                batch_first=True,
                norm_first=True,
                bias=False,
            ),
            example(
                (4, 6),
                (4, 6),
                _fixed(4, 4),
                call=_CALL.format("mask, mask, tgt_is_causal=True, memory_is_causal=True"),
                nhead=2,
                dim_feedforward=5,
                batch_first=True,
                activation="relu",
            ),
            example(_fixed(4, 6), _fixed(4, 6), nhead=2, dim_feedforward=5, batch_first=True),
        ),
    ),
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
        inner_state=lambda values: tuple(_parts_state("TransformerEncoder", values)),
        note=_encoder_note,
        stem="encoder",
        examples=(
            example((4, 6), encoder_layer=_ENCODER_LAYER, num_layers=2),
            example((4, 6), encoder_layer=_PLAIN_ENCODER_LAYER, num_layers=1, norm=_NORM),
            example(
                (4, 6),
                _fixed(4, 4, dtype="bool"),
                call=f"y = {_ENC}(x, mask)",
                encoder_layer=_ENCODER_LAYER,
                num_layers=2,
                enable_nested_tensor=False,
                norm={"RMSNorm": {"normalized_shape": 6}},
            ),
            example(
                (4, 6),
                _MASK,
                _fixed(4, 4),
                call=f"y = {_ENC}(x, src_key_padding_mask=mask, mask=bias, is_causal=True)",
                encoder_layer=_ENCODER_LAYER,
                num_layers=2,
                mask_check=False,
            ),
            example(
                (4, 6),
                _fixed(4, 4),
                call=f"y = {_ENC}(x, mask, is_causal=False)",
                encoder_layer=_ENCODER_LAYER,
                num_layers=3,
                norm=None,
            ),
            example(_fixed(4, 6), encoder_layer=_ENCODER_LAYER, num_layers=1),
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
        inner_state=lambda values: tuple(_parts_state("TransformerDecoder", values)),
        note=_decoder_note,
        stem="decoder",
        examples=(
            example((4, 6), (4, 6), decoder_layer=_DECODER_LAYER, num_layers=2),
            example((4, 6), (4, 6), decoder_layer=_PLAIN_DECODER_LAYER, num_layers=1, norm=_NORM),
            example(
                (4, 6),
                (4, 6),
                _fixed(4, 4),
                call=f"y = {_DEC}(x, memory, mask)",
                decoder_layer=_DECODER_LAYER,
                num_layers=2,
                norm=_NORM,
            ),
            example(
                (4, 6),
                (4, 6),
                _MASK,
                _fixed(4, 4),
                call=f"y = {_DEC}(x, memory, tgt_key_padding_mask=mask, memory_key_padding_mask=mask, "
                "tgt_mask=bias, memory_mask=bias, tgt_is_causal=False, memory_is_causal=True)",
                decoder_layer=_DECODER_LAYER,
                num_layers=2,
            ),
            example(_fixed(4, 6), _fixed(3, 6), decoder_layer=_DECODER_LAYER, num_layers=1),
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
        checks=_CHECKS,
        draw=_TRANSFORMER_DRAW,
        parts=_transformer_parts,
        inner_state=lambda values: tuple(_parts_state("Transformer", values)),
        note=_encoder_layer_note,
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
                _MASK,
                _fixed(4, 4),
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
                _fixed(4, 4),
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
                _fixed(4, 6),
                _fixed(3, 6),
                nhead=2,
                num_encoder_layers=1,
                num_decoder_layers=1,
                dim_feedforward=5,
            ),
        ),
    ),
)

_LAYERS = {layer.name: layer for layer in LAYERS}

FUNCTIONS = ()
