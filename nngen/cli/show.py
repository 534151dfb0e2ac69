"""What shows a model, or what the language has: `summary`, `graph`, `layers`, `schema`."""

from __future__ import annotations

import argparse
from pathlib import Path

from nngen.cli.shared import Verbs, count, large, settings, size, specs


def add(verbs: Verbs) -> None:
    """Add the verbs."""
    summary = verbs.add_parser(
        "summary", help="show a model's layers: shapes, parameters, multiply-adds"
    )
    specs(summary)
    summary.add_argument("--json", action="store_true", help="print the summary as JSON")
    summary.add_argument(
        "--depth", type=count, metavar="D", help="how far to open blocks; 0 leaves them closed"
    )
    summary.add_argument(
        "--no-fold", dest="fold", action="store_false", help="show each of several equal blocks"
    )
    summary.add_argument("--batch", type=size, default=1, metavar="N", help="the batch size")
    settings(summary)
    summary.set_defaults(run=_summary)

    graph = verbs.add_parser("graph", help="draw a model: Mermaid text, or an SVG file")
    graph.add_argument("spec", type=Path, metavar="SPEC", help="a YAML model description")
    large(graph)
    graph.add_argument("--format", choices=("mermaid", "svg"), help="by default as the file's name")
    graph.add_argument("-o", "--out", type=Path, metavar="FILE", help="write to a file")
    graph.add_argument("--unfold", action="store_true", help="show what is in blocks")
    settings(graph)
    graph.set_defaults(run=_graph)

    layers = verbs.add_parser("layers", help="show what layers there are, or all about one")
    layers.add_argument("name", nargs="?", metavar="NAME", help="a layer, function or method")
    layers.add_argument(
        "--functions", action="store_true", help="show the functions and methods for lines"
    )
    layers.set_defaults(run=_layers)

    schema = verbs.add_parser("schema", help="print the JSON Schema of specs, for editors")
    schema.set_defaults(run=_schema)


def _summary(options: argparse.Namespace) -> int:
    import json

    from nngen import pipeline
    from nngen.views import summary
    from nngen.views.summary.text import as_text

    found = {}
    for path in options.specs:
        program = pipeline.read(path, dict(options.values)).program
        found[str(path)] = summary.summarize(program, options.batch)
    if options.json:
        print(json.dumps({path: each.as_dict() for path, each in found.items()}, indent=2))
    else:
        print("\n\n".join(as_text(each, options.depth, options.fold) for each in found.values()))
    return 0


def _graph(options: argparse.Namespace) -> int:
    from nngen import pipeline
    from nngen.files import writer
    from nngen.views import diagram

    program = pipeline.read(options.spec, dict(options.values)).program
    drawn = diagram.draw(program, unfold=options.unfold)
    wanted = options.format or (
        "svg" if options.out and options.out.suffix == ".svg" else "mermaid"
    )
    text = drawn.as_svg() if wanted == "svg" else drawn.as_mermaid()
    if options.out is None:
        print(text, end="")
    else:
        writer.write_text(options.out, text)
        print(f"{options.out}: written")
    return 0


def _layers(options: argparse.Namespace) -> int:
    from nngen.views import layers as listing

    if options.name is not None:
        print(listing.one(options.name))
    else:
        print(listing.functions() if options.functions else listing.layers())
    return 0


def _schema(options: argparse.Namespace) -> int:
    from nngen.language import schema

    print(schema.text(), end="")
    return 0
