"""Reading redraws: which parameters, and by which function of torch.nn.init."""

from __future__ import annotations

from nngen.catalog.initializers import INITIALIZERS
from nngen.errors import Errors, SpecError, did_you_mean
from nngen.language.document import Mapping, Node
from nngen.language.spec.model import Initializer, Rule
from nngen.language.spec.nodes import expression, is_empty, known_keys, mapping, text
from nngen.symbolic.expressions import Expression


def rules(node: Node, errors: Errors) -> tuple[Rule, ...]:
    """The redraws under `init`."""
    given = mapping(node, "`init` maps parameters to initializers", "`{Linear.bias: zeros_}`")
    found = []
    for entry in given.entries.values():
        read = errors.attempt(initializer, entry.value)
        if read is not None:
            found.append(Rule(entry.key, read, entry.key_mark))
    return tuple(found)


def initializer(node: Node) -> Initializer:
    """A function of torch.nn.init: its name, or a mapping of its name to its arguments."""
    arguments: dict[str, Expression] = {}
    if isinstance(node, Mapping) and len(node.entries) == 1:
        (entry,) = node.entries.values()
        function, mark = entry.key, entry.key_mark
        if function in INITIALIZERS and not is_empty(entry.value):
            signature = INITIALIZERS[function]
            if isinstance(entry.value, Mapping):
                known_keys(entry.value, signature.names, f"nn.init.{function}")
                arguments = {
                    key: expression(item.value, signature[key].kind)
                    for key, item in entry.value.entries.items()
                }
            elif not signature.names:
                raise SpecError(f"{function} takes no arguments", entry.value.mark)
            else:
                shorthand = signature.names[0]
                arguments = {shorthand: expression(entry.value, signature[shorthand].kind)}
    else:
        function, mark = text(node, "an initializer"), node.mark
    if function not in INITIALIZERS:
        raise SpecError(
            f"torch.nn.init has no {function!r}", mark, did_you_mean(function, INITIALIZERS)
        )
    return Initializer(function, arguments, mark)
