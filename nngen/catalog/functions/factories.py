"""Tensors from sizes and numbers. The random ones draw the same in both twins."""

from __future__ import annotations

from nngen.catalog.entry import both, function
from nngen.catalog.traits import Trait
from nngen.symbolic.rules import factories as rules

_AS = "dtype: dtype | None = None, device: device | None = None"
_SIZE = "*size: int | list[int]"
_FROM = "int | float"

FUNCTIONS = (
    function("torch.zeros torch.ones", f"{_SIZE}, {_AS}", rules.made),
    function("torch.rand torch.randn", f"{_SIZE}, {_AS}", rules.random),
    function(
        "torch.full", f"size: list[int], fill_value: bool | float | Tensor, *, {_AS}", rules.filled
    ),
    function("torch.zeros_like torch.ones_like", f"input: Tensor, *, {_AS}", rules.like),
    function("torch.full_like", f"input: Tensor, fill_value: bool | float, *, {_AS}", rules.like),
    function("torch.rand_like torch.randn_like", f"input: Tensor, *, {_AS}", rules.random_like),
    function(
        "torch.randint",
        f"low: int, high: int, size: list[int], *, {_AS}",
        rules.random_integers,
        also=(f"high: int, size: list[int], *, {_AS}",),
    ),
    function(
        "torch.randint_like",
        f"input: Tensor, low: int, high: int, *, {_AS}",
        rules.integers_like,
        also=(f"input: Tensor, high: int, *, {_AS}",),
    ),
    function("torch.randperm", f"n: count, *, {_AS}", rules.shuffled),
    function(
        "torch.bernoulli", "input: Tensor", rules.drawn, also=("input: Tensor, p: probability",)
    ),
    function(
        "Tensor.bernoulli", "input: Tensor", rules.drawn, also=("input: Tensor, p: probability",)
    ),
    function(
        both("multinomial"),
        "input: Tensor, num_samples: int, replacement: bool = False",
        rules.multinomial,
    ),
    function(
        "torch.arange",
        f"start: {_FROM}, end: {_FROM}, step: {_FROM} = 1, *, {_AS}",
        rules.counted_up,
        also=(f"end: {_FROM}, *, {_AS}",),
    ),
    function("torch.linspace", f"start: float, end: float, steps: count, *, {_AS}", rules.spaced),
    function(
        "torch.logspace",
        f"start: float, end: float, steps: count, base: float = 10.0, *, {_AS}",
        rules.spaced,
    ),
    function(
        "torch.eye", f"n: count, m: count, *, {_AS}", rules.identity, also=(f"n: count, *, {_AS}",)
    ),
    function(
        "torch.tril_indices",
        f"row: count, col: count, offset: int = 0, *, {_AS}",
        rules.lower_indices,
    ),
    function(
        "torch.triu_indices",
        f"row: count, col: count, offset: int = 0, *, {_AS}",
        rules.upper_indices,
    ),
    function(
        "torch.meshgrid",
        "*tensors: Tensor | list[Tensor], indexing: 'ij' | 'xy' | None = None",
        rules.mesh,
        traits=Trait.ALIAS,
    ),
    function("torch.tensor", f"data: any, *, {_AS}", rules.literal),
    function("Tensor.new_zeros Tensor.new_ones", f"input: Tensor, {_SIZE}, {_AS}", rules.new),
    function(
        "Tensor.new_full",
        f"input: Tensor, size: list[int], fill_value: bool | float, *, {_AS}",
        rules.new_filled,
    ),
)
