"""The calls by which a constructor builds layers, blocks and containers, and what all styles write alike."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from nngen.catalog.fragments import fragment
from nngen.catalog.parametrizations import MODIFIERS
from nngen.catalog.partial_evaluation import free_names, keep_name, literal, meant, renamed
from nngen.emit.model import Argument, Construction, LayerState, StateLine
from nngen.errors import SpecError
from nngen.graph.containers import CONTAINERS
from nngen.graph.flow import Built, Condition, Flow, Module, self_attribute
from nngen.graph.initializers import fans
from nngen.graph.loops import runs
from nngen.language.spec import Body
from nngen.language.spec.mentions import input_sizes
from nngen.language.spec.model import Initializer, Option
from nngen.symbolic.expressions import dotted
from nngen.symbolic.sizes import Dim

Names = Callable[[str], ast.expr | None]


def initializer_call(initializer: Initializer, parameter: ast.expr, meaning: Names) -> ast.stmt:
    """`nn.init.normal_(self.weight, std=0.02)`, some of the names in its arguments as what they mean here."""
    keywords = [
        ast.keyword(name, meant(expression.tree, meaning))
        for name, expression in initializer.arguments.items()
    ]
    return ast.Expr(ast.Call(dotted("nn", "init", initializer.function), [parameter], keywords))


def written_sizes(
    shape: tuple[Dim, ...], module: Module, rename: Callable[[str], str] = keep_name
) -> Names:
    """The names in an initializer's arguments as numbers or expressions of this layer."""
    fan_in, fan_out = fans(shape)
    sizes = {"fan_in": fan_in, "fan_out": fan_out, **module.values}
    return lambda name: literal(sizes[name], rename) if name in sizes else None


class Constructor:
    """Writes constructors.

    Args:
        leading: for each block, which sizes of its input its constructor takes first.
    """

    def __init__(self, leading: dict[str, tuple[str, ...]]) -> None:
        self.leading = leading

    def construction(self, module: Module, functional: bool = False) -> Construction:
        """The call that builds a module, in the nn twin or as a member of the functional one."""
        if module.condition is not None:
            made = self.construction(replace(module, condition=None), functional)
            return replace(made, condition=module.condition)
        if module.kind in CONTAINERS:
            names = [child.name for child in module.children]
            made = self.container(module.kind, module.children, names, functional)
            return replace(made, mark=module.mark)
        if module.flow is not None and (functional or not module.flow.body.layer):
            name, arguments = module.flow.body.name, self._block_arguments(module)
            counts = any("i" in free_names(value) for _, value in arguments)
            counts = counts and module.loop is not None
            return Construction(
                name, arguments, block=True, loop=module.loop, counts=counts, mark=module.mark
            )
        for modifier, values in module.modifiers.items():
            written = tuple(
                (argument.name, literal(values[argument.name]))
                for argument in MODIFIERS[modifier].signature
                if values[argument.name] != argument.default
            )
            return Construction(
                module.kind,
                _arguments(module),
                modifier=modifier,
                modifier_arguments=written,
                mark=module.mark,
            )
        return Construction(module.kind, _arguments(module), mark=module.mark)

    def container(
        self, kind: str, members: Sequence[Module], names: Sequence[str], functional: bool = False
    ) -> Construction:
        """The call that builds a container of these members."""
        names = [name if name != "*" else str(i) for i, name in enumerate(names)]
        named = names != [str(i) for i in range(len(names))]
        children: list[Construction] = []
        found = list(runs(members, names))
        for run in found:
            made = self.construction(run.module, functional)
            if not (named or run.counts):
                children += [made] * len(run.names)
            elif len(run.names) > 1:
                children.append(replace(made, loop=run.loop, counts=True))
            else:
                children.append(made)
        if named:
            pairs = zip((run.name for run in found), children)
            return Construction(kind, (), tuple(pairs), True)
        return Construction(kind, (), tuple(("", child) for child in self._merged(children)))

    def _merged(self, children: list[Construction]) -> list[Construction]:
        """The copies of one loop are one; so are more than three that are written alike."""
        merged: list[tuple[Construction, int]] = []
        for child in children:
            if merged and merged[-1][0].is_like(child) and _may_merge(merged[-1][0], child):
                merged[-1] = (child, merged[-1][1] + 1)
            else:
                merged.append((child, 1))
        result: list[Construction] = []
        for child, count in merged:
            if child.loop is not None:
                result.append(child)
            elif count <= 3:
                result += [child] * count
            else:
                result.append(replace(child, loop=ast.Constant(count)))
        return result

    def _block_arguments(self, module: Module) -> tuple[Argument, ...]:
        assert module.flow is not None
        found: list[Argument] = []
        for name in self.leading[module.flow.body.name]:
            if name in module.unsettled:
                raise module.unsettled[name]
            if name not in module.values:
                raise SpecError(
                    f"{module.kind} takes {name} from its input, which has no such size in this use",
                    module.mark,
                    "give its input as many dimensions as in its other uses, or make two blocks",
                )
            found.append(("", _argument(module, name)))
        for option in module.flow.body.options:
            if option.default is not None and option.name not in module.given:
                continue
            name = "" if _is_positional(module, option) else option.name
            found.append((name, _argument(module, option.name)))
        return tuple(found)


def _may_merge(left: Construction, right: Construction) -> bool:
    """Whether what is written alike may be one: of open loops, only the copies of one."""
    return left.loop is None or left.mark == right.mark


def _is_positional(module: Module, option: Option) -> bool:
    """Whether a block's argument is written without its name; one of torch's is as in the nn twin."""
    if module.flow is not None and module.flow.body.layer:
        return bool(module.entry.signature[option.name].positional)
    return option.default is None


def is_block_list(module: Module) -> bool:
    """Whether a container holds blocks alone, so that the functional twin keeps it as a list of modules."""
    return bool(module.children) and all(child.flow is not None for child in module.children)


def holds_blocks(module: Module) -> bool:
    """Whether a module is classes of the file in the functional twin, rather than parameters and buffers."""
    return module.flow is not None or module.copies is not None or is_block_list(module)


def _argument(module: Module, name: str) -> ast.expr:
    value = module.values[name]
    if isinstance(value, Module):
        return Construction(value.kind, _arguments(value)).call
    return module.code.get(name) or literal(value)


def _arguments(module: Module) -> tuple[Argument, ...]:
    folder = module.folder({})
    made = {state.name: state for state in module.state}
    arguments: list[Argument] = []
    for argument in module.entry.signature:
        if not argument.positional and argument.name not in module.given:
            continue
        # Numbers that become a buffer, such as class weights, go in as the tensor that the buffer is.
        is_buffer = isinstance(module.values[argument.name], (list, float))
        state = made.get(argument.name) if is_buffer else None
        value = (
            _argument(module, argument.name)
            if state is None
            else folder.expression(fragment(state.value))
        )
        arguments.append(("" if argument.positional else argument.name, value))
    return tuple(arguments)


def named_state(built: Built) -> LayerState:
    """The lines of a Parameter or Buffer, the same in both twins."""
    module = built.module
    assert module is not None
    if module.kind == "Buffer":
        assert built.value is not None
        value = renamed(built.value.tree, keep_name)
        line = StateLine(built.name, value, True, bool(module.values["persistent"]))
        return LayerState((line,), (), built.step, module.mark, asked(built_flag(built)))
    sizes = literal(module.values["shape"])
    assert isinstance(sizes, (ast.Tuple, ast.List))
    initializer = built.redraws[0].initializer
    plain = {"zeros_": "zeros", "ones_": "ones"}.get(initializer.function)
    value = ast.Call(dotted("torch", plain or "empty"), sizes.elts, [])
    line = StateLine(built.name, value, False, True)
    written = written_sizes(module.values["shape"], module)
    call = initializer_call(initializer, self_attribute(built.name), written)
    draws = () if plain else (call,)
    return LayerState((line,), draws, built.step, module.mark, asked(built_flag(built)))


def build_condition(condition: Condition | None) -> ast.expr | None:
    """What decides in the constructor whether a layer is built."""
    return None if condition is None else condition.build


def built_flag(built: Built) -> str:
    """The attribute that tells later whether a layer was built, where that is a question; else empty."""
    condition = built.condition
    if condition is None or condition.build is None:
        return ""
    return condition.flag(built.name)


def asked(flag: str) -> ast.expr | None:
    """The question whether a layer was built, by the attribute that tells."""
    return self_attribute(flag) if flag else None


def becomes_identity(flow: Flow, built: Built) -> bool:
    """Whether an nn.Identity can stand where a layer is not built, so that forward need not ask."""
    condition = built.condition
    if condition is None or condition.training or not condition.passes:
        return False
    operation = next(op for op in flow.operations if op.layer == built.name)
    return operation.line is None and len(operation.reads) == 1


def leading_sizes(body: Body, trees: Iterable[ast.AST]) -> tuple[str, ...]:
    """The sizes of a block's inputs that code names; the constructor takes them first."""
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return tuple(name for name in input_sizes(body) if name in names | attributes)
