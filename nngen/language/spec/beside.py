"""What stands beside a layer: `from`, `call`, `built_after`, `otherwise`, and the modifiers."""

from __future__ import annotations

import re

from nngen.catalog import LAYERS, Trait
from nngen.catalog.parametrizations import MODIFIERS
from nngen.errors import SpecError
from nngen.language.document import Mapping, Node, Scalar, Sequence
from nngen.language.naming import LABEL
from nngen.language.spec.model import Name
from nngen.language.spec.nodes import expression, known_keys, text
from nngen.symbolic.expressions import Expression, Line, parse_line
from nngen.symbolic.identifiers import identifier


def from_of(node: Node | None) -> tuple[Name, ...] | None:
    if node is None:
        return None
    listed = node.items if isinstance(node, Sequence) else (node,)
    if not listed:
        raise SpecError("`from` is empty", node.mark, "name the values that the layer takes")
    for item in listed:
        if not re.fullmatch(r"\w+", text(item, "`from`")):
            line = (
                f"`- y = {text(item, '`from`')}`" if not isinstance(node, Sequence) else "`- y = …`"
            )
            hint = f"bind it to a name in a line above: {line}, and `from: y`"
            if re.fullmatch(LABEL, text(item, "`from`")):
                hint = f"what a layer of that name gives is {identifier(text(item, '`from`'))!r}"
            raise SpecError("`from` takes the names of values", item.mark, hint)
    return tuple(Name(text(item, "`from`"), item.mark) for item in listed)


def built_after_of(node: Node | None) -> Name | None:
    return None if node is None else Name(text(node, "`built_after`"), node.mark)


def call_of(node: Node | None) -> Line | None:
    return None if node is None or is_none(node) else parse_line(text(node, "`call`"), node.mark)


def uncalled_of(beside: dict[str, Node]) -> bool:
    """Whether `call: none` stands there.

    Raises:
        SpecError: with it stands what is about a call.
    """
    if "call" not in beside or not is_none(beside["call"]):
        return False
    for key in ("from", "when"):
        if key in beside:
            message = (
                f"`call: none` says that the layer is only built, so that `{key}` has no meaning"
            )
            raise SpecError(message, beside[key].mark, "take it out")
    return True


def is_none(node: Node) -> bool:
    """Whether it is the word `none`."""
    return isinstance(node, Scalar) and node.value == "none"


def otherwise_of(beside: dict[str, Node]) -> bool:
    node = beside.get("otherwise")
    if node is None:
        return False
    if "when" not in beside or text(node, "`otherwise`") != "none":
        raise SpecError("`otherwise: none` stands beside a `when`, and is its only form", node.mark)
    return True


def modifiers_of(kind_name: str, beside: dict[str, Node]) -> dict[str, dict[str, Expression]]:
    """The modifiers beside a step, each with its arguments."""
    found: dict[str, dict[str, Expression]] = {}
    for name in MODIFIERS:
        if name not in beside:
            continue
        node = beside[name]
        modifiable = kind_name in LAYERS and Trait.MODIFIABLE in LAYERS[kind_name].traits
        if not modifiable or found:
            why = "one modifier is enough" if found else f"{kind_name} has no weight to modify"
            raise SpecError(f"`{name}` cannot stand here: {why}", node.mark)
        if not isinstance(node, Mapping):
            raise SpecError(
                f"`{name}` takes its arguments as a mapping", node.mark, f"`{name}: {{}}`"
            )
        signature = MODIFIERS[name].signature
        known_keys(node, signature.names, name)
        found[name] = {
            key: expression(entry.value, signature[key].kind) for key, entry in node.entries.items()
        }
    return found
