"""Pitfalls of train and eval mode."""

from __future__ import annotations

from nngen.teach.pitfalls.model import Pitfall

_DROPOUTS = (
    *("Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout"),
    *("F.dropout", "F.dropout1d", "F.dropout2d", "F.dropout3d"),
    *("F.alpha_dropout", "F.feature_alpha_dropout"),
)
_BATCH_NORMS = ("BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "SyncBatchNorm", "F.batch_norm")
_ZEROS = "In eval mode {zeros:.0%} of the values are zero."
_DIFFER = "Two calls in eval mode, on one input, differ by up to {difference:.3f}."
_NORMED = (
    "In train mode the output has a mean of {mean:.2f} and a standard deviation of {deviation:.2f}; "
    "after this batch the running mean is {running_mean:.2f}."
)
_DROPPED = "In train mode {zeros:.0%} of the outputs are zero."

PITFALLS = (
    Pitfall(
        "dropout-in-eval",
        "`F.dropout` that is not told the mode",
        about=_DROPOUTS,
        wrong=_ZEROS,
        right=_ZEROS,
        why="A function does not know which module calls it, so `model.eval()` does not reach it. `F.dropout` has "
        "`training=True` by default and goes on dropping values when the model is evaluated: its predictions are "
        "random, and worse than they need be. `nn.Dropout` looks at its own `training` flag.",
        rule="Tell `F.dropout` the mode, `training=self.training`, or use `nn.Dropout`.",
        docs="generated/torch.nn.functional.dropout.html",
    ),
    Pitfall(
        "attention-dropout-in-eval",
        "Attention that drops in eval mode",
        about=("F.scaled_dot_product_attention",),
        wrong=_DIFFER,
        right=_DIFFER,
        why="`F.scaled_dot_product_attention` has no `training` argument at all: it drops whenever `dropout_p` is "
        "above zero, so in eval mode the caller must pass zero. `nn.MultiheadAttention` does that by itself.",
        rule="Pass `dropout_p=p if self.training else 0.0`.",
        docs="generated/torch.nn.functional.scaled_dot_product_attention.html",
    ),
    Pitfall(
        "batch-norm-without-training",
        "`F.batch_norm` left at `training=False`",
        about=_BATCH_NORMS,
        wrong=_NORMED,
        right=_NORMED,
        why="The default of `F.batch_norm` is the opposite of that of `F.dropout`: `training=False`. Left at it, the "
        "function normalises by the running statistics in train mode too, and never updates them: it shifts and "
        "scales by the same numbers for ever. The model still trains, without what batch norm is there for.",
        rule="Tell `F.batch_norm` the mode: `training=self.training`.",
        docs="generated/torch.nn.functional.batch_norm.html",
    ),
    Pitfall(
        "batch-norm-variance",
        "The two variances of batch norm",
        about=_BATCH_NORMS,
        wrong="The unbiased variance is {unbiased:.3f}. Normalised by it, the output is off by up to {off:.3f}.",
        right="The biased variance is {biased:.3f}. Normalised by it, the output is off by up to {off:.3f}. "
        "As its running variance batch norm stores {stored:.3f}, the unbiased one.",
        why="Batch norm normalises a batch by its biased variance, a sum of squares divided by n, and moves the "
        "running variance towards the unbiased one, divided by n − 1. `x.var()` gives the unbiased one. The smaller "
        "the batch, the further apart the two are.",
        rule="Normalise by the biased variance, `x.var(correction=0)`; store the unbiased one, `x.var()`.",
        docs="generated/torch.nn.BatchNorm1d.html",
    ),
    Pitfall(
        "eval-is-not-no-grad",
        "`eval()` and `no_grad()` taken for the same",
        about=(*_DROPOUTS, *_BATCH_NORMS),
        wrong="Under `no_grad`, but in train mode, {zeros:.0%} of the values are dropped. In eval mode, but without "
        "`no_grad`, the output has `requires_grad={graph}`.",
        right="With both, {zeros:.0%} of the values are dropped, and the output has `requires_grad={graph}`.",
        why="`model.eval()` changes what dropout and batch norm compute, and leaves gradients alone. "
        "`torch.no_grad()` keeps autograd from recording, which saves memory and time, and leaves the mode alone.",
        rule="To evaluate a model: `model.eval()` first, and `with torch.no_grad():` around its calls.",
        docs="generated/torch.no_grad.html",
    ),
    Pitfall(
        "lstm-dropout",
        "Dropout on an LSTM of one layer",
        about=("LSTM", "GRU", "RNN"),
        wrong=_DROPPED,
        right=_DROPPED,
        why="The `dropout` of `nn.LSTM`, `nn.GRU` and `nn.RNN` acts between stacked layers, on the output of every "
        "layer but the last. One layer has no such place: nothing is dropped, and torch only warns.",
        rule="For one layer, put an `nn.Dropout` after the LSTM; its own `dropout` needs `num_layers` above one.",
        docs="generated/torch.nn.LSTM.html",
    ),
)
