"""Losses of numbers and of distributions."""

from __future__ import annotations

from nngen.catalog.entry import Check, Layer, Target, example, function
from nngen.catalog.layers.classification_losses import REDUCTION
from nngen.catalog.since import Since
from nngen.symbolic.rules import losses

_NUMBERS = Target("numbers")
_EXAMPLES = (
    example((5,)),
    example((2, 3), reduction="sum"),
    example((5,), reduction="none"),
)
_WEIGHT = Since(arguments={"weight": "2.6"})

LAYERS = (
    Layer(
        "MSELoss",
        "Mean squared error of {input} and targets {target}.",
        REDUCTION,
        form="out = F.mse_loss(input, target, reduction=reduction)",
        forward="input: Tensor, target: Tensor",
        stem="mse_loss",
        targets={"target": _NUMBERS},
        examples=_EXAMPLES,
    ),
    Layer(
        "L1Loss",
        "Mean absolute error of {input} and targets {target}.",
        REDUCTION,
        form="out = F.l1_loss(input, target, reduction=reduction)",
        forward="input: Tensor, target: Tensor",
        stem="l1_loss",
        targets={"target": _NUMBERS},
        examples=_EXAMPLES,
    ),
    Layer(
        "SmoothL1Loss",
        "Mean error of {input} and targets {target}: squared where small, absolute where large.",
        f"{REDUCTION}, beta: float = 1.0",
        form="out = F.smooth_l1_loss(input, target, reduction=reduction, beta=beta)",
        forward="input: Tensor, target: Tensor",
        checks=(Check("beta >= 0", "beta", "beta must be at least 0, not {beta}"),),
        stem="smooth_l1_loss",
        targets={"target": _NUMBERS},
        examples=(
            *_EXAMPLES,
            example((5,), beta=0.5),
            example((5,), beta=0),
        ),
    ),
    Layer(
        "HuberLoss",
        "Mean error of {input} and targets {target}: squared where small, absolute where large.",
        f"{REDUCTION}, delta: positive = 1.0",
        form="out = F.huber_loss(input, target, reduction=reduction, delta=delta)",
        forward="input: Tensor, target: Tensor",
        stem="huber_loss",
        targets={"target": _NUMBERS},
        examples=(*_EXAMPLES, example((5,), delta=0.5)),
    ),
    Layer(
        "KLDivLoss",
        "Kullback-Leibler divergence of log probabilities {input} from targets {target}.",
        "reduction: 'mean' | 'batchmean' | 'sum' | 'none' = 'mean', log_target: bool = False",
        form="out = F.kl_div(input, target, reduction=reduction, log_target=log_target)",
        forward="input: Tensor, target: Tensor",
        stem="kl_div",
        targets={"target": Target("probabilities", kind="probability")},
        output_name="log_probs",
        examples=(
            *_EXAMPLES,
            example((5,), reduction="batchmean"),
            example((5,), reduction="batchmean", log_target=True),
        ),
    ),
    Layer(
        "PoissonNLLLoss",
        "Negative log likelihood of rates {log_input}, or their logarithms, and counts {target}.",
        f"log_input: bool = True, full: bool = False, eps: float = 1e-8, {REDUCTION}",
        form="""
            out = F.poisson_nll_loss(
                log_input, target, log_input=is_log, full=full, eps=eps, reduction=reduction
            )
        """,
        forward="log_input: Tensor, target: Tensor",
        # The constructor and forward have an argument of this name each.
        let={"is_log": "log_input"},
        stem="poisson_nll_loss",
        targets={"target": Target("counts", "log_input.shape", below="5")},
        examples=(
            *_EXAMPLES,
            example({"shape": (5,), "below": 3}, log_input=False, full=True),
            example({"shape": (5,), "below": 3}, log_input=False, eps=1e-3),
        ),
    ),
    Layer(
        "GaussianNLLLoss",
        "Negative log likelihood of means {input} with variances {var}, and targets {target}.",
        f"*, full: bool = False, eps: float = 1e-6, {REDUCTION}",
        form="out = F.gaussian_nll_loss(input, target, var, full=full, eps=eps, reduction=reduction)",
        forward="input: Tensor, target: Tensor, var: Tensor",
        stem="gaussian_nll_loss",
        targets={"target": _NUMBERS},
        examples=(
            example((5,), {"shape": (5,), "below": 3}),
            example((5,), {"shape": (1,), "below": 3}, full=True, reduction="sum"),
            example((2, 3), {"shape": (2,), "below": 3}, eps=0.1, reduction="none"),
        ),
    ),
)

_PLAIN = "input: Tensor, target: Tensor, *, "

FUNCTIONS = (
    function(
        "F.mse_loss",
        f"{_PLAIN}{REDUCTION}, weight: Tensor | None = None",
        losses.matching_loss,
        since=_WEIGHT,
    ),
    function(
        "F.l1_loss",
        f"{_PLAIN}{REDUCTION}, weight: Tensor | None = None",
        losses.matching_loss,
        since=_WEIGHT,
    ),
    function("F.smooth_l1_loss", f"{_PLAIN}{REDUCTION}, beta: float = 1.0", losses.smooth_l1_loss),
    function(
        "F.huber_loss",
        f"input: Tensor, target: Tensor, {REDUCTION}, delta: positive = 1.0, "
        "weight: Tensor | None = None",
        losses.huber_loss,
        since=_WEIGHT,
    ),
    function(
        "F.kl_div",
        f"{_PLAIN}reduction: 'mean' | 'batchmean' | 'sum' | 'none' = 'mean', "
        "log_target: bool = False",
        losses.promoting_loss,
        takes="log probabilities",
    ),
    function(
        "F.poisson_nll_loss",
        "input: Tensor, target: Tensor, log_input: bool = True, full: bool = False, *, "
        f"eps: float = 1e-8, {REDUCTION}",
        losses.rate_loss,
    ),
    function(
        "F.gaussian_nll_loss",
        "input: Tensor, target: Tensor, var: Tensor | float, full: bool = False, "
        f"eps: float = 1e-6, {REDUCTION}",
        losses.gaussian_nll_loss,
        since=Since(numbers={"var": "2.6"}),
    ),
)
