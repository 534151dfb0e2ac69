"""Faults of a functional twin's calls: an argument is wrong, swapped or missing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.mutants.source import (
    FUNCTIONAL,
    STATELESS,
    Edits,
    Source,
    changed,
    fault,
    is_own,
    is_weight,
    keyword,
    rearranged,
    replaced,
)

CONVOLUTIONS = (
    "F.conv1d",
    "F.conv2d",
    "F.conv3d",
    "F.conv_transpose1d",
    "F.conv_transpose2d",
)
POOLS = ("F.max_pool1d", "F.max_pool2d", "F.avg_pool1d", "F.avg_pool2d")
NORMS = ("F.batch_norm", "F.layer_norm", "F.group_norm", "F.rms_norm", "F.instance_norm")
RECURRENT = ("torch.lstm", "torch.gru", "torch.rnn_tanh", "torch.rnn_relu")
ATTENTION = ("F.scaled_dot_product_attention", "F.multi_head_attention_forward")


def _with(source: Source, functions: tuple[str, ...], name: str) -> Iterator[tuple[ast.Call, str]]:
    """The calls of functions that have a keyword argument, with its text."""
    for call in source.calls(*functions):
        value = keyword(call, name)
        if value is not None:
            yield call, ast.unparse(value)


def _set(
    source: Source, functions: tuple[str, ...], name: str, other: str | None
) -> Iterator[Edits]:
    for call, _ in _with(source, functions, name):
        yield {call: changed(call, **{name: other})}


@fault(FUNCTIONAL, STATELESS)
def dropout_without_training(source: Source) -> Iterator[Edits]:
    """F.dropout lacks training=self.training: it goes on dropping in eval mode."""
    yield from _set(source, ("F.dropout", "F.dropout1d", "F.dropout2d"), "training", None)


@fault(FUNCTIONAL, STATELESS)
def dropout_never(source: Source) -> Iterator[Edits]:
    """F.dropout is off in train mode too."""
    yield from _set(source, ("F.dropout", "F.dropout1d", "F.dropout2d"), "training", "False")


@fault(FUNCTIONAL, STATELESS)
def dropout_by_another_probability(source: Source) -> Iterator[Edits]:
    """Dropout drops half as much."""
    for name in ("p", "dropout_p", "dropout"):
        for call, p in _with(source, ("F.dropout", *ATTENTION, *RECURRENT), name):
            if p not in ("0.0", "0"):
                yield {call: changed(call, **{name: f"0.5 * ({p})"})}


@fault(FUNCTIONAL, STATELESS)
def dropout_by_channel(source: Source) -> Iterator[Edits]:
    """F.dropout1d stands for F.dropout."""
    for call in source.calls("F.dropout"):
        yield {call: changed(call, "F.dropout1d")}


@fault(FUNCTIONAL, STATELESS)
def dropout_drawn_twice(source: Source) -> Iterator[Edits]:
    """A dropout follows upon itself."""
    for call in source.calls("F.dropout"):
        yield {call: replaced(call, 0, source.segment(call))}


@fault(FUNCTIONAL, STATELESS)
def attention_drops_in_eval(source: Source) -> Iterator[Edits]:
    """Attention drops in eval mode too."""
    for call, p in _with(source, ATTENTION, "dropout_p"):
        if f" if {source.mode}" in p:
            yield {call: changed(call, dropout_p=p.partition(" if ")[0])}
    for call in source.calls("F.multi_head_attention_forward"):
        p = keyword(call, "dropout_p")
        if p is not None and ast.unparse(p) != "0.0":
            yield {call: changed(call, training="True")}


@fault(FUNCTIONAL, STATELESS)
def attention_scale_one_ulp_off(source: Source) -> Iterator[Edits]:
    """Attention is scaled by one unit in the last place more."""
    for call in source.calls("F.scaled_dot_product_attention"):
        q = ast.unparse(call.args[0])
        yield {call: changed(call, scale=f"(1 + 2**-23) / {q}.shape[-1] ** 0.5")}


@fault(FUNCTIONAL, STATELESS)
def query_and_key_swapped(source: Source) -> Iterator[Edits]:
    """Attention takes the key for the query."""
    for call in source.calls(*ATTENTION):
        q, k, *rest = call.args
        if ast.unparse(q) != ast.unparse(k):
            yield {call: rearranged(call, k, q, *rest)}


@fault(FUNCTIONAL, STATELESS)
def not_causal(source: Source) -> Iterator[Edits]:
    """Attention sees what comes later."""
    for call, value in _with(source, ATTENTION, "is_causal"):
        if value == "True":
            yield {call: changed(call, is_causal="False")}


@fault(FUNCTIONAL, STATELESS)
def mask_inverted(source: Source) -> Iterator[Edits]:
    """A mask hides what it should show."""
    for node in source.nodes(ast.Call, "forward"):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "triu"
        ):
            yield {node: f"{source.segment(node.func.value)}.tril(-1)"}


@fault(FUNCTIONAL, STATELESS)
def mask_off_by_one(source: Source) -> Iterator[Edits]:
    """A mask shows one position more."""
    for node in source.nodes(ast.Call, "forward"):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "triu"
        ):
            yield {node: f"{source.segment(node.func.value)}.triu(2)"}


@fault(FUNCTIONAL, STATELESS)
def batch_norm_without_training(source: Source) -> Iterator[Edits]:
    """F.batch_norm is left at training=False."""
    yield from _set(source, ("F.batch_norm",), "training", None)


@fault(FUNCTIONAL, STATELESS)
def batch_norm_always_trains(source: Source) -> Iterator[Edits]:
    """Batch norm uses the batch in eval mode too."""
    yield from _set(source, ("F.batch_norm",), "training", "True")


@fault(FUNCTIONAL, STATELESS)
def wrong_momentum(source: Source) -> Iterator[Edits]:
    """The running statistics move ten times too slowly."""
    for call in source.calls("F.batch_norm"):
        momentum = keyword(call, "momentum")
        text = ast.unparse(momentum) if momentum is not None else "0.1"
        yield {call: changed(call, momentum=f"0.1 * {text}")}


@fault(FUNCTIONAL, STATELESS)
def wrong_eps(source: Source) -> Iterator[Edits]:
    """A norm's eps is ten times too small."""
    for call in source.calls(*NORMS):
        eps = keyword(call, "eps")
        text = ast.unparse(eps) if eps is not None else "1e-5"
        yield {call: changed(call, eps=f"0.1 * {text}")}


@fault(FUNCTIONAL, STATELESS)
def arguments_swapped(source: Source) -> Iterator[Edits]:
    """Two tensors of a norm or a recurrent layer are swapped."""
    for call in source.calls(*NORMS):
        for i, pair in enumerate(zip(call.args, call.args[1:], strict=False)):
            if all(is_own(node) for node in pair):
                swapped = [*call.args[:i], pair[1], pair[0], *call.args[i + 2 :]]
                yield {call: rearranged(call, *swapped)}
    for call in source.calls(*RECURRENT):
        # An LSTM adds its two biases, so these can be swapped; its two directions cannot.
        places = (1, 5) if ast.unparse(call.func) == "torch.lstm" else (2, 3)
        for weights in call.args:
            if isinstance(weights, ast.List) and len(weights.elts) > max(places):
                first, second = (weights.elts[i] for i in places)
                yield {first: source.segment(second), second: source.segment(first)}
            elif isinstance(weights, ast.ListComp):
                names = source.segment(weights.generators[0].iter)
                turned = f"{{{places[0]}: {places[1]}, {places[1]}: {places[0]}}}.get(i, i)"
                if places == (2, 3) or _has_more(call):
                    swapped = f"[{names}[{turned}] for i in range(len({names}))]"
                    yield {weights.generators[0].iter: swapped}


def _has_more(call: ast.Call) -> bool:
    """Whether a recurrent layer has more weights than those of one layer and direction."""
    asked = (keyword(call, name) for name in ("num_layers", "bidirectional"))
    return [ast.unparse(value) for value in asked if value is not None] != ["1", "False"]


@fault(FUNCTIONAL, STATELESS)
def bias_left_out(source: Source) -> Iterator[Edits]:
    """A layer lacks its bias."""
    for call in source.calls("F.linear", *CONVOLUTIONS):
        if len(call.args) == 3:
            yield {call: rearranged(call, *call.args[:2])}


@fault(FUNCTIONAL, STATELESS)
def norm_without_weight(source: Source) -> Iterator[Edits]:
    """A norm lacks its weight."""
    for call in source.calls("F.batch_norm", "F.layer_norm", "F.rms_norm", "F.group_norm"):
        for i, argument in enumerate(call.args):
            if is_weight(argument, "weight"):
                yield {call: replaced(call, i, "None")}


@fault(FUNCTIONAL, STATELESS)
def stride_off_by_one(source: Source) -> Iterator[Edits]:
    """A stride is one too large."""
    for call, stride in _with(source, (*CONVOLUTIONS, *POOLS), "stride"):
        yield {call: changed(call, stride=f"{stride} + 1")}


@fault(FUNCTIONAL, STATELESS)
def padding_off_by_one(source: Source) -> Iterator[Edits]:
    """A padding is one too large, or there is one where there is none."""
    for call in source.calls(*CONVOLUTIONS):
        padding = keyword(call, "padding")
        text = ast.unparse(padding) if padding is not None else "0"
        if not text.startswith("'"):
            yield {call: changed(call, padding=f"{text} + 1")}


@fault(FUNCTIONAL, STATELESS)
def dilation_off_by_one(source: Source) -> Iterator[Edits]:
    """A dilation is one too large."""
    for call in source.calls(*CONVOLUTIONS):
        dilation = keyword(call, "dilation")
        text = ast.unparse(dilation) if dilation is not None else "1"
        if not _is_pointwise(source, call):
            yield {call: changed(call, dilation=f"{text} + 1")}


def _is_pointwise(source: Source, call: ast.Call) -> bool:
    """Whether a convolution's kernel is 1: it has nothing to dilate."""
    weight = ast.unparse(call.args[1])
    for made in source.nodes(ast.Assign, "__init__"):
        if (
            isinstance(made, ast.Assign)
            and ast.unparse(made.targets[0]) == weight
            and source.above(made, ast.ClassDef) is source.above(call, ast.ClassDef)
        ):
            return bool(re.search(r"(, 1)+\)+$", ast.unparse(made.value)))
    return False


@fault(FUNCTIONAL, STATELESS)
def groups_left_out(source: Source) -> Iterator[Edits]:
    """A convolution forgets its groups."""
    yield from _set(source, CONVOLUTIONS, "groups", None)
    yield from _set(source, ("F.channel_shuffle",), "groups", "1")


@fault(FUNCTIONAL, STATELESS)
def kernel_off_by_one(source: Source) -> Iterator[Edits]:
    """A pool's kernel is one too large; its stride is not."""
    for call, size in _with(source, POOLS, "kernel_size"):
        stride = keyword(call, "stride")
        text = size if stride is None else ast.unparse(stride)
        yield {call: changed(call, kernel_size=f"{size} + 1", stride=text)}


@fault(FUNCTIONAL, STATELESS)
def mean_for_maximum(source: Source) -> Iterator[Edits]:
    """Average pooling stands for max pooling."""
    for call in source.calls("F.max_pool2d"):
        yield {call: changed(call, "F.avg_pool2d")}


@fault(FUNCTIONAL, STATELESS)
def ceil_mode_flipped(source: Source) -> Iterator[Edits]:
    """A pool rounds its output's size the other way."""
    for call in source.calls(*POOLS):
        given = keyword(call, "ceil_mode")
        yield {call: changed(call, ceil_mode=None if given is not None else "True")}


@fault(FUNCTIONAL, STATELESS)
def padding_not_counted(source: Source) -> Iterator[Edits]:
    """Average pooling leaves the padding out of its count."""
    for call, _ in _with(source, ("F.avg_pool1d", "F.avg_pool2d"), "padding"):
        yield {call: changed(call, count_include_pad="False")}


@fault(FUNCTIONAL, STATELESS)
def corners_aligned(source: Source) -> Iterator[Edits]:
    """Interpolation aligns the corners, or does not."""
    for call in source.calls("F.interpolate"):
        given = keyword(call, "align_corners")
        on = given is not None and ast.unparse(given) == "True"
        yield {call: changed(call, align_corners=str(not on))}


@fault(FUNCTIONAL, STATELESS)
def padding_index_left_out(source: Source) -> Iterator[Edits]:
    """An embedding's padding row gets a gradient."""
    yield from _set(source, ("F.embedding",), "padding_idx", None)


@fault(FUNCTIONAL, STATELESS)
def gradient_scaled_by_frequency(source: Source) -> Iterator[Edits]:
    """An embedding divides its gradients by how often a word stands there."""
    for call in source.calls("F.embedding"):
        if ast.unparse(call.args[0]) not in ("places", "positions"):  # each stands there once
            yield {call: changed(call, scale_grad_by_freq="True")}


@fault(FUNCTIONAL, STATELESS)
def embedding_renormed(source: Source) -> Iterator[Edits]:
    """An embedding shortens its rows in place."""
    for call in source.calls("F.embedding"):
        if keyword(call, "max_norm") is None:
            yield {call: changed(call, max_norm="0.01")}
        else:
            yield {call: changed(call, max_norm=None)}


@fault(FUNCTIONAL, STATELESS)
def batch_first_flipped(source: Source) -> Iterator[Edits]:
    """A recurrent layer takes the batch for the time."""
    # Its first state must fit: torch reads beyond it otherwise, and may end the process.
    sizes = [
        node
        for node in source.nodes(ast.Call, "forward")
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".size")
    ]
    found = list(_with(source, RECURRENT, "batch_first"))
    for call, given in found if len(found) == 1 else []:
        flipped = next(k.value for k in call.keywords if k.arg == "batch_first")
        yield {flipped: str(given != "True")} | {
            node: replaced(node, 0, "1") for node in sizes if ast.unparse(node.args[0]) == "0"
        }


@fault(FUNCTIONAL, STATELESS)
def recurrent_dropout_in_eval(source: Source) -> Iterator[Edits]:
    """A recurrent layer drops in eval mode too."""
    for call, p in _with(source, RECURRENT, "dropout"):
        if p != "0.0":
            yield {call: changed(call, train="True")}


@fault(FUNCTIONAL, STATELESS)
def gates_in_another_order(source: Source) -> Iterator[Edits]:
    """A recurrent layer reads its gates from the last to the first."""
    for call in source.calls(*RECURRENT):
        for weights in call.args:
            if isinstance(weights, ast.List):
                yield {weights.elts[0]: f"{source.segment(weights.elts[0])}.flip(0)"}
            elif isinstance(weights, ast.ListComp):
                weight = source.segment(weights.elt)
                yield {
                    weights.elt: f'{weight}.flip(0) if name.endswith("weight_ih_l0") else {weight}'
                }


@fault(FUNCTIONAL, STATELESS)
def first_state_of_ones(source: Source) -> Iterator[Edits]:
    """A recurrent layer starts from ones."""
    for node in source.nodes(ast.Call, "forward"):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "new_zeros"
        ):
            yield {node.func: f"{source.segment(node.func.value)}.new_ones"}


@fault(FUNCTIONAL, STATELESS)
def wrong_dim(source: Source) -> Iterator[Edits]:
    """A softmax, a mean, a concatenation or a split goes along another dimension."""
    for node in source.nodes(ast.Call, "forward"):
        if isinstance(node, ast.Call):
            dim = keyword(node, "dim")
            if dim is not None:
                yield {node: changed(node, dim="0" if ast.unparse(dim) != "0" else "1")}


@fault(FUNCTIONAL, STATELESS)
def flattened_from_another_dim(source: Source) -> Iterator[Edits]:
    """The batch is flattened too, or a dimension less."""
    for call in source.calls("torch.flatten"):
        start = keyword(call, "start_dim")
        for other in ("0", "2"):
            if start is not None:
                yield {call: changed(call, start_dim=other)}
            elif len(call.args) > 1:
                yield {call: replaced(call, 1, other)}


@fault(FUNCTIONAL, STATELESS)
def cat_in_another_order(source: Source) -> Iterator[Edits]:
    """A concatenation is in another order."""
    for call in source.calls("torch.cat"):
        parts = getattr(call.args[0], "elts", [])
        if len({ast.unparse(part) for part in parts}) > 1:
            turned = ", ".join(source.segment(part) for part in reversed(parts))
            yield {call.args[0]: f"[{turned}]"}


@fault(FUNCTIONAL, STATELESS)
def label_smoothing_changed(source: Source) -> Iterator[Edits]:
    """The labels are smoothed by another amount."""
    for call in source.calls("F.cross_entropy"):
        smooth = keyword(call, "label_smoothing")
        yield {call: changed(call, label_smoothing=None if smooth is not None else "0.01")}


@fault(FUNCTIONAL, STATELESS)
def ignore_index_left_out(source: Source) -> Iterator[Edits]:
    """The loss counts what it should ignore."""
    yield from _set(source, ("F.cross_entropy", "F.nll_loss"), "ignore_index", None)


@fault(FUNCTIONAL, STATELESS)
def class_weights_left_out(source: Source) -> Iterator[Edits]:
    """The loss weighs all classes alike."""
    yield from _set(source, ("F.cross_entropy", "F.nll_loss"), "weight", None)


@fault(FUNCTIONAL, STATELESS)
def wrong_reduction(source: Source) -> Iterator[Edits]:
    """The loss is a sum, or a mean where it is a sum or a mean over the batch."""
    for call in source.calls("F.", within=("loss",)):
        if "loss" in ast.unparse(call.func) or "entropy" in ast.unparse(call.func):
            given = keyword(call, "reduction")
            yield {call: changed(call, reduction="'sum'" if given is None else "'mean'")}


@fault(FUNCTIONAL, STATELESS)
def wrong_margin(source: Source) -> Iterator[Edits]:
    """A loss has another margin."""
    for call in source.nodes(ast.Call, "loss"):
        if isinstance(call, ast.Call) and keyword(call, "margin") is not None:
            yield {call: changed(call, margin=None)}


@fault(FUNCTIONAL, STATELESS)
def softmax_before_cross_entropy(source: Source) -> Iterator[Edits]:
    """Cross entropy is given probabilities."""
    for call in source.calls("F.cross_entropy"):
        yield {call: replaced(call, 0, f"F.softmax({ast.unparse(call.args[0])}, dim=1)")}


@fault(FUNCTIONAL, STATELESS)
def sigmoid_before_cross_entropy(source: Source) -> Iterator[Edits]:
    """Binary cross entropy of a sigmoid stands for that of raw scores."""
    for call in source.calls("F.binary_cross_entropy_with_logits"):
        probabilities = f"torch.sigmoid({ast.unparse(call.args[0])})"
        other = replaced(call, 0, probabilities)
        yield {call: other.replace("_with_logits", "", 1)}
