"""A spec that has been followed to a Graph: its classes as code, in each style."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from nngen.catalog.partial_evaluation import free_names
from nngen.emit.classes import ClassWriter
from nngen.emit.loss import loss_method
from nngen.emit.model import Attribute, Graph, Loss, ModelClass
from nngen.emit.state_keys import module_marks, state_keys
from nngen.emit.style import Style
from nngen.emit.styles import named, with_twins
from nngen.emit.ties import refuse_lost
from nngen.errors import Fault, SpecError
from nngen.graph import Followed, follow, inputs_of
from nngen.graph.alternatives import alternatives
from nngen.graph.claims import doubtful
from nngen.graph.flow import Flow
from nngen.graph.losses import Criterion, loss_step
from nngen.graph.uniting import unite
from nngen.graph.walks import OtherWalks
from nngen.language.spec import Spec
from nngen.limits import ALLOW, limits


def build_graph(
    spec: Spec, followed: Followed | None = None, styles: Sequence[Style] | None = None
) -> Graph:
    """Take every decision about a model.

    Args:
        spec: the model.
        followed: what `follow` gave for it, if that has been done; it is used up.
        styles: the styles to write it in; by default those that the spec names.

    Raises:
        SpecError: the spec is wrong.
    """
    styles = named(spec.styles) if styles is None else styles
    followed = followed or follow(spec)
    flow, criterion = followed.flow, followed.criterion
    others = OtherWalks(spec, followed.choices, followed.arguments, followed.blocks)
    known = {name: [*each, *others.blocks.get(name, ())] for name, each in followed.blocks.items()}
    models = [flow, *others.models]
    flow.doubtful = doubtful(models)
    united = [unite(flows) for flows in followed.blocks.values()]
    unite([flow])
    _refuse_long(spec, [*united, flow])
    built = () if criterion is None else tuple(criterion.flow.built)
    try:
        writer = ClassWriter([*((each, ()) for each in united), (flow, built)], with_twins(styles))
        refuse_lost(flow)
        blocks = [writer.block(each, known[each.body.name]) for each in united]
        loss = None if criterion is None else _loss(spec, criterion, models)
        classes = (*blocks, writer.model(flow, models, criterion, loss))
    except Fault as fault:  # a size that is computed from others is too large
        raise SpecError(fault.message, spec.model.mark, fault.hint) from None
    return Graph(
        tuple(style.form for style in styles),
        spec.file,
        classes,
        {style.form.style: _names_used(classes, style.form.style) for style in styles},
        state_keys(flow, None if criterion is None else criterion.flow),
        inputs_of(spec, flow),
        None if criterion is None else criterion.targets,
        followed.arguments,
        followed.sizes,
        dict(module_marks(flow)),
        len({style.key("nn", "functional") for style in styles}) > 1,
    )


def _loss(spec: Spec, criterion: Criterion, models: Sequence[Flow]) -> Loss:
    """The method `loss`, as it is whatever the model's arguments are."""
    assert spec.loss is not None
    found = [(models[0], criterion)]
    for flow in models:
        for output, here in alternatives(flow.result.all_told) or [(flow.output, True)]:
            if flow is not models[0] or not here:
                with suppress(SpecError):
                    found.append((flow, loss_step(spec.loss, flow.giving(output))))
    flows, criteria = zip(*found)
    criterion.flow.doubtful = doubtful([each.flow for each in criteria])
    return loss_method(criteria, flows)


def _refuse_long(spec: Spec, flows: list[Flow]) -> None:
    most = limits().written
    if sum(each.length() for each in flows) > most:
        message = f"the code would have more than {most:,} steps and layers"
        raise SpecError(message, spec.model.mark, f"make blocks of what repeats; {ALLOW}")


def _names_used(classes: tuple[ModelClass, ...], style: str) -> frozenset[str]:
    """The names from outside that the file of a style uses."""
    found: set[str] = set()
    for written in (each.code[style] for each in classes if style in each.code):
        found.update(name for tree in written.trees() for name in free_names(tree))
        made = (item.construction for item in written.items if isinstance(item, Attribute))
        if any(each.named and each.kind == "Sequential" for m in made for each in m.members()):
            found.add("OrderedDict")
    return frozenset(found & {"F", "copy", "math", "torch", "OrderedDict"})
