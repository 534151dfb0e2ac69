"""What the installed torch lacks of the catalog is skipped; that it lacks it, and nothing else, is a test of its own."""

from __future__ import annotations

import ast
from collections.abc import Iterable

import pytest
import torch

from nngen.catalog.entry import Function, Layer
from nngen.emit.needs import needs_of
from nngen.packages import is_older


def came_later(version: str) -> bool:
    """Whether what came with a version is not there yet."""
    return bool(version) and is_older(torch.__version__, version)


def missing_arguments(entry: Layer | Function) -> set[str]:
    return {name for name, version in entry.since.arguments.items() if came_later(version)}


def missing(code: str, gradients: bool = False) -> str:
    """The version that code waits for; nothing where it can run."""
    needed = (need.since for need in needs_of(ast.parse(code)) if gradients or not need.gradient)
    return next(filter(came_later, needed), "")


def skip_missing(code: str, gradients: bool = False) -> None:
    if version := missing(code, gradients):
        pytest.skip(f"came with torch {version}")


def call(entry: Layer, arguments: Iterable[str] = ()) -> str:
    """A call of a layer, which gives these arguments."""
    return f"nn.{entry.name}({', '.join(f'{name}=0' for name in arguments)})"
