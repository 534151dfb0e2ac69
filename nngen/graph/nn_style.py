"""Forward in torch.nn style: layers are called."""

from __future__ import annotations

import ast

from nngen.fold import source
from nngen.graph.construction import becomes_identity
from nngen.graph.flow import Application, Condition, Operation, self_attribute
from nngen.graph.lowering import Lowering, assign


class NNLowering(Lowering):
    """Writes `x = self.conv1(x)`."""

    def conditional(self, operation: Operation, condition: Condition) -> None:
        built = next(each for each in self.flow.built if each.name == operation.layer)
        if becomes_identity(self.flow, built):
            self.step(operation)
        else:
            super().conditional(operation, condition)

    def apply(self, operation: Operation, application: Application) -> None:
        target, operands = self.operands(operation)
        comment = self.layer_comment(application)
        module = application.module
        if module.kind != "ModuleList":
            call = ast.Call(self_attribute(module.name), operands, [])
            self.emit(assign(target, call), operation.step, comment)
            return
        if source(operands[0]) != target:
            self.emit(assign(target, operands[0]), operation.step)
        self.emit(
            self.loop_over(module, self_attribute(module.name), target), operation.step, comment
        )

    def call(self, application: Application, call: ast.Call, step: int) -> ast.expr:
        return ast.Call(self_attribute(application.module.name), call.args, call.keywords)
