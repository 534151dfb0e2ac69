"""Why the two styles are the same, family by family."""

from __future__ import annotations

import ast

from nngen.catalog import LAYERS, Layer
from nngen.catalog.fragments import statements

OWNING = (
    "The `forward` of `nn.{kind}` calls `{function}` with the parameters that the module owns. Both files draw them by "
    "the same initialisers in the same order, so one seed gives the same numbers."
)
PLAIN = (
    "The `forward` of `nn.{kind}` is a call of `{function}` with the arguments that the module keeps: the same code "
    "runs on the same numbers."
)
BY_MODE = (
    "The `forward` of `nn.{kind}` calls `{function}` with `training=self.training`, as the other file does: in train "
    "mode both draw the same numbers from the same random state, and in eval mode neither draws any."
)
BATCH_NORM = (
    "The `forward` of `nn.{kind}` counts the batch in train mode, then calls `F.batch_norm` with its own statistics and "
    "parameters; the other file writes out both. In train mode that normalises by the batch and moves the running "
    "statistics, in eval mode it normalises by them."
)
INSTANCE_NORM = (
    "The `forward` of `nn.{kind}` calls `F.instance_norm` with the parameters and statistics that the module owns, if "
    "it has any."
)
LOSS = (
    "The `forward` of `nn.{kind}` is a call of `{function}` with the arguments that the module keeps: both take the "
    "same outputs and targets and give the same number."
)
CLUSTERS = (
    "Both files take a log-softmax over the frequent classes and the clusters, and another within a cluster, by the same "
    "functions in the same order."
)
SEQUENCE = (
    "The `forward` of `nn.{kind}` hands its weights as a flat list to `{function}`, which runs the whole sequence; the "
    "other file hands over the same list in the same order. One seed draws the same weights in both."
)
ATTENTION = (
    "The `forward` of `nn.{kind}` calls `{function}` with its packed projections, as the other file does. In eval mode "
    "without gradients torch may run a fused kernel for the module instead, which rounds differently; the proof compares "
    "with that one off, and tells how far it goes."
)
COMPOSITE = (
    "`nn.{kind}` is made of attention, linear layers, layer norm and dropout; the other file calls their functions in the "
    "same order. In eval mode without gradients torch may run a fused kernel for the module instead, which rounds "
    "differently; the proof compares with that one off, and tells how far it goes."
)
IDENTITY = (
    "The `forward` of `nn.Identity` returns its input, and the other file passes the value on."
)
BLOCK = "Both files have this class, with the same steps in the same order, and each step is equal."
SEQUENTIAL = "`nn.Sequential` calls its layers one after another, and the lines of the other file do the same."
COPIES = "Both files go through the same copies in the same order."
PARAMETER = "Both files have the same lines, at the same place in the order of random numbers."
BUFFER = "Both files have the same line."
LINE = "The line is the same in both files, and what goes into it is equal."

SENTENCES = frozenset(
    (
        *(OWNING, PLAIN, BY_MODE, BATCH_NORM, INSTANCE_NORM, LOSS, CLUSTERS, SEQUENCE, ATTENTION),
        *(COMPOSITE, IDENTITY, BLOCK, SEQUENTIAL, COPIES, PARAMETER, BUFFER, LINE),
    )
)
_OTHERS = {
    "Identity": IDENTITY,
    "Sequential": SEQUENTIAL,
    "ModuleList": COPIES,
    "Parameter": PARAMETER,
    "Buffer": BUFFER,
    "AdaptiveLogSoftmaxWithLoss": CLUSTERS,
}
# Of the layers that call a function.
_OF_FUNCTIONS = {
    "F.batch_norm": BATCH_NORM,
    "F.instance_norm": INSTANCE_NORM,
    "F.multi_head_attention_forward": ATTENTION,
    **dict.fromkeys(("torch.rnn_tanh", "torch.lstm", "torch.gru"), SEQUENCE),
}


def reason(kind: str) -> str:
    """Why a step of this kind is the same in both styles.

    Args:
        kind: a layer, a container, a block, `Parameter` or `Buffer`; what has a dot or is empty is a line of Python.
    """
    if not kind or "." in kind:
        return LINE
    if kind in _OTHERS:
        return _OTHERS[kind]
    if kind not in LAYERS:
        return BLOCK
    entry = LAYERS[kind]
    if entry.function in _OF_FUNCTIONS:
        return _OF_FUNCTIONS[entry.function]
    if entry.block or entry.parts:
        return COMPOSITE
    if entry.is_loss:
        return LOSS
    if entry.state:
        return OWNING
    return BY_MODE if asks_for_mode(entry) else PLAIN


def asks_for_mode(entry: Layer) -> bool:
    """Whether the layer's function is told the mode; of a form that is made from arguments, whether one is for it."""
    if callable(entry.form):
        return bool({"dropout", "track_running_stats"} & set(entry.signature.names))
    nodes = (node for statement in statements(entry.form) for node in ast.walk(statement))
    return any(isinstance(node, ast.Name) and node.id == "training" for node in nodes)
