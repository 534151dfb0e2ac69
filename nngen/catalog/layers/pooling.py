"""Poolings over windows: the greatest value, the average, or a power average of each."""

from __future__ import annotations

from nngen.catalog.entry import Check, Layer, example, function
from nngen.catalog.traits import Trait
from nngen.symbolic.rules import pooling

# As many positions as leave a part of a window over; channels come first.
_SAMPLES = ((3, 9), (3, 9, 8), (2, 7, 6, 7))


def _max_pool(dims: int) -> Layer:
    sample = _SAMPLES[dims - 1]
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
        stem="pool",
        examples=(
            example(sample, kernel_size=2),
            example(sample, kernel_size=[3] * dims, stride=2, padding=1, ceil_mode=True),
            example(sample, kernel_size=2, stride=[1] * dims, dilation=2, padding=[1] * dims),
            example(sample, kernel_size=3, stride=None, padding=0, dilation=[1] * dims),
            example(sample, kernel_size=2, return_indices=True, call="y, indices = pool1(x)"),
            example(sample, kernel_size=2, return_indices=False, ceil_mode=False),
            example({"shape": list(sample), "batch": False}, kernel_size=2),
        ),
    )


def _avg_pool(dims: int) -> Layer:
    sample = _SAMPLES[dims - 1]
    divisor, divides = ", divisor_override: int | None = None", "divisor_override=divisor_override"
    return Layer(
        f"AvgPool{dims}d",
        "The average of each window.",
        f"kernel_size: size[{dims}], stride: size[{dims}] | None = None, padding: count[{dims}] = 0, "
        f"ceil_mode: bool = False, count_include_pad: bool = True{divisor if dims > 1 else ''}",
        form=f"""
            out = F.avg_pool{dims}d(
                input, kernel_size=kernel_size, stride=stride, padding=padding, ceil_mode=ceil_mode,
                count_include_pad=count_include_pad, {divides if dims > 1 else ''}
            )
        """,
        checks=(
            (
                Check(
                    "divisor_override is None or divisor_override != 0",
                    "divisor_override",
                    "divisor_override must not be 0",
                ),
            )
            if dims > 1
            else ()
        ),
        stem="pool",
        examples=(
            example(sample, kernel_size=2),
            example(sample, kernel_size=[3] * dims, stride=2, padding=1, ceil_mode=True),
            example(
                sample,
                kernel_size=3,
                stride=[2] * dims,
                padding=[1] * dims,
                count_include_pad=False,
            ),
            example(
                sample,
                kernel_size=2,
                stride=None,
                padding=0,
                ceil_mode=False,
                count_include_pad=True,
            ),
            *(
                (
                    example(sample, kernel_size=2, divisor_override=3),
                    example(sample, kernel_size=2, divisor_override=None),
                )
                if dims > 1
                else ()
            ),
        ),
    )


def _lp_pool(dims: int) -> Layer:
    sample = _SAMPLES[dims - 1]
    kernel = "size" if dims == 1 else f"size[{dims}]"
    return Layer(
        f"LPPool{dims}d",
        "The p-norm of each window: the sum of the powers, and its root.",
        f"norm_type: float, kernel_size: {kernel}, stride: size[{dims}] | None = None, ceil_mode: bool = False",
        form=f"""
            out = F.lp_pool{dims}d(
                input, norm_type=norm_type, kernel_size=kernel_size, stride=stride, ceil_mode=ceil_mode
            )
        """,
        checks=(Check("norm_type != 0", "norm_type", "norm_type must not be 0"),),
        stem="pool",
        examples=(
            example(sample, norm_type=2, kernel_size=2),
            example(sample, norm_type=4.0, kernel_size=3, stride=2, ceil_mode=True),
            example(sample, norm_type=2, kernel_size=3, stride=[1] * dims),
            example(sample, norm_type=1, kernel_size=2, stride=None, ceil_mode=False),
            example(sample, norm_type=float("inf"), kernel_size=2),
        ),
    )


LAYERS = (
    *(_max_pool(dims) for dims in (1, 2, 3)),
    *(_avg_pool(dims) for dims in (1, 2, 3)),
    *(_lp_pool(dims) for dims in (1, 2, 3)),
)

FUNCTIONS = (
    *(
        function(
            f"F.max_pool{n}d",
            f"input: Tensor, kernel_size: size[{n}], stride: size[{n}] | None = None, padding: count[{n}] = 0, "
            f"dilation: size[{n}] = 1, ceil_mode: bool = False, return_indices: bool = False",
            pooling.max_pooling(n),
            traits=Trait.POOL | Trait.KEEPS_SIGN,
        )
        for n in (1, 2, 3)
    ),
    *(
        function(
            f"F.avg_pool{n}d",
            f"input: Tensor, kernel_size: size[{n}], stride: size[{n}] | None = None, padding: count[{n}] = 0, "
            "ceil_mode: bool = False, count_include_pad: bool = True"
            f"{', divisor_override: int | None = None' if n > 1 else ''}",
            pooling.average_pooling(n),
            traits=Trait.POOL | Trait.KEEPS_SIGN,
        )
        for n in (1, 2, 3)
    ),
    *(
        function(
            f"F.lp_pool{n}d",
            f"input: Tensor, norm_type: float, kernel_size: {'size' if n == 1 else f'size[{n}]'}, "
            f"stride: size[{n}] | None = None, ceil_mode: bool = False",
            pooling.power_pooling(n),
            traits=Trait.POOL,
        )
        for n in (1, 2, 3)
    ),
)
