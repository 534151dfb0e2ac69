"""Dtypes, devices, copies; and what a tensor says of its shape."""

from __future__ import annotations

from nngen.catalog.entry import both, function
from nngen.catalog.traits import Trait
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
_CAST = Trait.SAME | Trait.LAYOUT | Trait.ALIAS

FUNCTIONS = (
    *(
        function(
            f"Tensor.{name}",
            "input: Tensor",
            rules.cast(dtype),
            traits=_CAST if "float" in dtype else Trait.ALIAS,
        )
        for name, dtype in _DTYPES.items()
    ),
    function("Tensor.type", "input: Tensor, dtype: dtype", rules.moved, traits=_CAST),
    function("Tensor.type_as", "input: Tensor, other: Tensor", rules.moved, traits=_CAST),
    function(
        "Tensor.to",
        f"input: Tensor, dtype: dtype, {_COPYING}",
        rules.moved,
        also=(
            f"input: Tensor, device: device | None = None, dtype: dtype | None = None, {_COPYING}",
            f"input: Tensor, other: Tensor, /, {_COPYING}",
        ),
        traits=_CAST,
    ),
    function(both("clone"), "input: Tensor", common.unchanged, traits=Trait.SAME | Trait.LAYOUT),
    function(both("detach"), "input: Tensor", common.unchanged, traits=Trait.VIEW),
    function("torch.complex", "real: Tensor, imag: Tensor", rules.complex_of),
    function("torch.polar", "abs: Tensor, angle: Tensor", rules.polar),
    function("Tensor.size", "input: Tensor, dim: int | None = None", rules.size, counts=True),
    function("Tensor.dim Tensor.ndimension", "input: Tensor", rules.rank, counts=True),
    function(both("numel"), "input: Tensor", rules.count, counts=True),
)
