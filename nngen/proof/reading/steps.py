"""What a step of a spec says: its kind, its name, its arguments, and what stands beside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from nngen.catalog import LAYERS
from nngen.language.document import Mapping as Node
from nngen.language.document import Scalar
from nngen.language.document import Sequence as Listing
from nngen.proof.reading.python import Names, evaluated, targets

STATES = ("Parameter", "Buffer")
# What stands beside a repeated layer and is about each copy.
_OF_EACH = ("weight_norm", "spectral_norm")
_HEAD = re.compile(r"([A-Za-z_]\w*)(?:\s+as\s+(\S.*))?")


class Step(NamedTuple):
    """A layer, a Parameter or a Buffer.

    Attributes:
        kind: its class.
        name: what `as` calls it.
        given: its arguments.
        beside: what stands beside it: `from`, `when`, …
    """

    kind: str
    name: str | None
    given: Any
    beside: dict[str, Any]


def plain(node: Any) -> Any:
    """A document as plain dicts, lists and values."""
    if isinstance(node, Node):
        return {key: plain(entry.value) for key, entry in node.entries.items()}
    if isinstance(node, Listing):
        return [plain(item) for item in node.items]
    assert isinstance(node, Scalar)
    return node.value


def is_line(step: Any) -> bool:
    """Whether a step is a line of Python."""
    return isinstance(step, str) and not _HEAD.fullmatch(step)


def parts(step: Any) -> Step:
    """A step's parts."""
    (head, given), *beside = as_mapping(step).items()
    match = _HEAD.fullmatch(head)
    assert match is not None
    return Step(match[1], match[2], given, dict(beside))


def as_mapping(step: Any) -> dict[str, Any]:
    """`ReLU` is `{ReLU: }`."""
    return {step: None} if isinstance(step, str) else step


def listed(sources: Any) -> list[str]:
    """`from`, as a list."""
    return [sources] if isinstance(sources, str) else list(sources)


def filled(name: str, names: Names) -> str:
    """A name with its `${…}` evaluated."""
    return re.sub(r"\$\{(.*?)\}", lambda match: str(evaluated(match[1], names)), name)


def has_copies(name: str | None) -> bool:
    """Whether `${…}` gives each copy a name of its own."""
    return name is not None and "${" in name


def arguments(declared: Names, given: Names, names: Names) -> dict[str, Any]:
    """The constructor arguments of a class: as given, else by default."""
    return {
        name: evaluated(given[name], names) if name in given else evaluated(default, {})
        for name, default in declared.items()
    }


def by_name(body: Names, given: Any) -> Names:
    """The arguments of a block's use; a value without a name is the first that is required, else the first."""
    if given is None or isinstance(given, Mapping):
        return given or {}
    declared = body.get("args", {})
    required = [name for name, default in declared.items() if default == "required"]
    return {(required or list(declared))[0]: given}


def inputs_of(body: Names) -> list[str]:
    """The names of what a class takes; one input of a model is `x`."""
    return list(body.get("inputs", ["x"]))


def automatic(body: Names) -> Callable[[str], str]:
    """Names for a class's unnamed layers, by kind and number, past those that the spec gives; `relu` for an only one."""
    taken: set[str | None] = {*inputs_of(body), *body.get("args", {}), *body.get("let", {})}
    for step in body["layers"]:
        text = step if is_line(step) else parts(step).beside.get("call")
        taken |= set() if text in (None, "none") else set(targets(text))
        taken |= set() if is_line(step) else {parts(step).name}
    layers = [parts(step) for step in body["layers"] if not is_line(step)]
    unnamed = [stem(layer.kind) for layer in layers if layer.name is None]
    said = set(words({key: value for key, value in body.items() if key not in ("doc", "blocks")}))
    counts: dict[str, int] = {}

    def name(kind: str) -> str:
        short = stem(kind)
        is_plain = kind in LAYERS and not LAYERS[kind].has_state
        is_free = short not in taken and f"{short}1" not in said
        if is_plain and is_free and unnamed.count(short) == 1:
            return short
        while True:
            counts[short] = counts.get(short, 0) + 1
            if f"{short}{counts[short]}" not in taken:
                return f"{short}{counts[short]}"

    return name


def words(value: Any) -> Iterator[str]:
    """The words in what a spec says."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from re.findall(r"\w+", str(key))
            yield from words(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from words(item)
    else:
        yield from re.findall(r"\w+", str(value))


def stem(kind: str) -> str:
    """What layers of a kind are called, with a number."""
    return LAYERS[kind].prefix if kind in LAYERS else kind.lower()


def children(steps: Sequence[Any], names: Names) -> list[tuple[str, Step, Names]]:
    """The layers of a Sequential, copies spliced in: by their names, or by their positions."""
    found: list[tuple[str, Step, Names]] = []
    for given in steps:
        step = parts(given)
        for i in range(evaluated(step.beside.get("repeat", 1), names)):
            inner = {**names, "i": i} if "repeat" in step.beside else names
            label = step.name and filled(step.name, inner)
            found.append((label or str(len(found)), step, inner))
    return found


def copies(step: Step, names: Names) -> list[tuple[str, Step, Names]]:
    """The copies of a repeated layer, numbered; what redraws them stands beside them all."""
    rest = step._replace(beside={k: v for k, v in step.beside.items() if k in _OF_EACH})
    count = evaluated(step.beside["repeat"], names)
    return [(str(i), rest, {**names, "i": i}) for i in range(count)]
