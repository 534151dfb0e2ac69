"""Sums, means, norms and extremes; scans; sorting."""

from __future__ import annotations

from nngen.catalog.entry import both, function
from nngen.catalog.since import Since
from nngen.symbolic.rules import reductions as rules

_ALL = "input: Tensor"
_ONE = "input: Tensor, dim: int, keepdim: bool = False"
_ANY = "input: Tensor, dim: int | list[int] | None = None, keepdim: bool = False"
_TYPED = f"{_ANY}, *, dtype: dtype | None = None"
_CORRECTED = "input: Tensor, dim: int | list[int] | None = None, *, correction: float | None = None, keepdim: bool = False"
_UNBIASED = (
    "input: Tensor, dim: int | list[int] | None, unbiased: bool = True, keepdim: bool = False",
    "input: Tensor, unbiased: bool = True",
)
_ORDER = "float | 'fro' | 'nuc' | None"

FUNCTIONS = (
    function(both("sum"), _TYPED, rules.summed),
    function(both("nansum"), _TYPED, rules.summed_numbers),
    function(both("mean"), _TYPED, rules.averaged),
    function(both("nanmean"), _TYPED, rules.averaged_floats),
    function(
        both("prod"),
        f"{_ONE}, *, dtype: dtype | None = None",
        rules.summed,
        also=("input: Tensor, *, dtype: dtype | None = None",),
    ),
    function(both("max min"), _ONE, rules.extreme, also=(_ALL, "input: Tensor, other: Tensor")),
    function(
        both("amax amin"),
        "input: Tensor, dim: int | list[int] = (), keepdim: bool = False",
        rules.extremes,
    ),
    function(
        both("aminmax"),
        "input: Tensor, *, dim: int | None = None, keepdim: bool = False",
        rules.bounds,
    ),
    function(
        both("argmax argmin"),
        "input: Tensor, dim: int | None = None, keepdim: bool = False",
        rules.position,
    ),
    function(both("median nanmedian"), _ONE, rules.middle, also=(_ALL,)),
    function(both("mode"), "input: Tensor, dim: int = -1, keepdim: bool = False", rules.commonest),
    function(
        both("kthvalue"),
        "input: Tensor, k: int, dim: int = -1, keepdim: bool = False",
        rules.ranked,
    ),
    function(
        both("quantile nanquantile"),
        "input: Tensor, q: probability | Tensor, dim: int | None = None, keepdim: bool = False, *, "
        "interpolation: 'linear' | 'lower' | 'higher' | 'midpoint' | 'nearest' = 'linear'",
        rules.quantile,
    ),
    function(both("var std"), _CORRECTED, rules.spread, also=_UNBIASED),
    function("torch.var_mean torch.std_mean", _CORRECTED, rules.spread_and_mean, also=_UNBIASED),
    function(
        both("norm"),
        f"input: Tensor, p: {_ORDER} = 'fro', dim: int | list[int] | None = None, keepdim: bool = False, "
        "dtype: dtype | None = None",
        rules.norm,
    ),
    function(
        "torch.linalg.vector_norm",
        "input: Tensor, ord: float = 2, dim: int | list[int] | None = None, keepdim: bool = False, *, "
        "dtype: dtype | None = None",
        rules.norm,
    ),
    function(
        "torch.linalg.norm",
        f"input: Tensor, ord: {_ORDER} = None, dim: int | list[int] | None = None, keepdim: bool = False, *, "
        "dtype: dtype | None = None",
        rules.linalg_norm,
    ),
    function(both("dist"), "input: Tensor, other: Tensor, p: float = 2", rules.distance),
    function(
        both("logsumexp"),
        "input: Tensor, dim: int | list[int], keepdim: bool = False",
        rules.log_summed,
        since=Since(dtypes={"complex64": "2.5"}),
    ),
    function(both("any all"), _ANY, rules.judged),
    function(
        both("count_nonzero"), "input: Tensor, dim: int | list[int] | None = None", rules.counted
    ),
    function(
        both("cumsum cumprod"),
        "input: Tensor, dim: int, *, dtype: dtype | None = None",
        rules.scanned,
    ),
    function(both("logcumsumexp"), "input: Tensor, dim: int", rules.log_scanned),
    function(both("cummax cummin"), "input: Tensor, dim: int", rules.scanned_extreme),
    function(
        both("topk"),
        "input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True",
        rules.greatest,
    ),
    function(
        both("sort"),
        "input: Tensor, dim: int = -1, descending: bool = False",
        rules.sorted_along,
        also=("input: Tensor, *, stable: bool | None, dim: int = -1, descending: bool = False",),
    ),
    function(
        both("argsort"),
        "input: Tensor, dim: int = -1, descending: bool = False",
        rules.order,
        also=("input: Tensor, *, stable: bool, dim: int = -1, descending: bool = False",),
    ),
    function(both("diff"), "input: Tensor, n: int = 1, dim: int = -1", rules.differences),
)
