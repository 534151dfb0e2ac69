"""The third witness: the independent reading of a spec, built and run beside both twins.

Where both twins are wrong alike, they are equal to each other, but not to it.
"""

from __future__ import annotations

from dataclasses import dataclass

from nngen.proof import reading
from nngen.proof.bench import Bench
from nngen.proof.bits import Container
from nngen.proof.feed import draw_feed
from nngen.proof.form import calls
from nngen.proof.ledger import Run, Seen
from nngen.proof.observe import see_names, see_random, see_state
from nngen.proof.reading import Model
from nngen.proof.twin import Twin
from nngen.report import Finding

GROUP = "reading, construction"


@dataclass(frozen=True)
class Reader(Twin):
    """The reading of the spec, run as the twins are."""

    def finding(self, error: Exception, where: str) -> Finding:
        """What was raised, and at which step of the spec."""
        message = " ".join(str(error).split())
        step = getattr(error, "step", "")
        return Finding(where, self.style, type(error).__name__, message, step)


def call_witness(bench: Bench) -> None:
    """Reads the spec, where there is one, and compares what was read with the nn twin as constructed."""
    constructed, subject, document = bench.constructed, bench.subject, bench.subject.document
    bench.constructed = {}
    if document is None:
        return
    reader = Reader("reading", reading, subject.name)
    where = GROUP + bench.beside
    models: list[Model] = []

    def read(twin: Twin, seen: Seen) -> None:
        feed = draw_feed(subject, bench.largest, bench.seed)
        inputs = list(feed.inputs.values())
        models.append(reading.read(document, subject.arguments, inputs, feed.targets))

    def build(twin: Twin, seen: Seen) -> None:
        model = models[0].build()
        see_random(seen)
        see_names(twin, model, seen)
        seen["names"] |= model.form()
        see_state(twin, model, seen)
        seen["names"]["order of the state_dict"] = Container("order", tuple(model.state_dict()))

    run = bench.run(reader, where, read)
    if not run.finding:
        run = bench.run(reader, where, build)
    if run.finding:
        bench.unread = run.finding
        return
    nn_model = bench.models[0]
    form = calls(nn_model)
    constructed["names"] |= {name: form[name] for name in models[0].form()}
    constructed["names"]["order of the state_dict"] = Container(
        "order", tuple(nn_model.state_dict())
    )
    bench.ledger.witness(Run(constructed), run, GROUP, where)
    bench.reader = reader
    bench.read = bench.placed(models[0])
