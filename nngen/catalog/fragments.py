"""Fragments of Python in entries, and what they may call besides the arithmetic of sizes."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Callable
from functools import cache
from typing import Any

from nngen.symbolic.rules.common import ntuple
from nngen.symbolic.sizes import product


@cache
def fragment(text: str) -> ast.expr:
    """The tree of a fragment that is an expression; shared, so never changed in place."""
    return ast.parse(text.strip(), mode="eval").body


@cache
def statements(text: str) -> tuple[ast.stmt, ...]:
    """The trees of a fragment of statements; shared, so never changed in place."""
    return tuple(ast.parse(textwrap.dedent(text).strip()).body)


def same_padding(kernel_size: Any, dilation: Any, dims: int) -> tuple[Any, ...]:
    """F.pad's argument for padding 'same', the odd one to the right; last dimension first."""
    totals = [d * (k - 1) for k, d in zip(ntuple(kernel_size, dims), ntuple(dilation, dims))]
    return tuple(pad for total in reversed(totals) for pad in (total // 2, total - total // 2))


def explicit_padding(padding: Any, dims: int) -> tuple[Any, ...]:
    """F.pad's argument for the same padding on both sides of each dimension; last dimension first."""
    sizes = ntuple(0 if padding == "valid" else padding, dims)
    return tuple(pad for size in reversed(sizes) for pad in (size, size))


def shape_tuple(value: Any) -> tuple[Any, ...]:
    """A shape given as one number or as a list."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def kept_size(sizes: tuple[Any, ...], dim: int) -> tuple[Any, ...]:
    """The shape of a norm over all dimensions but one: 1 everywhere else."""
    kept = dim % len(sizes)
    return tuple(size if place == kept else 1 for place, size in enumerate(sizes))


def matrix_size(sizes: tuple[Any, ...], dim: int) -> tuple[Any, Any]:
    """The shape of a weight as a matrix with `dim` for its rows."""
    return sizes[dim], product(size for place, size in enumerate(sizes) if place != dim)


# What fragments may call besides the arithmetic of sizes.
HELPERS: dict[str, Callable[..., Any]] = {
    "ntuple": ntuple,
    "same_padding": same_padding,
    "explicit_padding": explicit_padding,
    "shape_tuple": shape_tuple,
    "kept_size": kept_size,
    "matrix_size": matrix_size,
}
