"""NN1xx, of losses that take scores of any size."""

from __future__ import annotations

from collections.abc import Iterator

from nngen.catalog import Trait
from nngen.lint.rule import KEEPS, Hit, Rule, behind, channels_first, known, losses
from nngen.lint.trace import Trace

_OF_SCORES = ("softmax", "sigmoid")
_OF_CLASSES = ("cross_entropy", "nll_loss")
_BEHIND = Trait.SAME | Trait.DROPOUT
_PROBABILITIES = Trait.PROBABILITY | Trait.LOG_PROBABILITY


def _softmax(trace: Trace) -> Iterator[Hit]:
    for loss, given in losses(trace, *_OF_SCORES):
        found = behind(given, _BEHIND)
        if found is None or Trait.SHARES not in found.traits:
            continue
        if Trait.PROBABILITY in found.traits or loss.takes == "sigmoid":
            yield Hit(
                found.mark,
                f"{found.name} before {loss.name}, which takes the {loss.takes} itself",
                f"take {found.name} out and give the loss the raw scores",
            )


def _bounded(trace: Trace) -> Iterator[Hit]:
    for loss, given in losses(trace, *_OF_SCORES):
        found = behind(given, _BEHIND)
        if found is None or Trait.SHARES in found.traits:
            continue
        margin = loss.does == "soft_margin_loss"  # its targets are -1 and 1
        if found.traits & (_PROBABILITIES if margin else _PROBABILITIES | Trait.BOUNDED):
            fix = f"take {found.name} out and give the loss the raw scores"
            if found.does == "sigmoid" and loss.takes == "sigmoid" and not margin:
                fix += ", or keep it and use BCELoss"
            yield Hit(
                found.mark,
                f"{found.name} before {loss.name} bounds the scores, "
                f"and the loss takes the {loss.takes} itself",
                fix,
            )


def _log_softmax(trace: Trace) -> Iterator[Hit]:
    for loss, given in losses(trace, "softmax"):
        found = behind(given)
        if found is not None and Trait.LOG_SOFTMAX in found.traits:
            yield Hit(
                found.mark,
                f"{found.name} before {loss.name} is harmless, but done twice",
                f"take {found.name} out, or keep it and use NLLLoss",
            )


def _cut(trace: Trace) -> Iterator[Hit]:
    for loss, given in losses(trace, *_OF_SCORES):
        found = behind(given, _BEHIND)
        if found is not None and Trait.RECTIFIER in found.traits:
            yield Hit(
                found.mark,
                f"{found.name} before {loss.name} cuts the scores off below zero",
                f"take {found.name} out: the last layer's scores go to the loss as they are",
            )


def _dropped(trace: Trace) -> Iterator[Hit]:
    for loss, given in losses(trace, *_OF_SCORES, "probabilities", "log probabilities"):
        found = behind(given, Trait.SAME | _PROBABILITIES)
        if found is not None and Trait.DROPOUT in found.traits:
            yield Hit(
                found.mark,
                f"{found.name} drops scores right before {loss.name}",
                "put it before the last layer",
            )


def _one_class(trace: Trace) -> Iterator[Hit]:
    for loss, given in losses(trace, "softmax", "log probabilities"):
        shape = None if given is None else given.shape
        if loss.does not in _OF_CLASSES:
            continue
        if shape is not None and len(shape) > 1 and known(shape[1]) == 1:
            yield Hit(
                loss.mark,
                f"{loss.name} over one class is always zero",
                "use BCEWithLogitsLoss for a yes or no, or give an output for each class",
            )


def _places(trace: Trace) -> Iterator[Hit]:
    for loss, given in losses(trace, "softmax", "log probabilities"):
        shape = None if given is None else given.shape
        found = behind(given, KEEPS)
        if (
            loss.does not in _OF_CLASSES
            or shape is None
            or len(shape) < 3
            or found is None
            or found.does != "linear"
        ):
            continue
        if channels_first(found.source) or len(found.shape or ()) != len(shape):
            continue
        move = "transpose(1, 2)" if len(shape) == 3 else "movedim(-1, 1)"
        yield Hit(
            loss.mark,
            f"{loss.name} takes dimension 1 for the classes, but {found.name} gives them in the last one of "
            f"{given and given.output}",
            f"give it `scores.{move}`, or flatten the places of scores and targets into one dimension with the batch",
        )


RULES = (
    Rule(
        "NN101",
        "softmax before a loss that takes logits",
        _softmax,
        "CrossEntropyLoss takes the softmax itself. Given probabilities it takes the softmax of numbers between 0 and "
        "1, which never come far apart: the loss cannot fall under a floor, and the gradient fades.",
        "you mean to flatten the distribution twice, which no known model does.",
        """\
input: [8]
layers:
  - Linear: 10
  - Softmax: {dim: 1}
loss: CrossEntropyLoss
""",
        """\
input: [8]
layers:
  - Linear: 10
loss: CrossEntropyLoss
""",
        "softmax-before-cross-entropy",
    ),
    Rule(
        "NN102",
        "a bounded activation before a loss that takes logits",
        _bounded,
        "The loss takes the sigmoid or softmax itself. Scores that are bounded already can never say `surely`, so that "
        "the loss keeps a floor; and far from zero the gradient is gone.",
        "the bound is meant, as a temperature. Scaled scores, `30 * torch.tanh(x / 30)`, are not reported.",
        """\
input: [8]
layers:
  - Linear: 1
  - Sigmoid
loss: BCEWithLogitsLoss
""",
        """\
input: [8]
layers:
  - Linear: 1
loss: BCEWithLogitsLoss
""",
    ),
    Rule(
        "NN103",
        "log_softmax before cross entropy",
        _log_softmax,
        "The log_softmax of a log_softmax is itself: the loss is right, but the work is done twice, and a reader "
        "wonders which of the two was meant.",
        "the model's users want log probabilities, and the loss is fixed.",
        """\
input: [8]
layers:
  - Linear: 10
  - LogSoftmax: {dim: 1}
loss: CrossEntropyLoss
""",
        """\
input: [8]
layers:
  - Linear: 10
  - LogSoftmax: {dim: 1}
loss: NLLLoss
""",
        "log-softmax-before-cross-entropy",
    ),
    Rule(
        "NN106",
        "an activation on the scores before a loss that takes logits",
        _cut,
        "The scores can no longer fall below zero, or hardly: a wrong class cannot be ruled out, a binary answer never "
        "comes below one half, and a score that is cut off has no gradient.",
        "it was published so. An activation before a pooling, as in SqueezeNet, is not reported.",
        """\
input: [8]
layers:
  - Linear: 10
  - ReLU
loss: CrossEntropyLoss
""",
        """\
input: [8]
layers:
  - Linear: 10
loss: CrossEntropyLoss
""",
    ),
    Rule(
        "NN107",
        "dropout right before a loss of classes",
        _dropped,
        "Dropout puts scores, or probabilities, to zero and scales up the rest: the loss then asks the wrong question. "
        "Dropout is for features, which the next layer weighs.",
        "noise on the scores themselves is meant.",
        """\
input: [8]
layers:
  - Linear: 10
  - Dropout: 0.5
loss: CrossEntropyLoss
""",
        """\
input: [8]
layers:
  - Dropout: 0.5
  - Linear: 10
loss: CrossEntropyLoss
""",
    ),
    Rule(
        "NN108",
        "cross entropy over one class",
        _one_class,
        "The softmax of one number is 1, whatever the number: the loss is zero and nothing is learned.",
        "the count of classes is an argument whose default is 1.",
        """\
input: [8]
layers:
  - Linear: 1
loss: CrossEntropyLoss
""",
        """\
input: [8]
layers:
  - Linear: 1
loss: BCEWithLogitsLoss
""",
    ),
    Rule(
        "NN112",
        "classes in another dimension than the loss takes them from",
        _places,
        "CrossEntropyLoss and NLLLoss take scores (N, classes, places), and targets (N, places). A Linear over a "
        "sequence gives (N, places, classes): the loss then compares the places with one another, and the model learns "
        "nothing of the classes. Where both sizes are alike, torch does not even complain.",
        "dimension 1 holds the classes, and the Linear works along the places.",
        """\
input: [7, 8]
layers:
  - Linear: 10
loss: CrossEntropyLoss
""",
        """\
input: [7, 8]
layers:
  - Linear as scores: 10
  - y = scores.transpose(1, 2)
loss: CrossEntropyLoss
""",
    ),
)
