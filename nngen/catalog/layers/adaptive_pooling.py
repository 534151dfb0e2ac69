"""Poolings to a given size: adaptive ones, fractional ones, and unpooling."""

from __future__ import annotations

from nngen.catalog.entry import Check, Layer, example, function
from nngen.catalog.traits import Trait
from nngen.symbolic.rules import pooling

_SAMPLES = ((3, 9), (3, 9, 8), (2, 7, 6, 7))
_WHOLE = Check(
    "output_size is not None",
    "output_size",
    "output_size must not be null as a whole; write a list, with null for each size to keep",
)


def _output_size(dims: int) -> str:
    return "size[1]" if dims == 1 else f"(size | None)[{dims}]"


def _adaptive(kind: str, words: str, dims: int) -> Layer:
    sample = _SAMPLES[dims - 1]
    indices = kind == "Max"
    return Layer(
        f"Adaptive{kind}Pool{dims}d",
        words,
        f"output_size: {_output_size(dims)}{', return_indices: bool = False' if indices else ''}",
        form=f"""
            out = F.adaptive_{kind.lower()}_pool{dims}d(
                input, output_size=output_size, {'return_indices=return_indices' if indices else ''}
            )
        """,
        checks=() if dims == 1 else (_WHOLE,),
        stem="pool",
        examples=(
            example(sample, output_size=1),
            example(sample, output_size=[4, 3, 2][:dims]),
            example(sample, output_size=5),
            *((example(sample, output_size=[2, None, 3][:dims]),) if dims > 1 else ()),
            *(
                (
                    example(
                        sample, output_size=2, return_indices=True, call="y, indices = pool1(x)"
                    ),
                    example(sample, output_size=2, return_indices=False),
                )
                if indices
                else ()
            ),
        ),
    )


def _fractional(dims: int) -> Layer:
    sample = _SAMPLES[dims - 1]
    return Layer(
        f"FractionalMaxPool{dims}d",
        "The greatest value of windows whose places are drawn again in each forward, in eval mode too.",
        f"kernel_size: size[{dims}], output_size: size[{dims}] | None = None, "
        f"output_ratio: probability[{dims}] | None = None, return_indices: bool = False",
        form=f"""
            if output_ratio is None:
                out = F.fractional_max_pool{dims}d(
                    input, kernel_size=kernel_size, output_size=output_size, return_indices=return_indices
                )
            else:
                out = F.fractional_max_pool{dims}d(
                    input, kernel_size=kernel_size, output_ratio=ntuple(output_ratio, {dims}),
                    return_indices=return_indices,
                )
        """,
        shape=pooling.fractional_pooling(dims),
        checks=(
            Check(
                "output_size is not None or output_ratio is not None",
                "kernel_size",
                "it needs either output_size or output_ratio",
            ),
            Check(
                "output_size is None or output_ratio is None",
                "output_ratio",
                "it takes output_size or output_ratio, not both",
            ),
            Check(
                f"output_ratio is None or (0 < min(*ntuple(output_ratio, {dims})) "
                f"and max(*ntuple(output_ratio, {dims})) < 1)",
                "output_ratio",
                "output_ratio must be between 0 and 1, not {output_ratio}",
            ),
        ),
        stem="pool",
        examples=(
            example(sample, kernel_size=2, output_size=4),
            example(sample, kernel_size=[2, 3, 2][:dims], output_size=[5, 3, 4][:dims]),
            example(sample, kernel_size=2, output_ratio=0.5),
            example(sample, kernel_size=2, output_ratio=[0.5, 0.4, 0.6][:dims], output_size=None),
            example(
                sample,
                kernel_size=2,
                output_size=3,
                output_ratio=None,
                return_indices=True,
                call="y, indices = pool1(x)",
            ),
            example(sample, kernel_size=2, output_size=3, return_indices=False),
        ),
    )


def _unpool(dims: int) -> Layer:
    shape = ((3, 4), (3, 4, 2), (2, 3, 2, 2))[dims - 1]
    sample = {"shape": list(shape), "dtype": "float32"}
    # The indices count the positions of the output, of which there are more than of the input.
    indices = {"shape": list(shape), "dtype": "int64", "below": (4, 8, 12)[dims - 1]}
    wider = [2 * size + 1 for size in shape[1:]]
    return Layer(
        f"MaxUnpool{dims}d",
        "Puts values back where a max pooling took them from, and zeros elsewhere.",
        f"kernel_size: size[{dims}], stride: size[{dims}] | None = None, padding: count[{dims}] = 0",
        form=f"""
            out = F.max_unpool{dims}d(
                input, indices, kernel_size=kernel_size, stride=stride, padding=padding,
                output_size=output_size,
            )
        """,
        forward="input: Tensor, indices: Tensor, output_size: list[size] | None = None",
        stem="unpool",
        examples=(
            example(sample, indices, kernel_size=2),
            example(sample, indices, kernel_size=[3] * dims, stride=2, padding=1),
            example(sample, indices, kernel_size=2, stride=[2] * dims, padding=[0] * dims),
            example(sample, indices, kernel_size=2, stride=None, padding=0),
            example(
                sample,
                indices,
                kernel_size=2,
                call=f"y = unpool1(x, indices, output_size={wider})",
            ),
        ),
    )


_AVERAGE = "The average of windows that are laid so that the output has the given size."
_GREATEST = "The greatest value of windows that are laid so that the output has the given size."

LAYERS = (
    *(_adaptive("Avg", _AVERAGE, dims) for dims in (1, 2, 3)),
    *(_adaptive("Max", _GREATEST, dims) for dims in (1, 2, 3)),
    *(_fractional(dims) for dims in (2, 3)),
    *(_unpool(dims) for dims in (1, 2, 3)),
)

FUNCTIONS = (
    *(
        function(
            f"F.adaptive_avg_pool{n}d",
            f"input: Tensor, output_size: {_output_size(n)}",
            pooling.adaptive_pooling(n),
            traits=Trait.POOL | Trait.KEEPS_SIGN,
        )
        for n in (1, 2, 3)
    ),
    *(
        function(
            f"F.adaptive_max_pool{n}d",
            f"input: Tensor, output_size: {_output_size(n)}, return_indices: bool = False",
            pooling.adaptive_pooling(n),
            traits=Trait.POOL | Trait.KEEPS_SIGN,
        )
        for n in (1, 2, 3)
    ),
    *(
        function(
            f"F.fractional_max_pool{n}d",
            f"input: Tensor, kernel_size: size[{n}], output_size: size[{n}] | None = None, "
            # torch takes a lone ratio in three dimensions only.
            f"output_ratio: {'list[probability]' if n == 2 else 'probability[3]'} | None = None, "
            "return_indices: bool = False",
            pooling.fractional_pooling(n),
            traits=Trait.POOL | Trait.KEEPS_SIGN,
        )
        for n in (2, 3)
    ),
    *(
        function(
            f"F.max_unpool{n}d",
            f"input: Tensor, indices: Tensor, kernel_size: size[{n}], stride: size[{n}] | None = None, "
            f"padding: count[{n}] = 0, output_size: list[size] | None = None",
            pooling.unpooling(n),
        )
        for n in (1, 2, 3)
    ),
)
