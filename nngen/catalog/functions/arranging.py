"""Reshaping, exchanging dimensions, repeating; taking apart and putting together."""

from __future__ import annotations

from nngen.catalog.entry import both, function
from nngen.shapes import arranging, common, parting, stretching

FUNCTIONS = (
    function(
        both("flatten"), "input: Tensor, start_dim: int = 0, end_dim: int = -1", arranging.flatten
    ),
    function(both("unflatten"), "input: Tensor, dim: int, sizes: list[int]", arranging.unflatten),
    function(both("ravel"), "input: Tensor", arranging.ravelled),
    function("torch.reshape", "input: Tensor, shape: list[int]", arranging.reshape),
    function("Tensor.reshape", "input: Tensor, *shape: int | list[int]", arranging.reshape),
    function("Tensor.view", "input: Tensor, *size: int | list[int]", arranging.view),
    function("Tensor.view_as Tensor.reshape_as", "input: Tensor, other: Tensor", arranging.view_as),
    function("torch.permute", "input: Tensor, dims: list[int]", arranging.permute),
    function("Tensor.permute", "input: Tensor, *dims: int | list[int]", arranging.permute),
    function(
        both("transpose swapdims"), "input: Tensor, dim0: int, dim1: int", arranging.transpose
    ),
    function(both("swapaxes"), "input: Tensor, axis0: int, axis1: int", arranging.swapped),
    function(both("t"), "input: Tensor", arranging.reversed_matrix),
    function(
        both("movedim moveaxis"),
        "input: Tensor, source: int | list[int], destination: int | list[int]",
        arranging.moved,
    ),
    function(
        both("squeeze"),
        "input: Tensor, dim: int | list[int]",
        arranging.squeeze,
        also=("input: Tensor",),
    ),
    function(both("unsqueeze"), "input: Tensor, dim: int", arranging.unsqueeze),
    *(
        function(
            f"torch.atleast_{rank}d", "*tensors: Tensor | list[Tensor]", arranging.at_least(rank)
        )
        for rank in (1, 2, 3)
    ),
    function(
        "torch.roll",
        "input: Tensor, shifts: int | list[int], dims: int | list[int] = ()",
        arranging.roll,
    ),
    function(
        "Tensor.roll",
        "input: Tensor, shifts: int | list[int], dims: int | list[int] = ()",
        arranging.roll,
    ),
    function("torch.flip", "input: Tensor, dims: list[int]", arranging.flip),
    function("Tensor.flip", "input: Tensor, *dims: int | list[int]", arranging.flip),
    function(both("fliplr"), "input: Tensor", arranging.flipped(2)),
    function(both("flipud"), "input: Tensor", arranging.flipped(1)),
    function(both("rot90"), "input: Tensor, k: int = 1, dims: list[int] = (0, 1)", arranging.rot90),
    function("torch.view_as_complex", "input: Tensor", arranging.as_complex),
    function("torch.view_as_real", "input: Tensor", arranging.as_real),
    function("Tensor.contiguous", "input: Tensor", common.unchanged),
    # Larger, and strips
    function("Tensor.expand", "input: Tensor, *size: int | list[int]", stretching.expand),
    function("Tensor.expand_as", "input: Tensor, other: Tensor", stretching.expand_as),
    function(both("broadcast_to"), "input: Tensor, size: list[int]", stretching.expand),
    function("torch.broadcast_tensors", "*tensors: Tensor", stretching.broadcast_all),
    function("Tensor.repeat", "input: Tensor, *repeats: int | list[int]", stretching.repeat),
    function("torch.tile", "input: Tensor, dims: list[int]", stretching.tile),
    function("Tensor.tile", "input: Tensor, *dims: int | list[int]", stretching.tile),
    function(
        both("repeat_interleave"),
        "input: Tensor, repeats: int | Tensor, dim: int | None = None, *, output_size: int | None = None",
        stretching.repeat_interleave,
    ),
    function(
        "Tensor.unfold", "input: Tensor, dimension: int, size: int, step: int", stretching.unfold
    ),
    function(both("tril triu"), "input: Tensor, diagonal: int = 0", stretching.triangle),
    function(
        both("diagonal"),
        "input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1",
        stretching.diagonal,
    ),
    function(both("diag"), "input: Tensor, diagonal: int = 0", stretching.diag),
    function(
        both("diag_embed"),
        "input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1",
        stretching.diag_embed,
    ),
    # Apart and together
    function(both("chunk"), "input: Tensor, chunks: int, dim: int = 0", parting.chunk),
    function(
        "torch.split",
        "tensor: Tensor, split_size_or_sections: int | list[int], dim: int = 0",
        parting.split,
    ),
    function(
        "Tensor.split",
        "input: Tensor, split_size: int | list[int], dim: int = 0",
        parting.split_method,
    ),
    function(
        both("split_with_sizes"),
        "input: Tensor, split_sizes: list[int], dim: int = 0",
        parting.split_sizes,
    ),
    function(
        both("tensor_split"),
        "input: Tensor, sections: int, dim: int = 0",
        parting.sections,
        also=("input: Tensor, indices: list[int], dim: int = 0",),
    ),
    function(both("unbind"), "input: Tensor, dim: int = 0", parting.unbind),
    function(
        "torch.cat torch.concat torch.concatenate",
        "tensors: list[Tensor], dim: int = 0",
        parting.cat,
    ),
    function("torch.stack", "tensors: list[Tensor], dim: int = 0", parting.stack),
    function("torch.hstack", "tensors: list[Tensor]", parting.hstack),
    function("torch.vstack torch.row_stack", "tensors: list[Tensor]", parting.vstack),
    function("torch.dstack", "tensors: list[Tensor]", parting.dstack),
    function("torch.column_stack", "tensors: list[Tensor]", parting.column_stack),
)
