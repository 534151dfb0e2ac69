"""Steps in place: refused where what they write into is read again, for the later use would see the change."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from nngen.catalog import FUNCTIONS, LAYERS, Trait, traits_of
from nngen.catalog.aliases import FACTS, VIEWS
from nngen.errors import Errors, SpecError
from nngen.graph.calls import operands_of
from nngen.graph.flow import Application, Flow, Operation, Value
from nngen.graph.functions import NAMESPACES

# For each value the values that its memory may have come from.
Memory = dict[Value, frozenset[Value]]
_NOTHING: frozenset[Value] = frozenset()
_ALIASES = Trait.VIEW | Trait.ALIAS


def refuse_overwritten(flow: Flow, errors: Errors) -> None:
    """Note the steps that change a value which is used again."""
    last_read = {
        value: place
        for place, operation in enumerate(flow.operations)
        for value in _Step(operation, {}).read()
    }
    memory: Memory = {}
    for place, operation in enumerate(flow.operations):
        step = _Step(operation, memory)
        errors.attempt(_refuse_layer, operation, last_read, place)
        for call, name in step.in_place():
            written, beside = step.memory_of(step.operand(call)), step.beside(call)
            for value, behind in memory.items():
                again = value.state or value in beside or last_read.get(value, -1) > place
                if again and behind & written:
                    errors.add(_overwritten(operation, name, value, step.operand(call)))
                    break
        memory |= step.given()


def _refuse_layer(operation: Operation, last_read: Mapping[Value, int], place: int) -> None:
    if operation.application is None or not _in_place(operation.application):
        return
    if last_read.get(operation.reads[0], -1) > place:
        raise SpecError(
            f"this step works in place on {operation.reads[0].name!r}, which is used again below",
            operation.mark,
            "leave out `inplace: true`",
        )


def _overwritten(operation: Operation, name: str, value: Value, operand: ast.expr) -> SpecError:
    itself = isinstance(operand, ast.Name) and operand.id == value.name
    what = f"{value.name!r}" if itself else f"the memory of {value.name!r}"
    why = "keeps its values" if value.state else "is used again"
    return SpecError(
        f"{name} works in place on {what}, which {why}",
        operation.mark if operation.line is None else operation.line.value.mark,
        "leave out `inplace=True`" if "." in name else f"leave out `inplace: true` of {name}",
    )


class _Step:
    """What one step reads, and whose memory its results may be.

    Args:
        operation: the step.
        memory: what is known of the values before it; those that it reads first are added.
    """

    def __init__(self, operation: Operation, memory: Memory) -> None:
        self.operation = operation
        self.memory = memory
        self.names = {value.name: value for value in operation.reads}
        for value in operation.reads:
            memory.setdefault(value, frozenset((value,)))

    def read(self) -> set[Value]:
        """The values whose numbers it reads; of others it asks the shape alone."""
        line = self.operation.line
        return set(self.operation.reads if line is None else self._values(line.value.tree))

    def in_place(self) -> Iterator[tuple[ast.Call, str]]:
        """The calls of its line that work in place, with the names of what they call."""
        line = self.operation.line
        for node in () if line is None else ast.walk(line.value.tree):
            if isinstance(node, ast.Call) and self._works_in_place(node):
                yield node, ast.unparse(node.func)

    def operand(self, call: ast.Call) -> ast.expr:
        """What a call that may work in place is given first."""
        application = self.operation.calls.get(call)
        if application is not None:
            return next(iter(operands_of(application, call).values()))
        named = [keyword.value for keyword in call.keywords if keyword.arg == "input"]
        return [*call.args, *named][0]

    def beside(self, call: ast.Call) -> set[Value]:
        """The values that its line reads beside the operand of a call in it."""
        line = self.operation.line
        assert line is not None
        return set(self._values(line.value.tree, self.operand(call), call))

    def given(self) -> Memory:
        """For each of its results the values that its memory may have come from."""
        operation = self.operation
        if operation.line is not None:
            behind = self.memory_of(operation.line.value.tree)
        else:
            operands = [self.memory[value] for value in operation.reads]
            behind = self._passed(operation.application, operands) if operands else _NOTHING
        if operation.condition is not None and operation.condition.passes:
            behind |= self.memory[operation.reads[0]]
        written = (value for value in operation.writes if value is not None)
        return {value: behind | {value} for value in written}

    def memory_of(self, node: ast.AST | None) -> frozenset[Value]:
        """The values that the memory of an expression may have come from."""
        if isinstance(node, ast.Name):
            value = self.names.get(node.id)
            return _NOTHING if value is None else self.memory[value]
        if isinstance(node, ast.Call):
            return self._memory_of_call(node)
        if isinstance(node, ast.Attribute):
            return self.memory_of(node.value) if node.attr in VIEWS else _NOTHING
        if isinstance(node, ast.Subscript):
            return self.memory_of(node.value)
        if isinstance(node, (ast.IfExp, ast.BoolOp, ast.Tuple, ast.List, ast.Dict, ast.Starred)):
            return _NOTHING.union(*map(self.memory_of, ast.iter_child_nodes(node)))
        return _NOTHING

    def _memory_of_call(self, call: ast.Call) -> frozenset[Value]:
        if self._works_in_place(call):
            return self.memory_of(self.operand(call))
        application = self.operation.calls.get(call)
        if application is not None:
            operands = map(self.memory_of, operands_of(application, call).values())
            return self._passed(application, list(operands))
        if not isinstance(call.func, ast.Attribute):
            return _NOTHING
        name = ast.unparse(call.func)
        method = name.split(".")[0] not in NAMESPACES
        function = FUNCTIONS.get(f"Tensor.{call.func.attr}" if method else name)
        if function is None or not function.traits & _ALIASES:
            return _NOTHING
        return _NOTHING.union(*map(self.memory_of, [call.func.value] if method else call.args))

    def _works_in_place(self, call: ast.Call) -> bool:
        application = self.operation.calls.get(call)
        if application is not None:
            return _in_place(application)
        function = FUNCTIONS.get(ast.unparse(call.func))
        if function is None or "inplace" not in function.signature.names:
            return False
        given = dict(zip(function.signature.names, call.args))
        given |= {str(keyword.arg): keyword.value for keyword in call.keywords}
        flag = given.get("inplace", ast.Constant(False))
        return not (isinstance(flag, ast.Constant) and flag.value is False)

    def _passed(
        self, application: Application | None, operands: list[frozenset[Value]]
    ) -> frozenset[Value]:
        """What of the operands' memory the output of a module may be."""
        if application is None:  # the step is left out, so its value is its input
            return operands[0]
        places = list(application.inputs)
        found = (
            operands[places.index(name)]
            for name in _passes(application)
            if name in places[: len(operands)]
        )
        return _NOTHING.union(*found)

    def _values(
        self, node: ast.AST, without: ast.AST | None = None, call: ast.AST | None = None
    ) -> Iterator[Value]:
        """The values that an expression reads, but for a part of it and for what is never evaluated with `call`."""
        if node is without:
            return
        if isinstance(node, ast.Name) and node.id in self.names:
            yield self.names[node.id]
        if isinstance(node, ast.Attribute) and node.attr in FACTS:
            return
        children = list(ast.iter_child_nodes(node))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            children.remove(node.func)
        if isinstance(node, ast.IfExp) and call is not None:
            arms = [arm for arm in (node.body, node.orelse) if call in ast.walk(arm)]
            children = [node.test, *arms] if arms else children
        for child in children:
            yield from self._values(child, without, call)


def _in_place(application: Application) -> bool:
    while application.children:
        application = application.children[0]
    return application.module.values.get("inplace") is True


def _passes(application: Application) -> set[str]:
    """The inputs of a module whose memory its output may be."""
    module, names = application.module, list(application.inputs)
    if application.flow is not None and not application.flow.body.layer:
        return _passed_by(application.flow)
    if application.children and len(names) > 1:
        return set(names)
    if application.children or module.kind == "Sequential":
        through = all(next(iter(each.inputs)) in _passes(each) for each in application.children)
        return set(names[:1]) if through else set()
    traits = traits_of(module.kind) if module.kind in LAYERS else Trait.NONE
    return set(names[:1]) if traits & _ALIASES or _in_place(application) else set()


def _passed_by(flow: Flow) -> set[str]:
    """The inputs of a block whose memory its output may be."""
    memory: Memory = {}
    for operation in flow.operations:
        memory |= _Step(operation, memory).given()
    result = flow.operations[-1].writes[0] if flow.operations else None
    behind = _NOTHING if result is None else memory[result]
    return {value.name for value in flow.inputs if value in behind}
