"""Embeddings: tables of vectors, looked up by index."""

from __future__ import annotations

from nngen.catalog.entry import Check, Layer, example, function, parameter
from nngen.catalog.traits import Trait
from nngen.symbolic.rules import embeddings

_STATE = (parameter("weight", "torch.empty(num_embeddings, embedding_dim)"),)
_DRAW = """
    nn.init.normal_(weight)
    if padding_idx is not None:
        nn.init.zeros_(weight[padding_idx])
"""
_PADDING = Check(
    "padding_idx is None or -num_embeddings <= padding_idx < num_embeddings",
    "padding_idx",
    "padding_idx ({padding_idx}) is none of the {num_embeddings} embeddings",
)
_INDICES = {"shape": [5], "dtype": "int64", "below": 7}
_FLAT = {"shape": [9], "dtype": "int64", "below": 7, "batch": False}
_OFFSETS = {"shape": [4], "dtype": "int64", "below": 1, "batch": False}

LAYERS = (
    Layer(
        "Embedding",
        "For each index, the vector that the table holds under it.",
        "num_embeddings: size, embedding_dim: size, /, padding_idx: int | None = None, "
        "max_norm: float | None = None, norm_type: float = 2.0, scale_grad_by_freq: bool = False, "
        "sparse: bool = False",
        form="""
            out = F.embedding(
                input, weight, padding_idx=padding_idx, max_norm=max_norm, norm_type=norm_type,
                scale_grad_by_freq=scale_grad_by_freq, sparse=sparse,
            )
        """,
        shape=embeddings.embedding,
        state=_STATE,
        draw=_DRAW,
        checks=(_PADDING,),
        stem="embed",
        traits=Trait.MODIFIABLE,
        examples=(
            example(_INDICES, num_embeddings=7, embedding_dim=3),
            example(_INDICES, num_embeddings=7, embedding_dim=3, padding_idx=0),
            example(_INDICES, num_embeddings=7, embedding_dim=3, padding_idx=-2),
            example(
                {"shape": [5, 2], "dtype": "int64", "below": 7},
                num_embeddings=8,
                embedding_dim=3,
                max_norm=0.5,
                norm_type=1,
            ),
            example(_INDICES, num_embeddings=7, embedding_dim=4, max_norm=1.5, padding_idx=3),
            example(_INDICES, num_embeddings=7, embedding_dim=3, scale_grad_by_freq=True),
            example(_INDICES, num_embeddings=7, embedding_dim=3, sparse=True),
            example(
                {"shape": [], "dtype": "int32", "below": 7},
                num_embeddings=7,
                embedding_dim=3,
                norm_type=2.0,
                scale_grad_by_freq=False,
                sparse=False,
            ),
        ),
    ),
    Layer(
        "EmbeddingBag",
        "For each bag of indices, the mean, the sum or the greatest of their vectors.",
        "num_embeddings: size, embedding_dim: size, /, max_norm: float | None = None, "
        "norm_type: float = 2.0, scale_grad_by_freq: bool = False, "
        "mode: 'mean' | 'sum' | 'max' = 'mean', sparse: bool = False, "
        "include_last_offset: bool = False, padding_idx: int | None = None",
        form="""
            out = F.embedding_bag(
                input, weight, offsets, max_norm=max_norm, norm_type=norm_type,
                scale_grad_by_freq=scale_grad_by_freq, mode=mode, sparse=sparse,
                per_sample_weights=per_sample_weights, include_last_offset=include_last_offset,
                padding_idx=padding_idx,
            )
        """,
        shape=embeddings.embedding_bag,
        forward="input: Tensor, offsets: Tensor | None = None, "
        "per_sample_weights: Tensor | None = None",
        state=_STATE,
        draw=_DRAW,
        checks=(
            _PADDING,
            Check(
                "mode != 'max' or not scale_grad_by_freq",
                "scale_grad_by_freq",
                "mode 'max' does not go with scale_grad_by_freq",
            ),
            Check("mode != 'max' or not sparse", "sparse", "mode 'max' does not go with sparse"),
        ),
        stem="bag",
        examples=(
            example(_INDICES, num_embeddings=7, embedding_dim=3),
            example(_INDICES, num_embeddings=7, embedding_dim=3, mode="sum", padding_idx=2),
            example(_INDICES, num_embeddings=7, embedding_dim=3, mode="max", padding_idx=-1),
            example(
                _INDICES,
                num_embeddings=7,
                embedding_dim=3,
                max_norm=0.5,
                norm_type=1,
                mode="mean",
            ),
            example(
                _INDICES,
                num_embeddings=7,
                embedding_dim=3,
                scale_grad_by_freq=True,
                norm_type=2.0,
            ),
            example(_INDICES, num_embeddings=7, embedding_dim=3, mode="sum", sparse=True),
            example(
                _INDICES,
                {"shape": [5]},
                num_embeddings=7,
                embedding_dim=3,
                mode="sum",
                scale_grad_by_freq=False,
                sparse=False,
                call="y = bag1(x, per_sample_weights=weights)",
            ),
            example(_FLAT, _OFFSETS, num_embeddings=7, embedding_dim=3),
            example(
                _FLAT,
                _OFFSETS,
                {"shape": [9], "batch": False},
                num_embeddings=7,
                embedding_dim=3,
                mode="sum",
                include_last_offset=False,
                call="y = bag1(x, offsets, weights)",
            ),
            example(
                _FLAT,
                _OFFSETS,
                num_embeddings=7,
                embedding_dim=3,
                mode="max",
                include_last_offset=True,
                call="y = bag1(x, offsets=offsets)",
            ),
        ),
    ),
)

FUNCTIONS = (
    function(
        "F.embedding",
        "input: Tensor, weight: Tensor, padding_idx: int | None = None, "
        "max_norm: float | None = None, norm_type: float = 2.0, scale_grad_by_freq: bool = False, "
        "sparse: bool = False",
        embeddings.embedding_function,
        writes={"weight": "max_norm"},
    ),
    function(
        "F.embedding_bag",
        "input: Tensor, weight: Tensor, offsets: Tensor | None = None, "
        "max_norm: float | None = None, norm_type: float = 2, scale_grad_by_freq: bool = False, "
        "mode: 'mean' | 'sum' | 'max' = 'mean', sparse: bool = False, "
        "per_sample_weights: Tensor | None = None, include_last_offset: bool = False, "
        "padding_idx: int | None = None",
        embeddings.embedding_bag_function,
        writes={"weight": "max_norm"},
    ),
)
