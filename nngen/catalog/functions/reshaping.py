"""Reshaping, exchanging dimensions, repeating; taking apart and putting together."""

from __future__ import annotations

from functools import partial

from nngen.catalog.entry import both, function
from nngen.catalog.traits import Trait
from nngen.symbolic.rules import common, expanding, reshaping, splitting

_moved = partial(function, traits=Trait.SAME | Trait.ALIAS)
_view = partial(function, traits=Trait.SAME | Trait.VIEW)
_alias = partial(function, traits=Trait.ALIAS)

FUNCTIONS = (
    _view(
        both("flatten"), "input: Tensor, start_dim: int = 0, end_dim: int = -1", reshaping.flatten
    ),
    _view(both("unflatten"), "input: Tensor, dim: int, sizes: list[int]", reshaping.unflatten),
    _moved(both("ravel"), "input: Tensor", reshaping.ravelled),
    _moved("torch.reshape", "input: Tensor, shape: list[int]", reshaping.reshape),
    _moved("Tensor.reshape", "input: Tensor, *shape: int | list[int]", reshaping.reshape),
    _view("Tensor.view", "input: Tensor, *size: int | list[int]", reshaping.view),
    _moved("Tensor.view_as Tensor.reshape_as", "input: Tensor, other: Tensor", reshaping.view_as),
    _moved("torch.permute", "input: Tensor, dims: list[int]", reshaping.permute),
    _moved("Tensor.permute", "input: Tensor, *dims: int | list[int]", reshaping.permute),
    _moved(both("transpose swapdims"), "input: Tensor, dim0: int, dim1: int", reshaping.transpose),
    _moved(both("swapaxes"), "input: Tensor, axis0: int, axis1: int", reshaping.swapped),
    _moved(both("t"), "input: Tensor", reshaping.reversed_matrix),
    _moved(
        both("movedim moveaxis"),
        "input: Tensor, source: int | list[int], destination: int | list[int]",
        reshaping.moved,
    ),
    _view(
        both("squeeze"),
        "input: Tensor, dim: int | list[int]",
        reshaping.squeeze,
        also=("input: Tensor",),
    ),
    _view(both("unsqueeze"), "input: Tensor, dim: int", reshaping.unsqueeze),
    *(
        _alias(
            f"torch.atleast_{rank}d", "*tensors: Tensor | list[Tensor]", reshaping.at_least(rank)
        )
        for rank in (1, 2, 3)
    ),
    function(
        "torch.roll",
        "input: Tensor, shifts: int | list[int], dims: int | list[int] = ()",
        reshaping.roll,
    ),
    function(
        "Tensor.roll",
        "input: Tensor, shifts: int | list[int], dims: int | list[int] = ()",
        reshaping.roll,
    ),
    function("torch.flip", "input: Tensor, dims: list[int]", reshaping.flip),
    function("Tensor.flip", "input: Tensor, *dims: int | list[int]", reshaping.flip),
    function(both("fliplr"), "input: Tensor", reshaping.flipped(2)),
    function(both("flipud"), "input: Tensor", reshaping.flipped(1)),
    function(both("rot90"), "input: Tensor, k: int = 1, dims: list[int] = (0, 1)", reshaping.rot90),
    _alias("torch.view_as_complex", "input: Tensor", reshaping.as_complex),
    _alias("torch.view_as_real", "input: Tensor", reshaping.as_real),
    function(
        "Tensor.contiguous",
        "input: Tensor",
        common.unchanged,
        traits=Trait.SAME | Trait.LAYOUT | Trait.ALIAS,
    ),
    # Larger, and strips
    _alias("Tensor.expand", "input: Tensor, *size: int | list[int]", expanding.expand),
    _alias("Tensor.expand_as", "input: Tensor, other: Tensor", expanding.expand_as),
    _alias(both("broadcast_to"), "input: Tensor, size: list[int]", expanding.expand),
    _alias("torch.broadcast_tensors", "*tensors: Tensor", expanding.broadcast_all),
    function("Tensor.repeat", "input: Tensor, *repeats: int | list[int]", expanding.repeat),
    function("torch.tile", "input: Tensor, dims: list[int]", expanding.tile),
    function("Tensor.tile", "input: Tensor, *dims: int | list[int]", expanding.tile),
    function(
        both("repeat_interleave"),
        "input: Tensor, repeats: int | Tensor, dim: int | None = None, *, output_size: int | None = None",
        expanding.repeat_interleave,
    ),
    _alias(
        "Tensor.unfold", "input: Tensor, dimension: int, size: int, step: int", expanding.unfold
    ),
    function(both("tril triu"), "input: Tensor, diagonal: int = 0", expanding.triangle),
    _alias(
        both("diagonal"),
        "input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1",
        expanding.diagonal,
    ),
    function(both("diag"), "input: Tensor, diagonal: int = 0", expanding.diag),
    function(
        both("diag_embed"),
        "input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1",
        expanding.diag_embed,
    ),
    # Apart and together
    _alias(both("chunk"), "input: Tensor, chunks: int, dim: int = 0", splitting.chunk),
    _alias(
        "torch.split",
        "tensor: Tensor, split_size_or_sections: int | list[int], dim: int = 0",
        splitting.split,
    ),
    _alias(
        "Tensor.split",
        "input: Tensor, split_size: int | list[int], dim: int = 0",
        splitting.split_method,
    ),
    _alias(
        both("split_with_sizes"),
        "input: Tensor, split_sizes: list[int], dim: int = 0",
        splitting.split_sizes,
    ),
    _alias(
        both("tensor_split"),
        "input: Tensor, sections: int, dim: int = 0",
        splitting.sections,
        also=("input: Tensor, indices: list[int], dim: int = 0",),
    ),
    _alias(both("unbind"), "input: Tensor, dim: int = 0", splitting.unbind),
    function(
        "torch.cat torch.concat torch.concatenate",
        "tensors: list[Tensor], dim: int = 0",
        splitting.cat,
    ),
    function("torch.stack", "tensors: list[Tensor], dim: int = 0", splitting.stack),
    function("torch.hstack", "tensors: list[Tensor]", splitting.hstack),
    function("torch.vstack torch.row_stack", "tensors: list[Tensor]", splitting.vstack),
    function("torch.dstack", "tensors: list[Tensor]", splitting.dstack),
    function("torch.column_stack", "tensors: list[Tensor]", splitting.column_stack),
)
