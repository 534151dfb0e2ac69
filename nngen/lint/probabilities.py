"""NN1xx, of losses that take probabilities, their logarithms, or rates."""

from __future__ import annotations

from collections.abc import Iterator

from nngen.catalog import Trait
from nngen.lint.rule import Hit, Rule, behind, everywhere, losses
from nngen.lint.trace import Node, Trace

_BEHIND = Trait.SAME | Trait.DROPOUT
_ANY_NUMBER = Trait.LINEAR | Trait.NORM
_SCORES = _ANY_NUMBER | Trait.ACTIVATION


def _no_log(trace: Trace) -> Iterator[Hit]:
    for loss, given in losses(trace, "log probabilities"):
        found = behind(given, _BEHIND)
        if found is None or Trait.LOG_PROBABILITY in found.traits:
            continue
        if Trait.PROBABILITY in found.traits:
            what, fix = "probabilities", f"put log_softmax in the place of {found.name}"
        elif found.traits & _SCORES:
            what, fix = "raw scores", "put a LogSoftmax before the loss"
        else:
            continue
        if loss.does == "nll_loss":
            fix += ", or use CrossEntropyLoss on the raw scores"
        message = f"{loss.name} takes log probabilities, but {found.name} gives {what}"
        yield Hit(loss.mark, message, fix)


def _no_sigmoid(trace: Trace) -> Iterator[Hit]:
    for loss, given in losses(trace, "probabilities"):
        found = behind(given, _BEHIND)
        if found is None or Trait.PROBABILITY in found.traits or found.does == "hardtanh":
            continue  # the bounds of hardtanh are its arguments
        if found.traits & _SCORES:
            yield Hit(
                loss.mark,
                f"{loss.name} takes probabilities, but {found.name} gives numbers outside of 0 to 1",
                "put a Sigmoid before the loss, or use BCEWithLogitsLoss on the raw scores",
            )


def _not_positive(trace: Trace) -> Iterator[Hit]:
    for loss in trace.nodes:
        if loss.does == "gaussian_nll_loss":
            given, what = loss.taken.get("var"), "a variance"
        elif loss.does == "poisson_nll_loss" and loss.values.get("log_input") is False:
            given, what = loss.source, "a rate"
        else:
            continue
        found = behind(given if isinstance(given, Node) else None)
        if found is not None and (
            found.traits & _ANY_NUMBER or found.does in ("tanh", "leaky_relu")
        ):
            yield Hit(
                loss.mark,
                f"{loss.name} takes {what}, but {found.name} gives numbers below zero too",
                "put a Softplus, or `torch.exp`, before the loss",
            )


def _log_of_softmax(node: Node) -> tuple[str, str] | None:
    before = behind(node.source) if node.does == "log" else None
    better = {"softmax": "F.log_softmax", "sigmoid": "F.logsigmoid"}
    if before is None or before.does not in better:
        return None
    return (
        f"the log of {before.name} is minus infinity where {before.name} rounds to zero",
        f"use `{better[before.does]}`, which does both at once",
    )


def _mean_of_divergence(trace: Trace) -> Iterator[Hit]:
    for loss, _ in losses(trace, "log probabilities"):
        if loss.does == "kl_div" and loss.values.get("reduction") == "mean":
            yield Hit(
                loss.mark,
                f"{loss.name} by `mean` is divided by the number of classes too",
                "give `reduction: batchmean`",
            )


RULES = (
    Rule(
        "NN104",
        "a loss of log probabilities that is given others",
        _no_log,
        "NLLLoss does no more than pick the target's number and turn its sign; CTCLoss and KLDivLoss count on "
        "logarithms as well. Given scores or probabilities, the loss falls without end or means nothing.",
        "the layer before is made to give log probabilities.",
        """\
input: [8]
layers:
  - Linear: 10
loss: NLLLoss
""",
        """\
input: [8]
layers:
  - Linear: 10
  - LogSoftmax: {dim: 1}
loss: NLLLoss
""",
        "nll-without-log-softmax",
    ),
    Rule(
        "NN105",
        "BCELoss without a sigmoid",
        _no_sigmoid,
        "BCELoss takes the logarithm of what it is given. torch refuses numbers below 0 or above 1 when the model runs.",
        "the layer before is made to give numbers from 0 to 1.",
        """\
input: [8]
layers:
  - Linear: 1
loss: BCELoss
""",
        """\
input: [8]
layers:
  - Linear: 1
  - Sigmoid
loss: BCELoss
""",
        "bce-without-sigmoid",
    ),
    Rule(
        "NN109",
        "a variance or rate that can be negative",
        _not_positive,
        "GaussianNLLLoss raises where a variance is below zero; PoissonNLLLoss with `log_input: false` takes the "
        "logarithm of a rate, which is not a number there.",
        "the layer before is made to give positive numbers.",
        """\
input: [8]
layers:
  - Linear: 1
loss: {PoissonNLLLoss: {log_input: false}}
""",
        """\
input: [8]
layers:
  - Linear: 1
loss: PoissonNLLLoss
""",
    ),
    Rule(
        "NN110",
        "the log of a softmax or sigmoid",
        everywhere(_log_of_softmax),
        "A softmax or sigmoid of a score far below the others rounds to zero, and its log is minus infinity; the "
        "gradient is then not a number. log_softmax and logsigmoid stay exact.",
        "the scores are known to be small.",
        """\
input: [8]
layers:
  - Linear: 10
  - Softmax as shares: {dim: 1}
  - y = torch.log(shares)
loss: NLLLoss
""",
        """\
input: [8]
layers:
  - Linear: 10
  - LogSoftmax: {dim: 1}
loss: NLLLoss
""",
        "log-of-softmax",
    ),
    Rule(
        "NN111",
        "a KL divergence divided by too much",
        _mean_of_divergence,
        "`mean`, torch's default, divides by the number of all values: by the batch and by the classes. The KL "
        "divergence is a sum over the classes; torch warns.",
        "the loss is only compared with itself, and its scale is known.",
        """\
input: [8]
layers:
  - Linear: 10
  - LogSoftmax: {dim: 1}
loss: KLDivLoss
""",
        """\
input: [8]
layers:
  - Linear: 10
  - LogSoftmax: {dim: 1}
loss: {KLDivLoss: {reduction: batchmean}}
""",
        "kl-divergence-mean",
    ),
)
