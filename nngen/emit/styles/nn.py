"""Forward in torch.nn style: layers are called."""

from __future__ import annotations

import ast

from nngen.emit.constructor import becomes_identity
from nngen.emit.forward import Lowering
from nngen.graph.calls import named_in, operands_of
from nngen.graph.flow import Application, Condition, Module, Operation, self_attribute
from nngen.symbolic.expressions import assign


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
        if self.is_loop(module):
            self.loop(application, dict(zip(application.inputs, operands)), target, operation.step)
            return
        call = ast.Call(self_attribute(module.name), operands, [])
        self.emit(assign(target, call), comment)

    def is_loop(self, module: Module) -> bool:
        return module.kind == "ModuleList"

    def members(self, module: Module) -> ast.expr:
        return self_attribute(module.name)

    def call(self, application: Application, call: ast.Call, step: int) -> ast.expr:
        if self.is_loop(application.module):
            return self.looped(application, operands_of(application, call), named_in(call))
        return ast.Call(self_attribute(application.module.name), call.args, call.keywords)
