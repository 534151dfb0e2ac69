"""`nngen serve`."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from pathlib import Path

from nngen.cli.shared import Verbs, count
from nngen.errors import NngenError


def add(verbs: Verbs) -> None:
    """Add the verb."""
    serve = verbs.add_parser(
        "serve",
        help="edit a spec in the browser, and watch both files change",
        description="Serves the playground to this machine: the spec and what it becomes, side by side, as you type. "
        "Where torch is installed, its Verify button runs the proof. The spec's file is not changed: copy or download "
        "what you keep.",
    )
    serve.add_argument(
        "spec",
        type=Path,
        nargs="?",
        metavar="SPEC",
        help="the YAML model description to begin with",
    )
    serve.add_argument("--port", type=count, default=0, help="the port (default: one that is free)")
    serve.add_argument(
        "--site",
        type=Path,
        metavar="FOLDER",
        help="what `make playground` wrote, for its editor; else the page has a plain one",
    )
    serve.set_defaults(run=_serve)


def _serve(options: argparse.Namespace) -> int:
    from nngen.language import document
    from nngen.teach.playground.server import Playground

    text = file = ""
    if options.spec is not None:
        data = document.read_bytes(options.spec)
        try:
            text, file = data.decode(), options.spec.name
        except UnicodeDecodeError:
            document.decode(data, options.spec)  # says where
    verify = None if find_spec("torch") is None else _verify
    try:
        server = Playground(options.port, text, file, verify, options.site)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise NngenError(
            f"cannot serve on port {options.port}: {reason}\n  hint: choose another with --port"
        ) from None
    print(f"{server.address}: serving; stop with Ctrl-C", flush=True)
    with server:
        server.serve_forever()
    return 0


def _verify(text: str, file: str) -> str:
    """What `nngen verify` prints of a text."""
    import nngen

    try:
        # A text without a line break would be taken for a path.
        return str(nngen.verify(text if "\n" in text else f"{text}\n"))
    except NngenError as error:
        return str(error)
