"""`nngen import`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from nngen.cli.shared import Verbs, setting
from nngen.errors import FileError


def add(verbs: Verbs) -> None:
    """Add the verb."""
    verb = verbs.add_parser(
        "import",
        help="make a spec of a module that you have (runs your code)",
        description="Makes a spec of an nn.Module, and writes it once the spec's models, loaded with the module's weights, "
        "give its own bits: outputs, gradients, buffers and random numbers, in train and eval mode, at two batch sizes. "
        "This imports and runs your code: it is not for files of strangers.",
        epilog="exit codes: 0 written; 2 an error, or the module does what a spec cannot say",
    )
    verb.add_argument(
        "what",
        metavar="WHAT",
        help="the class, or a function that makes the model: net.py:Net, torchvision.models:resnet18",
    )
    verb.add_argument(
        "--input",
        dest="inputs",
        action="append",
        required=True,
        metavar="NAME=SIZES",
        help="what forward takes, the batch first: x=2,3,224,224; tokens=2,16:int64:1000 for whole numbers below 1,000",
    )
    verb.add_argument(
        "--arg",
        dest="arguments",
        type=setting,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an argument of the constructor",
    )
    verb.add_argument("--name", default="", help="what the generated class is called")
    verb.add_argument(
        "-o", "--out", type=Path, metavar="FILE", help="where to write it (default: print it)"
    )
    verb.add_argument("--force", action="store_true", help="write over a file that is there")
    verb.set_defaults(run=_import)


def _import(options: argparse.Namespace) -> int:
    from nngen.packages import import_torch

    import_torch()
    from nngen.files import writer
    from nngen.importer import from_module
    from nngen.importer.inputs import parsed
    from nngen.importer.source import making

    if options.out is not None and options.out.exists() and not options.force:
        raise FileError(f"{options.out} is there already\n  hint: give another name, or --force")
    inputs = dict(map(parsed, options.inputs))
    text = from_module(making(options.what, dict(options.arguments)), inputs, options.name)
    if options.out is None:
        sys.stdout.write(text)
        return 0
    writer.write_text(options.out, text)
    print(f"{options.out}: written; the spec's models give the module's own bits")
    print(f"  nngen build {options.out}", f"  nngen verify {options.out}", sep="\n")
    return 0
