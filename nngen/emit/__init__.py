"""A Program to a Graph: its classes as code, in each style."""

from __future__ import annotations

from collections.abc import Sequence

from nngen.catalog.partial_evaluation import free_names
from nngen.emit.classes import ClassWriter
from nngen.emit.key_tables import key_tables
from nngen.emit.loss import loss_method
from nngen.emit.model import Attribute, Graph, ModelClass
from nngen.emit.state_keys import module_marks, state_keys
from nngen.emit.style import Style
from nngen.emit.styles import named, with_twins
from nngen.emit.ties import refuse_lost
from nngen.errors import Fault, SpecError
from nngen.graph import Program


def build_graph(program: Program, styles: Sequence[Style] | None = None) -> Graph:
    """Write the classes of a program.

    Args:
        program: the model.
        styles: the styles to write it in; by default those that the spec names.

    Raises:
        SpecError: it cannot be written.
    """
    spec = program.spec
    styles = named(spec.styles) if styles is None else styles
    flows = [each.flow for each in program.classes]
    try:
        criterion = program.losses[0][1] if program.losses else None
        built = () if criterion is None else tuple(criterion.flow.built)
        writer = ClassWriter(flows, built, with_twins(styles))
        refuse_lost(program.flow)
        loss = loss_method(program.losses) if program.losses else None
        *blocks, model = program.classes
        classes = (*map(writer.block, blocks), writer.model(model, criterion, loss))
    except Fault as fault:  # a size that is computed from others is too large
        raise SpecError(fault.message, spec.model.mark, fault.hint) from None
    return Graph(
        tuple(style.form for style in styles),
        spec.file,
        classes,
        {style.form.style: _names_used(classes, style.form.style) for style in styles},
        state_keys(program.flow, None if criterion is None else criterion.flow),
        key_tables(program.flow, None if criterion is None else criterion.flow),
        program.inputs,
        None if criterion is None else criterion.targets,
        program.arguments,
        program.sizes,
        dict(module_marks(program.flow)),
        len({style.key("nn", "functional") for style in styles}) > 1,
    )


def _names_used(classes: tuple[ModelClass, ...], style: str) -> frozenset[str]:
    """The names from outside that the file of a style uses."""
    found: set[str] = set()
    for written in (each.code[style] for each in classes if style in each.code):
        found.update(name for tree in written.trees() for name in free_names(tree))
        made = (item.construction for item in written.items if isinstance(item, Attribute))
        if any(each.named and each.kind == "Sequential" for m in made for each in m.members()):
            found.add("OrderedDict")
    return frozenset(found & {"F", "copy", "math", "nn", "torch", "OrderedDict"})
