"""The calls by which a constructor builds layers, blocks and containers, and what all styles write alike."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from nngen.catalog.fragments import fragment
from nngen.catalog.parametrizations import MODIFIERS
from nngen.catalog.partial_evaluation import free_names, keep_name, literal, renamed, source
from nngen.emit.model import Construction, LayerState, StateLine
from nngen.errors import SpecError
from nngen.graph.containers import CONTAINERS
from nngen.graph.flow import Built, Condition, Flow, Module
from nngen.graph.initializers import fans
from nngen.graph.loops import runs
from nngen.language.spec import Body
from nngen.language.spec.mentions import input_sizes
from nngen.language.spec.model import Initializer, Option
from nngen.symbolic.sizes import Dim


def initializer_call(
    initializer: Initializer, parameter: str, rename: Callable[[str], str] = keep_name
) -> str:
    """`nn.init.normal_(self.weight, std=0.02)`, the names in its arguments called as `rename` says."""
    arguments = "".join(
        f", {name}={source(renamed(expression.tree, rename))}"
        for name, expression in initializer.arguments.items()
    )
    return f"nn.init.{initializer.function}({parameter}{arguments})"


def written_sizes(
    shape: tuple[Dim, ...], module: Module, rename: Callable[[str], str] = keep_name
) -> Callable[[str], str]:
    """The names in an initializer's arguments as numbers or expressions of this layer."""
    fan_in, fan_out = fans(shape)
    sizes = {"fan_in": fan_in, "fan_out": fan_out, **module.values}
    return lambda name: f"({source(literal(sizes[name], rename))})" if name in sizes else name


class Constructor:
    """Writes constructors.

    Args:
        leading: for each block, which sizes of its input its constructor takes first.
    """

    def __init__(self, leading: dict[str, tuple[str, ...]]) -> None:
        self.leading = leading

    def construction(self, module: Module, functional: bool = False) -> Construction:
        """The call that builds a module, in the nn twin or as a member of the functional one."""
        if module.kind in CONTAINERS:
            names = [child.name for child in module.children]
            made = self.container(module.kind, module.children, names, functional)
            return replace(made, mark=module.mark)
        if module.flow is not None and (functional or not module.flow.body.layer):
            name, arguments = module.flow.body.name, self._block_arguments(module)
            loop = _counted(module.loop, arguments)
            return Construction(name, arguments, block=True, loop=loop, mark=module.mark)
        for modifier, values in module.modifiers.items():
            written = tuple(
                f"{argument.name}={source(literal(values[argument.name]))}"
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
            if named or run.counts:
                children.append(replace(made, loop=run.loop))
            else:
                children += [made] * len(run.names)
        if named:
            pairs = zip((run.name for run in found), children)
            return Construction(kind, (), tuple(pairs), True)
        return Construction(kind, (), tuple(("", child) for child in self._merged(children)))

    def _merged(self, children: list[Construction]) -> list[Construction]:
        """The copies of one loop are one; so are more than three that are written alike."""
        merged: list[tuple[Construction, int]] = []
        for child in children:
            if merged and merged[-1][0] == child:
                merged[-1] = (child, merged[-1][1] + 1)
            else:
                merged.append((child, 1))
        result: list[Construction] = []
        for child, count in merged:
            if child.loop or count <= 3:
                result += [child] * (1 if child.loop else count)
            else:
                loop = f"_ in range({count})"
                result.append(replace(child, loop=loop))
        return result

    def _block_arguments(self, module: Module) -> tuple[str, ...]:
        assert module.flow is not None
        codes = []
        for name in self.leading[module.flow.body.name]:
            if name in module.unsettled:
                raise module.unsettled[name]
            if name not in module.values:
                raise SpecError(
                    f"{module.kind} takes {name} from its input, which has no such size in this use",
                    module.mark,
                    "give its input as many dimensions as in its other uses, or make two blocks",
                )
            codes.append(source(_argument(module, name)))
        for option in module.flow.body.options:
            if option.default is not None and option.name not in module.given:
                continue
            code = source(_argument(module, option.name))
            codes.append(code if _is_positional(module, option) else f"{option.name}={code}")
        return tuple(codes)


def _counted(loop: str, arguments: Iterable[str]) -> str:
    """The head of a loop, its variable named where the arguments use it."""
    used = any("i" in free_names(ast.parse(code)) for code in arguments)
    return f"i{loop.removeprefix('_')}" if loop.startswith("_ ") and used else loop


def _is_positional(module: Module, option: Option) -> bool:
    """Whether a block's argument is written without its name; one of torch's is as in the nn twin."""
    if module.flow is not None and module.flow.body.layer:
        return bool(module.entry.signature[option.name].positional)
    return option.default is None


def is_block_list(module: Module) -> bool:
    """Whether a container holds blocks alone, so that the functional twin keeps it as a list of modules."""
    return bool(module.children) and all(child.flow is not None for child in module.children)


def _argument(module: Module, name: str) -> ast.expr:
    value = module.values[name]
    if isinstance(value, Module):
        call = f"nn.{value.kind}({', '.join(_arguments(value))})"
        return ast.parse(call, mode="eval").body
    return module.code.get(name) or literal(value)


def _arguments(module: Module) -> tuple[str, ...]:
    folder = module.folder({})
    made = {state.name: state for state in module.state}
    arguments = []
    for argument in module.entry.signature:
        if not argument.positional and argument.name not in module.given:
            continue
        # Numbers that become a buffer, such as class weights, go in as the tensor that the buffer is.
        is_buffer = isinstance(module.values[argument.name], (list, float))
        state = made.get(argument.name) if is_buffer else None
        code = source(
            _argument(module, argument.name)
            if state is None
            else folder.expression(fragment(state.value))
        )
        arguments.append(code if argument.positional else f"{argument.name}={code}")
    return tuple(arguments)


def named_state(built: Built) -> LayerState:
    """The lines of a Parameter or Buffer, the same in both twins."""
    module = built.module
    assert module is not None
    if module.kind == "Buffer":
        assert built.value is not None
        value = source(renamed(built.value.tree, keep_name))
        line = StateLine(built.name, value, True, bool(module.values["persistent"]))
        return LayerState((line,), (), built.step, module.mark, built_flag(built))
    sizes = source(literal(module.values["shape"]))[1:-1].rstrip(",")
    initializer = built.redraws[0].initializer
    plain = {"zeros_": "zeros", "ones_": "ones"}.get(initializer.function)
    line = StateLine(built.name, f"torch.{plain or 'empty'}({sizes})", False, True)
    written = written_sizes(module.values["shape"], module)
    call = initializer_call(initializer, f"self.{built.name}", written)
    draws = () if plain else (call,)
    return LayerState((line,), draws, built.step, module.mark, built_flag(built))


def build_condition(condition: Condition | None) -> str:
    """What decides in the constructor whether a layer is built."""
    if condition is None or condition.build is None:
        return ""
    return source(condition.build)


def built_flag(built: Built) -> str:
    """What tells later whether a layer was built, where that is a question."""
    condition = built.condition
    if condition is None or condition.build is None:
        return ""
    return f"self.{condition.flag(built.name)}"


def becomes_identity(flow: Flow, built: Built) -> bool:
    """Whether an nn.Identity can stand where a layer is not built, so that forward need not ask."""
    condition = built.condition
    if condition is None or condition.training or not condition.passes:
        return False
    operation = next(op for op in flow.operations if op.layer == built.name)
    return operation.line is None and len(operation.reads) == 1


def leading_sizes(body: Body, codes: Sequence[str]) -> tuple[str, ...]:
    """The sizes of a block's inputs that code names; the constructor takes them first."""
    nodes = [node for code in codes for node in ast.walk(ast.parse(code))]
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return tuple(name for name in input_sizes(body) if name in names | attributes)
