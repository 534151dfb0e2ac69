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

        `CNN`, the class that the spec names, is the nn twin, and `FunctionalCNN` the functional one. A name behind
        the magic, `%%nngen pair`, is given both as `nngen.load` returns them.
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
            model: getattr(pair.nn_style, model),
            f"Functional{model}": getattr(pair.functional_style, model),
        }
        shell.push({**classes, **({name: pair} if name else {})})
        return pair

    shell.register_magic_function(nngen, "cell")
