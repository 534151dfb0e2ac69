"""From a module that one has to a spec, which is written only once its models have given the module's own bits.

`record` builds the model and keeps what its layers were made from, `capture` runs it and keeps what each module was
given, `trace` follows the forward of one class, in train and in eval mode, `sketch` makes steps of a trace, `fold` makes
blocks of the classes, `write` makes YAML of them, and `compare` holds the spec's models against the module.

This runs the user's code: it is for modules that one trusts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

    from nngen.importer.inputs import Input


def from_module(
    make: nn.Module | Callable[[], nn.Module], inputs: Mapping[str, Input], name: str = ""
) -> str:
    """The spec of a module, as YAML.

    Args:
        make: the module, or what makes it: then the layers' arguments are as its code gives them.
        inputs: what forward is given, by its names.
        name: what the generated class is called; by default as the module's.

    Returns:
        The spec's text. A comment at its head says what came out equal.

    Raises:
        nngen.importer.refusal.ImportRefused: the module does what a spec cannot say, with the line of its source.
    """
    from nngen.importer.stages import imported

    return imported(make, inputs, name)
