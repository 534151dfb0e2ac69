"""Faults of a functional twin's buffers: what is kept, counted and saved."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.mutants.source import FUNCTIONAL, STATELESS, Edits, Source, changed, fault, replaced

BIASED = """


def biased_batch_norm(x, mean, var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    before, var = var, var.clone()
    out = F.batch_norm(x, mean, var, weight, bias, training, momentum, eps)
    if training:
        n = x.numel() // x.shape[1]
        kept = before * (1 - momentum)
        before.copy_(kept + (var - kept) * (n - 1) / n)
    return out"""


def _registered(source: Source) -> list[ast.Call]:
    return source.calls("self.register_buffer", within=("__init__",))


@fault(FUNCTIONAL)
def buffer_not_saved(source: Source) -> Iterator[Edits]:
    """A buffer is left out of the checkpoint."""
    for call in _registered(source):
        persistent = None if len(call.keywords) else "False"
        yield {call: changed(call, persistent=persistent)}


@fault(FUNCTIONAL)
def buffer_as_plain_tensor(source: Source) -> Iterator[Edits]:
    """A buffer is a plain tensor: no state_dict holds it, no device moves it."""
    for call in _registered(source):
        name, value = call.args
        yield {call: f"self.{ast.literal_eval(name)} = {source.segment(value)}"}


@fault(FUNCTIONAL)
def buffer_as_parameter(source: Source) -> Iterator[Edits]:
    """A buffer is a frozen parameter."""
    for call in _registered(source):
        name, value = call.args
        parameter = f"nn.Parameter({source.segment(value)}, requires_grad=False)"
        yield {call: f"self.{ast.literal_eval(name)} = {parameter}"}


def _counts(source: Source) -> list[ast.AugAssign]:
    return [
        node
        for node in source.nodes(ast.AugAssign, "forward")
        if isinstance(node, ast.AugAssign) and "num_batches_tracked" in ast.unparse(node.target)
    ]


@fault(FUNCTIONAL, STATELESS)
def batches_not_counted(source: Source) -> Iterator[Edits]:
    """num_batches_tracked stays as it is."""
    for node in _counts(source):
        yield {node: "pass"}


@fault(FUNCTIONAL, STATELESS)
def batches_counted_twice(source: Source) -> Iterator[Edits]:
    """num_batches_tracked grows by two."""
    for node in _counts(source):
        yield {node.value: "2"}


@fault(FUNCTIONAL, STATELESS)
def batches_counted_in_eval(source: Source) -> Iterator[Edits]:
    """num_batches_tracked grows in eval mode too."""
    for node in _counts(source):
        condition = source.parents[node]
        if isinstance(condition, ast.If) and ast.unparse(condition.test) == source.mode:
            yield {condition.test: "True"}


@fault(FUNCTIONAL, STATELESS)
def running_mean_not_updated(source: Source) -> Iterator[Edits]:
    """Batch norm gets a copy of its running mean."""
    for call in source.calls("F.batch_norm"):
        yield {call: replaced(call, 1, f"{ast.unparse(call.args[1])}.clone()")}


@fault(FUNCTIONAL, STATELESS)
def running_var_not_updated(source: Source) -> Iterator[Edits]:
    """Batch norm gets a copy of its running variance."""
    for call in source.calls("F.batch_norm"):
        yield {call: replaced(call, 2, f"{ast.unparse(call.args[2])}.clone()")}


@fault(FUNCTIONAL, STATELESS)
def biased_variance(source: Source) -> Iterator[Edits]:
    """Batch norm stores the biased variance."""
    imports = [n for n in source.tree.body if isinstance(n, (ast.Import, ast.ImportFrom))]
    for call in source.calls("F.batch_norm"):
        yield {
            imports[-1]: source.segment(imports[-1]) + BIASED,
            call: changed(call, "biased_batch_norm"),
        }
