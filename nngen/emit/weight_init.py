"""Redraws: the rules of `init` as statements at the end of a constructor, in each style.

They run in the order of `modules()`, each parameter at most once; of several rules that match it, the last one holds.
The nn twin loops over its modules. The functional twin has its parameters by name, so it visits them one by one, and
each block that a user's rules reach gets a method that visits the block's own.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from nngen.catalog.partial_evaluation import free_names, keep_name, source
from nngen.emit.constructor import (
    asked,
    build_condition,
    built_flag,
    initializer_call,
    is_block_list,
    written_sizes,
)
from nngen.emit.parameters import (
    Leaf,
    is_kind,
    is_not_none,
    leaves_of,
    matches,
    modules_below,
    parameter_at,
    path_of,
    where_there,
)
from nngen.emit.state_keys import class_keys
from nngen.emit.ties import tied, written
from nngen.errors import Errors, SpecError, did_you_mean
from nngen.graph.flow import Built, Flow, Module, self_attribute
from nngen.graph.initializers import check_initializer
from nngen.language.spec.model import Rule
from nngen.symbolic.expressions import dotted, name


@dataclass
class Redraws:
    """The rules of one class, resolved for all parameters below it.

    Attributes:
        flow: the class.
        loss: of the model, what its loss builds.
        rules: for each parameter, by key, the rule that holds.
        drawn_before: the tied parameters that another's turn draws.
        uneven: two uses of one block are drawn differently, so that no method of the block can do it.
    """

    flow: Flow
    loss: tuple[Built, ...] = ()
    leaves: list[Leaf] = field(default_factory=list)
    rules: dict[str, Rule] = field(default_factory=dict)
    drawn_before: list[str] = field(default_factory=list)
    uneven: bool = False

    def __post_init__(self) -> None:
        whole = replace(self.flow, built=[*self.flow.built, *self.loss])
        self.leaves = list(leaves_of(whole))
        errors = Errors()
        for rule in self.flow.body.init:
            found = [leaf for leaf in self.leaves if matches(rule, leaf)]
            if not found:
                names = sorted({f"{leaf.kind}.{leaf.parameter}" for leaf in self.leaves})
                hint = did_you_mean(rule.pattern, names)
                errors.add(SpecError(f"{rule.pattern!r} matches no parameter", rule.mark, hint))
            self.rules.update((leaf.key, rule) for leaf in found)
        self._drop_tied()
        for leaf in self.leaves:
            if leaf.key in self.rules:
                sizes = {**self.flow.scope.values, **leaf.module.values}
                initializer = self.rules[leaf.key].initializer
                errors.attempt(check_initializer, initializer, leaf.shape, sizes)
        errors.refuse()
        drawn: dict[tuple[str, str], list[Rule | None]] = {}
        for leaf in self.leaves:
            place = (leaf.owner.body.name, leaf.attribute)
            drawn.setdefault(place, []).append(self.rules.get(leaf.key))
        self.uneven = any(rule is not rules[0] for rules in drawn.values() for rule in rules)

    def _drop_tied(self) -> None:
        """Parameters that are one are drawn once: where a rule first finds one of them, by the last rule about any."""
        order = [rule.mark for rule in self.flow.body.init]
        for group in self._groups():
            drawn = [
                leaf.key for leaf in self.leaves if leaf.key in group and leaf.key in self.rules
            ]
            if not drawn:
                continue
            first, *rest = drawn
            last = max((self.rules[key] for key in drawn), key=lambda rule: order.index(rule.mark))
            if written(last.initializer) != written(self.rules[first].initializer):
                self.rules[first] = Rule(first, last.initializer, last.mark)
            for key in rest:
                del self.rules[key]
            self.drawn_before += rest

    def _groups(self) -> list[set[str]]:
        """The sets of parameters that ties, the class's own and those of blocks in it, make one."""
        groups: list[set[str]] = []
        for pair in tied(self.flow).items():
            near = [group for group in groups if group.intersection(pair)]
            groups = [group for group in groups if group not in near]
            groups.append(set(pair).union(*near))
        return groups

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """The names of the class's own scope that its rules use, with their types; blocks are passed them."""
        used = {
            name
            for rule in self.flow.body.init
            for argument in rule.initializer.arguments.values()
            for name in free_names(argument.tree)
        }
        values = self.flow.scope.values
        names = [name for name in values if name in used]
        return tuple((n, "float" if isinstance(values[n], float) else "int") for n in names)

    def nn(self) -> tuple[ast.stmt, ...]:
        """The statements of the nn twin."""
        tests: dict[Test | None, dict[str, list[Leaf]]] = {}
        drawn = [leaf for leaf in self.leaves if leaf.key in self.rules]
        for leaf in drawn:
            tests.setdefault(self._test(leaf), {}).setdefault(leaf.parameter, []).append(leaf)
        known = {test: leaves for test, leaves in tests.items() if test is not None}
        order = sorted(known, key=lambda test: not test.asks_name)
        by_name = all(test.name for test in order) and all(map(self._is_own, drawn))
        if by_name or None in tests or not self._tells_apart({t: known[t] for t in order}):
            return tuple(self._by_name(leaf, nn=True) for leaf in drawn)
        bodies: dict[tuple[str, Test | None], tuple[list[Test], list[ast.stmt]]] = {}
        for test in order:
            body = list(self._branch(test, known[test]))
            text = "\n".join(map(source, body))
            bodies.setdefault((text, None if test.is_plain else test), ([], body))[0].append(test)
        chain: list[ast.stmt] = []
        for alike, body in reversed(bodies.values()):
            chain = [ast.If(_any_of(alike), body, chain)]
        module = ast.Name("module", ast.Store())
        modules: ast.expr = ast.Call(dotted("self", "modules"), [], [])
        target: ast.expr = module
        if any(test.asks_name for test in order):
            modules = ast.Call(dotted("self", "named_modules"), [], [])
            target = ast.Tuple([ast.Name("name", ast.Store()), module], ast.Store())
        return (ast.For(target, modules, chain, []),)

    def _by_name(self, leaf: Leaf, nn: bool) -> ast.stmt:
        """The statement that draws one parameter, found by its name in the class."""
        rule = self.rules[leaf.key]
        names = {n for each in rule.initializer.arguments.values() for n in free_names(each.tree)}
        if not self._is_own(leaf) and ("*" in leaf.key or any(leaf.flags[1:]) or names):
            raise SpecError(
                f"this rule and others for {leaf.kind or leaf.owner.body.name} cannot be told apart in a loop",
                rule.mark,
                "let each be about a kind of layer, or put it into the block",
            )
        call = self._call(leaf, parameter_at(leaf.key) if nn else self._attribute(leaf), leaf)
        if not nn:
            return _under(asked(leaf.flags[0]), call)
        # The constructor still has what decides; forward asks nn.Identity rather than a flag.
        decides = {built_flag(each): build_condition(each.condition) for each in self.flow.built}
        return _under(decides.get(leaf.flags[0]), where_there(leaf.kind, leaf.key, call))

    def _tells_apart(self, tests: dict[Test, dict[str, list[Leaf]]]) -> bool:
        """Whether the first test that a module passes draws just those of its parameters that a rule is about."""
        owners: dict[tuple[str, str], dict[str, Leaf]] = {}
        for leaf in self.leaves:
            owner = leaf.key.removesuffix(leaf.parameter).rstrip(".")
            owners.setdefault((owner, leaf.kind), {})[leaf.parameter] = leaf
        for (owner, _), own in owners.items():
            first = next(iter(own.values()))
            found = next((t for t in tests if t.passes(first, owner)), None)
            there = {} if found is None else tests[found]
            modified = bool(first.module.modifiers) and "weight" in there and "weight" not in own
            wanted = {p: self.rules[leaf.key] for p, leaf in own.items() if leaf.key in self.rules}
            given = {p: self.rules[leaves[0].key] for p, leaves in there.items() if p in own}
            if modified or wanted != given:
                return False
        return True

    def _branch(self, test: Test, parameters: dict[str, list[Leaf]]) -> Iterator[ast.stmt]:
        """What the nn twin's loop does with the modules that pass a test."""
        for parameter, leaves in parameters.items():
            call = self._call(leaves[0], dotted("module", parameter), None)
            flag = leaves[0].flags[-1]
            if flag and not leaves[0].kind:  # a Parameter, which may not be there
                yield ast.If(dotted("module", flag), [call], [])
            elif self._sometimes_none(leaves[0], parameter, test):
                yield ast.If(is_not_none(dotted("module", parameter)), [call], [])
            else:
                yield call

    def _is_own(self, leaf: Leaf) -> bool:
        """Whether a parameter stands in the class itself, rather than in a block of it."""
        return leaf.owner.body.name == self.flow.body.name

    def _test(self, leaf: Leaf) -> Test | None:
        """What tells a parameter's module from others in the nn twin's loop; None where no such test does."""
        rule = self.rules[leaf.key]
        owner = leaf.key.removesuffix(f".{leaf.parameter}")
        siblings = [
            self.rules[other.key]
            for other in self.leaves
            if other.key in self.rules
            and other.key.removesuffix(f".{other.parameter}") == owner
            and not is_kind(self.rules[other.key], other)
        ]
        if is_kind(rule, leaf) and not siblings:
            kinds = {other.key: other.kind for other in self.leaves}
            others = [key for key in self.drawn_before if kinds[key] == leaf.kind]
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

    def _sometimes_none(self, leaf: Leaf, parameter: str, test: Test) -> bool:
        if parameter == "bias" and leaf.kind.startswith("Conv"):
            return True  # as torch annotates it
        if test.name:
            return False
        if any(
            module.kind == leaf.kind and parameter not in {state.name for state in module.state}
            for module in modules_below(self.flow)
        ):
            return True
        modules = {other.key.rpartition(".")[0] for other in self.leaves if other.kind == leaf.kind}
        with_it = {
            other.key.rpartition(".")[0]
            for other in self.leaves
            if other.kind == leaf.kind and other.parameter == parameter
        }
        return modules != with_it

    def functional(self, flow: Flow, method: str) -> tuple[ast.stmt, ...]:
        """The statements of one class of the functional twin: its own parameters, then its blocks by their method."""
        if self.uneven:
            drawn = (leaf for leaf in self.leaves if leaf.key in self.rules)
            return tuple(self._by_name(leaf, nn=False) for leaf in drawn)
        codes: list[ast.stmt] = []
        built = [*flow.built, *(self.loss if flow is self.flow else ())]
        passed = [name(each) for each, _ in self.parameters]

        def draw(block: ast.expr) -> ast.stmt:
            return ast.Expr(ast.Call(ast.Attribute(block, method, ast.Load()), passed, []))

        for leaf, code in _visits(flow, built, self.leaves, draw, self.reaches):
            if leaf is not None and leaf.key in self.rules:
                rename = keep_name if flow is self.flow else "self.{}".format
                call = self._call(leaf, self_attribute(leaf.attribute), leaf, rename)
                codes.append(_under(asked(leaf.flags[-1]), call))
            elif code is not None:
                codes.append(code)
        return tuple(codes)

    def _attribute(self, leaf: Leaf) -> ast.expr:
        """A parameter of the functional twin, from the class that has the rules."""
        if self._is_own(leaf):
            return self_attribute(leaf.attribute)
        return path_of(class_keys(self.flow)[leaf.key])

    def reaches(self, flow: Flow) -> bool:
        """Whether a method of a block draws a parameter in it, or below it."""
        if self.uneven:
            return False
        owners = {leaf.owner.body.name for leaf in self.leaves if leaf.key in self.rules}
        return any(name in owners for name in _below(flow))

    def _call(
        self,
        leaf: Leaf,
        parameter: ast.expr,
        exact: Leaf | None,
        rename: Callable[[str], str] = keep_name,
    ) -> ast.stmt:
        """The call; with `exact`, the layer's own sizes are written out, else read off the module."""
        rule = self.rules[leaf.key]
        if exact is None:
            own = {each for each, _ in self.parameters} - leaf.module.values.keys()
            return initializer_call(
                rule.initializer, parameter, lambda n: None if n in own else _read_off(n)
            )
        written = written_sizes(exact.shape, exact.module, rename)
        return initializer_call(rule.initializer, parameter, written)


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

    def tree(self) -> ast.expr:
        """The question."""
        asked = [_is_instance([self.kind])]
        if self.name:
            asked.append(ast.Compare(name("name"), [ast.Eq()], [ast.Constant(self.name)]))
        if self.ending:
            asked.append(ast.Call(dotted("name", "endswith"), [ast.Constant(self.ending)], []))
        for each in self.others:
            asked.append(ast.Compare(name("module"), [ast.IsNot()], [path_of(each)]))
        return ast.BoolOp(ast.And(), asked) if len(asked) > 1 else asked[0]


def _any_of(tests: list[Test]) -> ast.expr:
    """One question for several classes: `isinstance(module, (nn.Conv2d, nn.Linear))`."""
    return _is_instance([test.kind for test in tests]) if len(tests) > 1 else tests[0].tree()


def _is_instance(kinds: list[str], of: str = "module") -> ast.expr:
    classes = [dotted(*kind.split(".")) for kind in kinds]
    asked = ast.Tuple(classes, ast.Load()) if len(classes) > 1 else classes[0]
    return ast.Call(name("isinstance"), [name(of), asked], [])


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


def _below(flow: Flow) -> Iterator[str]:
    yield flow.body.name
    for built in flow.built:
        if built.module is not None:
            for inner in _flows(built.module):
                yield from _below(inner)


def _flows(module: Module) -> Iterator[Flow]:
    if module.flow is not None:
        yield module.flow
    for child in module.children:
        yield from _flows(child)


def _under(question: ast.expr | None, code: ast.stmt) -> ast.stmt:
    """Code that runs where something holds, if that is a question."""
    return code if question is None else ast.If(question, [code], [])


Drawing = Callable[[ast.expr], ast.stmt]
Visit = tuple[Leaf | None, ast.stmt | None]


def _visits(
    flow: Flow,
    everything: list[Built],
    leaves: list[Leaf],
    draw: Drawing,
    reaches: Callable[[Flow], bool],
) -> Iterator[Visit]:
    """A class's own parameters and its blocks, in the order of construction; the model's own Parameters first.

    Of a block, it is the call of its method, None where that `reaches` no parameter.
    """
    own = {leaf.attribute: leaf for leaf in leaves if leaf.owner.body.name == flow.body.name}
    for built in everything:
        if built.module is not None and built.module.kind == "Parameter":
            yield own.get(built.name), None
    for built in everything:
        if built.module is not None and built.module.kind not in ("Parameter", "Buffer"):
            flag = asked(built_flag(built))
            for leaf, code in _visits_of(built.module, own, draw, reaches):
                yield leaf, None if code is None else _under(flag, code)


def _visits_of(
    module: Module, own: dict[str, Leaf], draw: Drawing, reaches: Callable[[Flow], bool]
) -> Iterator[Visit]:
    attribute = self_attribute("_".join(module.path))
    if module.flow is not None:
        yield None, draw(attribute) if reaches(module.flow) else None
    elif is_block_list(module):
        yield None, _visit_of_list(module, attribute, draw, reaches)
    else:
        for child in module.children:
            yield from _visits_of(child, own, draw, reaches)
        for state in module.state:
            if not state.buffer and module.attribute(state) in own:
                yield own[module.attribute(state)], None


def _visit_of_list(
    module: Module, members: ast.expr, draw: Drawing, reaches: Callable[[Flow], bool]
) -> ast.stmt | None:
    if any(not child.name.isdigit() and child.name != "*" for child in module.children):
        members = ast.Call(ast.Attribute(members, "values", ast.Load()), [], [])
    kinds = {_class_name(child): child.flow for child in module.children}
    reached = [kind for kind, flow in kinds.items() if flow is not None and reaches(flow)]
    if not reached:
        return None
    asked, call = _is_instance(reached, "block"), draw(name("block"))
    # Members of a list are any modules to torch's annotations.
    body: list[ast.stmt]
    body = [ast.Assert(asked), call] if len(reached) == len(kinds) else [ast.If(asked, [call], [])]
    return ast.For(ast.Name("block", ast.Store()), members, body, [])


def _class_name(module: Module) -> str:
    return module.kind if module.flow is None else module.flow.body.name
