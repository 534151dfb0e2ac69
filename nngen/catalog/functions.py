"""Functions of torch and Tensor methods for lines of Python: the same in both twins."""

from __future__ import annotations

from nngen.catalog.entry import function
from nngen.shapes import arranging

_REDUCTION = "input: Tensor, dim: int | list[int] | None = None, keepdim: bool = False"

FUNCTIONS = (
    function(
        "torch.flatten Tensor.flatten",
        "input: Tensor, start_dim: int = 0, end_dim: int = -1",
        arranging.flatten,
    ),
    function(
        "torch.unflatten Tensor.unflatten",
        "input: Tensor, dim: int, sizes: list[int]",
        arranging.unflatten,
    ),
    function("torch.reshape", "input: Tensor, shape: list[int]", arranging.reshape),
    function(
        "Tensor.reshape Tensor.view", "input: Tensor, *shape: int | list[int]", arranging.reshape
    ),
    function("torch.permute", "input: Tensor, dims: list[int]", arranging.permute),
    function("Tensor.permute", "input: Tensor, *dims: int | list[int]", arranging.permute),
    function(
        "torch.transpose Tensor.transpose",
        "input: Tensor, dim0: int, dim1: int",
        arranging.transpose,
    ),
    function("torch.cat", "tensors: list[Tensor], dim: int = 0", arranging.cat),
    function("torch.mean Tensor.mean", _REDUCTION, arranging.averaged),
    function("torch.sum Tensor.sum", _REDUCTION, arranging.summed),
)
