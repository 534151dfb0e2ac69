"""Functions of torch.nn.functional that no layer stands for."""

from __future__ import annotations

from nngen.catalog import products
from nngen.catalog.entry import function
from nngen.catalog.since import Since
from nngen.symbolic.rules import functional as rules
from nngen.symbolic.rules import indexing, linalg

FUNCTIONS = (
    function(
        "F.scaled_dot_product_attention",
        "query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, dropout_p: probability = 0.0, "
        "is_causal: bool = False, scale: float | None = None, enable_gqa: bool = False",
        rules.attention,
        mult_adds=products.attention,
        since=Since(arguments={"enable_gqa": "2.5"}),
    ),
    function(
        "F.normalize",
        "input: Tensor, p: float = 2.0, dim: int | list[int] = 1, eps: float = 1e-12",
        rules.normalized,
    ),
    function("F.one_hot", "input: Tensor, num_classes: int = -1", indexing.one_hot),
    function("F.pdist", "input: Tensor, p: float = 2", linalg.pair_distances),
    function(
        "F.grid_sample",
        "input: Tensor, grid: Tensor, mode: 'bilinear' | 'nearest' | 'bicubic' = 'bilinear', "
        "padding_mode: 'zeros' | 'border' | 'reflection' = 'zeros', align_corners: bool | None = None",
        rules.sampled,
    ),
    function(
        "F.affine_grid",
        "theta: Tensor, size: list[int], align_corners: bool | None = None",
        rules.affine_grid,
    ),
)
