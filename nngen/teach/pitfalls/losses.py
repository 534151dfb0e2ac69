"""Pitfalls of softmax, sigmoid and the losses behind them."""

from __future__ import annotations

from nngen.teach.pitfalls.model import Pitfall

_CROSS_ENTROPY = ("CrossEntropyLoss", "F.cross_entropy")
_NLL = ("NLLLoss", "F.nll_loss")
_BCE = ("BCELoss", "F.binary_cross_entropy")
_LOGITS = ("BCEWithLogitsLoss", "F.binary_cross_entropy_with_logits")
_SOFTMAX = ("Softmax", "F.softmax", "torch.softmax")
_LOG_SOFTMAX = ("LogSoftmax", "F.log_softmax", "torch.log_softmax")

_FLOOR = (
    "For perfect scores the loss is {perfect3:.3f} with three classes and {perfect10:.3f} with ten. "
    "For a confident mistake the largest gradient is {gradient:.3f}."
)
_LOSS = "The loss is {loss:.4f}, the largest gradient {gradient:.4f}."
_MISTAKE = (
    "For a confident mistake the loss is {loss:.0f}, and the gradient of the right class's score "
    "is {gradient:.0f}."
)
_SUMS = (
    "The probabilities of one word add up to {of_one_word:.3f}, "
    "those of one class over the batch to {of_one_class:.3f}."
)
_BINARY = "For a confident mistake the loss is {loss:.0f}, and the gradient is {gradient:.0f}."
_DIVERGENCE = (
    "The loss is {loss:.3f}; the divergence by its definition is {by_definition:.3f}, "
    "{ratio:.1f} times the loss."
)

PITFALLS = (
    Pitfall(
        "softmax-before-cross-entropy",
        "A softmax before cross entropy",
        about=(*_CROSS_ENTROPY, *_SOFTMAX),
        wrong=_FLOOR,
        right=_FLOOR,
        why="`F.cross_entropy` and `nn.CrossEntropyLoss` take raw scores: they have the log-softmax in them. A softmax "
        "before them is one too many. What it gives lies between zero and one, so the second softmax can never be "
        "sure and the loss never falls below a floor. Where the first is saturated the gradient vanishes: just the "
        "worst mistakes are never put right.",
        rule="Cross entropy takes raw scores: no softmax before it.",
        docs="generated/torch.nn.CrossEntropyLoss.html",
    ),
    Pitfall(
        "log-softmax-before-cross-entropy",
        "A log-softmax before cross entropy",
        about=(*_CROSS_ENTROPY, *_LOG_SOFTMAX),
        wrong=_LOSS,
        right=_LOSS,
        why="Unlike a softmax, this does no harm. A log-softmax subtracts what makes the exponentials add up to one; "
        "where they do so already, there is nothing to subtract. So the log-softmax of a log-softmax is itself, but "
        "for rounding. It only costs time, and makes readers wonder.",
        rule="Either `log_softmax` and `nll_loss`, or `cross_entropy` alone.",
        docs="generated/torch.nn.functional.cross_entropy.html",
        harmless=True,
    ),
    Pitfall(
        "nll-without-log-softmax",
        "NLL loss of what is not a log probability",
        about=(*_NLL, *_SOFTMAX),
        wrong="The loss is {of_probabilities:.3f} for probabilities and {of_scores:.3f} for raw scores; "
        "a negative log likelihood of classes is never below zero.",
        right="The loss is {loss:.3f}, and so is the cross entropy of the raw scores: {cross_entropy:.3f}.",
        why="Despite its name `nll_loss` takes no logarithm: it picks the value of the right class and turns its sign. "
        "Of probabilities that is not a log likelihood; of raw scores it falls without end when all scores grow, right "
        "or wrong.",
        rule="Put `log_softmax` before `nll_loss`, or give the raw scores to `cross_entropy`.",
        docs="generated/torch.nn.NLLLoss.html",
    ),
    Pitfall(
        "log-of-softmax",
        "The logarithm of a softmax",
        about=(*_LOG_SOFTMAX, *_SOFTMAX, *_NLL),
        wrong=_MISTAKE,
        right=_MISTAKE,
        why="On paper the logarithm of a softmax is the log-softmax. In floating point a small probability becomes "
        "zero, its logarithm minus infinity, and the gradient is not a number. `log_softmax` never forms the "
        "probability. Even where no probability is that small, the two differ in their last bits.",
        rule="Write `F.log_softmax(x, dim=1)`, never `torch.log(F.softmax(x, dim=1))`.",
        docs="generated/torch.nn.functional.log_softmax.html",
    ),
    Pitfall(
        "softmax-without-dim",
        "A softmax without `dim`",
        about=(*_SOFTMAX, *_LOG_SOFTMAX, "Softmin", "F.softmin"),
        wrong=_SUMS,
        right=_SUMS,
        why="Without `dim` torch warns, and guesses by the number of dimensions: with two or four it takes the second "
        "one, with one or three the first. The first is mostly the batch, so that each sample's probabilities depend on the "
        "other samples.",
        rule="Name the dimension of the classes: `F.softmax(x, dim=-1)`.",
        docs="generated/torch.nn.functional.softmax.html",
    ),
    Pitfall(
        "cross-entropy-dim",
        "A `dim` for `nn.CrossEntropyLoss`",
        about=_CROSS_ENTROPY,
        wrong="torch refuses the argument.",
        right="The loss is {loss:.3f}.",
        why="`nn.Softmax` has a `dim`, `nn.CrossEntropyLoss` has none: the classes are the second dimension, or the "
        "only one where there is no batch. Scores of the shape (batch, words, classes) must be transposed to (batch, "
        "classes, words).",
        rule="Cross entropy looks for the classes in dimension 1; transpose the scores if they are elsewhere.",
        docs="generated/torch.nn.CrossEntropyLoss.html",
        raises="TypeError",
    ),
    Pitfall(
        "sigmoid-before-bce",
        "A sigmoid and BCE, in place of BCE with logits",
        about=(*_BCE, *_LOGITS, "Sigmoid", "F.sigmoid", "torch.sigmoid"),
        wrong=_BINARY,
        right=_BINARY,
        why="For a very negative score the sigmoid rounds to zero. BCE clamps the logarithm of that, so the loss stops "
        "growing, and the gradient of the sigmoid is zero, so nothing is learned from the worst mistakes. "
        "`F.binary_cross_entropy_with_logits` computes both in one and stays accurate.",
        rule="Train with `nn.BCEWithLogitsLoss` on raw scores; take the sigmoid only to read off probabilities.",
        docs="generated/torch.nn.BCEWithLogitsLoss.html",
    ),
    Pitfall(
        "bce-without-sigmoid",
        "BCE of raw scores",
        about=(*_BCE, *_LOGITS),
        wrong="torch refuses what is not between zero and one.",
        right="The loss is {loss:.4f}, and so is BCE with logits of the raw scores: {with_logits:.4f}.",
        why="BCE takes the logarithms of what it is given and of one minus it, so it needs probabilities. Raw scores "
        "are seldom all between zero and one, and then torch says so. Where they happen to be, it says nothing, and "
        "the loss means nothing.",
        rule="Put a sigmoid before `nn.BCELoss`; or better, use `nn.BCEWithLogitsLoss` without one.",
        docs="generated/torch.nn.BCELoss.html",
        raises="RuntimeError",
    ),
    Pitfall(
        "kl-divergence-mean",
        'A KL divergence with `reduction="mean"`',
        about=("KLDivLoss", "F.kl_div"),
        wrong=_DIVERGENCE,
        right=_DIVERGENCE,
        why='A KL divergence is a sum over the classes, of which one takes the mean over the batch. `reduction="mean"`, '
        "the default, takes the mean over the classes too, and so divides by their number as well. torch warns.",
        rule='Give KL divergences `reduction="batchmean"`.',
        docs="generated/torch.nn.KLDivLoss.html",
    ),
    Pitfall(
        "size-average",
        "`size_average`, which is out of date",
        about=(*_NLL, *_CROSS_ENTROPY, *_BCE, *_LOGITS),
        wrong="The loss is {loss:.3f}, and torch warns.",
        right="The loss is {loss:.3f}, without a warning.",
        why="Older articles give losses `size_average` and `reduce`. `reduction` has taken their place: "
        '`reduction="mean"` for `size_average=True`, `reduction="sum"` for `size_average=False`, and '
        '`reduction="none"` for `reduce=False`. torch still understands the old names, and says that they will go.',
        rule='Write `reduction="mean"`, `"sum"` or `"none"`.',
        docs="generated/torch.nn.NLLLoss.html",
    ),
)
