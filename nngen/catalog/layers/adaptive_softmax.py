"""Losses over large vocabularies: each holds the last linear layer, the one that is wide, itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nngen.catalog import products
from nngen.catalog.entry import Check, Layer, State, Target, example, function, parameter
from nngen.catalog.layers.classification_losses import REDUCTION, WEIGHT
from nngen.catalog.since import Since
from nngen.symbolic.rules import classification_losses as classes

_FIELDS = (
    "allow_retain_graph=bool, acc_policy='auto' | 'accurate' | 'balanced' | 'compact', "
    "acc_dtype=torch.float32 | None"
)
_SHARES = " | ".join(f"'aspect_ratio:{2**power}'" for power in range(7))
# A chunk has a size, or a method finds it. The models are float32, so `acc_dtype` is no other.
_OPTIONS = (
    f"nn.LinearCrossEntropyOptions({_FIELDS}, batch_chunk_size=size | None, "
    "chunking_method='auto' | None) | "
    f"nn.LinearCrossEntropyOptions({_FIELDS}, batch_chunk_size=None, "
    f"chunking_method='aspect_ratio' | {_SHARES})"
)


def _adaptive_state(values: Mapping[str, Any]) -> tuple[State, ...]:
    """A linear map to the first classes and the clusters, and for each cluster two, the first to fewer features."""
    head = "cutoffs[0] + len(cutoffs)"
    state = [
        parameter("head.weight", f"torch.empty({head}, in_features)"),
        parameter("head.bias", f"torch.empty({head})", when="head_bias"),
    ]
    for i in range(len(values["cutoffs"])):
        features = f"int(in_features // div_value ** {i + 1})"
        classes = f"ends[{i + 1}] - ends[{i}]"
        state.append(parameter(f"tail.{i}.0.weight", f"torch.empty({features}, in_features)"))
        state.append(parameter(f"tail.{i}.1.weight", f"torch.empty({classes}, {features})"))
    return tuple(state)


def _adaptive_draw(values: Mapping[str, Any]) -> str:
    lines = ["nn.init.kaiming_uniform_(head_weight, a=math.sqrt(5))"]
    if values["head_bias"]:
        bound = "1 / math.sqrt(in_features)"
        lines.append(f"nn.init.uniform_(head_bias, -{bound}, {bound})")
    for i in range(len(values["cutoffs"])):
        lines.append(f"nn.init.kaiming_uniform_(tail_{i}_0_weight, a=math.sqrt(5))")
        lines.append(f"nn.init.kaiming_uniform_(tail_{i}_1_weight, a=math.sqrt(5))")
    return "\n".join(lines)


def _adaptive_form(values: Mapping[str, Any]) -> str:
    """For each cluster that the targets have, the log probabilities in it; then those of the head."""
    lines = ["output = input_.new_zeros(target_.shape)", "index = target_"]
    for i in range(len(values["cutoffs"])):
        lines.append(f"""
rows = ((target_ >= ends[{i}]) & (target_ < ends[{i + 1}])).nonzero().squeeze(1)
if rows.numel() > 0:
    cluster = F.linear(input_.index_select(0, rows), tail_{i}_0_weight)
    cluster = F.log_softmax(F.linear(cluster, tail_{i}_1_weight), dim=1)
    chosen = cluster.gather(1, (target_[rows] - ends[{i}]).unsqueeze(1))
    output = output.index_copy(0, rows, chosen.squeeze(1))
    index = index.index_fill(0, rows, cutoffs[0] + {i})""")
    bias = ", head_bias" if values["head_bias"] else ""
    lines.append(f"""
head = F.log_softmax(F.linear(input_, head_weight{bias}), dim=1)
output = output + head.gather(1, index.unsqueeze(1)).squeeze(1)
loss = (-output).mean()
out = output, loss""")
    return "\n".join(lines)


_TARGETS = {"shape": (), "dtype": "int64", "below": 9}

LAYERS = (
    Layer(
        "LinearCrossEntropyLoss",
        "Cross entropy of a linear map of features {input} and class indices {target}; takes the softmax itself.",
        "in_features: size, num_classes: size, /, *, out_features: list[size] = (), bias: bool = False, "
        f"{REDUCTION}, weight: vector | None = None, ignore_index: int | None = None, "
        f"label_smoothing: probability = 0.0, options: {_OPTIONS} | None = None",
        form="""
            out = F.linear_cross_entropy(
                input,
                linear_weight.reshape(num_classes, *out_features, in_features) if out_features else linear_weight,
                target,
                linear_bias=linear_bias.reshape(num_classes, *out_features)
                if out_features and bias else linear_bias,
                weight=weight, reduction=reduction, ignore_index=ignore_index,
                label_smoothing=label_smoothing, options=options,
            )
        """,
        shape=classes.linear_cross_entropy_loss,
        forward="input: Tensor, target: Tensor",
        infer={"in_features": "input.shape[-1]"},
        state=(
            WEIGHT,
            parameter(
                "linear.weight", "torch.empty(num_classes * prod(out_features), in_features)"
            ),
            parameter("linear.bias", "torch.empty(num_classes * prod(out_features))", when="bias"),
        ),
        draw="""
            nn.init.kaiming_uniform_(linear_weight, a=math.sqrt(5))
            if bias: nn.init.uniform_(linear_bias, -1 / math.sqrt(in_features), 1 / math.sqrt(in_features))
        """,
        checks=(
            Check(
                "weight is None or len(weight) == num_classes",
                "weight",
                "weight must have a number for each of the {num_classes} classes: {weight}",
            ),
        ),
        stem="linear_cross_entropy",
        since=Since("2.13"),
        targets={
            "target": Target(
                "class indices", "input.shape[:1] + out_features", "int64", below="num_classes"
            )
        },
        examples=(
            example((4,), num_classes=5),
            example((4,), num_classes=3, bias=True, weight=[1, 2, 0.5], reduction="sum"),
            example((4,), num_classes=3, out_features=[2, 3], bias=True, ignore_index=1),
            example((4,), in_features=4, num_classes=5, label_smoothing=0.1, reduction="none"),
            example((4,), num_classes=6, options={"batch_chunk_size": 2, "chunking_method": None}),
            example((4,), num_classes=9, options={"chunking_method": "aspect_ratio:2"}),
        ),
    ),
    Layer(
        "AdaptiveLogSoftmaxWithLoss",
        "Negative log likelihood of features {input_} and class indices {target_}, by a softmax in clusters of classes.",
        "in_features: size, n_classes: size, /, cutoffs: list[size], div_value: positive = 4.0, "
        "head_bias: bool = False",
        form=_adaptive_form,
        calls="F.log_softmax",
        shape=classes.adaptive_log_softmax,
        forward="input_: Tensor, target_: Tensor",
        infer={"in_features": "input_.shape[-1]"},
        state=_adaptive_state,
        draw=_adaptive_draw,
        let={"ends": "cutoffs + (n_classes,)"},
        stem="adaptive_softmax",
        targets={
            "target_": Target("class indices", "input_.shape[:1]", "int64", below="n_classes")
        },
        mult_adds=products.untold,
        examples=(
            example(
                (16,),
                _TARGETS,
                n_classes=9,
                cutoffs=[3, 5],
                call="output, loss = adaptive_softmax1(x, target)",
            ),
            example(
                (8,),
                _TARGETS,
                in_features=8,
                n_classes=12,
                cutoffs=[2],
                head_bias=True,
                div_value=2,
                call="_, loss = adaptive_softmax1(x, target)",
            ),
            example(
                (8,),
                _TARGETS,
                n_classes=10,
                cutoffs=[1, 2, 9],
                div_value=1.5,
                call="output, _ = adaptive_softmax1(x, target)",
            ),
        ),
    ),
)

FUNCTIONS = (
    function(
        "F.linear_cross_entropy",
        "input: Tensor, linear_weight: Tensor, target: Tensor, *, linear_bias: Tensor | None = None, "
        f"weight: Tensor | None = None, {REDUCTION}, ignore_index: int | None = None, "
        "label_smoothing: probability = 0.0, options: None = None",
        classes.linear_cross_entropy,
        since=Since("2.13"),
    ),
)
