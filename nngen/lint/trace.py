"""The flow of a whole model as one graph of what it computes: blocks and containers opened, lines taken apart."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nngen.catalog import FUNCTIONS, LAYERS, Trait, traits_of
from nngen.errors import Mark
from nngen.graph import Program
from nngen.graph.dataflow import Dataflow, Structure, Use
from nngen.graph.flow import Application, Flow, Module, Operation, Value
from nngen.graph.uses import kind_of
from nngen.language.spec import Spec
from nngen.language.spec.model import LossSteps
from nngen.symbolic.expressions import place

# A node, a structure of such, or None for what is not a tensor.
Traced = Any


@dataclass(eq=False)
class Node:
    """One computation.

    Attributes:
        does: torch's name of the function: `softmax` for `Softmax`, `F.softmax` and `x.softmax` alike; a layer's class
            where it has no one function; `input`, `target`, `output`; `choice` for what a condition decides.
        mark: where the spec has it.
        traits: what the catalog says of what it gives.
        takes: of a loss of classes, what the catalog says that it takes.
        kind: the layer's class; empty for a function.
        values: its arguments.
        literal: those that the spec writes as a literal.
        taken: what it takes, by the names of its arguments.
        output: the Tensor, or whatever it gives.
        order: when it happens.
        readers: what takes it.
    """

    does: str
    mark: Mark
    traits: Trait = Trait.NONE
    takes: str = ""
    kind: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    literal: frozenset[str] = frozenset()
    taken: Mapping[str, Traced] = field(default_factory=dict)
    output: Any = None
    order: int = 0
    readers: list[Node] = field(default_factory=list)

    @property
    def source(self) -> Node | None:
        """What it takes first, if that is one value."""
        first = next(iter(self.taken.values()), None)
        return first if isinstance(first, Node) else None

    @property
    def shape(self) -> tuple[Any, ...] | None:
        """The shape of what it gives."""
        return getattr(self.output, "shape", None)

    @property
    def name(self) -> str:
        """What a message calls it."""
        return self.kind or self.does


@dataclass
class Trace:
    """What a model and its loss compute, in order.

    Attributes:
        sizes: the open sizes that checks give.
        nodes: what is computed.
        blocks: the uses of blocks.
    """

    sizes: Mapping[str, int]
    nodes: list[Node] = field(default_factory=list)
    blocks: list[Application] = field(default_factory=list)

    def add(self, node: Node) -> Node:
        """Append a node."""
        node.order = len(self.nodes)
        self.nodes.append(node)
        for source in nodes_in(list(node.taken.values())):
            source.readers.append(node)
        return node


def traced(program: Program) -> Trace:
    """Trace a model and its loss."""
    tracer = _Tracer(Trace(program.sizes))
    flow = program.flow
    starts = {
        value: tracer.new("input", value.mark, output=value.abstract) for value in flow.inputs
    }
    output = tracer.through(flow, starts)
    tracer.new("output", flow.body.mark, taken={"output": output})
    if program.criterion is not None:
        tracer.loss(program.spec, program.criterion.flow, _outputs(flow, output))
    return tracer.trace


def nodes_in(traced: Traced) -> Iterator[Node]:
    """The nodes in a traced value; one structure within it that comes again is looked into once."""
    seen: set[int] = set()
    waiting = [traced]
    while waiting:
        each = waiting.pop()
        if isinstance(each, Node):
            yield each
        elif isinstance(each, (tuple, list, dict)) and id(each) not in seen:
            seen.add(id(each))
            parts = each.values() if isinstance(each, dict) else each
            waiting += reversed(list(parts))


_WORDS = {ast.IfExp: ("choice", Trait.LAYOUT), ast.Attribute: ("transpose", Trait.SAME)}
_OPERATOR = ("operator", Trait.LAYOUT)


class _Tracer(Dataflow[Traced]):
    nothing = None

    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    def new(self, does: str, mark: Mark, **rest: Any) -> Node:
        return self.trace.add(Node(does, mark, **rest))

    def happens(self, operation: Operation) -> bool:
        """Every step is looked at, whether it happens with the arguments at hand or not."""
        return True

    def chosen(self, operation: Operation, result: Traced) -> Traced:
        if operation.condition is None:
            return result
        taken = {"result": result}
        if operation.condition.passes and operation.reads:
            taken["passed"] = self.value(operation.reads[0])
        written = operation.writes[0]
        abstract = None if written is None else written.abstract
        return self.new("choice", operation.mark, traits=Trait.LAYOUT, taken=taken, output=abstract)

    def state(self, value: Value) -> Traced:
        return self.new("state", value.mark, output=value.abstract)

    def part(self, whole: Traced, place: int, value: Value) -> Traced:
        if isinstance(whole, (tuple, list)) and place < len(whole):
            return whole[place]
        return self.new("part", value.mark, taken={"whole": whole}, output=value.abstract)

    def onward(self, found: Traced, count: int, given: Sequence[Traced]) -> list[Traced]:
        several = isinstance(found, tuple) and len(given) > 1
        return [*found, *given[len(found) :]] if several else [found, *given[1:]]

    def within(self, use: Use[Traced], inside: Callable[[], Traced]) -> Traced:
        if use.flow is not None:
            self.trace.blocks.append(use.application)
        return inside()

    def layer(self, use: Use[Traced]) -> Node:
        return self._layer(use.application.module, use.given, use.application.output)

    def _layer(self, module: Module, given: Mapping[str, Traced], output: Any) -> Node:
        kind = module.kind if module.kind in LAYERS else ""
        function = LAYERS[kind].function if kind else ""
        return self.new(
            function.rpartition(".")[2] or kind or kind_of(module),
            module.mark,
            traits=traits_of(kind) if kind else Trait.NONE,
            takes=FUNCTIONS[function].takes if function in FUNCTIONS else "",
            kind=module.kind,
            values=module.values,
            literal=module.given - module.code.keys(),
            taken=given,
            output=output,
        )

    def loss(self, spec: Spec, flow: Flow, outputs: list[Traced]) -> None:
        """Trace the loss on what the model gives."""
        if isinstance(spec.loss, LossSteps):
            targets = [self.new("target", v.mark, output=v.abstract) for v in flow.inputs]
            starts = dict(zip(flow.inputs, [*outputs, *targets[len(outputs) :]]))
            self.new("output", flow.body.mark, taken={"output": self.through(flow, starts)})
            return
        module = flow.built[0].module
        assert module is not None
        self._layer(module, dict(zip(module.entry.outputs, nodes_in(outputs))), None)

    def structure(self, node: Structure, parts: list[Traced]) -> Traced:
        if not isinstance(node, ast.Dict):
            return tuple(parts)
        keys = [key.value for key in node.keys if isinstance(key, ast.Constant)]
        return dict(zip(keys, parts))

    def expression(self, node: ast.expr, whole: bool) -> Traced:
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.Subscript):
            return self._item(node)
        if isinstance(node, ast.Attribute) and node.attr not in ("T", "mT"):
            return None
        return self._operator(node, *_WORDS.get(type(node), _OPERATOR))

    def _new(self, does: str, node: ast.expr, taken: Mapping[str, Traced], **rest: Any) -> Node:
        operation = self.scene.operation
        assert operation.line is not None
        mark = place(operation.line.value.mark, node)
        return self.new(does, mark, taken=taken, output=operation.record.found.get(node), **rest)

    def _operator(self, node: ast.expr, does: str, traits: Trait = Trait.NONE) -> Traced:
        if isinstance(node, ast.IfExp):
            parts = self.scene.operation.record.arms(node)
        else:
            parts = [each for each in ast.iter_child_nodes(node) if isinstance(each, ast.expr)]
        return self._of_parts(node, does, [self.of(part) for part in parts], traits)

    def _of_parts(
        self, node: ast.expr, does: str, taken: list[Traced], traits: Trait = Trait.NONE
    ) -> Traced:
        if not any(True for _ in nodes_in(taken)):
            return None
        places = {str(place_): each for place_, each in enumerate(taken)}
        return self._new(does, node, places, traits=traits)

    def _item(self, node: ast.Subscript) -> Traced:
        whole, index = self.of(node.value), self.scene.operation.record.found.get(node.slice)
        if (
            isinstance(whole, tuple)
            and isinstance(index, int)
            and -len(whole) <= index < len(whole)
        ):
            return whole[index]
        if isinstance(whole, dict) and index in whole:
            return whole[index]
        return self._of_parts(node, "index", [whole, self.of(node.slice)])

    def _call(self, node: ast.Call) -> Traced:
        record = self.scene.operation.record
        name = record.function(node)
        if not name:
            return self._operator(node, "line")
        if FUNCTIONS[name].counts:
            return None
        given = [self.of(argument) for argument in node.args]
        words = {str(word.arg): self.of(word.value) for word in node.keywords}
        trees: list[ast.expr] = list(node.args)
        if name.startswith("Tensor."):
            assert isinstance(node.func, ast.Attribute)
            given, trees = [self.of(node.func.value), *given], [node.func.value, *trees]
        names = FUNCTIONS[name].signature.names
        written = {**dict(zip(names, trees)), **{str(w.arg): w.value for w in node.keywords}}
        taken = {**dict(zip(names, given)), **words}
        rest = {f"{place_}": each for place_, each in enumerate(given[len(names) :])}
        return self._new(
            name.rpartition(".")[2],
            node,
            {**{key: taken[key] for key in names if key in taken}, **rest},
            traits=FUNCTIONS[name].traits,
            takes=FUNCTIONS[name].takes,
            values=record.bound(node),
            literal=frozenset(k for k, tree in written.items() if isinstance(tree, ast.Constant)),
        )


def _outputs(model: Flow, output: Traced) -> list[Traced]:
    """What forward returns, one for each name that the spec has for it."""
    line = model.operations[-1].line
    if line is not None and isinstance(line.value.tree, ast.Dict) and isinstance(output, dict):
        return list(output.values())
    if line is not None and isinstance(line.value.tree, ast.Tuple) and isinstance(output, tuple):
        return list(output)
    return [output]
