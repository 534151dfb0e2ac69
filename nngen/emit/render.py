"""A Graph to source text, through the templates and black."""

from __future__ import annotations

import ast
import gc
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from nngen.catalog.partial_evaluation import source
from nngen.emit import origin
from nngen.emit.model import Argument, Form, Graph, Item
from nngen.emit.template_cache import compiled
from nngen.emit.wrapping import tidied, wrapped
from nngen.errors import Mark, SpecError
from nngen.limits import ALLOW, limits

# What templates look into: a model's parts, their own loops and macros, and of texts and mappings these methods.
_OPEN = ("nngen.emit.model", "jinja2.runtime")
_METHODS: dict[type, tuple[str, ...]] = {str: ("partition",), dict: ("get",)}
_PACKAGE = Form("", "__init__.py", "package.py.j2")


def render(graph: Graph) -> dict[str, str]:
    """The files of a model's package, by name."""
    return {name: formatted(origin.unmarked(text)[0]) for name, text in fill(graph).items()}


def fill(graph: Graph) -> dict[str, str]:
    """The templates' output: not formatted yet, and marked with the steps that it is from."""
    forms = sorted((_PACKAGE, *graph.forms), key=lambda form: form.file)
    files = {form.file: _filled(form, graph) for form in forms}
    most = limits().code
    if sum(len(origin.unmarked(text)[0]) for text in files.values()) > most:
        message = f"the code would have more than {most:,} characters"
        raise SpecError(message, Mark(graph.source), f"make blocks of what repeats; {ALLOW}")
    return files


def _filled(form: Form, graph: Graph) -> str:
    template = _environment(form.folder or templates()).get_template(form.template)
    return template.render(
        graph=graph, style=form.style, names=graph.names.get(form.style, frozenset())
    )


@cache
def templates() -> Path:
    """The folder of the templates: beside the package in a checkout, inside it once installed."""
    inside = Path(__file__).parent.parent / "templates"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "templates"


class _Environment(ImmutableSandboxedEnvironment):
    """Templates that see the model and nothing behind it."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Whether a template may use an attribute."""
        if type(obj) in _METHODS:
            return attr in _METHODS[type(obj)]
        return type(obj).__module__ in _OPEN and not attr.startswith("_")


@cache
def _environment(folder: Path) -> Environment:
    environment = _Environment(
        loader=FileSystemLoader([os.fspath(folder), os.fspath(templates())]),
        bytecode_cache=compiled(__file__),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        autoescape=False,
    )
    environment.filters["by_condition"] = _by_condition
    environment.filters["text"] = _docstring_text
    environment.filters["of"] = origin.of
    environment.filters["given_at"] = _given
    environment.filters["code"] = source
    environment.filters["arguments"] = _arguments
    return environment


def _by_condition(items: Sequence[Item]) -> list[list[Item]]:
    """Neighbours that one condition decides, together; what nothing decides, alone."""
    groups: list[list[Item]] = []
    for item in items:
        if (
            groups
            and item.condition is not None
            and _is_alike(groups[-1][0].condition, item.condition)
        ):
            groups[-1].append(item)
        else:
            groups.append([item])
    return groups


def _is_alike(left: ast.expr | None, right: ast.expr) -> bool:
    return left is not None and ast.dump(left) == ast.dump(right)


def _arguments(arguments: Sequence[Argument]) -> str:
    """Arguments as a call has them."""
    return ", ".join(f"{name}={source(tree)}" if name else source(tree) for name, tree in arguments)


def _given(marks: Mapping[str, Mark], argument: str) -> Mark | None:
    """Where the spec gives an argument, which may have its type behind it."""
    return marks.get(argument.partition(":")[0])


def _docstring_text(text: str) -> str:
    """Text as it may stand between triple quotes."""
    text = origin.cleaned(text).replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return text[:-1] + '\\"' if text.endswith('"') else text


def formatted(code: str) -> str:
    """Code as black writes it."""
    code = tidied(code)
    return wrapped(code) or by_black(code)


def by_black(code: str) -> str:
    """Tidied code as black writes it."""
    # Not imported above: it takes longer than all else of a small build.
    import black
    from black.mode import TargetVersion

    with _uncollected():
        return black.format_str(code, mode=black.Mode(target_versions={TargetVersion.PY310}))


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without Python's search for cycles: it would go through black's growing tree again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
