"""Picking elements by index or mask, and writing them there."""

from __future__ import annotations

from nngen.catalog.entry import both, function
from nngen.catalog.since import Since
from nngen.catalog.traits import Trait
from nngen.symbolic.rules import elementwise
from nngen.symbolic.rules import indexing as rules

_AT = "input: Tensor, dim: int, index: Tensor"

FUNCTIONS = (
    function(
        both("narrow"),
        "input: Tensor, dim: int, start: int, length: int",
        rules.narrow,
        traits=Trait.ALIAS,
    ),
    function(
        both("select"), "input: Tensor, dim: int, index: int", rules.select, traits=Trait.ALIAS
    ),
    function(both("gather"), f"{_AT}, *, sparse_grad: bool = False", rules.gather),
    function(
        both("scatter"),
        f"{_AT}, src: Tensor",
        rules.scatter,
        also=(
            f"{_AT}, value: float",
            f"{_AT}, src: Tensor, *, reduce: 'add' | 'multiply'",
            f"{_AT}, value: float, *, reduce: 'add' | 'multiply'",
        ),
    ),
    function(both("scatter_add"), f"{_AT}, src: Tensor", rules.scatter_add),
    function(
        both("scatter_reduce"),
        f"{_AT}, src: Tensor, reduce: 'sum' | 'prod' | 'mean' | 'amax' | 'amin', *, include_self: bool = True",
        rules.scatter_reduce,
    ),
    function(both("index_select"), _AT, rules.index_select),
    function(both("index_add"), f"{_AT}, source: Tensor, *, alpha: float = 1", rules.index_add),
    function(both("index_copy"), f"{_AT}, source: Tensor", rules.index_add),
    function(both("index_fill"), f"{_AT}, value: float | Tensor", rules.index_fill),
    function(
        both("masked_fill"),
        "input: Tensor, mask: Tensor, value: float | bool | Tensor",
        elementwise.filled_in,
    ),
    function(both("masked_select"), "input: Tensor, mask: Tensor", rules.masked_select),
    function(
        both("masked_scatter"), "input: Tensor, mask: Tensor, source: Tensor", rules.masked_scatter
    ),
    function(
        "torch.where",
        "condition: Tensor, input: float | bool | Tensor, other: float | bool | Tensor",
        elementwise.chosen,
        also=("condition: Tensor",),
    ),
    function(
        "Tensor.where",
        "input: Tensor, condition: Tensor, other: float | bool | Tensor",
        elementwise.chosen,
    ),
    function(both("take"), "input: Tensor, index: Tensor", rules.take),
    function(
        both("take_along_dim"),
        "input: Tensor, indices: Tensor, dim: int | None = None",
        rules.take_along_dim,
    ),
    function(both("argwhere"), "input: Tensor", rules.nonzero),
    function(both("nonzero"), "input: Tensor, *, as_tuple: bool = False", rules.nonzero),
    function(
        "torch.bucketize",
        "input: Tensor, boundaries: Tensor, *, out_int32: bool = False, right: bool = False",
        rules.bucketize,
    ),
    function(
        "torch.searchsorted",
        "sorted_sequence: Tensor, input: Tensor, *, out_int32: bool = False, right: bool = False",
        rules.searchsorted,
    ),
    function(
        "torch.isin",
        "elements: Tensor, test_elements: float | Tensor, *, assume_unique: bool = False, invert: bool = False",
        rules.is_in,
        since=Since(dtypes={"float16": "2.6"}),
    ),
)
