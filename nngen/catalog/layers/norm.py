"""Normalisation layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nngen.catalog.entry import Check, Example, Layer, State, buffer, example, function, parameter
from nngen.catalog.since import Since
from nngen.catalog.traits import Trait
from nngen.errors import Fault
from nngen.symbolic.rules import norms

_BATCH_NORM = """
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
"""


def _state_of(size: str, affine: str = "affine") -> tuple[State, ...]:
    return (
        parameter("weight", f"torch.ones({size})", when=affine),
        parameter("bias", f"torch.zeros({size})", when=f"{affine} and bias"),
    )


_BIAS = Since(arguments={"bias": "2.12"})


def _channels(counted: bool) -> tuple[State, ...]:
    """Weight, bias and running statistics; torch counts the batches in batch norm alone."""
    return (
        *_state_of("num_features"),
        buffer(
            "running_mean", "torch.zeros(num_features)", when="track_running_stats", written=True
        ),
        buffer("running_var", "torch.ones(num_features)", when="track_running_stats", written=True),
        buffer(
            "num_batches_tracked", "torch.tensor(0)", when="track_running_stats", written=counted
        ),
    )


def _batch_norm_examples(sample: tuple[int, ...]) -> tuple[Example, ...]:
    return (
        example(sample),
        example(sample, num_features=4, eps=1e-3, momentum=0.3),
        example(sample, affine=False),
        example(sample, momentum=None),
        example(sample, momentum=None, affine=False, eps=1e-2),
        example(sample, track_running_stats=False),
        example(sample, track_running_stats=False, affine=False, momentum=0.2),
        example(sample, bias=False, affine=True, track_running_stats=True),
        example(sample, eps=1e-5, momentum=0.1, bias=True),
    )


def _batch_norm(dims: int) -> Layer:
    sample = ((4, 5), (4, 3, 5), (4, 2, 3, 2))[dims - 1]
    ranks = (2, 3) if dims == 1 else (dims + 2,)
    return Layer(
        f"BatchNorm{dims}d",
        "Normalises each channel by the batch in train mode, by the running statistics in eval mode.",
        "num_features: size, /, eps: positive = 1e-5, momentum: float | None = 0.1, affine: bool = True, "
        "track_running_stats: bool = True, bias: bool = True",
        form=_BATCH_NORM,
        shape=norms.batch_norm(*ranks),
        infer={"num_features": "input.shape[1]"},
        state=_channels(counted=True),
        since=_BIAS,
        stem="bn",
        examples=(
            *_batch_norm_examples(sample),
            *((example((4,)), example((4,), track_running_stats=False)) if dims == 1 else ()),
        ),
    )


def _instance_form(dims: int) -> Callable[[Mapping[str, Any]], str]:
    """torch.nn puts a batch dimension around a sample that has none; the function wants it there."""

    def form(values: Mapping[str, Any]) -> str:
        shape = values["input"].shape
        if shape is None:
            raise Fault(
                "whether the input has a batch dimension is not known before the model runs",
                "give it a shape that can: `x = x.reshape(…)`",
            )
        batched = len(shape) == dims + 2
        given, done = ("input", "") if batched else ("input.unsqueeze(0)", ".squeeze(0)")
        return f"""
            if track_running_stats:
                out = F.instance_norm(
                    {given}, running_mean, running_var, weight, bias, use_input_stats=training,
                    momentum=0.0 if momentum is None else momentum, eps=eps,
                ){done}
            else:
                out = F.instance_norm({given}, None, None, weight, bias, eps=eps){done}
        """

    return form


def _instance_norm(dims: int) -> Layer:
    sample = ((4, 5), (4, 3, 5), (4, 2, 3, 2))[dims - 1]
    alone = {"shape": list(sample), "batch": False}
    return Layer(
        f"InstanceNorm{dims}d",
        "Normalises each channel of each sample; with running statistics, by those in eval mode.",
        "num_features: size, /, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = False, "
        "track_running_stats: bool = False, bias: bool = True",
        form=_instance_form(dims),
        calls="F.instance_norm",
        shape=norms.instance_norm(dims),
        infer={"num_features": f"input.shape[-{dims + 1}]"},
        state=_channels(counted=False),
        since=_BIAS,
        stem="norm",
        examples=(
            example(sample),
            example(sample, num_features=4, eps=1e-3, affine=True),
            example(sample, track_running_stats=True),
            example(sample, track_running_stats=True, momentum=0.3, affine=True),
            example(sample, track_running_stats=True, momentum=None),
            example(sample, affine=True, bias=False, track_running_stats=False),
            example(sample, eps=1e-5, momentum=0.1, affine=False, bias=True),
            example(alone),
            example(alone, affine=True, track_running_stats=True),
        ),
    )


LAYERS = (
    *(_batch_norm(dims) for dims in (1, 2, 3)),
    Layer(
        "SyncBatchNorm",
        "BatchNorm for inputs of any rank. In a process group torch's layer takes the statistics of all its "
        "processes; the functional form takes those of its own process.",
        "num_features: size, /, eps: positive = 1e-5, momentum: float | None = 0.1, affine: bool = True, "
        "track_running_stats: bool = True, process_group: None = None, bias: bool = True",
        form=_BATCH_NORM,
        shape=norms.batch_norm(),
        infer={"num_features": "input.shape[1]"},
        state=_channels(counted=True),
        since=_BIAS,
        stem="bn",
        note=lambda values: "nn alone syncs a process group",
        examples=(
            *_batch_norm_examples((4, 3)),
            example((4,)),
            example((4, 2, 3), process_group=None),
        ),
    ),
    *(_instance_norm(dims) for dims in (1, 2, 3)),
    Layer(
        "LayerNorm",
        "Normalises each sample over its last dimensions.",
        "normalized_shape: size | list[size], /, eps: float = 1e-5, elementwise_affine: bool = True, bias: bool = True",
        form="out = F.layer_norm(input, shape_tuple(normalized_shape), weight, bias, eps=eps)",
        shape=norms.layer_norm,
        infer={"normalized_shape": "input.shape[-1]"},
        state=_state_of("*shape_tuple(normalized_shape)", "elementwise_affine"),
        stem="norm",
        examples=(
            example((3, 6)),
            example((3, 6), normalized_shape=[3, 6], eps=1e-3),
            example((6,), normalized_shape=6, elementwise_affine=False),
            example((6,), bias=False, elementwise_affine=True),
            example((2, 3, 6), normalized_shape=[3, 6], elementwise_affine=False, eps=1e-5),
            example((6,), bias=True),
        ),
    ),
    Layer(
        "RMSNorm",
        "Divides each sample by the root of its mean square over the last dimensions.",
        "normalized_shape: size | list[size], /, eps: float | None = None, elementwise_affine: bool = True",
        form="out = F.rms_norm(x, shape_tuple(normalized_shape), weight, eps=eps)",
        shape=norms.rms_norm,
        forward="x: Tensor",
        infer={"normalized_shape": "x.shape[-1]"},
        state=(
            parameter(
                "weight", "torch.ones(*shape_tuple(normalized_shape))", when="elementwise_affine"
            ),
        ),
        stem="norm",
        examples=(
            example((3, 6)),
            example((3, 6), normalized_shape=[3, 6], eps=1e-3),
            example((6,), normalized_shape=6, elementwise_affine=False),
            example((6,), eps=None, elementwise_affine=True),
        ),
    ),
    Layer(
        "GroupNorm",
        "Normalises each sample over groups of channels.",
        "num_groups: size, num_channels: size, /, eps: float = 1e-5, affine: bool = True, bias: bool = True",
        form="out = F.group_norm(input, num_groups, weight, bias, eps=eps)",
        shape=norms.group_norm,
        infer={"num_channels": "input.shape[1]"},
        state=_state_of("num_channels"),
        since=_BIAS,
        checks=(
            Check(
                "num_channels % num_groups == 0",
                "num_groups",
                "the {num_channels} channels do not divide by num_groups ({num_groups})",
            ),
        ),
        stem="norm",
        examples=(
            example((6, 4), num_groups=2),
            example((6, 4, 3), num_groups=3, num_channels=6, eps=1e-3),
            example((6,), num_groups=3, affine=False),
            example((6, 2), num_groups=1, affine=True, bias=False),
            example((6, 2), num_groups=6, eps=1e-5, bias=True),
        ),
    ),
    Layer(
        "LocalResponseNorm",
        "Divides each value by a power of the mean square over neighbouring channels.",
        "size: size, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0",
        form="out = F.local_response_norm(input, size=size, alpha=alpha, beta=beta, k=k)",
        stem="norm",
        examples=(
            example((4, 5), size=2),
            example((4, 3, 5), size=3, alpha=0.1, beta=0.5, k=2),
            example((4, 2, 3, 2), size=5, alpha=1e-4, beta=0.75, k=1.0),
        ),
    ),
)

FUNCTIONS = (
    function(
        "F.batch_norm",
        "input: Tensor, running_mean: Tensor | None, running_var: Tensor | None, weight: Tensor | None = None, "
        "bias: Tensor | None = None, training: any = False, momentum: any = 0.1, eps: float = 1e-5",
        norms.batch_norm_function,
        traits=Trait.NORM,
        writes={"running_mean": "running_mean", "running_var": "running_var"},
    ),
    function(
        "F.instance_norm",
        "input: Tensor, running_mean: Tensor | None = None, running_var: Tensor | None = None, "
        "weight: Tensor | None = None, bias: Tensor | None = None, use_input_stats: any = True, "
        "momentum: float = 0.1, eps: float = 1e-5",
        norms.instance_norm_function,
        traits=Trait.NORM,
        writes={"running_mean": "running_mean", "running_var": "running_var"},
    ),
    function(
        "F.layer_norm",
        "input: Tensor, normalized_shape: list[size], weight: Tensor | None = None, "
        "bias: Tensor | None = None, eps: float = 1e-5",
        norms.layer_norm_function,
        traits=Trait.NORM,
    ),
    function(
        "F.rms_norm",
        "input: Tensor, normalized_shape: list[size], weight: Tensor | None = None, eps: float | None = None",
        norms.layer_norm_function,
        traits=Trait.NORM,
    ),
    function(
        "F.group_norm",
        "input: Tensor, num_groups: size, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5",
        norms.group_norm_function,
        traits=Trait.NORM,
    ),
    function(
        "F.local_response_norm",
        "input: Tensor, size: size, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0",
        norms.local_response_norm,
    ),
)
