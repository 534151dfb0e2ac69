"""Multi-head attention."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nngen.catalog import products
from nngen.catalog.entry import Check, Layer, example, function, parameter
from nngen.errors import Fault
from nngen.symbolic.rules import attention
from nngen.symbolic.sizes import value_of
from nngen.symbolic.substitution import is_fixed

Values = Mapping[str, Any]

# Of layers whose `fused` kernel runs there; tests and verification switch it off, and verification
# then tells how far it goes.
FUSED = "fused by nn: no_grad eval differs"


def may_be_even(heads: Any) -> bool:
    """Whether a number of heads is even, for which alone there is a kernel, or may be: an argument decides it."""
    return (value_of(heads) or 0) % 2 == 0 or not is_fixed(heads)


def _one_size(values: Values) -> bool:
    """Whether keys and values have the queries' size, so that one weight projects all three."""
    given = {name: values[name] for name in ("kdim", "vdim") if values[name] is not None}
    for name, size in given.items():
        difference = size - values["embed_dim"]
        if not isinstance(difference, int) and value_of(difference) == 0:
            raise Fault(
                f"{name} {size} is the queries' size {values['embed_dim']} for some arguments of the model only",
                f"leave {name} out where it is the queries' size",
            )
    return all(value_of(size) == value_of(values["embed_dim"]) for size in given.values())


def _transposed(values: Values) -> bool:
    """Whether the batch comes first, which the function does not know."""
    shape = values["query"].shape
    if shape is None and values["batch_first"]:
        raise Fault(
            "whether the query has a batch dimension is not known before the model runs",
            "give it a shape that can: `x = x.reshape(…)`",
        )
    return bool(values["batch_first"] and len(shape) == 3)


def _may_be_one(values: Values, left: str, right: str) -> bool:
    """Whether two operands under different names may be one tensor."""
    return frozenset((left, right)) not in values["apart"]


def _turned(values: Values) -> tuple[list[str], str]:
    """The operands with the batch second.

    One tensor stays one: torch projects self-attention by one product, and attention to a memory by two.
    """
    if values["query"] is values["key"] is values["value"]:
        return ["turned = query.transpose(0, 1)"], "turned, turned, turned"
    turned = {name: f"{name}.transpose(0, 1)" for name in ("query", "key", "value")}
    same_source = values["key"] is values["value"]
    if not same_source and not _may_be_one(values, "key", "value"):
        return [], ", ".join(turned.values())
    lines = [f"turned_query = {turned['query']}"]
    conditions = []
    if values["query"] is not values["key"]:
        conditions.append("key is query")
    if not same_source:
        conditions.append("value is key")
    either = values["query"] is values["key"] or _may_be_one(values, "query", "key")
    choice = f"turned_query if {' and '.join(conditions)} else " if either else ""
    lines.append(f"turned_key = {choice}{turned['key']}")
    if same_source:
        return lines, "turned_query, turned_key, turned_key"
    lines.append(f"turned_value = turned_key if value is key else {turned['value']}")
    return lines, "turned_query, turned_key, turned_value"


def _form(values: Values) -> str:
    transposed = _transposed(values)
    lines, operands = _turned(values) if transposed else ([], "query, key, value")
    separate = "" if _one_size(values) else "use_separate_proj_weight=True, "
    lines.append(
        f"output, weights = F.multi_head_attention_forward({operands}, embed_dim_to_check=embed_dim, "
        "num_heads=num_heads, in_proj_weight=in_proj_weight, in_proj_bias=in_proj_bias, bias_k=bias_k, "
        "bias_v=bias_v, add_zero_attn=add_zero_attn, dropout_p=dropout, out_proj_weight=out_proj_weight, "
        "out_proj_bias=out_proj_bias, training=training, key_padding_mask=key_padding_mask, "
        f"need_weights=need_weights, attn_mask=attn_mask, {separate}q_proj_weight=q_proj_weight, "
        "k_proj_weight=k_proj_weight, v_proj_weight=v_proj_weight, "
        "average_attn_weights=average_attn_weights, is_causal=is_causal)"
    )
    lines.append(f"out = (output{'.transpose(0, 1)' if transposed else ''}, weights)")
    return "\n".join(lines)


def _note(values: Values) -> str:
    """Where torch's layer may leave the path that the function takes."""
    apart = not values["query"] is values["key"] is values["value"]
    plain = values["bias"] and not values["add_bias_kv"] and not values["add_zero_attn"]
    shape = values["query"].shape
    batched = values["batch_first"] and (shape is None or len(shape) == 3)
    even = may_be_even(values["num_heads"])
    return "" if apart or not (plain and batched and even and _one_size(values)) else FUSED


_STATE = (
    parameter("in_proj_weight", "torch.empty(3 * embed_dim, embed_dim)", when="one_size"),
    parameter("q_proj_weight", "torch.empty(embed_dim, embed_dim)", when="not one_size"),
    parameter("k_proj_weight", "torch.empty(embed_dim, key_size)", when="not one_size"),
    parameter("v_proj_weight", "torch.empty(embed_dim, value_size)", when="not one_size"),
    parameter("in_proj_bias", "torch.empty(3 * embed_dim)", when="bias"),
    parameter("bias_k", "torch.empty(1, 1, embed_dim)", when="add_bias_kv"),
    parameter("bias_v", "torch.empty(1, 1, embed_dim)", when="add_bias_kv"),
    parameter("out_proj.weight", "torch.empty(embed_dim, embed_dim)"),
    parameter("out_proj.bias", "torch.empty(embed_dim)", when="bias"),
)

_DRAW = """
    nn.init.kaiming_uniform_(out_proj_weight, a=math.sqrt(5))
    if out_proj_bias is not None:
        nn.init.uniform_(out_proj_bias, -1 / math.sqrt(embed_dim), 1 / math.sqrt(embed_dim))
    if in_proj_weight is not None:
        nn.init.xavier_uniform_(in_proj_weight)
    else:
        nn.init.xavier_uniform_(q_proj_weight)
        nn.init.xavier_uniform_(k_proj_weight)
        nn.init.xavier_uniform_(v_proj_weight)
    if out_proj_bias is not None:
        nn.init.zeros_(in_proj_bias)
        nn.init.zeros_(out_proj_bias)
    if bias_k is not None:
        nn.init.xavier_normal_(bias_k)
        nn.init.xavier_normal_(bias_v)
"""


def _fixed(*shape: int, dtype: str = "float32") -> dict[str, Any]:
    return {"shape": list(shape), "dtype": dtype, "batch": False}


_BOTH = "y, w = attn1"

LAYERS = (
    Layer(
        "MultiheadAttention",
        "Attention of queries to keys and values by several heads: the attended values, and the weights.",
        "embed_dim: size, /, num_heads: size, dropout: probability = 0.0, bias: bool = True, "
        "add_bias_kv: bool = False, add_zero_attn: bool = False, kdim: size | None = None, "
        "vdim: size | None = None, batch_first: bool = False",
        form=_form,
        calls="F.multi_head_attention_forward",
        shape=attention.multihead_attention,
        forward="query: Tensor, key: Tensor, value: Tensor, key_padding_mask: Tensor | None = None, "
        "need_weights: bool = True, attn_mask: Tensor | None = None, average_attn_weights: bool = True, "
        "is_causal: bool = False",
        infer={"embed_dim": "query.shape[-1]"},
        state=_STATE,
        draw=_DRAW,
        note=_note,
        fused="_native_multi_head_attention",
        stem="attn",
        let={
            "one_size": "(kdim is None or kdim == embed_dim) and (vdim is None or vdim == embed_dim)",
            "key_size": "embed_dim if kdim is None else kdim",
            "value_size": "embed_dim if vdim is None else vdim",
        },
        checks=(
            Check(
                "embed_dim % num_heads == 0",
                "num_heads",
                "the heads share embed_dim evenly, but {num_heads} does not divide {embed_dim}",
            ),
        ),
        mult_adds=products.attention_layer,
        examples=(
            example((4, 6), call=f"{_BOTH}(x, x, x)", num_heads=2),
            example((4, 6), call=f"{_BOTH}(x, x, x)", num_heads=2, batch_first=True, dropout=0.3),
            example(
                (4, 6),
                call="y, _ = attn1(x, x, x, need_weights=False)",
                num_heads=3,
                dropout=0.3,
            ),
            example(
                (4, 6),
                (5, 6),
                call="y, _ = attn1(x, memory, memory, need_weights=False)",
                embed_dim=6,
                num_heads=2,
                bias=False,
                batch_first=True,
            ),
            example(
                (4, 6),
                (4, 6),
                call=f"{_BOTH}(x, memory, memory, average_attn_weights=False)",
                num_heads=2,
                batch_first=True,
            ),
            example(
                (4, 6),
                (5, 3),
                (5, 2),
                call=f"{_BOTH}(q, k, v)",
                num_heads=2,
                kdim=3,
                vdim=2,
                batch_first=True,
            ),
            example(
                (4, 6),
                (4, 6),
                (4, 6),
                call=f"{_BOTH}(q, k, v)",
                num_heads=2,
                kdim=6,
                vdim=6,
                add_bias_kv=True,
                batch_first=True,
            ),
            example(
                (4, 6),
                (4, 2),
                call="y, _ = attn1(x, x, v, need_weights=False)",
                num_heads=2,
                vdim=2,
                bias=False,
                add_bias_kv=True,
                add_zero_attn=True,
            ),
            example(
                (4, 6),
                {"shape": [4], "dtype": "bool"},
                call=f"{_BOTH}(x, x, x, key_padding_mask=mask)",
                num_heads=2,
                add_zero_attn=True,
                batch_first=True,
            ),
            example(
                (4, 6),
                (4,),
                _fixed(4, 4),
                call=f"{_BOTH}(x, x, x, key_padding_mask=mask, attn_mask=bias)",
                num_heads=2,
                add_bias_kv=True,
                batch_first=True,
            ),
            example(
                (4, 6),
                _fixed(4, 4),
                call="y, _ = attn1(x, x, x, attn_mask=bias, need_weights=False, " "is_causal=True)",
                num_heads=2,
                batch_first=True,
            ),
            example(
                (4, 6),
                _fixed(4, 4),
                call=f"{_BOTH}(x, x, x, attn_mask=bias, is_causal=True, average_attn_weights=False)",
                num_heads=3,
                batch_first=True,
            ),
            example(
                _fixed(4, 6),
                _fixed(5, 6),
                _fixed(5, dtype="bool"),
                _fixed(2, 4, 5),
                call=f"{_BOTH}(x, memory, memory, key_padding_mask=mask, attn_mask=bias)",
                num_heads=2,
                batch_first=True,
            ),
            example(
                _fixed(4, 6),
                call="y, _ = attn1(x, x, x, need_weights=False)",
                num_heads=2,
            ),
        ),
    ),
)

FUNCTIONS = (
    function(
        "F.multi_head_attention_forward",
        "query: Tensor, key: Tensor, value: Tensor, embed_dim_to_check: size, num_heads: size, "
        "in_proj_weight: Tensor | None, in_proj_bias: Tensor | None, bias_k: Tensor | None, "
        "bias_v: Tensor | None, add_zero_attn: bool, dropout_p: any, out_proj_weight: Tensor, "
        "out_proj_bias: Tensor | None, training: any = True, key_padding_mask: Tensor | None = None, "
        "need_weights: bool = True, attn_mask: Tensor | None = None, "
        "use_separate_proj_weight: bool = False, q_proj_weight: Tensor | None = None, "
        "k_proj_weight: Tensor | None = None, v_proj_weight: Tensor | None = None, "
        "static_k: Tensor | None = None, static_v: Tensor | None = None, "
        "average_attn_weights: bool = True, is_causal: bool = False",
        attention.attention_forward,
    ),
)
