"""Faults of a functional twin's constructor: what is made, and how it is drawn."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator
from functools import cache
from typing import Any

from tests.mutants.source import (
    FUNCTIONAL,
    STATELESS,
    Edits,
    Source,
    changed,
    fault,
    keyword,
    rearranged,
    replaced,
)

BUILDS = ("__init__", "init_weights")
DRAWS = ("uniform_", "normal_", "trunc_normal_", "kaiming_", "xavier_", "orthogonal_")
A_LITTLE_MORE = "(1 + 2**-23)"  # one unit in the last place of a float32


@cache
def draws(source: Source) -> list[ast.Expr]:
    """The statements that draw a parameter or set it to a constant."""
    return [
        node
        for node in source.nodes(ast.Expr, *BUILDS)
        if isinstance(node, ast.Expr) and _initialiser(node)
    ]


def _initialiser(statement: ast.stmt) -> str:
    call = getattr(statement, "value", None)
    function = ast.unparse(call.func) if isinstance(call, ast.Call) else ""
    return function.removeprefix("nn.init.") if function.startswith("nn.init.") else ""


def _is_random(statement: ast.stmt) -> bool:
    return _initialiser(statement).startswith(DRAWS)


def _drawn(statement: ast.stmt) -> str:
    return ast.unparse(statement.value.args[0])  # type: ignore[attr-defined]


def _drawn_again(source: Source, node: ast.AST, name: str) -> bool:
    """Whether a later statement of the same class draws the parameter anew, or ties it."""
    own = source.above(node, ast.ClassDef)
    return any(
        target == name and source.above(later, ast.ClassDef) is own
        for target, later in [*((_drawn(s), s) for s in draws(source)), *_replaced(source)]
        if (later.lineno, later.col_offset) > (node.lineno, node.col_offset)  # type: ignore[attr-defined]
    )


def _replaced(source: Source) -> Iterator[tuple[str, ast.stmt]]:
    """The parameters in whose place others come, with the statements that do it."""
    yield from _tied(source)
    for node in source.nodes(ast.Delete, "__init__"):
        if isinstance(node, ast.Delete):
            yield ast.unparse(node.targets[0]), node


def _tied(source: Source) -> Iterator[tuple[str, ast.Assign]]:
    """The parameters that become others, with the statements that make them so."""
    for node in source.nodes(ast.Assign, "__init__"):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Attribute):
            yield ast.unparse(node.targets[0]), node


def _lasting(source: Source) -> Iterator[tuple[ast.Expr, ast.Call]]:
    """The draws whose values stay."""
    for statement in draws(source):
        call = statement.value
        if isinstance(call, ast.Call) and not _drawn_again(source, statement, _drawn(statement)):
            yield statement, call


def _made(source: Source) -> Iterator[tuple[ast.Assign, str, ast.Call]]:
    """The statements that register a parameter, with its name."""
    for node in source.nodes(ast.Assign, "__init__"):
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and ast.unparse(node.value.func) == "nn.Parameter"
        ):
            yield node, ast.unparse(node.targets[0]), node.value


def _swapped_draws(source: Source, one_layer: bool) -> Iterator[Edits]:
    for body in source.bodies(*BUILDS):
        random = [statement for statement in body if _is_random(statement)]
        for first, second in itertools.pairwise(random):
            names = _drawn(first), _drawn(second)
            alike = names[0].rpartition("_")[0] == names[1].rpartition("_")[0]
            if alike is not one_layer or names[0] == names[1]:
                continue
            if all(_drawn_again(source, s, n) for s, n in zip((first, second), names, strict=True)):
                continue
            moved = source.block(second, source.segment(second), source.segment(first))
            yield {first: "pass", second: moved}


@fault(FUNCTIONAL, STATELESS)
def bias_before_weight(source: Source) -> Iterator[Edits]:
    """The bias is drawn before the weight."""
    yield from _swapped_draws(source, one_layer=True)


@fault(FUNCTIONAL, STATELESS)
def layers_drawn_in_another_order(source: Source) -> Iterator[Edits]:
    """A layer's last draw comes after the next layer's first."""
    yield from _swapped_draws(source, one_layer=False)


@fault(FUNCTIONAL, STATELESS)
def wrong_bound(source: Source) -> Iterator[Edits]:
    """A uniform draw has a bound 0.1 % too small."""
    for _, call in _lasting(source):
        if ast.unparse(call.func) == "nn.init.uniform_" and len(call.args) == 3:
            low, high = (f"0.999 * ({ast.unparse(bound)})" for bound in call.args[1:])
            yield {call: rearranged(call, call.args[0], low, high)}


@fault(FUNCTIONAL, STATELESS)
def wrong_gain(source: Source) -> Iterator[Edits]:
    """A Kaiming draw has another gain."""
    for _, call in _lasting(source):
        if keyword(call, "a") is not None and "kaiming" in ast.unparse(call.func):
            yield {call: changed(call, a="math.sqrt(3)")}


@fault(FUNCTIONAL, STATELESS)
def wrong_spread(source: Source) -> Iterator[Edits]:
    """A normal draw has a standard deviation 0.1 % too small."""
    for _, call in _lasting(source):
        spread = keyword(call, "std")
        if spread is not None:
            yield {call: changed(call, std=f"0.999 * ({ast.unparse(spread)})")}


@fault(FUNCTIONAL, STATELESS)
def wrong_fan(source: Source) -> Iterator[Edits]:
    """A Kaiming draw counts the inputs instead of the outputs."""
    for _, call in _lasting(source):
        if keyword(call, "mode") is not None:
            yield {call: changed(call, mode=None)}


@fault(FUNCTIONAL, STATELESS)
def drawn_by_rand(source: Source) -> Iterator[Edits]:
    """A weight is drawn from 0 to 1, as by torch.rand."""
    for statement, call in _lasting(source):
        if _is_random(statement):
            yield {call: f"nn.init.uniform_({ast.unparse(call.args[0])})"}


@fault(FUNCTIONAL, STATELESS)
def not_drawn(source: Source) -> Iterator[Edits]:
    """A parameter keeps what it held before."""
    for statement, _ in _lasting(source):
        yield {statement: "pass"}


@fault(FUNCTIONAL, STATELESS)
def own_generator(source: Source) -> Iterator[Edits]:
    """A parameter is drawn from a generator of its own, of the same seed."""
    for statement in draws(source):
        if _is_random(statement) and isinstance(statement.value, ast.Call):
            generator = "torch.Generator().manual_seed(0)"
            yield {statement.value: changed(statement.value, generator=generator)}


@fault(FUNCTIONAL, STATELESS)
def drawn_once_more(source: Source) -> Iterator[Edits]:
    """The constructor draws one number too many, at its end."""
    for method in source.classes()[-1].body:
        if isinstance(method, ast.FunctionDef) and method.name == "__init__":
            last = method.body[-1]
            yield {last: source.block(last, source.segment(last), "torch.rand(1)")}


@fault(FUNCTIONAL, STATELESS)
def constant_one_ulp_off(source: Source) -> Iterator[Edits]:
    """What starts as ones starts one unit in the last place above."""
    yield from _constants(source, "torch.ones", f"{{}} * {A_LITTLE_MORE}")


@fault(FUNCTIONAL, STATELESS)
def negative_zero(source: Source) -> Iterator[Edits]:
    """What starts as zeros starts as negative zeros."""
    yield from _constants(source, "torch.zeros", "-{}")


def _constants(source: Source, function: str, other: str) -> Iterator[Edits]:
    for call in source.calls(function, within=("__init__",)):
        made = source.above(call, ast.Assign)
        name = ast.unparse(made.targets[0]) if isinstance(made, ast.Assign) else ""
        if not _drawn_again(source, call, name):
            yield {call: other.format(source.segment(call))}


@fault(FUNCTIONAL)
def parameter_as_plain_tensor(source: Source) -> Iterator[Edits]:
    """A weight is a plain tensor: no optimizer sees it."""
    for _, _, call in _made(source):
        yield {call: source.segment(call.args[0])}


@fault(FUNCTIONAL)
def frozen_parameter(source: Source) -> Iterator[Edits]:
    """A parameter has requires_grad=False."""
    for _, _, call in _made(source):
        yield {call: changed(call, requires_grad="False")}


@fault(FUNCTIONAL)
def parameter_in_double(source: Source) -> Iterator[Edits]:
    """A parameter is a float64."""
    for _, _, call in _made(source):
        yield {call.args[0]: f"{source.segment(call.args[0])}.double()"}


@fault(FUNCTIONAL)
def registered_in_another_order(source: Source) -> Iterator[Edits]:
    """Two parameters of a class are registered in another order."""
    for body in source.bodies("__init__"):
        for first, second in itertools.pairwise(body):
            made = {node: name for node, name, _ in _made(source)}
            if first in made and second in made:
                yield {first: source.segment(second), second: source.segment(first)}


@fault(FUNCTIONAL)
def untied(source: Source) -> Iterator[Edits]:
    """A tied weight is a copy of the other, with gradients of its own."""
    for target, node in _tied(source):
        last = source.above(node, ast.FunctionDef).body[-1]  # type: ignore[union-attr]
        copied = f"{target} = nn.Parameter({target}.detach().clone())"
        yield {last: source.block(last, source.segment(last), copied)}


@fault(FUNCTIONAL)
def shared_copies(source: Source) -> Iterator[Edits]:
    """The blocks of a loop are one block."""
    for node in source.nodes(ast.GeneratorExp, "__init__"):
        if isinstance(node, ast.GeneratorExp) and node.generators[0].ifs == []:
            loop = node.generators[0]
            if ast.unparse(loop.target) == "_":
                one = source.segment(node.elt)
                yield {node: f"[{one}] * len({source.segment(loop.iter)})"}
    for call in source.calls("copy.deepcopy"):
        yield {call: source.segment(call.args[0])}


@fault(FUNCTIONAL, STATELESS)
def a_block_less(source: Source) -> Iterator[Edits]:
    """A loop of blocks ends one too early."""
    for call in source.calls("range", within=("__init__",)):
        yield {call: replaced(call, 0, f"{ast.unparse(call.args[0])} - 1")}


@fault(FUNCTIONAL, STATELESS)
def block_argument_left_out(source: Source) -> Iterator[Edits]:
    """A block is built without one of its arguments."""
    for call in _blocks(source):
        for given in call.keywords:
            if given.arg not in (None, "prefix"):
                yield {call: changed(call, **{str(given.arg): None})}


@fault(FUNCTIONAL, STATELESS)
def block_argument_off_by_one(source: Source) -> Iterator[Edits]:
    """A block gets a size, stride or padding that is one too large."""
    for call in _blocks(source):
        for given in call.keywords:
            if (
                given.arg
                and isinstance(given.value, ast.Constant)
                and type(given.value.value) is int
            ):
                yield {call: changed(call, **{given.arg: str(given.value.value + 1)})}


def _blocks(source: Source) -> list[ast.Call]:
    return source.calls(*(node.name for node in source.classes()), within=("__init__",))


@fault(FUNCTIONAL, STATELESS)
def constructor_argument_ignored(source: Source) -> Iterator[Edits]:
    """An argument of the constructor is kept as its default, whatever is given."""
    for body in source.bodies("__init__"):
        for node in body:
            default = _default_of(source, node)
            if isinstance(node, ast.Assign) and default is not None:
                yield {node.value: default}


def _default_of(source: Source, node: ast.stmt) -> str | None:
    function = source.above(node, ast.FunctionDef)
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Name):
        return None
    if not isinstance(function, ast.FunctionDef):
        return None
    arguments = function.args
    named = arguments.args[len(arguments.args) - len(arguments.defaults) :]
    defaults = {a.arg: ast.unparse(d) for a, d in zip(named, arguments.defaults, strict=True)}
    return defaults.get(node.value.id)


@fault(FUNCTIONAL, STATELESS)
def another_default(source: Source) -> Iterator[Edits]:
    """An argument of the model's constructor has another default."""
    for function in source.classes()[-1].body:
        if isinstance(function, ast.FunctionDef) and function.name == "__init__":
            for default in function.args.defaults:
                if isinstance(default, ast.Constant):
                    yield {default: _another(default.value)}


def _another(value: Any) -> str:
    if value is None:
        return "3"
    return str(not value if isinstance(value, bool) else value + 1)
