"""Redraws in torch.nn style: a loop over the modules."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from nngen.catalog.partial_evaluation import source
from nngen.emit.constructor import build_condition, built_flag, initializer_call
from nngen.emit.nesting import Nesting
from nngen.emit.parameters import (
    Leaf,
    is_kind,
    is_not_none,
    modules_below,
    parameter_at,
    where_there,
)
from nngen.emit.weight_init import Redraws, is_instance, under
from nngen.symbolic.expressions import dotted, name


def statements(rules: Redraws) -> tuple[ast.stmt, ...]:
    """The statements of the nn twin: a loop over the modules, where that tells the parameters apart."""
    tests: dict[Test | None, dict[str, list[Leaf]]] = {}
    drawn = rules.drawn()
    for leaf in drawn:
        tests.setdefault(_test(rules, leaf), {}).setdefault(leaf.parameter, []).append(leaf)
    known = {test: leaves for test, leaves in tests.items() if test is not None}
    order = sorted(known, key=lambda test: not test.asks_name)
    by_name = all(test.name for test in order) and all(map(rules.is_own, drawn))
    if by_name or None in tests or not _tells_apart(rules, {t: known[t] for t in order}):
        return tuple(_by_name(rules, leaf) for leaf in drawn)
    bodies: dict[tuple[str, Test | None], tuple[list[Test], list[ast.stmt]]] = {}
    for test in order:
        body = list(_branch(rules, test, known[test]))
        text = "\n".join(map(source, body))
        bodies.setdefault((text, None if test.is_plain else test), ([], body))[0].append(test)
    chain: list[ast.stmt] = []
    at = Nesting(rules.flow).layer
    for alike, body in reversed(bodies.values()):
        chain = [ast.If(_any_of(alike, at), body, chain)]
    module = ast.Name("module", ast.Store())
    modules: ast.expr = ast.Call(dotted("self", "modules"), [], [])
    target: ast.expr = module
    if any(test.asks_name for test in order):
        modules = ast.Call(dotted("self", "named_modules"), [], [])
        target = ast.Tuple([ast.Name("name", ast.Store()), module], ast.Store())
    return (ast.For(target, modules, chain, []),)


def _by_name(rules: Redraws, leaf: Leaf) -> ast.stmt:
    """The statement that draws one parameter, found by its name in the class."""
    rules.check_reached(leaf)
    call = where_there(leaf.optional, leaf.key, rules.call(leaf, parameter_at(leaf.key)))
    # The constructor still has what decides; forward asks nn.Identity rather than a flag.
    decides = {built_flag(each): build_condition(each.condition) for each in rules.flow.built}
    return under(decides.get(leaf.flags[0]), call)


def _tells_apart(rules: Redraws, tests: dict[Test, dict[str, list[Leaf]]]) -> bool:
    """Whether the first test that a module passes draws just those of its parameters that a rule is about."""
    owners: dict[tuple[str, str], dict[str, Leaf]] = {}
    for leaf in rules.leaves:
        owner = leaf.key.removesuffix(leaf.parameter).rstrip(".")
        owners.setdefault((owner, leaf.kind), {})[leaf.parameter] = leaf
    for (owner, _), own in owners.items():
        first = next(iter(own.values()))
        found = next((t for t in tests if t.passes(first, owner)), None)
        there = {} if found is None else tests[found]
        modified = bool(first.module.modifiers) and "weight" in there and "weight" not in own
        wanted = {p: rules.rules[leaf.key] for p, leaf in own.items() if leaf.key in rules.rules}
        given = {p: rules.rules[leaves[0].key] for p, leaves in there.items() if p in own}
        if modified or wanted != given:
            return False
    return True


def _branch(rules: Redraws, test: Test, parameters: dict[str, list[Leaf]]) -> Iterator[ast.stmt]:
    """What the nn twin's loop does with the modules that pass a test."""
    for parameter, leaves in parameters.items():
        call = _call(rules, leaves[0], dotted("module", parameter))
        flag = leaves[0].flags[-1]
        if flag and not leaves[0].kind:  # a Parameter, which may not be there
            yield ast.If(dotted("module", flag), [call], [])
        elif _sometimes_none(rules, leaves[0], parameter, test):
            yield ast.If(is_not_none(dotted("module", parameter)), [call], [])
        else:
            yield call


def _call(rules: Redraws, leaf: Leaf, parameter: ast.expr) -> ast.stmt:
    """The call that draws a parameter of a module, the layer's sizes read off it."""
    own = {each for each, _ in rules.parameters} - leaf.module.values.keys()
    initializer = rules.rules[leaf.key].initializer
    return initializer_call(initializer, parameter, lambda n: None if n in own else _read_off(n))


def _test(rules: Redraws, leaf: Leaf) -> Test | None:
    """What tells a parameter's module from others in the nn twin's loop; None where no such test does."""
    rule = rules.rules[leaf.key]
    owner = leaf.key.removesuffix(f".{leaf.parameter}")
    siblings = [
        rules.rules[other.key]
        for other in rules.leaves
        if other.key in rules.rules
        and other.key.removesuffix(f".{other.parameter}") == owner
        and not is_kind(rules.rules[other.key], other)
    ]
    if is_kind(rule, leaf) and not siblings:
        kinds = {other.key: other.kind for other in rules.leaves}
        others = [key for key in rules.drawn_before if kinds[key] == leaf.kind]
        if any("*" in key for key in others):
            return None  # copies in a list have no names to leave one out by
        return Test(source(leaf.owning_class), others=tuple(map(_owner, others)))
    named = rule if not is_kind(rule, leaf) else siblings[0]
    pattern = named.pattern.removesuffix(f".{leaf.parameter}")
    if pattern == named.pattern != "*":
        pattern, dot, _ = named.pattern.rpartition(".")
        if not dot and "*" in named.pattern:
            return None  # it is about parameters, by the ends of their names
    kind = source(leaf.owning_class)
    if pattern.startswith("*") and "*" not in pattern[1:]:
        return Test(kind, ending=pattern[1:])
    return None if "*" in pattern else Test(kind, name=pattern)


def _sometimes_none(rules: Redraws, leaf: Leaf, parameter: str, test: Test) -> bool:
    if leaf.optional:
        return True
    if test.name:
        return False
    if any(
        module.kind == leaf.kind and parameter not in {state.name for state in module.state}
        for module in modules_below(rules.flow)
    ):
        return True
    modules = {other.key.rpartition(".")[0] for other in rules.leaves if other.kind == leaf.kind}
    with_it = {
        other.key.rpartition(".")[0]
        for other in rules.leaves
        if other.kind == leaf.kind and other.parameter == parameter
    }
    return modules != with_it


@dataclass(frozen=True)
class Test:
    """What the nn twin's loop asks of a module.

    Attributes:
        kind: its class.
        name: its name in the class that has the rules.
        ending: the end of that name.
        others: keys of modules that it is not.
    """

    kind: str
    name: str = ""
    ending: str = ""
    others: tuple[str, ...] = ()

    @property
    def asks_name(self) -> bool:
        return bool(self.name or self.ending)

    @property
    def is_plain(self) -> bool:
        """Whether it asks for the class alone."""
        return not (self.asks_name or self.others)

    def passes(self, leaf: Leaf, owner: str) -> bool:
        """Whether the module that owns a parameter passes."""
        return (
            source(leaf.owning_class) == self.kind
            and (not self.name or owner == self.name)
            and owner.endswith(self.ending)
            and owner not in self.others
        )

    def tree(self, at: Callable[[str], ast.expr]) -> ast.expr:
        """The question; `at` is how the class reaches what belongs to a key."""
        asked = [is_instance([self.kind])]
        if self.name:
            asked.append(ast.Compare(name("name"), [ast.Eq()], [ast.Constant(self.name)]))
        if self.ending:
            asked.append(ast.Call(dotted("name", "endswith"), [ast.Constant(self.ending)], []))
        for each in self.others:
            asked.append(ast.Compare(name("module"), [ast.IsNot()], [at(each)]))
        return ast.BoolOp(ast.And(), asked) if len(asked) > 1 else asked[0]


def _any_of(tests: list[Test], at: Callable[[str], ast.expr]) -> ast.expr:
    """One question for several classes: `isinstance(module, (nn.Conv2d, nn.Linear))`."""
    return is_instance([test.kind for test in tests]) if len(tests) > 1 else tests[0].tree(at)


def _read_off(size: str) -> ast.expr:
    """A layer's size, as a module has it."""
    weight = dotted("module", "weight")
    if size == "fan_in":
        first = ast.Subscript(weight, ast.Constant(0), ast.Load())
        return ast.Call(ast.Attribute(first, "numel", ast.Load()), [], [])
    if size == "fan_out":
        number = ast.Call(ast.Attribute(weight, "numel", ast.Load()), [], [])
        shape = ast.Attribute(weight, "shape", ast.Load())
        return ast.BinOp(number, ast.FloorDiv(), ast.Subscript(shape, ast.Constant(1), ast.Load()))
    return dotted("module", size)


def _owner(key: str) -> str:
    return key.rpartition(".")[0]
