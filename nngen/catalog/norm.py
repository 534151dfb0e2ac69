"""Normalisation layers."""

from __future__ import annotations

from nngen.catalog.entry import Layer, buffer, example, function, parameter
from nngen.shapes import common, features


def _batch_norm(dims: int) -> Layer:
    sample = ((4, 5), (4, 3, 5), (4, 2, 3, 2))[dims - 1]
    return Layer(
        f"BatchNorm{dims}d",
        "Normalises each channel by the batch in train mode, by the running statistics in eval mode.",
        "num_features: size, /, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True, "
        "track_running_stats: bool = True, bias: bool = True",
        form="""
            if track_running_stats:
                if training:
                    num_batches_tracked += 1
                if momentum is None:
                    out = F.batch_norm(
                        input, running_mean, running_var, weight, bias, training=training,
                        momentum=1 / float(num_batches_tracked) if training else 0.0, eps=eps,
                    )
                else:
                    out = F.batch_norm(
                        input, running_mean, running_var, weight, bias, training=training,
                        momentum=momentum, eps=eps,
                    )
            else:
                out = F.batch_norm(input, None, None, weight, bias, training=True, eps=eps)
        """,
        shape=(features.batch_norm1d, features.batch_norm2d, features.batch_norm3d)[dims - 1],
        infer={"num_features": "input.shape[1]"},
        state=(
            parameter("weight", "torch.ones(num_features)", when="affine"),
            parameter("bias", "torch.zeros(num_features)", when="affine and bias"),
            buffer("running_mean", "torch.zeros(num_features)", when="track_running_stats"),
            buffer("running_var", "torch.ones(num_features)", when="track_running_stats"),
            buffer("num_batches_tracked", "torch.tensor(0)", when="track_running_stats"),
        ),
        stem="bn",
        examples=(
            example(sample),
            example(sample, num_features=4, eps=1e-3, momentum=0.3),
            example(sample, affine=False),
            example(sample, momentum=None),
            example(sample, track_running_stats=False),
            example(sample, bias=False, affine=True, track_running_stats=True),
        ),
    )


LAYERS = (
    *(_batch_norm(dims) for dims in (1, 2, 3)),
    Layer(
        "LayerNorm",
        "Normalises each sample over its last dimensions.",
        "normalized_shape: size | list[size], /, eps: float = 1e-5, elementwise_affine: bool = True, bias: bool = True",
        form="out = F.layer_norm(input, shape_tuple(normalized_shape), weight, bias, eps=eps)",
        shape=features.layer_norm,
        infer={"normalized_shape": "input.shape[-1]"},
        state=(
            parameter(
                "weight",
                "torch.ones(*shape_tuple(normalized_shape))",
                when="elementwise_affine",
            ),
            parameter(
                "bias",
                "torch.zeros(*shape_tuple(normalized_shape))",
                when="elementwise_affine and bias",
            ),
        ),
        stem="norm",
        examples=(
            example((3, 6)),
            example((3, 6), normalized_shape=[3, 6], eps=1e-3),
            example((6,), normalized_shape=6, elementwise_affine=False),
            example((6,), bias=False, elementwise_affine=True),
            example((6,), bias=True),
        ),
    ),
    Layer(
        "GroupNorm",
        "Normalises each sample over groups of channels.",
        "num_groups: size, num_channels: size, eps: float = 1e-5, affine: bool = True, bias: bool = True",
        form="out = F.group_norm(input, num_groups, weight, bias, eps=eps)",
        shape=features.group_norm,
        infer={"num_channels": "input.shape[1]"},
        state=(
            parameter("weight", "torch.ones(num_channels)", when="affine"),
            parameter("bias", "torch.zeros(num_channels)", when="affine and bias"),
        ),
        stem="norm",
        examples=(
            example((6, 4), num_groups=2),
            example((6, 4, 3), num_groups=3, num_channels=6, eps=1e-3),
            example((6,), num_groups=6, affine=False),
            example((6, 2), num_groups=1, affine=True, bias=False),
        ),
    ),
)

FUNCTIONS = (
    function(
        "F.batch_norm",
        "input: Tensor, running_mean: Tensor | None, running_var: Tensor | None, weight: Tensor | None = None, "
        "bias: Tensor | None = None, training: any = False, momentum: float = 0.1, eps: float = 1e-5",
        common.unchanged,
    ),
    function(
        "F.layer_norm",
        "input: Tensor, normalized_shape: list[int], weight: Tensor | None = None, "
        "bias: Tensor | None = None, eps: float = 1e-5",
        features.layer_norm,
    ),
    function(
        "F.group_norm",
        "input: Tensor, num_groups: size, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5",
        common.unchanged,
    ),
)
