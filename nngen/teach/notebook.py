"""nngen in a notebook: `%load_ext nngen`, and then a cell that begins with `%%nngen` is a spec."""

from __future__ import annotations

from typing import Any

from IPython.core.error import UsageError

from nngen.errors import NngenError
from nngen.proof import loading
from nngen.proof.loading import Pair
from nngen.teach.lesson.frame import frame


def register(shell: Any) -> None:
    """Give an IPython shell the cell magic `%%nngen`."""

    def nngen(line: str, cell: str) -> Pair:
        """Build the YAML of this cell into two classes.

        `CNN`, the class that the spec names, is the nn twin, and `FunctionalCNN` the functional one; so is it with
        further styles. A name behind the magic, `%%nngen pair`, is given all as `nngen.load` returns them.
        """
        name = line.strip()
        if name and not name.isidentifier():
            raise UsageError(f"%%nngen takes one name, not {name!r}")
        try:
            # The break makes any cell a text, rather than a path.
            pair = loading.load(f"{cell}\n", face=frame)
        except NngenError as error:
            raise UsageError(str(error)) from None
        model = pair.graph.model.name
        classes = {
            model if style == "nn" else f"{style.capitalize()}{model}": getattr(module, model)
            for style, module in pair.styles.items()
        }
        shell.push({**classes, **({name: pair} if name else {})})
        return pair

    shell.register_magic_function(nngen, "cell")
