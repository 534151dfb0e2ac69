"""Dtypes, devices, copies; and what a tensor says of its shape."""

from __future__ import annotations

from nngen.catalog.entry import both, function
from nngen.symbolic.rules import casting as rules
from nngen.symbolic.rules import common

_COPYING = "non_blocking: bool = False, copy: bool = False"
_DTYPES = {
    "float": "float32",
    "double": "float64",
    "half": "float16",
    "bfloat16": "bfloat16",
    "long": "int64",
    "int": "int32",
    "bool": "bool",
}

FUNCTIONS = (
    *(
        function(f"Tensor.{name}", "input: Tensor", rules.cast(dtype))
        for name, dtype in _DTYPES.items()
    ),
    function("Tensor.type", "input: Tensor, dtype: dtype", rules.moved),
    function("Tensor.type_as", "input: Tensor, other: Tensor", rules.moved),
    function(
        "Tensor.to",
        f"input: Tensor, dtype: dtype, {_COPYING}",
        rules.moved,
        also=(
            f"input: Tensor, device: device | None = None, dtype: dtype | None = None, {_COPYING}",
            f"input: Tensor, other: Tensor, /, {_COPYING}",
        ),
    ),
    function(both("clone detach"), "input: Tensor", common.unchanged),
    function("torch.complex", "real: Tensor, imag: Tensor", rules.complex_of),
    function("torch.polar", "abs: Tensor, angle: Tensor", rules.polar),
    function("Tensor.size", "input: Tensor, dim: int | None = None", rules.size, counts=True),
    function("Tensor.dim Tensor.ndimension", "input: Tensor", rules.rank, counts=True),
    function(both("numel"), "input: Tensor", rules.count, counts=True),
)
