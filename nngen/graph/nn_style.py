"""Forward in torch.nn style: layers are called."""

from __future__ import annotations

import ast

from nngen.fold import source
from nngen.graph.flow import Operation
from nngen.graph.lowering import Lowering, assign, layer_comment, name
from nngen.graph.modules import Application, self_attribute


class NNLowering(Lowering):
    """Writes `x = self.conv1(x)`."""

    def apply(self, operation: Operation, application: Application) -> None:
        target, operands = self.operands(operation)
        comment = layer_comment(application)
        module = application.module
        if module.kind != "ModuleList":
            call = ast.Call(self_attribute(module.name), operands, [])
            self.emit(assign(target, call), operation.step, comment)
            return
        if source(operands[0]) != target:
            self.emit(assign(target, operands[0]), operation.step)
        body = assign(target, ast.Call(name("layer"), [name(target)], []))
        layers = self_attribute(module.name)
        loop = ast.For(ast.Name("layer", ast.Store()), layers, [body], [])
        self.emit(loop, operation.step, comment)

    def call(self, application: Application, call: ast.Call, step: int) -> ast.expr:
        return ast.Call(self_attribute(application.module.name), call.args, call.keywords)
