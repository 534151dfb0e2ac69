"""The finished program: a spec whose every step has been followed, and its classes as they are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from nngen.errors import SpecError
from nngen.graph.alternatives import alternatives
from nngen.graph.claims import doubtful
from nngen.graph.flow import Flow
from nngen.graph.inputs import tensor_spec
from nngen.graph.losses import Criterion, loss_step
from nngen.graph.scope import Choices
from nngen.graph.tensor_spec import TensorSpec
from nngen.graph.uniting import unite
from nngen.graph.walks import OtherWalks
from nngen.language.spec import Spec
from nngen.limits import ALLOW, limits


@dataclass(frozen=True, eq=False)
class ClassFlow:
    """A class, which is written once whatever its uses are.

    Attributes:
        flow: all its uses as one.
        known: the flows of its uses, and further ones with other arguments.
    """

    flow: Flow
    known: tuple[Flow, ...]


@dataclass(frozen=True, eq=False)
class Program:
    """A spec whose every step has been followed. Nothing changes it; what is derived from it is made once.

    Attributes:
        spec: the model.
        flow: what happens in it; the flow of each use of a block hangs in it.
        uses: for each block, the flows of its uses.
        criterion: the loss.
        arguments, sizes: the constructor's arguments and the open sizes that verification uses.
        choices: how the inferred sizes were settled.
    """

    spec: Spec
    flow: Flow
    uses: Mapping[str, Sequence[Flow]]
    criterion: Criterion | None
    arguments: Mapping[str, Any]
    sizes: Mapping[str, int]
    choices: Choices

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """What verification gives to `forward`."""
        return tuple(tensor_spec(each, self.flow.scope) for each in self.spec.inputs)

    @cached_property
    def classes(self) -> tuple[ClassFlow, ...]:
        """The classes, the model's last.

        Raises:
            SpecError: one class cannot do for all uses of a block, or there is more than one file may have.
        """
        others = OtherWalks(self.spec, self.choices, self.arguments, self.uses)
        models = (self.flow, *others.models)
        blocks = [
            ClassFlow(unite(flows), (*flows, *others.blocks.get(name, ())))
            for name, flows in self.uses.items()
        ]
        model = replace(unite([self.flow]), doubtful=doubtful(models))
        found = (*blocks, ClassFlow(model, models))
        most = limits().written
        if sum(each.flow.length() for each in found) > most:
            message = f"the code would have more than {most:,} steps and layers"
            hint = f"make blocks of what repeats; {ALLOW}"
            raise SpecError(message, self.spec.model.mark, hint)
        return found

    @cached_property
    def losses(self) -> tuple[tuple[Flow, Criterion], ...]:
        """The loss for each output that the model is known to give, with the flow that gives it; the check's first."""
        if self.criterion is None:
            return ()
        assert self.spec.loss is not None
        found = [(self.flow, self.criterion)]
        for flow in self.classes[-1].known:
            for output, here in alternatives(flow.result.all_told) or [(flow.output, True)]:
                if flow is not self.flow or not here:
                    with suppress(SpecError):
                        found.append((flow, loss_step(self.spec.loss, flow.giving(output))))
        flow = self.criterion.flow
        flow = replace(flow, doubtful=doubtful([each.flow for _, each in found]))
        return ((self.flow, replace(self.criterion, flow=flow)), *found[1:])
