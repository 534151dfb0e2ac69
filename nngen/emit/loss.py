"""The method `loss`: its signature, its docstring, and its statements in each style."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from nngen.catalog import LAYERS
from nngen.catalog.partial_evaluation import source
from nngen.emit.model import Loss, Statement
from nngen.emit.styles.functional import FunctionalLowering
from nngen.emit.styles.nn import NNLowering
from nngen.emit.variables import Variables
from nngen.graph.claims import Claims
from nngen.graph.flow import Application, Flow, self_attribute
from nngen.graph.losses import Criterion
from nngen.symbolic.expressions import name


def loss_method(criteria: Sequence[Criterion], flows: Sequence[Flow]) -> Loss:
    """The method's signature and docstring, from the criterion in each flow of the model."""
    first = criteria[0]
    claims = Claims(flows, (), is_block=False)
    shapes = {
        key: claims.text([(number, each.shapes[key]) for number, each in enumerate(criteria)])
        for key in first.shapes
    }
    shapes = {key: text.replace(", or ", " or ") for key, text in shapes.items()}
    return Loss(first.arguments, first.doc.format(**shapes), first.mark)


def loss_statements(criterion: Criterion | None, nn: bool) -> tuple[Statement, ...]:
    """The method's statements in one style."""
    if criterion is None:
        return ()
    if criterion.application is None:
        lowering = NNLowering if nn else FunctionalLowering
        return lowering(criterion.flow, Variables(criterion.flow)).run()
    statements = (_call if nn else _form)(criterion, criterion.application)
    return tuple(Statement(source(each), "", criterion.mark) for each in statements)


def _call(criterion: Criterion, application: Application) -> list[ast.stmt]:
    """The layer, called."""
    inputs = LAYERS[application.module.kind].inputs.names
    given = dict(zip(criterion.shapes, criterion.arguments))
    call: ast.expr = ast.Call(self_attribute("criterion"), [name(given[key]) for key in inputs], [])
    if _gives_output(application):
        call = ast.Attribute(call, "loss", ast.Load())
    return [ast.Return(call)]


def _form(criterion: Criterion, application: Application) -> list[ast.stmt]:
    """The layer's functional form."""
    *before, last = criterion.form
    assert isinstance(last, ast.Assign)
    value = last.value
    if _gives_output(application):
        assert isinstance(value, ast.Tuple)
        value = value.elts[-1]
    return [*before, ast.Return(value)]


def _gives_output(application: Application) -> bool:
    """Whether it gives its output and then the loss, as torch's AdaptiveLogSoftmaxWithLoss does."""
    return isinstance(application.output, tuple)
