"""Convolutions and transposed convolutions."""

from __future__ import annotations

from nngen.catalog import products
from nngen.catalog.entry import Check, Layer, example, function, parameter
from nngen.catalog.traits import Trait
from nngen.symbolic.rules import convolution

_LET = {"fan_in": "in_channels // groups * prod(ntuple(kernel_size, {dims}))"}
_DRAW = """
    nn.init.kaiming_uniform_(weight, a=math.sqrt(5))
    if bias is not None:
        nn.init.uniform_(bias, -1 / math.sqrt(fan_in), 1 / math.sqrt(fan_in))
"""
_CHECKS = (
    Check(
        "in_channels % groups == 0",
        "groups",
        "the {in_channels} in_channels do not divide by groups ({groups})",
        "groups must divide both in_channels and out_channels",
    ),
    Check(
        "out_channels % groups == 0",
        "groups",
        "the {out_channels} out_channels do not divide by groups ({groups})",
        "groups must divide both in_channels and out_channels",
    ),
)


def _convolution(dims: int) -> Layer:
    sample = ((7,), (7, 6), (5, 4, 5))[dims - 1]
    pad = f"same_padding(kernel_size, dilation, {dims}) if padding == 'same' else explicit_padding(padding, {dims})"
    return Layer(
        f"Conv{dims}d",
        f"A {dims}-dimensional convolution: each learned filter slides over the input and gives one channel.",
        f"in_channels: size, out_channels: size, /, kernel_size: size[{dims}], stride: size[{dims}] = 1, "
        f"padding: 'valid' | 'same' | count[{dims}] = 0, dilation: size[{dims}] = 1, groups: size = 1, "
        "bias: bool = True, padding_mode: 'zeros' | 'reflect' | 'replicate' | 'circular' = 'zeros'",
        form=f"""
            if padding_mode == 'zeros':
                out = F.conv{dims}d(
                    input, weight, bias, stride=stride, padding=padding, dilation=dilation, groups=groups
                )
            else:
                out = F.conv{dims}d(
                    F.pad(input, {pad}, mode=padding_mode),
                    weight, bias, stride=stride, dilation=dilation, groups=groups,
                )
        """,
        shape=convolution.convolution(dims),
        infer={"in_channels": f"input.shape[-{dims + 1}]"},
        state=(
            parameter(
                "weight",
                f"torch.empty(out_channels, in_channels // groups, *ntuple(kernel_size, {dims}))",
            ),
            parameter("bias", "torch.empty(out_channels)", when="bias", optional=True),
        ),
        draw=_DRAW,
        let={"fan_in": _LET["fan_in"].format(dims=dims)},
        checks=(
            *_CHECKS,
            Check(
                f"padding != 'same' or prod(ntuple(stride, {dims})) == 1",
                "stride",
                "padding 'same' needs a stride of 1, not {stride}",
            ),
        ),
        stem="conv",
        traits=Trait.MODIFIABLE,
        mult_adds=products.convolution,
        examples=(
            example((4, *sample), out_channels=6, kernel_size=3),
            example(
                (4, *sample),
                out_channels=6,
                kernel_size=[3] * dims,
                stride=2,
                padding=1,
                groups=2,
                bias=False,
            ),
            example(
                (2, *sample),
                in_channels=2,
                out_channels=3,
                kernel_size=2,
                padding="same",
                dilation=2,
            ),
            example(
                (2, *sample),
                out_channels=3,
                kernel_size=3,
                padding="valid",
                stride=[2] * dims,
            ),
            example(
                (2, *sample),
                out_channels=3,
                kernel_size=3,
                padding=2,
                padding_mode="reflect",
            ),
            example(
                (2, *sample),
                out_channels=3,
                kernel_size=2,
                padding="same",
                padding_mode="replicate",
            ),
            example(
                (2, *sample),
                out_channels=3,
                kernel_size=3,
                padding=[1] * dims,
                padding_mode="circular",
            ),
            example(
                (2, *sample),
                out_channels=3,
                kernel_size=3,
                padding="valid",
                padding_mode="circular",
                bias=True,
            ),
            example(
                (2, *sample),
                out_channels=3,
                kernel_size=3,
                padding_mode="zeros",
                groups=1,
                dilation=1,
            ),
            example(
                {"shape": [2, *sample], "batch": False},
                out_channels=3,
                kernel_size=3,
                padding=1,
                padding_mode="reflect",
            ),
        ),
    )


def _least(dims: int) -> str:
    """What one position of the input alone becomes, in each dimension."""
    sizes = (
        f"ntuple(dilation, {dims})[{d}] * (ntuple(kernel_size, {dims})[{d}] - 1) + 1 "
        f"- 2 * ntuple(padding, {dims})[{d}]"
        for d in range(dims)
    )
    return f"({', '.join(sizes)},)"


def _transposed(dims: int) -> Layer:
    sample = ((5,), (5, 4), (4, 3, 4))[dims - 1]
    extra = "".join(
        f"output_size[{d - dims}] - ((input.shape[{d - dims}] - 1) * ntuple(stride, {dims})[{d}] + least[{d}]), "
        for d in range(dims)
    )
    return Layer(
        f"ConvTranspose{dims}d",
        f"A {dims}-dimensional transposed convolution, the gradient of a convolution as a layer.",
        f"in_channels: size, out_channels: size, /, kernel_size: size[{dims}], stride: size[{dims}] = 1, "
        f"padding: count[{dims}] = 0, output_padding: count[{dims}] = 0, groups: size = 1, bias: bool = True, "
        f"dilation: size[{dims}] = 1, padding_mode: 'zeros' = 'zeros'",
        # torch.nn's output_size says how much to pad the output; the function is told that much itself.
        form=f"""
            out = F.conv_transpose{dims}d(
                input, weight, bias, stride=stride, padding=padding,
                output_padding=output_padding if output_size is None else ({extra}),
                groups=groups, dilation=dilation,
            )
        """,
        shape=convolution.transposed_convolution(dims),
        forward="input: Tensor, output_size: list[size] | None = None",
        infer={"in_channels": f"input.shape[-{dims + 1}]"},
        state=(
            parameter(
                "weight",
                f"torch.empty(in_channels, out_channels // groups, *ntuple(kernel_size, {dims}))",
            ),
            parameter("bias", "torch.empty(out_channels)", when="bias", optional=True),
        ),
        draw=_DRAW,
        # torch takes the second dimension of the weight for the fan-in, transposed or not.
        let={
            "fan_in": f"out_channels // groups * prod(ntuple(kernel_size, {dims}))",
            "least": _least(dims),
        },
        checks=_CHECKS,
        stem="conv",
        traits=Trait.MODIFIABLE,
        mult_adds=products.transposed_convolution,
        examples=(
            example((4, *sample), out_channels=6, kernel_size=3),
            example(
                (4, *sample),
                out_channels=6,
                kernel_size=3,
                stride=2,
                padding=1,
                output_padding=1,
                groups=2,
            ),
            example(
                (2, *sample),
                in_channels=2,
                out_channels=3,
                kernel_size=[2] * dims,
                dilation=2,
                bias=False,
            ),
            example(
                (2, *sample),
                out_channels=3,
                kernel_size=3,
                padding=[1] * dims,
                padding_mode="zeros",
            ),
            example(
                (2, *sample),
                out_channels=3,
                kernel_size=3,
                stride=[3] * dims,
                output_padding=[2, 1, 0][:dims],
                dilation=[1] * dims,
                bias=True,
            ),
            example(
                (2, *sample),
                {"shape": [5, *(2 * size for size in sample)]},
                out_channels=3,
                kernel_size=3,
                stride=2,
                padding=1,
                call="y = conv1(x, output_size=like.shape)",
            ),
            example(
                (2, *sample),
                out_channels=3,
                kernel_size=2,
                stride=2,
                output_padding=0,
                call=f"y = conv1(x, output_size={[2 * size + 1 for size in sample]})",
            ),
            example({"shape": [2, *sample], "batch": False}, out_channels=3, kernel_size=3),
        ),
    )


LAYERS = (
    *(_convolution(dims) for dims in (1, 2, 3)),
    *(_transposed(dims) for dims in (1, 2, 3)),
)

FUNCTIONS = (
    *(
        function(
            f"F.conv{n}d",
            f"input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: size[{n}] = 1, "
            f"padding: 'valid' | 'same' | count[{n}] = 0, dilation: size[{n}] = 1, groups: size = 1",
            convolution.convolution_function(n),
            mult_adds=products.convolution,
            traits=Trait.LINEAR,
        )
        for n in (1, 2, 3)
    ),
    *(
        function(
            f"F.conv_transpose{n}d",
            f"input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: size[{n}] = 1, "
            f"padding: count[{n}] = 0, output_padding: count[{n}] = 0, groups: size = 1, dilation: size[{n}] = 1",
            convolution.transposed_convolution_function(n),
            mult_adds=products.transposed_convolution,
            traits=Trait.LINEAR,
        )
        for n in (1, 2, 3)
    ),
)
