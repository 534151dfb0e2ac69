"""Losses of classes and labels.

Those with weights of their own are in vocabulary.py, those of numbers in regression.py, of pairs and triplets in
ranking.py.
"""

from __future__ import annotations

from nngen.catalog.entry import Check, Layer, Target, buffer, example, function
from nngen.symbolic.rules import classification_losses, losses

REDUCTION = "reduction: 'mean' | 'sum' | 'none' = 'mean'"

WEIGHT = buffer("weight", "torch.tensor(weight)", when="weight is not None")
_POS_WEIGHT = buffer("pos_weight", "torch.tensor(pos_weight)", when="pos_weight is not None")
_CLASSES = Target(
    "class indices",
    "input.shape[:1] + input.shape[2:]",
    "int64",
    below="input.shape[1]",
)
_ZERO_TO_ONE = Target("numbers from 0 to 1", kind="uniform")
_PROBABILITIES = {"shape": (5,), "below": 1}

LAYERS = (
    Layer(
        "CrossEntropyLoss",
        "Cross entropy of logits {input} and class indices {target}; takes the softmax itself.",
        f"weight: vector | None = None, ignore_index: int = -100, {REDUCTION}, "
        "label_smoothing: probability = 0.0",
        form="""
            out = F.cross_entropy(
                input, target, weight=weight, ignore_index=ignore_index, reduction=reduction,
                label_smoothing=label_smoothing,
            )
        """,
        forward="input: Tensor, target: Tensor",
        state=(WEIGHT,),
        stem="cross_entropy",
        targets={"target": _CLASSES},
        output_name="logits",
        examples=(
            example((5,)),
            example((5, 3), weight=[1.0, 2, 0.5, 1, 3], reduction="sum"),
            example((5,), ignore_index=2, label_smoothing=0.1),
            example((5, 2, 3), reduction="none"),
        ),
    ),
    Layer(
        "NLLLoss",
        "Negative log likelihood of log probabilities {input} and class indices {target}.",
        f"weight: vector | None = None, ignore_index: int = -100, {REDUCTION}",
        form="""
            out = F.nll_loss(
                input, target, weight=weight, ignore_index=ignore_index, reduction=reduction
            )
        """,
        forward="input: Tensor, target: Tensor",
        state=(WEIGHT,),
        stem="nll_loss",
        targets={"target": _CLASSES},
        output_name="log_probs",
        examples=(
            example((5,)),
            example((5, 3), weight=[1.0, 2, 0.5, 1, 3], reduction="sum"),
            example((5, 2, 3), ignore_index=2),
            example((5,), reduction="none"),
        ),
    ),
    Layer(
        "BCELoss",
        "Binary cross entropy of probabilities {input} and targets {target} from 0 to 1.",
        f"weight: array | None = None, {REDUCTION}",
        form="out = F.binary_cross_entropy(input, target, weight=weight, reduction=reduction)",
        forward="input: Tensor, target: Tensor",
        state=(WEIGHT,),
        stem="bce_loss",
        targets={"target": _ZERO_TO_ONE},
        output_name="probs",
        examples=(
            example(_PROBABILITIES),
            example(_PROBABILITIES, weight=[1.0, 2, 0.5, 1, 3], reduction="sum"),
            example({"shape": (2, 3), "below": 1}, weight=[[2], [0.5]], reduction="none"),
            example(_PROBABILITIES, weight=0.5),
        ),
    ),
    Layer(
        "BCEWithLogitsLoss",
        "Binary cross entropy of logits {input} and targets {target} from 0 to 1; takes the sigmoid itself.",
        f"weight: array | None = None, {REDUCTION}, pos_weight: array | None = None",
        form="""
            out = F.binary_cross_entropy_with_logits(
                input, target, weight=weight, reduction=reduction, pos_weight=pos_weight
            )
        """,
        forward="input: Tensor, target: Tensor",
        state=(WEIGHT, _POS_WEIGHT),
        stem="bce_with_logits",
        targets={"target": _ZERO_TO_ONE},
        output_name="logits",
        examples=(
            example((5,)),
            example((5,), weight=[1.0, 2, 0.5, 1, 3], reduction="sum"),
            example((2, 3), pos_weight=[[2.0], [0.5]], reduction="none"),
            example((2,), weight=[0.5, 2], pos_weight=[3]),
        ),
    ),
    Layer(
        "MultiLabelMarginLoss",
        "Margin loss of scores {input} and the classes {target} that hold, ended by -1.",
        REDUCTION,
        form="out = F.multilabel_margin_loss(input, target, reduction=reduction)",
        forward="input: Tensor, target: Tensor",
        stem="multilabel_margin_loss",
        targets={
            "target": Target(
                "class indices, ended by -1",
                "input.shape",
                "int64",
                below="input.shape[-1]",
                low="-1",
            )
        },
        output_name="scores",
        examples=(
            example((5,)),
            example((4,), reduction="sum"),
            example((5,), reduction="none"),
        ),
    ),
    Layer(
        "MultiLabelSoftMarginLoss",
        "Binary cross entropy over the labels of logits {input} and targets {target} from 0 to 1.",
        f"weight: array | None = None, {REDUCTION}",
        form="out = F.multilabel_soft_margin_loss(input, target, weight=weight, reduction=reduction)",
        forward="input: Tensor, target: Tensor",
        state=(WEIGHT,),
        stem="multilabel_soft_margin_loss",
        targets={"target": _ZERO_TO_ONE},
        output_name="logits",
        examples=(
            example((5,)),
            example((3, 5), weight=[1.0, 2, 0.5, 1, 3], reduction="sum"),
            example((5,), reduction="none"),
        ),
    ),
    Layer(
        "MultiMarginLoss",
        "Margin loss of scores {input} and class indices {target}.",
        f"p: int = 1, margin: float = 1.0, weight: vector | None = None, {REDUCTION}",
        form="""
            out = F.multi_margin_loss(
                input, target, p=p, margin=margin, weight=weight, reduction=reduction
            )
        """,
        forward="input: Tensor, target: Tensor",
        state=(WEIGHT,),
        checks=(Check("p == 1 or p == 2", "p", "p must be 1 or 2, not {p}"),),
        stem="multi_margin_loss",
        targets={"target": _CLASSES},
        output_name="scores",
        examples=(
            example((5,)),
            example((5,), p=2, weight=[1.0, 2, 0.5, 1, 3]),
            example((5,), margin=0.5, reduction="sum"),
            example((5,), p=1, reduction="none"),
        ),
    ),
    Layer(
        "SoftMarginLoss",
        "Logistic loss of scores {input} and signs {target}, -1 or 1.",
        REDUCTION,
        form="out = F.soft_margin_loss(input, target, reduction=reduction)",
        forward="input: Tensor, target: Tensor",
        stem="soft_margin_loss",
        # Whole numbers, since torch cannot go backward to this target.
        targets={"target": Target("signs, -1 or 1", dtype="int64", kind="sign")},
        output_name="scores",
        examples=(
            example((5,)),
            example((2, 3), reduction="sum"),
            example((5,), reduction="none"),
        ),
    ),
    Layer(
        "CTCLoss",
        "Connectionist temporal classification of log probabilities {log_probs}, time first, "
        "and targets {targets}, of the lengths {input_lengths} and {target_lengths}.",
        f"blank: count = 0, {REDUCTION}, zero_infinity: bool = False",
        form="""
            out = F.ctc_loss(
                log_probs, targets, input_lengths, target_lengths, blank=blank,
                reduction=reduction, zero_infinity=zero_infinity,
            )
        """,
        forward="log_probs: Tensor, targets: Tensor, input_lengths: Tensor | list[count], "
        "target_lengths: Tensor | list[count]",
        stem="ctc_loss",
        targets={
            "targets": Target(
                "class indices other than the blank",
                "(log_probs.shape[1], (log_probs.shape[0] + 1) // 2)",
                "int64",
                below="log_probs.shape[-1]",
                low="1 if blank == 0 else 0",
            ),
            "input_lengths": Target(
                "how many steps of each sample count",
                "log_probs.shape[1:2]",
                "int64",
                below="log_probs.shape[0] + 1",
                low="log_probs.shape[0]",
            ),
            "target_lengths": Target(
                "how many targets of each sample count",
                "log_probs.shape[1:2]",
                "int64",
                below="(log_probs.shape[0] + 1) // 2 + 1",
                low="1",
            ),
        },
        examples=(
            example({"shape": (6, 3, 5), "batch": False}),
            example({"shape": (7, 2, 4), "batch": False}, blank=3, reduction="sum"),
            example({"shape": (5, 3, 6), "batch": False}, zero_infinity=True, reduction="none"),
            example(
                {"shape": (6, 2, 5), "batch": False},
                {"shape": (2, 3), "dtype": "int64", "below": 4, "batch": False},
                call="y = ctc_loss1(x, targets, (6, 5), (3, 2))",
                blank=4,
            ),
        ),
    ),
)

FUNCTIONS = (
    function(
        "F.cross_entropy",
        "input: Tensor, target: Tensor, weight: Tensor | None = None, *, ignore_index: int = -100, "
        f"{REDUCTION}, label_smoothing: probability = 0.0",
        classification_losses.cross_entropy,
        takes="softmax",
    ),
    function(
        "F.nll_loss",
        "input: Tensor, target: Tensor, weight: Tensor | None = None, *, ignore_index: int = -100, "
        f"{REDUCTION}",
        classification_losses.class_loss,
        takes="log probabilities",
    ),
    function(
        "F.binary_cross_entropy",
        f"input: Tensor, target: Tensor, weight: Tensor | None = None, *, {REDUCTION}",
        losses.binary_cross_entropy,
        takes="probabilities",
    ),
    function(
        "F.binary_cross_entropy_with_logits",
        f"input: Tensor, target: Tensor, weight: Tensor | None = None, *, {REDUCTION}, "
        "pos_weight: Tensor | None = None",
        losses.binary_loss,
        takes="sigmoid",
    ),
    function(
        "F.multilabel_margin_loss",
        f"input: Tensor, target: Tensor, *, {REDUCTION}",
        classification_losses.multilabel_margin_loss,
    ),
    function(
        "F.multilabel_soft_margin_loss",
        f"input: Tensor, target: Tensor, weight: Tensor | None = None, *, {REDUCTION}",
        losses.multilabel_soft_margin_loss,
        takes="sigmoid",
    ),
    function(
        "F.multi_margin_loss",
        "input: Tensor, target: Tensor, p: int = 1, margin: float = 1.0, "
        f"weight: Tensor | None = None, *, {REDUCTION}",
        classification_losses.multi_margin_loss,
    ),
    function(
        "F.soft_margin_loss",
        f"input: Tensor, target: Tensor, *, {REDUCTION}",
        losses.soft_margin_loss,
        takes="sigmoid",
    ),
    function(
        "F.ctc_loss",
        "log_probs: Tensor, targets: Tensor, input_lengths: Tensor | list[count], "
        f"target_lengths: Tensor | list[count], blank: count = 0, {REDUCTION}, "
        "zero_infinity: bool = False",
        classification_losses.ctc_loss,
        takes="log probabilities",
    ),
)
