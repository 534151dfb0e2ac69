"""Pooling layers."""

from __future__ import annotations

from nngen.catalog.entry import Layer, example, function
from nngen.shapes import windows


def _max_pool(dims: int) -> Layer:
    sample = ((9,), (9, 8), (7, 6, 7))[dims - 1]
    return Layer(
        f"MaxPool{dims}d",
        "The greatest value of each window.",
        f"kernel_size: size[{dims}], stride: size[{dims}] | None = None, padding: count[{dims}] = 0, "
        f"dilation: size[{dims}] = 1, return_indices: bool = False, ceil_mode: bool = False",
        form=f"""
            out = F.max_pool{dims}d(
                input, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation,
                ceil_mode=ceil_mode, return_indices=return_indices,
            )
        """,
        shape=windows.pooling(dims),
        stem="pool",
        examples=(
            example((3, *sample), kernel_size=2),
            example(
                (3, *sample),
                kernel_size=[3] * dims,
                stride=2,
                padding=1,
                ceil_mode=True,
            ),
            example((3, *sample), kernel_size=2, stride=1, dilation=2),
            example(
                (3, *sample),
                kernel_size=2,
                return_indices=True,
                call="y, indices = pool1(x)",
            ),
        ),
    )


LAYERS = (*(_max_pool(dims) for dims in (1, 2, 3)),)

FUNCTIONS = (
    *(
        function(
            f"F.max_pool{n}d",
            f"input: Tensor, kernel_size: size[{n}], stride: size[{n}] | None = None, padding: count[{n}] = 0, "
            f"dilation: size[{n}] = 1, ceil_mode: bool = False, return_indices: bool = False",
            windows.pooling(n),
        )
        for n in (1, 2, 3)
    ),
)
