"""What may have been meant by a step that is none: a layer's name elsewhere, a call as in Python, a list of arguments."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from collections.abc import Mapping as Map
from dataclasses import dataclass

from nngen.catalog import LAYERS, elsewhere
from nngen.catalog.signature import Argument
from nngen.errors import did_you_mean, listed, nearest
from nngen.language.document import Entry, Mapping, Node, Scalar, Sequence
from nngen.language.spec.nodes import is_empty
from nngen.symbolic.tensor import UNKNOWN

_WORDS = {"None": "null", "True": "true", "False": "false"}
_SEPARATES = re.compile(r"[,\[\]{}#]|: ")  # what ends or begins a value on one line
_STATEMENTS = (
    ("return ", "what a model or block gives stands under `outputs`"),
    ("for ", "`repeat: 3` beside a layer makes copies"),
    ("while ", "`repeat: 3` beside a layer makes copies"),
    ("if ", "`when` beside a layer, or `y = a if flag else b`"),
    ("print(", "take it out"),
    ("assert ", "take it out"),
    ("def ", "make a block of it: `blocks`"),
    ("class ", "make a block of it: `blocks`"),
)
# What stands beside a layer, by other words for it.
_BESIDE = {
    **dict.fromkeys(("if", "condition", "enabled"), "when"),
    **dict.fromkeys(("times", "copies", "count", "num", "number", "n", "repeats"), "repeat"),
    **dict.fromkeys(("input", "inputs", "source", "sources", "on", "bottom", "takes"), "from"),
    "forward": "call",
    "after": "built_after",
    **dict.fromkeys(("initializer", "weight_init"), "init"),
}
# Keys with which a step of other formats begins.
TYPES = ("type", "layer", "kind", "class", "class_name", "module", "op")


def layer(name: str, value: Node | None, known: Iterable[str]) -> str:
    """A hint for an unknown layer."""
    known = list(known)
    if name.casefold() in (each.casefold() for each in known if each not in LAYERS):
        return did_you_mean(name, known)
    if name.lower() in elsewhere.ACTIVATIONS and isinstance(value, Scalar) and value.text:
        return f"an activation is a layer of its own: `- {elsewhere.activation(value.text)}`"
    if elsewhere.written(name):
        return elsewhere.written(name)
    found = elsewhere.family(name)
    if not found:
        return did_you_mean(name, known)
    if len(found) > 1:
        *others, last = found
        return (
            f"did you mean {', '.join(others)} or {last}, by the number of dimensions of its input?"
        )
    kind, _, shorthand = found[0].partition(": ")
    keys = value.entries if isinstance(value, Mapping) else {}
    if nearest(name, known) == kind and all(key in LAYERS[kind].signature.names for key in keys):
        return did_you_mean(name, known)
    step = step_of(kind, {"": shorthand} if shorthand else arguments_of(kind, value))
    further = [
        f"; an activation is a step of its own: `- {elsewhere.activation(entry.value.text)}`"
        for entry in (value.entries.values() if isinstance(value, Mapping) else ())
        if entry.key in elsewhere.ACTIVATIONS and isinstance(entry.value, Scalar)
    ]
    return f"torch calls it {kind}: `{step}`{''.join(further)}"


def key(entry: Entry, kind: str, known: tuple[str, ...], beside: Iterable[str]) -> str:
    """A hint for an unknown key beside a layer."""
    if entry.key == "name" or entry.key in elsewhere.ACTIVATIONS:
        return argument(entry, kind, known)
    found = _BESIDE.get(entry.key)
    return f"did you mean {found!r}?" if found else did_you_mean(entry.key, beside)


def other_form(first: Entry, rest: list[Entry], known: Iterable[str]) -> str:
    """The step as it is written here, where it begins with a key of another format; or nothing."""
    if not isinstance(first.value, Scalar):
        return ""
    if first.key == "name" and rest and rest[0].key in known:
        value = flow(rest[0].value)
        behind = "" if value == "null" else f": {value}"
        return f"a layer's name stands after `as`: `- {rest[0].key} as {first.value.text}{behind}`"
    if first.key in TYPES:
        kind = first.value.text.rpartition(".")[2]
        kind = kind if kind in known else (elsewhere.family(kind) or (kind,))[0]
        names = LAYERS[kind].signature.names if kind in LAYERS else ()
        given = {each.key: flow(each.value) for each in rest if each.key in names}
        return f"a step begins with its layer: `- {step_of(kind, given)}`"
    return ""


def argument(entry: Entry, kind: str, known: tuple[str, ...]) -> str:
    """A hint for an unknown argument."""
    word = entry.value.text if isinstance(entry.value, Scalar) else ""
    found = elsewhere.argument(entry.key, known)
    if entry.key in elsewhere.ACTIVATIONS:
        return f"an activation is a step of its own, below: `- {elsewhere.activation(word)}`"
    if found is not None:
        return f"torch calls it {found!r}"
    if entry.key == "name":
        return f"a layer's name stands after `as`: `{kind} as {word or 'fc'}`"
    if entry.key in ("return_sequences", "return_state"):
        return f"{kind} gives its outputs and its state: `call: y, _ = rnn(x)`"
    if entry.key in ("input_shape", "batch_input_shape"):
        return "the shape of what flows in stands at the top: `input: [784]`"
    return did_you_mean(entry.key, known) if known else f"{kind} takes no arguments"


def amended(kind: str, entry: Entry, others: Map[str, Entry]) -> str | None:
    """The argument of a layer that a wrong name means, if its value is one that this takes."""
    if kind not in LAYERS:
        return None
    signature = LAYERS[kind].signature
    name = elsewhere.argument(entry.key, signature.names) or nearest(entry.key, signature.names)
    if name is None or name in others or not isinstance(entry.value, Scalar):
        return None
    return name if signature[name].kind.takes(entry.value.value) else None


def arguments_of(kind: str, value: Node | None) -> dict[str, str]:
    """The arguments of a layer that elsewhere has another name, by torch's names, as YAML."""
    if not isinstance(value, Mapping):
        return {} if value is None else {"": flow(value)}
    known = LAYERS[kind].signature.names
    named = {
        (each.key if each.key in known else elsewhere.argument(each.key, known)): flow(each.value)
        for each in value.entries.values()
    }
    return {name: text for name, text in named.items() if name is not None}


def step_of(kind: str, arguments: Map[str, str]) -> str:
    """A step as YAML has it."""
    if not arguments:
        return kind
    shorthand = LAYERS[kind].shorthand if kind in LAYERS else None
    if len(arguments) == 1 and next(iter(arguments)) in ("", shorthand):
        return f"{kind}: {next(iter(arguments.values()))}"
    return f"{kind}: {named(arguments)}"


def named(arguments: Map[str, str]) -> str:
    """Arguments by their names, as YAML has them in one line."""
    return f"{{{', '.join(f'{name}: {text}' for name, text in arguments.items())}}}"


def flow(node: Node) -> str:
    """A part of a spec in one line."""
    if isinstance(node, Scalar):
        return _WORDS.get(node.text, node.text) or "null"
    if isinstance(node, Sequence):
        return f"[{', '.join(map(flow, node.items))}]"
    return named({key: flow(entry.value) for key, entry in node.entries.items()})


def in_order(kind: str, given: list[str], others: Iterable[str] = ()) -> dict[str, str]:
    """Arguments without names, as torch takes them, by their names; what is inferred or null is left out."""
    signature, infer = LAYERS[kind].signature, LAYERS[kind].infer
    names = list(signature.names)
    if len(given) < len([name for name in signature.required if name not in others]):
        names = [name for name in names if name not in infer]
    found = dict(zip(names, given)) if len(given) <= len(names) else {}
    return {k: text for k, text in found.items() if k not in infer and text != "null"}


@dataclass(frozen=True)
class Held:
    """Arguments that are those of a layer which this one holds, `TransformerEncoder: {nhead: 4}`."""

    names: tuple[str, ...]
    message: str
    hint: str


def held(kind: str, entries: list[Entry]) -> Held | None:
    """Arguments that belong to the layer that this one holds."""
    holder = _holder(kind)
    if holder is None or any(entry.key == holder.name for entry in entries):
        return None
    inner = holder.kind.layer[0]
    known, others = LAYERS[kind].signature.names, LAYERS[inner].signature.names
    moved = {e.key: flow(e.value) for e in entries if e.key in others and e.key not in known}
    if not moved:
        return None
    rest = {entry.key: flow(entry.value) for entry in entries if entry.key not in moved}
    verb = "are arguments" if len(moved) > 1 else "is an argument"
    message = f"{listed(moved)} {verb} of the {inner} that {kind} repeats"
    return Held(tuple(moved), message, holding(kind, moved, rest))


def holding(kind: str, inner: Map[str, str], rest: Map[str, str]) -> str:
    """The hint for a layer that holds another: how both are written."""
    holder = _holder(kind)
    assert holder is not None
    layer = holder.kind.layer[0]
    needed = [n for n in LAYERS[layer].signature.required if n not in LAYERS[layer].infer]
    inner = {**inner, **{name: "…" for name in needed if name not in inner}}
    rest = {holder.name: f"{{{layer}: {named(inner)}}}", **rest}
    missing = [name for name in LAYERS[kind].signature.required if name not in rest]
    return f"`{kind}: {named({**rest, **dict.fromkeys(missing, '…')})}`"


def _holder(kind: str) -> Argument | None:
    """The argument of a layer that is a layer, which it cannot do without."""
    if kind not in LAYERS:
        return None
    signature = LAYERS[kind].signature
    arguments = (signature[name] for name in signature.required)
    return next((argument for argument in arguments if argument.kind.layer), None)


def bare(kind: str, node: Node) -> str:
    """The hint for a step that takes no arguments and has some: names in a list may be what flows in."""
    words = [flow(item) for item in node.items] if isinstance(node, Sequence) else []
    inputs = f", and beside it `from: [{', '.join(words)}]`" if words else ""
    return f"write `- {kind}`{inputs}"


def nameless(kind: str, known: tuple[str, ...], entries: list[Entry]) -> str:
    """The hint for values in braces that have no names, `{hidden, k}`, or nothing where these are names."""
    values = [entry.key for entry in entries if is_empty(entry.value)]
    meant_as_name = any(
        word in elsewhere.ACTIVATIONS or nearest(word, known) or elsewhere.argument(word, known)
        for word in values
    )
    if not values or len(values) < len(entries) or meant_as_name:
        return ""
    if kind not in LAYERS:
        given = dict(zip(known, values))
        if not given:
            return f"write `- {kind}`, and beside it `from: [{', '.join(values)}]`"
        return f"`{kind}: {values[0]}`" if len(values) == 1 else f"`{kind}: {named(given)}`"
    shorthand = LAYERS[kind].shorthand
    names = {} if len(values) == 1 else in_order(kind, values)
    if names:
        return f"`{kind}: {named(names)}`"
    return f"`{kind}: {values[0]}`" if shorthand else f"{kind} takes no arguments"


def positional(kind: str, node: Sequence) -> str:
    """The hint for a list of arguments without names, or nothing where a list may be what the layer takes."""
    layer = LAYERS[kind]
    assert layer.shorthand is not None
    values = [each.value if isinstance(each, Scalar) else UNKNOWN for each in node.items]
    values = [UNKNOWN if isinstance(v, str) and v not in ("None",) else v for v in values]
    if layer.signature[layer.shorthand].kind.takes(tuple(values)):
        return ""
    found = in_order(kind, list(map(flow, node.items)))
    if not found and node.items:
        inferred = ", ".join(name for name in layer.infer)
        return f"`- {kind}`: {inferred} is inferred from the input" if inferred else "name each"
    return f"`{kind}: {named(found)}`"


def step(text: str, known: Iterable[str]) -> tuple[str, str] | None:
    """The message and hint for a text that is neither a layer nor a line."""
    found = re.fullmatch(r"([A-Za-z_]\w*(?:\s+as\s+\w+)?)\s*([\[{].*|[\d.]+)", text, re.DOTALL)
    if found and _is_layer(found[1].split()[0], known):
        return f"a ':' is missing after {found[1]!r}", f"`- {found[1]}: {found[2]}`"
    for begin, hint in _STATEMENTS:
        if text.startswith(begin):
            return f"{text!r} is a statement; a step is a layer or a line", hint
    found = re.fullmatch(r"([A-Za-z_]\w*(?:\s+as\s+\w+)?):\s.*", text, re.DOTALL)
    if found and _is_layer(found[1].split()[0], known):
        return f"{text!r} stands in quotes", f"take them off: `- {text}`"
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    called = tree.func if isinstance(tree, ast.Call) else tree
    *spaces, name = ast.unparse(called).split(".")
    torchs = spaces in (["nn"], ["torch", "nn"])
    if isinstance(called, (ast.Name, ast.Attribute)) and (
        name in known or (torchs and elsewhere.family(name))
    ):
        without = "" if called is not tree or not spaces else f"leave out `{'.'.join(spaces)}.`: "
        return f"{text!r} is not how a layer is written", f"{without}`- {_called(name, tree)}`"
    functional = spaces in (["F"], ["torch"], ["torch", "nn", "functional"])
    if called is tree and functional and elsewhere.family(name):
        return f"{text!r} is a function", f"the layer is `{elsewhere.family(name)[0]}`"
    known_call = elsewhere.functions(name) or (spaces and spaces[0] == "self")
    if isinstance(tree, ast.Call) and known_call:
        return f"{text!r} gives a value without a name", _line(spaces, name, tree)
    return None


def _is_layer(name: str, known: Iterable[str]) -> bool:
    return name in known or bool(elsewhere.family(name))


def _called(name: str, tree: ast.expr) -> str:
    """A layer that is called as in Python, as a step."""
    kind = name if name in LAYERS else elsewhere.family(name)[0] if elsewhere.family(name) else name
    if not isinstance(tree, ast.Call) or kind not in LAYERS:
        return kind
    by_name = {str(each.arg): yaml(each.value) for each in tree.keywords}
    given = in_order(kind, list(map(yaml, tree.args)), by_name)
    infer = LAYERS[kind].infer
    return step_of(kind, {**given, **{k: v for k, v in by_name.items() if k not in infer}})


def yaml(node: ast.expr) -> str:
    """A value of Python as it stands in a mapping or list on one line."""
    if isinstance(node, (ast.Tuple, ast.List)):
        return f"[{', '.join(map(yaml, node.elts))}]"
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    text = _WORDS.get(ast.unparse(node), ast.unparse(node))
    return f'"{text}"' if _SEPARATES.search(text) else text


def _line(spaces: list[str], name: str, tree: ast.Call) -> str:
    text = ast.unparse(tree).removeprefix("self.").replace("torch.nn.functional.", "F.")
    functions = elsewhere.functions(name)
    if not spaces and functions:
        text = functions[0].replace("Tensor", "x") + text[len(name) :]
    layer = elsewhere.family(name) if functions else ()
    also = f", or a step `- {layer[0]}`" if layer else ""
    return f"write a line: `- y = {text}`{also}"


def keywords(kind: str, text: str) -> str:
    """The hint for arguments that are written as in Python, `out_channels=8, kernel_size=3`, or nothing."""
    try:
        tree = ast.parse(f"f({text})", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    if not isinstance(tree, ast.Call) or not (tree.keywords or len(tree.args) > 1):
        return ""
    given = {str(each.arg): yaml(each.value) for each in tree.keywords}
    if tree.args and kind in LAYERS:
        given = {**in_order(kind, list(map(yaml, tree.args)), given), **given}
    return f"`{kind}: {named(given)}`"


def in_parentheses(entries: list[Entry], place: int) -> tuple[str, int]:
    """A tuple that YAML took apart at its commas: as a list, and how many keys it takes; nothing where there is none."""
    value = entries[place].value
    if (
        not isinstance(value, Scalar)
        or value.quoted
        or value.text.count("(") <= value.text.count(")")
    ):
        return "", 0
    texts = [value.text]
    for entry in entries[place + 1 :]:
        texts.append(entry.key)
        if ")" in entry.key:
            parts = ", ".join(texts).replace("(", "[").replace(")", "]")
            return f"`{entries[place].key}: {parts}`", len(texts)
    return "", 0
