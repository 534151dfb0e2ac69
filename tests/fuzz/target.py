"""What is fuzzed: a text goes the whole way of a spec, and ends in a model or in an NngenError."""

from __future__ import annotations

import re
import resource
import signal
import time
import traceback
import warnings
from dataclasses import dataclass
from types import FrameType

from nngen.emit import build_graph, origin
from nngen.emit.render import fill, formatted
from nngen.errors import NngenError, SpecError
from nngen.graph import follow
from nngen.language import document
from nngen.language import spec as specs
from nngen.views import diagram, summary

SECONDS = 2.0  # of the processor, for one input
BYTES = 3 * 2**30
_NAME = re.compile(r"[A-Za-z_][\w.]{2,}")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|\d+")


class TooSlow(Exception):
    """An input that takes too long."""


@dataclass(frozen=True)
class Built:
    """A model was built.

    Attributes:
        features: what its spec uses.
    """

    features: frozenset[str]


@dataclass(frozen=True)
class Finding:
    """An input that ends in something else than a model or an NngenError.

    Attributes:
        text: the input.
        site: where it happened; two findings of one site are taken for one.
        report: the traceback.
    """

    text: str
    site: str
    report: str


def bound() -> None:
    """Bound the memory of this process."""
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    warnings.simplefilter("ignore")  # compiling `0 is 0` warns


def _stop(number: int, frame: FrameType | None) -> None:
    raise TooSlow(f"more than {SECONDS} s")


def run(text: str, thorough: bool = False) -> str | Built | Finding:
    """Take one input through; of an NngenError the message without what it quotes.

    Args:
        text: the input.
        thorough: a model is formatted and drawn as well.
    """
    start = time.process_time()
    signal.signal(signal.SIGVTALRM, _stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, 2 * SECONDS)
    try:
        outcome = _outcome(text, thorough)
        if time.process_time() - start > SECONDS:
            raise TooSlow(f"{len(outcome.features)} features")
    except NngenError as error:
        message = str(error)
        told = (error, *error.others) if isinstance(error, SpecError) else ()
        each = [one.text() for one in told] or [message]
        shown = message.replace("\t", " ")  # the spec's own, in the line that an error shows
        if max(map(len, each)) > 2_000 or not all(map(str.isprintable, shown.split("\n"))):
            return Finding(text, "message", message)
        return _QUOTED.sub("", getattr(error, "message", message))
    except Exception as error:  # noqa: BLE001
        return Finding(text, _site(error), traceback.format_exc(limit=-12))
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return outcome


def _outcome(text: str, thorough: bool) -> Built:
    spec = specs.from_node(document.parse(text, "fuzzed.yaml"), "fuzzed.yaml")
    program = follow(spec)
    graph = build_graph(program)
    for name, marked in fill(graph).items():
        code, _ = origin.unmarked(marked)
        compile(code, name, "exec")
        if thorough:
            compile(formatted(code), name, "exec")
    if thorough:
        summary.summarize(program)
        diagram.draw(program).as_mermaid()
    return Built(frozenset(_NAME.findall(text)))


def _site(error: BaseException) -> str:
    """Where an exception was raised: the innermost frames of nngen."""
    frames = [
        f"{frame.filename.rpartition('/nngen/')[2]}:{frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
        if "/nngen/" in frame.filename
    ]
    return f"{type(error).__name__} in {' < '.join(reversed(frames[-3:]))}"
