"""Faults of a functional twin's flow: what runs, on what, and what becomes of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.mutants.arguments import CONVOLUTIONS
from tests.mutants.source import (
    FUNCTIONAL,
    STATELESS,
    Edits,
    Source,
    changed,
    fault,
    is_weight,
    rearranged,
    replaced,
)

ACTIVATIONS = {
    "F.relu": "F.leaky_relu",
    "F.relu6": "F.leaky_relu",
    "F.leaky_relu": "F.relu",
    "F.gelu": "F.relu",
    "F.silu": "F.gelu",
    "F.hardswish": "F.silu",
    "F.hardsigmoid": "torch.sigmoid",
    "F.log_softmax": "F.softmax",
    "F.softmax": "F.log_softmax",
    "torch.sigmoid": "torch.tanh",
    "torch.tanh": "torch.sigmoid",
}
STEPS = ("forward", "loss")
WHOLE = ("tokens", "segments", "samples", "source", "places", "positions")  # whole numbers
HEAVY = ("F.linear", *CONVOLUTIONS)


def _steps(source: Source, *functions: str) -> Iterator[tuple[ast.Assign, ast.Call]]:
    """The statements of a forward that assign what a call returns to a name."""
    for node in source.nodes(ast.Assign, "forward"):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            name = ast.unparse(node.value.func)
            if not functions or name in functions:
                yield node, node.value


def _layers(source: Source) -> Iterator[tuple[ast.Assign, ast.Call]]:
    """The steps that apply a layer or a block to a value that can have a gradient."""
    for statement, call in _steps(source):
        name = ast.unparse(call.func)
        if (
            name.startswith(("F.", "self."))
            and name != "F.embedding"
            and call.args
            and ast.unparse(call.args[0]) not in (*WHOLE, "params")
        ):
            yield statement, call


@fault(FUNCTIONAL, STATELESS)
def activation_left_out(source: Source) -> Iterator[Edits]:
    """An activation is left out."""
    for call in source.calls(*ACTIVATIONS, within=STEPS):
        yield {call: f"({source.segment(call.args[0])})"}


@fault(FUNCTIONAL, STATELESS)
def another_activation(source: Source) -> Iterator[Edits]:
    """Another activation stands there: leaky ReLU for ReLU, SiLU for hardswish."""
    for call in source.calls(*ACTIVATIONS, within=STEPS):
        gone = {"negative_slope": None, "inplace": None}
        yield {call: changed(call, ACTIVATIONS[ast.unparse(call.func)], **gone)}


@fault(FUNCTIONAL, STATELESS)
def gelu_by_tanh(source: Source) -> Iterator[Edits]:
    """GELU is approximated."""
    for call in source.calls("F.gelu"):
        yield {call: changed(call, approximate="'tanh'")}


@fault(FUNCTIONAL, STATELESS)
def unbounded(source: Source) -> Iterator[Edits]:
    """ReLU stands for ReLU6."""
    for call in source.calls("F.relu6"):
        yield {call: changed(call, "F.relu")}


@fault(FUNCTIONAL, STATELESS)
def value_detached(source: Source) -> Iterator[Edits]:
    """A gradient is lost by detach() on a value."""
    for _, call in _layers(source):
        yield {call: replaced(call, 0, f"{ast.unparse(call.args[0])}.detach()")}


@fault(FUNCTIONAL, STATELESS)
def parameter_detached(source: Source) -> Iterator[Edits]:
    """A gradient is lost by detach() on a parameter."""
    for call in source.calls("F.", within=("forward",)):
        for i, argument in enumerate(call.args):
            if is_weight(argument):
                yield {call: replaced(call, i, f"{ast.unparse(argument)}.detach()")}


@fault(FUNCTIONAL, STATELESS)
def step_without_grad(source: Source) -> Iterator[Edits]:
    """A step runs under no_grad."""
    for statement, _ in _layers(source):
        lines = source.segment(statement).splitlines()
        inside = "\n    ".join(lines)
        under = source.block(statement, "with torch.no_grad():", f"    {inside}")
        yield {statement: under}


@fault(FUNCTIONAL, STATELESS)
def loss_detached(source: Source) -> Iterator[Edits]:
    """The loss is computed of a detached output."""
    for call in source.calls("F.", within=("loss",)):
        yield {call: replaced(call, 0, f"{ast.unparse(call.args[0])}.detach()")}


@fault(FUNCTIONAL, STATELESS)
def input_written_into(source: Source) -> Iterator[Edits]:
    """The model writes into what it is given."""
    function = _forward(source)
    last = function.body[-1]
    first = function.body[0]
    for name in source.inputs(first):
        write = "given.data.zero_()"
        if first is last:
            yield {last: source.block(last, f"given = {name}", write, source.segment(last))}
        else:
            yield {
                first: source.block(first, f"given = {name}", source.segment(first)),
                last: source.block(last, write, source.segment(last)),
            }


@fault(FUNCTIONAL, STATELESS)
def relu_in_place(source: Source) -> Iterator[Edits]:
    """A ReLU writes into a value that is read later."""
    for statement, call in _steps(source, "F.relu"):
        value = call.args[0]
        if isinstance(value, ast.Name) and _read_later(source, statement, value.id):
            yield {call: changed(call, inplace="True")}


def _read_later(source: Source, statement: ast.Assign, name: str) -> bool:
    """Whether the value is read after the statement, before its name is another's."""
    function = source.above(statement, ast.FunctionDef)
    if any(ast.unparse(target) == name for target in statement.targets):
        return False
    later = [
        node
        for node in source.nodes(ast.Name)
        if isinstance(node, ast.Name)
        and node.id == name
        and node.lineno > (statement.end_lineno or 0)
        and source.above(node, ast.FunctionDef) is function
    ]
    next_to_name = source.above(later[0], ast.stmt) if later else None
    return any(
        isinstance(node.ctx, ast.Load)
        for node in later
        if source.above(node, ast.stmt) is next_to_name
    )


@fault(FUNCTIONAL)
def input_overwritten_by_relu(source: Source) -> Iterator[Edits]:
    """The model's input is overwritten by a ReLU put before its first layer."""
    function = _forward(source)
    first = function.body[0]
    for _, call in _layers(source):
        if call.lineno == first.lineno and isinstance(call.args[0], ast.Name):
            name = call.args[0].id
            yield {
                first: source.block(first, f"F.relu({name}, inplace=True)", source.segment(first))
            }


@fault(FUNCTIONAL, STATELESS)
def drawn_in_forward(source: Source) -> Iterator[Edits]:
    """The forward draws one number too many."""
    last = _forward(source).body[-1]
    yield {last: source.block(last, "torch.rand(1)", source.segment(last))}


@fault(FUNCTIONAL, STATELESS)
def drawn_in_eval(source: Source) -> Iterator[Edits]:
    """The forward draws one number too many, in eval mode alone."""
    last = _forward(source).body[-1]
    drawn = f"if not {source.mode}:\n            torch.rand(1)"
    yield {last: source.block(last, drawn, source.segment(last))}


def _forward(source: Source) -> ast.FunctionDef:
    """The model's own forward."""
    return next(
        node
        for node in source.classes()[-1].body
        if isinstance(node, ast.FunctionDef) and node.name in ("forward", "__call__")
    )


def _sums(source: Source) -> list[ast.BinOp]:
    return [
        node
        for node in source.nodes(ast.BinOp, *STEPS)
        if isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Add)
        and not any(isinstance(side, ast.Constant) for side in (node.left, node.right))
    ]


@fault(FUNCTIONAL, STATELESS)
def summand_left_out(source: Source) -> Iterator[Edits]:
    """A residual is not added."""
    for node in _sums(source):
        yield {node: source.segment(node.left)}


@fault(FUNCTIONAL, STATELESS)
def summand_doubled(source: Source) -> Iterator[Edits]:
    """A residual is added twice."""
    for node in _sums(source):
        right = source.segment(node.right)
        yield {node: f"({source.segment(node.left)} + {right} + {right})"}


@fault(FUNCTIONAL, STATELESS)
def layer_on_the_input(source: Source) -> Iterator[Edits]:
    """A layer is applied to the input again, not to the value before it."""
    for statement, call in _layers(source):
        given = source.inputs(statement)[0]
        if ast.unparse(call.args[0]) != given and not given_first(source, statement, given):
            yield {call: replaced(call, 0, given)}


def given_first(source: Source, statement: ast.Assign, name: str) -> bool:
    """Whether the name no longer stands for the input when the statement runs."""
    function = source.above(statement, ast.FunctionDef)
    return any(
        isinstance(node.ctx, ast.Store)  # type: ignore[attr-defined]
        and node.id == name  # type: ignore[attr-defined]
        and node.lineno < statement.lineno  # type: ignore[attr-defined]
        and source.above(node, ast.FunctionDef) is function
        for node in source.nodes(ast.Name)
    )


@fault(FUNCTIONAL, STATELESS)
def step_left_out(source: Source) -> Iterator[Edits]:
    """A layer or block is left out of the flow."""
    for _, call in _layers(source):
        if len(call.args) == 1 or ast.unparse(call.func) == "F.layer_norm":
            yield {call: f"({source.segment(call.args[0])})"}


@fault(FUNCTIONAL, STATELESS)
def image_transposed(source: Source) -> Iterator[Edits]:
    """A square image is turned over its diagonal."""
    for _, call in _layers(source):
        if ast.unparse(call.func) == "F.conv2d":
            yield {call: replaced(call, 0, f"{ast.unparse(call.args[0])}.transpose(2, 3)")}


@fault(FUNCTIONAL, STATELESS)
def weight_transposed(source: Source) -> Iterator[Edits]:
    """A linear layer multiplies by the transpose of its weight."""
    for call in source.calls("F.linear"):
        weight = source.segment(call.args[1])
        yield {call: replaced(call, 1, f"{weight}.t()")}


@fault(FUNCTIONAL, STATELESS)
def computed_in_double(source: Source) -> Iterator[Edits]:
    """A layer computes in float64, and rounds its result."""
    for call in source.calls(*HEAVY, within=("forward",)):
        doubles = [f"{ast.unparse(argument)}.double()" for argument in call.args]
        yield {call: f"{rearranged(call, *doubles)}.float()"}


@fault(FUNCTIONAL, STATELESS)
def one_ulp_more(source: Source) -> Iterator[Edits]:
    """A layer's result is multiplied by 1.0000001."""
    for _, call in _layers(source):
        name = ast.unparse(call.func)
        if name in HEAVY or name.startswith("F.") and "norm" in name:
            yield {call: f"({source.segment(call)}) * 1.0000001"}


@fault(FUNCTIONAL, STATELESS)
def number_one_ulp_off(source: Source) -> Iterator[Edits]:
    """A number in a formula is one unit in the last place larger."""
    for node in source.nodes(ast.Constant, *STEPS):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, float)
            and isinstance(source.parents[node], ast.BinOp)
        ):
            yield {node: repr(node.value * (1 + 2**-23))}


@fault(FUNCTIONAL, STATELESS)
def loop_ends_early(source: Source) -> Iterator[Edits]:
    """A loop over blocks ends before the last."""
    for node in source.nodes(ast.For, "forward"):
        if isinstance(node, ast.For):
            yield {node.iter: f"list({source.segment(node.iter)})[:-1]"}


@fault(FUNCTIONAL, STATELESS)
def loop_runs_backwards(source: Source) -> Iterator[Edits]:
    """A loop over blocks runs from the last to the first."""
    for node in source.nodes(ast.For, "forward"):
        if isinstance(node, ast.For):
            yield {node.iter: f"list({source.segment(node.iter)})[::-1]"}


@fault(FUNCTIONAL, STATELESS)
def mode_swapped(source: Source) -> Iterator[Edits]:
    """What train mode should do is done in eval mode."""
    for node in source.nodes((ast.If, ast.IfExp), "forward"):
        if isinstance(node, (ast.If, ast.IfExp)):
            test = ast.unparse(node.test)
            if test.startswith(source.mode):
                yield {node.test: f"not {test}"}


@fault(FUNCTIONAL, STATELESS)
def branch_always_taken(source: Source) -> Iterator[Edits]:
    """A branch that depends on the constructor's arguments is always taken, or never."""
    for node in source.nodes(ast.If, "forward"):
        if isinstance(node, ast.If) and not ast.unparse(node.test).startswith(source.mode):
            yield {node.test: "True"}
            yield {node.test: "False"}


@fault(FUNCTIONAL, STATELESS)
def outputs_in_another_order(source: Source) -> Iterator[Edits]:
    """The outputs are returned in another order."""
    for node in source.nodes(ast.Return, "forward"):
        value = getattr(node, "value", None)
        if isinstance(value, ast.Tuple):
            turned = ", ".join(source.segment(part) for part in reversed(value.elts))
            yield {value: f"({turned})"}
        if isinstance(value, ast.Dict):
            pairs = [f"{ast.unparse(k)}: {ast.unparse(v)}" for k, v in zip(value.keys, value.values, strict=True) if k]  # fmt: skip
            yield {value: "{" + ", ".join(reversed(pairs)) + "}"}


@fault(FUNCTIONAL)
def output_in_double(source: Source) -> Iterator[Edits]:
    """The output is a float64."""
    for node in _forward(source).body:
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Name):
            yield {node.value: f"{node.value.id}.double()"}


@fault(FUNCTIONAL)
def output_loses_its_gradient_in_training(source: Source) -> Iterator[Edits]:
    """The output's gradient is lost in train mode alone."""
    for node in _forward(source).body:
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Name):
            name = node.value.id
            yield {node.value: f"{name}.detach() if self.training else {name}"}
