"""Faults of the nn twin: a proof must catch them on either side."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.mutants.flow import WHOLE
from tests.mutants.source import NN, Edits, Source, changed, fault, keyword, rearranged, replaced

PLAIN = ("nn.ReLU", "nn.GELU", "nn.Tanh", "nn.SiLU", "nn.Sigmoid", "nn.Hardswish", "nn.ReLU6")


def _built(source: Source, *names: str) -> list[ast.Call]:
    return source.calls(*names, within=("__init__",))


def _attributes(source: Source) -> Iterator[tuple[ast.Assign, str, ast.Call]]:
    """The layers that the constructor keeps as attributes, with their names."""
    for node in source.nodes(ast.Assign, "__init__"):
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and ast.unparse(node.value.func).startswith("nn.")
        ):
            yield node, ast.unparse(node.targets[0]), node.value


@fault(NN)
def nn_wrong_eps(source: Source) -> Iterator[Edits]:
    """A norm layer's eps is ten times too small."""
    for call in _built(source, "nn.BatchNorm1d", "nn.BatchNorm2d", "nn.LayerNorm"):
        eps = keyword(call, "eps")
        yield {call: changed(call, eps=f"0.1 * {ast.unparse(eps) if eps is not None else '1e-5'}")}


@fault(NN)
def nn_wrong_momentum(source: Source) -> Iterator[Edits]:
    """A batch norm layer's momentum is another."""
    for call in _built(source, "nn.BatchNorm1d", "nn.BatchNorm2d"):
        yield {call: changed(call, momentum="0.15")}


@fault(NN)
def nn_not_tracking(source: Source) -> Iterator[Edits]:
    """A batch norm layer keeps no running statistics."""
    for call in _built(source, "nn.BatchNorm1d", "nn.BatchNorm2d"):
        yield {call: changed(call, track_running_stats="False")}


@fault(NN)
def nn_wrong_probability(source: Source) -> Iterator[Edits]:
    """A dropout layer drops half as much."""
    for call in _built(source, "nn.Dropout", "nn.Dropout2d"):
        p = keyword(call, "p")
        if p is not None and ast.unparse(p) not in ("0.0", "0"):
            yield {call: changed(call, p=f"0.5 * {ast.unparse(p)}")}


@fault(NN)
def nn_bias_flipped(source: Source) -> Iterator[Edits]:
    """A layer has a bias that it should not have, or lacks one."""
    for call in _built(source, "nn.Linear", "nn.Conv2d", "nn.Conv1d"):
        yield {call: changed(call, bias=None if keyword(call, "bias") is not None else "False")}


@fault(NN)
def nn_padding_off_by_one(source: Source) -> Iterator[Edits]:
    """A convolution's padding is one too large."""
    for call in _built(source, "nn.Conv1d", "nn.Conv2d", "nn.ConvTranspose2d"):
        padding = keyword(call, "padding")
        text = ast.unparse(padding) if padding is not None else "0"
        if not text.startswith("'"):
            yield {call: changed(call, padding=f"{text} + 1")}


@fault(NN)
def nn_another_activation(source: Source) -> Iterator[Edits]:
    """Another activation stands there."""
    for call in _built(source, *PLAIN):
        yield {call: "nn.LeakyReLU()"}


@fault(NN)
def nn_two_layers_swapped(source: Source) -> Iterator[Edits]:
    """Two layers of a Sequential are swapped."""
    for call in _built(source, "nn.Sequential"):
        for i, pair in enumerate(zip(call.args, call.args[1:], strict=False)):
            if ast.unparse(pair[0]) != ast.unparse(pair[1]):
                swapped = [*call.args[:i], pair[1], pair[0], *call.args[i + 2 :]]
                yield {call: rearranged(call, *swapped)}


@fault(NN)
def nn_layer_left_out(source: Source) -> Iterator[Edits]:
    """The forward leaves out a layer."""
    for call in source.calls("self.", within=("forward",)):
        if len(call.args) == 1 and not call.keywords:
            yield {call: f"({source.segment(call.args[0])})"}


@fault(NN)
def nn_layer_in_a_list(source: Source) -> Iterator[Edits]:
    """A layer with parameters is kept in a Python list."""
    for node, name, call in _attributes(source):
        uses = source.calls(name, within=("forward",))
        if ast.unparse(call.func) in ("nn.Linear", "nn.Conv2d", "nn.Embedding") and uses:
            yield {call: f"[{source.segment(call)}]"} | {use.func: f"{name}[0]" for use in uses}


@fault(NN)
def nn_layer_built_in_forward(source: Source) -> Iterator[Edits]:
    """A layer is built in forward: new weights at every call."""
    for node, name, call in _attributes(source):
        given = [*call.args, *(k.value for k in call.keywords)]
        fixed = all(isinstance(value, ast.Constant) for value in given)
        uses = source.calls(name, within=("forward",))
        if ast.unparse(call.func) in ("nn.Linear", "nn.Conv2d") and fixed and uses:
            yield {use.func: source.segment(call) for use in uses}


@fault(NN)
def nn_attribute_renamed(source: Source) -> Iterator[Edits]:
    """A layer has another name, and so its keys."""
    for node, name, call in _attributes(source):
        if ast.unparse(call.func) in ("nn.Linear", "nn.Conv2d", "nn.Embedding"):
            found = [n for n in source.nodes(ast.Attribute) if ast.unparse(n) == name]
            yield {attribute: f"{name}_" for attribute in found}


@fault(NN)
def nn_value_detached(source: Source) -> Iterator[Edits]:
    """A gradient is lost by detach()."""
    for call in source.calls("self.", within=("forward",)):
        if len(call.args) == 1 and ast.unparse(call.args[0]) not in WHOLE:
            yield {call: replaced(call, 0, f"{ast.unparse(call.args[0])}.detach()")}


@fault(NN)
def nn_frozen(source: Source) -> Iterator[Edits]:
    """A layer's parameters are frozen."""
    for node, name, call in _attributes(source):
        if ast.unparse(call.func) in ("nn.Linear", "nn.Conv2d", "nn.Embedding"):
            yield {call: f"{source.segment(call)}.requires_grad_(False)"}


@fault(NN)
def nn_drawn_by_rand(source: Source) -> Iterator[Edits]:
    """A layer's weight is drawn anew, from 0 to 1."""
    for node, name, call in _attributes(source):
        if ast.unparse(call.func) in ("nn.Linear", "nn.Conv2d"):
            drawn = f"nn.init.uniform_({name}.weight)"
            yield {node: source.block(node, source.segment(node), drawn)}


@fault(NN)
def nn_wrong_reduction(source: Source) -> Iterator[Edits]:
    """The criterion is a sum, or a mean where it is a sum."""
    for call in source.calls("nn.", within=("__init__",)):
        if ast.unparse(call.func).endswith("Loss"):
            given = keyword(call, "reduction")
            yield {call: changed(call, reduction="'sum'" if given is None else "'mean'")}
