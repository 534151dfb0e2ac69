"""What an editor completes: layers with their arguments, functions, and the keys of a spec."""

from __future__ import annotations

from typing import Any

from nngen.catalog import FUNCTIONS, LAYERS
from nngen.catalog.signature import REQUIRED
from nngen.language.schema import schema


def words() -> dict[str, Any]:
    """The names, with a sentence on each.

    Returns:
        `layers`: by name the sentence (`doc`), whether it is a loss (`loss`), and `arguments`, each with its default as
        text, or None where it is required. `keys`: those at the top of a spec, with what they are. `beside`: those that
        may stand beside a layer. `functions`: names for lines of Python.
    """
    whole = schema()
    body = {**whole["then"]["properties"], **whole["properties"]}
    beside = whole["$defs"]["open"]["layer"]["properties"]
    return {
        "layers": {
            name: {
                "doc": layer.doc,
                "loss": layer.is_loss,
                "arguments": {
                    each.name: None if each.default is REQUIRED else repr(each.default)
                    for each in layer.signature
                },
            }
            for name, layer in LAYERS.items()
        },
        "keys": {name: each.get("description", "") for name, each in body.items()},
        "beside": {
            name: each.get("description", "") for name, each in beside.items() if name not in LAYERS
        },
        "functions": sorted(FUNCTIONS),
    }
