"""Faults of both twins alike: they stay equal, and only the reading of the spec can tell."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator

from nngen.catalog import LAYERS
from tests.mutants.flow import ACTIVATIONS, WHOLE
from tests.mutants.source import BOTH, Edits, changed, fault, is_own, keyword, rearranged, replaced
from tests.mutants.twins import Twins, plain

BUILDS = ("__init__", "init_weights")
RUNS = ("forward", "loss")
# What torch asks for, and what decides how many weights there are or how they are drawn.
KEPT = {
    *("kernel_size", "output_size", "size", "groups", "padding_idx", "bias", "training", "affine"),
    *("persistent", "num_layers", "bidirectional", "batch_first", "dropout_p"),
}
OTHER_INITIALISERS = {
    "kaiming_uniform_": "xavier_uniform_",
    "kaiming_normal_": "xavier_normal_",
    "xavier_uniform_": "kaiming_uniform_",
    "xavier_normal_": "kaiming_normal_",
    "normal_": "uniform_",
    "trunc_normal_": "normal_",
    "uniform_": "normal_",
    "orthogonal_": "xavier_uniform_",
    "zeros_": "ones_",
    "ones_": "zeros_",
    "constant_": "ones_",
}
SYMMETRIC = ("F.mse_loss", "F.l1_loss", "F.cosine_similarity", "torch.maximum")
OTHER_LAYERS = {
    "nn.ReLU": "nn.LeakyReLU",
    "nn.ReLU6": "nn.LeakyReLU",
    "nn.LeakyReLU": "nn.ReLU",
    "nn.GELU": "nn.ReLU",
    "nn.SiLU": "nn.GELU",
    "nn.Hardswish": "nn.SiLU",
    "nn.Hardsigmoid": "nn.Sigmoid",
    "nn.Sigmoid": "nn.Tanh",
    "nn.Tanh": "nn.Sigmoid",
}


def _calls(nodes: list[ast.AST]) -> list[ast.Call]:
    return [node for node in nodes if isinstance(node, ast.Call)]


def _name(call: ast.Call) -> str:
    return ast.unparse(call.func)


def _keywords(nodes: list[ast.AST]) -> set[tuple[str, str]]:
    return {(k.arg, plain(k.value)) for call in _calls(nodes) for k in call.keywords if k.arg}


def _defaults_of(nodes: list[ast.AST]) -> set[tuple[str, str]]:
    """The arguments of torch's layers that are written out, though they are the defaults."""
    entries = [LAYERS[name] for call in _calls(nodes) if (name := _name(call)[3:]) in LAYERS]
    return {(each.name, repr(each.default)) for entry in entries for each in entry.signature}


def _without(twins: Twins, calls: list[ast.Call], name: str) -> Edits:
    """The calls without a keyword argument; one that stands in another is left to it."""
    return {call: changed(call, **{name: None}) for call in calls if keyword(call, name)}


@fault(BOTH)
def both_drop_a_keyword(twins: Twins) -> Iterator[Edits]:
    """A keyword argument is left out."""
    for nn, functional in twins.together(ast.Call):
        for name, value in sorted(_keywords(nn) & _keywords(functional)):
            if name not in KEPT and (name, value) not in _defaults_of(nn):
                calls = [call for call in _calls(nn + functional) if keyword(call, name)]
                if not any(other in ast.walk(call) for call in calls for other in calls if other is not call):  # fmt: skip
                    yield _without(twins, calls, name)


@fault(BOTH)
def both_bake_a_size(twins: Twins) -> Iterator[Edits]:
    """An argument of the model is the number that it has in the check."""
    last = {source.classes()[-1].name for source in (twins.nn, twins.functional)}
    for nn, functional in twins.together(ast.Name, "__init__"):
        for name, value in twins.arguments.items():
            found = [
                [node for node in side if isinstance(node, ast.Name) and node.id == name]
                for side in (nn, functional)
            ]
            nodes = [*found[0], *found[1]]
            own = all(twins.scope(twins.source(node), node) in last for node in nodes)
            if all(found) and own and not any(_in_recurrent(twins, node) for node in found[0]):
                yield {node: repr(value) for node in nodes}


def _in_recurrent(twins: Twins, node: ast.AST) -> bool:
    """Whether a size is a recurrent layer's: torch reads beyond a first state that does not fit, and may end there."""
    statement = twins.nn.above(node, ast.stmt)
    return statement is not None and bool(
        re.search(r"nn\.(LSTM|GRU|RNN)\(", ast.unparse(statement))
    )


@fault(BOTH)
def both_fold_a_branch(twins: Twins) -> Iterator[Edits]:
    """A branch that depends on an argument is taken as decided."""
    tests: dict[tuple[str, str], list[list[ast.AST]]] = {}
    for place, source in enumerate((twins.nn, twins.functional)):
        for node in source.nodes((ast.If, ast.IfExp)):
            assert isinstance(node, (ast.If, ast.IfExp))
            key = twins.scope(source, node), plain(node.test)
            tests.setdefault(key, [[], []])[place].append(node.test)
    for (_, text), (nn, functional) in tests.items():
        if nn and functional and "training" not in text and "isinstance" not in text:
            for decided in ("True", "False"):
                yield {node: decided for node in nn + functional}


@fault(BOTH)
def both_swap_an_initialiser(twins: Twins) -> Iterator[Edits]:
    """A weight is drawn by another initialiser."""
    for nn, functional in twins.together(ast.Call, *BUILDS):
        names = {_name(call) for call in _calls(nn)} & {_name(call) for call in _calls(functional)}
        for name in sorted(names):
            other = OTHER_INITIALISERS.get(name.removeprefix("nn.init."))
            if name.startswith("nn.init.") and other:
                yield {
                    call: f"nn.init.{other}({ast.unparse(call.args[0])})"
                    for call in _calls(nn + functional)
                    if _name(call) == name
                }


@fault(BOTH)
def both_draw_once_more(twins: Twins) -> Iterator[Edits]:
    """A layer's weight is drawn anew, behind it."""
    for nn, functional in twins.together((ast.Assign, ast.Expr), "__init__"):
        made, last = nn[0], functional[-1]
        if isinstance(made, ast.Assign) and len(nn) == 1 and isinstance(last, ast.Expr):
            target = ast.unparse(made.targets[0])
            if not ast.unparse(made.value).startswith(("nn.Linear(", "nn.Conv")):
                continue
            yield {
                made: _behind(twins, made, f"nn.init.normal_({target}.weight)"),
                last: _behind(twins, last, f"nn.init.normal_({target}_weight)"),
            }


def _behind(twins: Twins, statement: ast.stmt, line: str) -> str:
    return twins.source(statement).block(statement, twins.segment(statement), line)


@fault(BOTH)
def both_exchange_two_layers(twins: Twins) -> Iterator[Edits]:
    """Two layers that are built alike run in each other's place."""
    for model in twins.nn.classes():
        layers: dict[str, list[str]] = {}
        for node in twins.nn.nodes(ast.Assign, "__init__"):
            if (
                isinstance(node, ast.Assign)
                and twins.nn.above(node, ast.ClassDef) is model
                and is_own(node.targets[0])
                and isinstance(node.value, ast.Call)
                and node.value.args
            ):
                name = ast.unparse(node.targets[0]).removeprefix("self.")
                layers.setdefault(ast.unparse(node.value), []).append(name)
        for names in layers.values():
            for one, other in itertools.pairwise(names):
                edits = {
                    node: exchanged
                    for source in (twins.nn, twins.functional)
                    for node in source.nodes(ast.Attribute, "forward")
                    if twins.scope(source, node) == model.name
                    and is_own(node)
                    and (exchanged := _exchanged(ast.unparse(node), one, other))
                }
                if {twins.source(node) for node in edits} == {twins.nn, twins.functional}:
                    yield edits


def _exchanged(text: str, one: str, other: str) -> str:
    """The attribute of one layer as the other's; empty where it is of neither."""
    for mine, theirs in ((one, other), (other, one)):
        found = re.fullmatch(rf"self\.{mine}(|_[a-z]\w*)", text)
        if found:
            return f"self.{theirs}{found[1]}"
    return ""


@fault(BOTH)
def both_take_none_for_a_value(twins: Twins) -> Iterator[Edits]:
    """What stands for None is left out, or always taken."""
    for _, nodes in twins.alike((ast.IfExp, ast.BoolOp)):
        for pick in (0, 1):
            arms = [_arms(node) for node in nodes]
            if all(arms):
                yield {node: f"({ast.unparse(arm[pick])})" for node, arm in zip(nodes, arms)}


def _arms(node: ast.AST) -> list[ast.expr]:
    """What an expression is without None, and with it."""
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
        return node.values[:2] if isinstance(node.values[0], ast.Name) else []
    if isinstance(node, ast.IfExp) and "None" in ast.unparse(node.test):
        return [node.body, node.orelse]
    return []


@fault(BOTH)
def both_have_another_activation(twins: Twins) -> Iterator[Edits]:
    """Another activation stands there."""
    functions = {name: other for name, other in ACTIVATIONS.items() if other not in ("F.softmax", "F.log_softmax")}  # fmt: skip
    for nn, functional in twins.together(ast.Call):
        for call in _calls(functional):
            other = functions.get(_name(call))
            if other is None or twins.functional.function(call) not in RUNS:
                continue
            gone = {"negative_slope": None, "inplace": None}
            there = changed(call, other, **gone)
            for mine in _calls(nn):
                if _name(mine) in OTHER_LAYERS:
                    yield {mine: f"{OTHER_LAYERS[_name(mine)]}()", call: there}
                elif _name(mine) == _name(call):
                    yield {mine: changed(mine, other, **gone), call: there}


@fault(BOTH)
def both_build_in_another_order(twins: Twins) -> Iterator[Edits]:
    """Two layers are built in another order."""
    groups = list(twins.together((ast.Assign, ast.Expr), "__init__"))
    for first, second in itertools.pairwise(groups):
        sides = [_runs(twins, *side) for side in zip(first, second, strict=True)]
        texts = [ast.unparse(node) for side in (*first, *second) for node in side]
        own = all(text.startswith(("self.", "nn.init.")) for text in texts)
        drawn = all(
            any("nn.init." in ast.unparse(node) for node in functional)
            for _, functional in (first, second)
        )
        if own and drawn and all(sides):
            yield {node: text for side in sides for node, text in side.items()}


def _runs(twins: Twins, first: list[ast.AST], second: list[ast.AST]) -> dict[ast.AST, str]:
    """The statements of two steps that follow each other, exchanged; empty where they do not."""
    source = twins.source(first[0])
    body = getattr(source.parents[first[0]], "body", [])
    both = [*first, *second]
    if body[body.index(first[0]) :][: len(both)] != both if first[0] in body else True:
        return {}
    edits: dict[ast.AST, str] = {node: "pass" for node in both}
    for place, moved in ((first[0], second), (second[0], first)):
        assert isinstance(place, ast.stmt)
        edits[place] = source.block(place, *(source.segment(node) for node in moved))
    return edits


@fault(BOTH)
def both_have_another_number(twins: Twins) -> Iterator[Edits]:
    """A number in a formula is another."""
    for nn, functional in twins.together(ast.Constant, *RUNS):
        for value in dict.fromkeys(_numbers(twins, nn)):
            nodes = [n for n in nn + functional if _number(twins, n) == value]
            if value in _numbers(twins, functional):
                yield {node: repr(value + 1) for node in nodes}


def _numbers(twins: Twins, nodes: list[ast.AST]) -> list[float]:
    return [value for node in nodes if (value := _number(twins, node)) is not None]


def _number(twins: Twins, node: ast.AST) -> float | None:
    """The value of a number that is computed with."""
    parent = twins.source(node).parents[node]
    if not isinstance(node, ast.Constant) or not isinstance(parent, (ast.BinOp, ast.Compare)):
        return None
    return node.value if type(node.value) in (int, float) else None  # type: ignore[return-value]


@fault(BOTH)
def both_have_another_default(twins: Twins) -> Iterator[Edits]:
    """An argument of a constructor has another default."""
    model = twins.nn.classes()[-1].name
    for mine, other in zip(twins.nn.classes(), twins.functional.classes()):
        if mine.name != other.name:
            continue
        for (name, one), (_, same) in zip(_defaults(mine), _defaults(other)):
            text = _other_default(one)
            uses = twins.nn.calls(mine.name)
            if text and (mine.name == model or any(not keyword(call, name) for call in uses)):
                yield {one: text, same: text}


def _defaults(model: ast.ClassDef) -> Iterator[tuple[str, ast.expr]]:
    """The defaults of a class's constructor, by the argument."""
    for node in model.body:
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            named = node.args.args[len(node.args.args) - len(node.args.defaults) :]
            yield from zip((each.arg for each in named), node.args.defaults)


def _other_default(node: ast.expr) -> str:
    value = node.value if isinstance(node, ast.Constant) else ...
    if value is None:
        return "3"
    if isinstance(value, bool):
        return str(not value)
    return repr(value + 1) if isinstance(value, (int, float)) else ""


@fault(BOTH)
def both_return_in_another_order(twins: Twins) -> Iterator[Edits]:
    """The outputs are returned in another order."""
    for _, nodes in twins.alike(ast.Return, "forward"):
        values = [getattr(node, "value", None) for node in nodes]
        if all(isinstance(value, ast.Tuple) and len(value.elts) > 1 for value in values):
            yield {
                value: f"({', '.join(ast.unparse(part) for part in reversed(value.elts))})"
                for value in values
                if isinstance(value, ast.Tuple)
            }
        if all(isinstance(value, ast.Dict) for value in values):
            yield {value: _turned(value) for value in values if isinstance(value, ast.Dict)}


def _turned(value: ast.Dict) -> str:
    pairs = [f"{ast.unparse(k)}: {ast.unparse(v)}" for k, v in zip(value.keys, value.values) if k]
    return "{" + ", ".join(reversed(pairs)) + "}"


def _buffers(twins: Twins) -> Iterator[list[ast.Call]]:
    for _, nodes in twins.alike(ast.Call, "__init__"):
        calls = [call for call in _calls(nodes) if _name(call) == "self.register_buffer"]
        if calls:
            yield calls


@fault(BOTH)
def both_have_another_buffer(twins: Twins) -> Iterator[Edits]:
    """A buffer has other values."""
    for calls in _buffers(twins):
        value = ast.unparse(calls[0].args[1])
        other = "ones" if value.startswith("torch.zeros") else "zeros"
        yield {call: replaced(call, 1, f"torch.{other}_like({value})") for call in calls}


@fault(BOTH)
def both_do_not_save_a_buffer(twins: Twins) -> Iterator[Edits]:
    """A buffer is left out of the checkpoint, or saved where it should not be."""
    for calls in _buffers(twins):
        persistent = None if calls[0].keywords else "False"
        yield {call: changed(call, persistent=persistent) for call in calls}


def _flow(twins: Twins) -> Iterator[tuple[list[ast.Call], str]]:
    """The calls of a layer or a block in both forwards, with what they are given first."""
    for nn, functional in twins.together(ast.Assign, "forward"):
        if len(nn) == 1 and functional:
            values = [getattr(node, "value", None) for node in (nn[0], functional[-1])]
            calls = [value for value in values if isinstance(value, ast.Call)]
            given = {ast.unparse(call.args[0]) for call in calls if call.args}
            same = len(calls) == 2 and len(given) == 1 and all(call.args for call in calls)
            if same and _name(calls[0]).startswith("self."):
                yield calls, given.pop()


@fault(BOTH)
def both_detach_a_value(twins: Twins) -> Iterator[Edits]:
    """A gradient is lost by detach() on a value."""
    for calls, given in _flow(twins):
        if _name(calls[1]) != "F.embedding" and given not in WHOLE:
            yield {call: replaced(call, 0, f"{given}.detach()") for call in calls}


@fault(BOTH)
def both_leave_out_a_step(twins: Twins) -> Iterator[Edits]:
    """A layer or block is left out of the flow."""
    for calls, given in _flow(twins):
        if _name(calls[1]) != "F.embedding" and all(len(call.args) == 1 for call in calls[:1]):
            yield {call: f"({given})" for call in calls}


@fault(BOTH)
def both_leave_out_a_summand(twins: Twins) -> Iterator[Edits]:
    """A residual is not added."""
    for text, nodes in twins.alike(ast.BinOp, *RUNS):
        sums = [node for node in nodes if isinstance(node, ast.BinOp)]
        if all(isinstance(node.op, ast.Add) for node in sums) and "1 +" not in text:
            yield {node: f"({ast.unparse(node.left)})" for node in sums}


@fault(BOTH)
def both_repeat_once_less(twins: Twins) -> Iterator[Edits]:
    """A loop of layers ends one too early."""
    for _, nodes in twins.alike(ast.Call, "__init__"):
        calls = [call for call in _calls(nodes) if _name(call) == "range"]
        if calls:
            yield {call: replaced(call, 0, f"{ast.unparse(call.args[0])} - 1") for call in calls}


@fault(BOTH)
def both_run_a_loop_backwards(twins: Twins) -> Iterator[Edits]:
    """A loop over layers runs from the last to the first."""
    for nn, functional in twins.together(ast.For, "forward"):
        loops = [node for node in nn + functional if isinstance(node, ast.For)]
        yield {node.iter: f"list({ast.unparse(node.iter)})[::-1]" for node in loops}


@fault(BOTH)
def both_give_a_block_another_size(twins: Twins) -> Iterator[Edits]:
    """A block gets a number that is one too large."""
    names = {node.name for node in twins.nn.classes()}
    for _, nodes in twins.alike(ast.Call, "__init__"):
        calls = [call for call in _calls(nodes) if _name(call) in names]
        for given in calls[0].keywords if calls else ():
            value = given.value.value if isinstance(given.value, ast.Constant) else None
            if given.arg and type(value) is int:
                yield {call: changed(call, **{given.arg: str(value + 1)}) for call in calls}


@fault(BOTH)
def both_swap_the_modes(twins: Twins) -> Iterator[Edits]:
    """What train mode should do is done in eval mode."""
    for text, nodes in twins.alike((ast.IfExp, ast.If), "forward"):
        found = [node for node in nodes if isinstance(node, (ast.IfExp, ast.If))]
        if found and ast.unparse(found[0].test).startswith("self.training"):
            yield {node.test: f"not ({ast.unparse(node.test)})" for node in found}


@fault(BOTH)
def both_show_what_comes_later(twins: Twins) -> Iterator[Edits]:
    """A mask shows one position more."""
    for _, nodes in twins.alike(ast.Call):
        calls = [call for call in _calls(nodes) if _name(call).endswith((".triu", ".tril"))]
        if calls:
            yield {call: f"{ast.unparse(call.func)}({_last(call)} + 1)" for call in calls}


def _last(call: ast.Call) -> str:
    return ast.unparse(call.args[-1]) if call.args else "0"


@fault(BOTH)
def both_swap_two_arguments(twins: Twins) -> Iterator[Edits]:
    """A call takes its first two values in another order."""
    for _, nodes in twins.alike(ast.Call, *RUNS):
        calls = [call for call in _calls(nodes) if len(call.args) > 1]
        if calls and len(calls) == len(nodes) and _name(calls[0]) not in SYMMETRIC:
            first, second, *rest = calls[0].args
            if ast.unparse(first) != ast.unparse(second) and not isinstance(second, ast.Constant):
                yield {call: rearranged(call, second, first, *rest) for call in calls}


@fault(BOTH)
def both_reduce_otherwise(twins: Twins) -> Iterator[Edits]:
    """The loss is a sum, or a mean where it is a sum or a mean over the batch."""
    for nn, functional in twins.together(ast.Call):
        made = [call for call in _calls(nn) if re.fullmatch(r"nn\.\w+Loss|F\.\w*(loss|entropy)\w*", _name(call))]  # fmt: skip
        runs = [call for call in _calls(functional) if re.search(r"^F\..*(loss|entropy)", _name(call))]  # fmt: skip
        if made and runs:
            other = "'sum'" if keyword(runs[0], "reduction") is None else "'mean'"
            yield {call: changed(call, reduction=other) for call in made + runs}
