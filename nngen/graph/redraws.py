"""Redraws: the rules of `init` as calls of torch.nn.init."""

from __future__ import annotations

from nngen.fold import keep_name, renamed, source
from nngen.spec.model import Initializer


def initializer_call(initializer: Initializer, parameter: str) -> str:
    """`nn.init.normal_(self.weight, std=0.02)`."""
    arguments = "".join(
        f", {name}={source(renamed(expression.tree, keep_name))}"
        for name, expression in initializer.arguments.items()
    )
    return f"nn.init.{initializer.function}({parameter}{arguments})"
